"""Right functions of the whole network, in the styles students write."""
import numpy as np

from cnnbook.backprop import conv_backward, pool_backward
from cnnbook.conv_layer import conv_forward
from cnnbook.lab import (conv_layer_backward, conv_layer_forward,
                         fully_connected_layer_backward,
                         fully_connected_layer_forward, pool_layer_backward,
                         pool_layer_forward, relu_backward, simple_cnn_model,
                         softmax)
from cnnbook.pooling import pool_forward

from .registry import right


@right("one_hot_encode")
def one_hot_encode_by_loops(labels, num_classes):
    labels = np.array(labels).reshape(-1)
    Y = np.zeros((len(labels), num_classes))
    for i, k in enumerate(labels):
        Y[i, int(k)] = 1
    return Y


@right("one_hot_encode")
def one_hot_encode_by_comparing(etiquetas, clases):
    return (np.ravel(etiquetas)[:, None] == np.arange(clases)).astype(float)


@right("relu")
def relu_as_in_the_lab(Z):
    A = np.maximum(0, Z)
    cache = Z
    return A, cache


@right("relu")
def relu_by_half(x):
    return (x + np.abs(x)) / 2, x


@right("relu_backward")
def relu_backward_as_in_the_lab(dA, cache):
    Z = cache
    dZ = np.array(dA, copy=True)
    dZ[Z <= 0] = 0
    return dZ


@right("relu_backward")
def relu_backward_by_product(gradiente, Z):
    return gradiente * (Z > 0)


@right("softmax")
def softmax_by_rows(Z):
    rows = []
    for z in Z:
        e = np.exp(z - max(z))
        rows.append(e / sum(e))
    return np.array(rows)


@right("softmax")
def softmax_by_logarithms(logits):
    z = logits - logits.max(axis=1, keepdims=True)
    return np.exp(z - np.log(np.exp(z).sum(axis=1, keepdims=True)))


@right("softmax_backward")
def softmax_backward_whole_jacobian(dA, A):
    dZ = np.zeros(A.shape)
    for i in range(len(A)):
        J = np.diag(A[i]) - np.outer(A[i], A[i])
        dZ[i] = J @ dA[i]
    return dZ


@right("softmax_backward")
def softmax_backward_by_einsum(dA, A):
    return A * dA - A * np.einsum("ij,ij->i", A, dA)[:, None]


@right("compute_cost")
def compute_cost_as_in_the_lab(A_last, Y):
    m = Y.shape[0]
    cost = -1 / m * np.sum(Y * np.log(A_last + 1e-300))
    cost = np.squeeze(cost)
    return cost


@right("compute_cost")
def compute_cost_of_the_right_class(A, Y):
    p = A[np.arange(len(A)), Y.argmax(axis=1)]
    return float(np.mean(-np.log(np.clip(p, np.finfo(float).tiny, None))))


@right("conv_layer_forward")
def conv_layer_forward_by_hand(A_prev, W, b, hparameters):
    Z, conv_cache = conv_forward(A_prev, W, b, hparameters)
    A = np.where(Z > 0, Z, 0)
    return A, (conv_cache, Z)


@right("conv_layer_backward")
def conv_layer_backward_in_two_steps(dA, cache):
    conv_cache, activation_cache = cache
    dZ = relu_backward(dA, activation_cache)
    dA_prev, dW, db = conv_backward(dZ, conv_cache)
    return dA_prev, dW, db


@right("pool_layer_forward")
def pool_layer_forward_by_name(entrada, hp, modo="max"):
    return pool_forward(entrada, hp, mode=modo)


@right("pool_layer_backward")
def pool_layer_backward_by_name(dA, memoria, modo="max"):
    return pool_backward(dA, memoria, mode=modo)


@right("fully_connected_layer_forward")
def fully_connected_layer_forward_dot(A_prev, W, b):
    Z = np.dot(A_prev, W) + b
    cache = (A_prev, W, b)
    return Z, cache


@right("fully_connected_layer_backward")
def fully_connected_layer_backward_by_einsum(dZ, cache):
    A_prev, W, b = cache
    dW = np.einsum("mn,mc->nc", A_prev, dZ)
    return np.einsum("mc,nc->mn", dZ, W), dW, dZ.sum(0).reshape(1, -1)


@right("initialize_parameters")
def initialize_parameters_he(n_H, n_W, n_C):
    n = 16 * (n_H // 2 + 1) * (n_W // 2 + 1)
    W1 = np.random.randn(3, 3, n_C, 16) * np.sqrt(2. / (3 * 3 * n_C))
    b1 = np.zeros((1, 1, 1, 16))
    W3 = np.random.randn(n, 2) * np.sqrt(2. / n)
    b3 = np.zeros((1, 2))
    return {"W1": W1, "b1": b1, "W3": W3, "b3": b3}


@right("simple_cnn_model")
def simple_cnn_model_step_by_step(image_array, parameters):
    A1, cache1 = conv_layer_forward(image_array, parameters["W1"],
                                    parameters["b1"],
                                    {"stride": 1, "pad": 2})
    A1_pool, cache2 = pool_layer_forward(A1, {"f": 2, "stride": 2})
    A2_flatten = A1_pool.reshape(A1_pool.shape[0], -1)
    Z3, cache3 = fully_connected_layer_forward(A2_flatten, parameters["W3"],
                                               parameters["b3"])
    A_last = softmax(Z3)
    caches = (cache1, cache2, cache3)
    return A_last, caches


@right("backward_propagation")
def backward_propagation_step_by_step(A_last, Y, caches):
    cache1, cache2, cache3 = caches
    m = Y.shape[0]
    gradients = {}
    dZ3 = (A_last - Y) / m
    (gradients["dA2_flatten"], gradients["dW3"],
     gradients["db3"]) = fully_connected_layer_backward(dZ3, cache3)
    A1, pooled = cache2[0], gradients["dA2_flatten"]
    gradients["dA1_pool"] = pooled.reshape(
        m, A1.shape[1] // 2, A1.shape[2] // 2, A1.shape[3])
    gradients["dA1"] = pool_layer_backward(gradients["dA1_pool"], cache2)
    _, gradients["dW1"], gradients["db1"] = conv_layer_backward(
        gradients["dA1"], cache1)
    return gradients


@right("update_parameters")
def update_parameters_by_loop(parameters, gradients, learning_rate=0.01):
    updated = {}
    for key in parameters.keys():
        updated[key] = parameters[key] - learning_rate * gradients["d" + key]
    return updated


@right("update_parameters")
def update_parameters_on_copies(pesos, gradientes, tasa=0.01):
    nuevos = {k: v.copy() for k, v in pesos.items()}
    for k in nuevos:
        nuevos[k] -= tasa * gradientes["d" + k]
    return nuevos


@right("test_model")
def test_model_by_counting(X_test, Y_test, parameters):
    A_last, caches = simple_cnn_model(X_test, parameters)
    hits = 0
    for prediction, y in zip(A_last, Y_test):
        truth = np.argmax(y) if np.ndim(y) else y
        hits += int(np.argmax(prediction) == truth)
    return hits / len(X_test) * 100
