"""The checks of the chapters are checked: do they catch wrong code?"""
import io
import re
from contextlib import redirect_stdout
from functools import lru_cache

import matplotlib
import numpy as np
import nbformat
import pytest
from threadpoolctl import threadpool_limits

from cnnbook.classroom.student import exercise_cells
from conftest import ROOT
from mutants import MUTANTS, Mutant

# The chapters that train end, for our purpose, where they begin to: that
# takes minutes and checks no function by itself.
STOP = {"07_model": "tried = {}", "09_nn": "digits = load_digits()"}


@lru_cache
def code_cells(chapter):
    "The code of a chapter's text, cell by cell, without what only draws."
    nb = nbformat.read(ROOT / "chapters" / f"{chapter}.ipynb", as_version=4)
    text = nb.cells[:len(nb.cells) - len(exercise_cells(nb))]
    cells = [c.source for c in text if c.cell_type == "code"]
    if chapter in STOP:
        starts = [c.startswith(STOP[chapter]) for c in cells]
        assert any(starts), f"{chapter} has no cell {STOP[chapter]!r}"
        cells = cells[:starts.index(True)]
    return [c for c in cells if not re.search(r"(?m)^@figure", c)]


def mutated(mutant):
    "The chapter's cells, with the mistake in its exported code."
    cells = list(code_cells(mutant.chapter))
    found = [(n, cell.count(mutant.right)) for n, cell in enumerate(cells)
             if cell.startswith("#| export") and mutant.right in cell]
    assert [count for _, count in found] == [1], (
        f"chapter {mutant.chapter} must export {mutant.right!r} once; "
        f"it was found in {found}. Bring the mutant up to date")
    n = found[0][0]
    cells[n] = cells[n].replace(mutant.right, mutant.wrong)
    return cells


def run(chapter, cells):
    "Run the cells in order, in a namespace of their own."
    matplotlib.use("agg")
    namespace = {"__name__": "chapter"}
    np.random.seed(0)               # where a chapter does not choose a seed
    # small products are faster without threads that wait for one another
    with (redirect_stdout(io.StringIO()), np.errstate(all="ignore"),
          threadpool_limits(1)):
        for n, source in enumerate(cells):
            exec(compile(source, f"<{chapter}, cell {n}>", "exec"), namespace)


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


@lru_cache
def passes(chapter):
    run(chapter, code_cells(chapter))
    return True


@pytest.mark.parametrize("chapter", sorted({m.chapter for m in MUTANTS}))
def test_the_chapter_itself_passes(chapter):
    assert passes(chapter)


# A check fails with AssertionError; a shape that is wrong, with the
# ValueError of the next function's door. Any other error is a crash.
@pytest.mark.parametrize(
    "mutant", [pytest.param(m, id=f"{m.chapter}: {m.mistake}")
               for m in MUTANTS])
def test_the_mistake_is_caught(mutant, score):
    score.tried += 1
    assert passes(mutant.chapter)   # or anything would seem to be caught
    cells = mutated(mutant)
    with pytest.raises((AssertionError, ValueError)):
        run(mutant.chapter, cells)
    score.caught += 1


def test_a_mutant_of_code_that_is_gone_is_an_error():
    stale = Mutant("01_conv1d", "of old code", "y = np.convolve(x, w)", "")
    with pytest.raises(AssertionError, match="Bring the mutant up to date"):
        mutated(stale)


def test_there_are_enough_of_them():
    assert len(MUTANTS) == len(set(MUTANTS)) >= 30
