"""Right layers, forward and backward, in the styles students write."""
import numpy as np

from cnnbook.backprop import create_mask_from_window, distribute_value
from cnnbook.conv_layer import conv_single_step
from cnnbook.padding import zero_pad

from .registry import right


@right("conv_forward")
def conv_forward_as_in_the_lab(A_prev, W, b, hparameters):
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
                    weights = W[:, :, :, c]
                    biases = b[:, :, :, c]
                    Z[i, h, w, c] = conv_single_step(a_slice_prev, weights,
                                                     biases)
    cache = (A_prev, W, b, hparameters)
    return Z, cache


@right("conv_forward")
def conv_forward_other_names(entrada, filtros, sesgos, opciones):
    paso, relleno = opciones["stride"], opciones["pad"]
    f = filtros.shape[0]
    x = np.pad(entrada, [(0, 0), (relleno, relleno), (relleno, relleno),
                         (0, 0)])
    alto, ancho = (x.shape[1] - f)//paso + 1, (x.shape[2] - f)//paso + 1
    salida = np.empty((x.shape[0], alto, ancho, filtros.shape[3]))
    for y in range(alto):
        for z in range(ancho):
            trozo = x[:, y*paso:y*paso + f, z*paso:z*paso + f, :]
            salida[:, y, z, :] = np.tensordot(
                trozo, filtros, axes=([1, 2, 3], [0, 1, 2]))
    salida += sesgos[0, 0, 0]           # in place, on an array of its own
    return salida, (entrada, filtros, sesgos, opciones)


@right("conv_forward")
def conv_forward_without_loops(A_prev, W, b, hparameters):
    s, p, f = hparameters["stride"], hparameters["pad"], W.shape[0]
    windows = np.lib.stride_tricks.sliding_window_view(
        zero_pad(A_prev, p), (f, f), axis=(1, 2))[:, ::s, ::s]
    Z = np.einsum("ihwkuv,uvkc->ihwc", windows, W) + b
    return Z, (A_prev, W, b, hparameters)


@right("conv_forward")
def conv_forward_by_columns(A_prev, W, b, hparameters):
    m, H, V, C = A_prev.shape
    f, _, _, n_C = W.shape
    s, p = hparameters["stride"], hparameters["pad"]
    n_H, n_W = 1 + (H + 2*p - f)//s, 1 + (V + 2*p - f)//s
    X = np.zeros((m, H + 2*p, V + 2*p, C))
    X[:, p:H + p, p:V + p] = A_prev
    rows = []
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                rows.append(X[i, h*s:h*s+f, w*s:w*s+f].reshape(-1))
    Z = np.array(rows) @ W.reshape(-1, n_C) + b.reshape(-1)
    return Z.reshape(m, n_H, n_W, n_C), (A_prev, W, b, hparameters)


@right("conv_forward")
def conv_forward_channels_first_inside(A_prev, W, b, hparameters):
    s, p = hparameters["stride"], hparameters["pad"]
    x = A_prev.transpose(0, 3, 1, 2)
    k = W.transpose(3, 2, 0, 1)
    f = k.shape[2]
    x = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
    n_H, n_W = (x.shape[2] - f)//s + 1, (x.shape[3] - f)//s + 1
    Z = np.zeros((len(x), len(k), n_H, n_W))
    for i, image in enumerate(x):
        for c, kernel in enumerate(k):
            for h in range(n_H):
                for w in range(n_W):
                    Z[i, c, h, w] = np.sum(
                        image[:, h*s:h*s+f, w*s:w*s+f] * kernel)
            Z[i, c] += b[0, 0, 0, c]
    return Z.transpose(0, 2, 3, 1), (A_prev, W, b, hparameters)


@right("conv_forward")
def conv_forward_in_float32(A_prev, W, b, hparameters):
    s, p, f = hparameters["stride"], hparameters["pad"], len(W)
    x = zero_pad(A_prev, p).astype(np.float32)
    n_H, n_W = (x.shape[1] - f)//s + 1, (x.shape[2] - f)//s + 1
    Z = np.zeros((len(x), n_H, n_W, W.shape[3]), dtype=np.float32)
    for u in range(f):
        for v in range(f):
            cells = x[:, u:u + s*(n_H-1) + 1:s, v:v + s*(n_W-1) + 1:s]
            Z += cells @ W[u, v].astype(np.float32)
    return Z + b.astype(np.float32), (A_prev, W, b, hparameters)


@right("pool_forward")
def pool_forward_as_in_the_lab(A_prev, hparameters, mode="max"):
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
                    vert_end = vert_start + f
                    horiz_start = w * stride
                    horiz_end = horiz_start + f
                    a_prev_slice = A_prev[i, vert_start:vert_end,
                                          horiz_start:horiz_end, c]
                    if mode == "max":
                        A[i, h, w, c] = np.max(a_prev_slice)
                    elif mode == "average":
                        A[i, h, w, c] = np.mean(a_prev_slice)
    cache = (A_prev, hparameters)
    assert (A.shape == (m, n_H, n_W, n_C))
    return A, cache


@right("pool_forward")
def pool_forward_without_loops(A, hp, modo="max"):
    f, s = hp["f"], hp["stride"]
    ventanas = np.lib.stride_tricks.sliding_window_view(
        A, (f, f), axis=(1, 2))[:, ::s, ::s]
    operación = {"max": np.max, "average": np.mean}[modo]
    return operación(ventanas, axis=(4, 5)), (A, hp)


@right("pool_forward")
def pool_forward_cell_by_cell(A_prev, hparameters, mode="max"):
    m, n_H_prev, n_W_prev, n_C = A_prev.shape
    f, stride = hparameters["f"], hparameters["stride"]
    n_H, n_W = (n_H_prev - f)//stride + 1, (n_W_prev - f)//stride + 1
    A = np.full((m, n_H, n_W, n_C), -np.inf if mode == "max" else 0.0)
    for u in range(f):
        for v in range(f):
            cells = A_prev[:, u:u + stride*(n_H-1) + 1:stride,
                           v:v + stride*(n_W-1) + 1:stride, :]
            A = np.maximum(A, cells) if mode == "max" else A + cells / f**2
    return A, (A_prev, hparameters)


@right("conv_backward")
def conv_backward_as_in_the_lab(dZ, cache):
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
        if pad == 0:
            dA_prev[i, :, :, :] = da_prev_pad
        else:
            dA_prev[i, :, :, :] = da_prev_pad[pad:-pad, pad:-pad, :]
    return dA_prev, dW, db


@right("conv_backward")
def conv_backward_by_einsum(dY, memoria):
    x, k, sesgo, hp = memoria
    s, p, f = hp["stride"], hp["pad"], k.shape[0]
    xp = np.pad(x, ((0, 0), (p, p), (p, p), (0, 0)))
    dx, dk = np.zeros_like(xp), np.zeros_like(k)
    for h in range(dY.shape[1]):
        for w in range(dY.shape[2]):
            y, z, g = slice(h*s, h*s+f), slice(w*s, w*s+f), dY[:, h, w]
            dx[:, y, z] += np.einsum("ic,uvkc->iuvk", g, k)
            dk += np.einsum("ic,iuvk->uvkc", g, xp[:, y, z])
    dsesgo = dY.sum(axis=(0, 1, 2), keepdims=True)
    return dx[:, p:xp.shape[1] - p, p:xp.shape[2] - p], dk, dsesgo


@right("conv_backward")
def conv_backward_without_a_frame(dZ, cache):
    A_prev, W, b, hparameters = cache
    s, p = hparameters["stride"], hparameters["pad"]
    dA_prev, dW = np.zeros(A_prev.shape), np.zeros(W.shape)
    m, H, V, _ = A_prev.shape
    for i, h, w, c in np.ndindex(*dZ.shape):
        for u, v in np.ndindex(*W.shape[:2]):
            y, x = h*s + u - p, w*s + v - p
            if 0 <= y < H and 0 <= x < V:
                dA_prev[i, y, x] += W[u, v, :, c] * dZ[i, h, w, c]
                dW[u, v, :, c] += A_prev[i, y, x] * dZ[i, h, w, c]
    db = np.array([[[[dZ[..., c].sum() for c in range(dZ.shape[3])]]]])
    return dA_prev, dW, db


@right("conv_backward")
def conv_backward_as_a_list_of_three(dZ, cache):
    A_prev, W, b, hparameters = cache
    s, p, f = hparameters["stride"], hparameters["pad"], W.shape[0]
    A_pad = zero_pad(A_prev, p)
    dA_pad = np.zeros(A_pad.shape, np.float32)
    dW, db = np.zeros(W.shape, np.float32), np.zeros(b.shape, np.float32)
    for i in range(len(dZ)):
        for h in range(dZ.shape[1]):
            for w in range(dZ.shape[2]):
                y, x = h * s, w * s
                dA_pad[i, y:y+f, x:x+f] += W @ dZ[i, h, w]
                dW += A_pad[i, y:y+f, x:x+f, :, None] * dZ[i, h, w]
                db[0, 0, 0] += dZ[i, h, w]
    n_H, n_W = A_prev.shape[1:3]
    return [dA_pad[:, p:p + n_H, p:p + n_W], dW, db]


@right("create_mask_from_window")
def create_mask_from_window_by_loops(x):
    found = False
    mask = np.zeros(x.shape, dtype=bool)
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            if x[i, j] == np.max(x) and not found:
                mask[i, j] = True
                found = True
    return mask


@right("create_mask_from_window")
def create_mask_from_window_flat(ventana):
    return (np.arange(ventana.size) == ventana.argmax()).reshape(
        ventana.shape)


@right("distribute_value")
def distribute_value_as_in_the_lab(dz, shape):
    (n_H, n_W) = shape
    average = dz / (n_H * n_W)
    a = np.ones(shape) * average
    return a


@right("distribute_value")
def distribute_value_as_lists(valor, forma):
    filas, columnas = forma
    return [[valor / filas / columnas] * columnas for _ in range(filas)]


@right("pool_backward")
def pool_backward_as_in_the_lab(dA, cache, mode="max"):
    (A_prev, hparameters) = cache
    stride = hparameters["stride"]
    f = hparameters["f"]
    m, n_H_prev, n_W_prev, n_C_prev = A_prev.shape
    m, n_H, n_W, n_C = dA.shape
    dA_prev = np.zeros((m, n_H_prev, n_W_prev, n_C_prev))
    for i in range(m):
        a_prev = A_prev[i]
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    vert_start = h * stride
                    vert_end = vert_start + f
                    horiz_start = w * stride
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


@right("pool_backward")
def pool_backward_with_add_at(dA, cache, mode="max"):
    A_prev, hparameters = cache
    f, s = hparameters["f"], hparameters["stride"]
    dA_prev = np.zeros_like(A_prev)
    i, h, w, c = np.indices(dA.shape)
    if mode == "average":
        for u in range(f):
            for v in range(f):
                np.add.at(dA_prev, (i, h*s + u, w*s + v, c), dA / f**2)
        return dA_prev
    windows = np.lib.stride_tricks.sliding_window_view(
        A_prev, (f, f), axis=(1, 2))[:, ::s, ::s]
    first = windows.reshape(*dA.shape, -1).argmax(axis=-1)
    np.add.at(dA_prev, (i, h*s + first // f, w*s + first % f, c), dA)
    return dA_prev


@right("pool_backward")
def pool_backward_with_a_helper_inside(dA, memoria, modo="max"):
    A_prev, hp = memoria
    f, s = hp["f"], hp["stride"]

    def reparto(ventana):
        if modo == "average":
            return np.full((f, f), 1 / (f * f))
        pesos = np.zeros((f, f))
        pesos.flat[np.argmax(ventana)] = 1
        return pesos

    salida = np.zeros(A_prev.shape)
    for i, h, w, c in np.ndindex(*dA.shape):
        y, x = slice(h*s, h*s + f), slice(w*s, w*s + f)
        salida[i, y, x, c] += dA[i, h, w, c] * reparto(A_prev[i, y, x, c])
    return salida
