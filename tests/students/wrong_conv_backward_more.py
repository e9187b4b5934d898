"""More wrong backward passes of the convolution layer, one mistake each."""
import numpy as np

from cnnbook.padding import zero_pad

from . import words
from .registry import wrong


@wrong("conv_backward", *words.NOT_WRITTEN)
def conv_backward_stub(dZ, cache):
    (A_prev, W, b, hparameters) = cache
    (m, n_H_prev, n_W_prev, n_C_prev) = A_prev.shape
    raise NotImplementedError("YOUR CODE HERE")


@wrong("conv_backward", *words.NOTHING_RETURNED)
def conv_backward_without_return(dZ, cache):
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
    dA_prev = dA_pad[:, p:p+n_H_prev, p:p+n_W_prev, :]
    assert dA_prev.shape == A_prev.shape


@wrong("conv_backward", *words.FEWER_RETURNED)
def conv_backward_two_of_three(dZ, cache):
    A_prev, W, b, hparameters = cache
    m, n_H_prev, n_W_prev, n_C_prev = A_prev.shape
    s, p, f = hparameters["stride"], hparameters["pad"], W.shape[0]
    m, n_H, n_W, n_C = dZ.shape
    A_pad = zero_pad(A_prev, p)
    dA_pad, dW = np.zeros(A_pad.shape), np.zeros(W.shape)
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    dz = dZ[i, h, w, c]
                    dA_pad[i, h*s:h*s+f, w*s:w*s+f] += W[..., c] * dz
                    dW[..., c] += A_pad[i, h*s:h*s+f, w*s:w*s+f] * dz
    return dA_pad[:, p:p+n_H_prev, p:p+n_W_prev, :], dW


@wrong("conv_backward", [r"\bdb\b|sesgo", r"forma|\(1, 1, 1|ejes|dimensi"],
       [r"\bdb\b|bias", r"shape|\(1, 1, 1|ax[ei]s|dimension"])
def conv_backward_db_flat(dZ, cache):
    A_prev, W, b, hparameters = cache
    m, n_H_prev, n_W_prev, n_C_prev = A_prev.shape
    s, p, f = hparameters["stride"], hparameters["pad"], W.shape[0]
    m, n_H, n_W, n_C = dZ.shape
    A_pad = zero_pad(A_prev, p)
    dA_pad, dW = np.zeros(A_pad.shape), np.zeros(W.shape)
    db = np.sum(dZ, axis=(0, 1, 2))
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    dz = dZ[i, h, w, c]
                    dA_pad[i, h*s:h*s+f, w*s:w*s+f] += W[..., c] * dz
                    dW[..., c] += A_pad[i, h*s:h*s+f, w*s:w*s+f] * dz
    return dA_pad[:, p:p+n_H_prev, p:p+n_W_prev, :], dW, db


@wrong("conv_backward", [r"\bdb\b|sesgo", r"filtro|canal|tod[ao]s|mism|sum"],
       [r"\bdb\b|bias", r"filter|channel|all|same|sum"])
def conv_backward_db_of_all_filters(dZ, cache):
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
                    db += dz
    return dA_pad[:, p:p+n_H_prev, p:p+n_W_prev, :], dW, db


@wrong("conv_backward", *words.ONE_FILTER)
def conv_backward_loop_over_the_wrong_channels(dZ, cache):
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
                for c in range(1):
                    dz = dZ[i, h, w, c]
                    dA_pad[i, h*s:h*s+f, w*s:w*s+f] += W[..., c] * dz
                    dW[..., c] += A_pad[i, h*s:h*s+f, w*s:w*s+f] * dz
                    db[..., c] += dz
    return dA_pad[:, p:p+n_H_prev, p:p+n_W_prev, :], dW, db


@wrong("conv_backward", *words.PAD_STRIDE)
def conv_backward_pad_and_stride_exchanged(dZ, cache):
    A_prev, W, b, hparameters = cache
    m, n_H_prev, n_W_prev, n_C_prev = A_prev.shape
    stride, pad = hparameters["pad"], hparameters["stride"]
    f = W.shape[0]
    m, n_H, n_W, n_C = dZ.shape
    A_prev_pad = zero_pad(A_prev, pad)
    dA_prev_pad, dW = np.zeros(A_prev_pad.shape), np.zeros(W.shape)
    db = np.zeros(b.shape)
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    y, x = h * stride, w * stride
                    dA_prev_pad[i, y:y+f, x:x+f] += (
                        W[..., c] * dZ[i, h, w, c])
                    dW[..., c] += (A_prev_pad[i, y:y+f, x:x+f]
                                   * dZ[i, h, w, c])
                    db[..., c] += dZ[i, h, w, c]
    dA_prev = dA_prev_pad[:, pad:pad+n_H_prev, pad:pad+n_W_prev]
    return dA_prev, dW, db


@wrong("conv_backward", *words.END_AT_STRIDE)
def conv_backward_end_at_stride(dZ, cache):
    (A_prev, W, b, hparameters) = cache
    (m, n_H_prev, n_W_prev, n_C_prev) = A_prev.shape
    (f, f, n_C_prev, n_C) = W.shape
    stride, pad = hparameters["stride"], hparameters["pad"]
    (m, n_H, n_W, n_C) = dZ.shape
    dW = np.zeros((f, f, n_C_prev, n_C))
    db = np.zeros((1, 1, 1, n_C))
    A_prev_pad = zero_pad(A_prev, pad)
    dA_prev_pad = np.zeros(A_prev_pad.shape)
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    vert_start = h * stride
                    vert_end = vert_start + stride
                    horiz_start = w * stride
                    horiz_end = horiz_start + stride
                    a_slice = A_prev_pad[i, vert_start:vert_end,
                                         horiz_start:horiz_end, :]
                    dA_prev_pad[i, vert_start:vert_end,
                                horiz_start:horiz_end, :] += (
                        W[:, :, :, c] * dZ[i, h, w, c])
                    dW[:, :, :, c] += a_slice * dZ[i, h, w, c]
                    db[:, :, :, c] += dZ[i, h, w, c]
    dA_prev = dA_prev_pad[:, pad:pad+n_H_prev, pad:pad+n_W_prev, :]
    return dA_prev, dW, db


@wrong("conv_backward", [r"esquina|desplaz|corri|(recort|quita|corta).*(mal"
                         r"|inicio|principio|final|un (solo )?lado)"
                         r"|sin saltar|empieza en 0"],
       [r"corner|shift|moved|(cut|crop|remov).*(wrong|start|beginning|end"
        r"|one side)|skip|begins at 0"])
def conv_backward_cuts_the_wrong_corner(dZ, cache):
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
    return dA_pad[:, :n_H_prev, :n_W_prev, :], dW, db


@wrong("conv_backward", *words.INTEGERS)
def conv_backward_integers(dZ, cache):
    A_prev, W, b, hparameters = cache
    m, n_H_prev, n_W_prev, n_C_prev = A_prev.shape
    s, p, f = hparameters["stride"], hparameters["pad"], W.shape[0]
    m, n_H, n_W, n_C = dZ.shape
    A_pad = zero_pad(A_prev, p)
    dA_pad = np.zeros(A_pad.shape)
    dW = np.zeros(W.shape)
    db = np.zeros(b.shape, dtype=np.int64)
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    dz = dZ[i, h, w, c]
                    dA_pad[i, h*s:h*s+f, w*s:w*s+f] += W[..., c] * dz
                    dW[..., c] += A_pad[i, h*s:h*s+f, w*s:w*s+f] * dz
                    db[0, 0, 0, c] = db[0, 0, 0, c] + dz
    return dA_pad[:, p:p+n_H_prev, p:p+n_W_prev, :], dW, db


@wrong("conv_backward", *words.INPUT_CHANGED)
def conv_backward_changes_the_input(dZ, cache):
    A_prev, W, b, hparameters = cache
    m, n_H_prev, n_W_prev, n_C_prev = A_prev.shape
    s, p, f = hparameters["stride"], hparameters["pad"], W.shape[0]
    m, n_H, n_W, n_C = dZ.shape
    A_pad = zero_pad(A_prev, p)
    dA_pad, dW = np.zeros(A_pad.shape), np.zeros(W.shape)
    db = b
    db *= 0
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    dz = dZ[i, h, w, c]
                    dA_pad[i, h*s:h*s+f, w*s:w*s+f] += W[..., c] * dz
                    dW[..., c] += A_pad[i, h*s:h*s+f, w*s:w*s+f] * dz
                    db[..., c] += dz
    return dA_pad[:, p:p+n_H_prev, p:p+n_W_prev, :], dW, db


@wrong("conv_backward", [r"(orden|desempaquet).*(cach|tupla)"
                         r"|cach\w*.*(orden|desempaquet)|dict|no es.*hparam"],
       [r"(order|unpack).*(cache|tuple)|cache.*(order|unpack)|dict"
        r"|not.*hparam"])
def conv_backward_cache_in_another_order(dZ, cache):
    (A_prev, W, hparameters, b) = cache
    (m, n_H_prev, n_W_prev, n_C_prev) = A_prev.shape
    (f, f, n_C_prev, n_C) = W.shape
    stride = hparameters["stride"]
    pad = hparameters["pad"]
    (m, n_H, n_W, n_C) = dZ.shape
    dA_prev = np.zeros(A_prev.shape)
    dW = np.zeros(W.shape)
    db = np.zeros((1, 1, 1, n_C))
    A_prev_pad = zero_pad(A_prev, pad)
    for h in range(n_H):
        for w in range(n_W):
            y, x = h * stride, w * stride
            dW += np.tensordot(A_prev_pad[:, y:y+f, x:x+f], dZ[:, h, w],
                               (0, 0))
    return dA_prev, dW, db


@wrong("conv_backward", *words.ROWS_COLUMNS)
def conv_backward_rows_for_columns(dZ, cache):
    A_prev, W, b, hparameters = cache
    m, n_H_prev, n_W_prev, n_C_prev = A_prev.shape
    s, p, f = hparameters["stride"], hparameters["pad"], W.shape[0]
    m, n_W, n_H, n_C = dZ.shape
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
