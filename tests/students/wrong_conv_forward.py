"""Wrong forward passes of the convolution layer: one mistake each."""
import numpy as np

from cnnbook.conv_layer import conv_single_step
from cnnbook.padding import zero_pad

from . import words
from .registry import wrong


@wrong("conv_forward", *words.BIAS_MISSING)
def conv_forward_no_bias(A_prev, W, b, hparameters):
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
            vert_start = h * stride
            vert_end = vert_start + f
            for w in range(n_W):
                horiz_start = w * stride
                horiz_end = horiz_start + f
                for c in range(n_C):
                    a_slice_prev = a_prev_pad[vert_start:vert_end,
                                              horiz_start:horiz_end, :]
                    Z[i, h, w, c] = np.sum(a_slice_prev * W[:, :, :, c])
    cache = (A_prev, W, b, hparameters)
    return Z, cache


@wrong("conv_forward", *words.BIAS_REPEATED)
def conv_forward_bias_in_every_product(A_prev, W, b, hparameters):
    m, n_H_prev, n_W_prev, n_C_prev = A_prev.shape
    f, f, n_C_prev, n_C = W.shape
    s = hparameters["stride"]
    p = hparameters["pad"]
    n_H = (n_H_prev + 2 * p - f) // s + 1
    n_W = (n_W_prev + 2 * p - f) // s + 1
    Z = np.zeros((m, n_H, n_W, n_C))
    A_prev_pad = zero_pad(A_prev, p)
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    a_slice = A_prev_pad[i, h*s:h*s+f, w*s:w*s+f, :]
                    prod = np.multiply(a_slice, W[..., c]) + b[0, 0, 0, c]
                    Z[i, h, w, c] = prod.sum()
    return Z, (A_prev, W, b, hparameters)


@wrong("conv_forward", *words.UNPADDED)
def conv_forward_slices_of_the_input(A_prev, W, b, hparameters):
    (m, n_H_prev, n_W_prev, n_C_prev) = A_prev.shape
    (f, f, n_C_prev, n_C) = W.shape
    stride, pad = hparameters["stride"], hparameters["pad"]
    n_H = int((n_H_prev - f + 2 * pad) / stride + 1)
    n_W = int((n_W_prev - f + 2 * pad) / stride + 1)
    Z = np.zeros((m, n_H, n_W, n_C))
    A_prev_pad = zero_pad(A_prev, pad)
    for i in range(m):
        a_prev_pad = A_prev[i]
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    vert_start = h * stride
                    vert_end = vert_start + f
                    horiz_start = w * stride
                    horiz_end = horiz_start + f
                    a_slice_prev = a_prev_pad[vert_start:vert_end,
                                              horiz_start:horiz_end, :]
                    Z[i, h, w, c] = conv_single_step(
                        a_slice_prev, W[:, :, :, c], b[:, :, :, c])
    cache = (A_prev, W, b, hparameters)
    return Z, cache


@wrong("conv_forward", *words.UNPADDED)
def conv_forward_pad_never_used(A_prev, W, b, hparameters):
    (m, n_H_prev, n_W_prev, n_C_prev) = A_prev.shape
    (f, f, n_C_prev, n_C) = W.shape
    stride = hparameters["stride"]
    n_H = int((n_H_prev - f) / stride) + 1
    n_W = int((n_W_prev - f) / stride) + 1
    Z = np.zeros((m, n_H, n_W, n_C))
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    a_slice_prev = A_prev[i, h*stride:h*stride + f,
                                          w*stride:w*stride + f]
                    Z[i, h, w, c] = conv_single_step(
                        a_slice_prev, W[..., c], b[..., c])
    return Z, (A_prev, W, b, hparameters)


@wrong("conv_forward", *words.END_AT_STRIDE)
def conv_forward_end_at_stride(A_prev, W, b, hparameters):
    (m, n_H_prev, n_W_prev, n_C_prev) = A_prev.shape
    (f, f, n_C_prev, n_C) = W.shape
    stride = hparameters["stride"]
    pad = hparameters["pad"]
    n_H = int((n_H_prev - f + 2 * pad) / stride) + 1
    n_W = int((n_W_prev - f + 2 * pad) / stride) + 1
    Z = np.zeros((m, n_H, n_W, n_C))
    A_prev_pad = zero_pad(A_prev, pad)
    for i in range(m):
        a_prev_pad = A_prev_pad[i, :, :, :]
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    vert_start = h * stride
                    vert_end = vert_start + stride
                    horiz_start = w * stride
                    horiz_end = horiz_start + stride
                    a_slice_prev = a_prev_pad[vert_start:vert_end,
                                              horiz_start:horiz_end, :]
                    Z[i, h, w, c] = np.sum(
                        a_slice_prev * W[:, :, :, c]) + b[0, 0, 0, c]
    cache = (A_prev, W, b, hparameters)
    return Z, cache


@wrong("conv_forward", *words.STRIDE_IGNORED)
def conv_forward_start_without_stride(A_prev, W, b, hparameters):
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
            vert_start = h
            vert_end = vert_start + f
            for w in range(n_W):
                horiz_start = w
                horiz_end = horiz_start + f
                a_slice_prev = a_prev_pad[vert_start:vert_end,
                                          horiz_start:horiz_end, :]
                for c in range(n_C):
                    Z[i, h, w, c] = conv_single_step(
                        a_slice_prev, W[:, :, :, c], b[:, :, :, c])
    return Z, (A_prev, W, b, hparameters)


@wrong("conv_forward", *words.FLIPPED)
def conv_forward_flipped(A_prev, W, b, hparameters):
    m, H, Wd, _ = A_prev.shape
    f, _, _, n_C = W.shape
    s, p = hparameters["stride"], hparameters["pad"]
    X = zero_pad(A_prev, p)
    n_H, n_W = (H + 2*p - f)//s + 1, (Wd + 2*p - f)//s + 1
    Z = np.zeros((m, n_H, n_W, n_C))
    K = np.flip(W, axis=(0, 1))
    for h in range(n_H):
        for w in range(n_W):
            patch = X[:, h*s:h*s + f, w*s:w*s + f, :]
            Z[:, h, w, :] = np.tensordot(patch, K, axes=3) + b[0, 0, 0]
    return Z, (A_prev, W, b, hparameters)


@wrong("conv_forward", *words.ROUNDED_UP)
def conv_forward_size_rounded_up(A_prev, W, b, hparameters):
    (m, n_H_prev, n_W_prev, n_C_prev) = A_prev.shape
    (f, f, n_C_prev, n_C) = W.shape
    stride = hparameters["stride"]
    pad = hparameters["pad"]
    n_H = int(np.ceil((n_H_prev - f + 2 * pad) / stride)) + 1
    n_W = int(np.ceil((n_W_prev - f + 2 * pad) / stride)) + 1
    Z = np.zeros((m, n_H, n_W, n_C))
    A_prev_pad = zero_pad(A_prev, pad)
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    trozo = A_prev_pad[i, h*stride:h*stride + f,
                                       w*stride:w*stride + f, :]
                    alto, ancho, _ = trozo.shape
                    Z[i, h, w, c] = np.sum(
                        trozo * W[:alto, :ancho, :, c]) + b[0, 0, 0, c]
    return Z, (A_prev, W, b, hparameters)


@wrong("conv_forward", *words.NO_PLUS_ONE)
def conv_forward_size_without_plus_one(A_prev, W, b, hparameters):
    (m, n_H_prev, n_W_prev, n_C_prev) = A_prev.shape
    (f, f, n_C_prev, n_C) = W.shape
    stride = hparameters["stride"]
    pad = hparameters["pad"]
    n_H = int((n_H_prev - f + 2 * pad) / stride)
    n_W = int((n_W_prev - f + 2 * pad) / stride)
    Z = np.zeros((m, n_H, n_W, n_C))
    A_prev_pad = zero_pad(A_prev, pad)
    for i in range(m):
        a_prev_pad = A_prev_pad[i]
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    a_slice_prev = a_prev_pad[h * stride:h * stride + f,
                                              w * stride:w * stride + f, :]
                    Z[i, h, w, c] = conv_single_step(
                        a_slice_prev, W[:, :, :, c], b[:, :, :, c])
    return Z, (A_prev, W, b, hparameters)


@wrong("conv_forward", *words.ONE_SIDE)
def conv_forward_size_with_pad_once(A_prev, W, b, hparameters):
    (m, n_H_prev, n_W_prev, n_C_prev) = A_prev.shape
    (f, f, n_C_prev, n_C) = W.shape
    stride = hparameters["stride"]
    pad = hparameters["pad"]
    n_H = (n_H_prev - f + pad) // stride + 1
    n_W = (n_W_prev - f + pad) // stride + 1
    Z = np.zeros((m, n_H, n_W, n_C))
    A_prev_pad = zero_pad(A_prev, pad)
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    a_slice_prev = A_prev_pad[i, h * stride:h * stride + f,
                                              w * stride:w * stride + f, :]
                    Z[i, h, w, c] = conv_single_step(
                        a_slice_prev, W[:, :, :, c], b[:, :, :, c])
    return Z, (A_prev, W, b, hparameters)


@wrong("conv_forward", *words.PAD_STRIDE)
def conv_forward_pad_and_stride_exchanged(A_prev, W, b, hparameters):
    m, n_H_prev, n_W_prev, n_C_prev = A_prev.shape
    f, f, n_C_prev, n_C = W.shape
    pad = hparameters["stride"]
    stride = hparameters["pad"]
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
                    Z[i, h, w, c] = conv_single_step(
                        a_slice_prev, W[:, :, :, c], b[:, :, :, c])
    return Z, (A_prev, W, b, hparameters)


@wrong("conv_forward", *words.ROWS_COLUMNS)
def conv_forward_rows_for_columns(A_prev, W, b, hparameters):
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
                vert_start = w * stride
                vert_end = vert_start + f
                horiz_start = h * stride
                horiz_end = horiz_start + f
                for c in range(n_C):
                    a_slice_prev = a_prev_pad[vert_start:vert_end,
                                              horiz_start:horiz_end, :]
                    Z[i, h, w, c] = conv_single_step(
                        a_slice_prev, W[:, :, :, c], b[:, :, :, c])
    return Z, (A_prev, W, b, hparameters)


@wrong("conv_forward", *words.SQUARE)
def conv_forward_square_images_only(A_prev, W, b, hparameters):
    m, n_prev, n_prev, n_C_prev = A_prev.shape
    f, f, n_C_prev, n_C = W.shape
    stride, pad = hparameters['stride'], hparameters['pad']
    n = (n_prev - f + 2*pad)//stride + 1
    A_prev_pad = zero_pad(A_prev, pad)
    Z = np.zeros((m, n, n, n_C))
    for i in range(m):
        for h in range(n):
            for w in range(n):
                for c in range(n_C):
                    Z[i, h, w, c] = np.sum(
                        A_prev_pad[i, h*stride:h*stride+f,
                                   w*stride:w*stride+f] * W[..., c]
                    ) + b[0, 0, 0, c]
    return Z, (A_prev, W, b, hparameters)


@wrong("conv_forward", *words.RETURN_IN_LOOP)
def conv_forward_return_in_the_loop(A_prev, W, b, hparameters):
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
                    Z[i, h, w, c] = conv_single_step(
                        a_slice_prev, W[:, :, :, c], b[:, :, :, c])
        cache = (A_prev, W, b, hparameters)
        return Z, cache


@wrong("conv_forward", *words.RELU_INSIDE)
def conv_forward_relu_inside(A_prev, W, b, hparameters):
    m, n_H_prev, n_W_prev, _ = A_prev.shape
    f, _, _, n_C = W.shape
    stride, pad = hparameters["stride"], hparameters["pad"]
    n_H = 1 + (n_H_prev + 2*pad - f)//stride
    n_W = 1 + (n_W_prev + 2*pad - f)//stride
    x = np.pad(A_prev, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    Z = np.zeros((m, n_H, n_W, n_C))
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    z = np.sum(x[i, h*stride:h*stride+f,
                                 w*stride:w*stride+f, :] * W[:, :, :, c])
                    Z[i, h, w, c] = max(0, z + b[0, 0, 0, c])
    return Z, (A_prev, W, b, hparameters)
