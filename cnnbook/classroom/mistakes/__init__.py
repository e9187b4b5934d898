"""The one table of mistakes: for the tutor, and for the tests of the chapters."""
from ..._lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, {
    "entry": ["Mistake", "changed", "of", "wrong"],
    "table": ["MISTAKES", "mistakes_of"],
}, rooms=["kinds", "convolutions", "convolution2d", "padding", "layers",
          "pooling", "backprop", "masks", "relus", "costs",
          "network_layers", "lab", "networks"])
