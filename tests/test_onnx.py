"""ONNX files that PyTorch, ONNX's own tests and we ourselves write: each is
read with the same numbers, or refused in words."""
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from cnnbook import nn
from cnnbook.press.resources import is_installed
from networks import channels_first, filled, in_onnxruntime

torch = pytest.importorskip(
    "torch", reason="the optional extra 'torch' is not installed")
onnx = pytest.importorskip(
    "onnx", reason="the optional extra 'torch' is not installed")
from onnx import TensorProto, helper, numpy_helper

from cnnbook.interop.onnx import from_onnx, to_onnx
from cnnbook.interop.onnx_operators import READERS
from cnnbook.interop.pytorch import (ScaledTanh, TorchFlatten,
                                     TorchGlobalAvgPool, TorchResidual)

onnxruntime_too = pytest.mark.skipif(not is_installed("onnxruntime"),
                                     reason="onnxruntime is not installed")
onnxscript_too = pytest.mark.skipif(not is_installed("onnxscript"),
                                    reason="onnxscript is not installed")


def last(A):
    "The channels at the end, if `A` has images."
    return A.transpose(0, 2, 3, 1) if A.ndim == 4 else A


def in_reference(proto, X):
    from onnx.reference import ReferenceEvaluator
    return ReferenceEvaluator(proto).run(
        None, {proto.graph.input[0].name: X})[0]


# ---------------------------------------------------- our own files, and back

def layers(dtype):
    "Each kind of layer, for images of 8 x 6 with 4 channels, by name."
    rng = np.random.default_rng(0)
    make = dict(rng=rng, dtype=dtype)
    conv, other, third = (nn.Conv2D(4, 4, 3, pad=1, **make)
                          for _ in range(3))
    return {
        "nothing": nn.Sequential(),
        "Conv2D": nn.Conv2D(4, 6, 3, 2, 1, 2, 2, **make),
        "Conv2D, no bias": nn.Conv2D(4, 2, 2, bias=False, **make),
        "ConvTranspose2D": nn.ConvTranspose2D(4, 6, 3, 2, 1, 1, 2,
                                              output_pad=1, **make),
        "ConvTranspose2D, dilated": nn.ConvTranspose2D(
            4, 2, 2, dilation=2, bias=False, **make),
        "MaxPool2D": nn.MaxPool2D(3, 2), "AvgPool2D": nn.AvgPool2D(2, 1),
        "GlobalAvgPool": nn.GlobalAvgPool(),
        "GlobalAvgPool, one pixel": nn.GlobalAvgPool(keepdims=True),
        "Flatten": nn.Flatten(),
        "Flatten, channels first": nn.Flatten(channels_first=True),
        "Flatten, then ReLU": nn.Sequential(nn.Flatten(), nn.ReLU()),
        "Linear": nn.Sequential(nn.Flatten(), nn.Linear(192, 3, **make)),
        "Linear, file's order": nn.Sequential(
            nn.Flatten(channels_first=True),
            nn.Linear(192, 3, bias=False, **make)),
        "ReLU": nn.ReLU(), "LeakyReLU": nn.LeakyReLU(0.1),
        "LeakyReLU, 1/3": nn.LeakyReLU(1 / 3),
        "Tanh": nn.Tanh(), "Tanh, scaled": nn.Tanh(1.7159, 2 / 3),
        "Tanh, taller": nn.Tanh(2.0), "Tanh, steeper": nn.Tanh(1.0, 3.0),
        "Tanh, twice": nn.Sequential(nn.Tanh(2.0, 3.0), nn.Tanh(0.5, 7.0)),
        "Dropout": nn.Dropout(0.5, rng=rng),
        "BatchNorm2D": nn.BatchNorm2D(4, epsilon=1e-3, dtype=dtype),
        "BatchNorm2D, flat": nn.Sequential(
            nn.Flatten(), nn.BatchNorm2D(192, dtype=dtype)),
        "BatchNorm2D, vectors": nn.Sequential(
            nn.GlobalAvgPool(), nn.BatchNorm2D(4, dtype=dtype)),
        "GroupNorm": nn.GroupNorm(4, 2, epsilon=1e-3, dtype=dtype),
        "GroupNorm, of one group": nn.Sequential(
            nn.GroupNorm(4, dtype=dtype), nn.GlobalAvgPool()),
        "GroupNorm, flat": nn.Sequential(
            nn.Flatten(), nn.GroupNorm(192, 6, dtype=dtype)),
        "GroupNorm, vectors": nn.Sequential(
            nn.GlobalAvgPool(), nn.GroupNorm(4, 2, dtype=dtype)),
        "Residual": nn.Residual(conv),
        "Residual, shortcut": nn.Residual(
            nn.Sequential(conv, nn.ReLU()), nn.Conv2D(4, 4, 1, **make)),
        "Residual, of nothing": nn.Residual(nn.Sequential()),
        "Residual, nested": nn.Residual(nn.Sequential(
            other, nn.Residual(nn.Sequential(third, nn.Tanh())), nn.ReLU())),
        "Sequential": nn.Sequential(nn.Sequential(conv), nn.Sequential()),
        "Pad2D": nn.Pad2D(1, 2, 3, 0, 0.5),
        "Pad2D, then max": nn.Sequential(nn.Pad2D(1, 0, 1, 1, -np.inf),
                                         nn.MaxPool2D(3, 2)),
        "Softmax": nn.Softmax(),
        "Softmax, of vectors": nn.Sequential(nn.GlobalAvgPool(),
                                             nn.Softmax())}


KINDS = list(layers(np.float32))
TOL = {np.float64: dict(rtol=1e-6, atol=1e-7),
       np.float32: dict(rtol=1e-4, atol=1e-5),
       np.float16: dict(rtol=2e-2, atol=2e-2)}


@pytest.mark.parametrize("dtype", list(TOL))
@pytest.mark.parametrize("kind", KINDS)
def test_each_layer_comes_back(kind, dtype):
    rng = np.random.default_rng(1)
    model = filled(layers(dtype)[kind], rng)
    X = rng.normal(size=(3, 8, 6, 4)).astype(dtype)
    Y = model(X)
    proto = to_onnx(model, X.shape[1:], dtype=dtype)
    again = from_onnx(proto.SerializeToString())
    got = again(X)
    if "file's order" in kind:      # read as a Flatten() and other rows
        np.testing.assert_allclose(got, Y, **TOL[dtype])
    else:
        assert np.array_equal(got, Y)
    assert got.dtype == Y.dtype
    if is_installed("onnxruntime"):
        try:
            theirs = in_onnxruntime(proto.SerializeToString(),
                                    channels_first(X))
        except Exception as error:      # it may lack it in this dtype
            assert dtype != np.float32 and "NOT_IMPLEMENTED" in str(error)
        else:
            np.testing.assert_allclose(last(theirs), Y, **TOL[dtype])


def test_a_network_of_vectors_comes_and_goes(tmp_path):
    rng = np.random.default_rng(0)
    model = filled(nn.Sequential(
        nn.Linear(5, 4, rng=rng), nn.BatchNorm2D(4), nn.Tanh(),
        nn.Residual(nn.Linear(4, 4, rng=rng)), nn.Softmax()), rng)
    proto = to_onnx(model, (5,), tmp_path / "a.onnx")
    X = rng.normal(size=(6, 5)).astype(np.float32)
    assert proto.SerializeToString() == (tmp_path / "a.onnx").read_bytes()
    for file in proto, tmp_path / "a.onnx", str(tmp_path / "a.onnx"):
        assert np.array_equal(from_onnx(file)(X), model(X))


@pytest.mark.parametrize("shape, words", [
    ((8, 6, 3), "shape must be that of an image of the model"),
    ((8, 6), "shape must be \\(n_H, n_W, n_C\\)"), ((8, 0, 4), "shape must")])
def test_a_shape_that_the_model_does_not_take(shape, words):
    model = nn.Conv2D(4, 2, 3, rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match=words):
        to_onnx(model, shape)


# ------------------------------------------------- what torch.onnx.export writes

class Mean(torch.nn.Module):
    def forward(self, x):
        return x.mean(dim=(-1, -2), keepdim=True)


class MeanOfTensor(torch.nn.Module):
    def forward(self, x):
        return x.mean((2, 3))


class View(torch.nn.Module):
    def forward(self, x):
        return x.view(x.size(0), -1)


class ViewOfKnown(torch.nn.Module):
    def forward(self, x):
        return x.reshape(-1, x.shape[1] * x.shape[2] * x.shape[3])


class Squeeze(torch.nn.Module):
    def forward(self, x):
        return x.squeeze(3).squeeze(-1)


class Pixels(torch.nn.Module):
    def forward(self, x):
        return x.permute(0, 2, 3, 1).reshape(x.shape[0], -1)


class Functional(torch.nn.Module):
    "As people write it, with functions; images of 12 x 10."
    def __init__(self):
        super().__init__()
        self.a = torch.nn.Conv2d(3, 4, 3, padding=1)
        self.b = torch.nn.Conv2d(4, 6, 3)
        self.out = torch.nn.Linear(6 * 2 * 1, 5)
        self.drop = torch.nn.Dropout2d(0.3)

    def forward(self, x):
        F = torch.nn.functional
        x = F.max_pool2d(F.relu(self.a(x)), 2)
        x = F.max_pool2d(F.leaky_relu(self.b(x), 0.2), 2)
        x = F.dropout(self.drop(x), 0.5, self.training)
        return F.softmax(self.out(torch.flatten(x, 1)), dim=-1)


class Block(torch.nn.Module):
    "A block of ResNet-18."
    def __init__(self, n_in, n_out, stride):
        super().__init__()
        T = torch.nn
        self.conv1 = T.Conv2d(n_in, n_out, 3, stride, 1, bias=False)
        self.bn1 = T.BatchNorm2d(n_out)
        self.relu = T.ReLU(inplace=True)
        self.conv2 = T.Conv2d(n_out, n_out, 3, 1, 1, bias=False)
        self.bn2 = T.BatchNorm2d(n_out)
        self.down = None if (n_in, stride) == (n_out, 1) else T.Sequential(
            T.Conv2d(n_in, n_out, 1, stride, bias=False),
            T.BatchNorm2d(n_out))

    def forward(self, x):
        y = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        return self.relu(y + (x if self.down is None else self.down(x)))


def networks():
    "Networks of PyTorch for images of 12 x 10 with 3 channels, by name."
    T, chain = torch.nn, torch.nn.Sequential
    conv = lambda *a, **k: T.Conv2d(3, 4, *a, **k)
    return {
        "lab": chain(conv(3, padding=1), T.ReLU(), T.MaxPool2d(2),
                     T.Flatten(), T.Linear(120, 7)),
        "strides": chain(conv(3, stride=2, padding=1), T.ReLU(),
                         T.AvgPool2d(2), T.Flatten(), T.Linear(24, 3)),
        "dilated": chain(conv(3, dilation=2, padding=2, bias=False),
                         T.LeakyReLU(0.1), T.Flatten(1, -1)),
        "depthwise": chain(T.Conv2d(3, 6, 3, groups=3), T.Tanh(),
                           T.Conv2d(6, 2, 1), T.ReLU()),
        "norm": chain(conv(3, bias=False), T.BatchNorm2d(4, eps=1e-3),
                      T.ReLU(), T.Flatten(), T.Linear(320, 6),
                      T.BatchNorm1d(6), T.Tanh(), T.Linear(6, 2)),
        "norm first": chain(T.BatchNorm2d(3), conv(2), T.BatchNorm2d(4)),
        "upwards": chain(conv(3, stride=2), T.ReLU(), T.ConvTranspose2d(
            4, 6, 3, 2, 1, output_padding=1, groups=2), T.ConvTranspose2d(
            6, 3, 2, dilation=2, bias=False)),
        "global": chain(conv(3), T.ReLU(), T.AdaptiveAvgPool2d(1),
                        T.Flatten(), T.Linear(4, 3)),
        "global, a pair": chain(conv(3), T.AdaptiveAvgPool2d((1, 1)),
                                T.Conv2d(4, 5, 1), View()),
        "mean": chain(conv(3), MeanOfTensor(), T.Linear(4, 3, bias=False)),
        "mean, kept": chain(conv(3), Mean(), T.Flatten(), T.Linear(4, 3)),
        "mean, squeezed": chain(conv(3), T.AdaptiveAvgPool2d(1), Squeeze(),
                                T.Linear(4, 3)),
        "twin of the mean": chain(conv(3), TorchGlobalAvgPool(),
                                  T.Softmax(dim=1)),
        "view": chain(conv(3, stride=3), View(), T.Linear(48, 3)),
        "reshape": chain(conv(3, stride=3), ViewOfKnown(), T.Linear(48, 3),
                         T.Softmax(dim=-1)),
        "ends flat": chain(conv(3), T.ReLU(), T.Flatten()),
        "pixels": chain(conv(3), Pixels()),
        "pixels, dense": chain(conv(3), Pixels(), T.Linear(320, 3)),
        "twin of Flatten": chain(conv(3), TorchFlatten(), T.Tanh()),
        "padding": chain(T.ZeroPad2d((1, 0, 2, 0)), conv(3),
                         T.ConstantPad2d(1, 0.5), T.MaxPool2d(2)),
        "unequal padding": chain(conv(3, padding=(1, 0)), T.MaxPool2d(
            3, 2, padding=(0, 1)), T.AvgPool2d(2, padding=(1, 0))),
        "padded pools": chain(conv(3), T.MaxPool2d(3, 2, padding=1),
                              T.AvgPool2d(3, 1, padding=1)),
        "scaled tanh": chain(conv(3), ScaledTanh(1.7159, 2 / 3),
                             T.Flatten(), T.Linear(320, 3),
                             ScaledTanh(2.0, 0.5)),
        "dropout": chain(T.Dropout(0.2), conv(3), T.Dropout2d(0.5),
                         T.Identity(), T.Flatten(), T.Dropout(),
                         T.Linear(320, 2)),
        "softmax of pixels": chain(conv(3), T.Softmax(dim=1)),
        "dense alone": chain(T.Flatten(), T.Linear(360, 9), T.ReLU(),
                             T.Linear(9, 4)),
        "functional": Functional(),
        "residual": chain(conv(1), TorchResidual(chain(
            T.Conv2d(4, 4, 3, padding=1), T.ReLU())), T.Flatten(),
            T.Linear(480, 3)),
        "shortcut": chain(TorchResidual(chain(conv(3), T.BatchNorm2d(4)),
                                        conv(3, bias=False)), T.ReLU()),
        "nested": chain(conv(1), TorchResidual(chain(
            TorchResidual(T.Conv2d(4, 4, 1)), T.ReLU(), TorchResidual(
                chain(T.Tanh(), T.Conv2d(4, 4, 3, padding=1)),
                T.Conv2d(4, 4, 1))))),
        "of vectors": chain(conv(3, stride=3), T.Flatten(), TorchResidual(
            chain(T.Linear(48, 48), T.ReLU())), T.Linear(48, 3)),
        "resnet": chain(
            T.Conv2d(3, 4, 7, 2, 3, bias=False), T.BatchNorm2d(4), T.ReLU(),
            T.MaxPool2d(3, 2, 1), Block(4, 4, 1), Block(4, 8, 2),
            T.AdaptiveAvgPool2d((1, 1)), T.Flatten(1), T.Linear(8, 5))}


ANY = torch.export.Dim.DYNAMIC
EXPORTS = {
    "default": {}, "dynamic_shapes": dict(
        dynamic_shapes=({0: ANY, 2: ANY, 3: ANY},)),
    "optimize": dict(optimize=False),
    "old": dict(dynamo=False), "old, dynamic_axes": dict(
        dynamo=False, input_names=["x"], output_names=["y"],
        dynamic_axes={"x": {0: "m", 2: "h", 3: "w"}, "y": {0: "m"}}),
    "old, weights given": dict(dynamo=False, do_constant_folding=False,
                               keep_initializers_as_inputs=True),
    "old, opset 9": dict(dynamo=False, opset_version=9),
    "old, opset 12": dict(dynamo=False, opset_version=12)}


def randomized(net):
    "The net that predicts, with statistics and parameters of its own."
    torch.manual_seed(0)
    for name, tensor in [*net.named_parameters(), *net.named_buffers()]:
        if tensor.ndim == 1:
            torch.nn.init.uniform_(tensor, 0.5, 1.5)
    return net.eval()


# The exporters are slow: their other settings, for these networks alone.
OFTEN = ["lab", "global", "mean", "padding", "softmax of pixels", "norm",
         "view", "pixels", "resnet"]


@onnxruntime_too
@onnxscript_too
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind, way", [
    (kind, way) for kind in networks() for way in EXPORTS
    if way in ("default", "old") or kind in OFTEN[-4:] or (
        kind in OFTEN and way.startswith("old"))])
def test_what_pytorch_exports_is_read(kind, way, tmp_path, capsys):
    net, path = randomized(networks()[kind]), tmp_path / "net.onnx"
    x = torch.randn(2, 3, 12, 10)
    torch.onnx.export(net, (x,), path, **EXPORTS[way])
    expected = in_onnxruntime(path, x.numpy())
    np.testing.assert_allclose(expected, net(x).detach(), rtol=1e-3,
                               atol=1e-4)
    model = from_onnx(path)
    for m in 2, 5:                              # any number of images
        X = torch.randn(m, 3, 12, 10)
        np.testing.assert_allclose(
            model(last(X.numpy())), last(net(X).detach().numpy()),
            rtol=1e-3, atol=1e-4)


@onnxscript_too
@pytest.mark.filterwarnings("ignore")
def test_a_padding_that_the_file_leaves_to_be_computed_is_refused(tmp_path):
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3, padding="same"))
    torch.onnx.export(net, (torch.zeros(2, 3, 8, 8),), tmp_path / "a.onnx",
                      dynamo=False)
    with pytest.raises(ValueError, match="auto_pad .* SAME_UPPER"):
        from_onnx(tmp_path / "a.onnx")


# ------------------------------------------------------ ONNX's own backend tests

def backend_cases():
    "(name, model, inputs, outputs, rtol, atol) of each of ONNX's own tests."
    from onnx.backend.test.case.node import collect_testcases
    from onnx.backend.test.loader import load_model_tests
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        nodes = collect_testcases(None)
    for case in nodes:
        for inputs, outputs in case.data_sets[:1]:
            yield case.name, case.model, inputs, outputs, case.rtol, case.atol
    for kind in "simple", "pytorch-converted", "pytorch-operator":
        for case in load_model_tests(kind=kind):
            folder = Path(case.model_dir)
            model = onnx.load(folder / "model.onnx")
            data = folder / "test_data_set_0"
            yield (case.name, model, *(
                [read_data(path, value.type) for i, value in
                 enumerate(values) for path in [data / f"{way}_{i}.pb"]
                 if path.exists()]
                for way, values in (("input", model.graph.input),
                                    ("output", model.graph.output))),
                case.rtol, case.atol)


def read_data(path, kind):
    "The array in a file of ONNX's tests; None if it holds something else."
    if not kind.HasField("tensor_type"):
        return None
    return numpy_helper.to_array(onnx.TensorProto.FromString(
        path.read_bytes()))


def with_weights(model, inputs):
    "The model whose inputs, but the first, are weights with these values."
    model = onnx.ModelProto.FromString(model.SerializeToString())
    given = {w.name for w in model.graph.initializer}
    for value, A in list(zip(model.graph.input, inputs))[1:]:
        if value.name not in given and isinstance(A, (np.ndarray, np.generic)):
            model.graph.initializer.append(numpy_helper.from_array(
                np.asarray(A), value.name))
    return model


def outcome(model, inputs, outputs, rtol, atol):
    "What happens to one of ONNX's tests: a word, and why."
    try:
        ours = from_onnx(with_weights(model, inputs))
    except ValueError as error:
        return "refused", str(error)
    except Exception as error:
        return "broken", repr(error)
    try:
        got, expected = ours(last(inputs[0])), last(outputs[0])
        assert got.dtype == expected.dtype, (got.dtype, expected.dtype)
        np.testing.assert_allclose(got, expected, max(rtol, 1e-5),
                                   max(atol, 1e-6))
    except AssertionError as error:
        return "wrong", str(error)
    except Exception as error:
        return "broken when it runs", repr(error)
    return "right", ""


@pytest.fixture(scope="module")
def outcomes():
    "For each of ONNX's own tests, its operators, what happened, and why."
    return {name: ({node.op_type for node in model.graph.node},
                   *outcome(model, *rest))
            for name, model, *rest in backend_cases()}


def test_no_test_of_onnx_is_silently_wrong_or_breaks(outcomes):
    assert len(outcomes) > 1500
    bad = {name: found for name, found in outcomes.items()
           if found[1] not in ("right", "refused")}
    assert not bad


def test_many_tests_of_onnx_agree(outcomes):
    found = Counter(word for kinds, word, _ in outcomes.values()
                    if kinds <= set(READERS) | {"Constant"})
    assert found["right"] >= 60 and found.total() > 300, found


# ----------------------------------------------------- forms, and what is refused

RNG = np.random.default_rng(0)


def draw(*shape, dtype=np.float32):
    return np.asarray(RNG.uniform(-1, 1, shape)).astype(dtype)


def graph_of(*nodes, shape=("m", 4, 6, 6), dtype=np.float32, opset=17,
             output=None, given=(), **weights):
    """A model of these nodes (operator, inputs, output, attributes).

    Its input is "x"; the `given` weights are inputs with a default.
    """
    made = [helper.make_node(kind, inputs.split(), [out], **dict(*settings))
            for kind, inputs, out, *settings in nodes]
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    inputs = [helper.make_tensor_value_info("x", kind, shape)] + [
        helper.make_tensor_value_info(
            name, helper.np_dtype_to_tensor_dtype(weights[name].dtype),
            weights[name].shape) for name in given]
    graph = helper.make_graph(
        made, "test", inputs, [helper.make_tensor_value_info(
            output or made[-1].output[0], kind, None)],
        [numpy_helper.from_array(A, name) for name, A in weights.items()])
    return helper.make_model(graph, opset_imports=[
        helper.make_opsetid("", opset)], ir_version=8)


def ints(*values):
    return np.array(values, np.int64)


W, V = draw(5, 4, 3, 3), draw(7, 4)
FOUR = ("GlobalAveragePool", "x", "a"), ("Flatten", "a", "p")
FORMS = {
    "no attributes": graph_of(("Conv", "x W b", "y"), W=W, b=draw(5)),
    "NOTSET": graph_of(("Conv", "x W", "y", dict(
        auto_pad="NOTSET", pads=[1, 1, 1, 1])), W=W),
    "VALID": graph_of(("MaxPool", "x", "y", dict(
        auto_pad="VALID", kernel_shape=[2, 2])), opset=9),
    "unequal pads": graph_of(("Conv", "x W", "y", dict(
        pads=[0, 1, 2, 3])), W=W),
    "max, unequal pads": graph_of(("MaxPool", "x", "y", dict(
        kernel_shape=[3, 3], pads=[0, 1, 2, 1], strides=[2, 2]))),
    "mean, counted pads": graph_of(("AveragePool", "x", "y", dict(
        kernel_shape=[2, 2], pads=[1, 0, 0, 1], count_include_pad=1))),
    "weights given": graph_of(("Conv", "x W b", "y"), W=W, b=draw(5),
                              given=["W", "b"]),
    "weights folded": graph_of(
        ("Identity", "T", "t"), ("Transpose", "t", "u", dict(
            perm=[3, 2, 0, 1])), ("Reshape", "u s", "W"),
        ("Conv", "x W", "y"), T=W.transpose(2, 3, 1, 0),
        s=ints(5, 4, 3, 3)),
    "Gemm, scaled": graph_of(*FOUR, ("Gemm", "p W b", "y", dict(
        transB=1, alpha=0.5, beta=2.0)), W=V, b=draw(7)),
    "Gemm, bias (1, N)": graph_of(*FOUR, ("Gemm", "p W b", "y", dict(
        transA=0)), W=V.T, b=draw(1, 7)),
    "Gemm, bias scalar": graph_of(*FOUR, ("Gemm", "p W b", "y"), W=V.T,
                                  b=draw()),
    "MatMul, Add": graph_of(*FOUR, ("MatMul", "p W", "q"),
                            ("Add", "b q", "y"), W=V.T, b=draw(7)),
    "MatMul, Add (1, N)": graph_of(*FOUR, ("MatMul", "p W", "q"),
                                   ("Add", "q b", "y"), W=V.T, b=draw(1, 7)),
    "Conv, Add": graph_of(("Conv", "x W", "q"), ("Add", "q b", "y"), W=W,
                          b=draw(1, 5, 1, 1)),
    "ConvTranspose, Add": graph_of(
        ("ConvTranspose", "x W", "q", dict(group=2)), ("Add", "b q", "y"),
        W=draw(4, 3, 2, 2), b=draw(6, 1, 1)),
    "Transpose of a weight": graph_of(
        *FOUR, ("Transpose", "W", "t"), ("MatMul", "p t", "y"), W=V),
    "BatchNormalization, spatial": graph_of(
        ("BatchNormalization", "x s b m v", "y", dict(epsilon=1e-3)),
        opset=8, s=draw(4), b=draw(4), m=draw(4), v=draw(4) + 2),
    "BatchNormalization, default": graph_of(
        ("BatchNormalization", "x s b m v", "y", dict(training_mode=0)),
        s=draw(4), b=draw(4), m=draw(4), v=draw(4) + 2),
    "Constant": graph_of(("Constant", "", "z", dict(value_float=0.0)),
                         ("Clip", "x z", "y")),
    "Constant of ints": graph_of(("Constant", "", "s", dict(
        value_ints=[0, -1])), ("Reshape", "x s", "y")),
    "Constant of floats": graph_of(
        *FOUR, ("Constant", "", "b", dict(value_floats=[1.0, 2.0, 3.0, 4.0])),
        ("Constant", "", "W", dict(value=numpy_helper.from_array(
            draw(4, 4)))), ("Gemm", "p W b", "y")),
    "PRelu": graph_of(("PRelu", "x s", "y"), s=draw(1, 1, 1)),
    "Max": graph_of(("Max", "z x", "y"), z=np.zeros((1, 1), np.float32)),
    "Clip, old": graph_of(("Clip", "x", "y", dict(min=0.0)), opset=9),
    "Reshape (-1, n)": graph_of(("Reshape", "x s", "y"), s=ints(-1, 144)),
    "Reshape (m, -1)": graph_of(("Reshape", "x s", "y"), s=ints(3, -1),
                                shape=(3, 4, 6, 6)),
    "Reshape, computed": graph_of(
        ("Shape", "x", "n"), ("Gather", "n zero", "m"),
        ("Unsqueeze", "m axes", "o"), ("Concat", "o rest", "s", dict(
            axis=0)), ("Reshape", "x s", "y"), zero=np.array(0),
        axes=ints(0), rest=ints(-1)),
    "Reshape, multiplied": graph_of(
        ("Shape", "x", "n"), ("Slice", "n one four", "c"),
        ("ReduceProd", "c", "p", dict(axes=[0])),
        ("Shape", "x", "o", dict(end=1)), ("Concat", "o p", "s", dict(
            axis=0)), ("Reshape", "x s", "y"), one=ints(1), four=ints(4),
        shape=("m", 4, "h", "w")),
    "Flatten, -3": graph_of(("Flatten", "x", "y", dict(axis=-3))),
    "Flatten, twice": graph_of(("Flatten", "x", "a"), ("Flatten", "a", "b"),
                               ("Relu", "b", "y")),
    "Squeeze": graph_of(("GlobalAveragePool", "x", "a"),
                        ("Squeeze", "a", "y", dict(axes=[2, -1])), opset=11),
    "ReduceMean, old": graph_of(("ReduceMean", "x", "y", dict(
        axes=[-1, -2], keepdims=0))),
    "ReduceMean, new": graph_of(("ReduceMean", "x a", "b", dict(
        noop_with_empty_axes=0)), ("Flatten", "b", "y"), a=ints(3, 2),
        opset=18),
    "Dropout": graph_of(("Dropout", "x r t", "y"), r=np.float32(0.5),
                        t=np.array(False)),
    "Dropout, old": graph_of(("Dropout", "x", "y", dict(ratio=0.3)), opset=7),
    "Cast": graph_of(("Cast", "x", "a", dict(to=TensorProto.FLOAT)),
                     ("Tanh", "a", "y")),
    "Softmax, old": graph_of(*FOUR, ("Softmax", "p", "y"), opset=11),
    "Softmax, -1": graph_of(*FOUR, ("Softmax", "p", "y", dict(axis=-1))),
    "Softmax, turned": graph_of(
        ("Transpose", "x", "t", dict(perm=[0, 2, 3, 1])),
        ("Softmax", "t", "s"), ("Transpose", "s", "y", dict(
            perm=[0, 3, 1, 2]))),
    "Transpose, undone": graph_of(
        ("Transpose", "x", "t", dict(perm=[0, 2, 3, 1])),
        ("Transpose", "t", "u", dict(perm=[0, 3, 1, 2])),
        ("Relu", "u", "y")),
    "pixels": graph_of(("Transpose", "x", "t", dict(perm=[0, 2, 3, 1])),
                       ("Flatten", "t", "y")),
    "Pad, old": graph_of(("Pad", "x", "y", dict(
        pads=[0, 0, 1, 2, 0, 0, 3, 0], value=0.5)), opset=9),
    "Pad, new": graph_of(("Pad", "x p v", "y", dict(mode="constant")),
                         p=ints(0, 0, 1, 2, 0, 0, 3, 0), v=np.float32(-1)),
    "Pad, axes": graph_of(("Pad", "x p v a", "y"), p=ints(1, 2, 3, 4),
                          v=np.float32(2), a=ints(-1, 2), opset=18),
    "Pad, nothing": graph_of(("Pad", "x p", "a"), ("Relu", "a", "y"),
                             p=ints(*[0] * 8)),
    "scaled Tanh": graph_of(("Mul", "s x", "a"), ("Tanh", "a", "t"),
                            ("Mul", "t h", "y"), s=np.float32(0.6),
                            h=np.full((1, 1, 1, 1), 1.7, np.float32)),
    "the declared output": graph_of(("Relu", "x", "y"), ("Tanh", "x", "z"),
                                    output="y"),
    "dead ends": graph_of(("Erf", "x", "z"), ("Relu", "x", "y")),
    "Add of itself": graph_of(("Add", "x x", "y")),
    "Add first": graph_of(("Relu", "x", "r"), ("Conv", "r W", "c", dict(
        pads=[1] * 4)), ("Add", "r c", "y"), W=draw(4, 4, 3, 3)),
    "Add, nested": graph_of(
        ("Relu", "x", "r"), ("Tanh", "r", "t"), ("Add", "t r", "s"),
        ("LeakyRelu", "s", "l"), ("Conv", "l W", "c"), ("Conv", "x V", "d"),
        ("Add", "c d", "y"), W=draw(2, 4, 1, 1), V=draw(2, 4, 1, 1)),
    "vectors": graph_of(("Gemm", "x W b", "a", dict(transB=1)),
                        ("Relu", "a", "c"), ("BatchNormalization",
                                             "c s b b v", "y"), W=V,
                        b=draw(7), s=draw(7), v=draw(7) + 2,
                        shape=("m", 4)),
    "vectors, norm first": graph_of(
        ("BatchNormalization", "x s b m v", "n"), ("Gemm", "n W", "y"),
        W=V.T, s=draw(4), b=draw(4), m=draw(4), v=draw(4) + 2,
        shape=("m", 4)),
    "nothing known": graph_of(("Conv", "x W", "y"), W=W,
                              shape=(None,) * 4),
    "halves of even images": graph_of(
        ("MaxPool", "x", "p", dict(kernel_shape=[2, 2], strides=[2, 2])),
        ("Conv", "x W", "c", dict(strides=[2, 2])), ("Add", "p c", "y"),
        W=draw(4, 4, 1, 1), shape=(None, 4, None, None)),
    "nothing known, sum": graph_of(
        ("Conv", "x W", "c"), ("Add", "x c", "y"), W=draw(4, 4, 1, 1),
        shape=(None,) * 4),
    "nothing known, flat sum": graph_of(
        ("Flatten", "x", "f"), ("Gemm", "f W", "g"), ("Add", "g f", "s"),
        ("MatMul", "s V", "y"), W=draw(144, 144), V=draw(144, 2),
        shape=(None, 4, None, None)),
    "nothing known, flat twice": graph_of(
        ("Flatten", "x", "f"), ("Tanh", "f", "t"), ("Add", "f t", "s"),
        ("MatMul", "s V", "y"), V=draw(144, 2), shape=(None, 4, None, None)),
    "nothing known, vectors": graph_of(("Gemm", "x W", "y", dict(transB=1)),
                                       W=V, shape=(None, None)),
    "nothing known, norm": graph_of(
        ("Relu", "x", "r"), ("BatchNormalization", "r s b m v", "y"),
        s=draw(4), b=draw(4), m=draw(4), v=draw(4) + 2, shape=(None,) * 4)}


@onnxruntime_too
@pytest.mark.parametrize("form", FORMS)
def test_a_form_is_read_as_it_is_run(form):
    file = FORMS[form].SerializeToString()
    kind = FORMS[form].graph.input[0].type.tensor_type
    X = draw(3, *[d.dim_value or n for d, n in
                  zip(kind.shape.dim[1:], (4, 6, 6))],
             dtype=helper.tensor_dtype_to_np_dtype(kind.elem_type))
    Y = from_onnx(file)(last(X))
    np.testing.assert_allclose(Y, last(in_onnxruntime(file, X)), rtol=1e-4,
                               atol=1e-5)
    assert Y.dtype == X.dtype


def test_a_group_norm_asks_for_a_newer_version():
    layer = nn.GroupNorm(4, 2)
    versions = [proto.opset_import[0].version for proto in (
        to_onnx(nn.ReLU(), (6, 6, 4)), to_onnx(layer, (6, 6, 4)))]
    assert versions == [18, 21]


def one(kind, *inputs, opset=17, shape=("m", 4, 6, 6), **settings):
    "A graph of one operator; its `inputs` after x are weights."
    weights = {f"w{i}": A for i, A in enumerate(inputs)}
    return graph_of((kind, " ".join(["x", *weights]), "y", settings),
                    opset=opset, shape=shape, **weights)


def masked():
    proto = graph_of(("Dropout", "x", "a"), ("Relu", "mask", "y"))
    proto.graph.node[0].output.append("mask")
    return proto


NORM = draw(4), draw(4), draw(4), draw(4) + 2
REFUSED = {
    "Conv, SAME": (one("Conv", W, auto_pad="SAME_UPPER"),
                   "Conv 'y', auto_pad must be .* got SAME_UPPER"),
    "MaxPool, SAME": (one("MaxPool", kernel_shape=[2, 2],
                          auto_pad="SAME_LOWER"), "auto_pad .*SAME_LOWER"),
    "Conv, strides": (one("Conv", W, strides=[1, 2]),
                      r"strides must be two equal .* got \[1, 2\]"),
    "Conv, dilations": (one("Conv", W, dilations=[2, 1]), "dilations must"),
    "Conv, oblong": (one("Conv", draw(5, 4, 3, 2)), r"kernel.*\[?3, 2"),
    "Conv, other kernel": (one("Conv", W, kernel_shape=[2, 2]),
                           "kernel_shape"),
    "Conv, 1D": (one("Conv", draw(5, 4, 3), shape=("m", 4, 6)), "got 3 axes"),
    "Conv, 3D": (one("Conv", draw(5, 4, 3, 3, 3), shape=(1, 4, 6, 6, 6)),
                 "got 5 axes"),
    "Conv, weights of 3 axes": (one("Conv", draw(5, 4, 3)), "4 axes"),
    "Conv, channels": (one("Conv", draw(5, 3, 3, 3)), "4 channels"),
    "Conv, group": (one("Conv", draw(5, 2, 3, 3), group=2), "group"),
    "Conv, group 0": (one("Conv", W, group=0), "group"),
    "Conv, too large": (one("Conv", draw(5, 4, 9, 9)), "must fit"),
    "Conv, float64 weights": (one("Conv", W.astype(np.float64)), "float64"),
    "ConvTranspose, output_shape": (
        one("ConvTranspose", draw(4, 2, 2, 2), output_shape=[8, 8]),
        "output_shape"),
    "ConvTranspose, pads": (
        one("ConvTranspose", draw(4, 2, 2, 2), pads=[0, 1, 0, 1]), "pads"),
    "ConvTranspose, output_padding": (
        one("ConvTranspose", draw(4, 2, 2, 2), output_padding=[1, 1]),
        "output_padding"),
    "MaxPool, ceil_mode": (one("MaxPool", kernel_shape=[2, 2], ceil_mode=1),
                           "ceil_mode must be 0; got 1"),
    "MaxPool, storage_order": (one("MaxPool", kernel_shape=[2, 2],
                                   storage_order=1), "storage_order"),
    "MaxPool, dilations": (one("MaxPool", kernel_shape=[2, 2],
                               dilations=[2, 2]), "dilations"),
    "MaxPool, oblong": (one("MaxPool", kernel_shape=[2, 3]), "kernel_shape"),
    "MaxPool, wide pads": (one("MaxPool", kernel_shape=[2, 2],
                               pads=[2, 0, 0, 0]), "pads"),
    "AveragePool, pads": (one("AveragePool", kernel_shape=[2, 2],
                              pads=[1] * 4), "count_include_pad must be 1"),
    "AveragePool, 1D": (one("AveragePool", kernel_shape=[2],
                            shape=(1, 4, 6)), "3 axes"),
    "Flatten, 2": (one("Flatten", axis=2), "Flatten 'y', axis must be 1; "
                   "got 2"),
    "Flatten, 0": (one("Flatten", axis=0), "axis must be 1"),
    "Reshape, elsewhere": (one("Reshape", ints(0, 36, -1)), "shape must"),
    "Reshape, one row": (one("Reshape", ints(1, -1)), "shape must"),
    "Reshape, other n": (one("Reshape", ints(-1, 72)), "shape must"),
    "Reshape, to images": (one("Reshape", ints(0, 2, 2, 1),
                               shape=("m", 4)), "shape must"),
    "Reshape, allowzero": (one("Reshape", ints(0, -1), allowzero=1,
                               opset=14), "shape must"),
    "ReduceMean, of all": (one("ReduceMean"), "axes must"),
    "ReduceMean, of one": (one("ReduceMean", axes=[2]), "axes must"),
    "ReduceMean, of channels": (one("ReduceMean", axes=[1, 2]), "axes must"),
    "Squeeze, of all": (one("Squeeze"), "axes must"),
    "Transpose alone": (one("Transpose", perm=[0, 2, 3, 1]), "unfinished"),
    "Transpose of the batch": (one("Transpose", perm=[1, 0, 2, 3]), "perm"),
    "Transpose, then Relu": (
        graph_of(("Transpose", "x", "t", dict(perm=[0, 2, 3, 1])),
                 ("Relu", "t", "y")), "Relu"),
    "Transpose, then Flatten": (
        graph_of(("Transpose", "x", "t", dict(perm=[0, 3, 2, 1])),
                 ("Flatten", "t", "y")), "order of the axes"),
    "Pad, reflect": (one("Pad", ints(0, 0, 1, 1, 0, 0, 1, 1),
                         mode="reflect"), "mode must be constant; got ref"),
    "Pad, channels": (one("Pad", ints(0, 1, 0, 0, 0, 0, 0, 0)), "pads"),
    "Pad, cropped": (one("Pad", ints(0, 0, -1, 0, 0, 0, 0, 0)), "pads"),
    "Softmax, width": (one("Softmax"), "axis must"),
    "Softmax, old": (one("Softmax", opset=11), "axis must"),
    "LogSoftmax": (one("LogSoftmax", axis=1), "LogSoftmax"),
    "Clip, max": (one("Clip", np.float32(0), np.float32(6)), "max must be"),
    "Clip, min": (one("Clip", np.float32(-1)), "min must be 0"),
    "Clip, none": (one("Clip"), "min must be 0"),
    "Gemm, transA": (one("Gemm", draw(3, 7), transA=1, shape=(3, 4)),
                     "transA must be 0; got 1"),
    "Gemm, bias": (one("Gemm", V.T, draw(3, 7), shape=(3, 4)), "C must be"),
    "Gemm, features": (one("Gemm", draw(5, 7), shape=("m", 4)),
                       "vectors of 5"),
    "MatMul of images": (one("MatMul", draw(6, 5)), "vectors of 6"),
    "MatMul, the other": (graph_of(("MatMul", "W x", "y"), W=V,
                                   shape=(4, 4)), "first input"),
    "Max of a branch": (graph_of(("Tanh", "x", "a"), ("Max", "x a", "y")),
                        "the other one must be a constant"),
    "PRelu, by channel": (one("PRelu", draw(4, 1, 1)), "slope must be one"),
    "Max, 1": (one("Max", np.float32(1)), "the other one must be 0; got 1"),
    "Mul alone": (one("Mul", np.float32(2)), "unfinished"),
    "Mul by channel": (one("Mul", draw(4, 1, 1)), "what multiplies"),
    "Mul, then Relu": (graph_of(("Mul", "x s", "a"), ("Relu", "a", "y"),
                                s=np.float32(2)), "Tanh; got Relu"),
    "Mul of branches": (graph_of(("Relu", "x", "a"), ("Mul", "x a", "y")),
                        "what multiplies"),
    "Add alone": (one("Add", np.float32(2)), "bias of"),
    "Add, by pixel": (graph_of(("Conv", "x W", "c"), ("Add", "c b", "y"),
                               W=W, b=draw(4)), "bias"),
    "Add of different sizes": (
        graph_of(("GlobalAveragePool", "x", "a"), ("Add", "x a", "y")),
        "same shape"),
    "not series-parallel": (
        graph_of(("Relu", "x", "a"), ("Tanh", "a", "b"), ("Add", "x b", "s"),
                 ("LeakyRelu", "a", "c"), ("Add", "s c", "y")),
        r"two branches must be apart .* got \['a'\] in both"),
    "a bias and what had none": (
        graph_of(("Conv", "x W", "c"), ("Add", "c b", "d"),
                 ("Add", "c d", "y"), W=W, b=draw(5, 1, 1)), "in both"),
    "training": (one("BatchNormalization", *NORM, training_mode=1),
                 "training_mode must be 0; got 1|outputs"),
    "spatial": (one("BatchNormalization", *NORM, spatial=0, opset=8),
                "spatial"),
    "old training": (one("BatchNormalization", *NORM, opset=6), "is_test"),
    "BatchNormalization, sizes": (
        one("BatchNormalization", *(A[:3] for A in NORM)), "4 numbers"),
    "GroupNormalization, groups": (
        one("GroupNormalization", *NORM[:2], num_groups=3, opset=21),
        "num_groups must be a divisor of 4"),
    "GroupNormalization, sizes": (
        one("GroupNormalization", *(A[:2] for A in NORM[:2]), num_groups=2,
            opset=21), "4 numbers"),
    "GroupNormalization, old": (
        one("GroupNormalization", *(A[:2] for A in NORM[:2]), num_groups=2,
            opset=18), "deprecated"),
    "GroupNormalization, in half": (
        one("GroupNormalization", *NORM[:2], num_groups=2, stash_type=10,
            opset=21), "stash_type must be 1"),
    "Dropout that trains": (one("Dropout", np.float32(0.5), np.array(True)),
                            "training_mode must be False"),
    "the mask of Dropout": (masked(), "first outputs"),
    "Cast": (one("Cast", to=TensorProto.DOUBLE), "to must be .* got double"),
    "Shape": (one("Shape"), "a constant"),
    "If": (graph_of(("If", "c", "y", dict(
        then_branch=one("Relu").graph, else_branch=one("Tanh").graph)),
        c=np.array(True)), "If"),
    "a constant": (graph_of(("Identity", "W", "y"), W=W), "a constant"),
    "Sigmoid": (one("Sigmoid"), "Sigmoid"),
    "Concat": (graph_of(("Concat", "x x", "y", dict(axis=1))), "Concat"),
    "InstanceNormalization": (
        one("InstanceNormalization", draw(4), draw(4)), "InstanceNorm"),
    "quantized": (one("QuantizeLinear", np.float32(1), np.uint8(0)),
                  "QuantizeLinear"),
    "dequantized": (graph_of(("DequantizeLinear", "q s", "W"),
                             ("Conv", "x W", "y"), q=np.ones(
                                 (5, 4, 3, 3), np.int8), s=np.float32(1)),
                    "DequantizeLinear"),
    "opset 5": (one("Relu", opset=5), "version"),
    "opset 999": (one("Relu", opset=999), "version|opset"),
    "int32": (graph_of(("Identity", "x", "y"), dtype=np.int32), "int32")}


@pytest.mark.parametrize("form", REFUSED)
def test_what_has_no_twin_is_refused_when_it_is_read(form):
    proto, words = REFUSED[form]
    with pytest.raises(ValueError, match=words):
        from_onnx(proto)


def changed(change):
    "A small model, once `change` has been done to it."
    proto = one("Relu")
    change(proto)
    return proto


def other_input(proto):
    proto.graph.input.append(helper.make_tensor_value_info(
        "x2", TensorProto.FLOAT, (1, 4, 6, 6)))


def other_output(proto):
    proto.graph.output.append(helper.make_tensor_value_info(
        "x", TensorProto.FLOAT, (1, 4, 6, 6)))


def other_domain(proto):
    proto.graph.node[0].domain = "com.example"
    proto.opset_import.append(helper.make_opsetid("com.example", 1))


def bfloat16(proto):
    for value in [*proto.graph.input, *proto.graph.output]:
        value.type.tensor_type.elem_type = TensorProto.BFLOAT16


@pytest.mark.parametrize("change, words", [
    (other_input, r"inputs of the graph .*\['x', 'x2'\]"),
    (other_output, "outputs of the graph"), (bfloat16, "bfloat16"),
    (other_domain, "com.example"),
    (lambda p: p.graph.node[0].attribute.append(
        helper.make_attribute("leak", 1.0)), "leak"),
    (lambda p: p.graph.ClearField("node"), "ONNX file|output"),
    (lambda p: p.ClearField("graph"), "ONNX file"),
    (lambda p: p.ClearField("opset_import"), "ONNX file|version"),
    (lambda p: p.graph.input[0].type.tensor_type.ClearField("shape"), "ONNX file|axes")],
    ids=lambda v: getattr(v, "__name__", None))
def test_a_graph_of_another_kind_is_refused(change, words):
    with pytest.raises(ValueError, match=words):
        from_onnx(changed(change))


def test_a_local_function_is_read_in_its_place():
    inside = helper.make_function(
        "mine", "Twice", ["a"], ["c"], [
            helper.make_node("Relu", ["a"], ["b"]),
            helper.make_node("Tanh", ["b"], ["c"])],
        [helper.make_opsetid("", 17)])
    proto = one("Relu")
    proto.graph.node[0].op_type, proto.graph.node[0].domain = "Twice", "mine"
    proto.functions.append(inside)
    proto.opset_import.append(helper.make_opsetid("mine", 1))
    X = draw(2, 6, 6, 4)
    np.testing.assert_allclose(from_onnx(proto)(X), np.tanh(
        np.maximum(X, 0)), rtol=1e-6)


def test_what_may_be_given_and_is_not_changed(tmp_path):
    proto = one("Conv", W)
    before = proto.SerializeToString()
    path = tmp_path / "a.onnx"
    path.write_bytes(before)
    X = draw(2, 6, 6, 4)
    results = [from_onnx(file)(X) for file in (proto, before, path,
                                               str(path))]
    assert all(np.array_equal(results[0], Y) for Y in results)
    assert proto.SerializeToString() == before
    state = torch.random.get_rng_state()
    from_onnx(proto)
    assert torch.equal(state, torch.random.get_rng_state())


def test_files_that_are_not_there_or_are_no_files(tmp_path):
    with pytest.raises(FileNotFoundError):
        from_onnx(tmp_path / "nothing.onnx")
    with pytest.raises(TypeError, match="path must be"):
        from_onnx(3)
    for data in b"", b"not a graph", b"\x08\x08":
        (tmp_path / "a.onnx").write_bytes(data)
        with pytest.raises(ValueError, match="path must be an ONNX file"):
            from_onnx(tmp_path / "a.onnx")


def test_weights_in_a_file_beside_it(tmp_path):
    X, path = draw(2, 6, 6, 4), tmp_path / "a.onnx"
    onnx.save(one("Conv", W), path, save_as_external_data=True,
              location="a.onnx.data", size_threshold=0)
    beside = tmp_path / "a.onnx.data"
    assert beside.stat().st_size == W.nbytes
    assert np.array_equal(from_onnx(path)(X), from_onnx(one("Conv", W))(X))
    for damage in (lambda: beside.write_bytes(beside.read_bytes()[:-9]),
                   beside.unlink):
        damage()
        with pytest.raises(ValueError, match="a.onnx"):
            from_onnx(path)


@pytest.mark.parametrize("seed", range(300))
def test_damaged_bytes_give_an_error_in_words_or_a_network(seed):
    rng = np.random.default_rng(seed)
    form = sorted(FORMS)[seed % len(FORMS)]
    data = bytearray(FORMS[form].SerializeToString())
    if seed % 3 == 0:
        data = data[:rng.integers(len(data))]
    else:
        for place in rng.integers(len(data), size=rng.integers(1, 4)):
            data[place] ^= 1 << rng.integers(8)
    try:
        assert isinstance(from_onnx(bytes(data)), nn.Layer)
    except ValueError:
        pass
