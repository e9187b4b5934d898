"""The layers of the book, made fast with NumPy alone: the same signatures.

Each room holds one idea. `conv_forward` and `conv_backward` check, choose an
algorithm by the table of `planner`, and share its blocks among threads; a
module that offers these layers can be given to the lab: `layers=fast`.
"""
from .._lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, {
    "threads": ["number_of_threads"],
    "winograd": ["cook_toom"],
    "planner": ["choose_algorithm"],
    "layers": ["conv_forward", "conv_backward"],
    "pooling": ["pool_forward", "pool_backward"],
    "signals": ["conv1d", "conv2d"],
}, rooms=["averages", "blocks", "columns", "downwards", "fourier",
          "gradients", "infinities", "maxima", "memory", "planes",
          "products", "separable", "slices", "toeplitz", "windows"])
