"""Cats and dogs: what is recorded is the program's, and holds no picture."""
import hashlib
import importlib.util
import json
import shutil

import numpy as np
import pytest

from cnnbook.drawings import draw_animal
from conftest import ROOT

PROGRAM = ROOT / "benchmarks" / "papers" / "cats_dogs.py"
RESULTS = ROOT / "chapters" / "recorded" / "papers" / "cats_dogs.json"
PHOTOS = ROOT.parent / "shared" / "cats_dogs"
NUMPY = "published-16", "published-64", "mended-16", "mended-64", "plain"


@pytest.fixture
def program(monkeypatch):
    "The program as a module, which learns for two epochs."
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")
    monkeypatch.syspath_prepend(str(PROGRAM.parent))
    spec = importlib.util.spec_from_file_location("cats_dogs", PROGRAM)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name in ("EPOCHS", "PLAIN_EPOCHS", "LAB_EPOCHS", "PUBLISHED_EPOCHS"):
        monkeypatch.setattr(module, name, 2)
    return module


@pytest.fixture
def drawn(tmp_path):
    "A folder of drawings, laid out as that of the photographs."
    rng = np.random.default_rng(0)
    for part, count in ("train", 10), ("test", 5):
        for kind in "cats", "dogs":
            (tmp_path / part / kind).mkdir(parents=True)
            for i in range(count):
                draw_animal(kind, rng).save(tmp_path / part / kind
                                            / f"{i}.png")
    return tmp_path


def run(program, monkeypatch, *arguments):
    monkeypatch.setattr("sys.argv", ["cats_dogs.py", *map(str, arguments)])
    program.main()


def numbers_only(value):
    "True if there is nothing but numbers, and names, in a tree."
    if isinstance(value, dict):
        return all(map(numbers_only, value.values()))
    if isinstance(value, list):
        return len(value) < 200 and all(map(numbers_only, value))
    return isinstance(value, (int, float)) or len(value) < 100


def test_what_is_recorded_was_left_by_the_program_of_now(program):
    kept = json.loads(RESULTS.read_text("utf-8"))
    assert kept["key"] == hashlib.sha256(
        PROGRAM.read_bytes()).hexdigest()[:16]
    assert numbers_only(kept) and RESULTS.stat().st_size < 500_000
    for name, results in kept["runs"].items():
        assert name.removesuffix("-aside") in program.RUNS
        assert [run["seed"] for run in results] == list(range(len(results)))
        learned, measured = ((1600, 400) if name.endswith("-aside")
                             else (2000, 1000))
        for run in results:
            assert run["images"] == [learned, measured]
            assert 0 <= run["error"] <= 100 and run["seconds"] > 0
            assert run["history"][-1]["epoch"] == len(run["history"]) > 1


def test_no_photograph_is_in_the_project():
    photos = {hashlib.sha256(path.read_bytes()).digest()
              for path in PHOTOS.rglob("*.jpg")}        # none, elsewhere
    inside = [path for name in ("apps", "assets", "benchmarks", "chapters",
                                "cnnbook", "tests")
              for path in (ROOT / name).rglob("*") if path.is_file()
              and "__pycache__" not in path.parts]
    assert not [path for path in inside if path.suffix.lower() in
                {".jpg", ".jpeg", ".npy", ".npz"}]
    assert not [path for path in inside if hashlib.sha256(
        path.read_bytes()).digest() in photos]


def test_the_program_runs_on_a_folder_of_ones_own(program, drawn,
                                                  monkeypatch, capsys):
    file = drawn / "results" / "cats_dogs.json"
    for name in (*NUMPY, "better"):
        run(program, monkeypatch, drawn, "--only", name, "--seeds", 2,
            "--results", file)
    kept = json.loads(file.read_text())
    assert kept["key"] == program.KEY and numbers_only(kept)
    assert set(kept["runs"]) == {*NUMPY, "better"}
    for results in kept["runs"].values():
        assert [result["seed"] for result in results] == [0, 1]
        assert [result["images"] for result in results] == 2 * [[20, 10]]
        assert all(len(result["history"]) == 2 for result in results)
    for result in kept["runs"]["published-16"]:         # it never learns
        assert result["error"] == 50 and result["first_class"] in (0, 100)
    costs = [result["history"][-1]["cost"]
             for result in kept["runs"]["better"]]
    assert costs[0] != costs[1]                         # each its own seed
    before = capsys.readouterr()
    run(program, monkeypatch, drawn, "--only", "better", "--seeds", 2,
        "--results", file)
    assert before.out and not capsys.readouterr().out   # done already
    assert json.loads(file.read_text()) == kept


def test_choosing_never_opens_the_test_set(program, drawn, monkeypatch):
    shutil.rmtree(drawn / "test")
    file = drawn / "results.json"
    run(program, monkeypatch, drawn, "--only", "better", "--choose",
        "--seeds", 1, "--results", file)
    [result] = json.loads(file.read_text())["runs"]["better-aside"]
    assert result["images"] == [16, 4]
    assert "val_cost" in result["history"][0]
    assert result["error"] == pytest.approx(
        100 - result["history"][-1]["val_accuracy"])


def test_results_of_another_program_do_not_count(program, drawn,
                                                 monkeypatch):
    file = drawn / "results.json"
    file.write_text('{"key": "another", "runs": {"better": [{"seed": 0}]}}')
    run(program, monkeypatch, drawn, "--only", "mended-16", "--seeds", 1,
        "--results", file)
    kept = json.loads(file.read_text())
    assert kept["key"] == program.KEY and list(kept["runs"]) == ["mended-16"]


def test_pytorch_learns_the_same_from_the_same_start(program, drawn):
    pytest.importorskip("torch")
    X, labels, _ = program.read_images(drawn / "train", 64)
    ours, history = program.better(X, labels, 0)
    theirs, twin = program.in_torch(X, labels, 0)
    first, last = ([epoch["cost"] for epoch in both]
                   for both in zip(history, twin, strict=True))
    assert np.isclose(*first, rtol=1e-3)        # before any step
    assert np.isclose(*last, rtol=0.05)         # Adam enlarges the rounding
    assert ours(X).shape == theirs(X).shape == (20, 2)
