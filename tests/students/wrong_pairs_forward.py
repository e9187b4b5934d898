"""Two mistakes at once in the forward pass of the convolution layer."""
import numpy as np

from cnnbook.conv_layer import conv_single_step
from cnnbook.padding import zero_pad

from . import words
from .registry import wrong


@wrong("conv_forward", *words.BIAS_MISSING, also=words.STRIDE_IGNORED)
def conv_forward_no_bias_no_stride(A_prev, W, b, hparameters):
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
                    a_slice_prev = a_prev_pad[h:h + f, w:w + f, :]
                    Z[i, h, w, c] = np.sum(a_slice_prev * W[:, :, :, c])
    return Z, (A_prev, W, b, hparameters)


@wrong("conv_forward", *words.FLIPPED, also=words.BIAS_MISSING)
def conv_forward_flipped_no_bias(A_prev, W, b, hparameters):
    m, n_H_prev, n_W_prev, _ = A_prev.shape
    f, _, _, n_C = W.shape
    s, p = hparameters["stride"], hparameters["pad"]
    x = zero_pad(A_prev, p)
    n_H, n_W = (n_H_prev + 2*p - f)//s + 1, (n_W_prev + 2*p - f)//s + 1
    Z = np.zeros((m, n_H, n_W, n_C))
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    Z[i, h, w, c] = np.sum(
                        x[i, h*s:h*s+f, w*s:w*s+f] * W[::-1, ::-1, :, c])
    return Z, (A_prev, W, b, hparameters)


@wrong("conv_forward", *words.RELU_INSIDE, also=words.BIAS_MISSING)
def conv_forward_relu_no_bias(A_prev, W, b, hparameters):
    m, n_H_prev, n_W_prev, _ = A_prev.shape
    f, _, _, n_C = W.shape
    s, p = hparameters["stride"], hparameters["pad"]
    x = zero_pad(A_prev, p)
    n_H, n_W = (n_H_prev + 2*p - f)//s + 1, (n_W_prev + 2*p - f)//s + 1
    Z = np.zeros((m, n_H, n_W, n_C))
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    z = np.sum(x[i, h*s:h*s+f, w*s:w*s+f] * W[..., c])
                    Z[i, h, w, c] = z if z > 0 else 0
    return Z, (A_prev, W, b, hparameters)


@wrong("conv_forward", *words.BIAS_REPEATED, also=words.NO_PLUS_ONE)
def conv_forward_bias_repeated_size_short(A_prev, W, b, hparameters):
    (m, n_H_prev, n_W_prev, n_C_prev) = A_prev.shape
    (f, f, n_C_prev, n_C) = W.shape
    stride, pad = hparameters["stride"], hparameters["pad"]
    n_H = int((n_H_prev - f + 2 * pad) / stride)
    n_W = int((n_W_prev - f + 2 * pad) / stride)
    Z = np.zeros((m, n_H, n_W, n_C))
    A_prev_pad = zero_pad(A_prev, pad)
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    a_slice = A_prev_pad[i, h*stride:h*stride+f,
                                         w*stride:w*stride+f, :]
                    Z[i, h, w, c] = np.sum(a_slice * W[:, :, :, c]
                                           + b[:, :, :, c])
    return Z, (A_prev, W, b, hparameters)


@wrong("conv_forward", *words.RETURN_IN_LOOP, also=words.BIAS_MISSING)
def conv_forward_return_early_no_bias(A_prev, W, b, hparameters):
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
                    a_slice = A_prev_pad[i, h*stride:h*stride+f,
                                         w*stride:w*stride+f, :]
                    Z[i, h, w, c] = np.sum(a_slice * W[:, :, :, c])
        return Z, (A_prev, W, b, hparameters)


@wrong("conv_forward", *words.STRIDE_IGNORED, also=words.INTEGERS)
def conv_forward_no_stride_integers(A_prev, W, b, hparameters):
    (m, n_H_prev, n_W_prev, n_C_prev) = A_prev.shape
    (f, f, n_C_prev, n_C) = W.shape
    stride, pad = hparameters["stride"], hparameters["pad"]
    n_H = int((n_H_prev - f + 2 * pad) / stride) + 1
    n_W = int((n_W_prev - f + 2 * pad) / stride) + 1
    Z = np.zeros((m, n_H, n_W, n_C), dtype=np.int32)
    A_prev_pad = zero_pad(A_prev, pad)
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    Z[i, h, w, c] = conv_single_step(
                        A_prev_pad[i, h:h+f, w:w+f], W[..., c], b[..., c])
    return Z, (A_prev, W, b, hparameters)


@wrong("conv_forward", *words.EDGES, also=words.FLIPPED)
def conv_forward_reflected_frame_flipped(A_prev, W, b, hparameters):
    f, _, n_C_prev, n_C = W.shape
    s, p = hparameters["stride"], hparameters["pad"]
    x = np.pad(A_prev, ((0, 0), (p, p), (p, p), (0, 0)), mode="symmetric")
    n_H, n_W = (x.shape[1] - f)//s + 1, (x.shape[2] - f)//s + 1
    W_rot = W[::-1, ::-1]
    Z = np.zeros((len(x), n_H, n_W, n_C))
    for h in range(n_H):
        for w in range(n_W):
            Z[:, h, w] = np.tensordot(x[:, h*s:h*s+f, w*s:w*s+f], W_rot, 3)
    return Z + b, (A_prev, W, b, hparameters)


@wrong("conv_forward", *words.RELU_INSIDE, also=words.FIRST_IMAGE)
def conv_forward_relu_first_image(A_prev, W, b, hparameters):
    f, _, n_C_prev, n_C = W.shape
    s, p = hparameters["stride"], hparameters["pad"]
    x = zero_pad(A_prev, p)
    n_H, n_W = (x.shape[1] - f)//s + 1, (x.shape[2] - f)//s + 1
    Z = np.zeros((len(x), n_H, n_W, n_C))
    for i in range(len(x)):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    Z[i, h, w, c] = max(0, conv_single_step(
                        x[0, h*s:h*s+f, w*s:w*s+f], W[..., c], b[..., c]))
    return Z, (A_prev, W, b, hparameters)


@wrong("conv_forward", *words.FEWER_RETURNED, also=words.BIAS_MISSING)
def conv_forward_only_Z_no_bias(A_prev, W, b, hparameters):
    f, _, n_C_prev, n_C = W.shape
    s, p = hparameters["stride"], hparameters["pad"]
    x = zero_pad(A_prev, p)
    n_H, n_W = (x.shape[1] - f)//s + 1, (x.shape[2] - f)//s + 1
    Z = np.zeros((len(x), n_H, n_W, n_C))
    for i in range(len(x)):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    Z[i, h, w, c] = np.sum(
                        x[i, h*s:h*s+f, w*s:w*s+f] * W[..., c])
    return Z


@wrong("conv_forward", *words.ONE_FILTER, also=words.BIAS_REPEATED)
def conv_forward_first_filter_bias_repeated(A_prev, W, b, hparameters):
    f, _, n_C_prev, n_C = W.shape
    s, p = hparameters["stride"], hparameters["pad"]
    x = zero_pad(A_prev, p)
    n_H, n_W = (x.shape[1] - f)//s + 1, (x.shape[2] - f)//s + 1
    Z = np.zeros((len(x), n_H, n_W, n_C))
    for i in range(len(x)):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    trozo = x[i, h*s:h*s+f, w*s:w*s+f]
                    Z[i, h, w, c] = np.sum(trozo * W[..., 0] + b[..., 0])
    return Z, (A_prev, W, b, hparameters)


@wrong("conv_forward", *words.UNPADDED, also=words.BIAS_MISSING)
def conv_forward_no_padding_no_bias(A_prev, W, b, hparameters):
    f, _, n_C_prev, n_C = W.shape
    s = hparameters["stride"]
    m, n_H_prev, n_W_prev, _ = A_prev.shape
    n_H, n_W = (n_H_prev - f)//s + 1, (n_W_prev - f)//s + 1
    Z = np.zeros((m, n_H, n_W, n_C))
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    Z[i, h, w, c] = np.sum(
                        A_prev[i, h*s:h*s+f, w*s:w*s+f] * W[..., c])
    return Z, (A_prev, W, b, hparameters)


@wrong("conv_forward", *words.ROWS_COLUMNS, also=words.BIAS_MISSING)
def conv_forward_rows_for_columns_no_bias(A_prev, W, b, hparameters):
    f, _, n_C_prev, n_C = W.shape
    s, p = hparameters["stride"], hparameters["pad"]
    x = zero_pad(A_prev, p)
    n_H, n_W = (x.shape[1] - f)//s + 1, (x.shape[2] - f)//s + 1
    Z = np.zeros((len(x), n_H, n_W, n_C))
    for i in range(len(x)):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    trozo = x[i, w*s:w*s+f, h*s:h*s+f]
                    if trozo.shape == (f, f, n_C_prev):
                        Z[i, h, w, c] = np.sum(trozo * W[..., c])
    return Z, (A_prev, W, b, hparameters)
