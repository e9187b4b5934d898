"""LeNet-5 (LeCun et al., Proceedings of the IEEE 86, 1998), on MNIST.

The network, its loss and its inputs are those of the paper. What differs is
how it learns: momentum and a cosine instead of a rate for each weight. With
--distort the images are moved, squeezed and slanted while it learns, as in
section III-B.
"""
import sys

import numpy as np
from experiment import Experiment

from cnnbook import data
from cnnbook.architectures import lenet5, random_affine, rbf_loss
from cnnbook.nn import SGD, cosine


def prepare(images):
    "Bytes, 28 x 28, to 32 x 32: -0.1 on the paper, 1.175 on the ink."
    framed = np.pad(images, ((0, 0), (2, 2), (2, 2), (0, 0)))
    return (framed / 255 * 1.275 - 0.1).astype(np.float32)


def distort(X, rng):
    return random_affine(X, rng, scale=0.1, shear=0.15, shift=1.5)


SAME = dict(source=data.mnist, make=lenet5, prepare=prepare, loss=rbf_loss,
            optimizer=lambda model: SGD(model, 0.003, momentum=0.9),
            batch=32, schedule=cosine(0.05))
LENET_5 = Experiment("lenet5", epochs=20, **SAME)
DISTORTED = Experiment("lenet5-distorted", epochs=40, augment=distort, **SAME)

if __name__ == "__main__":
    told = "--distort" in sys.argv and not sys.argv.remove("--distort")
    (DISTORTED if told else LENET_5).command()
