"""The answers that `wrong_answers` makes and that are not wrong, and why.

By chapter: (exercise, answer) -> reason. An entry whose answer does lose
marks, or is not made any more, fails the tests.
"""

EQUIVALENT = {
    "00_checks": {
    },
    "01_conv1d": {
    },
    "02_padding": {
    },
    "03_conv2d": {
    },
    "04_conv_layer": {
    },
    "05_pooling": {
    },
    "06_backprop": {
    },
    "07_model": {
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
