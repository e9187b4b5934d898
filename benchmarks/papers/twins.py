"""The same experiments in PyTorch: same start, same order, same images.

A network of `cnnbook` becomes its twin, its optimizer PyTorch's own, and the
batches come from the same generator. Four layers of the old papers, which
PyTorch lacks, are written here as one would there.
"""
import numpy as np
import torch

from cnnbook.architectures import (RBF, PositionBias, Subsample, TableConv2D,
                                   rbf_loss, squared_error)
from cnnbook.data import minibatches
from cnnbook.interop import pytorch
from cnnbook.interop.training import two_groups
from cnnbook.nn import softmax_cross_entropy, train_step


def parameter(array):
    return torch.nn.Parameter(torch.tensor(np.ascontiguousarray(array)))


class Position(torch.nn.Module):
    "One bias for each place and channel."

    def __init__(self, layer):
        super().__init__()
        self.b = parameter(layer.params["b"].transpose(0, 3, 1, 2).ravel())

    def forward(self, x):
        return x + self.b.view(1, *x.shape[1:])


class Table(torch.nn.Module):
    "A convolution whose filters see some of the channels."

    def __init__(self, conv, mask):
        super().__init__()
        self.conv = conv
        self.register_buffer("mask", torch.tensor(mask[0, 0].T[..., None,
                                                               None]))

    def forward(self, x):
        conv = self.conv
        return torch.nn.functional.conv2d(
            x, conv.weight * self.mask, conv.bias, conv.stride, conv.padding)


class Sums(torch.nn.Module):
    "The learned subsampling of LeNet-5."

    def __init__(self, layer):
        super().__init__()
        self.c, self.b = (parameter(layer.params[key]) for key in "cb")

    def forward(self, x):
        sums = 4 * torch.nn.functional.avg_pool2d(x, 2)
        return self.c[:, None, None] * sums + self.b[:, None, None]


class Distances(torch.nn.Module):
    "Minus the squared distance to each code."

    def __init__(self, codes):
        super().__init__()
        self.register_buffer("codes", torch.tensor(codes))

    def forward(self, x):
        return -((x[:, None] - self.codes) ** 2).sum(2)


@pytorch._twin.register
def _(layer: PositionBias, flow):
    return Position(layer), flow


@pytorch._twin.register
def _(layer: TableConv2D, flow):
    layer.params["W"] = np.where(layer.mask, layer.params["W"], 0)
    twin, flow = pytorch._twin.dispatch(TableConv2D.__base__)(layer, flow)
    return Table(twin, layer.mask), flow


@pytorch._twin.register
def _(layer: Subsample, flow):
    return Sums(layer), flow


@pytorch._twin.register
def _(layer: RBF, flow):
    return Distances(layer.buffers["codes"]), flow


# ---- the losses, as one would write them there -----------------------------
def squared(z, labels):
    targets = 2 * torch.nn.functional.one_hot(labels, z.shape[1]) - 1
    return torch.nn.functional.mse_loss(z, targets.to(z.dtype))


def distance(z, labels):
    least = z.new_full((len(z), 1), -1.0)
    right = z.gather(1, labels[:, None])[:, 0]
    return (torch.logsumexp(torch.cat([z, least], 1), 1) - right).mean()


LOSSES = {softmax_cross_entropy: torch.nn.functional.cross_entropy,
          squared_error: squared, rbf_loss: distance}


# ---- training --------------------------------------------------------------
def twin_optimizer(net, ours):
    "PyTorch's SGD with the settings of ours; only weights decay."
    groups = two_groups(net, ours.weight_decay)
    return torch.optim.SGD(groups, ours.learning_rate, ours.momentum,
                           nesterov=ours.nesterov)


def steps(experiment, seed, learn, dtype=np.float32):
    """Train the twin; yield (net, epoch, cost) after each step.

    The start, the order and the altered images are those of ours.
    """
    rng = np.random.default_rng(seed)
    model = experiment.make(rng=rng, dtype=dtype)
    ours = experiment.optimizer(model)
    net = pytorch.to_torch(model).train()
    optimizer, loss = twin_optimizer(net, ours), LOSSES[experiment.loss]
    X, labels = learn
    total = experiment.epochs * -(-len(X) // experiment.batch)
    step = 0
    for epoch in range(experiment.epochs):
        for index in minibatches(len(X), experiment.batch, rng):
            images = X[index]
            if experiment.augment is not None:
                images = experiment.augment(images, rng)
            images = images.astype(dtype, copy=False).transpose(0, 3, 1, 2)
            factor = experiment.schedule(step, total) if (
                experiment.schedule) else 1
            for group in optimizer.param_groups:
                group["lr"] = ours.learning_rate * factor
            cost = loss(net(torch.from_numpy(np.ascontiguousarray(images))),
                        torch.from_numpy(labels[index]))
            optimizer.zero_grad()
            cost.backward()
            optimizer.step()
            step += 1
            yield net, epoch, cost.item()


def predictions(net, X, batch=256):
    "The class that the net gives to each image."
    net.eval()
    with torch.no_grad():
        x = torch.from_numpy(np.ascontiguousarray(X.transpose(0, 3, 1, 2)))
        return torch.cat([net(part).argmax(1)
                          for part in x.split(batch)]).numpy()


def our_steps(experiment, seed, learn, dtype=np.float32):
    "Our own steps, one by one: yield (model, cost)."
    rng = np.random.default_rng(seed)
    model = experiment.make(rng=rng, dtype=dtype)
    optimizer, (X, labels) = experiment.optimizer(model), learn
    peak = optimizer.learning_rate
    total = experiment.epochs * -(-len(X) // experiment.batch)
    for step, index in enumerate(minibatches(len(X), experiment.batch, rng)):
        images = X[index]
        if experiment.augment is not None:
            images = experiment.augment(images, rng)
        if experiment.schedule is not None:
            optimizer.learning_rate = peak * experiment.schedule(step, total)
        told = train_step(model, optimizer, images, labels[index],
                          experiment.loss)
        yield model, told["cost"]
