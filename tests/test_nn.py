"""The layers that compose: against PyTorch (values, gradients, running
statistics, optimizer steps), the adjoint test, and what `fit` promises."""
import itertools

import numpy as np
import pytest

from cnnbook import nn

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
    X = image(case)[:1, :5, :5]
    f, stride, pad, dilation, groups = case
    if kind is nn.ConvTranspose2D and dilation * (f - 1) + 1 <= 2 * pad:
        pad = 0                                 # nothing would be left
    layer = kind(4, 4, f, stride, pad, dilation, groups, rng=rng,
                 dtype=np.float64)
    if kind is nn.Conv2D and min(X.shape[1:3]) + 2 * pad < layer.window()[0]:
        pytest.skip("the kernel does not fit in the smaller image")
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


def test_fit_uses_the_schedule_and_puts_the_rate_back():
    X, labels = stripes(32)
    model, rates = small(), []
    optimizer = nn.SGD(model, 0.5)
    nn.fit(model, X, labels, optimizer, epochs=4, batch=16, show=False,
           rng=np.random.default_rng(0), schedule=nn.stairs(),
           callbacks=[lambda run: rates.append(run.optimizer.learning_rate)])
    assert rates == pytest.approx([0.5, 0.5, 0.05, 0.005])
    assert optimizer.learning_rate == 0.5


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
    rows = nn.layer_table(model, (8, 8, 1))
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
    field = nn.layer_table(model, (24, 24, 1))[-1].field
    assert widest == field and side in (None, field)


def test_every_layer_accepts_a_batch_of_no_images():
    A = np.zeros((0, 6, 6, 4), np.float32)
    for layer in [nn.Conv2D(4, 4, groups=2, rng=rng),
                  nn.ConvTranspose2D(4, 4, stride=2, rng=rng),
                  nn.MaxPool2D(), nn.AvgPool2D(), nn.GlobalAvgPool(),
                  nn.ReLU(), nn.LeakyReLU(), nn.Tanh(), nn.BatchNorm2D(4),
                  nn.Dropout(rng=rng), nn.Flatten(),
                  nn.Residual(nn.ReLU())]:
        Y = layer(A)
        assert len(Y) == 0 and Y.dtype == np.float32
        assert layer.backward(Y).shape == A.shape
    rows = np.zeros((0, 4), np.float32)         # after a Flatten
    for layer in [nn.ReLU(), nn.LeakyReLU(), nn.Tanh(), nn.BatchNorm2D(4),
                  nn.Dropout(rng=rng), nn.Linear(4, 4, rng=rng)]:
        for train in (False, True)[:1 + (type(layer) is nn.Dropout)]:
            assert layer.backward(layer(rows, train)).shape == (0, 4)


def test_inputs_are_never_written_to():
    X = rng.normal(size=(2, 6, 6, 4)).astype(np.float32)
    X.flags.writeable = False
    for layer, train in itertools.product(
            [nn.Conv2D(4, 4, rng=rng), nn.ConvTranspose2D(4, 4, rng=rng),
             nn.MaxPool2D(), nn.ReLU(), nn.LeakyReLU(), nn.Tanh(),
             nn.BatchNorm2D(4), nn.Dropout(rng=rng), nn.Flatten(),
             nn.Residual(nn.ReLU())], [False, True]):
        Y = layer(X, train)
        Y.flags.writeable = False
        assert layer.backward(Y).dtype == np.float32
