"""LeNet-5 as it is built today, on MNIST: ReLU, max pooling, softmax.

The network is that of architectures.lenet5_relu. The images are turned,
squeezed, slanted and moved while it learns, and its rate follows one cycle.
"""
from experiment import Experiment

from cnnbook import data
from cnnbook.architectures import lenet5_relu, random_affine
from cnnbook.nn import SGD, one_cycle
from cnnbook.zoo import unit_images


def distort(X, rng):
    return random_affine(X, rng, rotation=10, scale=0.1, shear=0.2, shift=2)


LENET_5_RELU = Experiment(
    "lenet5-relu", data.mnist, lenet5_relu, unit_images,
    optimizer=lambda model: SGD(model, 0.05, momentum=0.9, weight_decay=5e-4,
                                nesterov=True),
    epochs=20, batch=64, schedule=one_cycle(), augment=distort)

if __name__ == "__main__":
    LENET_5_RELU.command()
