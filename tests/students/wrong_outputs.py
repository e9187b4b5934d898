"""Wrong functions of the output: labels, ReLU, softmax and the cost."""
import numpy as np

from . import words
from .registry import wrong

AXIS = ([r"eje|axis|fila|column|cada imagen|renglón"],
        [r"axis|row|column|each image"])
OVERFLOW = ([r"desbord|nan|inf|máximo|grandes|overflow"],
            [r"overflow|nan|inf|maximum|large|big"])
DIAGONAL = ([r"diagonal|jacobian|sum"], [r"diagonal|jacobian|sum"])
SIGN = ([r"signo|negativ|menos|opuest"], [r"sign|negativ|minus|opposite"])
MEAN = ([r"médi|promedi|media\b|divid|/ ?m\b|imágenes|lote"],
        [r"mean|averag|divid|/ ?m\b|images|batch"])
LABELS_ROW = ([r"\(1, ?m\)|etiquetas|ravel|aplan"],
              [r"\(1, ?m\)|labels|ravel|flat"])


@wrong("one_hot_encode", *LABELS_ROW)
def one_hot_encode_of_a_row(labels, num_classes):
    m = labels.shape[0]
    Y = np.zeros((m, num_classes))
    for i in range(m):
        Y[i, labels[i]] = 1
    return Y


@wrong("one_hot_encode", *LABELS_ROW)
def one_hot_encode_by_eye(labels, num_classes):
    return np.eye(num_classes)[labels]


@wrong("one_hot_encode",
       [r"transp|\(C, ?m\)|filas y columnas|intercambi|por columnas"],
       [r"transp|\(C, ?m\)|rows and columns|exchang|by columns"])
def one_hot_encode_transposed(labels, num_classes):
    labels = np.ravel(labels)
    Y = np.zeros((num_classes, len(labels)))
    for i in range(len(labels)):
        Y[labels[i], i] = 1
    return Y


@wrong("one_hot_encode", [r"num_classes|clases|máxim|max\b|mayor"],
       [r"num_classes|classes|maxim|max\b|largest"])
def one_hot_encode_as_many_as_seen(labels, num_classes):
    labels = np.ravel(labels)
    Y = np.zeros((labels.size, labels.max() + 1))
    Y[np.arange(labels.size), labels] = 1
    return Y


@wrong("one_hot_encode",
       [r"empieza|desde (0|1|cero|uno)|desplaz|corri|clase (anterior"
        r"|siguiente)|- ?1\b"],
       [r"start|from (0|1|zero|one)|shift|(previous|next) class|- ?1\b"
        r"|off by"])
def one_hot_encode_counts_from_1(labels, num_classes):
    labels = np.ravel(labels)
    Y = np.zeros((labels.size, num_classes))
    for i, k in enumerate(labels):
        Y[i, k - 1] = 1
    return Y


@wrong("one_hot_encode",
       [r"tod[ao]s? l[ao]s? (column|filas|imágenes)|columna entera"
        r"|cada (fila|imagen)"],
       [r"whole column|(every|all|each) (the )?(row|column|image)"])
def one_hot_encode_ones_in_the_whole_column(labels, num_classes):
    labels = np.ravel(labels)
    Y = np.zeros((labels.size, num_classes))
    Y[:, labels] = 1
    return Y


@wrong("relu", *words.FEWER_RETURNED)
def relu_without_cache(Z):
    return np.maximum(0, Z)


@wrong("relu", [r"cach|memoria",
                r"(?-i:\bZ\b)|entrada|guarda|negativ|contiene"],
       [r"cache", r"(?-i:\bZ\b)|input|hold|keep|negativ|contain"])
def relu_keeps_A(Z):
    A = np.maximum(0, Z)
    cache = A
    return A, cache


@wrong("relu", *words.INPUT_CHANGED)
def relu_in_place(Z):
    cache = Z
    Z[Z < 0] = 0
    return Z, cache


@wrong("relu", [r"máximo|un (solo )?número|maximum|elemento|forma|escalar"],
       [r"maxim|single|number|element|shape|scalar"])
def relu_of_the_maximum(Z):
    A = max(0, np.max(Z))
    return A, Z


@wrong("relu", [r"absolut"], [r"absolute"])
def relu_absolute_value(Z):
    A = np.abs(Z)
    return A, Z


@wrong("relu", [r"bool|True|máscara|\b1\b|unos|multiplic|0 y 1|derivad"],
       [r"bool|True|mask|\b1\b|ones|multipl|0 and 1|derivative"])
def relu_mask(Z):
    A = np.where(Z > 0, 1.0, 0.0)
    return A, Z


@wrong("relu", [r"positiv|mínimo|signo"], [r"positiv|minim|sign"])
def relu_of_the_other_sign(Z):
    return np.minimum(0, Z), Z


@wrong("relu_backward", [r"\b0\b|cero|>="], [r"\b0\b|zero|>="])
def relu_backward_zero_included(dA, cache):
    Z = cache
    dZ = np.array(dA, copy=True)
    dZ[Z < 0] = 0
    return dZ


@wrong("relu_backward", [r"signo (de|del) (dA|gradiente)|al gradiente"
                         r"|máscara.*(gradiente|dA)|en vez de (de )?(Z"
                         r"|cache)"],
       [r"sign of (dA|the gradient)|to the gradient|mask.*(gradient|dA)"
        r"|instead of (Z|the cache)"])
def relu_backward_mask_of_the_gradient(dA, cache):
    dZ = np.array(dA, copy=True)
    dZ[dA <= 0] = 0
    return dZ


@wrong("relu_backward", *words.INPUT_CHANGED)
def relu_backward_in_place(dA, cache):
    Z = cache
    dA[Z <= 0] = 0
    return dA


@wrong("relu_backward", [r"falta.*(dA|gradiente)|sin (el gradiente|dA)"
                         r"|no se multiplic|derivada"],
       [r"missing.*(dA|gradient)|(gradient|dA) (is )?missing"
        r"|without (the gradient|dA)|not.*multipl|derivative"])
def relu_backward_only_the_derivative(dA, cache):
    return np.where(cache > 0, 1, 0)


@wrong("relu_backward", [r"multiplic|por Z|por (?-i:A\b)|activaci"],
       [r"multipl|by Z|times|activation"])
def relu_backward_times_the_activation(dA, cache):
    Z = cache
    return dA * np.maximum(0, Z)


@wrong("softmax", *OVERFLOW)
def softmax_that_overflows(Z):
    e = np.exp(Z)
    return e / np.sum(e, axis=1, keepdims=True)


@wrong("softmax", *AXIS)
def softmax_over_everything(Z):
    e = np.exp(Z - np.max(Z))
    return e / e.sum()


@wrong("softmax", *AXIS)
def softmax_by_columns(Z):
    e = np.exp(Z - np.max(Z, axis=0, keepdims=True))
    return e / np.sum(e, axis=0, keepdims=True)


@wrong("softmax", [r"(sin|falta) (la )?exp|no.*exponencial"],
       [r"(without|missing|no) (the )?exp|exp\w* is missing|not.*exponential"])
def softmax_without_exponential(Z):
    Z = Z - Z.min(axis=1, keepdims=True) + 1e-12
    return Z / Z.sum(axis=1, keepdims=True)


@wrong("softmax", [r"divid|sum|normaliz|probabilid"],
       [r"divid|sum|normali|probabilit"])
def softmax_not_divided(Z):
    return np.exp(Z - np.max(Z, axis=1, keepdims=True))


@wrong("softmax", [r"sigmoide|cada (logit|clase)|independ|no suman"],
       [r"sigmoid|(each|every) (logit|class)|independ|not add up"])
def softmax_sigmoid(Z):
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-Z))


@wrong("softmax", [r"máximo.*(todo|lote|global|matriz)|máximo de cada fila"
                   r"|0 ?/ ?0|\bnan\b|números (son )?grandes"],
       [r"maximum.*(whole|\ball\b|batch|everything)|maximum of each row"
        r"|0 ?/ ?0|\bnan\b|numbers are large"])
def softmax_maximum_of_everything(Z):
    e = np.exp(Z - np.max(Z))
    return e / e.sum(axis=1, keepdims=True)


@wrong("softmax_backward", *DIAGONAL)
def softmax_backward_diagonal(dA, A):
    dZ = dA * A * (1 - A)
    return dZ


@wrong("softmax_backward",
       [r"(?-i:\bdA\b)|gradiente|A \(1 - A\)"],
       [r"(?-i:\bdA\b)|gradient|A \(1 - A\)"])
def softmax_backward_without_the_gradient(dA, A):
    return A * (1 - A)


@wrong("softmax_backward",
       [r"A ?- ?(Y|dA)|resta|cruzada"],
       [r"A ?- ?(Y|dA)|subtract|difference|cross"])
def softmax_backward_difference(dA, A):
    return A - dA


@wrong("softmax_backward", *AXIS)
def softmax_backward_sum_of_everything(dA, A):
    return A * (dA - np.sum(dA * A))


@wrong("softmax_backward",
       [r"factor|falta multiplic|por (?-i:A\b)"],
       [r"factor|missing.*multipl|by (?-i:A\b)|times (?-i:A\b)"])
def softmax_backward_without_the_factor(dA, A):
    return dA - np.sum(dA * A, axis=1, keepdims=True)


@wrong("compute_cost", *SIGN)
def compute_cost_without_sign(A_last, Y):
    m = Y.shape[0]
    return np.sum(Y * np.log(A_last)) / m


@wrong("compute_cost", [r"es una suma|falta divid|no se (divid|promedi)"
                        r"|/ ?m\b|sin divid|entre m\b"],
       [r"is a sum|not (divided|averaged)|missing.*divi|/ ?m\b"
        r"|without divid|by m\b"])
def compute_cost_not_averaged(A_last, Y):
    return -np.sum(Y * np.log(A_last))


@wrong("compute_cost", [r"clases|(?-i:\bC\b)|tod(os|as) (los|las) (elementos"
                        r"|celdas)"],
       [r"class|(?-i:\bC\b)|all (the )?(elements|cells)"])
def compute_cost_mean_of_all_cells(A_last, Y):
    return -np.mean(Y * np.log(A_last))


@wrong("compute_cost", [r"1 - A|binari|1 - Y|otras clases|dos términos"],
       [r"1 - A|binary|1 - Y|other class|two terms"])
def compute_cost_binary(A_last, Y):
    m = len(Y)
    eps = 1e-300
    return -np.sum(Y * np.log(A_last) + (1 - Y) * np.log(1 - A_last + eps)
                   ) / m


@wrong("compute_cost", [r"\blog|cuadrátic|cuadrado|cruzada"],
       [r"\blog|square|cross-entropy"])
def compute_cost_squares(A_last, Y):
    return np.sum((A_last - Y)**2) / len(Y)


@wrong("compute_cost", [r"base|log10|log2|natural|neperian"],
       [r"base|log10|log2|natural"])
def compute_cost_in_bits(A_last, Y):
    return -np.sum(Y * np.log2(A_last)) / len(Y)


@wrong("compute_cost", [r"un (solo )?número|escalar|(cada|por) imagen"
                        r"|(forma es|se obtuvo) \(\d+,\)"],
       [r"a (single )?number|scalar|(each|every|per) image|(shape is"
        r"|got) \(\d+,\)"])
def compute_cost_of_each_image(A_last, Y):
    return -np.sum(Y * np.log(A_last), axis=1)


@wrong("compute_cost", [r"intercambi|logaritmo de Y|log\(Y|revés|cambiad"],
       [r"exchang|swap|logarithm of Y|log\(Y|other way"])
def compute_cost_logarithm_of_Y(A_last, Y):
    return -np.sum(A_last * np.log(Y + 1e-15)) / len(Y)


@wrong("compute_cost", *words.INTEGERS)
def compute_cost_integer(A_last, Y):
    m = Y.shape[0]
    cost = -np.sum(Y * np.log(A_last)) / m
    return int(cost)
