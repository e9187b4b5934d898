"""Two mistakes at once in the backward pass of the convolution layer."""
import numpy as np

from cnnbook.padding import zero_pad

from . import words
from .registry import wrong

RANDOM = ([r"azar|aleatori"], [r"random"])
DB_OVERWRITTEN = ([r"\bdb\b|sesgo", *words.NOT_ADDED[0]],
                  [r"\bdb\b|bias", *words.NOT_ADDED[1]])
DB_AVERAGED = ([r"\bdb\b|sesgo", r"promedi|media\b|divid|/ ?m\b"],
               [r"\bdb\b|bias", r"mean|averag|divid|/ ?m\b"])
DB_MISSING = ([r"\bdb\b|sesgo", r"falta|no se (sum|calc|acum)|cero"],
              [r"\bdb\b|bias", r"missing|not (added|comput|sum)|zero"])
DW_OVERWRITTEN = ([r"\bdW\b", *words.NOT_ADDED[0]],
                  [r"\bdW\b", *words.NOT_ADDED[1]])


@wrong("conv_backward", *words.PAD_IS_0, also=RANDOM)
def conv_backward_minus_pad_random_start(dZ, cache):
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
        a_prev_pad, da_prev_pad = A_prev_pad[i], dA_prev_pad[i]
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    v, x = h * stride, w * stride
                    da_prev_pad[v:v+f, x:x+f, :] += (
                        W[:, :, :, c] * dZ[i, h, w, c])
                    dW[:, :, :, c] += (a_prev_pad[v:v+f, x:x+f, :]
                                       * dZ[i, h, w, c])
                    db[:, :, :, c] += dZ[i, h, w, c]
        dA_prev[i, :, :, :] = da_prev_pad[pad:-pad, pad:-pad, :]
    return dA_prev, dW, db


@wrong("conv_backward", *words.PAD_IS_0, also=words.STRIDE_IGNORED)
def conv_backward_minus_pad_no_stride(dZ, cache):
    (A_prev, W, b, hparameters) = cache
    pad, f = hparameters["pad"], W.shape[0]
    (m, n_H, n_W, n_C) = dZ.shape
    dA_prev = np.zeros(A_prev.shape)
    dW, db = np.zeros(W.shape), np.zeros(b.shape)
    A_prev_pad = zero_pad(A_prev, pad)
    dA_prev_pad = zero_pad(dA_prev, pad)
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    dA_prev_pad[i, h:h+f, w:w+f, :] += (
                        W[:, :, :, c] * dZ[i, h, w, c])
                    dW[:, :, :, c] += (A_prev_pad[i, h:h+f, w:w+f, :]
                                       * dZ[i, h, w, c])
                    db[:, :, :, c] += dZ[i, h, w, c]
        dA_prev[i] = dA_prev_pad[i, pad:-pad, pad:-pad, :]
    return dA_prev, dW, db


@wrong("conv_backward", *words.PAD_IS_0, also=DB_OVERWRITTEN)
def conv_backward_minus_pad_db_overwritten(dZ, cache):
    (A_prev, W, b, hparameters) = cache
    s, pad, f = hparameters["stride"], hparameters["pad"], W.shape[0]
    (m, n_H, n_W, n_C) = dZ.shape
    dA_prev = np.zeros(A_prev.shape)
    dW, db = np.zeros(W.shape), np.zeros(b.shape)
    A_prev_pad = zero_pad(A_prev, pad)
    dA_prev_pad = zero_pad(dA_prev, pad)
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    dz = dZ[i, h, w, c]
                    dA_prev_pad[i, h*s:h*s+f, w*s:w*s+f] += W[..., c] * dz
                    dW[..., c] += A_prev_pad[i, h*s:h*s+f, w*s:w*s+f] * dz
                    db[..., c] = dz
        dA_prev[i] = dA_prev_pad[i, pad:-pad, pad:-pad, :]
    return dA_prev, dW, db


@wrong("conv_backward", *words.PAD_IS_0, also=words.LAST_IMAGE)
def conv_backward_minus_pad_after_the_loop(dZ, cache):
    (A_prev, W, b, hparameters) = cache
    s, pad, f = hparameters["stride"], hparameters["pad"], W.shape[0]
    (m, n_H, n_W, n_C) = dZ.shape
    dA_prev = np.zeros(A_prev.shape)
    dW, db = np.zeros(W.shape), np.zeros(b.shape)
    A_prev_pad = zero_pad(A_prev, pad)
    dA_prev_pad = zero_pad(dA_prev, pad)
    for i in range(m):
        a_prev_pad = A_prev_pad[i]
        da_prev_pad = dA_prev_pad[i]
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    dz = dZ[i, h, w, c]
                    da_prev_pad[h*s:h*s+f, w*s:w*s+f] += W[..., c] * dz
                    dW[..., c] += a_prev_pad[h*s:h*s+f, w*s:w*s+f] * dz
                    db[..., c] += dz
    dA_prev[i, :, :, :] = da_prev_pad[pad:-pad, pad:-pad, :]
    return dA_prev, dW, db


@wrong("conv_backward", *words.FLIPPED, also=DB_AVERAGED)
def conv_backward_flipped_db_averaged(dZ, cache):
    A_prev, W, b, hparameters = cache
    m, n_H_prev, n_W_prev, n_C_prev = A_prev.shape
    s, p, f = hparameters["stride"], hparameters["pad"], W.shape[0]
    m, n_H, n_W, n_C = dZ.shape
    A_pad = zero_pad(A_prev, p)
    dA_pad, dW = np.zeros(A_pad.shape), np.zeros(W.shape)
    db = np.sum(dZ, axis=(0, 1, 2)).reshape(b.shape) / m
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    dz = dZ[i, h, w, c]
                    dA_pad[i, h*s:h*s+f, w*s:w*s+f] += (
                        W[::-1, ::-1, :, c] * dz)
                    dW[..., c] += A_pad[i, h*s:h*s+f, w*s:w*s+f] * dz
    return dA_pad[:, p:p+n_H_prev, p:p+n_W_prev], dW, db


@wrong("conv_backward", *DW_OVERWRITTEN, also=DB_OVERWRITTEN)
def conv_backward_dW_and_db_overwritten(dZ, cache):
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
                    dW[..., c] = A_pad[i, h*s:h*s+f, w*s:w*s+f] * dz
                    db[..., c] = dz
    return dA_pad[:, p:p+n_H_prev, p:p+n_W_prev], dW, db


@wrong("conv_backward", *words.STRIDE_IGNORED, also=DB_MISSING)
def conv_backward_no_stride_no_db(dZ, cache):
    A_prev, W, b, hparameters = cache
    m, n_H_prev, n_W_prev, n_C_prev = A_prev.shape
    p, f = hparameters["pad"], W.shape[0]
    m, n_H, n_W, n_C = dZ.shape
    A_pad = zero_pad(A_prev, p)
    dA_pad, dW = np.zeros(A_pad.shape), np.zeros(W.shape)
    db = np.zeros(b.shape)
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    dA_pad[i, h:h+f, w:w+f] += W[..., c] * dZ[i, h, w, c]
                    dW[..., c] += A_pad[i, h:h+f, w:w+f] * dZ[i, h, w, c]
    return dA_pad[:, p:p+n_H_prev, p:p+n_W_prev], dW, db


@wrong("conv_backward", *words.RETURN_IN_LOOP, also=words.PAD_IS_0)
def conv_backward_return_early_minus_pad(dZ, cache):
    (A_prev, W, b, hparameters) = cache
    s, pad, f = hparameters["stride"], hparameters["pad"], W.shape[0]
    (m, n_H, n_W, n_C) = dZ.shape
    dA_prev = np.zeros(A_prev.shape)
    dW, db = np.zeros(W.shape), np.zeros(b.shape)
    A_prev_pad = zero_pad(A_prev, pad)
    dA_prev_pad = zero_pad(dA_prev, pad)
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    dz = dZ[i, h, w, c]
                    dA_prev_pad[i, h*s:h*s+f, w*s:w*s+f] += W[..., c] * dz
                    dW[..., c] += A_prev_pad[i, h*s:h*s+f, w*s:w*s+f] * dz
                    db[..., c] += dz
        dA_prev[i] = dA_prev_pad[i, pad:-pad, pad:-pad, :]
        return dA_prev, dW, db


@wrong("conv_backward", [r"dA_prev", *words.NOT_ADDED[0]],
       [r"dA_prev", *words.NOT_ADDED[1]], also=words.LAST_IMAGE)
def conv_backward_dW_of_the_last_image(dZ, cache):
    A_prev, W, b, hparameters = cache
    m, n_H_prev, n_W_prev, n_C_prev = A_prev.shape
    s, p, f = hparameters["stride"], hparameters["pad"], W.shape[0]
    m, n_H, n_W, n_C = dZ.shape
    A_pad = zero_pad(A_prev, p)
    dA_pad, db = np.zeros(A_pad.shape), np.zeros(b.shape)
    for i in range(m):
        dW = np.zeros(W.shape)
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    dz = dZ[i, h, w, c]
                    dA_pad[i, h*s:h*s+f, w*s:w*s+f] = W[..., c] * dz
                    dW[..., c] += A_pad[i, h*s:h*s+f, w*s:w*s+f] * dz
                    db[..., c] += dz
    return dA_pad[:, p:p+n_H_prev, p:p+n_W_prev], dW, db


@wrong("conv_backward", *DB_AVERAGED,
       also=([r"\bdA_prev\b", r"(?-i:\bW\b)|pesos|filtro"],
             [r"\bdA_prev\b", r"(?-i:\bW\b)|weights|filter"]))
def conv_backward_no_weights_db_averaged(dZ, cache):
    A_prev, W, b, hparameters = cache
    m, n_H_prev, n_W_prev, n_C_prev = A_prev.shape
    s, p, f = hparameters["stride"], hparameters["pad"], W.shape[0]
    m, n_H, n_W, n_C = dZ.shape
    A_pad = zero_pad(A_prev, p)
    dA_pad, dW = np.zeros(A_pad.shape), np.zeros(W.shape)
    db = dZ.mean(axis=(0, 1, 2), keepdims=True)
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    dz = dZ[i, h, w, c]
                    dA_pad[i, h*s:h*s+f, w*s:w*s+f] += dz
                    dW[..., c] += A_pad[i, h*s:h*s+f, w*s:w*s+f] * dz
    return dA_pad[:, p:p+n_H_prev, p:p+n_W_prev], dW, db


@wrong("conv_backward", *words.STRIDE_IGNORED, also=words.FLIPPED)
def conv_backward_flipped_no_stride(dZ, cache):
    A_prev, W, b, hparameters = cache
    m, n_H_prev, n_W_prev, n_C_prev = A_prev.shape
    p, f = hparameters["pad"], W.shape[0]
    m, n_H, n_W, n_C = dZ.shape
    A_pad = zero_pad(A_prev, p)
    dA_pad, dW = np.zeros(A_pad.shape), np.zeros(W.shape)
    for h in range(n_H):
        for w in range(n_W):
            dz = dZ[:, h, w]
            dA_pad[:, h:h+f, w:w+f] += np.tensordot(
                dz, W[::-1, ::-1], axes=(1, 3))
            dW += np.tensordot(A_pad[:, h:h+f, w:w+f], dz, axes=(0, 0))
    db = dZ.sum(axis=(0, 1, 2)).reshape(b.shape)
    return dA_pad[:, p:p+n_H_prev, p:p+n_W_prev], dW, db
