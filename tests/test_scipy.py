"""The loops of the book against NumPy and SciPy, over many random cases."""
import numpy as np
import pytest
from scipy import signal

from cnnbook.convolution1d import conv1d
from cnnbook.convolution2d import conv2d, separate
from cnnbook.conv_layer import conv_forward
from cnnbook.padding import BORDERS, dilate, pad_axes, zero_pad

MODES = "full", "same", "valid"
# what NumPy and SciPy call our borders
NUMPY_NAMES = dict(zip(BORDERS, ("constant", "reflect", "edge", "wrap")))


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize("mode", MODES)
def test_conv1d_against_numpy_and_scipy(rng, mode):
    for _ in range(200):
        n, s = rng.integers(1, 20), rng.integers(1, 5)
        x, w = rng.normal(size=n), rng.normal(size=rng.integers(1, n + 1))
        y = conv1d(x, w, mode, s)
        # NumPy keeps the left one of two middles for 'same', SciPy too
        for expected in np.convolve(x, w, mode), signal.convolve(x, w, mode):
            np.testing.assert_allclose(y, expected[::s], atol=1e-12)


def test_conv1d_with_a_number_of_zeros(rng):
    for _ in range(200):
        n, p, s = rng.integers(1, 20), rng.integers(0, 6), rng.integers(1, 5)
        x, w = rng.normal(size=n), rng.normal(size=rng.integers(1, n + 1))
        expected = np.convolve(np.pad(x, p), w, "valid")[::s]
        np.testing.assert_allclose(conv1d(x, w, p, s), expected, atol=1e-12)


def test_without_the_flip_it_is_a_correlation(rng):
    for _ in range(100):
        n = rng.integers(1, 15)
        x, w = rng.normal(size=n), rng.normal(size=rng.integers(1, n + 1))
        np.testing.assert_allclose(conv1d(x, w[::-1], "full"),
                                   signal.correlate(x, w, "full"), atol=1e-12)


@pytest.mark.parametrize("mode", MODES)
def test_conv2d_against_scipy(rng, mode):
    for _ in range(60):
        n = rng.integers(1, 9, 2)
        # only 'valid' asks that the kernel be no larger than the image
        largest = n if mode == "valid" else 6
        X, W = rng.normal(size=n), rng.normal(size=rng.integers(
            1, largest + 1, 2))
        s_H, s_W = rng.integers(1, 4, 2)
        expected = signal.convolve2d(X, W, mode)[::s_H, ::s_W]
        np.testing.assert_allclose(conv2d(X, W, mode, (s_H, s_W)), expected,
                                   atol=1e-12)


def test_conv2d_with_a_number_of_zeros(rng):
    for _ in range(60):
        (p_H, p_W), (s_H, s_W) = rng.integers(0, 4, 2), rng.integers(1, 4, 2)
        n = rng.integers(1, 9, 2)
        X, W = rng.normal(size=n), rng.normal(size=rng.integers(1, n + 1))
        X_pad = np.pad(X, ((p_H, p_H), (p_W, p_W)))
        expected = signal.convolve2d(X_pad, W, "valid")[::s_H, ::s_W]
        np.testing.assert_allclose(conv2d(X, W, (p_H, p_W), (s_H, s_W)),
                                   expected, atol=1e-12)


@pytest.mark.parametrize("border, boundary", [
    ("zeros", "fill"), ("circular", "wrap")])
def test_conv2d_with_another_border(rng, border, boundary):
    for _ in range(30):
        n = rng.integers(5, 9, 2)
        X, W = rng.normal(size=n), rng.normal(size=(3, 5))
        wide = pad_axes(X, {0: 1, 1: 2}, border)
        np.testing.assert_allclose(
            conv2d(wide, W), signal.convolve2d(X, W, "same", boundary),
            atol=1e-12)


def test_the_two_halves_of_a_separable_kernel(rng):
    for _ in range(30):
        u, v = rng.normal(size=(2, 4))
        X = rng.normal(size=(7, 8))
        column, row = separate(np.outer(u, v))
        np.testing.assert_allclose(
            conv2d(conv2d(X, row, "full"), column, "full"),
            signal.convolve2d(X, np.outer(u, v)), atol=1e-12)


def test_zero_pad_against_numpy(rng):
    for _ in range(50):
        X, pad = rng.normal(size=rng.integers(1, 5, 4)), rng.integers(0, 4)
        expected = np.pad(X, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
        assert np.array_equal(zero_pad(X, pad), expected)


@pytest.mark.parametrize("border", BORDERS)
def test_pad_axes_against_numpy(rng, border):
    for _ in range(100):
        shape = rng.integers(1, 6, size=rng.integers(1, 6))
        X = rng.normal(size=shape)
        widths = {axis: tuple(int(k) for k in rng.integers(
            0, n if border == "reflect" else 3 * n, 2))
            for axis, n in enumerate(shape) if rng.random() < 0.7}
        pairs = [widths.get(axis, (0, 0)) for axis in range(len(shape))]
        # an axis counted from the end is the same axis
        widths = {axis - len(shape) if rng.random() < 0.5 else axis: pair
                  for axis, pair in widths.items()}
        assert np.array_equal(pad_axes(X, widths, border),
                              np.pad(X, pairs, NUMPY_NAMES[border]))


def test_dilate_against_the_product_of_kronecker(rng):
    for _ in range(50):
        d = int(rng.integers(1, 5))
        w = rng.normal(size=rng.integers(1, 5, rng.integers(1, 3)))
        dot = np.zeros((d,) * w.ndim)
        dot[(0,) * w.ndim] = 1          # one weight, then d - 1 zeros
        kept = tuple(slice(d * (f - 1) + 1) for f in w.shape)
        assert np.array_equal(dilate(w, d), np.kron(w, dot)[kept])


def test_conv_forward_against_a_correlation_per_channel(rng):
    for _ in range(60):
        f, stride, dilation = (int(k) for k in rng.integers(1, 4, 3))
        m, n_C_prev, n_C = rng.integers(1, 4, 3)
        pad = int(rng.integers(0, 3))
        extent = dilation * (f - 1) + 1
        n_H, n_W = max(extent - 2 * pad, 1) + rng.integers(0, 5, 2)
        A_prev = rng.normal(size=(m, n_H, n_W, n_C_prev))
        W, b = rng.normal(size=(f, f, n_C_prev, n_C)), rng.normal(size=n_C)
        Z, _ = conv_forward(A_prev, W, b.reshape(1, 1, 1, n_C), {
            "stride": stride, "pad": pad, "dilation": dilation})
        for i in range(m):
            for c in range(n_C):
                z = sum(signal.correlate(
                    np.pad(A_prev[i, :, :, k], pad),
                    dilate(W[:, :, k, c], dilation), "valid")
                    for k in range(n_C_prev)) + b[c]
                np.testing.assert_allclose(
                    Z[i, :, :, c], z[::stride, ::stride], atol=1e-12)
