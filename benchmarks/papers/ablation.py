"""What each piece of a network is worth: it is taken out, and measured again.

    python benchmarks/papers/ablation.py [--seeds N]

LeNet-5 with ReLU and max pooling learns from 1,000 images of MNIST, and so do
networks that lack one of its pieces. They are measured on 10,000 others of
the training set, so no test set is opened. Each seed draws its 1,000 images
and the start of the networks. Kept in chapters/recorded/papers/ablation.json.
"""
from functools import partial

import kept
import numpy as np
import wins
from experiment import set_aside

from cnnbook import data
from cnnbook.architectures import lenet5_relu, random_affine
from cnnbook.nn import AvgPool2D, MaxPool2D, Tanh
from cnnbook.zoo import unit_images

FOUND = kept.FOLDER / "ablation.json"
KEY = kept.key_of(__file__, wins.__file__)
LEARN = 1000
ORDER = np.random.default_rng(0).permutation(28 * 28)


def distort(X, rng):
    return random_affine(X, rng, rotation=10, scale=0.1, shear=0.1, shift=2)


def mixed(X):
    "The pixels in another order, the same in all images."
    return X.reshape(-1, 28 * 28)[:, ORDER].reshape(X.shape)


def as_they_are(X, rng=None):
    return X


VARIANTS = {        # what is missing: network, augmentation, order of pixels
    "nothing": (lenet5_relu, distort, as_they_are),
    "augmentation": (lenet5_relu, as_they_are, as_they_are),
    "ReLU": (partial(lenet5_relu, activation=Tanh), distort, as_they_are),
    "maximum": (partial(lenet5_relu, pool=AvgPool2D), distort, as_they_are),
    "pooling": (partial(lenet5_relu, pool=lambda: MaxPool2D(1, 2)), distort,
                as_they_are),                       # one pixel of each four
    "neighbors": (lenet5_relu, distort, mixed),
    "convolution": (wins.dense, distort, as_they_are)}


def measure(variant, learn, check, seed):
    "The error, in %."
    make, augment, order = variant
    (X, labels), (X_check, labels_check) = learn, check
    model = wins.train(make, X, labels, seed,
                       lambda X, rng: order(augment(X, rng)))
    return wins.wrong(model, order(X_check), labels_check)


def main():
    seeds = kept.asked_seeds(__doc__, 12)
    X, labels = data.mnist().train
    (X, labels), check = set_aside(unit_images(X), labels)

    def each(seed):
        few = np.random.default_rng(seed).choice(len(X), LEARN, False)
        return {name: measure(variant, (X[few], labels[few]), check, seed)
                for name, variant in VARIANTS.items()}
    kept.by_seed(FOUND, KEY, seeds, each)


if __name__ == "__main__":
    main()
