"""What `from_torch` and `to_torch` take and refuse: numbers agree, or an error
comes before any number does; and schedules, step by step as PyTorch's."""
import inspect
from fractions import Fraction

import numpy as np
import pytest

from cnnbook import nn
from cnnbook.press.resources import is_installed

torch = pytest.importorskip(
    "torch", reason="the optional extra 'torch' is not installed")

from torch.nn.utils import parametrizations, prune

from cnnbook.interop.pytorch import (ScaledTanh, TorchFlatten,
                                     TorchGlobalAvgPool, TorchResidual,
                                     from_torch, gradients_from_torch,
                                     to_torch)
from cnnbook.interop.weights import load_weights

T = torch.nn
BIAS_OF_NORM = "bias" in inspect.signature(T.BatchNorm2d).parameters


class Draw:
    "Choices at random: one of some, or often the first."
    def __init__(self, rng):
        self.rng = rng

    def __call__(self, *options):
        return options[self.rng.integers(len(options))]

    def often(self, usual, *rare):
        return usual if self.rng.random() < 0.8 else self(*rare)


def drawn_conv(r, n):
    groups = r.often(1, n)
    padding = r.often(r(0, 1), (0, 0), (1, 1), (1, 2), (2, 0), "same",
                      "valid")
    return T.Conv2d(
        n, n * r(1, 2), r.often(r(1, 2, 3), (2, 2), (3, 3), (1, 3)),
        1 if padding == "same" else r.often(1, 2, (2, 2), (1, 2)), padding,
        r.often(1, 2, (1, 1), (2, 2), (1, 2)), groups, r(True, False),
        r.often("zeros", "reflect", "circular", "replicate"))


def drawn_transposed(r, n):
    return T.ConvTranspose2d(
        n, n * r(1, 2), r.often(r(1, 2, 3), (2, 2), (1, 3)),
        r(1, 2, (2, 2), 3), r.often(r(0, 1), (1, 1), (0, 1)),
        r.often(0, 1, (0, 0), (1, 1), (0, 1), 2), r.often(1, n),
        r(True, False), r.often(1, 2, (1, 1), (1, 2)))


def drawn_pooling(r, n):
    f, stride = r.often(r(2, 3), (2, 2), [3, 3], (1, 2)), r.often(
        None, 1, 2, (2, 2), (1, 2))
    padding = r.often(r(0, 1), (1, 1), (1, 0), (0, 0))
    if r(True, False):
        return T.MaxPool2d(f, stride, padding, r.often(1, (1, 1), 2),
                           return_indices=r.often(False, True),
                           ceil_mode=r.often(False, True))
    return T.AvgPool2d(f, stride, padding, r.often(False, True),
                       r(True, False), r.often(None, 4, 9, 3))


def drawn_norm(r, n):
    if r.often(False, True):
        return T.GroupNorm(r(1, n), n, r(1e-5, 0.1), r.often(True, False))
    kind = r.often(T.BatchNorm2d, T.BatchNorm1d)
    more = {"bias": r.often(True, False)} if BIAS_OF_NORM else {}
    return kind(n, r(1e-5, 0.1), r.often(r(0.1, 0.5), None, 1.0),
                r.often(True, False), r.often(True, False), **more)


def drawn_plain(r, n):
    return r(lambda: T.ReLU(r(True, False)), T.Tanh, T.Identity,
             lambda: T.LeakyReLU(r(0.01, 0.2, 1.5, -0.5), r(True, False)),
             lambda: ScaledTanh(1.7, r(0.6, -1)),
             lambda: T.Dropout(r.often(0.5, 1.0), r(True, False)),
             lambda: T.Softmax(r.often(1, 0, 2, 3, -1)))()


def drawn_ending(r, n):
    return r(lambda: T.Linear(n, r(2, 3, n), r(True, False)),
             lambda: T.Flatten(r.often(1, 0, 2), r.often(-1, 2, 3)),
             TorchFlatten, TorchGlobalAvgPool,
             lambda: T.AdaptiveAvgPool2d(r.often(1, (1, 1), 2, (1, None))),
             lambda: T.ConstantPad2d(r(1, (0, 2, 1, 0), (0, -1, 1, 0)),
                                     r(0.0, -2.0, -np.inf)),
             lambda: T.ZeroPad2d(r(1, (1, 2))))()


def drawn_other(r, n):
    return r(T.GELU, T.Sigmoid, T.Softmax2d, T.Dropout2d, T.AlphaDropout,
             lambda: T.LPPool2d(2, 2), lambda: T.InstanceNorm2d(n),
             lambda: T.ReflectionPad2d(1))()


def drawn_sum(r, n):
    def branch():
        return r(lambda: T.Conv2d(n, n, 3, padding=1), drawn_square,
                 lambda: T.Linear(n, n), T.Flatten,
                 lambda: T.BatchNorm1d(n), lambda: T.AdaptiveAvgPool2d(1))

    def drawn_square():
        return r(T.ReLU(r(True, False)), T.Dropout(0.5, r(True, False)),
                 T.Identity(), T.MaxPool2d(3, 1, 1), T.BatchNorm2d(n))
    main = T.Sequential(*(branch()() for _ in range(r(1, 2, 3))))
    return TorchResidual(main, r(None, branch()()))


DRAWN = (drawn_conv, drawn_transposed, drawn_pooling, drawn_norm, drawn_plain,
         drawn_plain, drawn_ending, drawn_ending, drawn_sum)


def filled_at_random(module, rng, dtype):
    for tensor in module.parameters():
        tensor.data = torch.tensor(rng.uniform(-0.8, 0.8, tensor.shape))
    for tensor in module.buffers():
        if tensor.is_floating_point():
            tensor.data = torch.tensor(rng.uniform(0.5, 1.5, tensor.shape))
    return module.to(dtype).eval()


def drawn_net(rng, dtype):
    "Modules that PyTorch runs one after another, and images for them."
    r = Draw(rng)
    shape = 2, r(2, 3), r(5, 6, 7), r(5, 6, 8)
    x = y = torch.tensor(rng.normal(size=shape)).to(dtype)
    net = T.Sequential()
    for _ in range(r(1, 2, 4, 6)):
        make = drawn_other if rng.random() < 0.05 else r(*DRAWN)
        try:
            with torch.no_grad():
                module = filled_at_random(make(r, y.shape[r.often(1, -1)]),
                                          rng, dtype)
                z = module(y.clone())
        except (RuntimeError, ValueError, IndexError):
            continue                            # PyTorch does not run it
        if isinstance(z, torch.Tensor) and z.numel() == 0:
            continue
        net.append(module)
        if not isinstance(z, torch.Tensor) or z.ndim < 2:
            break
        y = z
    return net, x


def channels_last(tensor):
    return np.moveaxis(tensor.detach().numpy(), 1, -1)


TOL = {torch.float64: dict(rtol=1e-9, atol=1e-10),
       torch.float32: dict(rtol=1e-3, atol=1e-3),
       torch.float16: dict(rtol=0.05, atol=0.05)}


@pytest.mark.parametrize("dtype", TOL, ids=str)
@pytest.mark.parametrize("block", range(4))
def test_random_nets_agree_or_are_refused(block, dtype):
    agreed = refused = 0
    for seed in range(250 * block, 250 * block + 250):
        net, x = drawn_net(np.random.default_rng(seed), dtype)
        try:
            model = from_torch(net, n_C=x.shape[1])
        except (TypeError, ValueError):
            refused += 1
            continue
        agreed += 1
        with torch.no_grad():
            z = channels_last(net(x.clone()))
            again = channels_last(to_torch(model, x.shape[1])(x.clone()))
        Z = model(channels_last(x))
        np.testing.assert_allclose(Z, z, err_msg=f"{seed}: {net}",
                                   **TOL[dtype])
        np.testing.assert_allclose(again, z, err_msg=f"{seed}: {net}",
                                   **TOL[dtype])
    assert agreed > 60 and refused > 60


@pytest.mark.parametrize("block", range(4))
def test_random_nets_learn_alike(block):
    learned = 0
    for seed in range(250 * block, 250 * block + 250):
        rng = np.random.default_rng(seed)
        net, x = drawn_net(rng, torch.float64)
        try:
            model = from_torch(net, n_C=x.shape[1])
            x.requires_grad_()
            z = net.train()(x * 1)
            dz = torch.tensor(rng.normal(size=z.shape))
            z.backward(dz)
        except (TypeError, ValueError):
            continue                            # refused, here or there
        except RuntimeError as error:
            assert "in" in str(error) and "place" in str(error)
            continue
        if any(isinstance(m, T.Dropout) for m in net.modules()):
            continue
        learned += 1
        Z = model(channels_last(x), train=True)
        dX = model.backward(channels_last(dz))
        np.testing.assert_allclose(Z, channels_last(z), atol=1e-9)
        np.testing.assert_allclose(dX, channels_last(x.grad), atol=1e-8)
        theirs = gradients_from_torch(net, x.shape[1])
        for path, layer in model.walk():
            for key, dW in layer.grads.items():
                np.testing.assert_allclose(dW, theirs[path + key], rtol=1e-6,
                                           atol=1e-8)
        after = from_torch(net, x.shape[1]).state_dict()
        for name, value in model.state_dict().items():
            np.testing.assert_allclose(value, after[name], atol=1e-10)
    assert learned > 40


class TenTimes(T.Conv2d):
    def forward(self, x):
        return 10 * super().forward(x)


class Doubled(T.Sequential):
    pass


def with_(change, module=None):
    "A convolution, or this module, after `change`."
    module = module or T.Conv2d(2, 2, 3)
    change(module)
    return module


def nothing(*_):
    return None


def with_weight(tensor):
    linear = T.Linear(3, 3)
    linear.weight = T.Parameter(tensor, requires_grad=False)
    return linear


CHANGED = {
    "a subclass": (lambda: TenTimes(2, 2, 3), "derives from Conv2d"),
    "a box": (lambda: Doubled(T.ReLU()), "derives from Sequential"),
    "another of its name": (lambda: type("Conv2d", (T.Module,), {})(),
                            "got Conv2d of "),
    "a hook": (lambda: with_(
        lambda m: m.register_forward_hook(nothing)), "hook nothing"),
    "a hook before": (lambda: with_(
        lambda m: m.register_forward_pre_hook(nothing)), "hook nothing"),
    "a hook backward": (lambda: with_(
        lambda m: m.register_full_backward_hook(nothing)), "hook nothing"),
    "a hook before it": (lambda: with_(
        lambda m: m.register_full_backward_pre_hook(nothing)),
        "hook nothing"),
    "a hook of a box": (lambda: with_(
        lambda m: m.register_forward_hook(nothing), T.Sequential()),
        "hook nothing"),
    "a hook of a weight": (lambda: with_(
        lambda m: m.weight.register_hook(nothing)), "weight must have no"),
    "a hook of a gradient": (lambda: with_(
        lambda m: m.weight.register_post_accumulate_grad_hook(nothing)),
        "weight must have no"),
    "a parametrization": (lambda: parametrizations.weight_norm(
        T.Conv2d(2, 2, 3)), "derives from Conv2d"),
    "the old norm": (lambda: T.utils.spectral_norm(T.Linear(2, 2)),
                     "hook SpectralNorm"),
    "a mask": (lambda: prune.random_unstructured(
        T.Linear(2, 2), "weight", 0.5), "hook RandomUnstructured"),
    "its own forward": (lambda: with_(
        lambda m: setattr(m, "forward", nothing)), "its own forward"),
    "its own method": (lambda: with_(
        lambda m: setattr(m, "_conv_forward", nothing)), "_conv_forward"),
    "not made yet": (lambda: T.LazyConv2d(2, 3), "derives from Conv2d"),
    "no numbers": (lambda: T.Linear(2, 2, device="meta"), "device meta"),
    "sparse": (lambda: with_weight(torch.eye(3).to_sparse()), "sparse"),
    "bfloat16": (lambda: T.Linear(2, 2).bfloat16(), r"call \.float\(\)"),
    "complex": (lambda: T.Linear(2, 2, dtype=torch.complex64), "complex64"),
    "whole numbers": (lambda: with_weight(torch.ones(3, 3).int()), "int32"),
    "images": (lambda: T.Sequential(T.Conv2d(2, 2, 3), T.Linear(4, 2)),
               "must be given vectors; got images"),
    "vectors": (lambda: T.Sequential(T.Linear(3, 4), T.BatchNorm2d(4)),
                "must be given images; got vectors"),
    "images again": (lambda: T.Sequential(T.Conv2d(2, 2, 3),
                                          T.BatchNorm1d(2)),
                     "must be given vectors; got images"),
    "in place": (lambda: TorchResidual(T.Sequential(
        T.Identity(), T.ReLU(inplace=True), T.Conv2d(2, 2, 1))), "in place"),
    "one pixel": (lambda: T.Sequential(T.Conv2d(2, 2, 3), TorchResidual(
        T.AdaptiveAvgPool2d(1))), "one pixel"),
}


@pytest.mark.parametrize("make, words", CHANGED.values(), ids=CHANGED)
def test_what_might_compute_something_else_is_refused(make, words):
    net = T.Sequential(T.Tanh(), TorchResidual(T.Sequential(make())))
    with pytest.raises((TypeError, ValueError),
                       match=rf"^net\.1\.main\.0\b.*{words}"):
        from_torch(net)


def test_hooks_of_all_modules_are_refused():
    hook = T.modules.module.register_module_forward_hook(nothing)
    try:
        with pytest.raises(ValueError, match="hooks of all modules"):
            from_torch(T.ReLU())
    finally:
        hook.remove()
    assert type(from_torch(T.ReLU())) is nn.ReLU


def test_a_weight_belongs_to_one_layer():
    twice, relu = T.Linear(3, 3), T.ReLU()
    tied = T.Sequential(T.Linear(3, 3), T.Linear(3, 3))
    tied[1].weight = T.Parameter(tied[0].weight.data)
    for net in T.Sequential(twice, relu, twice), tied:
        with pytest.raises(ValueError, match=r"0\.weight and .\.weight"):
            from_torch(net)
    assert len(from_torch(T.Sequential(relu, relu))) == 2
    layer = nn.Linear(3, 3, rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match="0.W and 2.W"):
        to_torch(nn.Sequential(layer, nn.ReLU(), layer))


class Shouted(nn.ReLU):
    def forward(self, X, train=False):
        return 10 * super().forward(X, train)


def own_forward(layer):
    layer.forward = nothing
    return layer


@pytest.mark.parametrize("make, words", [
    (Shouted, "got Shouted, which derives from ReLU"),
    (lambda: type("Conv", (nn.Conv2D,), {})(
        1, 1, rng=np.random.default_rng(0)), "derives from Conv2D"),
    (lambda: own_forward(nn.ReLU()), "its own forward")])
def test_to_torch_takes_exact_layers_too(make, words):
    model = nn.Sequential(nn.ReLU(), nn.Residual(make()))
    with pytest.raises((TypeError, ValueError),
                       match=rf"^model\.1\.main\b.*{words}"):
        to_torch(model)


def test_numbers_of_any_order_in_a_sum():
    "After Flatten, a dense layer's numbers are in PyTorch's order."
    rng, make = np.random.default_rng(0), dict(dtype=np.float64)
    for start in T.Flatten, TorchFlatten:
        net = T.Sequential(T.Conv2d(2, 3, 3), start(), TorchResidual(
            T.Linear(24, 24)), T.Linear(24, 4)).double()
        x = torch.tensor(rng.normal(size=(2, 2, 4, 6)))
        np.testing.assert_allclose(from_torch(net)(channels_last(x)),
                                   net(x).detach().numpy())
    model = nn.Sequential(
        nn.Conv2D(2, 3, rng=rng, **make), nn.Flatten(),
        nn.Residual(nn.Linear(24, 24, rng=rng, **make)),
        nn.Linear(24, 4, rng=rng, **make))
    np.testing.assert_allclose(to_torch(model)(x).detach().numpy(),
                               model(channels_last(x)))


def test_a_frame_keeps_the_names_of_the_gradients():
    net = T.Sequential(T.Conv2d(1, 2, 3, padding=(1, 2)),
                       T.Conv2d(2, 2, 2, padding="same")).double()
    x = torch.ones((2, 1, 4, 5), dtype=torch.float64)
    net(x).pow(2).sum().backward()
    model = from_torch(net)
    model.backward(2 * model(channels_last(x)))
    theirs = gradients_from_torch(net)
    assert set(theirs) == {"0.1.W", "0.1.b", "1.1.W", "1.1.b"}
    for path, layer in model.walk():
        for key, dW in layer.grads.items():
            np.testing.assert_allclose(dW, theirs[path + key])


def test_mixed_dtypes():
    net = T.Sequential(T.Conv2d(1, 2, 3).half(), T.BatchNorm2d(2), T.ReLU())
    x = torch.randn(2, 1, 5, 5).half()
    Z = from_torch(net.eval())(channels_last(x))
    np.testing.assert_allclose(Z, channels_last(net(x)), atol=0.01)


@pytest.mark.skipif(not is_installed("safetensors"),
                    reason="safetensors is not installed")
def test_a_file_of_other_dtypes(tmp_path):
    from safetensors.torch import save_file
    model = nn.Sequential(nn.Linear(3, 2, rng=np.random.default_rng(0)))
    before = model.state_dict()["0.W"].copy()
    weight, bias = torch.randn(2, 3, dtype=torch.float64), torch.ones(2)
    for dtype in torch.bfloat16, torch.float16, torch.float64:
        save_file({"0.weight": weight.to(dtype), "0.bias": bias},
                  tmp_path / "a")
        load_weights(model, tmp_path / "a")
        got = model.state_dict()["0.W"]
        assert got.dtype == np.float32
        assert np.array_equal(got, weight.to(dtype).float().numpy().T)
    model.params = {}
    model[0].params["W"] = before
    for wrong, words in ((1e300 * weight, "fit in torch.float32"),
                         (weight.int(), "got torch.int32"),
                         (weight.to(torch.complex64), "got torch.complex")):
        save_file({"0.weight": wrong, "0.bias": bias}, tmp_path / "a")
        with pytest.raises(ValueError, match=words):
            load_weights(model, tmp_path / "a")
        assert np.array_equal(model.state_dict()["0.W"], before)


def rates(make, steps):
    "The factors that a schedule of PyTorch gives in each of the steps."
    optimizer = torch.optim.SGD([T.Parameter(torch.zeros(1))], 1.0)
    schedule, found = make(optimizer), []
    for _ in range(steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if len(found) < steps:
            schedule.step()
    return found


STEPS = 1, 2, 3, 4, 5, 7, 10, 33, 100


@pytest.mark.parametrize("steps", STEPS)
@pytest.mark.parametrize("warm", [0.0, 0.1, 0.25, 0.3, 0.5, 0.9])
@pytest.mark.parametrize("start, end", [(25, 1e4), (10, 100), (1, 1)])
def test_one_cycle_is_pytorchs(steps, warm, start, end):
    if warm * steps == 1:
        pytest.raises(ZeroDivisionError, rates, lambda optimizer: (
            torch.optim.lr_scheduler.OneCycleLR(
                optimizer, 1.0, steps, pct_start=warm)), steps)
        return
    theirs = rates(lambda optimizer: torch.optim.lr_scheduler.OneCycleLR(
        optimizer, 1.0, steps, pct_start=warm, div_factor=start,
        final_div_factor=end, cycle_momentum=False), steps)
    ours = nn.one_cycle(warm, start, end)
    assert [ours(step, steps) for step in range(steps)] == pytest.approx(
        theirs, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("steps", STEPS)
def test_cosine_and_stairs_are_pytorchs(steps):
    theirs = rates(lambda optimizer: torch.optim.lr_scheduler
                   .CosineAnnealingLR(optimizer, steps), steps)
    assert [nn.cosine()(step, steps) for step in range(steps)] == (
        pytest.approx(theirs, abs=1e-12))
    milestones = [-(-steps // 2), -(-3 * steps // 4)]
    theirs = rates(lambda optimizer: torch.optim.lr_scheduler
                   .MultiStepLR(optimizer, milestones), steps)
    assert [nn.stairs()(step, steps) for step in range(steps)] == (
        pytest.approx(theirs))


def test_a_net_of_half_precision_and_its_wide_statistics():
    rng, half = np.random.default_rng(0), np.float16
    model = nn.Sequential(
        nn.Conv2D(3, 4, rng=rng, dtype=half), nn.BatchNorm2D(4, dtype=half),
        nn.ReLU(), nn.Flatten(), nn.Linear(144, 3, rng=rng, dtype=half))
    X = (100 * rng.normal(size=(4, 8, 8, 3))).astype(half)
    model.forward(X, train=True)
    net, Y = to_torch(model), model(X)
    with torch.no_grad():
        Z = net(torch.from_numpy(np.moveaxis(X, 3, 1).copy())).numpy()
    assert Z.dtype == Y.dtype == from_torch(net)(X).dtype == half
    np.testing.assert_allclose(Z, Y, rtol=1e-2, atol=1e-2)
    np.testing.assert_array_equal(from_torch(net)(X), Y)
