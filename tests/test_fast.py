"""The fast layers against the loops and against PyTorch: every algorithm,
at every setting, with any number of threads."""
import os
import pickle
import subprocess
import sys
import threading
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from cnnbook import backprop, conv_layer, fast, pooling
from cnnbook.convolution1d import conv1d as loops_conv1d
from cnnbook.convolution2d import conv2d as loops_conv2d
from cnnbook.fast import layers, signals, threads as fast_threads
from cnnbook.fast import pooling as fast_pooling
from cnnbook.fast.planner import CONV_ALGORITHMS
from cnnbook.fast.separable import rank_one
from cnnbook.fast.signals import CONV1D_ALGORITHMS, CONV2D_ALGORITHMS

TOL = {"float64": 1e-12, "float32": 2e-5, "float16": 2e-2}
LAYER = ("auto", "winograd", *CONV_ALGORITHMS)
# those of a layer of 3 x 3 kernels with stride 1 in float32
THREE = [name for name in LAYER if name != "product"]


@pytest.fixture(autouse=True)
def share_small_work(monkeypatch):
    "The layers here are small, and would not be given several threads."
    for room in layers, fast_pooling:
        monkeypatch.setattr(room, "worth_threads",
                            lambda threads, work, part: threads)


def test_the_package_offers_its_rooms_and_their_functions():
    folder = Path(fast.__file__).parent
    rooms = {p.stem for p in folder.glob("*.py")} - {"__init__"}
    assert set(dir(fast)) == rooms | set(fast.__all__)
    assert not rooms & set(fast.__all__)        # no function hides a room
    for name in fast.__all__:
        assert callable(getattr(fast, name))
    for room in rooms:
        assert getattr(fast, room).__name__ == f"cnnbook.fast.{room}"
        assert not hasattr(getattr(fast, room), room), room


def close(got, expected, factor=1):
    "Equal to rounding, relative to the largest number; NaN where NaN."
    assert got.shape == expected.shape and got.dtype == expected.dtype
    if expected.size:
        scale = np.abs(expected[np.isfinite(expected)]).max(initial=0)
        np.testing.assert_allclose(got, expected, rtol=0, atol=factor * TOL[
            expected.dtype.name] * max(float(scale), 1e-300))


def forced(function, *args, **kwargs):
    "The result, or None if this algorithm does not apply."
    try:
        return function(*args, **kwargs)
    except ValueError as error:
        assert "does not apply" in str(error)


def layer(rng, case):
    "A random layer; every third one suits Winograd."
    f, stride, pad, dilation = (int(v) for v in rng.integers(
        (1, 1, 0, 1), (6, 4, 4, 4)))
    if case % 3 == 0:
        f, stride, dilation = 3, 1, 1
    least = max(1, dilation * (f - 1) + 1 - 2 * pad)
    H, W = (int(v) for v in least + rng.integers(0, 9, 2))
    m, C, K = (int(v) for v in rng.integers((0, 1, 1), (3, 6, 6)))
    if case % 6 == 0:
        C, K = 16, 17                       # wide enough to be chosen
    dtype = ("float32", "float64", "float16")[(0, 1, 0, 1, 2)[case % 5]]
    A, w, b = (rng.standard_normal(shape).astype(dtype) for shape in (
        (m, H, W, C), (f, f, C, K), (1, 1, 1, K)))
    if case % 4 == 0:
        A = np.asfortranarray(A)
    elif case % 4 == 1:
        A = np.repeat(A, 2, axis=2)[:, :, ::2]
    for x in A, w, b:
        x.flags.writeable = False
    return A, w, b, {"stride": stride, "pad": pad, "dilation": dilation}


@pytest.mark.parametrize("case", range(36))
def test_every_algorithm_equals_the_loops(case):
    rng = np.random.default_rng(case)
    A, W, b, hp = layer(rng, case)
    Z, _ = conv_layer.conv_forward(A, W, b, hp)
    dZ = rng.standard_normal(Z.shape).astype(Z.dtype)
    dZ.flags.writeable = False
    expected = backprop.conv_backward(dZ, (A, W, b, hp))
    for name in LAYER:
        result = forced(fast.conv_forward, A, W, b, hp, algorithm=name,
                        threads=1)
        if result is None:
            continue
        got, cache = result
        close(got, Z)
        assert cache[0] is A and cache[1] is W and cache[3] is hp
        gradients = fast.conv_backward(dZ, cache, algorithm=name, threads=1)
        for x, y in zip(gradients, expected):
            close(x, y, factor=2)
        for threads in 2, 3:
            again = fast.conv_forward(A, W, b, hp, name, threads)[0]
            assert np.array_equal(again, got)
            for x, y in zip(fast.conv_backward(dZ, cache, name, threads),
                            gradients):
                assert np.array_equal(x, y)


@pytest.mark.parametrize("name", ["columns", "planes", "im2col"])
def test_a_row_cut_into_unequal_parts(name):
    "A row of windows too long for one block, in three parts, not all equal."
    rng = np.random.default_rng(0)
    A, W = rng.standard_normal((1, 6, 305, 40)), rng.standard_normal(
        (5, 5, 40, 2))
    b, hp = rng.standard_normal((1, 1, 1, 2)), {"stride": 1, "pad": 0}
    Z, cache = fast.conv_forward(A, W, b, hp, name)
    close(Z, conv_layer.conv_forward(A, W, b, hp)[0])
    for got, expected in zip(fast.conv_backward(Z, cache, name),
                             backprop.conv_backward(Z, cache)):
        close(got, expected, factor=2)


@pytest.mark.parametrize("f, stride, pad", [
    (7, 2, 3), (11, 4, 2), (4, 1, 0), (5, 3, 4), (3, 1, 1), (2, 1, 0)])
def test_first_layers_in_several_blocks(f, stride, pad):
    "Winograd along one direction, against im2col in float64."
    rng = np.random.default_rng(f)
    A = rng.standard_normal((2, 150, 131, 3), np.float32)
    W = rng.standard_normal((f, f, 3, 70), np.float32)
    b, hp = rng.standard_normal((1, 1, 1, 70), np.float32), {
        "stride": stride, "pad": pad}
    exact, _ = fast.conv_forward(*(x.astype(np.float64) for x in (A, W, b)),
                                 hp, "im2col")
    one, two = (fast.conv_forward(A, W, b, hp, "winograd1d", threads)[0]
                for threads in (1, 2))
    assert np.abs(one - exact).max() < 1e-5 * np.abs(exact).max()
    assert np.array_equal(one, two)


@pytest.mark.parametrize("f, stride", [(2, 2), (3, 2), (2, 3), (3, 1)])
@pytest.mark.parametrize("mode", ["max", "average"])
def test_each_image_is_pooled_on_its_own(mode, f, stride):
    "Many images, in several blocks, are as each one alone; also beside NaN."
    rng = np.random.default_rng(0)
    A = rng.standard_normal((41, 24, 24, 20), np.float32)
    A[5, 3, 3] = np.nan
    hp = {"f": f, "stride": stride}
    Z, cache = fast.pool_forward(A, hp, mode)
    dZ = rng.standard_normal(Z.shape, np.float32)
    dA = fast.pool_backward(dZ, cache, mode)
    for i in range(len(A)):
        z, one = fast.pool_forward(A[i:i + 1], hp, mode)
        assert np.array_equal(z[0], Z[i], equal_nan=True)
        assert np.array_equal(
            fast.pool_backward(dZ[i:i + 1], one, mode)[0], dA[i])


@pytest.mark.parametrize("name", [n for n in THREE if n != "loops"])
@pytest.mark.parametrize("shape", [(2, 40, 37, 24), (1, 1, 90, 20),
                                   (9, 5, 4, 32), (3, 1, 1, 16)])
def test_several_blocks_equal_one_product(name, shape):
    "Larger than a tile and than a block: against im2col in float64."
    rng = np.random.default_rng(0)
    A = rng.standard_normal(shape, np.float32)
    W = rng.standard_normal((3, 3, shape[3], 21), np.float32)
    b, hp = rng.standard_normal((1, 1, 1, 21), np.float32), {
        "stride": 1, "pad": 1}
    exact, cache = fast.conv_forward(*(x.astype(np.float64)
                                       for x in (A, W, b)), hp, "im2col")
    result = fast.conv_forward(A, W, b, hp, name, threads=2)
    assert np.abs(result[0] - exact).max() < 1e-5 * np.abs(exact).max()
    expected = fast.conv_backward(exact, cache, "im2col")
    got = fast.conv_backward(result[0], result[1], name)
    one = fast.conv_backward(result[0], result[1], name, threads=1)
    for x, y, z in zip(got, expected, one):
        assert np.abs(x - y).max() < 1e-5 * np.abs(y).max()
        assert np.array_equal(x, z)


@pytest.mark.parametrize("C", [16, 64, 256, 512])
def test_winograd_errs_less_than_1e_5(C):
    rng = np.random.default_rng(C)
    A = rng.standard_normal((1, 16, 16, C), np.float32)
    W = rng.standard_normal((3, 3, C, 32), np.float32)
    b, hp = np.zeros((1, 1, 1, 32), np.float32), {"stride": 1, "pad": 1}
    Z, _ = fast.conv_forward(A, W, b, hp, "winograd4")
    exact, _ = fast.conv_forward(A.astype(float), W.astype(float), b, hp,
                                 "im2col")
    assert np.abs(Z - exact).max() < 1e-5 * np.abs(exact).max()


@pytest.mark.parametrize("name", THREE)
@pytest.mark.parametrize("value", [np.nan, np.inf, 3e38, 1e-42])
def test_extreme_values_stay_where_the_loops_leave_them(name, value):
    rng = np.random.default_rng(1)
    A = rng.standard_normal((1, 9, 9, 16), np.float32)
    W = rng.standard_normal((3, 3, 16, 16), np.float32) / 100
    b, hp = np.zeros((1, 1, 1, 16), np.float32), {"stride": 1, "pad": 1}
    dZ = rng.standard_normal((1, 9, 9, 16), np.float32) / 100
    A[0, 4, 4, 3] = value
    dZ[0, 2, 2, 1] = min(value, 1e30) if value == value else value
    with np.errstate(all="ignore"):
        Z, cache = conv_layer.conv_forward(A, W, b, hp)
        gradients = backprop.conv_backward(dZ, cache)
        result = fast.conv_forward(A, W, b, hp, name)
        assert np.array_equal(np.isfinite(result[0]), np.isfinite(Z))
        got = fast.conv_backward(dZ, cache, name)
    for x, y in zip(got, gradients):
        assert np.array_equal(np.isfinite(x), np.isfinite(y))


@pytest.mark.parametrize("name", THREE)
@pytest.mark.parametrize("value", [1e6, -1e20, 9.97e36])
@pytest.mark.parametrize("place", [(0, 0), (5, 6), (17, 13)])
def test_a_huge_number_of_an_image_spoils_no_neighbor(name, value, place):
    rng = np.random.default_rng(0)
    A = rng.standard_normal((3, 19, 18, 16), np.float32)
    W = rng.standard_normal((3, 3, 16, 16), np.float32) / 10
    b, hp = np.zeros((1, 1, 1, 16), np.float32), {"stride": 1, "pad": 1}
    A[(1, *place, 3)] = value
    A[2] *= 1e-9                                # an image is not another one
    exact, size = (fast.conv_forward(*(f(x).astype(float) for x in (A, W, b)),
                                     hp, "im2col")[0]
                   for f in (np.asarray, np.abs))
    Z, _ = fast.conv_forward(A, W, b, hp, name)
    assert np.all(np.abs(Z - exact) <= 1e-4 * size)


def test_everything_huge_or_tiny():
    rng = np.random.default_rng(2)
    for scale in 1e-30, 1e30:
        A = (scale * rng.standard_normal((1, 8, 8, 16))).astype(np.float32)
        W = rng.standard_normal((3, 3, 16, 16), np.float32)
        b, hp = np.zeros((1, 1, 1, 16), np.float32), {"stride": 1, "pad": 0}
        Z, _ = conv_layer.conv_forward(A, W, b, hp)
        for name in ("winograd4", "winograd2", "columns", "planes",
                     "im2col"):
            close(fast.conv_forward(A, W, b, hp, name)[0], Z)


@pytest.mark.parametrize("case", range(24))
def test_pooling_equals_the_loops(case):
    rng = np.random.default_rng(case)
    f, s = (int(v) for v in rng.integers(1, 5, 2))
    m, C = int(rng.integers(0, 4)), int(rng.integers(1, 5))
    H, W = (int(v) for v in f + rng.integers(0, 9, 2))
    dtype = ("float64", "float32", "float16")[case % 3]
    A = rng.standard_normal((m, H, W, C))
    A = (np.round(A) if case % 2 else A).astype(dtype)      # ties
    if case % 5 == 0 and A.size:
        A[rng.random(A.shape) < 0.1] = np.nan
    if case % 4 == 0:
        A = np.asfortranarray(A)
    A.flags.writeable = False
    hp = {"f": f, "stride": s}
    for mode in "max", "average":
        Z, cache = pooling.pool_forward(A, hp, mode)
        dA = rng.standard_normal(Z.shape).astype(dtype)
        if dA.size:
            dA.flat[0] = np.inf
        expected = backprop.pool_backward(dA, cache, mode)
        results = []
        for threads in 1, 2, 3:
            got, again = fast.pool_forward(A, hp, mode, threads=threads)
            assert again[0] is A
            close(got, Z)
            results.append(fast.pool_backward(dA, again, mode,
                                              threads=threads))
            close(results[-1], expected, factor=2)
            assert np.array_equal(results[0], results[-1], equal_nan=True)


def test_pooling_of_large_images_and_windows():
    rng = np.random.default_rng(3)
    for f, s in (2, 2), (3, 2), (17, 3):
        A = rng.standard_normal((2, 70, 61, 3))
        hp = {"f": f, "stride": s}
        for mode in "max", "average":
            Z, cache = pooling.pool_forward(A, hp, mode)
            close(fast.pool_forward(A, hp, mode)[0], Z)
            close(fast.pool_backward(Z, cache, mode),
                  backprop.pool_backward(Z, cache, mode), factor=5)


def test_small_work_is_given_one_thread(monkeypatch):
    monkeypatch.undo()
    worth = fast_threads.worth_threads
    assert [worth(2, work, 10) for work in (0, 19, 20, 99)] == [1, 1, 2, 2]
    assert worth(8, 45, 10) == 4


def test_pooling_of_large_batches_in_several_threads():
    rng = np.random.default_rng(4)
    A = np.round(rng.standard_normal((9, 90, 91, 32), np.float32), 1)
    for f, s in (2, 2), (3, 2):
        hp = {"f": f, "stride": s}
        one, cache = fast.pool_forward(A, hp, threads=1)
        two, again = fast.pool_forward(A, hp, threads=2)
        assert np.array_equal(one, two)
        assert np.array_equal(cache.places, again.places)
        assert np.array_equal(fast.pool_backward(one, cache, threads=1),
                              fast.pool_backward(one, again, threads=2))


@pytest.mark.parametrize("width, f", [(31, 5), (62, 3), (63, 3), (64, 3),
                                      (126, 2), (127, 2), (300, 13)])
def test_the_places_of_maxima_fit_in_their_type(width, f):
    "The last cell of each window is the largest."
    A = np.arange(2. * (f + 3) * width).reshape(1, f + 3, width, 2)
    for s in 1, 2, f, f + 1:
        hp = {"f": f, "stride": s}
        Z, cache = fast.pool_forward(A, hp)
        assert (cache.places == (f - 1) * (width + 1)).all()
        assert np.array_equal(fast.pool_backward(Z, cache),
                              backprop.pool_backward(Z, cache))


def test_a_cache_of_pooling_is_a_tuple_with_or_without_places():
    rng = np.random.default_rng(5)
    A = rng.standard_normal((2, 9, 8, 3))
    hp = {"f": 3, "stride": 2}
    Z, cache = fast.pool_forward(A, hp)
    assert cache == (A, hp) and isinstance(cache, tuple)
    expected = fast.pool_backward(Z, cache)
    same, bare = fast.pool_forward(A, hp, places=False)
    assert np.array_equal(same, Z) and bare.places is None
    for other in bare, tuple(cache), pickle.loads(pickle.dumps(cache)):
        assert np.array_equal(fast.pool_backward(Z, other), expected)
    hp["f"], hp["stride"] = 2, 2                # of other windows: not used
    Z = fast.pool_forward(A, hp)[0]
    assert np.array_equal(fast.pool_backward(Z, cache),
                          backprop.pool_backward(Z, (A, hp)))


@pytest.mark.parametrize("f", [1, 2, 5, 33, 700])
def test_long_signals_equal_the_loops(f):
    rng = np.random.default_rng(f)
    for dtype in "float32", "float64", "float16":
        x, w = (rng.standard_normal(n).astype(dtype) for n in (5000, f))
        for p, s in ("same", 1), ("full", 1), (3, 2), (700, 3), ("valid", 7):
            expected = loops_conv1d(x, w, p, s)
            got = fast.conv1d(x, w, p, s, algorithm="toeplitz", threads=2)
            close(got, expected, factor=5)
    x[4000] = np.inf                            # it spoils its windows alone
    close(fast.conv1d(x, w), loops_conv1d(x, w), factor=5)


def outlier(n, value, rng, rest=None):
    x = rng.standard_normal(n) if rest is None else np.full(n, rest)
    x[n // 2] = value
    return x


def uneven(n, rng):
    "Signals with numbers beside which a transform would lose the others."
    line = np.linspace(0, 1, n)
    return {
        "one in ones": outlier(n, 1e20, rng, 1.), "spike": outlier(
            n, 1e20, rng, 0.), "one in noise": outlier(n, -1e20, rng),
        "fill": outlier(n, 9.97e36, rng), "decay": np.exp(-69 * line),
        "growth": np.exp(69 * line), "step": np.where(line < 0.4, 1, 1e-30),
        "mixed": np.where(np.arange(n) % 2, 1, 1e-30),
        "missing": np.where(rng.random(n) < 0.1, 9.97e36, 1),
        "land": np.where(line < 0.3, 9.97e36, rng.standard_normal(n)),
        "silence": np.where(abs(line - 0.5) < 0.3, 0,
                            rng.standard_normal(n) * 1e9),
        "huge": rng.standard_normal(n) * 1e30}


def kernels(m, rng):
    return {"noise": rng.standard_normal(m), "ones": np.ones(m),
            "peak": outlier(m, 1e15, rng, 1.),
            "bell": np.exp(-np.linspace(-7, 7, m) ** 2)}


def assert_as_the_sum(got, X, W, p, allowed):
    "Of each output, the error is small beside the sum of its magnitudes."
    exact = [np.longdouble(a) for a in (X, W)]
    direct = np.convolve if got.ndim == 1 else convolve_slowly
    expected, size = direct(*exact, p), direct(*map(abs, exact), p)
    fits = size < np.finfo(got.dtype).max / 8       # nothing can overflow
    assert np.all(abs(got - expected)[fits] <= allowed * size[fits])


def convolve_slowly(X, W, p):
    assert p == "valid"
    windows = np.lib.stride_tricks.sliding_window_view(X, W.shape)
    return np.einsum("ijkl,kl->ij", windows, W[::-1, ::-1])


@pytest.mark.parametrize("name", uneven(10, np.random.default_rng(0)))
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_fft_errs_as_the_sum_does(name, dtype):
    rng, allowed = np.random.default_rng(0), {"float64": 1e-10,
                                              "float32": 3e-5}[dtype]
    x = uneven(12_000, rng)[name].astype(dtype)
    for w in kernels(501, rng).values():
        for algorithm in "auto", "fft":
            got = fast.conv1d(x, w.astype(dtype), algorithm=algorithm)
            assert_as_the_sum(got, x, w.astype(dtype), "valid", allowed)
    if name not in ("silence", "huge"):     # these have two ends like others
        got = fast.conv1d(x, np.ones(501, dtype), "full")
        assert_as_the_sum(got, x, np.ones(501, dtype), "full", allowed)


@pytest.mark.parametrize("name", uneven(10, np.random.default_rng(0)))
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_fft_of_a_matrix_errs_as_the_sum_does(name, dtype):
    rng, allowed = np.random.default_rng(0), {"float64": 1e-10,
                                              "float32": 3e-5}[dtype]
    x = uneven(90 * 80, rng)[name].astype(dtype).reshape(90, 80)
    W = rng.standard_normal((14, 15)).astype(dtype)
    for X in x, x.T:
        assert_as_the_sum(fast.conv2d(X, W), X, W, "valid", allowed)


def test_a_dark_part_of_a_photograph_is_as_exact_as_a_bright_one():
    rng = np.random.default_rng(0)
    X = rng.random((200, 200), np.float32)
    X[50:150, 50:150] /= 255
    W = rng.random((15, 15), np.float32)
    assert_as_the_sum(fast.conv2d(X, W), X, W, "valid", 1e-5)


def test_where_all_the_window_is_zero_so_is_the_result():
    x, w = np.zeros(9000), np.random.default_rng(0).random(500)
    x[4000], X = 7, np.zeros((90, 90))
    X[:5] = 1
    z, Z = fast.conv1d(x, w, "full"), fast.conv2d(X, np.ones((14, 15)), 20)
    assert not z[:4000].any() and not z[4500:].any()
    np.testing.assert_allclose(z[4000:4500], 7 * w, rtol=1e-10)
    assert not Z[25:].any() and not Z[:, :6].any() and not Z[:6].any()


def test_infinities_spoil_their_own_windows_alone():
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal(20_000), rng.standard_normal(1001)
    expected = fast.conv1d(x, w, algorithm="toeplitz")
    x[9000], x[100] = np.inf, np.nan
    with np.errstate(all="ignore"):
        got = fast.conv1d(x, w)
    spoiled = np.zeros(19_000, bool)
    spoiled[:101] = spoiled[8000:9001] = True
    assert np.array_equal(np.isfinite(got), ~spoiled)
    np.testing.assert_allclose(got[~spoiled], expected[~spoiled], atol=1e-10)


def test_even_data_keep_the_fft(monkeypatch):
    "Noise, a photograph, a ramp, sound; smooth kernels with tiny tails."
    def fail(*args):
        raise AssertionError("not by the FFT")
    for name in "_by_toeplitz", "_by_square", "by_im2col":
        monkeypatch.setattr(signals, name, fail)
    rng, n = np.random.default_rng(0), 20_000
    sound = rng.standard_normal(n) * (1.01 + np.sin(np.linspace(0, 9, n)))
    for dtype in "float32", "float64":
        for x in rng.standard_normal(n), np.linspace(-1, 1, n), sound:
            for w in kernels(1001, rng)["noise"], np.exp(
                    -np.linspace(-26, 26, 1001) ** 2):
                fast.conv1d(x.astype(dtype), w.astype(dtype), "same")
        for X in rng.standard_normal((99, 99)), rng.integers(0, 256, (99, 99)):
            fast.conv2d(X.astype(dtype), rng.random((15, 15)).astype(dtype))


def peak_of(function, *args, **kwargs):
    "The result, and the memory in bytes that it needed at most."
    tracemalloc.start()
    try:
        return function(*args, **kwargs), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("n, m, p, s", [
    (1000, 5, 0, 10 ** 7), (1000, 500, 0, 10 ** 7), (1000, 5, 0, 999),
    (1000, 5, 10 ** 9, 10 ** 9), (1000, 7, 10 ** 8, 10 ** 7 + 1),
    (10 ** 6, 3, 0, 10 ** 5), (1000, 1000, 0, 10 ** 18)])
def test_a_huge_stride_of_a_signal_costs_what_it_gives(n, m, p, s):
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal(n), rng.standard_normal(m)
    for name in "auto", "toeplitz", "im2col":
        z, peak = peak_of(fast.conv1d, x, w, p, s, name, threads=1)
        close(z, loops_conv1d(x, w, p, s), factor=5)
        assert peak < 100_000
    with pytest.raises(ValueError, match="does not apply"):
        fast.conv1d(x, w, p, s, "fft")


@pytest.mark.parametrize("p, s, shape", [
    (0, 10 ** 7, (1, 1)), ((0, 0), (1, 10 ** 7), (298, 1)),
    ((1, 0), (10 ** 7, 2), (1, 149)), (10 ** 6, 10 ** 6, (3, 3)),
    (1, 100, (3, 3))])
def test_a_huge_stride_of_a_matrix_costs_what_it_gives(p, s, shape):
    rng = np.random.default_rng(0)
    X, W = rng.standard_normal((300, 301)), rng.standard_normal((3, 4))
    for name in "auto", "columns", "im2col":
        Z, peak = peak_of(fast.conv2d, X, W, p, s, name, threads=1)
        assert Z.shape == shape and peak < 500_000
        if np.max(p) < 10:
            close(Z, loops_conv2d(X, W, p, s), factor=5)
    assert np.max(p) < 10 or Z[1, 1] != 0 == Z[0].any()


@pytest.mark.parametrize("hp", [
    {"stride": 10 ** 7, "pad": 0}, {"stride": 10 ** 7, "pad": 1},
    {"stride": 25, "pad": 2}, {"stride": 1, "pad": 30, "dilation": 30},
    {"stride": 7, "pad": 40, "dilation": 30}])
def test_a_huge_stride_of_a_layer_costs_what_it_gives(hp):
    rng = np.random.default_rng(0)
    A, W, b = (rng.standard_normal(shape) for shape in (
        (2, 60, 50, 3), (3, 3, 3, 4), (1, 1, 1, 4)))
    Z, _ = conv_layer.conv_forward(A, W, b, hp)
    gradients = backprop.conv_backward(Z, (A, W, b, hp))
    for name in LAYER:
        result = forced(fast.conv_forward, A, W, b, hp, name)
        if result is not None:
            close(result[0], Z)
            for got, expected in zip(fast.conv_backward(Z, result[1], name),
                                     gradients):
                close(got, expected, factor=2)
    large = np.ones((1, 1000, 1000, 3))
    (Z, cache), peak = peak_of(fast.conv_forward, large, W, b, {
        "stride": 10 ** 7, "pad": 10 ** 7, "dilation": 10 ** 7})
    assert Z.shape == (1, 1, 1, 4) and peak < 100_000
    (dA, dW, _), peak = peak_of(fast.conv_backward, Z, cache)
    assert peak < 2 * large.nbytes and np.count_nonzero(dA) == 3
    assert np.count_nonzero(dW) == 3 * 4


@pytest.mark.parametrize("f", [1, 2, 3, 60])
@pytest.mark.parametrize("mode", ["max", "average"])
def test_a_huge_stride_of_pooling(f, mode):
    rng = np.random.default_rng(0)
    A = np.round(rng.standard_normal((2, 60, 70, 3)), 1)        # ties
    hp = {"f": f, "stride": 10 ** 7}
    (Z, cache), peak = peak_of(fast.pool_forward, A, hp, mode)
    close(Z, pooling.pool_forward(A, hp, mode)[0])
    close(fast.pool_backward(Z, cache, mode),
          backprop.pool_backward(Z, cache, mode))
    assert peak < 4e6


def test_a_kernel_that_is_almost_separable_is_not():
    W = np.outer([1., 2, 3, 2, 1], [1., 4, 6, 4, 1])
    assert rank_one(W) is not None
    for change in 1e-17, 1e-12:
        V = W * (np.arange(5) > 0)
        V[4, 0] = change                        # a column of zeros but one
        X = np.ones((9, 9))
        X[:, ::2] = 1e20
        close(fast.conv2d(X, V), loops_conv2d(X, V))
        assert rank_one(V) is None
    X, Y = np.mgrid[-20:21, -20:21]
    for dtype in "float32", "float64":
        bell = np.exp(-(X ** 2 + Y ** 2) / 50).astype(dtype)
        assert rank_one(bell) is not None


@pytest.mark.parametrize("case", range(12))
def test_conv1d_and_conv2d_equal_the_loops(case):
    rng = np.random.default_rng(case)
    dtype = ("float64", "float32")[case % 2]
    k, n = sorted(int(v) for v in rng.integers(1, 70, 2))
    x, w = (rng.standard_normal(v).astype(dtype) for v in (n, k))
    X, W = (rng.standard_normal(v).astype(dtype) for v in (
        rng.integers(8, 20, 2), rng.integers(1, 9, 2)))
    if case % 3 == 0:
        W = np.outer(W[:, 0], W[0]).astype(dtype)
    s1, s2 = int(rng.integers(1, 4)), tuple(
        int(v) for v in rng.integers(1, 3, 2))
    for p in "full", "same", "valid", 2:
        for s in 1, s1:
            expected = loops_conv1d(x, w, p, s)
            for name in ("auto", *CONV1D_ALGORITHMS):
                got = forced(fast.conv1d, x, w, p, s, algorithm=name)
                if got is not None:
                    close(got, expected)
        for s in (1, 1), s2:
            expected = loops_conv2d(X, W, p, s)
            for name in ("auto", *CONV2D_ALGORITHMS):
                got = forced(fast.conv2d, X, W, p, s, algorithm=name)
                if got is not None:
                    close(got, expected)
                    assert np.array_equal(got, fast.conv2d(
                        X, W, p, s, algorithm=name, threads=1))


def test_long_signals_equal_numpy():
    rng = np.random.default_rng(4)
    for dtype in np.float32, np.float64:
        x = rng.standard_normal(30000).astype(dtype)
        for k in 1, 2, 5, 101, 2001:
            w = rng.standard_normal(k).astype(dtype)
            for mode in "full", "same", "valid":
                close(fast.conv1d(x, w, mode), np.convolve(
                    x.astype(float), w.astype(float), mode).astype(dtype))
    x[7000] = np.inf                        # stays inside its windows
    y = fast.conv1d(x, w, "same")
    assert np.isfinite(y).sum() == len(x) - len(w)


def test_many_blocks_of_a_signal():
    "More than are transformed in one call, the last ones incomplete."
    rng = np.random.default_rng(6)
    x, w = (rng.standard_normal(n).astype(np.float32) for n in (300000, 1001))
    y = fast.conv1d(x, w, "same", algorithm="fft", threads=2)
    close(y, np.convolve(x.astype(float), w.astype(float), "same").astype(
        np.float32))
    assert np.array_equal(y, fast.conv1d(x, w, "same", threads=1))


def arguments():
    "Calls that cannot be, for the loops and for the fast ones."
    A, W = np.ones((1, 5, 5, 2)), np.ones((3, 3, 2, 4))
    b, hp = np.ones((1, 1, 1, 4)), {"stride": 1, "pad": 0}
    forward = conv_layer.conv_forward, fast.conv_forward
    yield forward, (A[0], W, b, hp)
    yield forward, (A, W[:, :, :1], b, hp)
    yield forward, (A, W, b[..., :1], hp)
    yield forward, (A, W, b, {"stride": 0, "pad": 0})
    yield forward, (A, W, b, {"stride": 1, "pad": 1.5})
    yield forward, (A[:, :2], W, b, hp)
    yield forward, (A.astype(object), W, b, hp)
    back = backprop.conv_backward, fast.conv_backward
    yield back, (np.ones((1, 2, 3, 4)), (A, W, b, hp))
    yield back, (np.ones((1, 3, 3, 4)), (A, W, b))
    pool = pooling.pool_forward, fast.pool_forward
    yield pool, (A, {"f": 6, "stride": 1})
    yield pool, (A, {"f": 2, "stride": 1}, "median")
    back = backprop.pool_backward, fast.pool_backward
    yield back, (np.ones((1, 2, 2, 3)), (A, {"f": 2, "stride": 2}))
    one = loops_conv1d, fast.conv1d
    yield one, (np.ones(3), np.ones(4))
    yield one, (np.ones(5), np.ones(3), "wide")
    yield one, (np.ones(5), np.ones(3), 0, 0)
    two = loops_conv2d, fast.conv2d
    yield two, (np.ones((3, 3)), np.ones((4, 4)))
    yield two, (np.ones((3, 3)), np.ones((2, 2)), (0, 0, 0))


@pytest.mark.parametrize("functions, args", list(arguments()))
def test_the_errors_are_those_of_the_loops(functions, args):
    slow, quick = functions
    with pytest.raises((ValueError, TypeError)) as expected:
        slow(*args)
    with pytest.raises(type(expected.value)) as got:
        quick(*args)
    assert str(got.value) == str(expected.value)


def test_algorithms_that_are_not_or_do_not_apply():
    A, W, b = np.ones((1, 5, 5, 2)), np.ones((3, 3, 2, 4)), np.ones(
        (1, 1, 1, 4))
    hp = {"stride": 2, "pad": 0}
    with pytest.raises(ValueError, match="algorithm.*'magic'"):
        fast.conv_forward(A, W, b, hp, algorithm="magic")
    with pytest.raises(ValueError, match="'winograd2' does not apply"):
        fast.conv_forward(A, W, b, hp, algorithm="winograd")
    with pytest.raises(ValueError, match="'winograd4' does not apply"):
        fast.conv_forward(A, W, b, {"stride": 1, "pad": 0}, "winograd4")
    with pytest.raises(ValueError, match="'fft' does not apply"):
        fast.conv1d(np.ones(9), np.ones(3), s=2, algorithm="fft")
    with pytest.raises(ValueError, match="'separable' does not apply"):
        fast.conv2d(np.ones((9, 9)), np.eye(3), algorithm="separable")
    with pytest.raises(ValueError, match="algorithm"):
        fast.pool_forward(A, {"f": 2, "stride": 2}, algorithm="fft")


def test_number_of_threads(monkeypatch):
    monkeypatch.setenv("CNNBOOK_THREADS", "5")
    assert fast.number_of_threads() == 5 and fast.number_of_threads(2) == 2
    for bad in "0", "two", "-1":
        monkeypatch.setenv("CNNBOOK_THREADS", bad)
        with pytest.raises(ValueError, match="CNNBOOK_THREADS"):
            fast.number_of_threads()
    monkeypatch.delenv("CNNBOOK_THREADS")
    assert fast.number_of_threads() >= 1
    with pytest.raises(TypeError):
        fast.number_of_threads(1.5)


def some_work():
    rng = np.random.default_rng(5)
    A = rng.standard_normal((4, 30, 30, 16), np.float32)
    W = rng.standard_normal((3, 3, 16, 16), np.float32)
    b, hp = np.zeros((1, 1, 1, 16), np.float32), {"stride": 1, "pad": 1}
    Z, cache = fast.conv_forward(A, W, b, hp, threads=2)
    P, q = fast.pool_forward(Z, {"f": 3, "stride": 2}, threads=2)
    return [Z, *fast.conv_backward(Z, cache, threads=2), P,
            fast.pool_backward(P, q, threads=2)]


def test_from_several_threads_at_once():
    expected, failures = some_work(), []

    def check():
        for _ in range(4):
            if not all(map(np.array_equal, some_work(), expected)):
                failures.append(1)
    threads = [threading.Thread(target=check) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(600)            # only a thread that hangs takes so long
        assert not thread.is_alive()
    assert not failures
    shared = fast_threads._shared
    assert shared.users == 0 and shared.before == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_after_a_fork():
    program = """
import os, sys
sys.path.insert(0, sys.argv[1])
import numpy as np
from test_fast import some_work
expected = some_work()
child = os.fork()
same = all(map(np.array_equal, some_work(), expected))
if child == 0:
    os._exit(0 if same else 1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) or not same)
"""
    subprocess.run([sys.executable, "-c", program,
                    os.path.dirname(__file__)], check=True, timeout=600)


def test_an_error_in_a_job_is_raised_and_ends_the_work():
    def fail(job):
        raise RuntimeError("in a job")
    with pytest.raises(RuntimeError, match="in a job"):
        fast_threads.run_parallel(lambda: fail, range(8), 3)
    some_work()


def test_without_threadpoolctl():
    program = """
import sys
sys.modules["threadpoolctl"] = None
sys.path.insert(0, sys.argv[1])
from test_fast import some_work
some_work()
"""
    subprocess.run([sys.executable, "-c", program,
                    os.path.dirname(__file__)], check=True, timeout=600)


def test_scratch_memory_is_bounded_and_freed():
    peaks = []
    for m in 2, 8:
        A = np.ones((m, 64, 64, 16), np.float32)
        W = np.ones((3, 3, 16, 16), np.float32)
        b, hp = np.ones((1, 1, 1, 16), np.float32), {"stride": 1, "pad": 1}
        for name in "im2col", "winograd", "winograd1d":
            fast.conv_forward(A[:1], W, b, hp, name, threads=1)
            tracemalloc.start()
            Z, _ = fast.conv_forward(A, W, b, hp, name, threads=1)
            now, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            peaks.append(peak - Z.nbytes)
            assert now < Z.nbytes + 100_000
    assert max(peaks) < 6e6 and peaks[3] < 1.5 * peaks[0]


@pytest.mark.parametrize("case", range(12))
def test_layers_equal_pytorch(case):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(100 + case)
    A, W, b, hp = layer(rng, 6 * (case // 2) + case % 2)    # 32 and 64 bits
    A, W, b = (np.array(x, np.float64) for x in (A, W, b))
    if not len(A):
        A = np.ones((1, *A.shape[1:]))
    leaves = [torch.tensor(x, requires_grad=True) for x in (A, W, b.ravel())]
    z = torch.nn.functional.conv2d(
        leaves[0].permute(0, 3, 1, 2), leaves[1].permute(3, 2, 0, 1),
        leaves[2], hp["stride"], hp["pad"], hp["dilation"])
    Z, cache = fast.conv_forward(A, W, b, hp)
    close(Z, z.detach().permute(0, 2, 3, 1).numpy())
    dZ = rng.standard_normal(Z.shape)
    z.backward(torch.tensor(dZ).permute(0, 3, 1, 2))
    for got, leaf in zip(fast.conv_backward(dZ, cache), leaves):
        close(got, leaf.grad.numpy().reshape(got.shape), factor=2)


@pytest.mark.parametrize("backward", [fast.conv_backward, fast.pool_backward])
@pytest.mark.parametrize("cache", [None, 3, (), (1,)])
def test_a_wrong_cache_is_named(backward, cache):
    with pytest.raises((TypeError, ValueError), match="cache must"):
        backward(np.zeros((1, 1, 1, 1)), cache)
