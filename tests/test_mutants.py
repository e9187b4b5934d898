"""The checks of the chapters are checked: do they catch wrong code?

Each mistake of the one table is put into a copy of the package, and the
chapter that teaches the code runs on it: what the chapter exports comes from
the copy, whatever modules it exports to.
"""
import io
import re
import shutil
import symtable
import sys
from contextlib import contextmanager, redirect_stdout
from functools import lru_cache

import matplotlib
import numpy as np
import nbformat
import pytest
from threadpoolctl import threadpool_limits

from cnnbook.classroom import suspects
from cnnbook.classroom.comparison import outcome, same
from cnnbook.classroom.mistakes import MISTAKES, changed, mistakes_of, wrong
from cnnbook.classroom.problems import PROBLEMS, cases
from cnnbook.classroom.suspects import mistaken
from cnnbook.press.student import exercise_cells
from conftest import ROOT

# The chapters that train end, for our purpose, where they begin to: that
# takes minutes and checks no function by itself.
STOP = {"09_nn": "digits = load_digits()", "10_learning": "def effect("}
EXPORT = re.compile(r"#\| *exporti? *([\w.]*)\n")


@lru_cache
def code_cells(chapter):
    """The code of a chapter's text, cell by cell, without what only draws.

    What it exports is imported instead.
    """
    nb = nbformat.read(ROOT / "chapters" / f"{chapter}.ipynb", as_version=4)
    text = nb.cells[:len(nb.cells) - len(exercise_cells(nb))]
    cells = [c.source for c in text if c.cell_type == "code"]
    if chapter in STOP:
        starts = [f"\n{STOP[chapter]}" in f"\n{c}" for c in cells]
        assert any(starts), f"{chapter} has no cell {STOP[chapter]!r}"
        cells = cells[:starts.index(True)]
    return [imported(c, nb.metadata.nbdev.default_exp) for c in cells
            if not re.search(r"(?m)^@figure", c)]


def imported(source, module):
    "An exported cell as an import of its names; any other cell as it is."
    found = EXPORT.match(source)
    if not found:
        return source
    names = [symbol.get_name() for symbol in symtable.symtable(
        source, "cell", "exec").get_symbols()
        if symbol.is_assigned() or symbol.is_imported()]
    return (f"from cnnbook.{found[1] or module} import {', '.join(names)}"
            if names else "")


def exported_by(package, chapter):
    "The modules of a package that hold cells of the chapter."
    mark = re.compile(rf"(?m)^# %% .*/{chapter}\.ipynb #")
    return [path for path in sorted(package.rglob("*.py"))
            if mark.search(path.read_text("utf-8"))]


def mutate(package, mistake):
    "Put the mistake into the modules that hold the code of its chapter."
    paths = exported_by(package, mistake.chapter)
    between = "\n# ---- the next module ----\n"
    text = between.join(path.read_text("utf-8") for path in paths)
    for path, new in zip(paths, changed(mistake, text).split(between),
                         strict=True):
        path.write_text(new, "utf-8")


def copied(folder):
    shutil.copytree(ROOT / "cnnbook", folder / "cnnbook",
                    ignore=shutil.ignore_patterns("__pycache__"))
    return folder / "cnnbook"


@contextmanager
def imported_from(folder):
    "Inside a `with`, `import cnnbook` finds the copy in the folder."
    def ours():
        return [name for name in sys.modules
                if name.split(".")[0] == "cnnbook"]

    before = {name: sys.modules.pop(name) for name in ours()}
    writes, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        sys.dont_write_bytecode = writes
        for name in ours():
            del sys.modules[name]
        sys.modules.update(before)


def run(chapter, folder):
    "Run a chapter on the package in the folder, in a namespace of its own."
    matplotlib.use("agg")
    namespace = {"__name__": "chapter"}
    np.random.seed(0)               # where a chapter does not choose a seed
    # small products are faster without threads that wait for one another
    with (imported_from(folder), redirect_stdout(io.StringIO()),
          np.errstate(all="ignore"), threadpool_limits(1)):
        for n, source in enumerate(code_cells(chapter)):
            exec(compile(source, f"<{chapter}, cell {n}>", "exec"), namespace)
        import cnnbook
        assert cnnbook.__file__.startswith(str(folder))


class Score:
    "Counts the mutants that are caught, and says so when pytest ends."

    def __init__(self):
        self.tried, self.caught = 0, 0

    def pytest_terminal_summary(self, terminalreporter):
        terminalreporter.write_line(
            f"{self.caught} of {self.tried} mutants caught")


@pytest.fixture(scope="module")
def score(request):
    score = Score()
    request.config.pluginmanager.register(score)
    return score


@pytest.fixture(scope="module")
def passes(tmp_path_factory):
    "Whether a chapter passes as it is: or anything would seem to be caught."
    @lru_cache
    def passes(chapter):
        folder = tmp_path_factory.mktemp(chapter)
        copied(folder)
        run(chapter, folder)
        return True
    return passes


@pytest.mark.parametrize("chapter", sorted({m.chapter for m in MISTAKES}))
def test_the_chapter_itself_passes(chapter, passes):
    assert passes(chapter)


# A check fails with AssertionError; a shape that is wrong, with the
# ValueError of the next function's door; a place that is not there, with
# IndexError. Any other error is a crash.
@pytest.mark.parametrize(
    "mistake", [pytest.param(m, id=f"{m.chapter}: {m.name}")
                for m in MISTAKES])
def test_the_mistake_is_caught(mistake, score, passes, tmp_path):
    score.tried += 1
    assert passes(mistake.chapter)
    mutate(copied(tmp_path), mistake)
    with pytest.raises((AssertionError, ValueError, IndexError)):
        run(mistake.chapter, tmp_path)
    score.caught += 1


def test_a_mistake_in_code_that_is_gone_is_an_error(tmp_path):
    stale = wrong("of old code", "y = np.convolve(x, w)", "")
    with pytest.raises(ValueError, match="Bring the mistake .* up to date"):
        mutate(copied(tmp_path), stale._replace(chapter="01_conv1d"))


def test_two_places_for_a_mistake_are_an_error(tmp_path):
    vague = wrong("somewhere", "return", "pass")
    with pytest.raises(ValueError, match="must export 'return' once"):
        mutate(copied(tmp_path), vague._replace(chapter="01_conv1d"))


def test_a_chapter_may_write_several_modules(tmp_path):
    "and two chapters may write the same one."
    for name, cells in {"one": ["04_a #11", "05_b #22"],
                        "two/three": ["04_a #33"]}.items():
        path = tmp_path / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(
            f"# %% ../chapters/{c.replace(' ', '.ipynb ')}\n"
            f"x_{c[-2:]} = {c[-2:]}\n" for c in cells))
    mistake = wrong("both change", "x_11 = 11", "x_11 = 0",
                    "x_33 = 33", "x_33 = 1")
    mutate(tmp_path, mistake._replace(chapter="04_a"))
    assert "x_11 = 0\n" in (tmp_path / "one.py").read_text()
    assert "x_22 = 22\n" in (tmp_path / "one.py").read_text()
    assert "x_33 = 1\n" in (tmp_path / "two" / "three.py").read_text()


@pytest.mark.parametrize("source, there", [
    ("#| export\ndef f(x):\n    y = [z for z in x]\n    return y",
     "from cnnbook.lab import f"),
    ("#| export fast.windows\nA, B = 1, 2\nclass C:\n    D = 3",
     "from cnnbook.fast.windows import A, B, C"),
    ("#| export\nimport numpy as np", "from cnnbook.lab import np"),
    ("x = 1", "x = 1"),
])
def test_what_is_exported_is_imported(source, there):
    got = imported(source, "lab")
    assert sorted(got.replace(",", "").split()) == sorted(
        there.replace(",", "").split())


def test_there_are_enough_of_them():
    assert len(MISTAKES) == len({(m.chapter, m.changes) for m in MISTAKES})
    assert len(MISTAKES) >= 600


# ---- what the tutor tells: each mistake is one, and another than the rest ----

@lru_cache
def outcomes(name, i):
    "What the function `name` gives with its mistake `i`, case by case."
    return [outcome(mistaken(name, i), case, name) for case in cases(name)]


def alike(one, other):
    "Whether two mistakes of a function cannot be told apart."
    return all(same(a, b) and same(b, a) for a, b in zip(one, other))


TOLD = [pytest.param(name, i, id=f"{name}: {mistake.name}")
        for name in PROBLEMS for i, mistake in enumerate(mistakes_of(name))]


@pytest.mark.filterwarnings("ignore:Mean of empty slice")
@pytest.mark.parametrize("name, i", TOLD)
def test_a_mistake_that_is_told_gives_something_else(name, i):
    got = outcomes(name, i)
    assert not all(isinstance(value, Exception) for value in got), (
        "it raises in every case")
    assert not alike(got, [case.expected for case in cases(name)]), (
        "it is right in every case")
    for j in range(i):
        assert not alike(got, outcomes(name, j)), mistakes_of(name)[j].name


def test_a_mistake_that_raises_in_every_case_is_refused(monkeypatch):
    "as one did that used a variable before it existed."
    broken = wrong("w comes too early", "vert_start = h * stride",
                   "vert_start = w * stride", conv_forward="w llega tarde")
    monkeypatch.setattr(suspects, "known_mistakes", lambda name: [broken])
    outcomes.cache_clear()
    with pytest.raises(AssertionError, match="raises in every case"):
        test_a_mistake_that_is_told_gives_something_else("conv_forward", 0)
    outcomes.cache_clear()
