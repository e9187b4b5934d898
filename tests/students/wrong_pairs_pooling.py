"""Two mistakes at once in pooling, its masks and its shares."""
import numpy as np

from cnnbook.backprop import create_mask_from_window, distribute_value

from . import words
from .registry import wrong


@wrong("pool_forward", *words.STRIDE_IGNORED, also=words.NOT_DIVIDED)
def pool_forward_no_stride_sum(A_prev, hparameters, mode="max"):
    (m, n_H_prev, n_W_prev, n_C) = A_prev.shape
    f, stride = hparameters["f"], hparameters["stride"]
    n_H = int(1 + (n_H_prev - f) / stride)
    n_W = int(1 + (n_W_prev - f) / stride)
    A = np.zeros((m, n_H, n_W, n_C))
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    a = A_prev[i, h:h+f, w:w+f, c]
                    A[i, h, w, c] = a.max() if mode == "max" else a.sum()
    return A, (A_prev, hparameters)


@wrong("pool_forward", *words.ALWAYS_MAX, also=words.CHANNELS_MIXED)
def pool_forward_maximum_of_all_channels(A_prev, hparameters, mode="max"):
    (m, n_H_prev, n_W_prev, n_C) = A_prev.shape
    f, stride = hparameters["f"], hparameters["stride"]
    n_H = int(1 + (n_H_prev - f) / stride)
    n_W = int(1 + (n_W_prev - f) / stride)
    A = np.zeros((m, n_H, n_W, n_C))
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                A[i, h, w, :] = np.max(A_prev[i, h*stride:h*stride+f,
                                              w*stride:w*stride+f, :])
    return A, (A_prev, hparameters)


@wrong("pool_forward", *words.FEWER_RETURNED, also=words.ALWAYS_MAX)
def pool_forward_always_max_no_cache(A_prev, hparameters, mode="max"):
    (m, n_H_prev, n_W_prev, n_C) = A_prev.shape
    f, stride = hparameters["f"], hparameters["stride"]
    n_H = int(1 + (n_H_prev - f) / stride)
    n_W = int(1 + (n_W_prev - f) / stride)
    A = np.zeros((m, n_H, n_W, n_C))
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    A[i, h, w, c] = np.max(
                        A_prev[i, h*stride:h*stride+f,
                               w*stride:w*stride+f, c])
    return A


@wrong("pool_forward", *words.NO_PLUS_ONE, also=words.WRONG_DIVISOR)
def pool_forward_size_short_sum(A_prev, hparameters, mode="max"):
    (m, n_H_prev, n_W_prev, n_C) = A_prev.shape
    f, stride = hparameters["f"], hparameters["stride"]
    n_H = int((n_H_prev - f) / stride)
    n_W = int((n_W_prev - f) / stride)
    A = np.zeros((m, n_H, n_W, n_C))
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    a = A_prev[i, h*stride:h*stride+f,
                               w*stride:w*stride+f, c]
                    A[i, h, w, c] = (np.max(a) if mode == "max"
                                     else np.sum(a) / f)
    return A, (A_prev, hparameters)


@wrong("pool_forward", *words.RELU_INSIDE, also=words.RETURN_IN_LOOP)
def pool_forward_relu_return_early(A_prev, hparameters, mode="max"):
    (m, n_H_prev, n_W_prev, n_C) = A_prev.shape
    f, stride = hparameters["f"], hparameters["stride"]
    n_H = int(1 + (n_H_prev - f) / stride)
    n_W = int(1 + (n_W_prev - f) / stride)
    A = np.zeros((m, n_H, n_W, n_C))
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    a = A_prev[i, h*stride:h*stride+f,
                               w*stride:w*stride+f, c]
                    A[i, h, w, c] = max(
                        0, a.max() if mode == "max" else a.mean())
        return A, (A_prev, hparameters)


@wrong("pool_backward", *words.STRIDE_IGNORED, also=words.TIES)
def pool_backward_no_stride_every_tie(dA, cache, mode="max"):
    (A_prev, hparameters) = cache
    f = hparameters["f"]
    m, n_H, n_W, n_C = dA.shape
    dA_prev = np.zeros(A_prev.shape)
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    if mode == "max":
                        a = A_prev[i, h:h+f, w:w+f, c]
                        dA_prev[i, h:h+f, w:w+f, c] += (
                            (a == np.max(a)) * dA[i, h, w, c])
                    else:
                        dA_prev[i, h:h+f, w:w+f, c] += distribute_value(
                            dA[i, h, w, c], (f, f))
    return dA_prev


@wrong("pool_backward", *words.NOT_ADDED, also=words.TIES)
def pool_backward_overwritten_every_tie(dA, cache, mode="max"):
    (A_prev, hparameters) = cache
    stride, f = hparameters["stride"], hparameters["f"]
    m, n_H, n_W, n_C = dA.shape
    dA_prev = np.zeros(A_prev.shape)
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    v0, v1 = h * stride, h * stride + f
                    h0, h1 = w * stride, w * stride + f
                    if mode == "max":
                        a = A_prev[i, v0:v1, h0:h1, c]
                        dA_prev[i, v0:v1, h0:h1, c] = (
                            (a == a.max()) * dA[i, h, w, c])
                    else:
                        dA_prev[i, v0:v1, h0:h1, c] = distribute_value(
                            dA[i, h, w, c], (f, f))
    return dA_prev


@wrong("pool_backward", *words.SUM_FOR_PRODUCT, also=words.TIES)
def pool_backward_own_helpers_wrong(dA, cache, mode="max"):
    def mask_of(x):
        return x == np.max(x)

    def share(dz, shape):
        (n_H, n_W) = shape
        return np.ones(shape) * dz / (n_H + n_W)

    (A_prev, hparameters) = cache
    stride, f = hparameters["stride"], hparameters["f"]
    m, n_H, n_W, n_C = dA.shape
    dA_prev = np.zeros(A_prev.shape)
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    v0, v1 = h * stride, h * stride + f
                    h0, h1 = w * stride, w * stride + f
                    if mode == "max":
                        a = A_prev[i, v0:v1, h0:h1, c]
                        dA_prev[i, v0:v1, h0:h1, c] += (
                            mask_of(a) * dA[i, h, w, c])
                    elif mode == "average":
                        dA_prev[i, v0:v1, h0:h1, c] += share(
                            dA[i, h, w, c], (f, f))
    return dA_prev


@wrong("pool_backward", *words.MASK_TIMES_ACTIVATION, also=words.NOT_DIVIDED)
def pool_backward_activation_not_divided(dA, cache, mode="max"):
    (A_prev, hparameters) = cache
    stride, f = hparameters["stride"], hparameters["f"]
    m, n_H, n_W, n_C = dA.shape
    dA_prev = np.zeros(A_prev.shape)
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    v0, v1 = h * stride, h * stride + f
                    h0, h1 = w * stride, w * stride + f
                    a = A_prev[i, v0:v1, h0:h1, c]
                    if mode == "max":
                        dA_prev[i, v0:v1, h0:h1, c] += (
                            create_mask_from_window(a) * a)
                    else:
                        dA_prev[i, v0:v1, h0:h1, c] += dA[i, h, w, c]
    return dA_prev


@wrong("pool_backward", *words.ALWAYS_AVERAGE, also=words.NOT_ADDED)
def pool_backward_always_average_overwritten(dA, cache, mode="max"):
    (A_prev, hparameters) = cache
    stride, f = hparameters["stride"], hparameters["f"]
    m, n_H, n_W, n_C = dA.shape
    dA_prev = np.zeros(A_prev.shape)
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    dA_prev[i, h*stride:h*stride+f,
                            w*stride:w*stride+f, c] = distribute_value(
                                dA[i, h, w, c], (f, f))
    return dA_prev


@wrong("pool_backward", *words.RETURN_IN_LOOP, also=words.TIES)
def pool_backward_return_early_every_tie(dA, cache, mode="max"):
    (A_prev, hparameters) = cache
    stride, f = hparameters["stride"], hparameters["f"]
    m, n_H, n_W, n_C = dA.shape
    dA_prev = np.zeros(A_prev.shape)
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    v0, v1 = h * stride, h * stride + f
                    h0, h1 = w * stride, w * stride + f
                    if mode == "max":
                        a = A_prev[i, v0:v1, h0:h1, c]
                        dA_prev[i, v0:v1, h0:h1, c] += (
                            (a == a.max()) * dA[i, h, w, c])
                    else:
                        dA_prev[i, v0:v1, h0:h1, c] += (
                            dA[i, h, w, c] / (f * f))
        return dA_prev


@wrong("create_mask_from_window", *words.TIES,
       also=([r"bool|dtype|tipo|True"], [r"bool|dtype|type|True"]))
def create_mask_from_window_ones_at_every_tie(x):
    mask = np.zeros(x.shape)
    mask[x == np.max(x)] = 1
    return mask


@wrong("distribute_value", *words.SUM_FOR_PRODUCT,
       also=([r"número|escalar"], [r"number|scalar"]))
def distribute_value_number_by_the_sum(dz, shape):
    (n_H, n_W) = shape
    return dz / (n_H + n_W)
