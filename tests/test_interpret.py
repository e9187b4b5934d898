"""What a network sees: against PyTorch, against brute force, against what
mathematics says. The tests with PyTorch are skipped without it."""
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import convolve2d

from cnnbook import interpret, nn
from cnnbook.backprop import check_gradient
from cnnbook.conv_layer import receptive_field
from cnnbook.lab import cross_entropy, one_hot_encode

DTYPES = pytest.mark.parametrize("dtype", [np.float64, np.float32])
TOL = {np.float64: dict(rtol=1e-9, atol=1e-11),
       np.float32: dict(rtol=1e-3, atol=1e-4)}


def network(seed, dtype=np.float64, classes=4):
    "A small network with a layer of nearly every kind, maps up to layer 8."
    rng = np.random.default_rng(seed)
    kind = dict(rng=rng, dtype=dtype)
    block = nn.Residual(nn.Sequential(nn.Conv2D(6, 6, pad=1, **kind),
                                      nn.BatchNorm2D(6, dtype=dtype)))
    model = nn.Sequential(
        nn.Conv2D(2, 6, 3, stride=int(rng.integers(1, 3)), pad=1, **kind),
        nn.ReLU(), nn.MaxPool2D(2), block, nn.LeakyReLU(0.1),
        nn.Conv2D(6, 6, 2, dilation=2, groups=2, pad=1, **kind),
        nn.BatchNorm2D(6, dtype=dtype), nn.Tanh(), nn.AvgPool2D(2, 1),
        nn.GlobalAvgPool() if seed % 2 else nn.Flatten())
    side = model.forward(np.zeros((1, 14, 14, 2), dtype)).shape[1]
    tail = nn.Linear(side, classes, **kind)
    model = nn.Sequential(*model.layers.values(), nn.Dropout(0.5, rng=rng),
                          tail)
    for _, layer in model.walk():       # statistics that change something
        for key, value in {**layer.params, **layer.buffers}.items():
            kept = layer.params if key in layer.params else layer.buffers
            noise = 0.1 * rng.standard_normal(value.shape)
            kept[key] = (value + np.abs(noise)).astype(dtype)
    return model


def images(seed, dtype=np.float64, m=3):
    rng = np.random.default_rng(100 + seed)
    X = rng.random((m, 14, 14, 2)).astype(dtype)
    return X, rng.integers(0, 4, m)


# ---- gradients ----

@pytest.mark.parametrize("seed", range(4))
def test_the_gradient_of_the_score_is_the_numeric_one(seed):
    model, (X, labels) = network(seed), images(seed, m=1)
    check_gradient(lambda X: model.forward(X)[0, labels[0]], X,
                   interpret.score_gradient(model, X, labels))


@pytest.mark.parametrize("seed", range(3))
def test_the_gradient_of_the_loss_is_the_numeric_one(seed):
    model, (X, labels) = network(seed), images(seed, m=1)
    Y = one_hot_encode(labels, 4)
    check_gradient(lambda X: cross_entropy(model.forward(X), Y), X,
                   interpret.loss_gradient(model, X, labels))

    def margin(X):
        Z = model.forward(X)[0]
        return np.delete(Z, labels[0]).max() - Z[labels[0]]
    check_gradient(margin, X,
                   interpret.loss_gradient(model, X, labels, "margin"))


@pytest.mark.parametrize("seed", range(3))
def test_the_images_of_a_batch_do_not_mix(seed):
    model, (X, labels) = network(seed), images(seed)
    for f in (interpret.score_gradient, interpret.loss_gradient,
              interpret.saliency,
              lambda *args: interpret.grad_cam(*args, layer=8),
              lambda *args: interpret.occlusion(*args, size=5, stride=4)):
        together = f(model, X, labels)
        alone = [f(model, X[i:i + 1], labels[i:i + 1])[0] for i in range(3)]
        np.testing.assert_allclose(together, alone, rtol=1e-9, atol=1e-12)


@DTYPES
def test_dtypes_are_kept_and_nothing_is_written(dtype):
    model, (X, labels) = network(1, dtype), images(1, dtype)
    X.flags.writeable = False
    state = {key: value.copy() for key, value in model.state_dict().items()}
    results = [interpret.saliency(model, X, labels),
               interpret.occlusion(model, X, labels, 3),
               interpret.grad_cam(model, X, labels, 8),
               interpret.upsample(interpret.grad_cam(model, X, labels, 8),
                                  (14, 14)),
               interpret.fgsm(model, X, labels, 0.1),
               interpret.pgd(model, X, labels, 0.1, steps=3),
               interpret.top_patches(model, X, 5, 0, 2).pixels,
               interpret.effective_receptive_field(model, X, 5)]
    interpret.shuffled(model, [0, 3], np.random.default_rng(0))
    assert {r.dtype for r in results} == {np.dtype(dtype)}
    for key, value in model.state_dict().items():
        assert np.array_equal(value, state[key])


# ---- against PyTorch ----

def to_torch(torch, layer):
    "The same layer in PyTorch, in evaluation mode, channels first."
    T = torch.nn
    if isinstance(layer, nn.Sequential):
        return T.Sequential(*(to_torch(torch, inner)
                              for inner in layer.layers.values()))
    if isinstance(layer, nn.Residual):
        main = to_torch(torch, layer.layers["main"])

        class Block(T.Module):
            def __init__(self):
                super().__init__()
                self.main = main

            def forward(self, x):
                return self.main(x) + x
        return Block().eval()
    if isinstance(layer, nn.Conv2D):
        s, p, d = layer.hparameters.values()
        twin = T.Conv2d(layer.n_C_prev, layer.n_C, layer.f, s, p, d,
                        layer.groups)
        weights = {"weight": layer.params["W"].transpose(3, 2, 0, 1),
                   "bias": layer.params["b"].ravel()}
    elif isinstance(layer, nn.Linear):
        twin = T.Linear(*layer.params["W"].shape)
        weights = {"weight": layer.params["W"].T,
                   "bias": layer.params["b"].ravel()}
    elif isinstance(layer, nn.BatchNorm2D):
        twin = T.BatchNorm2d(len(layer.params["gamma"]), layer.epsilon)
        weights = {"weight": layer.params["gamma"],
                   "bias": layer.params["beta"],
                   "running_mean": layer.buffers["mean"],
                   "running_var": layer.buffers["var"]}
    else:
        return {nn.ReLU: T.ReLU, nn.Tanh: T.Tanh, nn.Dropout: T.Identity,
                nn.LeakyReLU: lambda: T.LeakyReLU(0.1),
                nn.MaxPool2D: lambda: T.MaxPool2d(2),
                nn.AvgPool2D: lambda: T.AvgPool2d(2, 1),
                nn.GlobalAvgPool: lambda: T.Sequential(
                    T.AdaptiveAvgPool2d(1), T.Flatten())}[type(layer)]()
    tensors = {key: torch.tensor(np.ascontiguousarray(value))
               for key, value in weights.items()}
    twin.to(next(iter(tensors.values())).dtype)
    twin.load_state_dict(tensors, strict=False)
    return twin.eval()


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip(
        "torch", reason="the optional extra 'torch' is not installed")


def both(torch, seed, dtype):
    "Images, labels, our network and the same in PyTorch."
    model, (X, labels) = network(2 * seed + 1, dtype), images(seed, dtype)
    x = torch.tensor(X.transpose(0, 3, 1, 2).copy(), requires_grad=True)
    return model, to_torch(torch, model), X, x, labels


def nhwc(t):
    return t.detach().numpy().transpose(0, 2, 3, 1)


@DTYPES
@pytest.mark.parametrize("seed", range(5))
def test_saliency_is_that_of_autograd(torch, seed, dtype):
    model, twin, X, x, labels = both(torch, seed, dtype)
    scores = twin(x)
    np.testing.assert_allclose(model.forward(X), scores.detach().numpy(),
                               **TOL[dtype])
    scores[range(3), labels.tolist()].sum().backward()
    np.testing.assert_allclose(interpret.score_gradient(model, X, labels),
                               nhwc(x.grad), **TOL[dtype])
    np.testing.assert_allclose(interpret.saliency(model, X, labels),
                               x.grad.abs().amax(1).numpy(), **TOL[dtype])


@DTYPES
@pytest.mark.parametrize("layer", [1, 4, 8])
@pytest.mark.parametrize("seed", range(5))
def test_grad_cam_is_that_of_hooks_in_pytorch(torch, seed, layer, dtype):
    model, twin, X, x, labels = both(torch, seed, dtype)
    kept = {}
    twin[layer].register_forward_hook(
        lambda module, args, out: kept.update(A=out) or out.retain_grad())
    twin(x)[range(3), labels.tolist()].sum().backward()
    weights = kept["A"].grad.mean(dim=(2, 3), keepdim=True)
    expected = torch.relu((weights * kept["A"]).sum(dim=1))
    L = interpret.grad_cam(model, X, labels, layer)
    np.testing.assert_allclose(L, expected.detach().numpy(), **TOL[dtype])
    large = torch.nn.functional.interpolate(
        expected[:, None], size=(14, 14), mode="bilinear",
        align_corners=False)[:, 0]
    np.testing.assert_allclose(interpret.upsample(L, (14, 14)),
                               large.detach().numpy(), **TOL[dtype])


@pytest.mark.parametrize("size, shape", [
    ((1, 1), (5, 4)), ((2, 3), (7, 6)), ((5, 4), (5, 4)), ((3, 7), (11, 20)),
    ((6, 6), (3, 4)), ((1, 4), (3, 1))])
def test_upsample_is_bilinear(torch, size, shape):
    maps = np.random.default_rng(0).normal(size=(2, *size))
    expected = torch.nn.functional.interpolate(
        torch.tensor(maps)[:, None], size=shape, mode="bilinear",
        align_corners=False)[:, 0].numpy()
    np.testing.assert_allclose(interpret.upsample(maps, shape), expected,
                               atol=1e-12)


@pytest.mark.parametrize("loss", interpret.ATTACK_LOSSES)
@pytest.mark.parametrize("seed", range(3))
def test_attacks_are_those_written_with_autograd(torch, seed, loss):
    model, twin, X, x, labels = both(torch, seed, np.float64)
    eps, steps, y = 0.03, 4, torch.tensor(labels)

    def gradient(a):
        a = a.detach().requires_grad_()
        Z = twin(a)
        if loss == "margin":
            right = torch.nn.functional.one_hot(y, 4).bool()
            cost = Z.masked_fill(right, -torch.inf).amax(1) - Z[right]
        else:
            cost = torch.nn.functional.cross_entropy(Z, y, reduction="none")
        return torch.autograd.grad(cost.sum(), a)[0]
    np.testing.assert_allclose(
        interpret.loss_gradient(model, X, labels, loss), nhwc(gradient(x)),
        **TOL[np.float64])
    expected = (x + eps * gradient(x).sign()).clamp(0, 1)
    np.testing.assert_allclose(interpret.fgsm(model, X, labels, eps, loss),
                               nhwc(expected), atol=1e-12)
    a = x
    for _ in range(steps):
        a = a + 2.5 * eps / steps * gradient(a).sign()
        a = torch.minimum(torch.maximum(a, x - eps), x + eps).clamp(0, 1)
    np.testing.assert_allclose(
        interpret.pgd(model, X, labels, eps, steps, loss), nhwc(a),
        atol=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_the_effective_field_is_that_of_autograd(torch, seed):
    model, twin, X, x, _ = both(torch, seed, np.float64)
    maps = twin[:6](x)
    maps[:, 4, maps.shape[2] // 2, maps.shape[3] // 2].sum().backward()
    np.testing.assert_allclose(
        interpret.effective_receptive_field(model, X, 5, channel=4),
        x.grad.abs().sum(1).mean(0).numpy(), atol=1e-12)


# ---- occlusion ----

@settings(max_examples=25, deadline=None)
@given(st.integers(1, 6), st.integers(1, 4), st.integers(0, 9))
def test_occlusion_is_its_definition(size, stride, seed):
    rng = np.random.default_rng(seed)
    X, labels = rng.random((2, 6, 7, 2)), [1, 0]
    model = nn.Sequential(
        nn.Conv2D(2, 3, 2, rng=rng, dtype=np.float64), nn.ReLU(),
        nn.Flatten(), nn.Linear(90, 2, rng=rng, dtype=np.float64))
    got = interpret.occlusion(model, X, labels, size, stride, value=0.3)
    for i, label in enumerate(labels):
        for row, col in np.ndindex(6, 7):
            falls = []
            for top, left in itertools.product(
                    range(0, 6 - size + 1, stride),
                    range(0, 7 - size + 1, stride)):
                if (top <= row < top + size and left <= col < left + size):
                    A = X[i:i + 1].copy()
                    A[:, top:top + size, left:left + size] = 0.3
                    falls.append(model.forward(X)[i, label]
                                 - model.forward(A)[0, label])
            expected = np.mean(falls) if falls else 0
            assert np.isclose(got[i, row, col], expected, atol=1e-12)


def test_occlusion_of_a_linear_model_is_gradient_times_input():
    rng = np.random.default_rng(0)
    model = nn.Sequential(
        nn.Conv2D(2, 3, 3, pad=1, rng=rng, dtype=np.float64), nn.Flatten(),
        nn.Linear(75, 4, rng=rng, dtype=np.float64))
    X, labels = rng.normal(size=(3, 5, 5, 2)), [0, 3, 3]
    G = interpret.score_gradient(model, X, labels)
    np.testing.assert_allclose(
        interpret.occlusion(model, X, labels, 1, value=0),
        (G * X).sum(axis=3), atol=1e-12)


def test_covering_with_the_mean_leaves_a_flat_image_as_it_was():
    model, (X, labels) = network(1), images(1)
    flat = np.broadcast_to(X[:, :1, :1], X.shape).copy()
    np.testing.assert_allclose(
        interpret.occlusion(model, flat, labels, 4, 5), 0, atol=1e-12)


# ---- Grad-CAM ----

@pytest.mark.parametrize("seed", range(3))
def test_the_map_before_relu_adds_up_to_the_score(seed):
    rng = np.random.default_rng(seed)
    model = nn.Sequential(
        nn.Conv2D(2, 5, pad=1, rng=rng, dtype=np.float64), nn.ReLU(),
        nn.GlobalAvgPool(), nn.Linear(5, 4, rng=rng, dtype=np.float64))
    model[3].params["W"] = np.abs(model[3].params["W"])     # nothing is cut
    X, labels = images(seed)
    np.testing.assert_allclose(
        interpret.grad_cam(model, X, labels, 1).sum(axis=(1, 2)),
        model.forward(X)[range(3), labels], rtol=1e-10)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 20),
       st.integers(1, 20), st.floats(-5, 5))
def test_upsample_keeps_constants_bounds_and_symmetry(h, w, n_H, n_W, c):
    maps = np.random.default_rng(h * w).normal(size=(2, h, w))
    large = interpret.upsample(maps, (n_H, n_W))
    assert large.shape == (2, n_H, n_W)
    assert maps.min() - 1e-12 <= large.min()
    assert large.max() <= maps.max() + 1e-12
    flat = interpret.upsample(np.full((1, h, w), c), (n_H, n_W))
    np.testing.assert_allclose(flat, c, atol=1e-12)
    mirrored = interpret.upsample(maps[:, ::-1, ::-1], (n_H, n_W))
    np.testing.assert_allclose(mirrored, large[:, ::-1, ::-1], atol=1e-12)
    np.testing.assert_allclose(interpret.upsample(maps, (h, w)), maps,
                               atol=1e-12)


# ---- receptive fields ----

def stacks(count):
    rng = np.random.default_rng(3)
    for _ in range(count):
        yield [{"f": int(rng.integers(1, 4)),
                "stride": int(rng.integers(1, 3)),
                "pad": int(rng.integers(0, 3)),
                "dilation": int(rng.integers(1, 3))} for _ in range(3)]


def positive(model):
    "The same model with positive weights: no influence cancels."
    for _, layer in model.walk():
        for key, value in layer.params.items():
            layer.params[key] = np.abs(value) + 0.1
    return model


@pytest.mark.parametrize("layers", list(stacks(20)), ids=str)
def test_the_field_of_a_stack_is_the_formula_and_brute_force(layers):
    rng = np.random.default_rng(0)
    model = positive(nn.Sequential(*itertools.chain(*(
        (nn.Conv2D(1, 1, rng=rng, dtype=np.float64, **layer), nn.ReLU())
        for layer in layers))))
    field = interpret.layer_field(model, 5)
    assert field == receptive_field(layers)[-1]
    n = 2 * field.size + 9
    X = rng.random((1, n, n, 1))
    center = interpret.activations(model, X)[5].shape[1] // 2
    M = interpret.effective_receptive_field(model, X, 5)
    seen = np.flatnonzero(M.sum(axis=0) > 1e-12 * M.sum())
    first = field.start + center * field.jump
    assert first >= 0 and first + field.size <= n
    assert (seen[0], seen[-1]) == (first, first + field.size - 1)


@pytest.mark.parametrize("shortcut, expected", [
    (None, (8, 2, -2)), (1, (8, 2, -2)), (7, (16, 2, -6))])
def test_the_field_of_a_residual_block_spans_both_ways(shortcut, expected):
    rng = np.random.default_rng(0)
    kind = dict(rng=rng, dtype=np.float64)
    main = nn.Sequential(nn.Conv2D(1, 1, 3, pad=1, **kind), nn.ReLU(),
                         nn.BatchNorm2D(1, dtype=np.float64))
    way = shortcut and nn.Conv2D(1, 1, shortcut, pad=shortcut // 2, **kind)
    model = positive(nn.Sequential(
        nn.Conv2D(1, 1, 3, **kind), nn.MaxPool2D(2),
        nn.Conv2D(1, 1, 1, **kind), nn.Residual(main, way)))
    field = interpret.layer_field(model, 3)
    assert field == expected
    X = rng.random((1, 40, 40, 1))
    center = interpret.activations(model, X)[3].shape[1] // 2
    M = sum(interpret.effective_receptive_field(model, rng.random(X.shape),
                                                3) for _ in range(30))
    seen = np.flatnonzero(M.sum(axis=0) > 0)
    first = field.start + center * field.jump
    assert (seen[0], seen[-1]) == (first, first + field.size - 1)


def test_what_enlarges_or_sees_all_has_no_field():
    rng = np.random.default_rng(0)
    for layer in (nn.GlobalAvgPool(), nn.Flatten(),
                  nn.ConvTranspose2D(1, 1, 2, stride=2, rng=rng)):
        model = nn.Sequential(nn.Conv2D(1, 1, rng=rng), layer)
        assert interpret.layer_field(model, 0) == (3, 1, 0)
        with pytest.raises(ValueError, match=type(layer).__name__):
            interpret.layer_field(model, 1)


@pytest.mark.parametrize("seed", range(5))
def test_the_patches_are_the_windows_of_the_largest_activations(seed):
    model, (X, _) = network(seed), images(seed, m=6)
    layer, channel = 5, seed % 6
    found = interpret.top_patches(model, X, layer, channel, count=4)
    A = interpret.activations(model, X)[layer][..., channel]
    best = np.sort(A.max(axis=(1, 2)))[::-1][:4]
    np.testing.assert_array_equal(found.activations, best)
    assert len(set(found.places[:, 0])) == 4        # one per image
    size, jump, start = interpret.layer_field(model, layer)
    assert found.pixels.shape == (4, size, size, 2)
    for patch, value, (i, row, col) in zip(*found):
        assert A[i, row, col] == value
        for u, v in np.ndindex(size, size):
            r, c = start + row * jump + u, start + col * jump + v
            inside = 0 <= r < 14 and 0 <= c < 14
            assert np.array_equal(patch[u, v], X[i, r, c] if inside
                                  else [0, 0])


@pytest.mark.parametrize("sizes", [(3,), (3, 3), (2, 5, 3), (4, 1, 2)])
def test_the_effective_field_of_a_linear_stack_is_its_kernel(sizes):
    rng = np.random.default_rng(0)
    model = nn.Sequential(*(nn.Conv2D(1, 1, f, rng=rng, dtype=np.float64)
                            for f in sizes))
    side = sum(sizes) - len(sizes) + 1
    kernel = np.ones((1, 1))
    for layer in model.layers.values():
        kernel = convolve2d(kernel, layer.params["W"][:, :, 0, 0])
    np.testing.assert_allclose(
        interpret.effective_receptive_field(
            model, rng.random((2, side, side, 1)), len(sizes) - 1),
        np.abs(kernel), atol=1e-12)


def test_the_squared_gradient_of_random_networks_spreads_as_the_theory():
    layers = [dict(f=3), dict(f=3, stride=2), dict(f=5), dict(f=3, dilation=2)]
    fields = receptive_field(layers)
    jumps = [1] + [field.jump for field in fields[:-1]]
    variance = sum((layer.get("dilation", 1) * jump) ** 2
                   * (layer["f"] ** 2 - 1) / 12
                   for layer, jump in zip(layers, jumps))
    n, total = fields[-1].size, 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        model = nn.Sequential(*(
            nn.Conv2D(8 if k else 1, 8 if k < 3 else 1, rng=rng,
                      dtype=np.float64, **layer)
            for k, layer in enumerate(layers)))
        total = total + interpret.effective_receptive_field(
            model, np.zeros((1, n, n, 1)), 3) ** 2
    p = total.sum(axis=0) / total.sum()
    k = np.arange(n)
    measured = np.sum(p * (k - np.sum(p * k)) ** 2)
    assert abs(measured / variance - 1) < 0.1


# ---- attacks ----

@settings(max_examples=30, deadline=None)
@given(st.integers(0, 5), st.floats(0, 0.5), st.integers(1, 7),
       st.sampled_from(interpret.ATTACK_LOSSES))
def test_attacks_stay_within_epsilon_and_in_the_image(seed, eps, steps, loss):
    model, (X, labels) = network(seed, np.float32), images(seed, np.float32)
    for A in (interpret.fgsm(model, X, labels, eps, loss),
              interpret.pgd(model, X, labels, eps, steps, loss)):
        assert A.shape == X.shape and A.dtype == X.dtype
        assert 0 <= A.min() and A.max() <= 1
        assert np.abs(A - X).max() <= eps + 1e-6
    assert np.array_equal(interpret.fgsm(model, X, labels, 0), X)


def test_on_a_linear_model_no_corner_of_the_cube_beats_fgsm():
    rng = np.random.default_rng(0)
    model = nn.Sequential(nn.Flatten(),
                          nn.Linear(6, 2, rng=rng, dtype=np.float64))
    X, eps = rng.uniform(0.3, 0.7, (1, 2, 3, 1)), 0.1

    def margin(A):
        Z = model.forward(A)[0]
        return Z[0] - Z[1]
    corners = [margin(X + eps * np.reshape(signs, X.shape))
               for signs in itertools.product((-1, 1), repeat=6)]
    for loss in interpret.ATTACK_LOSSES:
        A = interpret.fgsm(model, X, [1], eps, loss)
        assert np.isclose(margin(A), max(corners))


def test_more_steps_raise_the_loss_at_least_as_much_on_average():
    gains = []
    for seed in range(6):
        model, (X, labels) = network(seed), images(seed, m=8)
        Y = one_hot_encode(labels, 4)
        one, ten = (cross_entropy(model.forward(A), Y) for A in (
            interpret.fgsm(model, X, labels, 0.2),
            interpret.pgd(model, X, labels, 0.2, steps=20)))
        gains.append(ten - one)
    assert np.mean(gains) > 0


# ---- shuffling ----

def test_shuffling_keeps_the_numbers_and_the_other_layers():
    model = network(0)
    other = interpret.shuffled(model, [3, 11], np.random.default_rng(0))
    old, new = model.state_dict(), other.state_dict()
    moved = {key for key in old if not np.array_equal(old[key], new[key])}
    assert {"3.main.0.W", "11.W"} <= moved
    assert all(key.startswith(("3.", "11.")) for key in moved)
    assert not any(key.endswith(("mean", "var")) for key in moved)
    for key in old:
        assert old[key].dtype == new[key].dtype
        assert np.array_equal(np.sort(old[key], axis=None),
                              np.sort(new[key], axis=None))
