"""The exercises: solutions earn their marks, and what is given does not."""
import ast
import io
import linecache
import re
from contextlib import redirect_stdout
from functools import lru_cache

import matplotlib
import nbformat
import numpy as np
import pytest

from cnnbook.press.editions import (HIDDEN, SOLVED, edition, stub, without_hidden,
                                    without_markers)
from cnnbook.classroom.marks import RESULTS
from cnnbook.press.student import exercise_cells, exercises, is_tagged
from conftest import FILES, ROOT

LANGS = "es", "en"


@lru_cache
def chapter(file, lang="es"):
    return edition(nbformat.read(ROOT / file, as_version=4), lang)


FOUND = {file: exercises(chapter(file)) for file in FILES}
CHAPTERS = [pytest.param(file, id=file.split("/")[-1].split(".")[0])
            for file in FILES if FOUND[file]]
EACH = [pytest.param(file, exercise, id=f"{param.id}: {exercise.id}")
        for param in CHAPTERS for file in param.values
        for exercise in FOUND[file]]


def run(file, change):
    """Run a chapter's exercises by themselves, each cell's source changed.

    Returns what each tests cell earned: heading id -> (earned, at stake),
    and the errors of the other cells.
    """
    matplotlib.use("agg")
    namespace, earned, errors, heading = {"__name__": "test"}, {}, [], None
    for n, cell in enumerate(exercise_cells(chapter(file))):
        if cell.cell_type == "markdown":
            found = re.match(r"### .*\{#sec-([\w-]+)", cell.source)
            heading = found[1] if found else heading
            continue
        source, name = change(cell), f"<{file}, exercise cell {n}>"
        linecache.cache[name] = len(source), None, source.splitlines(1), name
        RESULTS.clear()
        try:
            with redirect_stdout(io.StringIO()), np.errstate(all="ignore"):
                exec(compile(source, name, "exec"), namespace)
        except Exception as error:
            if not is_tagged(cell, "tests"):
                errors.append((heading, error))
        if is_tagged(cell, "tests"):
            won = sum(result[0] for result in RESULTS.values())
            earned[heading] = won
    return earned, errors


@lru_cache
def with_solutions(file):
    return run(file, lambda cell: cell.source)


@lru_cache
def with_stubs(file):
    return run(file, lambda cell: stub(cell.source, "es"))


@pytest.mark.parametrize("file, exercise", EACH)
def test_the_solution_earns_all_the_marks(file, exercise):
    earned, errors = with_solutions(file)
    assert not [e for where, e in errors if where in (None, exercise.id)]
    assert earned[exercise.id] == exercise.points > 0


@pytest.mark.parametrize("file, exercise", EACH)
def test_what_is_given_earns_nothing(file, exercise):
    earned, errors = with_stubs(file)
    assert not [e for where, e in errors if where in (None, exercise.id)]
    assert earned[exercise.id] == 0


@pytest.mark.parametrize("file, exercise", EACH)
def test_the_parts_are_all_there(file, exercise):
    code = [c for c in exercise.cells if c.cell_type == "code"]
    solutions = [c.source for c in code if is_tagged(c, "solution")]
    tests, = [c.source for c in code if is_tagged(c, "tests")]
    assert solutions and all(SOLVED.search(s) for s in solutions)
    for source in solutions:
        ast.parse(stub(source, "en"))
        assert "###" not in without_markers(source)
    shown = without_hidden(tests)
    assert "assert" in shown or "check" in shown
    assert HIDDEN.search(tests)
    ast.parse(shown)
    assert "###" not in shown
    order = [tag for c in code for tag in c.metadata.get("tags", [])]
    assert order.index("solution") < order.index("tests")


@pytest.mark.parametrize("lang, title", [("es", "Pista"), ("en", "Hint")])
@pytest.mark.parametrize("file, exercise", EACH)
def test_the_hints_unfold_one_by_one(file, exercise, lang, title):
    mine, = [e for e in exercises(chapter(file, lang)) if e.id == exercise.id]
    hints = [c.source for c in mine.cells if c.cell_type == "markdown"
             and c.source.startswith("::: {.callout-tip")]
    assert hints, "at least one hint"
    for n, hint in enumerate(hints, start=1):
        assert hint.startswith('::: {.callout-tip collapse="true"}\n'
                               f"## {title} {n}\n"), hint
        assert hint.count(":::") == 2


@pytest.mark.parametrize("file", CHAPTERS)
def test_names_are_unique(file):
    names = re.findall(r"with marks\([\d.]+, [\"']([^\"']+)[\"']\)",
                       "\n".join(c.source for e in FOUND[file]
                                 for c in e.cells if is_tagged(c, "tests")))
    assert len(names) == len(set(names)) >= len(FOUND[file])


# The chapters whose exercises are all in this form.
WHOLE = ["00_checks", "01_conv1d", "02_padding", "03_conv2d",
         "04_conv_layer", "05_pooling", "06_backprop", "07_model",
         "08_fast", "09_nn", "11_architectures", "12_interpret",
         "13_torch", "14_distributed"]


@pytest.mark.parametrize("name", WHOLE)
def test_each_chapter_has_five_or_more(name):
    file = f"chapters/{name}.ipynb"
    headings = sum(c.source.startswith("### ")
                   for c in exercise_cells(chapter(file)))
    assert len(FOUND[file]) == headings >= 5
