"""Cats and dogs: 2,000 photographs to learn from, 1,000 to be tested with.

    python benchmarks/papers/cats_dogs.py FOLDER [--only NAME] [--seeds 5]
    python benchmarks/papers/cats_dogs.py FOLDER --choose [--only NAME]

FOLDER holds `train` and `test`, and each of them a folder per class. With
--choose, a fifth of `train` is set aside to measure on, and `test` is not
opened: so were the settings found. Without it the test set is opened, once
per seed, when the learning is over. After each seed the results go to
chapters/recorded/papers/cats_dogs.json, numbers and no picture; seeds that
are there already, of this same program, are not run again.

The photographs are those of Dogs vs. Cats (Elson et al., 2007), reduced to
64 x 64. They are not ours to give. A folder of your own does as well.
"""
import argparse
import os
import sys
import time
import warnings
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

import kept
import numpy as np

from cnnbook import fast, lab
from cnnbook.architectures import jitter_contrast, random_affine, small_vgg
from cnnbook.data import (batches_per_epoch, minibatches,
                          stratified_split)
from cnnbook.images import read_images
from cnnbook.nn import (Adam, BatchNorm2D, Conv2D, MaxPool2D, ReLU,
                        Sequential, fit, one_cycle, outputs)

RESULTS = kept.FOLDER / "cats_dogs.json"
BATCH, RATE, DECAY = 32, 0.004, 0.05
EPOCHS = 40             # of the better network
PLAIN_EPOCHS = 15       # of the same without variations
LAB_EPOCHS, PUBLISHED_EPOCHS = 20, 6


def network(rng):
    "A coarse look at the photograph, and a small VGG: 64 x 64 or other."
    return Sequential(Conv2D(3, 16, 5, 2, pad=2, bias=False, rng=rng),
                      BatchNorm2D(16), ReLU(), MaxPool2D(),
                      small_vgg(16, 2, width=32, stages=3, rng=rng))


def vary(X, rng):
    "Half of the images in a mirror; all turned, squeezed, moved, dimmed."
    mirror = rng.random(len(X)) < 0.5
    X = np.where(mirror[:, None, None, None], X[:, :, ::-1], X)
    X = random_affine(X, rng, rotation=15, scale=0.15, shear=0.1, shift=4)
    return 0.5 + jitter_contrast(X - 0.5, 0.2, rng)


def better(X, labels, seed, check=None, augment=vary, epochs=None):
    "The network above, by cnnbook: what answers, and its history."
    rng = np.random.default_rng(seed)
    model = network(rng)
    history = fit(model, X, labels, Adam(model, RATE, weight_decay=DECAY),
                  epochs or EPOCHS, BATCH, rng=rng, schedule=one_cycle(),
                  augment=augment, validation=check)
    return lambda X: outputs(model, X), history


def plain(X, labels, seed, check=None):
    "The same, but it sees the images as they are, and fewer times."
    return better(X, labels, seed, check, None, PLAIN_EPOCHS)


def images_of(X):
    "As PyTorch takes them."
    import torch
    return torch.tensor(X).permute(0, 3, 1, 2)


def torch_epoch(net, X, labels, rng, optimizer, rates):
    "What `fit` does in an epoch, in PyTorch; the average cost."
    import torch
    total = 0.0
    for index, rate in zip(minibatches(len(X), BATCH, rng), rates):
        for group in optimizer.param_groups:
            group["lr"] = rate
        loss = torch.nn.functional.cross_entropy(
            net(images_of(vary(X[index], rng))), torch.tensor(labels[index]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(index)
    return total / len(X)


def in_torch(X, labels, seed, check=None):
    "The same start, batches and variations; PyTorch does the learning."
    import torch

    from cnnbook.interop import to_torch
    from cnnbook.interop.training import two_groups
    torch.set_num_threads(1)
    rng, factor, history = np.random.default_rng(seed), one_cycle(), []
    net = to_torch(network(rng))
    optimizer = torch.optim.AdamW(two_groups(net, DECAY), RATE)
    n = batches_per_epoch(len(X), BATCH)
    rates = [RATE * factor(i, n * EPOCHS) for i in range(n * EPOCHS)]
    for epoch in range(EPOCHS):
        net.train()
        cost = torch_epoch(net, X, labels, rng, optimizer,
                           rates[n * epoch:n * epoch + n])
        history.append({"epoch": epoch + 1, "cost": cost})
    net.eval()

    def answer(X):
        with torch.no_grad():
            return np.concatenate([net(images_of(X[i:i + 256])).numpy()
                                   for i in range(0, len(X), 256)])
    return answer, history


def lab_start(X, seed, **scheme):
    "The parameters of the lab's network, in 32 bits."
    np.random.seed(seed)
    parameters = lab.initialize_parameters(*X.shape[1:], **scheme)
    return {key: W.astype(np.float32) for key, W in parameters.items()}


def lab_answer(parameters):
    return lambda X: np.concatenate([
        lab.simple_cnn_model(X[i:i + 256], parameters, fast)[0]
        for i in range(0, len(X), 256)])


def mended(X, labels, seed, check=None):
    "The lab's network, as in chapter 7, in batches: plain descent."
    rng, parameters = np.random.default_rng(seed), lab_start(X, seed)
    Y, history = lab.one_hot_encode(labels, 2).astype(np.float32), []
    for epoch in range(LAB_EPOCHS):
        total = 0.0
        for index in minibatches(len(X), BATCH, rng):
            A, caches = lab.simple_cnn_model(X[index], parameters, fast)
            total += lab.compute_cost(A, Y[index]) * len(index)
            parameters = lab.update_parameters(
                parameters, lab.backward_propagation(A, Y[index], caches,
                                                     fast))
        history.append({"epoch": epoch + 1, "cost": total / len(X)})
        if check:
            history[-1]["val_accuracy"] = lab.accuracy(
                lab_answer(parameters)(check[0]), check[1])
    return lab_answer(parameters), history


def published(X, labels, seed, check=None):
    "The lab's network with its three wrong lines: all images at once."
    X = 255 * X                                     # 1: not scaled
    row = labels.reshape(1, -1)
    Y = np.zeros((len(row), 2), np.float32)         # 2: one row for all
    Y[np.arange(len(row)), row] = 1
    parameters, history = lab_start(X, seed, scheme="small"), []
    for epoch in range(PUBLISHED_EPOCHS):
        A, caches = lab.simple_cnn_model(X, parameters, fast)
        cost = -np.sum(Y * np.log(A.astype(np.float64) + 1e-8)) / len(Y)
        history.append({"epoch": epoch + 1, "cost": float(cost)})
        dA, dW3, db3 = lab.fully_connected_layer_backward(
            (A - Y) / len(Y) * A * (1 - A), caches[2])          # 3: A (1 - A)
        m, n_H, n_W, n_C = caches[1][0].shape
        dA = lab.pool_layer_backward(dA.reshape(m, n_H // 2, n_W // 2, n_C),
                                     caches[1], layers=fast)
        _, dW1, db1 = lab.conv_layer_backward(dA, caches[0], fast)
        parameters = lab.update_parameters(parameters, {
            "dW1": dW1, "db1": db1, "dW3": dW3, "db3": db3})
    answer = lab_answer(parameters)
    return lambda X: answer(255 * X), history


RUNS = {            # name: side of the images, how it learns
    "published-16": (16, published), "published-64": (64, published),
    "mended-16": (16, mended), "mended-64": (64, mended),
    "plain": (64, plain), "better": (64, better), "torch": (64, in_torch)}


KEY = kept.key_of(__file__)     # of what ran, if it is edited since


def measured(name, seed, folder, choose=False):
    "Learn once, and what came of it: a dict of numbers."
    size, learn = RUNS[name]
    X, labels, _ = read_images(folder / "train", size)
    if choose:
        first, aside = stratified_split(labels, 0.2)
        X_new, new = X[aside], labels[aside]
        X, labels = X[first], labels[first]
    start = time.perf_counter()
    answer, history = learn(X, labels, seed, choose and (X_new, new) or None)
    seconds = time.perf_counter() - start
    if not choose:
        X_new, new, _ = read_images(folder / "test", size)
    classes = answer(X_new).argmax(axis=1)
    return {"seed": seed, "error": 100 - lab.accuracy(classes, new),
            "first_class": 100 * float(np.mean(classes == 0)),
            "images": [len(X), len(new)], "seconds": seconds,
            "history": history}


def results_in(path):
    "What this program has left in the file; another's results do not count."
    return {"runs": {}} | kept.read(path, KEY)


def keep(path, name, result):
    "Add the result to the file."
    record = results_in(path)
    record["runs"].setdefault(name, []).append(result)
    kept.write(path, record, ["numpy", *["torch"] * (name == "torch")])


def main():
    ask = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    ask.add_argument("folder", type=Path)
    ask.add_argument("--only", choices=RUNS, help="one of the networks")
    ask.add_argument("--seeds", type=int, default=5)
    ask.add_argument("--choose", action="store_true")
    ask.add_argument("--results", type=Path, default=RESULTS)
    told = ask.parse_args()
    warnings.filterwarnings("ignore", message="pixels up to")
    for name in [told.only] if told.only else RUNS:
        title = name + "-aside" * told.choose
        done = {run["seed"] for run in
                results_in(told.results)["runs"].get(title, [])}
        for seed in sorted({*range(told.seeds)} - done):
            result = measured(name, seed, told.folder, told.choose)
            print(f"{title}, seed {seed}: {result['error']:.1f}% wrong, "
                  f"{result['seconds']:.0f} s", flush=True)
            keep(told.results, title, result)


if __name__ == "__main__":
    main()
