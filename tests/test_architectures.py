"""The architectures against what their papers publish, and the readers of
MNIST and CIFAR-10 on files that these tests write and then spoil."""
import gzip

import numpy as np
import pytest

from cnnbook import architectures as arch
from cnnbook import nn
from cnnbook.images import read_cifar10, read_idx, read_mnist


def generator(seed=0):
    return np.random.default_rng(seed)


# ---- the networks ----

def counts(model, shape):
    rows = nn.summary(model, shape)
    return [row.parameters for row in rows], [row.multiply_adds
                                              for row in rows]


def test_lenet5_has_the_published_counts():
    sizes, work = counts(arch.lenet5(generator()), (32, 32, 1))
    assert [n for n in sizes if n] == [156, 12, 1516, 32, 48120, 10164]
    # connections: products and biases, layer by layer
    C1, S2, C3, S4, C5, F6 = [w for w in work if w][:6]
    assert C1 + 6 * 28**2 == 122304 and S2 + 6 * 14**2 == 5880
    assert C3 + 16 * 10**2 == 151600 and S4 + 16 * 5**2 == 2000
    assert C5 + 120 == 48120 and F6 + 84 == 10164


def test_the_network_of_1989_has_the_published_counts():
    sizes, work = counts(arch.lenet1989(generator()), (16, 16, 1))
    assert sum(sizes) == 9760 and sum(work) + 40 == 64660


def test_the_table_of_C3():
    table = [sorted(row) for row in arch.C3_TABLE]
    assert len(table) == 16 and sum(map(len, table)) == 60
    assert len({tuple(row) for row in table}) == 16
    assert all(sum(c in row for row in table) == 10 for c in range(6))


def test_the_codes_are_different_drawings():
    codes = arch.digit_codes()
    assert codes.shape == (10, 84) and set(np.unique(codes)) == {-1, 1}
    distances = ((codes[:, None] - codes) ** 2).sum(axis=2)
    assert np.all(distances[~np.eye(10, dtype=bool)] > 0)


@pytest.mark.parametrize("make, shape", [
    (arch.lenet1989, (16, 16, 1)), (arch.lenet5, (32, 32, 1))])
def test_the_weights_are_as_in_the_papers(make, shape):
    model = make(generator())
    for _, layer in model.walk():
        if isinstance(layer, nn.Linear):
            W = layer.params["W"]
            assert abs(W).max() <= 2.4 / len(W) < 1.1 * abs(W).max()
    out = nn.outputs(model, generator().normal(size=(3, *shape)
                                               ).astype(np.float32))
    assert out.shape == (3, 10) and out.dtype == np.float32


@pytest.mark.parametrize("make", [arch.small_vgg, arch.small_resnet])
@pytest.mark.parametrize("norm", [True, False])
def test_the_small_networks(make, norm):
    model = make(3, 5, width=4, stages=2, norm=norm, rng=generator())
    X = generator().normal(size=(4, 9, 8, 3)).astype(np.float32)
    Z = model(X, train=True)
    assert Z.shape == (4, 5) and Z.dtype == np.float32
    assert model.backward(Z).shape == X.shape
    kinds = [type(layer) for _, layer in model.walk()]
    assert (nn.BatchNorm2D in kinds) == norm
    assert (nn.Residual in kinds) == (make is arch.small_resnet)
    assert all(("b" in layer.params) != norm for _, layer in model.walk()
               if type(layer) is nn.Conv2D)


def test_without_shortcuts_the_layers_are_the_same():
    sizes = [sum(W.size for _, layer in arch.small_resnet(
        1, 4, blocks=2, stages=1, shortcut=shortcut, rng=generator()).walk()
        for W in layer.params.values()) for shortcut in (True, False)]
    assert sizes[0] == sizes[1]


def test_the_gradient_of_a_small_resnet():
    model = arch.small_resnet(1, 3, width=2, rng=generator())
    for _, layer in list(model.walk()):
        for kept in layer.params, layer.buffers:
            kept.update((k, v.astype(float)) for k, v in kept.items())
        layer.layers.update((k, nn.Tanh()) for k, v in layer.layers.items()
                            if type(v) is nn.ReLU)      # it has a corner
    X = generator(1).normal(size=(3, 6, 6, 1))
    errors = nn.check_layer(model, X, generator(2), train=True, tol=1e-5)
    assert len(errors) > 10


def test_a_table_keeps_what_is_not_joined_at_zero():
    layer = arch.TableConv2D(3, [(0,), (1, 2)], 3, rng=generator())
    optimizer = nn.Adam(layer, 0.1, weight_decay=0.1)
    X = generator().normal(size=(4, 6, 6, 3)).astype(np.float32)
    for _ in range(3):
        layer.backward(layer(X, train=True))
        optimizer.step()
    W = layer.params["W"]
    assert not W[:, :, 1:, 0].any() and not W[:, :, 0, 1].any()
    assert W[:, :, 0, 0].all() and W[:, :, 1:, 1].all()
    with pytest.raises(ValueError, match="table must hold channels"):
        arch.TableConv2D(3, [(0, 3)], 3, rng=generator())


def test_augmentation_leaves_its_input_alone():
    X = generator().normal(size=(5, 6, 7, 2)).astype(np.float32)
    X.flags.writeable = False
    cut = arch.random_crop(X, 4, generator())
    assert cut.shape == (5, 4, 4, 2) and cut.dtype == np.float32
    assert arch.jitter_contrast(X, 0.2, generator()).dtype == np.float32
    assert arch.center_crop(X, 4).shape == (5, 4, 4, 2)
    assert arch.random_crop(X[:0], 4, generator()).shape == (0, 4, 4, 2)
    assert arch.enlarge(X[:0], 2, 1).shape == (0, 14, 16, 2)
    ratio = arch.jitter_contrast(X, 0.2, generator()) / X
    assert np.allclose(ratio, ratio[:, :1, :1, :1], rtol=1e-5)


# ---- the readers ----

DTYPES = {8: "u1", 9: "i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}


def idx(array, code):
    sizes = np.array(array.shape, ">u4").tobytes()
    return bytes([0, 0, code, array.ndim]) + sizes + array.astype(
        DTYPES[code]).tobytes()


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("code", DTYPES)
@pytest.mark.parametrize("shape", [(3,), (2, 3), (2, 3, 4), (0, 3, 4)])
def test_idx_of_every_type(tmp_path, code, shape, packed):
    array = generator().integers(0, 100, shape)
    data = idx(array, code)
    (tmp_path / "a").write_bytes(gzip.compress(data) if packed else data)
    got = read_idx(tmp_path / "a")
    assert np.array_equal(got, array) and got.dtype.isnative
    assert got.dtype == np.dtype(DTYPES[code]).newbyteorder("=")


@pytest.mark.parametrize("packed", [False, True])
def test_idx_cut_anywhere_is_an_error(tmp_path, packed):
    data = idx(generator().integers(0, 256, (2, 3, 4)), 8)
    data = gzip.compress(data) if packed else data
    for end in range(len(data)):
        (tmp_path / "a").write_bytes(data[:end])
        with pytest.raises(ValueError, match="a (is|must)"):
            read_idx(tmp_path / "a")


@pytest.mark.parametrize("data, reason", [
    (b"\0\0\x07\1" + 5 * b"\0", "not an IDX file"),
    (b"\0\1\x08\1" + 5 * b"\0", "not an IDX file"),
    (b"P5 28 28 255", "not an IDX file"),
    (b"\0\0\x08\2" + 8 * b"\xff", "announces"),
    (b"\0\0\x08\1\0\0\0\1ab", "more")])
def test_idx_of_another_kind_is_an_error(tmp_path, data, reason):
    (tmp_path / "a").write_bytes(data)
    with pytest.raises(ValueError, match=reason):
        read_idx(tmp_path / "a")


def test_a_spoiled_gzip_file_is_an_error(tmp_path):
    data = bytearray(gzip.compress(idx(np.arange(2000) % 251, 8)))
    for place in range(10, len(data), 37):
        spoiled = data.copy()
        spoiled[place] ^= 0xFF
        (tmp_path / "a").write_bytes(spoiled)
        with pytest.raises(ValueError):
            read_idx(tmp_path / "a")


def test_mnist_of_two_files(tmp_path):
    pixels = generator().integers(0, 256, (4, 28, 28))
    (tmp_path / "i").write_bytes(gzip.compress(idx(pixels, 8)))
    (tmp_path / "l").write_bytes(idx(np.array([5, 0, 4, 1]), 8))
    X, labels = read_mnist(tmp_path / "i", tmp_path / "l")
    assert X.shape == (4, 28, 28, 1) and X.dtype == np.float32
    assert np.allclose(X[..., 0] * 255, pixels, atol=1e-4)
    assert labels.tolist() == [5, 0, 4, 1]
    (tmp_path / "l").write_bytes(idx(np.array([5, 0, 4]), 8))
    with pytest.raises(ValueError, match="l must hold 4 labels.* got 3"):
        read_mnist(tmp_path / "i", tmp_path / "l")
    (tmp_path / "l").write_bytes(idx(np.array([5, 0, 4, 1]), 13))
    with pytest.raises(ValueError, match="l must hold bytes with 1 axes"):
        read_mnist(tmp_path / "i", tmp_path / "l")
    with pytest.raises(FileNotFoundError):
        read_mnist(tmp_path / "none", tmp_path / "l")


@pytest.mark.parametrize("packed", [False, True])
def test_cifar10(tmp_path, packed):
    planes = generator().integers(0, 256, (5, 3, 32, 32), np.uint8)
    labels = np.array([0, 9, 3, 3, 1], np.uint8)
    data = np.hstack([labels[:, None], planes.reshape(5, -1)]).tobytes()
    (tmp_path / "b").write_bytes(gzip.compress(data) if packed else data)
    X, got = read_cifar10(tmp_path / "b", str(tmp_path / "b"))
    assert X.shape == (10, 32, 32, 3) and X.dtype == np.float32
    assert np.allclose(X[7, :, :, 1] * 255, planes[2, 1], atol=1e-4)
    assert got.tolist() == 2 * labels.tolist()


@pytest.mark.parametrize("data, reason", [
    (b"", "3073"), (bytes(3072), "3073"), (bytes(3074), "3073"),
    (b"\x0a" + bytes(3072), "labels from 0 to 9; got 10")])
def test_cifar10_of_another_kind_is_an_error(tmp_path, data, reason):
    (tmp_path / "b").write_bytes(data)
    with pytest.raises(ValueError, match=reason):
        read_cifar10(tmp_path / "b")
    with pytest.raises(ValueError, match="paths must name"):
        read_cifar10()
