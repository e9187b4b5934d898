"""Wrong backward passes of the convolution layer: one mistake each."""
import numpy as np

from cnnbook.padding import zero_pad

from . import words
from .registry import wrong


@wrong("conv_backward", *words.PAD_IS_0)
def conv_backward_minus_pad(dZ, cache):
    (A_prev, W, b, hparameters) = cache
    (m, n_H_prev, n_W_prev, n_C_prev) = A_prev.shape
    (f, f, n_C_prev, n_C) = W.shape
    stride = hparameters["stride"]
    pad = hparameters["pad"]
    (m, n_H, n_W, n_C) = dZ.shape
    dA_prev = np.zeros((m, n_H_prev, n_W_prev, n_C_prev))
    dW = np.zeros((f, f, n_C_prev, n_C))
    db = np.zeros((1, 1, 1, n_C))
    A_prev_pad = zero_pad(A_prev, pad)
    dA_prev_pad = zero_pad(dA_prev, pad)
    for i in range(m):
        a_prev_pad = A_prev_pad[i]
        da_prev_pad = dA_prev_pad[i]
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    vert_start = h * stride
                    vert_end = vert_start + f
                    horiz_start = w * stride
                    horiz_end = horiz_start + f
                    a_slice = a_prev_pad[vert_start:vert_end,
                                         horiz_start:horiz_end, :]
                    da_prev_pad[vert_start:vert_end,
                                horiz_start:horiz_end, :] += (
                        W[:, :, :, c] * dZ[i, h, w, c])
                    dW[:, :, :, c] += a_slice * dZ[i, h, w, c]
                    db[:, :, :, c] += dZ[i, h, w, c]
        dA_prev[i, :, :, :] = da_prev_pad[pad:-pad, pad:-pad, :]
    return dA_prev, dW, db


@wrong("conv_backward", *words.LAST_IMAGE)
def conv_backward_frame_cut_off_after_the_loop(dZ, cache):
    (A_prev, W, b, hparameters) = cache
    (m, n_H_prev, n_W_prev, n_C_prev) = A_prev.shape
    (f, f, n_C_prev, n_C) = W.shape
    stride = hparameters["stride"]
    pad = hparameters["pad"]
    (m, n_H, n_W, n_C) = dZ.shape
    dA_prev = np.zeros((m, n_H_prev, n_W_prev, n_C_prev))
    dW = np.zeros((f, f, n_C_prev, n_C))
    db = np.zeros((1, 1, 1, n_C))
    A_prev_pad = zero_pad(A_prev, pad)
    dA_prev_pad = zero_pad(dA_prev, pad)
    for i in range(m):
        a_prev_pad = A_prev_pad[i]
        da_prev_pad = dA_prev_pad[i]
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    vert_start = h * stride
                    vert_end = vert_start + f
                    horiz_start = w * stride
                    horiz_end = horiz_start + f
                    a_slice = a_prev_pad[vert_start:vert_end,
                                         horiz_start:horiz_end, :]
                    da_prev_pad[vert_start:vert_end,
                                horiz_start:horiz_end, :] += (
                        W[:, :, :, c] * dZ[i, h, w, c])
                    dW[:, :, :, c] += a_slice * dZ[i, h, w, c]
                    db[:, :, :, c] += dZ[i, h, w, c]
    dA_prev[i] = da_prev_pad[pad:pad + n_H_prev, pad:pad + n_W_prev, :]
    return dA_prev, dW, db


@wrong("conv_backward", [r"rellen|marco|recort|padding", r"dA_prev|tamaño"
                         r"|forma|quita|recort"],
       [r"\bpad|frame|cut|crop", r"dA_prev|size|shape|remov|cut|crop"])
def conv_backward_keeps_the_frame(dZ, cache):
    A_prev, W, b, hparameters = cache
    stride, pad = hparameters["stride"], hparameters["pad"]
    f = W.shape[0]
    m, n_H, n_W, n_C = dZ.shape
    A_prev_pad = zero_pad(A_prev, pad)
    dA_prev_pad = np.zeros(A_prev_pad.shape)
    dW, db = np.zeros(W.shape), np.zeros(b.shape)
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    v0, h0 = h * stride, w * stride
                    dA_prev_pad[i, v0:v0+f, h0:h0+f] += (
                        W[..., c] * dZ[i, h, w, c])
                    dW[..., c] += (A_prev_pad[i, v0:v0+f, h0:h0+f]
                                   * dZ[i, h, w, c])
                    db[..., c] += dZ[i, h, w, c]
    return dA_prev_pad, dW, db


@wrong("conv_backward", [r"azar|aleatori"], [r"random"])
def conv_backward_starts_from_random_numbers(dZ, cache):
    (A_prev, W, b, hparameters) = cache
    (m, n_H_prev, n_W_prev, n_C_prev) = A_prev.shape
    (f, f, n_C_prev, n_C) = W.shape
    stride, pad = hparameters["stride"], hparameters["pad"]
    (m, n_H, n_W, n_C) = dZ.shape
    dA_prev = np.random.randn(m, n_H_prev, n_W_prev, n_C_prev)
    dW = np.random.randn(f, f, n_C_prev, n_C)
    db = np.random.randn(1, 1, 1, n_C)
    A_prev_pad = zero_pad(A_prev, pad)
    dA_prev_pad = zero_pad(dA_prev, pad)
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    v0, h0 = h * stride, w * stride
                    dA_prev_pad[i, v0:v0+f, h0:h0+f, :] += (
                        W[:, :, :, c] * dZ[i, h, w, c])
                    dW[:, :, :, c] += (A_prev_pad[i, v0:v0+f, h0:h0+f, :]
                                       * dZ[i, h, w, c])
                    db[:, :, :, c] += dZ[i, h, w, c]
        dA_prev[i] = dA_prev_pad[i, pad:pad+n_H_prev, pad:pad+n_W_prev]
    return dA_prev, dW, db


@wrong("conv_backward", [r"\bdW\b",
                         r"(del|con el|desde el) gradiente|gradiente rellen"
                         r"|no (de|con) la entrada|en vez de la entrada"],
       [r"\bdW\b",
        r"(from|of|with) the (padded )?gradient|padded gradient"
        r"|instead of the input|not the input"])
def conv_backward_dW_from_the_padded_gradient(dZ, cache):
    (A_prev, W, b, hparameters) = cache
    (m, n_H_prev, n_W_prev, n_C_prev) = A_prev.shape
    (f, f, n_C_prev, n_C) = W.shape
    stride, pad = hparameters["stride"], hparameters["pad"]
    (m, n_H, n_W, n_C) = dZ.shape
    dA_prev = np.zeros(A_prev.shape)
    dW = np.zeros(W.shape)
    db = np.zeros(b.shape)
    A_prev_pad = zero_pad(A_prev, pad)
    dA_prev_pad = zero_pad(dA_prev, pad)
    for i in range(m):
        a_prev_pad = A_prev_pad[i]
        da_prev_pad = dA_prev_pad[i]
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    vert_start, vert_end = h*stride, h*stride + f
                    horiz_start, horiz_end = w*stride, w*stride + f
                    a_slice = da_prev_pad[vert_start:vert_end,
                                          horiz_start:horiz_end, :]
                    da_prev_pad[vert_start:vert_end,
                                horiz_start:horiz_end, :] += (
                        W[:, :, :, c] * dZ[i, h, w, c])
                    dW[:, :, :, c] += a_slice * dZ[i, h, w, c]
                    db[:, :, :, c] += dZ[i, h, w, c]
        dA_prev[i] = da_prev_pad[pad:pad+n_H_prev, pad:pad+n_W_prev, :]
    return dA_prev, dW, db


@wrong("conv_backward", [r"dA_prev|solap", r"\+=|acumul|solap|sobrescrib"],
       [r"dA_prev|overlap", r"\+=|accumul|overlap|overwrit"])
def conv_backward_dA_overwritten(dZ, cache):
    (A_prev, W, b, hparameters) = cache
    (m, n_H_prev, n_W_prev, n_C_prev) = A_prev.shape
    (f, f, n_C_prev, n_C) = W.shape
    stride, pad = hparameters["stride"], hparameters["pad"]
    (m, n_H, n_W, n_C) = dZ.shape
    dA_prev = np.zeros(A_prev.shape)
    dW = np.zeros(W.shape)
    db = np.zeros(b.shape)
    A_prev_pad = zero_pad(A_prev, pad)
    dA_prev_pad = zero_pad(dA_prev, pad)
    for i in range(m):
        a_prev_pad = A_prev_pad[i]
        da_prev_pad = dA_prev_pad[i]
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    vert_start, vert_end = h*stride, h*stride + f
                    horiz_start, horiz_end = w*stride, w*stride + f
                    a_slice = a_prev_pad[vert_start:vert_end,
                                         horiz_start:horiz_end, :]
                    da_prev_pad[vert_start:vert_end,
                                horiz_start:horiz_end, :] = (
                        W[:, :, :, c] * dZ[i, h, w, c])
                    dW[:, :, :, c] += a_slice * dZ[i, h, w, c]
                    db[:, :, :, c] += dZ[i, h, w, c]
        dA_prev[i] = da_prev_pad[pad:pad+n_H_prev, pad:pad+n_W_prev, :]
    return dA_prev, dW, db


@wrong("conv_backward", [r"\bdW\b", *words.NOT_ADDED[0]],
       [r"\bdW\b", *words.NOT_ADDED[1]])
def conv_backward_dW_overwritten(dZ, cache):
    A_prev, W, b, hparameters = cache
    m, n_H_prev, n_W_prev, n_C_prev = A_prev.shape
    s, p, f = hparameters["stride"], hparameters["pad"], W.shape[0]
    m, n_H, n_W, n_C = dZ.shape
    A_pad = zero_pad(A_prev, p)
    dA_pad = np.zeros_like(A_pad)
    dW = np.zeros_like(W)
    db = np.zeros_like(b)
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    ventana = A_pad[i, h*s:h*s+f, w*s:w*s+f, :]
                    dA_pad[i, h*s:h*s+f, w*s:w*s+f, :] += (
                        W[:, :, :, c] * dZ[i, h, w, c])
                    dW[:, :, :, c] = ventana * dZ[i, h, w, c]
                    db[:, :, :, c] += dZ[i, h, w, c]
    return dA_pad[:, p:p+n_H_prev, p:p+n_W_prev, :], dW, db


@wrong("conv_backward", [r"\bdb\b|sesgo", *words.NOT_ADDED[0]],
       [r"\bdb\b|bias", *words.NOT_ADDED[1]])
def conv_backward_db_overwritten(dZ, cache):
    A_prev, W, b, hparameters = cache
    m, n_H_prev, n_W_prev, n_C_prev = A_prev.shape
    s, p, f = hparameters["stride"], hparameters["pad"], W.shape[0]
    m, n_H, n_W, n_C = dZ.shape
    A_pad = zero_pad(A_prev, p)
    dA_pad = np.zeros_like(A_pad)
    dW = np.zeros_like(W)
    db = np.zeros_like(b)
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    dz = dZ[i, h, w, c]
                    ventana = A_pad[i, h*s:h*s+f, w*s:w*s+f, :]
                    dA_pad[i, h*s:h*s+f, w*s:w*s+f, :] += W[:, :, :, c] * dz
                    dW[:, :, :, c] += ventana * dz
                    db[:, :, :, c] = dz
    return dA_pad[:, p:p+n_H_prev, p:p+n_W_prev, :], dW, db


@wrong("conv_backward", [r"\bdb\b|sesgo", r"promedi|media\b|divid|/ ?m\b"],
       [r"\bdb\b|bias", r"mean|averag|divid|/ ?m\b"])
def conv_backward_db_averaged(dZ, cache):
    A_prev, W, b, hparameters = cache
    m, n_H_prev, n_W_prev, n_C_prev = A_prev.shape
    s, p, f = hparameters["stride"], hparameters["pad"], W.shape[0]
    m, n_H, n_W, n_C = dZ.shape
    A_pad = zero_pad(A_prev, p)
    dA_pad, dW = np.zeros(A_pad.shape), np.zeros(W.shape)
    db = np.mean(dZ, axis=(0, 1, 2)).reshape(1, 1, 1, n_C)
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    dz = dZ[i, h, w, c]
                    dA_pad[i, h*s:h*s+f, w*s:w*s+f] += W[..., c] * dz
                    dW[..., c] += A_pad[i, h*s:h*s+f, w*s:w*s+f] * dz
    return dA_pad[:, p:p+n_H_prev, p:p+n_W_prev, :], dW, db


@wrong("conv_backward", [r"orden|intercambi|cambiad"], [r"order|exchang|swap"])
def conv_backward_db_and_dW_exchanged(dZ, cache):
    A_prev, W, b, hparameters = cache
    m, n_H_prev, n_W_prev, n_C_prev = A_prev.shape
    s, p, f = hparameters["stride"], hparameters["pad"], W.shape[0]
    m, n_H, n_W, n_C = dZ.shape
    A_pad = zero_pad(A_prev, p)
    dA_pad, dW = np.zeros(A_pad.shape), np.zeros(W.shape)
    db = np.zeros(b.shape)
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    dz = dZ[i, h, w, c]
                    dA_pad[i, h*s:h*s+f, w*s:w*s+f] += W[..., c] * dz
                    dW[..., c] += A_pad[i, h*s:h*s+f, w*s:w*s+f] * dz
                    db[..., c] += dz
    return dA_pad[:, p:p+n_H_prev, p:p+n_W_prev, :], db, dW


@wrong("conv_backward", *words.STRIDE_IGNORED)
def conv_backward_without_stride(dZ, cache):
    (A_prev, W, b, hparameters) = cache
    (m, n_H_prev, n_W_prev, n_C_prev) = A_prev.shape
    (f, f, n_C_prev, n_C) = W.shape
    pad = hparameters["pad"]
    (m, n_H, n_W, n_C) = dZ.shape
    dW = np.zeros((f, f, n_C_prev, n_C))
    db = np.zeros((1, 1, 1, n_C))
    A_prev_pad = zero_pad(A_prev, pad)
    dA_prev_pad = np.zeros(A_prev_pad.shape)
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    dA_prev_pad[i, h:h+f, w:w+f, :] += (
                        W[:, :, :, c] * dZ[i, h, w, c])
                    dW[:, :, :, c] += (A_prev_pad[i, h:h+f, w:w+f, :]
                                       * dZ[i, h, w, c])
                    db[:, :, :, c] += dZ[i, h, w, c]
    dA_prev = dA_prev_pad[:, pad:pad+n_H_prev, pad:pad+n_W_prev, :]
    return dA_prev, dW, db


@wrong("conv_backward", *words.RETURN_IN_LOOP)
def conv_backward_return_in_the_loop(dZ, cache):
    A_prev, W, b, hparameters = cache
    m, n_H_prev, n_W_prev, n_C_prev = A_prev.shape
    s, p, f = hparameters["stride"], hparameters["pad"], W.shape[0]
    m, n_H, n_W, n_C = dZ.shape
    A_pad = zero_pad(A_prev, p)
    dA_pad, dW = np.zeros(A_pad.shape), np.zeros(W.shape)
    db = np.zeros(b.shape)
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    dz = dZ[i, h, w, c]
                    dA_pad[i, h*s:h*s+f, w*s:w*s+f] += W[..., c] * dz
                    dW[..., c] += A_pad[i, h*s:h*s+f, w*s:w*s+f] * dz
                    db[..., c] += dz
        return dA_pad[:, p:p+n_H_prev, p:p+n_W_prev, :], dW, db


@wrong("conv_backward", *words.FLIPPED)
def conv_backward_flipped(dZ, cache):
    A_prev, W, b, hparameters = cache
    m, n_H_prev, n_W_prev, n_C_prev = A_prev.shape
    s, p, f = hparameters["stride"], hparameters["pad"], W.shape[0]
    m, n_H, n_W, n_C = dZ.shape
    A_pad = zero_pad(A_prev, p)
    dA_pad, dW = np.zeros(A_pad.shape), np.zeros(W.shape)
    W_rot = np.rot90(W, 2, axes=(0, 1))
    db = dZ.sum(axis=(0, 1, 2)).reshape(1, 1, 1, -1)
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    dz = dZ[i, h, w, c]
                    dA_pad[i, h*s:h*s+f, w*s:w*s+f] += W_rot[..., c] * dz
                    dW[..., c] += A_pad[i, h*s:h*s+f, w*s:w*s+f] * dz
    return dA_pad[:, p:p+n_H_prev, p:p+n_W_prev, :], dW, db


@wrong("conv_backward", [r"\bdW\b|ventana|trozo",
                         r"sin rellen|A_prev\b.*sin|entrada|A_prev_pad"],
       [r"\bdW\b|window|slice",
        r"unpadded|not padded|without (the )?pad|input|A_prev_pad"])
def conv_backward_dW_from_the_unpadded_input(dZ, cache):
    A_prev, W, b, hparameters = cache
    m, n_H_prev, n_W_prev, n_C_prev = A_prev.shape
    s, p, f = hparameters["stride"], hparameters["pad"], W.shape[0]
    m, n_H, n_W, n_C = dZ.shape
    A_pad = zero_pad(A_prev, p)
    dA_pad, dW = np.zeros(A_pad.shape), np.zeros(W.shape)
    db = np.zeros(b.shape)
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    dz = dZ[i, h, w, c]
                    dA_pad[i, h*s:h*s+f, w*s:w*s+f] += W[..., c] * dz
                    trozo = A_prev[i, h*s:h*s+f, w*s:w*s+f]
                    dW[:trozo.shape[0], :trozo.shape[1], :, c] += trozo * dz
                    db[..., c] += dz
    return dA_pad[:, p:p+n_H_prev, p:p+n_W_prev, :], dW, db


@wrong("conv_backward", [r"\bdA_prev\b", r"(?-i:\bW\b)|pesos|filtro|activaci"],
       [r"\bdA_prev\b", r"(?-i:\bW\b)|weights|filter|activation"])
def conv_backward_activation_instead_of_the_weights(dZ, cache):
    A_prev, W, b, hparameters = cache
    m, n_H_prev, n_W_prev, n_C_prev = A_prev.shape
    s, p, f = hparameters["stride"], hparameters["pad"], W.shape[0]
    m, n_H, n_W, n_C = dZ.shape
    A_pad = zero_pad(A_prev, p)
    dA_pad, dW = np.zeros(A_pad.shape), np.zeros(W.shape)
    db = np.zeros(b.shape)
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    dz = dZ[i, h, w, c]
                    a_slice = A_pad[i, h*s:h*s+f, w*s:w*s+f]
                    dA_pad[i, h*s:h*s+f, w*s:w*s+f] += a_slice * dz
                    dW[..., c] += a_slice * dz
                    db[..., c] += dz
    return dA_pad[:, p:p+n_H_prev, p:p+n_W_prev, :], dW, db
