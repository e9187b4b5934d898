"""Networks that come and go between cnnbook, PyTorch, safetensors and ONNX,
and the chapters that use them, with and without PyTorch."""
import os
import re
import shutil
import subprocess
import sys

import nbformat
import numpy as np
import pytest

from cnnbook import nn
from cnnbook.press.resources import is_installed, needs
from conftest import FILES, ROOT
from networks import channels_first, filled, in_onnxruntime

NEEDY = [file for file in FILES
         if any(needs(cell.source) for cell in
                nbformat.read(ROOT / file, as_version=4).cells
                if cell.cell_type == "code")]

# Hides what is installed from a Python that starts with this in its path.
HIDE = """
import sys
class Hide:
    def find_spec(self, name, path=None, target=None):
        if name.partition('.')[0] in {'torch', 'onnx', 'onnxruntime',
                                      'onnxscript', 'safetensors'}:
            raise ModuleNotFoundError(f'No module named {name!r}', name=name)
sys.meta_path.insert(0, Hide())
"""

RUN = """
import sys
from nbdev.test import test_nb
sys.exit(not test_nb(sys.argv[1], save=True)[0])
"""


@pytest.fixture(scope="module")
def without(tmp_path_factory):
    "Run a chapter in a Python that has no PyTorch; return the notebook."
    folder = tmp_path_factory.mktemp("without")
    (folder / "sitecustomize.py").write_text(HIDE)
    env = {**os.environ, "MPLBACKEND": "agg", "CNNBOOK_LANG": "es,en",
           "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])}

    def ran(file):
        copy = shutil.copy(ROOT / file, folder)
        done = subprocess.run([sys.executable, "-c", RUN, copy], env=env,
                              text=True, capture_output=True)
        assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
        return nbformat.read(copy, as_version=4)
    return ran


@pytest.mark.parametrize("file", [f for f in NEEDY if re.search(
    r"1[34]_|F_", f)])
def test_without_pytorch_a_chapter_runs_and_says_what_is_missing(without,
                                                                 file):
    from cnnbook.press.editions import edition
    nb, notices = without(file), 0
    for lang, words in ("es", "Sin ejecutar"), ("en", "Not run"):
        for cell in edition(nb, lang).cells:
            text = "\n".join(str(o.get("data", "")) for o in
                             cell.get("outputs", []))
            if not (cell.cell_type == "code" and needs(cell.source)):
                continue
            notices += words in text
            if re.search(r"label: (fig|tbl)-", cell.source):
                assert words in text
    assert notices > (5 if "F_" in file else 20)
    assert "Traceback" not in str(nb)


torch = pytest.importorskip(
    "torch", reason="the optional extra 'torch' is not installed")

from cnnbook.interop.onnx import from_onnx, to_onnx
from cnnbook.interop.pytorch import (best_device, from_torch,
                                     gradients_from_torch, to_torch)
from cnnbook.interop.training import fit_torch
from cnnbook.interop.weights import load_weights, save_weights

onnx_too = pytest.mark.skipif(
    not (is_installed("onnx") and is_installed("onnxruntime")),
    reason="onnx and onnxruntime are not installed")
safetensors_too = pytest.mark.skipif(
    not is_installed("safetensors"), reason="safetensors is not installed")


def random_network(rng, dtype, n_C=3):
    "Layers of every kind, with settings at random, for 12 x 10 images."
    def r(*options):
        return options[rng.integers(len(options))]
    make = dict(rng=rng, dtype=dtype)
    groups = r(1, 2)
    layers = [
        nn.Conv2D(n_C, 4, r(1, 2, 3), pad=r(0, 1), bias=r(True, False),
                  **make),
        nn.BatchNorm2D(4, r(0.1, 0.3), dtype=dtype), nn.ReLU(),
        nn.Conv2D(4, 8, 3, stride=r(1, 2), pad=r(1, 2), dilation=r(1, 2),
                  groups=groups, **make),
        nn.LeakyReLU(0.1)]
    inner = nn.Sequential(nn.Conv2D(8, 6, 3, pad=1, **make),
                          nn.BatchNorm2D(6, dtype=dtype), nn.Tanh(),
                          nn.GroupNorm(6, r(1, 2), dtype=dtype))
    layers += [
        nn.Residual(inner, nn.Conv2D(8, 6, 1, bias=False, **make)),
        nn.ConvTranspose2D(6, 8, 3, stride=2, pad=r(0, 1),
                           output_pad=r(0, 1), groups=2, **make),
        nn.Residual(nn.Conv2D(8, 8, 3, pad=1, **make))]
    layers += [r(nn.MaxPool2D(2), nn.AvgPool2D(2), nn.MaxPool2D(2, 1))]
    shape = nn.Sequential(*layers)(np.zeros((1, 12, 10, n_C), dtype)).shape
    if rng.random() < 0.3:
        layers += [nn.GlobalAvgPool(), nn.Linear(8, 7, **make)]
    else:
        n = int(np.prod(shape[1:]))
        layers += [nn.Flatten(), nn.Linear(n, 7, **make)]
    layers += [nn.Tanh(), nn.Dropout(0.5, rng=rng),
               nn.Linear(7, 3, bias=r(True, False), **make)]
    return filled(nn.Sequential(*layers), rng)


def first(A):
    return torch.from_numpy(channels_first(A))


def without_dropout(model):
    "The same layers, with a rate of 0 in every Dropout."
    for _, layer in model.walk():
        if isinstance(layer, nn.Dropout):
            layer.rate = 0.0
    return model


CASES = pytest.mark.parametrize("seed", range(12))
TOL = {np.float64: dict(rtol=1e-9, atol=1e-11),
       np.float32: dict(rtol=2e-3, atol=2e-3)}
DTYPES = pytest.mark.parametrize("dtype", [np.float64, np.float32])


@CASES
@DTYPES
def test_values_gradients_and_running_statistics(seed, dtype):
    rng = np.random.default_rng(seed)
    model = without_dropout(random_network(rng, dtype))
    net = to_torch(model)
    X = rng.normal(size=(5, 12, 10, 3)).astype(dtype)
    for train in False, True:
        net.train(train)
        x = first(X).requires_grad_()
        net.zero_grad()
        z = net(x)
        Z = model(X, train=train)
        np.testing.assert_allclose(Z, z.detach().numpy(), **TOL[dtype])
        assert Z.dtype == dtype
        dZ = rng.normal(size=Z.shape).astype(dtype)
        z.backward(torch.from_numpy(dZ))
        dX = model.backward(dZ)
        np.testing.assert_allclose(dX, x.grad.numpy().transpose(0, 2, 3, 1),
                                   **TOL[dtype])
        theirs = gradients_from_torch(net)
        for path, layer in model.walk():
            for key, dW in layer.grads.items():
                np.testing.assert_allclose(dW, theirs[path + key],
                                           err_msg=path + key, **TOL[dtype])
        back = from_torch(net).state_dict()
        for name, value in model.state_dict().items():
            np.testing.assert_allclose(value, back[name], **TOL[dtype])


@CASES
def test_the_round_trip_keeps_every_bit(seed):
    rng = np.random.default_rng(seed)
    model = random_network(rng, np.float32)
    again = from_torch(to_torch(model))
    assert again.state_dict().keys() == model.state_dict().keys()
    for name, value in model.state_dict().items():
        got = again.state_dict()[name]
        assert got.dtype == value.dtype and np.array_equal(got, value), name
    X = rng.normal(size=(2, 12, 10, 3)).astype(np.float32)
    assert np.array_equal(again(X), model(X))


@pytest.mark.parametrize("kind", ["sgd", "nesterov", "adam", "amsgrad"])
def test_steps_of_the_optimizers(kind):
    rng = np.random.default_rng(0)
    model = without_dropout(random_network(rng, np.float64))
    net = to_torch(model).train()
    weights = [p for p in net.parameters() if p.ndim > 1]
    rest = [p for p in net.parameters() if p.ndim == 1]
    groups = [{"params": weights, "weight_decay": 0.02},
              {"params": rest, "weight_decay": 0.0}]
    if kind in ("sgd", "nesterov"):
        settings = dict(momentum=0.8, nesterov=kind == "nesterov")
        ours = nn.SGD(model, 0.05, weight_decay=0.02, **settings)
        theirs = torch.optim.SGD(groups, 0.05, **settings)
    else:
        amsgrad = kind == "amsgrad"
        ours = nn.Adam(model, 0.01, beta2=0.6, weight_decay=0.02,
                       amsgrad=amsgrad)
        theirs = torch.optim.AdamW(groups, 0.01, betas=(0.9, 0.6),
                                   amsgrad=amsgrad)
    for _ in range(5):
        X, labels = rng.normal(size=(6, 12, 10, 3)), rng.integers(0, 3, 6)
        measured = nn.train_step(model, ours, X, labels)
        theirs.zero_grad()
        loss = torch.nn.functional.cross_entropy(net(first(X)),
                                                 torch.from_numpy(labels))
        loss.backward()
        theirs.step()
        assert np.isclose(measured["cost"], loss.item(), rtol=1e-9)
    back = from_torch(net).state_dict()
    for name, value in model.state_dict().items():
        np.testing.assert_allclose(value, back[name], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("layers", [
    lambda make: [nn.Flatten()],
    lambda make: [nn.Flatten(channels_first=True)],
    lambda make: [nn.Flatten(), nn.BatchNorm2D(160), nn.ReLU()],
    lambda make: [nn.Flatten(channels_first=True), nn.BatchNorm2D(160)],
    lambda make: [nn.GroupNorm(8, 4), nn.Flatten(), nn.GroupNorm(160, 5)],
    lambda make: [nn.Flatten(), nn.GroupNorm(160, 10), nn.ReLU(),
                  nn.Linear(160, 3, **make)],
    lambda make: [nn.Flatten(channels_first=True), nn.Linear(160, 3, **make)],
    lambda make: [nn.Flatten(), nn.Softmax(), nn.Linear(160, 3, **make)],
    lambda make: [nn.GlobalAvgPool(keepdims=True)],
    lambda make: [nn.GlobalAvgPool(keepdims=True), nn.Flatten(),
                  nn.Linear(8, 3, **make), nn.Softmax()],
    lambda make: [nn.Pad2D(0, 1, 2, 3, -np.inf), nn.MaxPool2D(3, 2)],
    lambda make: [nn.Pad2D(1, 1, 0, 2), nn.AvgPool2D(2), nn.Softmax()],
    lambda make: [nn.Sequential()]])
def test_endings_frames_and_orders(layers):
    rng = np.random.default_rng(1)
    model = filled(nn.Sequential(nn.Conv2D(3, 8, rng=rng),
                                 *layers({"rng": rng})), rng)
    X = rng.normal(size=(2, 6, 7, 3)).astype(np.float32)
    net, Y = to_torch(model, 3), model(X)
    with torch.no_grad():
        Z = net(first(X)).numpy()
    assert np.allclose(np.moveaxis(Z, 1, -1), Y, rtol=1e-4, atol=1e-4)
    assert np.allclose(from_torch(net, 3)(X), Y, rtol=1e-5, atol=1e-5)


def test_the_weights_are_copies():
    model = nn.Sequential(nn.Linear(3, 2, rng=np.random.default_rng(0)))
    net = to_torch(model)
    before = model[0].params["W"].copy()
    with torch.no_grad():
        net[0].weight.zero_()
    assert np.array_equal(model[0].params["W"], before)
    back = from_torch(net)
    with torch.no_grad():
        net[0].weight.add_(1)
    assert not back[0].params["W"].any()


def test_a_network_that_begins_by_flattening_needs_its_channels():
    rng = np.random.default_rng(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(24, 3, rng=rng))
    with pytest.raises(ValueError, match="n_C must be given"):
        to_torch(model)
    X = rng.normal(size=(2, 4, 2, 3)).astype(np.float32)
    z = to_torch(model, n_C=3)(first(X)).detach().numpy()
    np.testing.assert_allclose(z, model(X), atol=1e-6)
    again = from_torch(to_torch(model, n_C=3), n_C=3)
    assert np.array_equal(again[1].params["W"], model[1].params["W"])


@pytest.mark.parametrize("module, error, words", [
    (torch.nn.Conv2d(1, 2, (3, 1)), ValueError, "kernel_size"),
    (torch.nn.Conv2d(1, 2, 3, stride=(2, 1)), ValueError, "stride"),
    (torch.nn.Conv2d(1, 2, 3, dilation=(2, 1)), ValueError, "dilation"),
    (torch.nn.Conv2d(1, 2, 3, padding_mode="reflect"), ValueError,
     "padding_mode"),
    (torch.nn.ConvTranspose2d(1, 2, 3, padding=(1, 0)), ValueError,
     "padding"),
    (torch.nn.ConvTranspose2d(1, 2, 3, output_padding=1, dilation=2),
     ValueError, "output_pad"),
    (torch.nn.MaxPool2d(2, dilation=2), ValueError, "dilation"),
    (torch.nn.MaxPool2d(2, return_indices=True), ValueError,
     "return_indices"),
    (torch.nn.AvgPool2d(2, padding=1, count_include_pad=False), ValueError,
     "count_include_pad"),
    (torch.nn.AvgPool2d(2, divisor_override=3), ValueError,
     "divisor_override"),
    (torch.nn.AvgPool2d(2, ceil_mode=True), ValueError, "ceil_mode"),
    (torch.nn.AdaptiveAvgPool2d((1, 2)), ValueError, "output_size"),
    (torch.nn.MaxPool2d(2, ceil_mode=True), ValueError, "ceil_mode"),
    (torch.nn.BatchNorm2d(3, affine=False), ValueError, "affine"),
    (torch.nn.BatchNorm2d(3, track_running_stats=False), ValueError,
     "track_running_stats"),
    (torch.nn.BatchNorm2d(3, momentum=None), ValueError, "momentum"),
    (torch.nn.Softmax(dim=2), ValueError, "dim"),
    (torch.nn.ConstantPad2d((1, -1, 0, 0), 0.0), ValueError, "right"),
    (torch.nn.Dropout2d(), TypeError, "Dropout2d"),
    (torch.nn.AlphaDropout(), TypeError, "AlphaDropout"),
    (torch.nn.Conv1d(1, 1, 1), TypeError, "Conv1d"),
    (torch.nn.Flatten(0), ValueError, "start_dim"),
    (torch.nn.LSTM(2, 2), TypeError, "LSTM")], ids=str)
def test_what_has_no_twin_here_is_refused(module, error, words):
    kind = re.escape(type(module).__name__)
    with pytest.raises(error, match=rf"net\.0 \({kind}\): .*{words}"):
        from_torch(torch.nn.Sequential(module))


def test_what_has_no_twin_there_is_refused():
    class Mine(nn.Layer):
        pass
    with pytest.raises(TypeError, match="Mine"):
        to_torch(nn.Sequential(Mine()))
    with pytest.raises(ValueError, match="gradients"):
        gradients_from_torch(torch.nn.Sequential(torch.nn.Linear(2, 2)))


@safetensors_too
def test_safetensors(tmp_path):
    rng = np.random.default_rng(3)
    model, path = random_network(rng, np.float32), tmp_path / "a.safetensors"
    save_weights(model, path)
    from safetensors.torch import load_file
    state = to_torch(model).state_dict()
    for name, tensor in load_file(path).items():        # as others read it
        assert torch.equal(tensor, state[name])
    other = random_network(np.random.default_rng(3), np.float32)
    for _, layer in other.walk():
        layer.params.update({key: value + 1 for key, value in
                             layer.params.items()})
    load_weights(other, path)
    for name, value in model.state_dict().items():
        assert np.array_equal(other.state_dict()[name], value)
    assert [p.name for p in tmp_path.iterdir()] == ["a.safetensors"]


@safetensors_too
@pytest.mark.parametrize("damage", [
    lambda data: data[:-1], lambda data: b"", lambda data: data[:20],
    lambda data: b"not a file of tensors at all", lambda data: data + b"0"])
def test_a_damaged_file_changes_nothing(tmp_path, damage):
    rng = np.random.default_rng(0)
    model = nn.Sequential(nn.Linear(5, 4, rng=rng))
    save_weights(model, tmp_path / "a")
    (tmp_path / "a").write_bytes(damage((tmp_path / "a").read_bytes()))
    before = model.state_dict()
    with pytest.raises(ValueError, match="must be a safetensors file"):
        load_weights(model, tmp_path / "a")
    assert all(model.state_dict()[k] is v for k, v in before.items())


@safetensors_too
def test_the_file_of_another_network_is_refused(tmp_path):
    rng = np.random.default_rng(0)
    save_weights(nn.Sequential(nn.Linear(5, 4, rng=rng)), tmp_path / "a")
    with pytest.raises(ValueError, match="of this network"):
        load_weights(nn.Sequential(nn.Linear(5, 3, rng=rng)), tmp_path / "a")


@onnx_too
@CASES
def test_onnx_gives_the_same(seed, tmp_path):
    rng = np.random.default_rng(seed)
    model = random_network(rng, np.float32)
    path = tmp_path / "a.onnx"
    proto = to_onnx(model, (12, 10, 3), path)
    assert path.read_bytes() == proto.SerializeToString()
    assert proto.graph.input[0].name == "images"
    for m in 1, 4:                              # any number of images
        X = rng.normal(size=(m, 12, 10, 3)).astype(np.float32)
        np.testing.assert_allclose(
            in_onnxruntime(path, channels_first(X)), model(X),
            rtol=1e-3, atol=1e-4)


@onnx_too
@CASES
def test_a_network_comes_back_from_onnx(seed, tmp_path):
    rng = np.random.default_rng(seed)
    model = random_network(rng, np.float32)
    to_onnx(model, (12, 10, 3), tmp_path / "a.onnx")
    again = from_onnx(tmp_path / "a.onnx")
    X = rng.normal(size=(3, 12, 10, 3)).astype(np.float32)
    assert np.array_equal(again(X), model(X))


def test_training_repeats_itself_and_learns():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(64, 6, 6, 1)).astype(np.float32)
    labels = (X.mean(axis=(1, 2, 3)) > 0).astype(int)
    ends = []
    for _ in range(2):
        model = nn.Sequential(
            nn.Conv2D(1, 4, 3, rng=np.random.default_rng(1)), nn.ReLU(),
            nn.GlobalAvgPool(), nn.Linear(4, 2, rng=np.random.default_rng(2)))
        net = to_torch(model)
        costs, seconds = fit_torch(net, X, labels, 15, 16, 0.03,
                                   device="cpu")
        ends.append(from_torch(net).state_dict())
    assert len(costs) == 15 and costs[-1] < 0.7 * costs[0] and seconds > 0
    assert not net.training
    for name, value in ends[0].items():
        assert np.array_equal(ends[1][name], value)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_the_gpu_gives_the_same():
    rng = np.random.default_rng(0)
    model = random_network(rng, np.float64)
    X = rng.normal(size=(3, 12, 10, 3))
    net = to_torch(model).to(best_device())
    z = net(first(X).cuda()).cpu().detach().numpy()
    np.testing.assert_allclose(z, model(X), rtol=1e-8, atol=1e-10)
    again = from_torch(net)
    assert np.array_equal(again(X), model(X))
