"""Wrong small functions of the layer: sizes, frames, one step."""
import numpy as np

from . import words
from .registry import wrong


@wrong("output_size", [r"redonde(?!\w* hacia arriba)|trunc|piso|suelo"],
       [r"round(?!\w* up)|floor|truncat"])
def output_size_rounded(n, f, pad=0, stride=1):
    return round((n + 2 * pad - f) / stride) + 1


@wrong("output_size", *words.ROUNDED_UP)
def output_size_rounded_up(n, f, pad=0, stride=1):
    return int(np.ceil((n + 2 * pad - f) / stride)) + 1


@wrong("output_size", [r"(sin|no se) redonde|enter[ao]|//|decimal|float"
                       r"|falta.*(piso|trunc|suelo)"],
       [r"not (rounded|floored)|without (round|floor)|integer|//|decimal"
        r"|float|missing.*floor"])
def output_size_not_rounded(n, f, pad=0, stride=1):
    return (n + 2 * pad - f) / stride + 1


@wrong("output_size", *words.NO_PLUS_ONE)
def output_size_without_plus_one(n, f, pad=0, stride=1):
    return (n - f + 2 * pad) // stride


@wrong("output_size", *words.ONE_SIDE)
def output_size_with_pad_once(n, f, pad=0, stride=1):
    return int((n - f + pad) / stride) + 1


@wrong("output_size", *words.STRIDE_IGNORED)
def output_size_without_stride(n, f, pad=0, stride=1):
    return n - f + 2 * pad + 1


@wrong("output_size", [r"\+ ?1|paréntesis|el 1 se suma|suma(r)? (el )?1"],
       [r"\+ ?1|parenthes|bracket|1 is added"])
def output_size_plus_one_inside(n, f, pad=0, stride=1):
    return (n - f + 2 * pad + 1) // stride


@wrong("zero_pad", *words.PAD_ALL_AXES)
def zero_pad_every_axis(X, pad):
    X_pad = np.pad(X, pad, 'constant', constant_values=0)
    return X_pad


@wrong("zero_pad", [r"(?s)^(?!.*canales).*(lote|imágenes|ejes)"],
       [r"(?s)^(?!.*channels).*(batch|images|ax[ei]s)"])
def zero_pad_the_batch(X, pad):
    X_pad = np.pad(X, ((pad, pad), (pad, pad), (0, 0), (0, 0)), 'constant')
    return X_pad


@wrong("zero_pad", *words.ROWS_COLUMNS)
def zero_pad_rows_only(X, pad):
    X_pad = np.pad(X, ((0, 0), (pad, pad), (0, 0), (0, 0)), 'constant')
    return X_pad


@wrong("zero_pad", *words.ONE_SIDE)
def zero_pad_one_side(X, pad):
    X_pad = np.pad(X, ((0, 0), (0, pad), (0, pad), (0, 0)))
    return X_pad


@wrong("zero_pad", *words.EDGES)
def zero_pad_with_edges(X, pad):
    X_pad = np.pad(X, ((0, 0), (pad, pad), (pad, pad), (0, 0)), mode='edge')
    return X_pad


@wrong("zero_pad", *words.ONES)
def zero_pad_with_ones(X, pad):
    m, n_H, n_W, n_C = X.shape
    X_pad = np.ones((m, n_H + 2*pad, n_W + 2*pad, n_C))
    X_pad[:, pad:pad + n_H, pad:pad + n_W, :] = X
    return X_pad


@wrong("zero_pad", *words.PAD_IS_0)
def zero_pad_minus_pad(X, pad):
    m, n_H, n_W, n_C = X.shape
    X_pad = np.zeros((m, n_H + 2*pad, n_W + 2*pad, n_C))
    X_pad[:, pad:-pad, pad:-pad, :] = X
    return X_pad


@wrong("zero_pad", *words.NOTHING_RETURNED)
def zero_pad_without_return(X, pad):
    X_pad = np.pad(X, ((0, 0), (pad, pad), (pad, pad), (0, 0)), 'constant')


@wrong("zero_pad", [r"corre|esquina|extremo|centr|desplaz"
                   r"|(un|mismo) (solo )?lado"
                    r"|después"],
       [r"shift|corner|cent|one end|(one|same) side|after|not in the middle"])
def zero_pad_in_the_corner(X, pad):
    m, n_H, n_W, n_C = X.shape
    X_pad = np.zeros((m, n_H + 2 * pad, n_W + 2 * pad, n_C))
    X_pad[:, :n_H, :n_W, :] = X
    return X_pad


@wrong("conv_single_step", *words.BIAS_MISSING)
def conv_single_step_no_bias(a_slice_prev, W, b):
    s = a_slice_prev * W
    Z = np.sum(s)
    return Z


@wrong("conv_single_step", *words.BIAS_REPEATED)
def conv_single_step_bias_in_every_product(a_slice_prev, W, b):
    s = np.multiply(a_slice_prev, W) + b
    Z = np.sum(s)
    return Z


@wrong("conv_single_step", *words.SHAPE_NUMBER)
def conv_single_step_as_an_array(a_slice_prev, W, b):
    s = a_slice_prev * W
    Z = np.sum(s)
    Z = Z + b
    return Z


@wrong("conv_single_step", *words.FLOAT_OF_ARRAY, numpy=(2, 4))
def conv_single_step_float_of_the_bias(a_slice_prev, W, b):
    s = a_slice_prev * W
    Z = np.sum(s)
    Z = Z + float(b)
    return Z


@wrong("conv_single_step", *words.np_alias("float"), numpy=(1, 24))
def conv_single_step_np_float(a_slice_prev, W, b):
    Z = np.sum(a_slice_prev * W)
    return Z + np.float(b[0, 0, 0])


@wrong("conv_single_step", *words.INTEGERS)
def conv_single_step_whole_bias(a_slice_prev, W, b):
    s = a_slice_prev * W
    Z = np.sum(s)
    Z = Z + int(b[0, 0, 0])
    return Z


@wrong("conv_single_step",
       [r"no se suma|sin sumar|falta (la )?suma|np\.sum|número|escalar"],
       [r"not (summed|added)|without (the )?sum|missing.*sum|np\.sum|number"
        r"|scalar"])
def conv_single_step_not_summed(a_slice_prev, W, b):
    Z = a_slice_prev * W + b
    return Z


@wrong("conv_single_step",
       [r"matric|@|\bdot\b|matmul|elemento a elemento"],
       [r"matri|@|\bdot\b|matmul|elementwise|element by"
        r"|arrays are multiplied"])
def conv_single_step_matrix_product(a_slice_prev, W, b):
    s = np.matmul(a_slice_prev, W)
    return np.sum(s) + b[0, 0, 0]


@wrong("conv_single_step", *words.FLIPPED)
def conv_single_step_flipped(a_slice_prev, W, b):
    total = 0
    f = W.shape[0]
    for i in range(f):
        for j in range(f):
            for k in range(W.shape[2]):
                total += a_slice_prev[i, j, k] * W[f - 1 - i, f - 1 - j, k]
    return total + b[0, 0, 0]


@wrong("conv_single_step", *words.ONE_CHANNEL)
def conv_single_step_first_channel_only(a_slice_prev, W, b):
    total = b[0, 0, 0]
    for i in range(W.shape[0]):
        for j in range(W.shape[1]):
            total = total + a_slice_prev[i, j, 0] * W[i, j, 0]
    return total


@wrong("conv_single_step", *words.HALF_FLOATS)
def conv_single_step_half_precision(a_slice_prev, W, b):
    Z = np.sum((a_slice_prev * W).astype(np.float16))
    return Z + b[0, 0, 0].astype(np.float16)


@wrong("conv_single_step", *words.unknown("a_slice_previous"))
def conv_single_step_misspelt_name(a_slice_prev, W, b):
    s = a_slice_previous * W  # noqa
    return np.sum(s) + b[0, 0, 0]


@wrong("conv_single_step", *words.INPUT_CHANGED)
def conv_single_step_changes_the_window(a_slice_prev, W, b):
    a_slice_prev *= W
    return a_slice_prev.sum() + b[0, 0, 0]
