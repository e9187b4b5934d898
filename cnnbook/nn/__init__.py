"""Layers that compose, losses, optimizers, schedules and training.

Each subject has its module; `from cnnbook.nn import Linear` and
`nn.Linear` find all of them, and import a module only when it is used.
"""
from .._lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, {
    "layers": ["Layer", "Linear", "Module", "Weighted", "check_layer",
               "he_weights"],
    "nonlinearities": ["LeakyReLU", "ReLU", "Softmax", "Tanh"],
    "convolutions": ["Conv2D", "ConvTranspose2D"],
    "pooling": ["AvgPool2D", "Flatten", "GlobalAvgPool", "MaxPool2D",
                "Pad2D"],
    "normalization": ["BatchNorm2D", "GroupNorm"],
    "dropout": ["Dropout", "dropout_forward"],
    "containers": ["Residual", "Sequential"],
    "losses": ["mean_squared_error", "softmax_cross_entropy"],
    "optimizers": ["Adam", "Optimizer", "SGD"],
    "schedules": ["cosine", "one_cycle", "stairs"],
    "training": ["evaluate", "fit", "outputs", "train_step"],
    "runs": ["KeepBest", "Run"],
    "table": ["Summary", "Row", "summary"],
}, rooms=["arguments"])
