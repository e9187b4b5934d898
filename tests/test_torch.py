"""The layers against PyTorch: values by its own functions, gradients by its
autograd. Needs the optional extra `torch`; skipped without it."""
import itertools

import numpy as np
import pytest

torch = pytest.importorskip(
    "torch", reason="the optional extra 'torch' is not installed")

from cnnbook.backprop import (conv_backward, create_mask_from_window,
                              global_average_pool_backward, pool_backward)
from cnnbook.conv_layer import conv_forward
from cnnbook.pooling import global_average_pool, pool_forward

F = torch.nn.functional
TOL = {np.float64: dict(rtol=1e-10, atol=1e-12),
       np.float32: dict(rtol=2e-4, atol=2e-4)}
DTYPES = pytest.mark.parametrize("dtype", [np.float64, np.float32])


def leaf(array):
    "A tensor of its own memory that records gradients."
    return torch.tensor(array, requires_grad=True)


def nchw(t):
    "Channels-last to PyTorch's channels-first."
    return t.permute(0, 3, 1, 2)


def nhwc(t):
    return t.permute(0, 2, 3, 1)


def check(got, expected, dtype):
    expected = expected.detach().numpy()
    assert got.shape == expected.shape
    assert got.dtype == dtype
    np.testing.assert_allclose(got, expected, **TOL[dtype])


def conv_cases(count, seed):
    "Random layers whose kernel fits; the corners of the space come first."
    corners = [(1, 1, 0, 1), (2, 1, 0, 1), (3, 1, 1, 1), (2, 2, 0, 1),
               (2, 3, 0, 1), (3, 2, 2, 1), (2, 1, 0, 2), (3, 2, 1, 2),
               (2, 2, 3, 3), (1, 4, 0, 5)]
    rng = np.random.default_rng(seed)
    for n in range(count):
        f, stride, pad, dilation = (
            corners[n] if n < len(corners) else
            (int(v) for v in rng.integers((1, 1, 0, 1), (5, 5, 4, 4))))
        least = max(1, dilation * (f - 1) + 1 - 2 * pad)
        H, W = (int(v) for v in least + rng.integers(0, 6, size=2))
        m, C_in, C_out = (int(v) for v in rng.integers(1, 4, size=3))
        yield (m, H, W, C_in, C_out, f, stride, pad, dilation)


@DTYPES
@pytest.mark.parametrize("case", list(conv_cases(40, seed=0)), ids=str)
def test_conv(case, dtype):
    m, H, W_, C_in, C_out, f, stride, pad, dilation = case
    rng = np.random.default_rng(sum(case))
    A_prev = rng.normal(size=(m, H, W_, C_in)).astype(dtype)
    W = rng.normal(size=(f, f, C_in, C_out)).astype(dtype)
    b = rng.normal(size=(1, 1, 1, C_out)).astype(dtype)
    x, w, v = leaf(A_prev), leaf(W), leaf(b)
    y = nhwc(F.conv2d(nchw(x).contiguous(), w.permute(3, 2, 0, 1).contiguous(),
                      v.reshape(-1), stride=stride, padding=pad,
                      dilation=dilation))
    Z, cache = conv_forward(A_prev, W, b, {"stride": stride, "pad": pad,
                                           "dilation": dilation})
    check(Z, y, dtype)
    dZ = rng.normal(size=Z.shape).astype(dtype)
    y.backward(torch.tensor(dZ))
    for got, t in zip(conv_backward(dZ, cache), (x, w, v)):
        check(got, t.grad, dtype)


POOLS = [(f, s, (m, f + extra_h, f + extra_w, C))
         for (f, s), (m, extra_h, extra_w, C) in itertools.product(
             [(1, 1), (1, 3), (2, 1), (2, 2), (2, 3), (3, 1), (3, 2), (4, 3)],
             [(1, 0, 0, 1), (2, 3, 4, 3)])]


@DTYPES
@pytest.mark.parametrize("ties", [False, True], ids=["plain", "ties"])
@pytest.mark.parametrize("mode", ["max", "average"])
@pytest.mark.parametrize("f, stride, shape", POOLS)
def test_pool(f, stride, shape, mode, ties, dtype):
    rng = np.random.default_rng(f + 10 * stride + sum(shape))
    A_prev = (rng.integers(0, 3, size=shape) if ties else
              rng.normal(size=shape)).astype(dtype)
    x = leaf(A_prev)
    y = nhwc((F.max_pool2d if mode == "max" else F.avg_pool2d)(
        nchw(x).contiguous(), f, stride))
    A, cache = pool_forward(A_prev, {"f": f, "stride": stride}, mode)
    check(A, y, dtype)
    dA = rng.normal(size=A.shape).astype(dtype)
    y.backward(torch.tensor(dA))
    check(pool_backward(dA, cache, mode), x.grad, dtype)


@pytest.mark.parametrize("window", [
    [[3, 3], [3, 3]], [[1, 3], [3, 0]], [[0, 1], [1, 1]],
    [[-np.inf, -np.inf], [-np.inf, -np.inf]], [[np.inf, 1], [2, np.inf]],
    [[1, np.nan], [9, 3]], [[np.nan, 9], [1, 2]], [[5, 6], [7, np.nan]]])
def test_the_mask_marks_what_pytorch_marks(window):
    window = np.array(window, dtype=float)
    x = leaf(window[None, None])
    F.max_pool2d(x, 2).sum().backward()
    mask = create_mask_from_window(window)
    assert mask.sum() == 1
    np.testing.assert_array_equal(mask, x.grad[0, 0].numpy() == 1)


@DTYPES
def test_global_average_pool(dtype):
    rng = np.random.default_rng(0)
    A_prev = rng.normal(size=(3, 5, 4, 2)).astype(dtype)
    x = leaf(A_prev)
    y = F.adaptive_avg_pool2d(nchw(x), 1)[:, :, 0, 0]
    A, cache = global_average_pool(A_prev)
    check(A, y, dtype)
    dA = rng.normal(size=A.shape).astype(dtype)
    y.backward(torch.tensor(dA))
    check(global_average_pool_backward(dA, cache), x.grad, dtype)


def test_a_whole_chain():
    rng = np.random.default_rng(1)
    A_prev, W = rng.normal(size=(2, 7, 8, 2)), rng.normal(size=(3, 3, 2, 4))
    b = rng.normal(size=(1, 1, 1, 4))
    x, w, v = leaf(A_prev), leaf(W), leaf(b)
    y = F.conv2d(nchw(x).contiguous(), w.permute(3, 2, 0, 1).contiguous(),
                 v.reshape(-1), padding=1)
    y = F.max_pool2d(y, 2).mean(dim=(2, 3))
    Z, conv_cache = conv_forward(A_prev, W, b, {"stride": 1, "pad": 1})
    A, pool_cache = pool_forward(Z, {"f": 2, "stride": 2})
    Y, mean_cache = global_average_pool(A)
    check(Y, y, np.float64)
    dY = rng.normal(size=Y.shape)
    y.backward(torch.tensor(dY))
    dA = global_average_pool_backward(dY, mean_cache)
    grads = conv_backward(pool_backward(dA, pool_cache), conv_cache)
    for got, t in zip(grads, (x, w, v)):
        check(got, t.grad, np.float64)
