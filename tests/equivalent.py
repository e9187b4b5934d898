"""The answers that `wrong_answers` makes and that are not wrong, and why.

By chapter: (exercise, answer) -> reason. An entry whose answer does lose
marks, or is not made any more, fails the tests.
"""

EQUIVALENT = {
    "00_digit": {
        ("start-ex-batch", "as_batch: results reversed"):
            "one image in reverse order is the same batch",
    },
    "01_conv1d": {
        ("conv1d-ex-polynomials",
         "multiply: if len(lowest_first[0]) <= len(lowest_first[1]):"):
            "numbers of the same length may change places",
        ("conv1d-ex-echo", "impulse_response: return hall(np.eye(2, n)[0])"):
            "the first row of np.eye is the same impulse",
    },
    "02_padding": {
    },
    "03_conv2d": {
        ("conv2d-ex-rank", "outer_products: results negated"):
            "the two signs of an outer product cancel",
        ("conv2d-ex-rank", "outer_products: results reversed"):
            "the order of a sum is free",
        ("conv2d-ex-rank",
         "outer_products: rank = np.sum(sigma > 1e-12 / sigma[0])"):
            "another tolerance for rounding",
        ("conv2d-ex-rank",
         "outer_products: rank = np.sum(sigma > 2e-12 * sigma[0])"):
            "another tolerance for rounding",
    },
    "04_conv_layer": {
    },
    "05_pooling": {
    },
    "06_backprop": {
        ("backprop-exercises-mask", "distribute_value: results reversed"):
            "all the cells of the result are equal",
    },
    "07_model": {
        ("model-exercise-output",
         "one_hot_encode: results without its fractions"):
            "zeros and ones have no fractions",
        ("model-exercise-output",
         "softmax: E = np.exp(Z - Z.max(axis=+1, keepdims=True))"):
            "the last axis of a matrix is axis 1",
        ("model-exercise-output",
         "softmax: return E / E.sum(axis=+1, keepdims=True)"):
            "the last axis of a matrix is axis 1",
        ("model-exercise-output", "softmax_backward: return A * "
         "(dA - np.sum(dA * A, axis=+1, keepdims=True))"):
            "the last axis of a matrix is axis 1",
        ("model-exercise-network", "initialize_parameters: "
         "results with zeros in its shape, part b1"):
            "the biases are zeros already",
        ("model-exercise-network", "initialize_parameters: "
         "results with zeros in its shape, part b3"):
            "the biases are zeros already",
    },
    "08_fast": {
        ("fast-exercises-im2col",
         "im2col: return windows.reshape(-2, f * f * A.shape[3])"):
            "reshape takes any negative length for the unknown one",
        ("fast-exercises-im2col",
         "conv_forward: Z = im2col(A_pad, f, s) @ W.reshape(-2, "
         "W.shape[3]) + b.ravel()"):
            "reshape takes any negative length for the unknown one",
        ("fast-exercises-im2col",
         "conv_forward: Z = Z.reshape(len(A_prev), n_H, -2, W.shape[3])"):
            "reshape takes any negative length for the unknown one",
    },
    "09_nn": {
        ("nn-ex-fold",
         "fold: return (W * scale, (beta - mean * scale).reshape(1, 1, 1, "
         "-2))"):
            "reshape takes any negative length for the unknown one",
        ("nn-ex-clip",
         "clip: factor = float(limit / length) if length >= limit else 1.0"):
            "a length equal to the limit is divided by itself",
    },
    "10_learning": {
        ("model-exercise-leak",
         "nearest: X, X_new = (X.reshape(len(X), -2), "
         "X_new.reshape(len(X_new), -1))"):
            "reshape takes any negative length for the unknown one",
        ("model-exercise-leak",
         "nearest: X, X_new = (X.reshape(len(X), -1), "
         "X_new.reshape(len(X_new), -2))"):
            "reshape takes any negative length for the unknown one",
    },
    "11_architectures": {
    },
    "12_interpret": {
        ("interpret-ex-deletion",
         "deletion: order = np.argsort(-maps.reshape(m, -2), axis=1)"):
            "reshape takes any negative length for the unknown one",
        ("interpret-ex-robust",
         "accuracies: network, X, labels = (small_network(1), "
         "X_all[1400:], y_all[1400:])"):
            "the state that is loaded replaces the initial one",
    },
    "13_torch": {
        ("torch-ex-rows",
         "dense_to_torch: by_pixel = W.reshape(-2, n_C, W.shape[1])"):
            "reshape takes any negative length for the unknown one",
        ("torch-ex-rows",
         "dense_to_torch: return by_pixel.transpose(2, 1, "
         "0).reshape(W.shape[1], -2)"):
            "reshape takes any negative length for the unknown one",
    },
    "14_distributed": {
        ("distributed-ex-nodes",
         "best_nodes: return t / p + 2 * (p - 1) / p * N / B + 2 * (p + 1) "
         "* a"):
            "the same number for any p moves no minimum",
        ("distributed-ex-nodes",
         "best_nodes: return t / p + 2 * (p - 1) / p * N / B + 2 * (p - 2) "
         "* a"):
            "the same number for any p moves no minimum",
        ("distributed-ex-nodes",
         "best_nodes: return t / p + 2 * (p - 1) / p * N / B + 2 * (p - 0) "
         "* a"):
            "the same number for any p moves no minimum",
    },
    "B_images": {
    },
    "C_storage": {
    },
    "D_live": {
    },
}
