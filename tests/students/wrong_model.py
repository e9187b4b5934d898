"""Wrong parameters, passes and steps of the whole network."""
import numpy as np

from cnnbook.lab import (conv_layer_backward, conv_layer_forward,
                         fully_connected_layer_backward,
                         fully_connected_layer_forward, pool_layer_backward,
                         pool_layer_forward, simple_cnn_model, softmax)

from . import words
from .registry import wrong

CACHE = ([r"cach", r"guarda|contiene|lleva|falta|no (tiene|son)|negativ"],
         [r"cache", r"hold|contain|lack|missing|are not|negativ"])
DIVIDED_BY_M = ([r"/ ?m\b|divid|promedi|médi|imágenes|lote|\bm\b"],
                [r"/ ?m\b|divid|averag|mean|images|batch|\bm\b"])
RATE = ([r"learning_rate|tasa|ritmo|\b0\.01"],
        [r"learning_rate|rate|\b0\.01"])


@wrong("initialize_parameters",
       [r"W3", r"rellen|\bpad\b|tamaño|forma|n_H|//"],
       [r"W3", r"pad|size|shape|n_H|//"])
def initialize_parameters_as_if_pad_were_1(n_H, n_W, n_C):
    W1 = np.random.randn(3, 3, n_C, 16) * np.sqrt(2 / (9 * n_C))
    b1 = np.zeros((1, 1, 1, 16))
    n = 16 * (n_H // 2) * (n_W // 2)
    W3 = np.random.randn(n, 2) * np.sqrt(2 / n)
    b3 = np.zeros((1, 2))
    return {"W1": W1, "b1": b1, "W3": W3, "b3": b3}


@wrong("initialize_parameters", [r"W1", r"forma|orden|canal|ejes"],
       [r"W1", r"shape|order|channel|ax[ei]s"])
def initialize_parameters_filters_first(n_H, n_W, n_C):
    n = 16 * (n_H // 2 + 1) * (n_W // 2 + 1)
    return {"W1": np.random.randn(16, 3, 3, n_C) * np.sqrt(2 / (9 * n_C)),
            "b1": np.zeros((1, 1, 1, 16)),
            "W3": np.random.randn(n, 2) * np.sqrt(2 / n),
            "b3": np.zeros((1, 2))}


@wrong("initialize_parameters", [r"b1|b3|sesgo", r"forma|\(1"],
       [r"b1|b3|bias", r"shape|\(1"])
def initialize_parameters_flat_biases(n_H, n_W, n_C):
    n = 16 * (n_H // 2 + 1) * (n_W // 2 + 1)
    return {"W1": np.random.randn(3, 3, n_C, 16) * np.sqrt(2 / (9 * n_C)),
            "b1": np.zeros(16),
            "W3": np.random.randn(n, 2) * np.sqrt(2 / n),
            "b3": np.zeros(2)}


@wrong("initialize_parameters", [r"W1|W3|pesos", r"ceros?\b|\b0\b|iguales"
                                 r"|azar|simetr"],
       [r"W1|W3|weights", r"zeros?\b|\b0\b|equal|same|random|symmetr"])
def initialize_parameters_zeros(n_H, n_W, n_C):
    n = 16 * (n_H // 2 + 1) * (n_W // 2 + 1)
    return {"W1": np.zeros((3, 3, n_C, 16)), "b1": np.zeros((1, 1, 1, 16)),
            "W3": np.zeros((n, 2)), "b3": np.zeros((1, 2))}


@wrong("initialize_parameters", [r"W2|b2|W3|b3|clave|llave|falta|nombre"],
       [r"W2|b2|W3|b3|key|missing|name"])
def initialize_parameters_W2_for_W3(n_H, n_W, n_C):
    n = 16 * (n_H // 2 + 1) * (n_W // 2 + 1)
    return {"W1": np.random.randn(3, 3, n_C, 16) * np.sqrt(2 / (9 * n_C)),
            "b1": np.zeros((1, 1, 1, 16)),
            "W2": np.random.randn(n, 2) * np.sqrt(2 / n),
            "b2": np.zeros((1, 2))}


@wrong("initialize_parameters", [r"b1|b3|sesgo", r"ceros?\b|\b0\b|azar"],
       [r"b1|b3|bias", r"zeros?\b|\b0\b|random"])
def initialize_parameters_random_biases(n_H, n_W, n_C):
    n = 16 * (n_H // 2 + 1) * (n_W // 2 + 1)
    return {"W1": np.random.randn(3, 3, n_C, 16) * np.sqrt(2 / (9 * n_C)),
            "b1": np.random.randn(1, 1, 1, 16),
            "W3": np.random.randn(n, 2) * np.sqrt(2 / n),
            "b3": np.random.randn(1, 2)}


@wrong("simple_cnn_model", [r"softmax|probabilid|suma|logit"],
       [r"softmax|probabilit|sum|logit"])
def simple_cnn_model_without_softmax(image_array, parameters):
    A1, cache1 = conv_layer_forward(
        image_array, parameters["W1"], parameters["b1"],
        {"stride": 1, "pad": 2})
    A1_pool, cache2 = pool_layer_forward(A1, {"f": 2, "stride": 2})
    A2_flatten = A1_pool.reshape(A1_pool.shape[0], -1)
    Z3, cache3 = fully_connected_layer_forward(
        A2_flatten, parameters["W3"], parameters["b3"])
    return Z3, (cache1, cache2, cache3)


@wrong("simple_cnn_model",
       [r"\bpad\b|relleno de|W3|\b(columnas|columns)\b"],
       [r"\bpad\b|padding of|W3|\bcolumns\b"])
def simple_cnn_model_pad_1(image_array, parameters):
    A1, cache1 = conv_layer_forward(
        image_array, parameters["W1"], parameters["b1"],
        {"stride": 1, "pad": 1})
    A1_pool, cache2 = pool_layer_forward(A1, {"f": 2, "stride": 2})
    A2_flatten = A1_pool.reshape(A1_pool.shape[0], -1)
    Z3, cache3 = fully_connected_layer_forward(
        A2_flatten, parameters["W3"], parameters["b3"])
    return softmax(Z3), (cache1, cache2, cache3)


@wrong("simple_cnn_model",
       [r"promedi|media\b|average|máxim"],
       [r"averag|mean|maxim"])
def simple_cnn_model_average_pooling(image_array, parameters):
    A1, cache1 = conv_layer_forward(
        image_array, parameters["W1"], parameters["b1"],
        {"stride": 1, "pad": 2})
    A1_pool, cache2 = pool_layer_forward(A1, {"f": 2, "stride": 2},
                                         mode="average")
    A2_flatten = A1_pool.reshape(A1_pool.shape[0], -1)
    Z3, cache3 = fully_connected_layer_forward(
        A2_flatten, parameters["W3"], parameters["b3"])
    return softmax(Z3), (cache1, cache2, cache3)


@wrong("simple_cnn_model",
       [r"aplan|reshape|transp|orden|flatten|mezcl"],
       [r"flat|reshape|transp|order|mix"])
def simple_cnn_model_flattens_the_wrong_way(image_array, parameters):
    A1, cache1 = conv_layer_forward(
        image_array, parameters["W1"], parameters["b1"],
        {"stride": 1, "pad": 2})
    A1_pool, cache2 = pool_layer_forward(A1, {"f": 2, "stride": 2})
    A2_flatten = A1_pool.reshape(-1, A1_pool.shape[0]).T
    Z3, cache3 = fully_connected_layer_forward(
        A2_flatten, parameters["W3"], parameters["b3"])
    return softmax(Z3), (cache1, cache2, cache3)


@wrong("simple_cnn_model", *CACHE)
def simple_cnn_model_without_the_pooling_cache(image_array, parameters):
    A1, cache1 = conv_layer_forward(
        image_array, parameters["W1"], parameters["b1"],
        {"stride": 1, "pad": 2})
    A1_pool, _ = pool_layer_forward(A1, {"f": 2, "stride": 2})
    A2_flatten = A1_pool.reshape(A1_pool.shape[0], -1)
    Z3, cache3 = fully_connected_layer_forward(
        A2_flatten, parameters["W3"], parameters["b3"])
    return softmax(Z3), (cache1, cache3)


@wrong("backward_propagation", *DIVIDED_BY_M)
def backward_propagation_not_averaged(A_last, Y, caches):
    cache1, cache2, cache3 = caches
    dZ3 = A_last - Y
    dA2_flatten, dW3, db3 = fully_connected_layer_backward(dZ3, cache3)
    m, H, W, C = cache2[0].shape
    dA1_pool = dA2_flatten.reshape(m, H // 2, W // 2, C)
    dA1 = pool_layer_backward(dA1_pool, cache2)
    _, dW1, db1 = conv_layer_backward(dA1, cache1)
    return {"dA2_flatten": dA2_flatten, "dW3": dW3, "db3": db3,
            "dA1_pool": dA1_pool, "dA1": dA1, "dW1": dW1, "db1": db1}


@wrong("backward_propagation", [r"softmax|A ?\* ?\(1|A ?\(1|derivad|diagonal"
                                r"|dos veces"],
       [r"softmax|A ?\* ?\(1|A ?\(1|derivative|diagonal|twice"])
def backward_propagation_published(A_last, Y, caches):
    cache1, cache2, cache3 = caches
    m = Y.shape[0]
    dZ3 = (A_last - Y) * A_last * (1 - A_last) / m
    dA2_flatten, dW3, db3 = fully_connected_layer_backward(dZ3, cache3)
    m, H, W, C = cache2[0].shape
    dA1_pool = dA2_flatten.reshape(m, H // 2, W // 2, C)
    dA1 = pool_layer_backward(dA1_pool, cache2)
    _, dW1, db1 = conv_layer_backward(dA1, cache1)
    return {"dA2_flatten": dA2_flatten, "dW3": dW3, "db3": db3,
            "dA1_pool": dA1_pool, "dA1": dA1, "dW1": dW1, "db1": db1}


@wrong("backward_propagation", [r"signo|Y - A|opuest|revés|contrari"],
       [r"sign|Y - A|opposite|other way|revers"])
def backward_propagation_other_sign(A_last, Y, caches):
    cache1, cache2, cache3 = caches
    dZ3 = (Y - A_last) / len(Y)
    dA2_flatten, dW3, db3 = fully_connected_layer_backward(dZ3, cache3)
    m, H, W, C = cache2[0].shape
    dA1_pool = dA2_flatten.reshape(m, H // 2, W // 2, C)
    dA1 = pool_layer_backward(dA1_pool, cache2)
    _, dW1, db1 = conv_layer_backward(dA1, cache1)
    return {"dA2_flatten": dA2_flatten, "dW3": dW3, "db3": db3,
            "dA1_pool": dA1_pool, "dA1": dA1, "dW1": dW1, "db1": db1}


@wrong("backward_propagation", [r"clave|llave|falta|dA1|dA2_flatten|gradient"],
       [r"key|missing|dA1|dA2_flatten|gradient"])
def backward_propagation_only_what_is_updated(A_last, Y, caches):
    cache1, cache2, cache3 = caches
    dA2_flatten, dW3, db3 = fully_connected_layer_backward(
        (A_last - Y) / len(Y), cache3)
    m, H, W, C = cache2[0].shape
    dA1 = pool_layer_backward(dA2_flatten.reshape(m, H//2, W//2, C), cache2)
    _, dW1, db1 = conv_layer_backward(dA1, cache1)
    return {"dW3": dW3, "db3": db3, "dW1": dW1, "db1": db1}


@wrong("update_parameters", [r"signo|sum|rest|sube|ascen|aumenta|descen"],
       [r"sign|add|subtract|climb|ascen|up\b|descen"])
def update_parameters_uphill(parameters, gradients, learning_rate=0.01):
    new = {}
    for k in parameters:
        new[k] = parameters[k] + learning_rate * gradients["d" + k]
    return new


@wrong("update_parameters", *RATE)
def update_parameters_fixed_rate(parameters, gradients, learning_rate=0.01):
    learning_rate = 0.01
    return {k: parameters[k] - learning_rate * gradients["d" + k]
            for k in ("W1", "b1", "W3", "b3")}


@wrong("update_parameters", *words.INPUT_CHANGED)
def update_parameters_in_place(parameters, gradients, learning_rate=0.01):
    parameters["W1"] -= learning_rate * gradients["dW1"]
    parameters["b1"] -= learning_rate * gradients["db1"]
    parameters["W3"] -= learning_rate * gradients["dW3"]
    parameters["b3"] -= learning_rate * gradients["db3"]
    return parameters


@wrong("update_parameters",
       [r"b1|b3|sesgo",
        r"no (se )?(cambi|actualiz|mod)|igual|falta|siguen|quedan"],
       [r"b1|b3|bias", r"not (chang|updat)|unchanged|missing|same|stay|left"])
def update_parameters_forgets_the_biases(parameters, gradients,
                                         learning_rate=0.01):
    updated = dict(parameters)
    for k in "W1", "W3":
        updated[k] = parameters[k] - learning_rate * gradients["d" + k]
    return updated


@wrong("test_model", [r"100|%|porcentaje|fracci|por ciento"],
       [r"100|%|percent|fraction"])
def test_model_as_a_fraction(X_test, Y_test, parameters):
    A_last, _ = simple_cnn_model(X_test, parameters)
    y = np.argmax(Y_test, axis=1) if np.ndim(Y_test) == 2 else Y_test
    return np.mean(np.argmax(A_last, axis=1) == y)


@wrong("test_model", [r"eje|axis|fila|column|cada imagen|IndexError|forma"
                      r"|broadcast"],
       [r"axis|row|column|each image|IndexError|shape|broadcast"])
def test_model_argmax_by_columns(X_test, Y_test, parameters):
    A_last, _ = simple_cnn_model(X_test, parameters)
    predictions = np.argmax(A_last, axis=0)
    labels = np.argmax(Y_test, axis=0)
    return 100 * np.mean(predictions == labels)


@wrong("test_model", [r"(cuenta\w*|el de) (los )?(errores|fallos)|contrari"
                      r"|complement|100 ?-"],
       [r"(count\w*|of) (the )?(errors|mistakes|wrong)|contrary|opposite"
        r"|complement|100 ?-"])
def test_model_counts_the_errors(X_test, Y_test, parameters):
    A_last, _ = simple_cnn_model(X_test, parameters)
    y = np.argmax(Y_test, axis=1) if np.ndim(Y_test) == 2 else Y_test
    return 100 * np.mean(np.argmax(A_last, axis=1) != y)
