"""More wrong forward passes of the convolution layer, one mistake each."""
import numpy as np

from cnnbook.conv_layer import conv_single_step
from cnnbook.padding import zero_pad

from . import words
from .registry import wrong


@wrong("conv_forward", *words.INTEGERS)
def conv_forward_integers(A_prev, W, b, hparameters):
    m, n_H_prev, n_W_prev, n_C_prev = A_prev.shape
    f, f, n_C_prev, n_C = W.shape
    s, p = hparameters["stride"], hparameters["pad"]
    n_H = int((n_H_prev - f + 2 * p) / s) + 1
    n_W = int((n_W_prev - f + 2 * p) / s) + 1
    Z = np.zeros((m, n_H, n_W, n_C), dtype=int)
    A_pad = zero_pad(A_prev, p)
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    a = A_pad[i, h*s:h*s+f, w*s:w*s+f, :]
                    Z[i, h, w, c] = conv_single_step(a, W[:, :, :, c],
                                                     b[:, :, :, c])
    return Z, (A_prev, W, b, hparameters)


@wrong("conv_forward", *words.INTEGERS)
def conv_forward_whole_bias(A_prev, W, b, hparameters):
    m, n_H_prev, n_W_prev, n_C_prev = A_prev.shape
    f, f, n_C_prev, n_C = W.shape
    s, p = hparameters["stride"], hparameters["pad"]
    n_H = int((n_H_prev - f + 2 * p) / s) + 1
    n_W = int((n_W_prev - f + 2 * p) / s) + 1
    Z = np.zeros((m, n_H, n_W, n_C))
    A_pad = zero_pad(A_prev, p)
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    a = A_pad[i, h*s:h*s+f, w*s:w*s+f, :]
                    Z[i, h, w, c] = np.sum(a * W[:, :, :, c])
                    Z[i, h, w, c] += int(b[0, 0, 0, c])
    return Z, (A_prev, W, b, hparameters)


@wrong("conv_forward", *words.FLOAT_OF_ARRAY, numpy=(2, 4))
def conv_forward_float_of_the_bias(A_prev, W, b, hparameters):
    (m, n_H_prev, n_W_prev, n_C_prev) = A_prev.shape
    (f, f, n_C_prev, n_C) = W.shape
    stride = hparameters["stride"]
    pad = hparameters["pad"]
    n_H = int((n_H_prev - f + 2 * pad) / stride) + 1
    n_W = int((n_W_prev - f + 2 * pad) / stride) + 1
    Z = np.zeros((m, n_H, n_W, n_C))
    A_prev_pad = zero_pad(A_prev, pad)
    for i in range(m):
        a_prev_pad = A_prev_pad[i]
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    a_slice_prev = a_prev_pad[h * stride:h * stride + f,
                                              w * stride:w * stride + f, :]
                    s = np.multiply(a_slice_prev, W[:, :, :, c])
                    Z[i, h, w, c] = np.sum(s) + float(b[:, :, :, c])
    return Z, (A_prev, W, b, hparameters)


@wrong("conv_forward", *words.np_alias("int"), numpy=(1, 24))
def conv_forward_np_int(A_prev, W, b, hparameters):
    (m, n_H_prev, n_W_prev, n_C_prev) = A_prev.shape
    (f, f, n_C_prev, n_C) = W.shape
    stride = hparameters["stride"]
    pad = hparameters["pad"]
    n_H = np.int((n_H_prev - f + 2 * pad) / stride) + 1
    n_W = np.int((n_W_prev - f + 2 * pad) / stride) + 1
    Z = np.zeros((m, n_H, n_W, n_C))
    A_prev_pad = zero_pad(A_prev, pad)
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    a_slice_prev = A_prev_pad[i, h * stride:h * stride + f,
                                              w * stride:w * stride + f, :]
                    Z[i, h, w, c] = conv_single_step(
                        a_slice_prev, W[..., c], b[..., c])
    return Z, (A_prev, W, b, hparameters)


@wrong("conv_forward", *words.WHOLE_IMAGE)
def conv_forward_whole_image_as_window(A_prev, W, b, hparameters):
    (m, n_H_prev, n_W_prev, n_C_prev) = A_prev.shape
    (f, f, n_C_prev, n_C) = W.shape
    stride = hparameters["stride"]
    pad = hparameters["pad"]
    n_H = int((n_H_prev - f + 2 * pad) / stride) + 1
    n_W = int((n_W_prev - f + 2 * pad) / stride) + 1
    Z = np.zeros((m, n_H, n_W, n_C))
    A_prev_pad = zero_pad(A_prev, pad)
    for i in range(m):
        a_prev_pad = A_prev_pad[i]
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    vert_start = h * stride
                    vert_end = vert_start + f
                    horiz_start = w * stride
                    horiz_end = horiz_start + f
                    a_slice_prev = a_prev_pad
                    Z[i, h, w, c] = conv_single_step(
                        a_slice_prev, W[:, :, :, c], b[:, :, :, c])
    return Z, (A_prev, W, b, hparameters)


@wrong("conv_forward", [r"canal|n_C_prev|\beje", r"un solo|sólo|solo |único"
                        r"|canal c\b|\b3 ax|\b3 ejes|tres ejes"],
       [r"channel|n_C_prev|\bax[ei]s",
        r"one channel|single|only|channel c\b|\b3 ax|three ax"])
def conv_forward_one_channel_as_window(A_prev, W, b, hparameters):
    (m, n_H_prev, n_W_prev, n_C_prev) = A_prev.shape
    (f, f, n_C_prev, n_C) = W.shape
    stride = hparameters["stride"]
    pad = hparameters["pad"]
    n_H = int((n_H_prev - f + 2 * pad) / stride) + 1
    n_W = int((n_W_prev - f + 2 * pad) / stride) + 1
    Z = np.zeros((m, n_H, n_W, n_C))
    A_prev_pad = zero_pad(A_prev, pad)
    for i in range(m):
        a_prev_pad = A_prev_pad[i]
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    vert_start = h * stride
                    vert_end = vert_start + f
                    horiz_start = w * stride
                    horiz_end = horiz_start + f
                    a_slice_prev = a_prev_pad[vert_start:vert_end,
                                              horiz_start:horiz_end, c]
                    Z[i, h, w, c] = conv_single_step(
                        a_slice_prev, W[:, :, :, c], b[:, :, :, c])
    return Z, (A_prev, W, b, hparameters)


@wrong("conv_forward", *words.ONE_CHANNEL)
def conv_forward_first_channel_only(A_prev, W, b, hparameters):
    m, nh, nw, _ = A_prev.shape
    f, n_C = W.shape[0], W.shape[3]
    s, p = hparameters["stride"], hparameters["pad"]
    Ap = zero_pad(A_prev, p)
    H, Wd = (nh - f + 2*p)//s + 1, (nw - f + 2*p)//s + 1
    Z = np.zeros((m, H, Wd, n_C))
    for i in range(m):
        for r in range(H):
            for q in range(Wd):
                for k in range(n_C):
                    total = 0
                    for u in range(f):
                        for v in range(f):
                            total += Ap[i, r*s+u, q*s+v, 0] * W[u, v, 0, k]
                    Z[i, r, q, k] = total + b[0, 0, 0, k]
    return Z, (A_prev, W, b, hparameters)


@wrong("conv_forward", *words.CHANNELS_FIRST)
def conv_forward_channels_first(A_prev, W, b, hparameters):
    m, n_C_prev, n_H_prev, n_W_prev = A_prev.shape
    n_C, n_C_prev, f, f = W.shape
    stride, pad = hparameters["stride"], hparameters["pad"]
    n_H = (n_H_prev - f + 2*pad)//stride + 1
    n_W = (n_W_prev - f + 2*pad)//stride + 1
    A_prev_pad = np.pad(A_prev, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    Z = np.zeros((m, n_C, n_H, n_W))
    for i in range(m):
        for c in range(n_C):
            for h in range(n_H):
                for w in range(n_W):
                    a = A_prev_pad[i, :, h*stride:h*stride+f,
                                   w*stride:w*stride+f]
                    Z[i, c, h, w] = np.sum(a * W[c]) + b[0, c, 0, 0]
    return Z, (A_prev, W, b, hparameters)


@wrong("conv_forward", *words.CHANNELS_FIRST)
def conv_forward_result_channels_first(A_prev, W, b, hparameters):
    (m, n_H_prev, n_W_prev, n_C_prev) = A_prev.shape
    (f, f, n_C_prev, n_C) = W.shape
    stride, pad = hparameters["stride"], hparameters["pad"]
    n_H = (n_H_prev - f + 2*pad)//stride + 1
    n_W = (n_W_prev - f + 2*pad)//stride + 1
    A_prev_pad = zero_pad(A_prev, pad)
    Z = np.zeros((m, n_C, n_H, n_W))
    for i in range(m):
        for c in range(n_C):
            for h in range(n_H):
                for w in range(n_W):
                    a = A_prev_pad[i, h*stride:h*stride+f,
                                   w*stride:w*stride+f]
                    Z[i, c, h, w] = conv_single_step(a, W[..., c],
                                                     b[..., c])
    return Z, (A_prev, W, b, hparameters)


@wrong("conv_forward", *words.NOT_WRITTEN)
def conv_forward_stub(A_prev, W, b, hparameters):
    raise NotImplementedError


@wrong("conv_forward", *words.NOTHING_RETURNED)
def conv_forward_prints_and_returns_nothing(A_prev, W, b, hparameters):
    s, p, f = hparameters["stride"], hparameters["pad"], W.shape[0]
    X = zero_pad(A_prev, p)
    n_H, n_W = (X.shape[1] - f)//s + 1, (X.shape[2] - f)//s + 1
    Z = np.zeros((len(X), n_H, n_W, W.shape[3]))
    for i in range(len(X)):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(W.shape[3]):
                    Z[i, h, w, c] = conv_single_step(
                        X[i, h*s:h*s+f, w*s:w*s+f], W[..., c], b[..., c])
    print(Z.shape)


@wrong("conv_forward", *words.FEWER_RETURNED)
def conv_forward_without_cache(A_prev, W, b, hparameters):
    s, p, f = hparameters["stride"], hparameters["pad"], W.shape[0]
    X = zero_pad(A_prev, p)
    n_H, n_W = (X.shape[1] - f)//s + 1, (X.shape[2] - f)//s + 1
    Z = np.zeros((len(X), n_H, n_W, W.shape[3]))
    for i in range(len(X)):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(W.shape[3]):
                    Z[i, h, w, c] = conv_single_step(
                        X[i, h*s:h*s+f, w*s:w*s+f], W[..., c], b[..., c])
    return Z


@wrong("conv_forward", [r"cach|memoria", r"rellen|A_prev|marco|forma"],
       [r"cache", r"pad|A_prev|frame|shape"])
def conv_forward_cache_of_the_padded_input(A_prev, W, b, hparameters):
    (m, n_H_prev, n_W_prev, n_C_prev) = A_prev.shape
    (f, f, n_C_prev, n_C) = W.shape
    stride, pad = hparameters["stride"], hparameters["pad"]
    n_H = int((n_H_prev - f + 2 * pad) / stride) + 1
    n_W = int((n_W_prev - f + 2 * pad) / stride) + 1
    Z = np.zeros((m, n_H, n_W, n_C))
    A_prev = zero_pad(A_prev, pad)
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    a_slice = A_prev[i, h*stride:h*stride+f,
                                     w*stride:w*stride+f, :]
                    Z[i, h, w, c] = conv_single_step(a_slice, W[..., c],
                                                     b[..., c])
    cache = (A_prev, W, b, hparameters)
    return Z, cache


@wrong("conv_forward", *words.unknown("a_prev_pad"))
def conv_forward_misspelt_name(A_prev, W, b, hparameters):
    (m, n_H_prev, n_W_prev, n_C_prev) = A_prev.shape
    (f, f, n_C_prev, n_C) = W.shape
    stride, pad = hparameters["stride"], hparameters["pad"]
    n_H = int((n_H_prev - f + 2 * pad) / stride) + 1
    n_W = int((n_W_prev - f + 2 * pad) / stride) + 1
    Z = np.zeros((m, n_H, n_W, n_C))
    A_prev_pad = zero_pad(A_prev, pad)
    for i in range(m):
        a_prev_padd = A_prev_pad[i]
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    a_slice_prev = a_prev_pad[h*stride:h*stride+f,  # noqa
                                              w*stride:w*stride+f, :]
                    Z[i, h, w, c] = conv_single_step(
                        a_slice_prev, W[:, :, :, c], b[:, :, :, c])
    return Z, (A_prev, W, b, hparameters)


@wrong("conv_forward", *words.AXIS_ERROR)
def conv_forward_loops_over_the_input(A_prev, W, b, hparameters):
    (m, n_H_prev, n_W_prev, n_C_prev) = A_prev.shape
    (f, f, n_C_prev, n_C) = W.shape
    stride, pad = hparameters["stride"], hparameters["pad"]
    n_H = int((n_H_prev - f + 2 * pad) / stride) + 1
    n_W = int((n_W_prev - f + 2 * pad) / stride) + 1
    Z = np.zeros((m, n_H, n_W, n_C))
    A_prev_pad = zero_pad(A_prev, pad)
    for i in range(m):
        for h in range(n_H_prev):
            for w in range(n_W_prev):
                for c in range(n_C):
                    a = A_prev_pad[i, h*stride:h*stride + f,
                                   w*stride:w*stride + f, :]
                    fh, fw, _ = a.shape
                    Z[i, h, w, c] = np.sum(a * W[:fh, :fw, :, c]
                                           ) + b[0, 0, 0, c]
    return Z, (A_prev, W, b, hparameters)


@wrong("conv_forward", *words.ONES)
def conv_forward_frame_of_ones(A_prev, W, b, hparameters):
    m, n_H_prev, n_W_prev, n_C_prev = A_prev.shape
    f, f, n_C_prev, n_C = W.shape
    s, p = hparameters["stride"], hparameters["pad"]
    H = (n_H_prev - f + 2*p)//s + 1
    V = (n_W_prev - f + 2*p)//s + 1
    A_pad = np.ones((m, n_H_prev + 2*p, n_W_prev + 2*p, n_C_prev))
    A_pad[:, p:p + n_H_prev, p:p + n_W_prev, :] = A_prev
    Z = np.zeros((m, H, V, n_C))
    for h in range(H):
        for w in range(V):
            a = A_pad[:, h*s:h*s+f, w*s:w*s+f, :, None]
            Z[:, h, w, :] = (a * W).sum(axis=(1, 2, 3)) + b[0, 0, 0]
    return Z, (A_prev, W, b, hparameters)


@wrong("conv_forward", *words.EDGES)
def conv_forward_frame_of_edges(A_prev, W, b, hparameters):
    s, p = hparameters["stride"], hparameters["pad"]
    f = W.shape[0]
    A_pad = np.pad(A_prev, ((0, 0), (p, p), (p, p), (0, 0)), mode="edge")
    H, V = (A_pad.shape[1] - f)//s + 1, (A_pad.shape[2] - f)//s + 1
    Z = np.zeros((A_prev.shape[0], H, V, W.shape[3]))
    for i in range(A_prev.shape[0]):
        for h in range(H):
            for w in range(V):
                for c in range(W.shape[3]):
                    Z[i, h, w, c] = conv_single_step(
                        A_pad[i, h*s:h*s+f, w*s:w*s+f], W[..., c], b[..., c])
    return Z, (A_prev, W, b, hparameters)


@wrong("conv_forward", *words.PAD_ALL_AXES)
def conv_forward_frame_on_every_axis(A_prev, W, b, hparameters):
    s, p = hparameters["stride"], hparameters["pad"]
    f, f, n_C_prev, n_C = W.shape
    A_pad = np.pad(A_prev, p)
    H, V = (A_pad.shape[1] - f)//s + 1, (A_pad.shape[2] - f)//s + 1
    Z = np.zeros((A_prev.shape[0], H, V, n_C))
    for i in range(A_prev.shape[0]):
        for h in range(H):
            for w in range(V):
                for c in range(n_C):
                    a = A_pad[i, h*s:h*s+f, w*s:w*s+f, :n_C_prev]
                    Z[i, h, w, c] = np.sum(a * W[..., c]) + b[0, 0, 0, c]
    return Z, (A_prev, W, b, hparameters)


@wrong("conv_forward", *words.FIRST_IMAGE)
def conv_forward_first_image_only(A_prev, W, b, hparameters):
    (m, n_H_prev, n_W_prev, n_C_prev) = A_prev.shape
    (f, f, n_C_prev, n_C) = W.shape
    stride, pad = hparameters["stride"], hparameters["pad"]
    n_H = int((n_H_prev - f + 2 * pad) / stride) + 1
    n_W = int((n_W_prev - f + 2 * pad) / stride) + 1
    Z = np.zeros((m, n_H, n_W, n_C))
    A_prev_pad = zero_pad(A_prev, pad)
    for i in range(m):
        a_prev_pad = A_prev_pad[0]
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    a_slice_prev = a_prev_pad[h*stride:h*stride+f,
                                              w*stride:w*stride+f, :]
                    Z[i, h, w, c] = conv_single_step(
                        a_slice_prev, W[:, :, :, c], b[:, :, :, c])
    return Z, (A_prev, W, b, hparameters)


@wrong("conv_forward", *words.ONE_FILTER)
def conv_forward_first_filter_only(A_prev, W, b, hparameters):
    (m, n_H_prev, n_W_prev, n_C_prev) = A_prev.shape
    (f, f, n_C_prev, n_C) = W.shape
    stride, pad = hparameters["stride"], hparameters["pad"]
    n_H = int((n_H_prev - f + 2 * pad) / stride) + 1
    n_W = int((n_W_prev - f + 2 * pad) / stride) + 1
    Z = np.zeros((m, n_H, n_W, n_C))
    A_prev_pad = zero_pad(A_prev, pad)
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    a_slice_prev = A_prev_pad[i, h*stride:h*stride+f,
                                              w*stride:w*stride+f, :]
                    weights = W[:, :, :, 0]
                    biases = b[:, :, :, c]
                    Z[i, h, w, c] = conv_single_step(a_slice_prev, weights,
                                                     biases)
    return Z, (A_prev, W, b, hparameters)
