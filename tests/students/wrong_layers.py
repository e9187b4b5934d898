"""Wrong layers of the whole network."""
import numpy as np

from cnnbook.backprop import conv_backward, pool_backward
from cnnbook.conv_layer import conv_forward
from cnnbook.lab import relu, relu_backward, softmax
from cnnbook.pooling import pool_forward

from . import words
from .registry import wrong

RELU_MISSING = ([r"relu|negativ"], [r"relu|negativ"])
CACHE = ([r"cach", r"guarda|contiene|lleva|falta|no (tiene|son)|negativ"],
         [r"cache", r"hold|contain|lack|missing|are not|negativ"])
MODE = ([r"modo|mode\b|average|promedi|media\b"], [r"mode|average|mean"])
DIVIDED_BY_M = ([r"/ ?m\b|divid|promedi|médi|imágenes|lote|\bm\b"],
                [r"/ ?m\b|divid|averag|mean|images|batch|\bm\b"])


@wrong("conv_layer_forward", *RELU_MISSING)
def conv_layer_forward_without_relu(A_prev, W, b, hparameters):
    Z, conv_cache = conv_forward(A_prev, W, b, hparameters)
    cache = (conv_cache, Z)
    return Z, cache


@wrong("conv_layer_forward", *CACHE)
def conv_layer_forward_one_cache(A_prev, W, b, hparameters):
    Z, conv_cache = conv_forward(A_prev, W, b, hparameters)
    A, relu_cache = relu(Z)
    return A, conv_cache


@wrong("conv_layer_forward", *CACHE)
def conv_layer_forward_keeps_A(A_prev, W, b, hparameters):
    Z, conv_cache = conv_forward(A_prev, W, b, hparameters)
    A = np.maximum(0, Z)
    return A, (conv_cache, A)


@wrong("conv_layer_forward",
       [r"relu|tupla|devuelv|par "],
       [r"relu|tuple|return|pair "])
def conv_layer_forward_pair_of_relu(A_prev, W, b, hparameters):
    Z, conv_cache = conv_forward(A_prev, W, b, hparameters)
    A = relu(Z)
    return A, (conv_cache, Z)


@wrong("conv_layer_backward", *RELU_MISSING)
def conv_layer_backward_without_relu(dA, cache):
    conv_cache, relu_cache = cache
    dA_prev, dW, db = conv_backward(dA, conv_cache)
    return dA_prev, dW, db


@wrong("conv_layer_backward", [r"relu|cach|orden|desempaquet|tupla|forma"
                               r"|intercambi"],
       [r"relu|cache|order|unpack|tuple|shape|exchang|swap"])
def conv_layer_backward_caches_exchanged(dA, cache):
    relu_cache, conv_cache = cache
    dZ = relu_backward(dA, relu_cache)
    return conv_backward(dZ, conv_cache)


@wrong("conv_layer_backward", *words.FEWER_RETURNED)
def conv_layer_backward_only_the_input(dA, cache):
    conv_cache, relu_cache = cache
    dZ = relu_backward(dA, relu_cache)
    dA_prev, dW, db = conv_backward(dZ, conv_cache)
    return dA_prev


@wrong("pool_layer_forward", *MODE)
def pool_layer_forward_forgets_the_mode(A_prev, hparameters, mode="max"):
    A, cache = pool_forward(A_prev, hparameters)
    return A, cache


@wrong("pool_layer_forward", *RELU_MISSING)
def pool_layer_forward_with_relu(A_prev, hparameters, mode="max"):
    A, cache = pool_forward(A_prev, hparameters, mode)
    A, _ = relu(A)
    return A, cache


@wrong("pool_layer_forward", *words.FEWER_RETURNED)
def pool_layer_forward_without_cache(A_prev, hparameters, mode="max"):
    return pool_forward(A_prev, hparameters, mode)[0]


@wrong("pool_layer_backward", *MODE)
def pool_layer_backward_forgets_the_mode(dA, cache, mode="max"):
    dA_prev = pool_backward(dA, cache)
    return dA_prev


@wrong("pool_layer_backward", *MODE)
def pool_layer_backward_always_average(dA, cache, mode="max"):
    return pool_backward(dA, cache, mode="average")


@wrong("fully_connected_layer_forward", *words.BIAS_MISSING)
def fully_connected_layer_forward_no_bias(A_prev, W, b):
    Z = np.dot(A_prev, W)
    return Z, (A_prev, W, b)


@wrong("fully_connected_layer_forward", [r"transp|forma|@|orden|producto"
                                         r"|dimensi|ValueError"],
       [r"transp|shape|@|order|product|dimension|ValueError"])
def fully_connected_layer_forward_W_first(A_prev, W, b):
    Z = np.dot(W, A_prev) + b
    return Z, (A_prev, W, b)


@wrong("fully_connected_layer_forward", [r"softmax|logit|activaci|relu"],
       [r"softmax|logit|activation|relu"])
def fully_connected_layer_forward_with_softmax(A_prev, W, b):
    Z = A_prev @ W + b
    return softmax(Z), (A_prev, W, b)


@wrong("fully_connected_layer_forward", *CACHE)
def fully_connected_layer_forward_cache_with_Z(A_prev, W, b):
    Z = A_prev.dot(W) + b
    cache = (A_prev, W, b, Z)
    return Z, cache


@wrong("fully_connected_layer_backward", [r"\bdb\b|sesgo",
                                          r"forma|\(1|keepdims|ejes"],
       [r"\bdb\b|bias", r"shape|\(1|keepdims|ax[ei]s"])
def fully_connected_layer_backward_db_flat(dZ, cache):
    A_prev, W, b = cache
    dW = A_prev.T @ dZ
    db = np.sum(dZ, axis=0)
    dA_prev = dZ @ W.T
    return dA_prev, dW, db


@wrong("fully_connected_layer_backward", *DIVIDED_BY_M)
def fully_connected_layer_backward_divided_again(dZ, cache):
    A_prev, W, b = cache
    m = A_prev.shape[0]
    dW = np.dot(A_prev.T, dZ) / m
    db = np.sum(dZ, axis=0, keepdims=True) / m
    dA_prev = np.dot(dZ, W.T)
    return dA_prev, dW, db


@wrong("fully_connected_layer_backward",
       [r"\bdb\b|sesgo", r"\beje|axis|\bsum|imágenes|lote|todas las clases"],
       [r"\bdb\b|bias", r"axis|\bsum|\badds|images|batch|all the classes"])
def fully_connected_layer_backward_db_of_all(dZ, cache):
    A_prev, W, b = cache
    dW = A_prev.T @ dZ
    db = np.full(b.shape, np.sum(dZ))
    return dZ @ W.T, dW, db


@wrong("fully_connected_layer_backward", [r"orden|intercambi|dA_prev|dW"],
       [r"order|exchang|swap|dA_prev|dW"])
def fully_connected_layer_backward_other_order(dZ, cache):
    A_prev, W, b = cache
    dW = A_prev.T @ dZ
    db = np.sum(dZ, axis=0, keepdims=True)
    return dW, db, dZ @ W.T
