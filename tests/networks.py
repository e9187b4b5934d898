"""What the tests of networks that come and go share."""
import numpy as np


def filled(model, rng):
    "The same layers, with biases and statistics that are not 0 or 1."
    for _, layer in model.walk():
        for kept in layer.params, layer.buffers:
            for key, value in kept.items():
                if key != "W":
                    noise = rng.uniform(0.5, 1.5, value.shape)
                    kept[key] = noise.astype(value.dtype)
    return model


def channels_first(A):
    "Images (m, n_H, n_W, n_C) as the others want them; others, as they are."
    return np.ascontiguousarray(np.moveaxis(A, -1, 1))


def in_onnxruntime(file, X):
    "What onnxruntime gives for a path or bytes."
    import onnxruntime
    session = onnxruntime.InferenceSession(
        file, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: X})[0]
