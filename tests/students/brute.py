"""A comparison of the corpus with the book, apart from the tutor's own.

Each function of the lab is run on arguments that its statement covers, drawn
here: halves and ordinary floats, ties, several images and channels, strides
and frames.
"""
from copy import deepcopy
from functools import lru_cache

import numpy as np

from cnnbook import lab

from .registry import LAB

NUMBER = 60         # cases of each function


def layer(rng, draw):
    "A convolution layer that is possible: its four arguments."
    m, C_prev, C = rng.integers(1, 4, size=3)
    f, s, p = (int(v) for v in (rng.integers(1, 4), rng.integers(1, 4),
                                rng.integers(0, 3)))
    n_H, n_W = rng.integers(f, f + 4, size=2)
    return (draw(m, n_H, n_W, C_prev), draw(f, f, C_prev, C),
            draw(1, 1, 1, C), {"stride": s, "pad": p})


def pooling(rng, draw):
    "A batch, the parameters of its pooling, and a mode."
    f, s = int(rng.integers(1, 4)), int(rng.integers(1, 4))
    (m, C), (n_H, n_W) = rng.integers(1, 4, 2), rng.integers(f, f + 4, 2)
    return (draw(m, n_H, n_W, C), {"f": f, "stride": s},
            ("max", "average")[rng.integers(2)])


def network(rng, draw):
    "Images and parameters of the small network."
    m, n_H, n_W, C = rng.integers(1, 4), *rng.integers(2, 6, 2), 3
    np.random.seed(int(rng.integers(1000)))
    parameters = lab.initialize_parameters(int(n_H), int(n_W), C)
    parameters["b3"] = draw(1, 2) / 9
    return np.abs(draw(m, n_H, n_W, C)) / 9, parameters


def one_hot(rng, m, C):
    return np.eye(C)[rng.integers(0, C, m)]


def of_signal(rng, draw):
    m = int(rng.integers(1, 5))
    n = int(rng.integers(m, m + 5))
    p = (0, 1, 2, "same", "full", "valid")[rng.integers(6)]
    return draw(n), draw(m), p, int(rng.integers(1, 4))


def of_matrix(rng, draw):
    f = rng.integers(1, 4, 2)
    n = f + rng.integers(0, 4, 2)
    p = ((0, 0), (1, 1), (2, 1), "same", "full", "valid")[rng.integers(6)]
    return draw(*n), draw(*f), p, tuple(int(v) for v in rng.integers(1, 4, 2))


def of_size(rng, draw):
    f, pad, s = (int(v) for v in rng.integers(1, 4, 3))
    return f + int(rng.integers(0, 5)), f, pad - 1, s


def of_step(rng, draw):
    shape = (*[rng.integers(1, 4)] * 2, rng.integers(1, 4))
    return draw(*shape), draw(*shape), draw(1, 1, 1)


def of_gradient(rng, draw):
    A_prev, W, b, hparameters = layer(rng, draw)
    Z, cache = LAB["conv_forward"](A_prev, W, b, hparameters)
    return draw(*Z.shape), cache


def of_layer_gradient(rng, draw):
    A, cache = lab.conv_layer_forward(*layer(rng, draw))
    return draw(*A.shape), cache


def of_pool_gradient(rng, draw):
    A_prev, hparameters, mode = pooling(rng, draw)
    A, cache = LAB["pool_forward"](A_prev, hparameters, mode)
    return draw(*A.shape), cache, mode


def of_labels(rng, draw):
    m, C = int(rng.integers(1, 5)), int(rng.integers(2, 5))
    labels = rng.integers(0, C, m)
    return labels[None] if rng.integers(2) else labels, C


def of_dense(rng, draw):
    m, n, C = rng.integers(1, 5, 3)
    return draw(m, n), draw(n, C), draw(1, C)


def of_dense_gradient(rng, draw):
    A, W, b = of_dense(rng, draw)
    return draw(len(A), W.shape[1]), (A, W, b)


def of_backward(rng, draw):
    A_last, caches = lab.simple_cnn_model(*network(rng, draw))
    return A_last, one_hot(rng, len(A_last), 2), caches


def of_update(rng, draw):
    _, parameters = network(rng, draw)
    return (parameters, {"d" + k: draw(*v.shape)
                         for k, v in parameters.items()},
            (0.01, 0.1, 0.5)[rng.integers(3)])


def of_accuracy(rng, draw):
    X, parameters = network(rng, draw)
    Y = one_hot(rng, len(X), 2)
    return X, Y if rng.integers(2) else Y.argmax(axis=1), parameters


def probabilities(rng, draw):
    m, C = rng.integers(1, 4), rng.integers(2, 5)
    return lab.softmax(draw(m, C)), one_hot(rng, m, C)


MAKE = {
    "conv1d": of_signal, "conv2d": of_matrix, "output_size": of_size,
    "zero_pad": lambda rng, draw: (draw(*rng.integers(1, 4, 4)),
                                   int(rng.integers(0, 3))),
    "conv_single_step": of_step, "conv_forward": layer,
    "pool_forward": pooling, "conv_backward": of_gradient,
    "create_mask_from_window": lambda rng, draw: (
        draw(*rng.integers(1, 4, 2)),),
    "distribute_value": lambda rng, draw: (
        float(draw(1)[0]), tuple(int(n) for n in rng.integers(1, 4, 2))),
    "pool_backward": of_pool_gradient, "one_hot_encode": of_labels,
    "relu": lambda rng, draw: (draw(*rng.integers(1, 4, 2)),),
    "relu_backward": lambda rng, draw: tuple(draw(
        2, *rng.integers(1, 4, 2))),
    "softmax": lambda rng, draw: (
        draw(*rng.integers(1, 5, 2)) * 10.0**rng.integers(0, 4),),
    "softmax_backward": lambda rng, draw: probabilities(rng, draw)[::-1],
    "compute_cost": probabilities, "conv_layer_forward": layer,
    "conv_layer_backward": of_layer_gradient, "pool_layer_forward": pooling,
    "pool_layer_backward": of_pool_gradient,
    "fully_connected_layer_forward": of_dense,
    "fully_connected_layer_backward": of_dense_gradient,
    "initialize_parameters": lambda rng, draw: tuple(
        int(n) for n in rng.integers(2, 9, 3)),
    "simple_cnn_model": network, "backward_propagation": of_backward,
    "update_parameters": of_update, "test_model": of_accuracy,
}


def drawing(rng, kind):
    "A function that draws arrays: integers with ties, halves or floats."
    def draw(*shape):
        if kind == 2:
            return rng.normal(size=shape)
        return rng.integers(-4, 5, shape) / (kind + 1)
    return draw


@lru_cache(None)
def cases(name):
    "The cases of a function: its arguments, a tuple, and its result."
    found = []
    for seed in range(NUMBER):
        rng = np.random.default_rng(seed)
        given = MAKE[name](rng, drawing(rng, seed % 3))
        np.random.seed(seed)
        found.append((given, LAB[name](*deepcopy(given)), seed))
    return found


def equal(got, expected):
    "Whether two results are equal, up to the rounding of float32."
    if isinstance(expected, dict):
        return (isinstance(got, dict) and got.keys() == expected.keys()
                and all(equal(got[k], expected[k]) for k in expected))
    if isinstance(expected, tuple):
        return (isinstance(got, (tuple, list)) and len(got) == len(expected)
                and all(map(equal, got, expected)))
    if isinstance(expected, str):
        return got == expected
    if isinstance(got, (dict, tuple)) or got is None:
        return False
    got, expected = np.asarray(got), np.asarray(expected)
    return (got.shape == expected.shape and got.dtype.kind in "fiub"
            and (got.dtype == bool or expected.dtype != bool)
            and np.allclose(got, expected, 1e-5, 1e-6, equal_nan=True))


def differs(answer, case):
    "Whether a student's function is wrong in a case, or changes its input."
    given, expected, seed = case
    mine = deepcopy(given)
    np.random.seed(seed)
    try:
        with np.errstate(all="ignore"):
            got = answer.fn(*mine)
    except Exception:           # whatever a student's function may raise
        return True
    return not (equal(got, expected) and equal(mine, given))

