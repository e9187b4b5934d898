"""The layers that compose: against PyTorch (values, gradients, running
statistics, optimizer steps), the adjoint test, and what `fit` promises."""
import copy
import itertools

import numpy as np
import pytest

from cnnbook import nn
from cnnbook.lab import one_hot_encode
from cnnbook.storage import load, save

rng = np.random.default_rng(0)
DTYPES = pytest.mark.parametrize("dtype", [np.float64, np.float32])
TOL = {np.float64: dict(rtol=1e-9, atol=1e-11),
       np.float32: dict(rtol=2e-4, atol=2e-4)}


def cases(count, seed):
    "Random settings of a convolution: (f, stride, pad, dilation, groups)."
    corners = [(1, 1, 0, 1, 1), (1, 2, 1, 1, 1), (3, 1, 1, 1, 4),
               (3, 2, 1, 1, 4), (3, 2, 2, 2, 2), (2, 3, 0, 1, 1)]
    rng = np.random.default_rng(seed)
    for n in range(count):
        f, stride, pad, dilation = (int(v) for v in rng.integers(
            (1, 1, 0, 1), (5, 4, 3, 4)))
        yield corners[n] if n < len(corners) else (
            f, stride, pad, dilation, int(rng.choice([1, 2, 4])))


CASES = list(cases(30, seed=0))


def image(case, dtype=np.float64):
    "A batch that the kernel of a case fits into, with 4 channels."
    f, stride, pad, dilation, groups = case
    local = np.random.default_rng(sum(case))
    least = max(1, dilation * (f - 1) + 1 - 2 * pad)
    n_H, n_W = (int(v) for v in least + local.integers(0, 6, size=2))
    return local.normal(size=(2, n_H, n_W, 4)).astype(dtype)


def settings(case):
    keys = ("f", "stride", "pad", "dilation", "groups")
    return dict(zip(keys, case))


# ---- the adjoint test ----

@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_transposed_convolution_is_the_adjoint(case):
    K = nn.Conv2D(4, 8, **settings(case), bias=False, rng=rng,
                  dtype=np.float64)
    Y = rng.normal(size=(2, 5, 6, 8))
    for output_pad in range(case[1]):
        T = nn.ConvTranspose2D(8, 4, **settings(case), bias=False,
                               output_pad=output_pad, rng=rng,
                               dtype=np.float64)
        T.load_state_dict(K.state_dict())
        X = rng.normal(size=T(Y).shape)
        assert np.isclose(np.sum(K(X) * Y), np.sum(X * T(Y)), rtol=1e-11,
                          atol=1e-11)
        assert np.array_equal(T.backward(X), K(X))


# ---- numeric gradients, over random settings ----

@pytest.mark.parametrize("kind", [nn.Conv2D, nn.ConvTranspose2D])
@pytest.mark.parametrize("case", CASES[:12], ids=str)
def test_the_gradients_of_the_convolutions(kind, case):
    f, stride, pad, dilation, groups = case
    size = max(5, dilation * (f - 1) + 1 - 2 * pad)     # the kernel fits
    X = image(case)[:1, :size, :size]
    if kind is nn.ConvTranspose2D and dilation * (f - 1) + 1 <= 2 * pad:
        pad = 0                                 # nothing would be left
    layer = kind(4, 4, f, stride, pad, dilation, groups, rng=rng,
                 dtype=np.float64)
    assert max(nn.check_layer(layer, X, rng).values()) < 1e-6


@pytest.mark.parametrize("train", [False, True])
@pytest.mark.parametrize("shape", [(3, 4, 5, 2), (6, 2)])
def test_the_gradients_of_batch_normalization(shape, train):
    layer = nn.BatchNorm2D(2, dtype=np.float64)
    layer.params = {"gamma": np.array([0.5, -2]), "beta": np.array([1.0, 0])}
    layer.buffers = {"mean": np.array([0.3, -1]), "var": np.array([2.0, 0.5])}
    errors = nn.check_layer(layer, rng.normal(size=shape), rng, train)
    assert sorted(errors) == ["X", "beta", "gamma"]


def test_dropout_passes_the_gradient_through_its_mask():
    layer = nn.Dropout(0.4, rng=np.random.default_rng(3))
    X = np.ones((200, 50))
    Y = layer(X, train=True)
    assert set(np.unique(Y)) == {0, 1 / 0.6} and abs(Y.mean() - 1) < 0.05
    assert np.array_equal(layer.backward(X), Y)
    assert layer(X) is X and layer.backward(X) is X


# ---- PyTorch ----

def tensors(*arrays):
    torch = pytest.importorskip("torch")
    return [torch.tensor(a, requires_grad=True) for a in arrays]


def check(got, expected, dtype):
    expected = expected.detach().numpy()
    assert got.shape == expected.shape and got.dtype == dtype
    np.testing.assert_allclose(got, expected, **TOL[dtype])


def check_both_passes(layer, X, x, y, dtype, **params):
    "Against PyTorch's input `x`, output `y` and parameters, as tensors."
    check(layer(X), y, dtype)
    dY = rng.normal(size=y.shape).astype(dtype)
    y.backward(tensors(dY)[0])
    check(layer.backward(dY), x.grad, dtype)
    for key, tensor in params.items():
        check(layer.grads[key], tensor.grad, dtype)


@DTYPES
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_conv_is_pytorch_s(case, bias, dtype):
    F = pytest.importorskip("torch").nn.functional
    f, stride, pad, dilation, groups = case
    X = image(case, dtype)
    layer = nn.Conv2D(4, 8, **settings(case), bias=bias, rng=rng, dtype=dtype)
    if bias:
        layer.params["b"] = rng.normal(size=(1, 1, 1, 8)).astype(dtype)
    x, w = tensors(X, layer.params["W"])
    b = tensors(layer.params["b"])[0] if bias else None
    y = F.conv2d(x.permute(0, 3, 1, 2), w.permute(3, 2, 0, 1),
                 b.reshape(-1) if bias else None, stride, pad, dilation,
                 groups).permute(0, 2, 3, 1)
    check_both_passes(layer, X, x, y, dtype, W=w,
                      **({"b": b} if bias else {}))
    assert sorted(layer.grads) == sorted(layer.params)


@DTYPES
@pytest.mark.parametrize("case", CASES, ids=str)
def test_conv_transpose_is_pytorch_s(case, dtype):
    F = pytest.importorskip("torch").nn.functional
    f, stride, pad, dilation, groups = case
    pad = pad if dilation * (f - 1) + 1 > 2 * pad else 0
    X, output_pad = image(case, dtype), (stride - 1) // 2
    layer = nn.ConvTranspose2D(4, 8, f, stride, pad, dilation, groups,
                               output_pad=output_pad, rng=rng, dtype=dtype)
    layer.params["b"] = rng.normal(size=(1, 1, 1, 8)).astype(dtype)
    x, w, b = tensors(X, layer.params["W"], layer.params["b"])
    y = F.conv_transpose2d(
        x.permute(0, 3, 1, 2), w.permute(3, 2, 0, 1), b.reshape(-1), stride,
        pad, output_pad, groups, dilation).permute(0, 2, 3, 1)
    check_both_passes(layer, X, x, y, dtype, W=w, b=b)


@DTYPES
@pytest.mark.parametrize("f, stride", [(2, None), (3, 2), (2, 1), (1, 2)])
@pytest.mark.parametrize("kind", ["Max", "Avg"])
def test_pooling_is_pytorch_s(kind, f, stride, dtype):
    F = pytest.importorskip("torch").nn.functional
    X = rng.normal(size=(2, 7, 6, 3)).astype(dtype)
    layer = getattr(nn, f"{kind}Pool2D")(f, stride)
    x, = tensors(X)
    y = getattr(F, f"{kind.lower()}_pool2d")(x.permute(0, 3, 1, 2), f, stride)
    check_both_passes(layer, X, x, y.permute(0, 2, 3, 1), dtype)


@DTYPES
@pytest.mark.parametrize("name, layer", [
    ("relu", nn.ReLU()), ("leaky_relu", nn.LeakyReLU(0.01)),
    ("tanh", nn.Tanh())])
def test_activations_are_pytorch_s(name, layer, dtype):
    torch = pytest.importorskip("torch")
    X = rng.normal(size=(3, 4, 5, 2)).astype(dtype)
    X[0, 0, 0] = 0                              # the corner of the ramp
    x, = tensors(X)
    y = getattr(torch.nn.functional, name)(x)
    check_both_passes(layer, X, x, y, dtype)


@DTYPES
@pytest.mark.parametrize("shape", [(4, 3, 5, 2), (6, 2), (2, 1, 1, 2)])
def test_batch_normalization_is_pytorch_s(shape, dtype):
    torch = pytest.importorskip("torch")
    kind = torch.nn.BatchNorm2d if len(shape) == 4 else torch.nn.BatchNorm1d
    theirs = kind(2, dtype=getattr(torch, np.dtype(dtype).name))
    ours = nn.BatchNorm2D(2, dtype=dtype)
    for key, name in ("gamma", "weight"), ("beta", "bias"):
        ours.params[key] = rng.normal(size=2).astype(dtype)
        getattr(theirs, name).data = torch.tensor(ours.params[key])
    for train in True, True, False:             # twice, and then with what
        theirs.train(train)                     # the two batches left
        X = rng.normal(1, 3, size=shape).astype(dtype)
        x, = tensors(X)
        order = (0, 3, 1, 2) if len(shape) == 4 else (0, 1)
        back = (0, 2, 3, 1) if len(shape) == 4 else (0, 1)
        y = theirs(x.permute(order)).permute(back)
        check(ours(X, train), y, dtype)
        check(ours.buffers["mean"], theirs.running_mean, dtype)
        check(ours.buffers["var"], theirs.running_var, dtype)
        dY = rng.normal(size=shape).astype(dtype)
        theirs.zero_grad()
        y.backward(tensors(dY)[0])
        check(ours.backward(dY), x.grad, dtype)
        check(ours.grads["gamma"], theirs.weight.grad, dtype)
        check(ours.grads["beta"], theirs.bias.grad, dtype)


@DTYPES
@pytest.mark.parametrize("shape", [(4, 3, 5, 6), (1, 2, 1, 6), (5, 6)])
@pytest.mark.parametrize("groups", [1, 2, 3])
def test_group_normalization_is_pytorch_s(shape, groups, dtype):
    torch = pytest.importorskip("torch")
    theirs = torch.nn.GroupNorm(groups, 6, eps=1e-3,
                                dtype=getattr(torch, np.dtype(dtype).name))
    ours = nn.GroupNorm(6, groups, epsilon=1e-3, dtype=dtype)
    for key, name in ("gamma", "weight"), ("beta", "bias"):
        ours.params[key] = rng.normal(size=6).astype(dtype)
        getattr(theirs, name).data = torch.tensor(ours.params[key])
    order = (0, 3, 1, 2) if len(shape) == 4 else (0, 1)
    back = (0, 2, 3, 1) if len(shape) == 4 else (0, 1)
    for train in True, False:
        X = rng.normal(1, 3, size=shape).astype(dtype)
        dY = rng.normal(size=shape).astype(dtype)
        x, = tensors(X)
        theirs.zero_grad()
        y = theirs(x.permute(order)).permute(back)
        check(ours(X, train), y, dtype)
        y.backward(tensors(dY)[0])
        check(ours.backward(dY), x.grad, dtype)
        check(ours.grads["gamma"], theirs.weight.grad, dtype)
        check(ours.grads["beta"], theirs.bias.grad, dtype)


def test_one_group_is_scikit_learns_scale_of_each_image():
    scale = pytest.importorskip("sklearn.preprocessing").scale
    X = rng.normal(3, 2, size=(4, 5, 3, 6))
    for groups in 1, 2, 6:
        layer = nn.GroupNorm(6, groups, epsilon=0.0, dtype=np.float64)
        parts = np.split(layer(X), groups, axis=3)
        for part, A in zip(parts, np.split(X, groups, axis=3)):
            expected = scale(A.reshape(4, -1), axis=1)
            np.testing.assert_allclose(part.reshape(4, -1), expected,
                                       atol=1e-9)


def test_a_group_of_one_number_and_a_variance_that_does_not_fit():
    assert not nn.GroupNorm(4, 4)(np.full((3, 4), 7.0)).any()   # beta
    with pytest.raises(ValueError, match="n_C must be a multiple of groups"):
        nn.GroupNorm(4, 3)
    with pytest.raises(FloatingPointError, match="does not fit in float32"):
        nn.GroupNorm(2)(np.float32([[-1e25, 1e25]]))
    Y = nn.GroupNorm(2, dtype=np.float16)(np.float16([[-65504, 65504]]))
    assert Y.dtype == np.float16 and Y.tolist() == [[-1, 1]]


def test_the_company_of_an_image_does_not_change_a_group_norm():
    layer, X = nn.GroupNorm(6, 2), rng.normal(size=(5, 4, 4, 6))
    assert np.array_equal(layer(X[:1], train=True), layer(X)[:1])
    assert not layer.buffers and set(layer.state_dict()) == {"gamma", "beta"}
    model = nn.Sequential(nn.Conv2D(1, 6, bias=False, rng=rng), layer)
    other = nn.Sequential(nn.Conv2D(1, 6, bias=False, rng=rng),
                          nn.GroupNorm(6, 2))
    other.load_state_dict(model.state_dict())
    assert np.array_equal(model(X[..., :1]), other(X[..., :1]))
    assert nn.summary(model, (8, 8, 1))[1].parameters == 12


@DTYPES
def test_the_losses_are_pytorch_s(dtype):
    F = pytest.importorskip("torch").nn.functional
    Z = (5 * rng.normal(size=(6, 4))).astype(dtype)
    labels = rng.integers(0, 4, size=6)
    soft = rng.dirichlet(np.ones(4), size=6).astype(dtype)
    for ours, theirs, target in [
            (nn.softmax_cross_entropy, F.cross_entropy, labels),
            (nn.softmax_cross_entropy, F.cross_entropy, soft),
            (nn.mean_squared_error, F.mse_loss, soft)]:
        z, = tensors(Z)
        expected = theirs(z, tensors(target)[0].detach()
                          if target is soft else
                          pytest.importorskip("torch").tensor(target))
        expected.backward()
        cost, dZ = ours(Z, target)
        np.testing.assert_allclose(cost, expected.item(), **TOL[dtype])
        check(dZ, z.grad, dtype)


OPTIMIZERS = [
    (nn.SGD, "SGD", dict(), dict()),
    (nn.SGD, "SGD", dict(momentum=0.9, weight_decay=0.1),
     dict(momentum=0.9)),
    (nn.Adam, "AdamW", dict(), dict(weight_decay=0)),
    (nn.Adam, "AdamW", dict(beta1=0.8, beta2=0.9, weight_decay=0.1),
     dict(betas=(0.8, 0.9))),
]


@DTYPES
@pytest.mark.parametrize("ours, theirs, here, there", OPTIMIZERS)
def test_the_optimizers_are_pytorch_s(ours, theirs, here, there, dtype):
    torch = pytest.importorskip("torch")
    model = nn.Linear(3, 2, rng=rng, dtype=dtype)
    w, b = tensors(model.params["W"], model.params["b"])
    optimizer = ours(model, 0.05, **here)
    other = getattr(torch.optim, theirs)(
        [{"params": [w], "weight_decay": here.get("weight_decay", 0)},
         {"params": [b], "weight_decay": 0}], lr=0.05, **there)
    for _ in range(5):
        X = rng.normal(size=(4, 3)).astype(dtype)
        other.zero_grad()
        torch.square(torch.tensor(X) @ w + b).mean().backward()
        model.backward(nn.mean_squared_error(
            model(X), np.zeros((4, 2), dtype))[1])
        optimizer.step()
        other.step()
        check(model.params["W"], w, dtype)
        check(model.params["b"], b, dtype)


# ---- models ----

def small(seed=0):
    rng = np.random.default_rng(seed)
    return nn.Sequential(
        nn.Conv2D(1, 4, pad=1, bias=False, rng=rng), nn.BatchNorm2D(4),
        nn.ReLU(),
        nn.Residual(nn.Sequential(nn.Conv2D(4, 8, stride=2, pad=1, rng=rng)),
                    nn.Conv2D(4, 8, 1, stride=2, rng=rng)),
        nn.ReLU(), nn.Dropout(0.2, rng=rng), nn.GlobalAvgPool(),
        nn.Linear(8, 2, rng=rng))


def stripes(m=64, seed=0):
    "Images of rows or of columns: a task that can be learned."
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, size=m)
    X = rng.normal(size=(m, 8, 8, 1)).astype(np.float32) / 2
    wave = np.resize([1, -1], 8).astype(np.float32)
    X[labels == 0, :, :, 0] += wave[:, None]
    X[labels == 1, :, :, 0] += wave
    return X, labels


def test_a_whole_model_learns_and_float32_stays():
    X, labels = stripes()
    model = small()
    history = nn.fit(model, X, labels, nn.Adam(model, 0.01), epochs=12,
                     batch=16, rng=np.random.default_rng(1),
                     validation=stripes(seed=5))
    assert history[-1]["val_accuracy"] > 95
    assert history[-1]["cost"] < history[0]["cost"] / 3
    dtypes = {a.dtype for a in model.state_dict().values()}
    assert dtypes == {np.dtype(np.float32)}
    assert nn.outputs(model, X).dtype == np.float32
    assert nn.outputs(model, X[:0]).shape == (0, 2)


def test_equal_seeds_give_equal_models():
    X, labels = stripes()
    states = []
    for _ in range(2):
        model = small()
        nn.fit(model, X, labels, nn.SGD(model, 0.1, 0.9), epochs=2, batch=10,
               rng=np.random.default_rng(1), schedule=nn.cosine(0.2))
        states.append(model.state_dict())
    for name, value in states[0].items():
        assert np.array_equal(value, states[1][name]), name


def test_a_state_is_a_photograph():
    X, labels = stripes()
    model = small()
    before = model.state_dict()
    copies = {name: value.copy() for name, value in before.items()}
    Z = nn.outputs(model, X)
    nn.fit(model, X, labels, nn.SGD(model, 0.1), epochs=1,
           rng=np.random.default_rng(0))
    assert not np.array_equal(nn.outputs(model, X), Z)
    assert all(np.array_equal(before[k], copies[k]) for k in before)
    model.load_state_dict(before)
    assert np.array_equal(nn.outputs(model, X), Z)
    with pytest.raises(ValueError, match="state must have the keys"):
        model.load_state_dict({})
    broken = {**before, "7.b": np.ones((1, 2)), "7.W": np.ones((9, 2))}
    with pytest.raises(ValueError, match="7.W.*shape"):
        model.load_state_dict(broken)
    assert np.array_equal(nn.outputs(model, X), Z)


def test_callbacks_keep_the_best_and_stop():
    X, labels = stripes(32)
    model, seen = small(), []
    best = nn.KeepBest(patience=2)
    history = nn.fit(
        model, X, labels, nn.SGD(model, 3.0), epochs=50, batch=8,
        rng=np.random.default_rng(0), validation=stripes(40, seed=9),
        callbacks=[best, lambda run: seen.append(run.history[-1])])
    costs = [record["val_cost"] for record in history]
    assert len(history) < 50 and seen == history
    assert len(history) - 1 - int(np.argmin(costs)) == 2
    model.load_state_dict(best.state)
    cost = nn.evaluate(model, *stripes(40, seed=9))["cost"]
    assert np.isclose(cost, min(costs))


def test_the_schedules():
    factor = nn.cosine(warm=0.2)
    rates = [factor(step, 100) for step in range(100)]
    assert rates[20] == 1 and np.argmax(rates) == 20
    assert rates[0] == pytest.approx(1 / 21) and rates[99] < 0.01
    assert np.isclose(rates[60], 0.5)
    steps = nn.stairs(at=(0.5, 0.75), by=0.1)
    assert [steps(s, 8) for s in range(8)] == pytest.approx(
        [1, 1, 1, 1, 0.1, 0.1, 0.01, 0.01])
    assert nn.stairs(at=(0.55,))(55, 100) == pytest.approx(0.1)


def test_the_cycle():
    factor = nn.one_cycle(warm=0.2, start=10, end=100)
    rates = [factor(step, 101) for step in range(101)]
    assert rates[0] == pytest.approx(0.1) and np.argmax(rates) == 19
    assert rates[100] == pytest.approx(0.001)
    assert [nn.one_cycle()(0, 1), nn.one_cycle(0.5)(0, 2)] == pytest.approx(
        [4e-6, 1])          # it ends at once; and where PyTorch divides by 0


def test_variants_and_their_memory_come_back():
    rng = np.random.default_rng(0)

    def step(optimizer, dW):
        optimizer.model.grads = {"W": np.full((2, 2), dW)}
        optimizer.step()

    for make in (lambda model, on: nn.SGD(model, 0.1, 0.9, nesterov=on),
                 lambda model, on: nn.Adam(model, 0.1, beta2=0.1,
                                           amsgrad=on)):
        model = nn.Linear(2, 2, bias=False, rng=rng, dtype=np.float64)
        first = make(model, True)
        step(first, 3.0)
        W, state = model.params["W"], first.state_dict()
        step(first, 0.1)
        ends = [model.params["W"]]
        for variant in True, False:             # the state's own counts
            model.params["W"] = W
            again = make(model, variant)
            again.load_state_dict(state)
            step(again, 0.1)
            ends.append(model.params["W"])
        assert np.array_equal(ends[0], ends[1])
        assert np.array_equal(ends[0], ends[2])
        plain = make(model, False)
        step(plain, 3.0)
        old = plain.state_dict()                # as they were before
        old["settings"] = {key: value for key, value in
                           old["settings"].items()
                           if not isinstance(value, bool)}
        newer = make(model, True)
        newer.load_state_dict(old)
        step(newer, 0.1)
        assert np.isfinite(model.params["W"]).all()


@pytest.mark.parametrize("make, error, words", [
    (lambda model: nn.SGD(model, 0.1, nesterov=True), ValueError, "momentum"),
    (lambda model: nn.SGD(model, 0.1, 0.9, nesterov=1), TypeError,
     "nesterov"),
    (lambda model: nn.Adam(model, amsgrad="yes"), TypeError, "amsgrad")])
def test_switches_are_true_or_false(make, error, words):
    with pytest.raises(error, match=words):
        make(nn.ReLU())


def test_fit_uses_the_schedule_and_puts_the_rate_back():
    X, labels = stripes(32)
    model, between = small(), []
    optimizer = nn.SGD(model, 0.5)
    history = nn.fit(
        model, X, labels, optimizer, epochs=4, batch=16, show=False,
        rng=np.random.default_rng(0), schedule=nn.stairs(), callbacks=[
            lambda run: between.append(run.optimizer.learning_rate)])
    rates = [record["learning_rate"] for record in history]
    assert rates == pytest.approx([0.5, 0.5, 0.05, 0.005])
    assert between == [0.5] * 4 and optimizer.learning_rate == 0.5


def test_an_interrupted_fit_puts_the_rate_back():
    X, labels = stripes(16)
    optimizer = nn.SGD(small(), 0.5)
    with pytest.raises(FloatingPointError):
        nn.fit(optimizer.model, X * np.nan, labels, optimizer, epochs=2,
               rng=np.random.default_rng(0), schedule=nn.one_cycle())
    assert optimizer.learning_rate == 0.5


def test_smoothed_labels_keep_an_accuracy_against_the_class():
    X, labels = stripes()
    soft = 0.9 * one_hot_encode(labels, 2) + 0.05
    model = small()
    history = nn.fit(model, X, soft, nn.Adam(model, 0.01), epochs=12,
                     batch=16, rng=np.random.default_rng(1),
                     validation=(X, labels))
    assert history[-1]["accuracy"] > 90
    by_class, by_row = (nn.evaluate(model, X, y) for y in (labels, soft))
    assert by_class["accuracy"] == by_row["accuracy"]
    assert by_class["cost"] < by_row["cost"]    # it asks to be less sure
    assert history[-1]["val_accuracy"] == by_class["accuracy"]
    regression = nn.evaluate(model, X, soft, nn.mean_squared_error)
    assert sorted(regression) == ["cost"]


def test_augment_sees_each_batch_and_draws_from_the_same_generator():
    X, labels = stripes(20)
    model, seen = small(), []

    def augment(images, rng):
        seen.append((len(images), rng))
        return images + rng.normal(size=images.shape).astype(np.float32)

    rng = np.random.default_rng(0)
    nn.fit(model, X, labels, nn.SGD(model, 0.1), epochs=2, batch=8, rng=rng,
           augment=augment)
    assert [n for n, _ in seen] == [8, 8, 4] * 2
    assert all(used is rng for _, used in seen)


@pytest.mark.parametrize("size", [1, 255])
def test_pixels_that_are_not_scaled_are_warned_about(size, recwarn):
    X, labels = stripes(16)
    model = small()
    nn.fit(model, size * X, labels, nn.SGD(model, 1e-6), epochs=1,
           rng=np.random.default_rng(0))
    nn.outputs(model, size * X)
    warned = [w for w in recwarn if "scale them" in str(w.message)]
    assert [w.filename for w in warned] == [__file__] * (2 * (size == 255))


# ---- a training that is resumed ----

KINDS = {"adam": lambda model: nn.Adam(model, 0.01, weight_decay=0.01),
         "sgd": lambda model: nn.SGD(model, 0.05, momentum=0.9)}


def learning(kind="adam", shared=True, **changes):
    """Train with all that has a state: `fit`, its settings and what it gave.

    With `shared`, the dropout and `fit` draw from one generator.
    """
    model = small()
    rng = model[5].rng if shared else np.random.default_rng(7)
    best = nn.KeepBest(patience=3)
    X, labels = stripes(48)
    settings = dict(
        model=model, X=X, labels=labels, optimizer=KINDS[kind](model),
        epochs=7, batch=10, rng=rng, validation=stripes(40, seed=9),
        schedule=nn.one_cycle(), callbacks=[best],
        augment=lambda X, rng: X + rng.normal(size=X.shape).astype(X.dtype),
    ) | changes
    settings["callbacks"] = [best, *changes.get("callbacks", [])]
    history = nn.fit(**settings)
    return settings, history, best


def same(a, b):
    "Whether two trees hold the same, bit for bit and with equal dtypes."
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a
                                            if k != "seconds")
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and np.array_equal(a, b)
    return type(a) is type(b) and a == b


class PowerCut(Exception):
    pass


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("after", [1, 4, 6])
def test_a_training_goes_on_bit_for_bit(tmp_path, kind, shared, after):
    def keep(run):
        save(tmp_path / "run.safetensors", run.state_dict())
        if len(run.history) == after:
            raise PowerCut

    with pytest.raises(PowerCut):
        learning(kind, shared, callbacks=[keep])
    kept = load(tmp_path / "run.safetensors")
    assert len(kept["history"]) == after
    ends = [learning(kind, shared, resume=resume)
            for resume in (None, kept)]
    (a, history_a, best_a), (b, history_b, best_b) = ends
    assert len(history_a) > after
    assert same(history_a, history_b)
    for part in "model", "optimizer":
        assert same(a[part].state_dict(), b[part].state_dict()), part
    assert same(best_a.state_dict(), best_b.state_dict())
    assert same(a["rng"].bit_generator.state, b["rng"].bit_generator.state)


def test_without_the_memory_of_the_optimizer_it_is_another_training():
    "What the previous test would not notice if `same` said yes to all."
    states = []
    learning(callbacks=[lambda run: states.append(run.state_dict())])
    forgetful = states[3]
    forgetful["parts"]["optimizer"] |= {"t": 0, "state": {}}
    a, b = (learning(resume=resume)[0]["model"].state_dict()
            for resume in (None, forgetful))
    assert not same(a, b)


def test_what_is_kept_does_not_change_afterwards():
    states, copies = [], []

    def keep(run):
        states.append(run.state_dict())
        copies.append(copy.deepcopy(states[-1]))

    learning(callbacks=[keep])
    assert len(states) == 7 and same(states, copies)


def test_what_has_ended_stays_ended():
    states = []
    settings, history, best = learning(
        callbacks=[lambda run: states.append(run.state_dict())])
    before = settings["model"].state_dict()
    more = nn.fit(**settings | {"resume": states[-1], "callbacks": [best]})
    assert same(more, history)                  # 7 epochs are done
    assert same(settings["model"].state_dict(), before)
    stopped = states[2] | {"stop": True}
    again = learning(resume=stopped)[1]
    assert same(again, history[:3])


def test_more_epochs_can_be_asked_for():
    states = []
    learning(schedule=None, epochs=3,
             callbacks=[lambda run: states.append(run.state_dict())])
    a, b = (learning(schedule=None, epochs=6, resume=resume)[1]
            for resume in (None, states[-1]))
    assert len(a) == 6 and same(a, b)


def changed(run, part, **values):
    parts = {**run["parts"], part: {**run["parts"][part], **values}}
    return {**run, "parts": parts}


@pytest.mark.parametrize("words, spoil", [
    ("resume must be a dict", lambda state: [state]),
    ("state must have the key 'history'", lambda state: {
        key: value for key, value in state.items() if key != "history"}),
    ("state must have Adam as its kind", lambda state: changed(
        state, "optimizer", kind="SGD")),
    ("t must be at least 0", lambda state: changed(state, "optimizer", t=-1)),
    ("as its names", lambda state: changed(state, "optimizer", state={})),
    ("as its parts", lambda state: {**state, "parts": {
        k: v for k, v in state["parts"].items() if k != "callback 0"}}),
    ("state must have the keys", lambda state: {**state, "parts": {
        **state["parts"], "model": {}}}),
    ("as its generators", lambda state: {**state, "generators": {
        "fit": state["generators"]["fit"]}})])
def test_the_state_of_another_run_is_refused(words, spoil):
    states = []
    learning(callbacks=[lambda run: states.append(run.state_dict())])
    with pytest.raises((ValueError, TypeError), match=words):
        learning(resume=spoil(states[1]))


def test_generators_must_be_shared_as_they_were():
    states = []
    learning(shared=True,
             callbacks=[lambda run: states.append(run.state_dict())])
    with pytest.raises(ValueError, match="shared generators"):
        learning(shared=False, resume=states[1])


def test_a_memory_of_another_shape_is_refused():
    model = small()
    optimizer = nn.Adam(model, 0.01)
    nn.train_step(model, optimizer, *stripes(8))
    state = optimizer.state_dict()
    state["state"]["7.W"] = {"v": np.zeros((2, 2)), "s": np.zeros((8, 2))}
    with pytest.raises(ValueError, match="7.W.*shape"):
        nn.Adam(small(), 0.01).load_state_dict(state)


def test_keeping_the_best_needs_what_it_looks_at():
    X, labels = stripes(16)
    model = small()
    with pytest.raises(ValueError, match="key must be one of.*validation"):
        nn.fit(model, X, labels, nn.SGD(model, 0.1), epochs=2,
               rng=np.random.default_rng(0), callbacks=[nn.KeepBest()])


def test_the_progress_bar(capsys):
    X, labels = stripes(16)
    model = small()
    for show, expected in (True, "3/3"), (False, ""):
        nn.fit(model, X, labels, nn.SGD(model, 0.1), epochs=3, show=show,
               rng=np.random.default_rng(0))
        err = capsys.readouterr().err
        assert expected in err if expected else err == ""


def test_a_cost_that_is_not_finite_stops_the_training():
    X, labels = stripes(16)
    model = small()
    with pytest.raises(FloatingPointError, match="cost is nan"):
        nn.fit(model, X * np.nan, labels, nn.SGD(model, 0.1), epochs=1,
               rng=np.random.default_rng(0))


def test_the_summary_counts():
    model = small()
    rows = nn.summary(model, (8, 8, 1))
    assert [row.name for row in rows] == [
        "0", "1", "2", "3.main.0", "3.shortcut", "4", "5", "6", "7"]
    sizes = sum(W.size for _, layer in model.walk()
                for W in layer.params.values())
    assert sum(row.parameters for row in rows) == sizes == 398
    assert rows[3].shape == rows[4].shape == (4, 4, 8)
    assert rows[3].multiply_adds == 4 * 4 * 8 * 9 * 4
    assert [row.field for row in rows[:6]] == [3, 3, 3, 5, 3, 5]
    assert "398" in repr(rows) and "all" in repr(rows)


@pytest.mark.parametrize("layers, side", [
    ([("f", 3, 2), ("f", 3, 1)], 7), ([("f", 5, 2), ("t", 4, 2)], None)])
def test_the_receptive_field_is_the_measured_one(layers, side):
    "Change one input and see which outputs move."
    local = np.random.default_rng(0)
    kinds = {"f": nn.Conv2D, "t": nn.ConvTranspose2D}
    model = nn.Sequential(*[kinds[kind](1, 1, f, s, rng=local,
                                        dtype=np.float64)
                            for kind, f, s in layers])
    X = local.normal(size=(1, 24, 24, 1))
    Y = model(X)
    widest = 0
    for j in range(Y.shape[2]):
        dY = np.zeros_like(Y)
        dY[0, Y.shape[1] // 2, j] = 1
        widest = max(widest, np.any(model.backward(dY) != 0, axis=(0, 1, 3)
                                    ).sum())
    field = nn.summary(model, (24, 24, 1))[-1].field
    assert widest == field and side in (None, field)


def test_every_layer_accepts_a_batch_of_no_images():
    A = np.zeros((0, 6, 6, 4), np.float32)
    for layer in [nn.Conv2D(4, 4, groups=2, rng=rng),
                  nn.ConvTranspose2D(4, 4, stride=2, rng=rng),
                  nn.MaxPool2D(), nn.AvgPool2D(), nn.GlobalAvgPool(),
                  nn.ReLU(), nn.LeakyReLU(), nn.Tanh(), nn.BatchNorm2D(4),
                  nn.GroupNorm(4, 2),
                  nn.Dropout(rng=rng), nn.Flatten(), nn.Pad2D(1, 0, 2, 1),
                  nn.Flatten(channels_first=True), nn.Softmax(),
                  nn.GlobalAvgPool(keepdims=True), nn.Residual(nn.ReLU())]:
        Y = layer(A)
        assert len(Y) == 0 and Y.dtype == np.float32
        assert layer.backward(Y).shape == A.shape
    rows = np.zeros((0, 4), np.float32)         # after a Flatten
    for layer in [nn.ReLU(), nn.LeakyReLU(), nn.Tanh(), nn.BatchNorm2D(4),
                  nn.GroupNorm(4, 2),
                  nn.Dropout(rng=rng), nn.Linear(4, 4, rng=rng)]:
        for train in (False, True)[:1 + (type(layer) is nn.Dropout)]:
            assert layer.backward(layer(rows, train)).shape == (0, 4)


def test_inputs_are_never_written_to():
    X = rng.normal(size=(2, 6, 6, 4)).astype(np.float32)
    X.flags.writeable = False
    for layer, train in itertools.product(
            [nn.Conv2D(4, 4, rng=rng), nn.ConvTranspose2D(4, 4, rng=rng),
             nn.MaxPool2D(), nn.ReLU(), nn.LeakyReLU(), nn.Tanh(),
             nn.BatchNorm2D(4), nn.GroupNorm(4, 2), nn.Dropout(rng=rng),
             nn.Flatten(),
             nn.Flatten(channels_first=True), nn.Pad2D(1, 0, 2, 1),
             nn.Softmax(), nn.GlobalAvgPool(keepdims=True),
             nn.Residual(nn.ReLU())], [False, True]):
        Y = layer(X, train)
        Y.flags.writeable = False
        assert layer.backward(Y).dtype == np.float32


@pytest.mark.parametrize("kind, value", [(nn.MaxPool2D, -np.inf),
                                         (nn.AvgPool2D, 0.0)])
def test_a_frame_before_a_pooling(kind, value):
    X = rng.normal(size=(2, 5, 6, 3)) - 5       # the frame would win with 0
    Y = nn.Sequential(nn.Pad2D(1, 2, 0, 1, value), kind(3, 2))(X)
    assert Y.shape == (2, 3, 3, 3)
    for i, j in np.ndindex(3, 3):
        rows = slice(max(0, 2 * i - 1), 2 * i + 2)
        part = X[:, rows, 2 * j:2 * j + 3]
        right = part.max((1, 2)) if value else part.sum((1, 2)) / 9
        assert np.allclose(Y[:, i, j], right)


def test_flatten_in_the_order_of_pytorch():
    X = np.arange(24.0).reshape(1, 2, 3, 4)
    layer = nn.Flatten(channels_first=True)
    assert list(layer(X)[0, :6]) == [0, 4, 8, 12, 16, 20]
    assert np.array_equal(layer.backward(layer(X)), X)
    assert layer(np.ones((2, 3))).shape == (2, 3)


def test_softmax_of_images_is_of_each_pixel():
    X = rng.normal(size=(2, 3, 4, 5))
    A = nn.Softmax()(X)
    assert np.allclose(A.sum(-1), 1)
    assert np.allclose(A[1, 2, 3], np.exp(X[1, 2, 3]) / np.exp(X[1, 2, 3]).sum())
