"""Wrong masks of a window, and wrong shares of a value."""
import numpy as np

from . import words
from .registry import wrong


@wrong("create_mask_from_window", *words.TIES)
def create_mask_from_window_of_every_tie(x):
    mask = (x == np.max(x))
    return mask


@wrong("create_mask_from_window", *words.MASK_OF_VALUES)
def create_mask_from_window_the_maximum_itself(x):
    mask = np.max(x)
    return mask


@wrong("create_mask_from_window",
       [r"multiplic\w*|(valor|máximo).*(en vez|boolean|True)|boolean"],
       [r"multipli\w*|(value|maximum).*(instead|boolean|True)|boolean"])
def create_mask_from_window_times_the_window(x):
    mask = np.zeros(x.shape)
    i, j = np.unravel_index(np.argmax(x), x.shape)
    mask[i, j] = x[i, j]
    return mask


@wrong("create_mask_from_window", [r"bool|dtype|tipo|True|verdader"],
       [r"bool|dtype|type|True"])
def create_mask_from_window_of_ones(x):
    mask = np.zeros_like(x)
    mask[np.unravel_index(x.argmax(), x.shape)] = 1
    return mask


@wrong("create_mask_from_window", [r"mínim|menor|min\b"],
       [r"minim|smallest|least|min\b"])
def create_mask_from_window_of_the_minimum(x):
    mask = np.zeros(x.shape, dtype=bool)
    mask[np.unravel_index(np.argmin(x), x.shape)] = True
    return mask


@wrong("create_mask_from_window",
       [r"contrari|negad|revés|invert|invers|opuest|no es el máx|!="],
       [r"contrary|negat|revers|invert|invers|opposite|other than"
        r"|not the max|turned round|!="])
def create_mask_from_window_upside_down(x):
    mask = np.ones(x.shape, dtype=bool)
    mask[np.unravel_index(np.argmax(x), x.shape)] = False
    return mask


@wrong("create_mask_from_window",
       [r"índice|posición|argmax|tupla|par "],
       [r"index|position|argmax|tuple|pair "])
def create_mask_from_window_the_position(x):
    return np.unravel_index(np.argmax(x), x.shape)


@wrong("create_mask_from_window", [r"fila|column|eje|axis"],
       [r"row|column|axis"])
def create_mask_from_window_row_by_row(x):
    mask = x == np.max(x, axis=1, keepdims=True)
    return mask


@wrong("create_mask_from_window", [r"último|últim[oa]s?\b|primer"],
       [r"last|first"])
def create_mask_from_window_the_last_tie(x):
    mask = np.zeros(x.shape, dtype=bool)
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            if x[i, j] >= x.max():
                mask[:] = False
                mask[i, j] = True
    return mask


@wrong("create_mask_from_window", *words.INPUT_CHANGED)
def create_mask_from_window_changes_the_window(x):
    i, j = np.unravel_index(np.argmax(x), x.shape)
    x[:] = 0
    x[i, j] = 1
    return x == 1


@wrong("create_mask_from_window", *words.NOT_WRITTEN)
def create_mask_from_window_stub(x):
    # tu código aquí
    raise NotImplementedError()


@wrong("distribute_value", *words.SUM_FOR_PRODUCT)
def distribute_value_by_the_sum(dz, shape):
    (n_H, n_W) = shape
    average = dz / (n_H + n_W)
    a = np.ones(shape) * average
    return a


@wrong("distribute_value",
       [r"no se (repart|divid)|(falta|sin) divid"],
       [r"not (shared|divided|spread)|(without|missing) divid"])
def distribute_value_not_divided(dz, shape):
    (n_H, n_W) = shape
    a = np.ones((n_H, n_W)) * dz
    return a


@wrong("distribute_value",
       [r"un (solo )?número|escalar|(forma es|se obtuvo) \(\)|una matriz"
        r"|un arreglo"],
       [r"a (single )?number|scalar|(shape is|got) \(\)|an array|a matrix"])
def distribute_value_only_the_average(dz, shape):
    (n_H, n_W) = shape
    average = dz / (n_H * n_W)
    return average


@wrong("distribute_value",
       [r"enter[oa]s?\b|decimal|trunca|//|hacia abajo"],
       [r"integers?\b|decimal|truncat|//|down"])
def distribute_value_whole_division(dz, shape):
    n_H, n_W = shape
    return np.full((n_H, n_W), dz // (n_H * n_W))


@wrong("distribute_value", *words.INTEGERS)
def distribute_value_of_integers(dz, shape):
    n_H, n_W = shape
    a = np.zeros((n_H, n_W), dtype=int)
    a[:] = dz / (n_H * n_W)
    return a


@wrong("distribute_value", *words.SQUARE)
def distribute_value_square_shapes_only(dz, shape):
    n = shape[0]
    return np.ones(shape) * dz / n**2


@wrong("distribute_value", [r"forma|transp|fila|column|ejes|orden"],
       [r"shape|transp|row|column|ax[ei]s|order"])
def distribute_value_transposed(dz, shape):
    (n_H, n_W) = shape
    return np.ones((n_W, n_H)) * dz / (n_H * n_W)


@wrong("distribute_value", *words.NOTHING_RETURNED)
def distribute_value_without_return(dz, shape):
    (n_H, n_W) = shape
    average = dz / (n_H * n_W)
    a = np.ones(shape) * average
    print(a)
