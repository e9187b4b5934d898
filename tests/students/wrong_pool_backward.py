"""Wrong backward passes of the pooling layer, wrong masks and shares."""
import numpy as np

from cnnbook.backprop import create_mask_from_window, distribute_value

from . import words
from .registry import wrong


@wrong("pool_backward", *words.STRIDE_IGNORED)
def pool_backward_without_stride(dA, cache, mode="max"):
    (A_prev, hparameters) = cache
    stride = hparameters["stride"]
    f = hparameters["f"]
    m, n_H_prev, n_W_prev, n_C_prev = A_prev.shape
    m, n_H, n_W, n_C = dA.shape
    dA_prev = np.zeros(A_prev.shape)
    for i in range(m):
        a_prev = A_prev[i]
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    vert_start = h
                    vert_end = vert_start + f
                    horiz_start = w
                    horiz_end = horiz_start + f
                    if mode == "max":
                        a_prev_slice = a_prev[vert_start:vert_end,
                                              horiz_start:horiz_end, c]
                        mask = create_mask_from_window(a_prev_slice)
                        dA_prev[i, vert_start:vert_end,
                                horiz_start:horiz_end, c] += (
                            mask * dA[i, h, w, c])
                    elif mode == "average":
                        da = dA[i, h, w, c]
                        shape = (f, f)
                        dA_prev[i, vert_start:vert_end,
                                horiz_start:horiz_end, c] += (
                            distribute_value(da, shape))
    return dA_prev


@wrong("pool_backward", *words.NOT_ADDED)
def pool_backward_overwritten(dA, cache, mode="max"):
    (A_prev, hparameters) = cache
    stride = hparameters["stride"]
    f = hparameters["f"]
    m, n_H, n_W, n_C = dA.shape
    dA_prev = np.zeros(A_prev.shape)
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    v0, v1 = h * stride, h * stride + f
                    h0, h1 = w * stride, w * stride + f
                    if mode == "max":
                        mask = create_mask_from_window(
                            A_prev[i, v0:v1, h0:h1, c])
                        dA_prev[i, v0:v1, h0:h1, c] = mask * dA[i, h, w, c]
                    else:
                        dA_prev[i, v0:v1, h0:h1, c] = distribute_value(
                            dA[i, h, w, c], (f, f))
    return dA_prev


@wrong("pool_backward", *words.NOT_ADDED)
def pool_backward_average_overwritten(dA, cache, mode="max"):
    (A_prev, hparameters) = cache
    stride = hparameters["stride"]
    f = hparameters["f"]
    m, n_H, n_W, n_C = dA.shape
    dA_prev = np.zeros(A_prev.shape)
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    v0, v1 = h * stride, h * stride + f
                    h0, h1 = w * stride, w * stride + f
                    if mode == "max":
                        mask = create_mask_from_window(
                            A_prev[i, v0:v1, h0:h1, c])
                        dA_prev[i, v0:v1, h0:h1, c] += mask * dA[i, h, w, c]
                    else:
                        dA_prev[i, v0:v1, h0:h1, c] = distribute_value(
                            dA[i, h, w, c], (f, f))
    return dA_prev


@wrong("pool_backward", *words.TIES)
def pool_backward_every_tie(dA, cache, mode="max"):
    (A_prev, hparameters) = cache
    stride = hparameters["stride"]
    f = hparameters["f"]
    m, n_H, n_W, n_C = dA.shape
    dA_prev = np.zeros(A_prev.shape)
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    v0, v1 = h * stride, h * stride + f
                    h0, h1 = w * stride, w * stride + f
                    if mode == "max":
                        x = A_prev[i, v0:v1, h0:h1, c]
                        mask = (x == np.max(x))
                        dA_prev[i, v0:v1, h0:h1, c] += mask * dA[i, h, w, c]
                    else:
                        dA_prev[i, v0:v1, h0:h1, c] += distribute_value(
                            dA[i, h, w, c], (f, f))
    return dA_prev


@wrong("pool_backward", *words.MASK_TIMES_ACTIVATION)
def pool_backward_mask_times_activation(dA, cache, mode="max"):
    (A_prev, hparameters) = cache
    stride = hparameters["stride"]
    f = hparameters["f"]
    m, n_H, n_W, n_C = dA.shape
    dA_prev = np.zeros(A_prev.shape)
    for i in range(m):
        a_prev = A_prev[i]
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    v0, v1 = h * stride, h * stride + f
                    h0, h1 = w * stride, w * stride + f
                    if mode == "max":
                        a_prev_slice = a_prev[v0:v1, h0:h1, c]
                        mask = create_mask_from_window(a_prev_slice)
                        dA_prev[i, v0:v1, h0:h1, c] += mask * a_prev_slice
                    elif mode == "average":
                        dA_prev[i, v0:v1, h0:h1, c] += distribute_value(
                            dA[i, h, w, c], (f, f))
    return dA_prev


@wrong("pool_backward", *words.ALWAYS_MAX)
def pool_backward_always_the_maximum(dA, cache, mode="max"):
    A_prev, hparameters = cache
    s, f = hparameters["stride"], hparameters["f"]
    dA_prev = np.zeros_like(A_prev)
    m, n_H, n_W, n_C = dA.shape
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    mask = create_mask_from_window(
                        A_prev[i, h*s:h*s+f, w*s:w*s+f, c])
                    dA_prev[i, h*s:h*s+f, w*s:w*s+f, c] += (
                        dA[i, h, w, c] * mask)
    return dA_prev


@wrong("pool_backward", *words.NOT_DIVIDED)
def pool_backward_average_not_divided(dA, cache, mode="max"):
    A_prev, hparameters = cache
    s, f = hparameters["stride"], hparameters["f"]
    dA_prev = np.zeros_like(A_prev)
    m, n_H, n_W, n_C = dA.shape
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    trozo = dA_prev[i, h*s:h*s+f, w*s:w*s+f, c]
                    if mode == "max":
                        trozo += dA[i, h, w, c] * create_mask_from_window(
                            A_prev[i, h*s:h*s+f, w*s:w*s+f, c])
                    else:
                        trozo += dA[i, h, w, c]
    return dA_prev


@wrong("pool_backward", [r"promedi|media\b|divid|reparte|average|multiplic",
                         r"salida|imagen|entrada|n_H|tamaño|forma"],
       [r"averag|mean|divid|share|spread|multipl",
        r"output|image|input|n_H|size|shape"])
def pool_backward_average_over_the_output(dA, cache, mode="max"):
    A_prev, hparameters = cache
    s, f = hparameters["stride"], hparameters["f"]
    dA_prev = np.zeros_like(A_prev)
    m, n_H, n_W, n_C = dA.shape
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    trozo = dA_prev[i, h*s:h*s+f, w*s:w*s+f, c]
                    if mode == "max":
                        trozo += dA[i, h, w, c] * create_mask_from_window(
                            A_prev[i, h*s:h*s+f, w*s:w*s+f, c])
                    else:
                        trozo += dA[i, h, w, c] / (n_H * n_W)
    return dA_prev


@wrong("pool_backward", *words.RETURN_IN_LOOP)
def pool_backward_return_in_the_loop(dA, cache, mode="max"):
    (A_prev, hparameters) = cache
    stride = hparameters["stride"]
    f = hparameters["f"]
    m, n_H, n_W, n_C = dA.shape
    dA_prev = np.zeros(A_prev.shape)
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    v0, v1 = h * stride, h * stride + f
                    h0, h1 = w * stride, w * stride + f
                    if mode == "max":
                        mask = create_mask_from_window(
                            A_prev[i, v0:v1, h0:h1, c])
                        dA_prev[i, v0:v1, h0:h1, c] += mask * dA[i, h, w, c]
                    else:
                        dA_prev[i, v0:v1, h0:h1, c] += distribute_value(
                            dA[i, h, w, c], (f, f))
        return dA_prev


@wrong("pool_backward", *words.FIRST_IMAGE)
def pool_backward_first_image_only(dA, cache, mode="max"):
    (A_prev, hparameters) = cache
    stride = hparameters["stride"]
    f = hparameters["f"]
    m, n_H, n_W, n_C = dA.shape
    dA_prev = np.zeros(A_prev.shape)
    for i in range(m):
        a_prev = A_prev[0]
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    v0, v1 = h * stride, h * stride + f
                    h0, h1 = w * stride, w * stride + f
                    if mode == "max":
                        mask = create_mask_from_window(
                            a_prev[v0:v1, h0:h1, c])
                        dA_prev[i, v0:v1, h0:h1, c] += mask * dA[i, h, w, c]
                    else:
                        dA_prev[i, v0:v1, h0:h1, c] += distribute_value(
                            dA[i, h, w, c], (f, f))
    return dA_prev


@wrong("pool_backward", *words.END_AT_STRIDE)
def pool_backward_end_at_stride(dA, cache, mode="max"):
    (A_prev, hparameters) = cache
    stride = hparameters["stride"]
    f = hparameters["f"]
    m, n_H, n_W, n_C = dA.shape
    dA_prev = np.zeros(A_prev.shape)
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    v0, v1 = h * stride, h * stride + stride
                    h0, h1 = w * stride, w * stride + stride
                    trozo = A_prev[i, v0:v1, h0:h1, c]
                    if mode == "max":
                        mask = create_mask_from_window(trozo)
                        dA_prev[i, v0:v1, h0:h1, c] += mask * dA[i, h, w, c]
                    else:
                        dA_prev[i, v0:v1, h0:h1, c] += distribute_value(
                            dA[i, h, w, c], trozo.shape)
    return dA_prev


@wrong("pool_backward", [r"(sin|falta) (multiplic|el gradiente|dA)"
                         r"|no se multiplic|máscara sola|no .*(?-i:\bdA\b)"],
       [r"(without|missing) .*(gradient|dA|multipl)|gradient is missing"
        r"|not multipl|mask alone|not .*(?-i:\bdA\b)"])
def pool_backward_mask_without_the_gradient(dA, cache, mode="max"):
    (A_prev, hparameters) = cache
    stride = hparameters["stride"]
    f = hparameters["f"]
    m, n_H, n_W, n_C = dA.shape
    dA_prev = np.zeros(A_prev.shape)
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    v0, v1 = h * stride, h * stride + f
                    h0, h1 = w * stride, w * stride + f
                    if mode == "max":
                        mask = create_mask_from_window(
                            A_prev[i, v0:v1, h0:h1, c])
                        dA_prev[i, v0:v1, h0:h1, c] += mask
                    else:
                        dA_prev[i, v0:v1, h0:h1, c] += distribute_value(
                            dA[i, h, w, c], (f, f))
    return dA_prev


@wrong("pool_backward", *words.CHANNELS_MIXED)
def pool_backward_mask_over_all_channels(dA, cache, mode="max"):
    A_prev, hparameters = cache
    s, f = hparameters["stride"], hparameters["f"]
    dA_prev = np.zeros_like(A_prev)
    m, n_H, n_W, n_C = dA.shape
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    if mode == "max":
                        a = A_prev[i, h*s:h*s+f, w*s:w*s+f, :]
                        mask = (a == np.max(a))
                        dA_prev[i, h*s:h*s+f, w*s:w*s+f, :] += (
                            mask * dA[i, h, w, c])
                    else:
                        dA_prev[i, h*s:h*s+f, w*s:w*s+f, c] += (
                            dA[i, h, w, c] / f**2)
    return dA_prev


@wrong("pool_backward", *words.INPUT_CHANGED)
def pool_backward_changes_the_input(dA, cache, mode="max"):
    A_prev, hparameters = cache
    s, f = hparameters["stride"], hparameters["f"]
    dA_prev = np.zeros_like(A_prev)
    m, n_H, n_W, n_C = dA.shape
    if mode == "average":
        dA /= f * f
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    trozo = dA_prev[i, h*s:h*s+f, w*s:w*s+f, c]
                    if mode == "max":
                        trozo += dA[i, h, w, c] * create_mask_from_window(
                            A_prev[i, h*s:h*s+f, w*s:w*s+f, c])
                    else:
                        trozo += dA[i, h, w, c]
    return dA_prev


@wrong("pool_backward", *words.NOTHING_RETURNED)
def pool_backward_without_return(dA, cache, mode="max"):
    A_prev, hparameters = cache
    s, f = hparameters["stride"], hparameters["f"]
    dA_prev = np.zeros_like(A_prev)
    m, n_H, n_W, n_C = dA.shape
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    trozo = dA_prev[i, h*s:h*s+f, w*s:w*s+f, c]
                    if mode == "max":
                        trozo += dA[i, h, w, c] * create_mask_from_window(
                            A_prev[i, h*s:h*s+f, w*s:w*s+f, c])
                    else:
                        trozo += distribute_value(dA[i, h, w, c], (f, f))
