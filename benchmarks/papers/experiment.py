"""What the programs of the papers share: an experiment, and how it is run.

Settings are chosen on images that are set aside from the training set
(`--choose`). The test set is opened by `reproduce.py` only, with the
settings as they are in the committed program.
"""
import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

import numpy as np
from kept import key_of

from cnnbook.nn import evaluate, fit, softmax_cross_entropy

ASIDE = 10_000      # images of the training set to choose the settings with


def set_aside(X, labels):
    "The two parts of a training set: to learn from, and to choose with."
    order = np.random.default_rng(0).permutation(len(X))
    return [(X[part], labels[part])
            for part in (order[:-ASIDE], order[-ASIDE:])]


def whole(learn, test, rng):
    "All images, of both parts."
    return learn, test


@dataclass(frozen=True)
class Experiment:
    "A network, its data, and how it learns."
    name: str
    source: Callable                # one of `cnnbook.data`
    make: Callable                  # (rng, dtype) to a model
    prepare: Callable               # bytes (m, 28, 28, 1) to what it takes
    optimizer: Callable             # model to its optimizer
    epochs: int
    batch: int
    schedule: Callable = None
    loss: Callable = softmax_cross_entropy
    augment: Callable = None
    choose: Callable = whole        # (learn, test, rng) to what is used

    def program(self):
        "The module whose experiment this is."
        return sys.modules[self.optimizer.__module__]

    def key(self):
        "A text that changes with the program, and with this one."
        return key_of(self.program().__file__, __file__)

    def sets(self, seed, test=False):
        """What to learn from and what to measure on: two pairs.

        Without `test`, both are parts of the training set.
        """
        source = self.source()
        learn, check = ((source.train, source.test) if test
                        else set_aside(*source.train))
        rng = np.random.default_rng(1989 + seed)
        return [(self.prepare(X), labels)
                for X, labels in self.choose(learn, check, rng)]

    def run(self, seed, learn, check=None, dtype=np.float32, show=None):
        "A model that has learned from `learn`, and its history."
        rng = np.random.default_rng(seed)
        model = self.make(rng=rng, dtype=dtype)
        history = fit(model, *learn, self.optimizer(model), self.epochs,
                      self.batch, rng=rng, loss=self.loss,
                      schedule=self.schedule, augment=self.augment,
                      validation=check, show=show)
        return model, history

    def command(self):
        "Learn once and say how many are wrong: what a reader runs."
        ask = argparse.ArgumentParser(description=self.program().__doc__)
        ask.add_argument("--seed", type=int, default=0)
        ask.add_argument("--choose", action="store_true", help="measure on "
                         "a part of the training set, after each epoch")
        told = ask.parse_args()
        learn, check = self.sets(told.seed, test=not told.choose)
        start = time.perf_counter()
        model, history = self.run(told.seed, learn,
                                  check if told.choose else None)
        if told.choose:
            print("errors, %:", *(f"{100 - row['val_accuracy']:.2f}"
                                  for row in history))
        wrong = 100 - evaluate(model, *check, self.loss)["accuracy"]
        print(f"{self.name}, seed {told.seed}: {wrong:.2f}% wrong of "
              f"{len(check[0])}, {time.perf_counter() - start:.0f} s")
