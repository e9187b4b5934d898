"""The numbers of the papers, on their data, with this library and PyTorch.

    python benchmarks/reproduce.py [NAME ...] [--seeds N] [--peer] [--again]

Trains each network of `papers/` with N seeds (default: 5) on the whole
training set, opens the test set, and keeps what it finds in
chapters/recorded/papers/NAME.json, seed by seed: a run that was stopped goes
on where it was. --peer does the same with PyTorch, from the same weights, in
the same order. What was found by another program is thrown away.

The weights of seed 0 are those of cnnbook.pretrained(NAME), in halves of the
precision; the accuracy that their card tells is the one they have so.
"""
import argparse
import itertools
import sys
import time
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE / "papers")]

import kept
import lenet5
import lenet5_relu
import lenet1989
import numpy as np
import small

from cnnbook.zoo import PRETRAINED
from cnnbook.nn import outputs
from cnnbook.progress_bar import progress
from cnnbook.storage import save

EXPERIMENTS = {one.name: one for one in (
    lenet1989.LENET_1989, lenet5.LENET_5, lenet5.DISTORTED,
    lenet5_relu.LENET_5_RELU, small.MNIST, small.FASHION)}
FOLDER = kept.FOLDER
WEIGHTS = HERE.parent / "cnnbook" / "weights"


def rounded(history):
    "The curve, short enough to be kept."
    return [{key: round(row[key], 5) for key in ("cost", "accuracy")
             if key in row} for row in history]


def found(labels, predicted, history, seconds):
    """What is kept of one training.

    Of each mistake, by the number of the image: its class, and the answer.
    """
    wrong = np.flatnonzero(predicted != labels)
    return {"error": round(100 * len(wrong) / len(labels), 3),
            "wrong": {int(i): [int(labels[i]), int(predicted[i])]
                      for i in wrong},
            "history": history, "seconds": round(seconds, 1)}


def ours(experiment, seed):
    "One training with this library, and its test."
    learn, (X, labels) = experiment.sets(seed, test=True)
    start = time.perf_counter()
    model, history = experiment.run(seed, learn)
    seconds = time.perf_counter() - start
    predicted = outputs(model, X).argmax(1)
    if seed == 0 and experiment.name in PRETRAINED:
        ship(experiment, model, X, labels)
    return labels, predicted, rounded(history), seconds


def ship(experiment, model, X, labels):
    "Keep the weights for those who import the library."
    state = {name: W.astype(np.float16)
             for name, W in model.state_dict().items()}
    model.load_state_dict(state)
    source = experiment.source()
    right = outputs(model, X).argmax(1) == labels
    card = {"name": experiment.name,
            "data": f"{source.name}, {len(source.train[0])} images "
                    f"({source.source.partition(';')[0]})",
            "training": " ".join(experiment.program().__doc__.split()),
            "epochs": experiment.epochs, "seed": 0,
            "accuracy": round(100 * float(np.mean(right)), 2),
            "parameters": sum(layer.size() for _, layer in model.walk()),
            "classes": list(source.classes),
            "licence": f"Apache-2.0; that of the data: {source.licence}"}
    WEIGHTS.mkdir(exist_ok=True)
    save(WEIGHTS / f"{experiment.name}.safetensors",
         {"card": card, "state": state})


def short(experiment, seed, images=2000):
    "The cost of one epoch on few images: a change of the library shows in it."
    (X, labels), _ = experiment.sets(seed)
    _, history = replace(experiment, epochs=1).run(
        seed, (X[:images], labels[:images]), show=False)
    return round(history[0]["cost"], 5)


def peer(experiment, seed):
    "The same with PyTorch."
    import twins
    learn, (X, labels) = experiment.sets(seed, test=True)
    start, costs = time.perf_counter(), {}
    for net, epoch, cost in twins.steps(experiment, seed, learn):
        costs.setdefault(epoch, []).append(cost)
    seconds = time.perf_counter() - start
    history = [{"cost": round(float(np.mean(row)), 5)}
               for row in costs.values()]
    return labels, twins.predictions(net, X), history, seconds


def first_losses(experiment, n=20):
    "The largest difference of the first losses, in float64."
    import twins
    (X, labels), _ = experiment.sets(0)
    learn = X[:2000].astype(np.float64), labels[:2000]
    costs = [[cost for *_, cost in itertools.islice(
        steps(experiment, 0, learn, np.float64), n)]
        for steps in (twins.steps, twins.our_steps)]
    return float(np.max(np.abs(np.subtract(*costs))))


def reproduce(experiment, seeds, with_peer, again):
    "Train with each seed that is missing, and keep what is found."
    path = FOLDER / f"{experiment.name}.json"
    key = experiment.key()
    record = {"key": key, "seeds": {}, "peer": {}, "short": {}} | (
        {} if again else kept.read(path, key))
    for part, train in ("seeds", ours), ("peer", peer):
        if part == "peer" and not with_peer:
            continue
        todo = [seed for seed in range(seeds) if str(seed) not in record[part]]
        for seed in progress(todo, label=f"{experiment.name}, {part}"):
            record[part][str(seed)] = found(*train(experiment, seed))
            if part == "peer" and "first_losses" not in record:
                record["first_losses"] = first_losses(experiment)
            if part == "seeds":
                record["short"][str(seed)] = short(experiment, seed)
            kept.write(path, record, ["numpy"] + ["torch"] * (
                part == "peer"), f"made_{part}")
            print(f"{experiment.name}, seed {seed}, {part}: "
                  f"{record[part][str(seed)]['error']:.2f}% wrong, "
                  f"{record[part][str(seed)]['seconds']:.0f} s", flush=True)


def main():
    ask = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    ask.add_argument("names", nargs="*", metavar="NAME",
                     help=f"one of {', '.join(EXPERIMENTS)} (default: all)")
    ask.add_argument("--seeds", type=int, default=5)
    ask.add_argument("--peer", action="store_true")
    ask.add_argument("--again", action="store_true",
                     help="forget what was found before")
    told = ask.parse_args()
    unknown = set(told.names) - set(EXPERIMENTS)
    if unknown:
        ask.error(f"no experiment is called {', '.join(sorted(unknown))}; "
                  f"they are {', '.join(EXPERIMENTS)}")
    if told.peer and find_spec("torch") is None:
        ask.error("--peer needs PyTorch: pip install 'cnnbook[torch]'")
    for name in told.names or EXPERIMENTS:
        reproduce(EXPERIMENTS[name], told.seeds, told.peer, told.again)


if __name__ == "__main__":
    main()
