"""Wrong convolution layers whose authors asked in a forum what was wrong."""
import numpy as np

from cnnbook.conv_layer import conv_single_step
from cnnbook.padding import zero_pad

from . import words
from .registry import wrong


@wrong("conv_forward", *words.FLOAT_SIZES)
def conv_forward_sizes_not_integers(A_prev, W, b, hparameters):
    (m, n_H_prev, n_W_prev, n_C_prev) = A_prev.shape
    (f, f, n_C_prev, n_C) = W.shape
    stride = hparameters["stride"]
    pad = hparameters["pad"]
    n_H = (n_H_prev - f + 2 * pad) / stride + 1
    n_W = (n_W_prev - f + 2 * pad) / stride + 1
    Z = np.zeros((m, n_H, n_W, n_C))
    A_prev_pad = zero_pad(A_prev, pad)
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    a_slice_prev = A_prev_pad[i, h*stride:h*stride+f,
                                              w*stride:w*stride+f, :]
                    Z[i, h, w, c] = conv_single_step(
                        a_slice_prev, W[..., c], b[..., c])
    return Z, (A_prev, W, b, hparameters)


@wrong("conv_forward", *words.unknown("padding"))
def conv_forward_another_key(A_prev, W, b, hparameters):
    stride = hparameters["stride"]
    pad = hparameters["padding"]
    f, _, _, n_C = W.shape
    X = zero_pad(A_prev, pad)
    n_H, n_W = (X.shape[1] - f)//stride + 1, (X.shape[2] - f)//stride + 1
    Z = np.zeros((len(X), n_H, n_W, n_C))
    return Z, (A_prev, W, b, hparameters)


@wrong("conv_forward", [r"\bf\b|stride|paso", r"inicio|empieza|avanz|\* ?f"
                        r"|(mayor|distint|≠|!=).*\bf\b|stride|paso"],
       [r"\bf\b|strid", r"start|begin|mov|\* ?f|(≠|!=|other).*\bf\b|strid"])
def conv_forward_windows_side_by_side(A_prev, W, b, hparameters):
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
                    vert_start = h * f
                    vert_end = vert_start + f
                    horiz_start = w * f
                    horiz_end = horiz_start + f
                    a_slice_prev = A_prev_pad[i, vert_start:vert_end,
                                              horiz_start:horiz_end, :]
                    u, v, _ = a_slice_prev.shape
                    Z[i, h, w, c] = np.sum(a_slice_prev * W[:u, :v, :, c]
                                           ) + b[0, 0, 0, c]
    return Z, (A_prev, W, b, hparameters)


@wrong("conv_forward", [r"filtro|pesos|(?-i:\bW\b)|sesgo|\bb\b",
                        r"\beje|índice|último|W\[|forma"],
       [r"filter|weights|(?-i:\bW\b)|bias|\bb\b",
        r"axis|index|last|W\[|shape"])
def conv_forward_filter_on_the_first_axis(A_prev, W, b, hparameters):
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
                    Z[i, h, w, c] = np.sum(a_slice_prev * W[c]) + b[c]
    return Z, (A_prev, W, b, hparameters)


@wrong("conv_forward", [r"sesgo|bias|\bb\b", r"primer|mism"],
       [r"bias|\bb\b", r"first|same"])
def conv_forward_same_bias_for_all(A_prev, W, b, hparameters):
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
                    Z[i, h, w, c] = np.sum(
                        a_slice_prev * W[:, :, :, c]) + b[0, 0, 0, 0]
    return Z, (A_prev, W, b, hparameters)


@wrong("conv_forward", [r"sesgo|bias|\bb\b", r"rest|signo|menos"],
       [r"bias|\bb\b", r"subtract|sign|minus"])
def conv_forward_bias_subtracted(A_prev, W, b, hparameters):
    s, p, f = hparameters["stride"], hparameters["pad"], W.shape[0]
    x = zero_pad(A_prev, p)
    n_H, n_W = (x.shape[1] - f)//s + 1, (x.shape[2] - f)//s + 1
    Z = np.zeros((len(x), n_H, n_W, W.shape[3]))
    for h in range(n_H):
        for w in range(n_W):
            Z[:, h, w] = np.tensordot(x[:, h*s:h*s+f, w*s:w*s+f], W, 3) - b[
                0, 0, 0]
    return Z, (A_prev, W, b, hparameters)


@wrong("conv_forward", [r"promedi|media\b|divid"], [r"averag|mean|divid"])
def conv_forward_mean_for_sum(A_prev, W, b, hparameters):
    s, p, f = hparameters["stride"], hparameters["pad"], W.shape[0]
    x = zero_pad(A_prev, p)
    n_H, n_W = (x.shape[1] - f)//s + 1, (x.shape[2] - f)//s + 1
    Z = np.zeros((len(x), n_H, n_W, W.shape[3]))
    for i in range(len(x)):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(W.shape[3]):
                    a = x[i, h*s:h*s+f, w*s:w*s+f, :]
                    Z[i, h, w, c] = np.mean(a * W[..., c]) + b[0, 0, 0, c]
    return Z, (A_prev, W, b, hparameters)


@wrong("conv_forward", *words.INPUT_CHANGED)
def conv_forward_changes_the_hyperparameters(A_prev, W, b, hparameters):
    stride, pad = hparameters.pop("stride"), hparameters.pop("pad")
    f = W.shape[0]
    x = zero_pad(A_prev, pad)
    n_H, n_W = (x.shape[1] - f)//stride + 1, (x.shape[2] - f)//stride + 1
    Z = np.zeros((len(x), n_H, n_W, W.shape[3]))
    for h in range(n_H):
        for w in range(n_W):
            y, z = h * stride, w * stride
            Z[:, h, w] = np.tensordot(x[:, y:y+f, z:z+f], W, 3)
    return Z + b, (A_prev, W, b, hparameters)


@wrong("conv_forward", [r"None|no devuelve|sin return|nada"],
       [r"None|not return|no return|without return|nothing"])
def conv_forward_helper_returns_nothing(A_prev, W, b, hparameters):
    def un_paso(a, pesos, sesgo):
        z = np.sum(a * pesos) + sesgo[0, 0, 0]
        print(z)

    s, p, f = hparameters["stride"], hparameters["pad"], W.shape[0]
    x = zero_pad(A_prev, p)
    n_H, n_W = (x.shape[1] - f)//s + 1, (x.shape[2] - f)//s + 1
    Z = np.zeros((len(x), n_H, n_W, W.shape[3]))
    for i in range(len(x)):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(W.shape[3]):
                    Z[i, h, w, c] += un_paso(x[i, h*s:h*s+f, w*s:w*s+f],
                                             W[..., c], b[..., c])
    return Z, (A_prev, W, b, hparameters)


@wrong("conv_forward", [r"dos veces|doble|otra vez|relleno de más"],
       [r"twice|double|again|too much padding"])
def conv_forward_padded_twice(A_prev, W, b, hparameters):
    s, p, f = hparameters["stride"], hparameters["pad"], W.shape[0]
    x = zero_pad(zero_pad(A_prev, p), p)
    n_H, n_W = (x.shape[1] - f)//s + 1, (x.shape[2] - f)//s + 1
    Z = np.zeros((len(x), n_H, n_W, W.shape[3]))
    for i in range(len(x)):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(W.shape[3]):
                    Z[i, h, w, c] = conv_single_step(
                        x[i, h*s:h*s+f, w*s:w*s+f], W[..., c], b[..., c])
    return Z, (A_prev, W, b, hparameters)


@wrong("conv_backward", *words.CHANNELS_FIRST)
def conv_backward_channels_first(dZ, cache):
    A_prev, W, b, hparameters = cache
    m, n_C_prev, n_H_prev, n_W_prev = A_prev.shape
    n_C, n_C_prev, f, f = W.shape
    s, p = hparameters["stride"], hparameters["pad"]
    m, n_C, n_H, n_W = dZ.shape
    A_pad = np.pad(A_prev, ((0, 0), (0, 0), (p, p), (p, p)))
    dA_pad, dW = np.zeros(A_pad.shape), np.zeros(W.shape)
    db = np.zeros(b.shape)
    for i in range(m):
        for c in range(n_C):
            for h in range(n_H):
                for w in range(n_W):
                    dz = dZ[i, c, h, w]
                    dA_pad[i, :, h*s:h*s+f, w*s:w*s+f] += W[c] * dz
                    dW[c] += A_pad[i, :, h*s:h*s+f, w*s:w*s+f] * dz
                    db[0, c, 0, 0] += dz
    return dA_pad[:, :, p:p+n_H_prev, p:p+n_W_prev], dW, db


@wrong("conv_backward", [r"\bdW\b|\bdb\b|gradientes", r"divid|promedi|/ ?m\b"],
       [r"\bdW\b|\bdb\b|gradients", r"divid|averag|/ ?m\b"])
def conv_backward_divided_by_m(dZ, cache):
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
                    dW[..., c] += A_pad[i, h*s:h*s+f, w*s:w*s+f] * dz / m
                    db[..., c] += dz / m
    return dA_pad[:, p:p+n_H_prev, p:p+n_W_prev], dW, db


@wrong("conv_backward", [r"\bdb\b|sesgo", r"\bb\b|multiplic|sesgo"],
       [r"\bdb\b|bias", r"\bb\b|multipl|bias"])
def conv_backward_db_times_the_bias(dZ, cache):
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
                    db[..., c] += b[..., c] * dz
    return dA_pad[:, p:p+n_H_prev, p:p+n_W_prev], dW, db


@wrong("conv_backward", *words.unknown("dA_prev"))
def conv_backward_name_never_assigned(dZ, cache):
    A_prev, W, b, hparameters = cache
    s, p, f = hparameters["stride"], hparameters["pad"], W.shape[0]
    m, n_H, n_W, n_C = dZ.shape
    A_pad = zero_pad(A_prev, p)
    dA_prev_pad, dW = np.zeros(A_pad.shape), np.zeros(W.shape)
    db = dZ.sum(axis=(0, 1, 2)).reshape(b.shape)
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    dz = dZ[i, h, w, c]
                    dA_prev_pad[i, h*s:h*s+f, w*s:w*s+f] += W[..., c] * dz
                    dW[..., c] += A_pad[i, h*s:h*s+f, w*s:w*s+f] * dz
    return dA_prev, dW, db  # noqa


@wrong("conv_backward", *words.AXIS_ERROR)
def conv_backward_loops_over_the_input(dZ, cache):
    A_prev, W, b, hparameters = cache
    m, n_H_prev, n_W_prev, n_C_prev = A_prev.shape
    s, p, f = hparameters["stride"], hparameters["pad"], W.shape[0]
    n_C = W.shape[3]
    A_pad = zero_pad(A_prev, p)
    dA_pad, dW = np.zeros(A_pad.shape), np.zeros(W.shape)
    db = np.zeros(b.shape)
    for i in range(m):
        for h in range(n_H_prev):
            for w in range(n_W_prev):
                for c in range(n_C):
                    dz = dZ[i, h, w, c]
                    dA_pad[i, h*s:h*s+f, w*s:w*s+f] += W[..., c] * dz
                    dW[..., c] += A_pad[i, h*s:h*s+f, w*s:w*s+f] * dz
                    db[..., c] += dz
    return dA_pad[:, p:p+n_H_prev, p:p+n_W_prev], dW, db
