"""The answers that `wrong_answers` makes and that are not wrong, and why.

By chapter: (exercise, answer) -> reason. An entry whose answer does lose
marks, or is not made any more, fails the tests.
"""

EQUIVALENT = {
    "00_checks": {
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
    },
    "09_nn": {
    },
    "10_learning": {
    },
    "11_architectures": {
    },
    "12_interpret": {
    },
    "13_torch": {
    },
    "14_distributed": {
    },
    "B_images": {
    },
    "C_storage": {
    },
    "D_live": {
    },
}
