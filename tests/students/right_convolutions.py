"""Right convolutions, frames and steps, in the styles students write."""
import numpy as np

from .registry import right


@right("conv1d")
def conv1d_with_numpy(x, w, p=0, s=1):
    if isinstance(p, str):
        if p == "same" and len(w) > len(x):
            raise ValueError
        return np.convolve(x, w, p)[::s]
    full = np.convolve(np.pad(x, p), w, "valid")
    return full[::s]


@right("conv1d")
def conv1d_as_in_the_lab(x, w, p=0, s=1):
    w_rot = np.array(w[::-1])
    m = len(w)
    if p == "full":
        izquierda = derecha = m - 1
    elif p == "same":
        izquierda, derecha = m // 2, (m - 1) // 2
    elif p == "valid":
        izquierda = derecha = 0
    else:
        izquierda = derecha = p
    x_padded = np.concatenate([np.zeros(izquierda), np.array(x),
                               np.zeros(derecha)])
    res = []
    for i in range(0, len(x_padded) - m + 1, s):
        res.append(np.sum(x_padded[i:i + m] * w_rot))
    return np.array(res)


@right("conv1d")
def conv1d_of_other_names(señal, núcleo, relleno=0, paso=1):
    k = len(núcleo)
    if isinstance(relleno, int):
        a = b = relleno
    else:
        a, b = {"full": (k - 1, k - 1), "valid": (0, 0),
                "same": (k // 2, (k - 1) // 2)}[relleno]
    señal = np.pad(np.asarray(señal, float), (a, b))
    ventanas = np.lib.stride_tricks.sliding_window_view(señal, k)[::paso]
    return ventanas @ np.asarray(núcleo, float)[::-1]


@right("conv1d")
def conv1d_as_a_list(x, w, p=0, s=1):
    m = len(w)
    before, after = {"full": (m - 1, m - 1), "valid": (0, 0),
                     "same": (m // 2, (m - 1) // 2)}.get(p, (p, p))
    x = [0.0] * before + list(x) + [0.0] * after
    return [sum(x[i + j] * w[m - 1 - j] for j in range(m))
            for i in range(0, len(x) - m + 1, s)]


@right("conv2d")
def conv2d_as_in_the_lab(X, W, p=(0, 0), s=(1, 1)):
    W_rot = np.array(W)[::-1, ::-1]
    f1, f2 = W.shape
    if isinstance(p, str):
        p = (p, p)
    sides = []
    for f, q in zip((f1, f2), p):
        if q == "full":
            sides.append((f - 1, f - 1))
        elif q == "same":
            sides.append((f // 2, (f - 1) // 2))
        elif q == "valid":
            sides.append((0, 0))
        else:
            sides.append((q, q))
    (t, b), (left, r) = sides
    X_padded = np.zeros((X.shape[0] + t + b, X.shape[1] + left + r))
    X_padded[t:t + X.shape[0], left:left + X.shape[1]] = X
    res = []
    for i in range(0, X_padded.shape[0] - f1 + 1, s[0]):
        res.append([])
        for j in range(0, X_padded.shape[1] - f2 + 1, s[1]):
            res[-1].append(np.sum(X_padded[i:i + f1, j:j + f2] * W_rot))
    return np.array(res)


@right("conv2d")
def conv2d_by_shifts(imagen, filtro, relleno=(0, 0), paso=(1, 1)):
    a, b = filtro.shape
    q = (relleno, relleno) if isinstance(relleno, str) else relleno
    anchos = [{"full": (k - 1, k - 1), "valid": (0, 0),
               "same": (k // 2, (k - 1) // 2)}.get(r, (r, r))
              for k, r in zip((a, b), q)]
    x = np.pad(imagen, anchos)
    alto, ancho = x.shape[0] - a + 1, x.shape[1] - b + 1
    y = np.zeros((alto, ancho))
    for u in range(a):              # each weight moves the whole image
        for v in range(b):
            y += filtro[a - 1 - u, b - 1 - v] * x[u:u + alto, v:v + ancho]
    return y[::paso[0], ::paso[1]]


@right("output_size")
def output_size_by_floor(n, f, pad=0, stride=1):
    return int(np.floor((n + 2 * pad - f) / stride)) + 1


@right("output_size")
def output_size_by_counting(n, f, pad=0, stride=1):
    return len(range(0, n + 2 * pad - f + 1, stride))


@right("output_size")
def output_size_recursive(n, f, pad=0, stride=1):
    if pad:
        return output_size_recursive(n + 2 * pad, f, 0, stride)
    return 0 if n < f else 1 + output_size_recursive(n - stride, f, 0, stride)


@right("zero_pad")
def zero_pad_with_np_pad(X, pad):
    X_pad = np.pad(X, ((0, 0), (pad, pad), (pad, pad), (0, 0)), 'constant',
                   constant_values=(0, 0))
    return X_pad


@right("zero_pad")
def zero_pad_by_joining(imagenes, p):
    m, alto, ancho, canales = imagenes.shape
    fila = np.zeros((m, p, ancho, canales))
    X = np.concatenate((fila, imagenes, fila), axis=1)
    columna = np.zeros((m, alto + 2 * p, p, canales))
    return np.concatenate((columna, X, columna), axis=2)


@right("zero_pad")
def zero_pad_recursive(X, pad):
    if pad == 0:
        return X.copy()
    return zero_pad_recursive(
        np.pad(X, ((0, 0), (1, 1), (1, 1), (0, 0))), pad - 1)


@right("conv_single_step")
def conv_single_step_as_in_the_lab(a_slice_prev, W, b):
    s = np.multiply(a_slice_prev, W)
    Z = np.sum(s)
    Z = Z + b[0, 0, 0]
    return Z


@right("conv_single_step")
def conv_single_step_of_python_floats(a, pesos, sesgo):
    total = 0.0
    for x, y in zip(a.ravel().tolist(), pesos.ravel().tolist()):
        total += x * y
    return total + sesgo.item()


@right("conv_single_step")
def conv_single_step_by_einsum(a_slice_prev, W, b):
    return np.einsum("uvk,uvk->", a_slice_prev, W) + np.squeeze(b)


@right("conv_single_step")
def conv_single_step_flat(a_slice_prev, W, b):
    return float(np.vdot(a_slice_prev, W) + b.sum())
