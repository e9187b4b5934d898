"""Where the convolution wins: the same number of weights, with it and without.

    python benchmarks/papers/wins.py [--seeds N]

LeNet-5 with ReLU and max pooling against a dense network of as many weights,
on MNIST: with 100 to 60,000 images to learn from; tested on digits that are
moved by 0 to 6 pixels; and with the pixels in another order, the same in all
images. Kept in chapters/recorded/papers/wins.json, seed by seed.
"""
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

import kept
import numpy as np

from cnnbook import data
from cnnbook.architectures import lenet5_relu
from cnnbook.nn import (Adam, Flatten, Linear, ReLU, Sequential, evaluate,
                        fit, one_cycle)
from cnnbook.zoo import unit_images

FOUND, KEY = kept.FOLDER / "wins.json", kept.key_of(__file__)
SIZES = 100, 300, 1000, 3000, 10_000, 60_000
MOVES = range(7)


def dense(rng, dtype=np.float32):
    "One hidden layer, with nearly as many: (m, 28, 28, 1) -> (m, 10)."
    return Sequential(Flatten(), Linear(784, 77, rng=rng, dtype=dtype),
                      ReLU(), Linear(77, 10, rng=rng, dtype=dtype))


NETWORKS = {"dense": dense, "convolutional": lenet5_relu}


def train(make, X, labels, seed, augment=None):
    "At least 2,000 steps of 64 images, and at least 10 epochs."
    rng = np.random.default_rng(seed)
    model = make(rng)
    epochs = max(10, -(-2000 * 64 // len(X)))
    fit(model, X, labels, Adam(model, 0.003), epochs, 64, rng=rng,
        schedule=one_cycle(), augment=augment, show=False)
    return model


def moved(X, far, rng):
    "Each image `far` pixels away, in one of eight directions."
    steps = np.array([(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)
                      if i or j])[rng.integers(8, size=len(X))] * far
    rows = np.arange(28) - steps[:, :1]
    cols = np.arange(28) - steps[:, 1:]
    outside = ((rows < 0) | (rows > 27))[:, :, None] | (
        (cols < 0) | (cols > 27))[:, None]
    i = np.arange(len(X))[:, None, None]
    seen = X[i, rows.clip(0, 27)[:, :, None], cols.clip(0, 27)[:, None]]
    return np.where(outside[..., None], 0, seen)


def wrong(model, X, labels):
    "The error, in %."
    return round(100 - evaluate(model, X, labels)["accuracy"], 3)


def measure(make, seed, learn, test):
    "What one network gets wrong in the three comparisons, with one seed."
    (X, labels), (X_test, labels_test) = learn, test
    rng = np.random.default_rng(seed)
    order, pixels = rng.permutation(len(X)), rng.permutation(784)
    few = {}
    for n in SIZES:
        model = train(make, X[order[:n]], labels[order[:n]], seed)
        few[n] = wrong(model, X_test, labels_test)
    far = {d: wrong(model, moved(X_test, d, rng), labels_test)
           for d in MOVES}                          # of the last: all images

    def mixed(X):
        return X.reshape(-1, 784)[:, pixels].reshape(X.shape)
    model = train(make, mixed(X), labels, seed)
    return {"images": few, "moved": far,
            "permuted": wrong(model, mixed(X_test), labels_test)}


def main():
    seeds = kept.asked_seeds(__doc__, 5)
    mnist = data.mnist()
    learn, test = [(unit_images(X), labels)
                   for X, labels in (mnist.train, mnist.test)]
    kept.by_seed(FOUND, KEY, seeds, lambda seed: {
        name: measure(make, seed, learn, test)
        for name, make in NETWORKS.items()})


if __name__ == "__main__":
    main()
