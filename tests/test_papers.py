"""The programs that repeat the papers, and what they found."""
import json
import sys
from dataclasses import replace

import numpy as np
import pytest

from cnnbook.nn import evaluate
from cnnbook.storage import load
from conftest import ROOT

sys.path[:0] = [str(ROOT / "benchmarks"), str(ROOT / "benchmarks" / "papers")]

import ablation                                             # noqa: E402
import experiment                                           # noqa: E402
import kept                                                 # noqa: E402
import reproduce                                            # noqa: E402
import wins                                                 # noqa: E402

ASIDE = 100

EXPERIMENTS = list(reproduce.EXPERIMENTS.values())
NAMES = dict(argvalues=EXPERIMENTS, ids=lambda one: one.name)
FOUND = dict(NAMES, argvalues=[
    one for one in EXPERIMENTS
    if (reproduce.FOLDER / f"{one.name}.json").exists()])


@pytest.fixture(autouse=True)
def few_aside(monkeypatch):
    monkeypatch.setattr(experiment, "ASIDE", ASIDE)


class Source:
    "Images as those of MNIST; the test set says if someone opens it."
    rng = np.random.default_rng(0)
    train = (rng.integers(0, 256, (ASIDE + 1400, 28, 28, 1), np.uint8),
             rng.integers(0, 10, ASIDE + 1400))
    opened = False
    name, source, licence, classes = "Noise", "us; read from /", "none", "abc"

    @property
    def test(self):
        self.opened = True
        return self.train[0][:300], self.train[1][:300]


def on(source, one, **changes):
    "The same experiment, with other data."
    return replace(one, source=lambda: source, **changes)


@pytest.mark.parametrize("one", **NAMES)
def test_the_settings_are_chosen_without_the_test_set(one):
    source = Source()
    learn, check = on(source, one, choose=experiment.whole).sets(0)
    assert not source.opened
    assert len(learn[0]) == 1400 and len(check[0]) == ASIDE
    seen = {image.tobytes() for image in learn[0]}
    assert not any(image.tobytes() in seen for image in check[0])
    on(source, one).sets(0, test=True)
    assert source.opened


@pytest.mark.parametrize("one", **NAMES)
def test_pytorch_takes_the_same_first_steps(one):
    pytest.importorskip("torch", reason="the peer is PyTorch: pip install "
                        "'cnnbook[torch]'")
    assert reproduce.first_losses(on(Source(), one)) < 1e-6


def recorded(one):
    return json.loads((reproduce.FOLDER / f"{one.name}.json").read_text(
        "utf-8"))


@pytest.mark.parametrize("one", **FOUND)
def test_what_was_found_belongs_to_the_program_of_now(one):
    assert recorded(one)["key"] == one.key(), (
        f"run python benchmarks/reproduce.py {one.name}")


@pytest.mark.parametrize("one", **FOUND)
def test_a_short_run_falls_among_the_recorded_ones(one, request, monkeypatch):
    "So a change of the library that spoils learning is seen."
    monkeypatch.undo()                  # as many aside as when it was run
    fixture = "first_fashion" if "fashion" in one.name else "mnist"
    source = request.getfixturevalue(fixture)
    found = reproduce.short(replace(one, source=lambda: source), 0)
    costs = list(recorded(one)["short"].values())
    margin = max(max(costs) - min(costs), 0.1 * costs[0])
    assert min(costs) - margin < found < max(costs) + margin


@pytest.mark.parametrize("program, names", [
    (wins, wins.NETWORKS), (ablation, ablation.VARIANTS)])
def test_what_was_compared_belongs_to_the_program_of_now(program, names):
    seeds = kept.read(program.FOUND, program.KEY).get("seeds", {})
    assert len(seeds) >= 3, f"run python {program.__file__}"
    assert all(set(row) == set(names) for row in seeds.values())


def test_the_weights_of_seed_0_are_kept_in_halves_with_a_card(
        tmp_path, monkeypatch):
    one = on(Source(), reproduce.EXPERIMENTS["lenet5-relu"], epochs=1)
    monkeypatch.setattr(reproduce, "FOLDER", tmp_path)
    monkeypatch.setattr(reproduce, "WEIGHTS", tmp_path / "weights")
    reproduce.reproduce(one, 1, with_peer=False, again=False)
    kept = load(tmp_path / "weights" / "lenet5-relu.safetensors")
    assert {W.dtype for W in kept["state"].values()} == {np.dtype("float16")}
    model = one.make(rng=np.random.default_rng(1))
    model.load_state_dict(kept["state"])
    X, labels = Source().test
    assert kept["card"]["accuracy"] == round(
        evaluate(model, one.prepare(X), labels)["accuracy"], 2)
    assert kept["card"]["parameters"] == 61706
    assert "/" not in kept["card"]["data"], "a path of this machine"


def test_a_run_that_was_stopped_goes_on(tmp_path, monkeypatch):
    one = on(Source(), EXPERIMENTS[0], epochs=1, batch=50)
    monkeypatch.setattr(reproduce, "FOLDER", tmp_path)
    reproduce.reproduce(one, 1, with_peer=False, again=False)
    first = (tmp_path / "lenet1989.json").read_text()
    trained = []
    monkeypatch.setattr(reproduce, "ours", lambda one, seed: (
        trained.append(seed), (np.zeros(4, int), np.arange(4), [], 1.0))[1])
    reproduce.reproduce(one, 2, with_peer=False, again=False)
    assert trained == [1]
    record = json.loads((tmp_path / "lenet1989.json").read_text())
    assert record["seeds"]["0"] == json.loads(first)["seeds"]["0"]
    assert record["seeds"]["1"]["error"] == 75
    assert record["seeds"]["1"]["wrong"] == {"1": [0, 1], "2": [0, 2],
                                              "3": [0, 3]}
    record["key"] = "of another program"
    (tmp_path / "lenet1989.json").write_text(json.dumps(record))
    reproduce.reproduce(one, 1, with_peer=False, again=False)
    assert trained == [1, 0]
