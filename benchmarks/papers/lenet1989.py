"""The network of 1989 (LeCun et al., Neural Computation 1), on MNIST.

It read zip codes. Digits of MNIST take their place, as in Karpathy's repetition
of 2022, shrunk to 16 x 16: 7,291 to learn from and 2,007 to be tested with, as
in the paper. Each seed draws its own.
"""
import numpy as np
from experiment import Experiment

from cnnbook import data
from cnnbook.architectures import lenet1989, squared_error
from cnnbook.nn import SGD, cosine

LEARN, TEST = 7291, 2007


def shrink(images, size=16):
    "Each new pixel is the average of the area that it covers."
    n = images.shape[1]
    edges = np.linspace(0, n, size + 1)
    start = np.maximum(edges[:-1, None], np.arange(n))
    end = np.minimum(edges[1:, None], np.arange(n) + 1)
    share = np.maximum(end - start, 0) * size / n           # (size, n)
    return np.einsum("ih,mhwc,jw->mijc", share, images, share, optimize=True)


def prepare(images):
    "Bytes, 28 x 28, to 16 x 16: -1 on the paper, 1 on the ink."
    return (shrink(images / 127.5) - 1).astype(np.float32)


def draw(learn, test, rng):
    "As many as in the paper, of each part."
    parts = []
    for (X, labels), n in (learn, LEARN), (test, TEST):
        chosen = rng.permutation(len(X))[:n]
        parts.append((X[chosen], labels[chosen]))
    return parts


LENET_1989 = Experiment(
    "lenet1989", data.mnist, lenet1989, prepare,
    optimizer=lambda model: SGD(model, 0.03),
    epochs=23, batch=1,                 # 23 passes, an image at a time
    schedule=cosine(0.01),
    loss=squared_error, choose=draw)

if __name__ == "__main__":
    LENET_1989.command()
