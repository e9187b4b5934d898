"""Wrong forward passes of the pooling layer: one mistake each."""
import numpy as np

from . import words
from .registry import wrong


@wrong("pool_forward", *words.STRIDE_IGNORED)
def pool_forward_without_stride(A_prev, hparameters, mode="max"):
    (m, n_H_prev, n_W_prev, n_C_prev) = A_prev.shape
    f = hparameters["f"]
    stride = hparameters["stride"]
    n_H = int(1 + (n_H_prev - f) / stride)
    n_W = int(1 + (n_W_prev - f) / stride)
    n_C = n_C_prev
    A = np.zeros((m, n_H, n_W, n_C))
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    vert_start = h
                    vert_end = h + f
                    horiz_start = w
                    horiz_end = w + f
                    a_prev_slice = A_prev[i, vert_start:vert_end,
                                          horiz_start:horiz_end, c]
                    if mode == "max":
                        A[i, h, w, c] = np.max(a_prev_slice)
                    elif mode == "average":
                        A[i, h, w, c] = np.mean(a_prev_slice)
    cache = (A_prev, hparameters)
    return A, cache


@wrong("pool_forward", *words.END_AT_STRIDE)
def pool_forward_end_at_stride(A_prev, hparameters, mode="max"):
    (m, n_H_prev, n_W_prev, n_C_prev) = A_prev.shape
    f = hparameters["f"]
    stride = hparameters["stride"]
    n_H = int(1 + (n_H_prev - f) / stride)
    n_W = int(1 + (n_W_prev - f) / stride)
    n_C = n_C_prev
    A = np.zeros((m, n_H, n_W, n_C))
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    vert_start = h * stride
                    vert_end = vert_start + stride
                    horiz_start = w * stride
                    horiz_end = horiz_start + stride
                    a_prev_slice = A_prev[i, vert_start:vert_end,
                                          horiz_start:horiz_end, c]
                    if mode == "max":
                        A[i, h, w, c] = np.max(a_prev_slice)
                    elif mode == "average":
                        A[i, h, w, c] = np.mean(a_prev_slice)
    return A, (A_prev, hparameters)


@wrong("pool_forward", *words.CHANNELS_MIXED)
def pool_forward_over_all_channels(A_prev, hparameters, mode="max"):
    (m, n_H_prev, n_W_prev, n_C) = A_prev.shape
    f, stride = hparameters["f"], hparameters["stride"]
    n_H = int((n_H_prev - f) / stride) + 1
    n_W = int((n_W_prev - f) / stride) + 1
    A = np.zeros((m, n_H, n_W, n_C))
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    a_prev_slice = A_prev[i, h*stride:h*stride+f,
                                          w*stride:w*stride+f, :]
                    if mode == "max":
                        A[i, h, w, c] = np.max(a_prev_slice)
                    else:
                        A[i, h, w, c] = np.mean(a_prev_slice)
    return A, (A_prev, hparameters)


@wrong("pool_forward", *words.WHOLE_IMAGE)
def pool_forward_whole_image_as_window(A_prev, hparameters, mode="max"):
    (m, n_H_prev, n_W_prev, n_C) = A_prev.shape
    f, stride = hparameters["f"], hparameters["stride"]
    n_H = int((n_H_prev - f) / stride) + 1
    n_W = int((n_W_prev - f) / stride) + 1
    A = np.zeros((m, n_H, n_W, n_C))
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    a_prev_slice = A_prev[i, :, :, c]
                    if mode == "max":
                        A[i, h, w, c] = a_prev_slice.max()
                    else:
                        A[i, h, w, c] = a_prev_slice.mean()
    return A, (A_prev, hparameters)


@wrong("pool_forward", *words.ROUNDED_UP)
def pool_forward_size_rounded_up(A_prev, hparameters, mode="max"):
    m, H, W, n_C = A_prev.shape
    f, s = hparameters["f"], hparameters["stride"]
    n_H = int(np.ceil((H - f) / s)) + 1
    n_W = int(np.ceil((W - f) / s)) + 1
    A = np.zeros((m, n_H, n_W, n_C))
    func = np.max if mode == "max" else np.mean
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    ventana = A_prev[i, h*s:h*s+f, w*s:w*s+f, c]
                    if ventana.size:
                        A[i, h, w, c] = func(ventana)
    return A, (A_prev, hparameters)


@wrong("pool_forward", *words.NO_PLUS_ONE)
def pool_forward_size_without_plus_one(A_prev, hparameters, mode="max"):
    m, n_H_prev, n_W_prev, n_C = A_prev.shape
    f, stride = hparameters["f"], hparameters["stride"]
    n_H = (n_H_prev - f) // stride
    n_W = (n_W_prev - f) // stride
    A = np.zeros((m, n_H, n_W, n_C))
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    a = A_prev[i, h*stride:h*stride+f,
                               w*stride:w*stride+f, c]
                    A[i, h, w, c] = a.max() if mode == "max" else a.mean()
    return A, (A_prev, hparameters)


@wrong("pool_forward", *words.ALWAYS_MAX)
def pool_forward_always_the_maximum(A_prev, hparameters, mode="max"):
    m, n_H_prev, n_W_prev, n_C = A_prev.shape
    f, stride = hparameters["f"], hparameters["stride"]
    n_H = int((n_H_prev - f) / stride) + 1
    n_W = int((n_W_prev - f) / stride) + 1
    A = np.zeros((m, n_H, n_W, n_C))
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    a = A_prev[i, h*stride:h*stride+f,
                               w*stride:w*stride+f, c]
                    A[i, h, w, c] = np.max(a)
    return A, (A_prev, hparameters)


@wrong("pool_forward", *words.NO_AVERAGE)
def pool_forward_looks_for_the_word_mean(A_prev, hparameters, mode="max"):
    m, n_H_prev, n_W_prev, n_C = A_prev.shape
    f, stride = hparameters["f"], hparameters["stride"]
    n_H = int((n_H_prev - f) / stride) + 1
    n_W = int((n_W_prev - f) / stride) + 1
    A = np.zeros((m, n_H, n_W, n_C))
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    a = A_prev[i, h*stride:h*stride+f,
                               w*stride:w*stride+f, c]
                    if mode == "max":
                        A[i, h, w, c] = np.max(a)
                    elif mode == "mean":
                        A[i, h, w, c] = np.mean(a)
    return A, (A_prev, hparameters)


@wrong("pool_forward", *words.MODES_EXCHANGED)
def pool_forward_modes_exchanged(A_prev, hparameters, mode="max"):
    m, n_H_prev, n_W_prev, n_C = A_prev.shape
    f, stride = hparameters["f"], hparameters["stride"]
    n_H = int((n_H_prev - f) / stride) + 1
    n_W = int((n_W_prev - f) / stride) + 1
    A = np.zeros((m, n_H, n_W, n_C))
    operation = {"max": np.mean, "average": np.max}[mode]
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    A[i, h, w, c] = operation(
                        A_prev[i, h*stride:h*stride+f,
                               w*stride:w*stride+f, c])
    return A, (A_prev, hparameters)


@wrong("pool_forward", *words.NOT_DIVIDED)
def pool_forward_sum_not_divided(A_prev, hparameters, mode="max"):
    m, n_H_prev, n_W_prev, n_C = A_prev.shape
    f, stride = hparameters["f"], hparameters["stride"]
    n_H = int((n_H_prev - f) / stride) + 1
    n_W = int((n_W_prev - f) / stride) + 1
    A = np.zeros((m, n_H, n_W, n_C))
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    a = A_prev[i, h*stride:h*stride+f,
                               w*stride:w*stride+f, c]
                    A[i, h, w, c] = (np.max(a) if mode == "max"
                                     else np.sum(a))
    return A, (A_prev, hparameters)


@wrong("pool_forward", *words.WRONG_DIVISOR)
def pool_forward_sum_divided_by_f(A_prev, hparameters, mode="max"):
    m, n_H_prev, n_W_prev, n_C = A_prev.shape
    f, stride = hparameters["f"], hparameters["stride"]
    n_H = int((n_H_prev - f) / stride) + 1
    n_W = int((n_W_prev - f) / stride) + 1
    A = np.zeros((m, n_H, n_W, n_C))
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    a = A_prev[i, h*stride:h*stride+f,
                               w*stride:w*stride+f, c]
                    if mode == "max":
                        A[i, h, w, c] = np.max(a)
                    else:
                        A[i, h, w, c] = np.sum(a) / f
    return A, (A_prev, hparameters)


@wrong("pool_forward", [r"negativ|empieza (en|con|desde)|inicial"],
       [r"negativ|starts? (at|with|from)|initial"])
def pool_forward_largest_so_far_starts_at_0(A_prev, hparameters, mode="max"):
    m, n_H_prev, n_W_prev, n_C = A_prev.shape
    f, stride = hparameters["f"], hparameters["stride"]
    n_H = int((n_H_prev - f) / stride) + 1
    n_W = int((n_W_prev - f) / stride) + 1
    A = np.zeros((m, n_H, n_W, n_C))
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    mayor, suma = 0, 0
                    for u in range(f):
                        for v in range(f):
                            x = A_prev[i, h*stride+u, w*stride+v, c]
                            suma += x
                            if x > mayor:
                                mayor = x
                    A[i, h, w, c] = (mayor if mode == "max"
                                     else suma / (f * f))
    return A, (A_prev, hparameters)


@wrong("pool_forward", *words.RETURN_IN_LOOP)
def pool_forward_return_in_the_loop(A_prev, hparameters, mode="max"):
    m, n_H_prev, n_W_prev, n_C = A_prev.shape
    f, stride = hparameters["f"], hparameters["stride"]
    n_H = int((n_H_prev - f) / stride) + 1
    n_W = int((n_W_prev - f) / stride) + 1
    A = np.zeros((m, n_H, n_W, n_C))
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    a = A_prev[i, h*stride:h*stride+f,
                               w*stride:w*stride+f, c]
                    A[i, h, w, c] = a.max() if mode == "max" else a.mean()
            return A, (A_prev, hparameters)


@wrong("pool_forward", *words.ONE_CHANNEL)
def pool_forward_first_channel_only(A_prev, hparameters, mode="max"):
    m, n_H_prev, n_W_prev, n_C = A_prev.shape
    f, stride = hparameters["f"], hparameters["stride"]
    n_H = int((n_H_prev - f) / stride) + 1
    n_W = int((n_W_prev - f) / stride) + 1
    A = np.zeros((m, n_H, n_W, n_C))
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    a = A_prev[i, h*stride:h*stride+f,
                               w*stride:w*stride+f, 0]
                    A[i, h, w, c] = a.max() if mode == "max" else a.mean()
    return A, (A_prev, hparameters)


@wrong("pool_forward", *words.INTEGERS)
def pool_forward_integers(A_prev, hparameters, mode="max"):
    m, n_H_prev, n_W_prev, n_C = A_prev.shape
    f, stride = hparameters["f"], hparameters["stride"]
    n_H = int((n_H_prev - f) / stride) + 1
    n_W = int((n_W_prev - f) / stride) + 1
    A = np.zeros((m, n_H, n_W, n_C), dtype=int)
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    a = A_prev[i, h*stride:h*stride+f,
                               w*stride:w*stride+f, c]
                    A[i, h, w, c] = a.max() if mode == "max" else a.mean()
    return A, (A_prev, hparameters)


@wrong("pool_forward", *words.FEWER_RETURNED)
def pool_forward_without_cache(A_prev, hparameters, mode="max"):
    m, n_H_prev, n_W_prev, n_C = A_prev.shape
    f, stride = hparameters["f"], hparameters["stride"]
    n_H = int((n_H_prev - f) / stride) + 1
    n_W = int((n_W_prev - f) / stride) + 1
    A = np.zeros((m, n_H, n_W, n_C))
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    a = A_prev[i, h*stride:h*stride+f,
                               w*stride:w*stride+f, c]
                    A[i, h, w, c] = a.max() if mode == "max" else a.mean()
    return A


@wrong("pool_forward", *words.NOT_WRITTEN)
def pool_forward_stub(A_prev, hparameters, mode="max"):
    raise NotImplementedError("Por hacer")


@wrong("pool_forward", *words.CHANNELS_FIRST)
def pool_forward_channels_first(A_prev, hparameters, mode="max"):
    m, n_C, n_H_prev, n_W_prev = A_prev.shape
    f, stride = hparameters["f"], hparameters["stride"]
    n_H = int((n_H_prev - f) / stride) + 1
    n_W = int((n_W_prev - f) / stride) + 1
    A = np.zeros((m, n_C, n_H, n_W))
    for i in range(m):
        for c in range(n_C):
            for h in range(n_H):
                for w in range(n_W):
                    a = A_prev[i, c, h*stride:h*stride+f,
                               w*stride:w*stride+f]
                    A[i, c, h, w] = a.max() if mode == "max" else a.mean()
    return A, (A_prev, hparameters)


@wrong("pool_forward", *words.ROWS_COLUMNS)
def pool_forward_rows_for_columns(A_prev, hparameters, mode="max"):
    m, n_H_prev, n_W_prev, n_C = A_prev.shape
    f, stride = hparameters["f"], hparameters["stride"]
    n_H = int((n_H_prev - f) / stride) + 1
    n_W = int((n_W_prev - f) / stride) + 1
    A = np.zeros((m, n_H, n_W, n_C))
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    a = A_prev[i, w*stride:w*stride+f,
                               h*stride:h*stride+f, c]
                    if a.size:
                        A[i, h, w, c] = (a.max() if mode == "max"
                                         else a.mean())
    return A, (A_prev, hparameters)


@wrong("pool_forward", *words.RELU_INSIDE)
def pool_forward_relu_inside(A_prev, hparameters, mode="max"):
    m, n_H_prev, n_W_prev, n_C = A_prev.shape
    f, stride = hparameters["f"], hparameters["stride"]
    n_H = int((n_H_prev - f) / stride) + 1
    n_W = int((n_W_prev - f) / stride) + 1
    A = np.zeros((m, n_H, n_W, n_C))
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    a = A_prev[i, h*stride:h*stride+f,
                               w*stride:w*stride+f, c]
                    A[i, h, w, c] = a.max() if mode == "max" else a.mean()
    A = np.maximum(0, A)
    return A, (A_prev, hparameters)
