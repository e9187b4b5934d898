"""Wrong pooling whose authors asked in a forum what was wrong."""
import numpy as np

from cnnbook.backprop import create_mask_from_window, distribute_value

from . import words
from .registry import wrong


@wrong("pool_forward", *words.FLOAT_SIZES)
def pool_forward_sizes_not_integers(A_prev, hparameters, mode="max"):
    (m, n_H_prev, n_W_prev, n_C) = A_prev.shape
    f, stride = hparameters["f"], hparameters["stride"]
    n_H = 1 + (n_H_prev - f) / stride
    n_W = 1 + (n_W_prev - f) / stride
    A = np.zeros((m, n_H, n_W, n_C))
    return A, (A_prev, hparameters)


@wrong("pool_forward", [r"\bf\b|stride|paso", r"inicio|empieza|avanz|\* ?f"
                        r"|stride|paso"],
       [r"\bf\b|strid", r"start|begin|mov|\* ?f|strid"])
def pool_forward_windows_side_by_side(A_prev, hparameters, mode="max"):
    (m, n_H_prev, n_W_prev, n_C) = A_prev.shape
    f, stride = hparameters["f"], hparameters["stride"]
    n_H = int(1 + (n_H_prev - f) / stride)
    n_W = int(1 + (n_W_prev - f) / stride)
    A = np.zeros((m, n_H, n_W, n_C))
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    a = A_prev[i, h*f:(h + 1)*f, w*f:(w + 1)*f, c]
                    if a.size:
                        A[i, h, w, c] = (a.max() if mode == "max"
                                         else a.mean())
    return A, (A_prev, hparameters)


@wrong("pool_forward", [r"f ?- ?1|ventana (es|mide|queda|se)|última (fila"
                        r"|columna) de"],
       [r"f ?- ?1|window (is|measures)|last (row|column) of"])
def pool_forward_window_one_short(A_prev, hparameters, mode="max"):
    (m, n_H_prev, n_W_prev, n_C) = A_prev.shape
    f, stride = hparameters["f"], hparameters["stride"]
    n_H = int(1 + (n_H_prev - f) / stride)
    n_W = int(1 + (n_W_prev - f) / stride)
    A = np.zeros((m, n_H, n_W, n_C))
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    y, x = h * stride, w * stride
                    a = A_prev[i, y:y + max(f - 1, 1), x:x + max(f - 1, 1), c]
                    A[i, h, w, c] = a.max() if mode == "max" else a.mean()
    return A, (A_prev, hparameters)


@wrong("pool_forward", *words.ROWS_COLUMNS)
def pool_forward_rows_only(A_prev, hparameters, mode="max"):
    (m, n_H_prev, n_W_prev, n_C) = A_prev.shape
    f, stride = hparameters["f"], hparameters["stride"]
    n_H = int(1 + (n_H_prev - f) / stride)
    n_W = int(1 + (n_W_prev - f) / stride)
    A = np.zeros((m, n_H, n_W, n_C))
    for h in range(n_H):
        for w in range(n_W):
            a = A_prev[:, h*stride:h*stride + f, w*stride, :]
            A[:, h, w, :] = a.max(1) if mode == "max" else a.mean(1)
    return A, (A_prev, hparameters)


@wrong("pool_forward", [r"mínim|min\b"], [r"minim|min\b|smallest"])
def pool_forward_minimum(A_prev, hparameters, mode="max"):
    (m, n_H_prev, n_W_prev, n_C) = A_prev.shape
    f, stride = hparameters["f"], hparameters["stride"]
    n_H = int(1 + (n_H_prev - f) / stride)
    n_W = int(1 + (n_W_prev - f) / stride)
    A = np.zeros((m, n_H, n_W, n_C))
    for i, h, w, c in np.ndindex(*A.shape):
        a = A_prev[i, h*stride:h*stride + f, w*stride:w*stride + f, c]
        A[i, h, w, c] = np.min(a) if mode == "max" else np.mean(a)
    return A, (A_prev, hparameters)


@wrong("pool_forward", [r"absolut|negativ"], [r"absolute|negativ"])
def pool_forward_largest_magnitude(A_prev, hparameters, mode="max"):
    (m, n_H_prev, n_W_prev, n_C) = A_prev.shape
    f, stride = hparameters["f"], hparameters["stride"]
    n_H = int(1 + (n_H_prev - f) / stride)
    n_W = int(1 + (n_W_prev - f) / stride)
    A = np.zeros((m, n_H, n_W, n_C))
    for i, h, w, c in np.ndindex(*A.shape):
        a = A_prev[i, h*stride:h*stride + f, w*stride:w*stride + f, c]
        A[i, h, w, c] = np.max(np.abs(a)) if mode == "max" else np.mean(a)
    return A, (A_prev, hparameters)


@wrong("pool_forward", *words.FIRST_IMAGE)
def pool_forward_first_image_only(A_prev, hparameters, mode="max"):
    (m, n_H_prev, n_W_prev, n_C) = A_prev.shape
    f, stride = hparameters["f"], hparameters["stride"]
    n_H = int(1 + (n_H_prev - f) / stride)
    n_W = int(1 + (n_W_prev - f) / stride)
    A = np.zeros((m, n_H, n_W, n_C))
    for i in range(m):
        a_prev = A_prev[0]
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    a = a_prev[h*stride:h*stride + f, w*stride:w*stride + f,
                               c]
                    A[i, h, w, c] = a.max() if mode == "max" else a.mean()
    return A, (A_prev, hparameters)


@wrong("pool_backward", *words.CHANNELS_FIRST)
def pool_backward_channels_first(dA, cache, mode="max"):
    A_prev, hparameters = cache
    s, f = hparameters["stride"], hparameters["f"]
    m, n_C, n_H, n_W = dA.shape
    dA_prev = np.zeros(A_prev.shape)
    for i in range(m):
        for c in range(n_C):
            for h in range(n_H):
                for w in range(n_W):
                    trozo = dA_prev[i, c, h*s:h*s+f, w*s:w*s+f]
                    if mode == "max":
                        trozo += dA[i, c, h, w] * create_mask_from_window(
                            A_prev[i, c, h*s:h*s+f, w*s:w*s+f])
                    else:
                        trozo += distribute_value(dA[i, c, h, w], (f, f))
    return dA_prev


@wrong("pool_backward", *words.SUM_FOR_PRODUCT)
def pool_backward_shared_by_the_sum(dA, cache, mode="max"):
    A_prev, hparameters = cache
    s, f = hparameters["stride"], hparameters["f"]
    dA_prev = np.zeros(A_prev.shape)
    for i, h, w, c in np.ndindex(*dA.shape):
        trozo = dA_prev[i, h*s:h*s+f, w*s:w*s+f, c]
        if mode == "max":
            trozo += dA[i, h, w, c] * create_mask_from_window(
                A_prev[i, h*s:h*s+f, w*s:w*s+f, c])
        else:
            trozo += dA[i, h, w, c] / (f + f)
    return dA_prev


@wrong("pool_backward", [r"azar|aleatori"], [r"random"])
def pool_backward_starts_from_random_numbers(dA, cache, mode="max"):
    A_prev, hparameters = cache
    s, f = hparameters["stride"], hparameters["f"]
    dA_prev = np.random.randn(*A_prev.shape)
    for i, h, w, c in np.ndindex(*dA.shape):
        trozo = dA_prev[i, h*s:h*s+f, w*s:w*s+f, c]
        if mode == "max":
            trozo += dA[i, h, w, c] * create_mask_from_window(
                A_prev[i, h*s:h*s+f, w*s:w*s+f, c])
        else:
            trozo += dA[i, h, w, c] / f**2
    return dA_prev


@wrong("pool_backward", [r"forma (es )?(la )?de (dA|`dA`)|(dA"
                         r"|salida).*en vez de.*A_prev|forma.*A_prev"],
       [r"shape (is that )?of (dA|`dA`)|(dA|output).*instead of.*A_prev"
        r"|shape.*A_prev"])
def pool_backward_in_the_shape_of_dA(dA, cache, mode="max"):
    A_prev, hparameters = cache
    s, f = hparameters["stride"], hparameters["f"]
    dA_prev = np.zeros(dA.shape)
    for i, h, w, c in np.ndindex(*dA.shape):
        if mode == "max":
            mask = create_mask_from_window(A_prev[i, h*s:h*s+f,
                                                  w*s:w*s+f, c])
            dA_prev[i, h, w, c] += dA[i, h, w, c] * mask.sum()
        else:
            dA_prev[i, h, w, c] += dA[i, h, w, c] / f**2
    return dA_prev


@wrong("pool_backward", *words.NO_AVERAGE)
def pool_backward_looks_for_the_word_mean(dA, cache, mode="max"):
    A_prev, hparameters = cache
    s, f = hparameters["stride"], hparameters["f"]
    dA_prev = np.zeros(A_prev.shape)
    for i, h, w, c in np.ndindex(*dA.shape):
        trozo = dA_prev[i, h*s:h*s+f, w*s:w*s+f, c]
        if mode == "max":
            trozo += dA[i, h, w, c] * create_mask_from_window(
                A_prev[i, h*s:h*s+f, w*s:w*s+f, c])
        elif mode == "mean":
            trozo += distribute_value(dA[i, h, w, c], (f, f))
    return dA_prev


@wrong("create_mask_from_window", *words.TRUTH)
def create_mask_from_window_max_of_python(x):
    mask = (x == max(x))
    return mask


@wrong("relu", *words.TRUTH)
def relu_with_an_if(Z):
    if Z > 0:
        A = Z
    else:
        A = 0
    return A, Z


@wrong("zero_pad", *words.CHANNELS_FIRST)
def zero_pad_channels_first(X, pad):
    return np.pad(X, ((0, 0), (0, 0), (pad, pad), (pad, pad)))


@wrong("zero_pad", *words.INPUT_CHANGED)
def zero_pad_clears_the_input(X, pad):
    X_pad = np.pad(X, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    X[:] = 0
    return X_pad
