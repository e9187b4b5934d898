"""LeNet-5 (LeCun et al., Proceedings of the IEEE 86, 1998), on MNIST.

The network, its loss and its inputs are those of the paper, but for the
drawings that its output is compared with. What differs is how it learns, with
momentum, a cosine and weight decay instead of a rate for each weight. With
--distort the images are moved, squeezed and slanted while it learns, as in
section III-B.
"""
import sys

from experiment import Experiment

from cnnbook import data
from cnnbook.architectures import lenet5, random_affine, rbf_loss
from cnnbook.nn import SGD, cosine
from cnnbook.zoo import lenet5_images


def distort(X, rng):
    return random_affine(X, rng, scale=0.1, shear=0.15, shift=1.5)


SAME = dict(source=data.mnist, make=lenet5, prepare=lenet5_images,
            loss=rbf_loss, batch=32, schedule=cosine(0.05),
            optimizer=lambda model: SGD(model, 0.003, momentum=0.9,
                                        weight_decay=0.003))
LENET_5 = Experiment("lenet5", epochs=15, **SAME)
DISTORTED = Experiment("lenet5-distorted", epochs=30, augment=distort, **SAME)

if __name__ == "__main__":
    told = "--distort" in sys.argv and not sys.argv.remove("--distort")
    (DISTORTED if told else LENET_5).command()
