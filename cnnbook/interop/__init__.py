"""Networks that come and go: PyTorch, safetensors, ONNX, several machines.

Each subject has its module; `from cnnbook.interop import to_torch` finds
all of them, and imports PyTorch only when something that needs it is used.
"""
from .._lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, {
    "flows": ["Flow"],
    "twins": ["ScaledTanh", "TorchGlobalAvgPool", "TorchResidual"],
    "pytorch": ["best_device", "from_torch", "gradients_from_torch",
                "to_torch"],
    "weights": ["load_weights", "save_weights"],
    "onnx": ["from_onnx", "to_onnx"],
    "training": ["fit_torch"],
}, rooms=["distributed"])
