"""Two mistakes at once in the other functions of the lab."""
import numpy as np

from . import words
from .registry import wrong


@wrong("conv1d", *words.NOT_FLIPPED, also=words.STRIDE_IGNORED)
def conv1d_not_flipped_no_stride(x, w, p=0, s=1):
    m = len(w)
    a, d = {"full": (m - 1, m - 1), "valid": (0, 0),
            "same": (m // 2, (m - 1) // 2)}.get(p, (p, p))
    xp = np.pad(x, (a, d))
    return np.array([np.sum(xp[i:i + m] * w)
                     for i in range(len(xp) - m + 1)])


@wrong("conv1d", *words.NOT_FLIPPED, also=words.STRIDE_TWICE)
def conv1d_not_flipped_stride_twice(x, w, p=0, s=1):
    m = len(w)
    a, d = {"full": (m - 1, m - 1), "valid": (0, 0),
            "same": (m // 2, (m - 1) // 2)}.get(p, (p, p))
    xp = np.pad(x, (a, d))
    res = []
    for i in range(0, (len(xp) - m) // s + 1, s):
        res.append(np.dot(xp[i:i + m], w))
    return np.array(res)


@wrong("conv2d", *words.NOT_FLIPPED, also=words.STRIDE_TWICE)
def conv2d_not_flipped_stride_twice(X, W, p=(0, 0), s=(1, 1)):
    f1, f2 = W.shape
    pads = []
    for f, q in zip(W.shape, (p, p) if isinstance(p, str) else p):
        pads.append({"full": (f - 1, f - 1), "valid": (0, 0),
                     "same": (f // 2, (f - 1) // 2)}.get(q, (q, q)))
    X_pad = np.pad(X, pads)
    res = []
    for i in range(0, int((X_pad.shape[0] - f1) / s[0]) + 1, s[0]):
        res.append([])
        for j in range(0, int((X_pad.shape[1] - f2) / s[1]) + 1, s[1]):
            res[-1].append(np.sum(X_pad[i:i + f1, j:j + f2] * W))
    return np.array(res)


@wrong("conv2d", *words.NOT_FLIPPED, also=words.NO_PLUS_ONE)
def conv2d_not_flipped_size_short(X, W, p=(0, 0), s=(1, 1)):
    f1, f2 = W.shape
    pads = []
    for f, q in zip(W.shape, (p, p) if isinstance(p, str) else p):
        pads.append({"full": (f - 1, f - 1), "valid": (0, 0),
                     "same": (f // 2, (f - 1) // 2)}.get(q, (q, q)))
    X_pad = np.pad(X, pads)
    n1 = (X_pad.shape[0] - f1)//s[0]
    n2 = (X_pad.shape[1] - f2)//s[1]
    Y = np.zeros((n1, n2))
    for i in range(n1):
        for j in range(n2):
            y, x = i * s[0], j * s[1]
            Y[i, j] = np.sum(X_pad[y:y + f1, x:x + f2] * W)
    return Y


@wrong("conv_single_step", *words.FLIPPED, also=words.BIAS_MISSING)
def conv_single_step_flipped_no_bias(a_slice_prev, W, b):
    return np.sum(a_slice_prev * np.flip(W, (0, 1)))


@wrong("conv_single_step", *words.BIAS_REPEATED, also=words.SHAPE_NUMBER)
def conv_single_step_bias_repeated_in_an_array(a_slice_prev, W, b):
    s = a_slice_prev * W + b
    Z = np.sum(s).reshape(1, 1, 1)
    return Z


@wrong("zero_pad", *words.ONE_SIDE, also=words.ONES)
def zero_pad_one_side_of_ones(X, pad):
    return np.pad(X, ((0, 0), (pad, 0), (pad, 0), (0, 0)), 'constant',
                  constant_values=1)


@wrong("output_size", *words.ONE_SIDE, also=words.NO_PLUS_ONE)
def output_size_pad_once_without_plus_one(n, f, pad=0, stride=1):
    return (n - f + pad) // stride


@wrong("softmax", [r"desbord|nan|inf|máximo|grandes|overflow"],
       [r"overflow|nan|inf|maximum|large"],
       also=([r"eje|axis|fila|column|cada imagen"],
             [r"axis|row|column|each image"]))
def softmax_overflows_over_everything(Z):
    return np.exp(Z) / np.sum(np.exp(Z))


@wrong("compute_cost", [r"signo|negativ|menos"], [r"sign|negativ|minus"],
       also=([r"médi|promedi|media\b|divid|/ ?m\b"],
             [r"mean|averag|divid|/ ?m\b"]))
def compute_cost_no_sign_no_average(A_last, Y):
    return np.sum(Y * np.log(A_last))


@wrong("relu_backward", *words.INPUT_CHANGED,
       also=([r"\b0\b|cero|>="], [r"\b0\b|zero|>="]))
def relu_backward_in_place_zero_included(dA, cache):
    dA[cache < 0] = 0
    return dA
