"""The exercises: right answers earn their marks, and wrong ones do not."""
import ast
import copy
import io
import linecache
import re
import signal
import time
from contextlib import contextmanager, redirect_stdout
from functools import lru_cache

import matplotlib
import nbformat
import numpy as np
import pytest

from cnnbook.classroom import checking
from cnnbook.classroom.marks import RESULTS
from cnnbook.classroom.messages import Mismatch
from cnnbook.convolution1d import conv1d
from cnnbook.press.editions import (HIDDEN, SOLVED, edition, stub,
                                    without_hidden, without_markers)
from cnnbook.press.student import (exercise_cells, exercises, is_tagged,
                                   points_of)
from conftest import FILES, ROOT
from equivalent import EQUIVALENT
from wrong_answers import (as_array, asked_names, bound_names, equal,
                           mutants, renamed, spied, words_of,
                           wrong_functions, wrong_values)

LANGS = "es", "en"
matplotlib.use("agg")


@lru_cache
def chapter(file, lang="es"):
    return edition(nbformat.read(ROOT / file, as_version=4), lang)


def name_of(file):
    return file.split("/")[-1].split(".")[0]


FOUND = {file: exercises(chapter(file)) for file in FILES}
CHAPTERS = [pytest.param(file, id=name_of(file))
            for file in FILES if FOUND[file]]
EACH = [pytest.param(file, exercise, id=f"{param.id}: {exercise.id}")
        for param in CHAPTERS for file in param.values
        for exercise in FOUND[file]]


# Running the cells of an exercise

class TimeIsUp(BaseException):
    "It is no Exception, so that no answer and no test catches it."


@contextmanager
def at_most(seconds):
    def stop(number, frame):
        raise TimeIsUp

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@lru_cache(maxsize=None)
def compiled(source):
    name = f"<cell {hash(source)}>"
    linecache.cache[name] = len(source), None, source.splitlines(1), name
    return compile(source, name, "exec")


def execute(source, space):
    "Run a cell; returns the error that it ends with, or None."
    try:
        with redirect_stdout(io.StringIO()), np.errstate(all="ignore"):
            exec(compiled(source), space)
    except Exception as error:
        return error


def mark(source, space):
    "Run a tests cell: what it earns, and its error."
    RESULTS.clear()
    error = execute(source, space)
    return sum(won for won, _ in RESULTS.values()), error


def code_cells(cells):
    return [cell for cell in cells if cell.cell_type == "code"]


def own_copy(space, most=1_000_000):
    "The names of a space with copies of the data that may change."
    memo, copied = {}, {}
    kinds = (list, dict, tuple, set, np.ndarray, np.random.Generator,
             np.random.RandomState)
    for name, value in space.items():
        large = isinstance(value, np.ndarray) and value.nbytes > most
        if isinstance(value, kinds) and not large and name != "__builtins__":
            try:
                value = copy.deepcopy(value, memo)
            except Exception:   # what cannot be copied (a module, a lock)
                pass
        copied[name] = value
    return copied


@lru_cache(maxsize=None)
def stages(file):
    """Run a chapter's exercises with their solutions.

    Returns the names that stand before each exercise, those after its last
    cell, and the errors of the cells that mark nothing.
    """
    space, before, after, errors = {"__name__": "test"}, {}, {}, []
    first = FOUND[file][0].cells[0]
    cells = exercise_cells(chapter(file))
    for cell in code_cells(cells[:cells.index(first)]):
        errors.append(execute(cell.source, space))
    for exercise in FOUND[file]:
        before[exercise.id] = own_copy(space)
        for cell in code_cells(exercise.cells):
            error = execute(cell.source, space)
            if not is_tagged(cell, "tests"):
                errors.append(error)
        after[exercise.id] = own_copy(space)
    return before, after, list(filter(None, errors))


def attempt(file, exercise, answers=None, change=None, tests=without_hidden,
            hasty=False):
    """Run an exercise with other answers: [(earned, at stake, error)].

    `change` changes the source of the solution cells; `answers` binds names
    after them. With `hasty`, it ends at the first marks that are lost.
    """
    space = own_copy(stages(file)[0][exercise.id])
    results = []
    for cell in code_cells(exercise.cells):
        if is_tagged(cell, "tests"):
            at_stake = points_of([cell])
            earned, error = mark(tests(cell.source), space)
            results.append((earned, at_stake, error))
            if hasty and earned < at_stake:
                break
        elif is_tagged(cell, "solution"):
            source = change(cell.source) if change else cell.source
            execute(source, space)
            names = bound_names(cell.source)
            space.update({name: value for name, value in
                          (answers or {}).items() if name in names})
        else:
            execute(cell.source, space)
    return results


def whole(source):
    return source


def solution_cells(exercise):
    return [cell.source for cell in exercise.cells
            if is_tagged(cell, "solution")]


def cells_of_tests(exercise):
    return [cell for cell in exercise.cells if is_tagged(cell, "tests")]


def asked(exercise):
    return [name for source in solution_cells(exercise)
            for name in asked_names(source)]


def is_function(value):
    return callable(value) and not isinstance(value, type)


def blocks(exercise):
    "The calls of `marks` in the tests of an exercise: (cell, call)."
    return [(cell, node) for cell in cells_of_tests(exercise)
            for node in ast.walk(ast.parse(cell.source))
            if isinstance(node, ast.Call)
            and getattr(node.func, "id", None) == "marks"]


def names_in_of(call):
    of = next((k.value for k in call.keywords if k.arg == "of"), None)
    assert of is not None, "marks(...) needs of="
    of = ast.literal_eval(of)
    return re.findall(r"\w+", of) if isinstance(of, str) else list(of)


# Right answers

@pytest.mark.parametrize("tests", [whole, without_hidden])
@pytest.mark.parametrize("file, exercise", EACH)
def test_the_solution_earns_all_the_marks(file, exercise, tests):
    assert not stages(file)[2]
    results = attempt(file, exercise, tests=tests)
    assert not [error for *_, error in results if error]
    assert sum(earned for earned, *_ in results) == exercise.points > 0


@pytest.mark.parametrize("file, exercise", EACH)
def test_parameters_may_have_other_names(file, exercise):
    results = attempt(file, exercise, change=renamed, tests=whole)
    assert not [error for *_, error in results if error]
    assert sum(earned for earned, *_ in results) == exercise.points


def other_types(value):
    "The same number, list or array in the other types that say it."
    if isinstance(value, (bool, np.bool_)):
        return [np.bool_(value)]
    if isinstance(value, (int, float, np.number)):
        whole_number = value == round(value)
        return [np.float64(value)] + [np.int64(value)] * bool(whole_number)
    array = as_array(value) if isinstance(value, (
        list, tuple, np.ndarray)) else None
    return [] if array is None else [
        array, array.tolist(), tuple(array.tolist())]


@pytest.mark.parametrize("file, exercise", EACH)
def test_values_may_have_other_types(file, exercise):
    after = stages(file)[1][exercise.id]
    for name in asked(exercise):
        for value in other_types(after[name]):
            results = attempt(file, exercise, {name: value}, tests=whole)
            assert not [error for *_, error in results if error], repr(value)


# What was not written

@pytest.mark.parametrize("file, exercise", EACH)
def test_what_is_given_earns_nothing_and_is_pending(file, exercise):
    for earned, _, error in attempt(
            file, exercise, change=lambda source: stub(source, "es"),
            tests=whole):
        assert earned == 0
        assert (isinstance(error, NotImplementedError)
                or getattr(error, "pending", False)), repr(error)


@pytest.mark.parametrize("file, exercise", EACH)
def test_the_books_function_is_not_an_answer(file, exercise):
    for name in asked(exercise):
        results = attempt(file, exercise, {name: conv1d}, tests=whole)
        for (_, call), (earned, _, error) in zip(blocks(exercise), results,
                                                 strict=True):
            if name in names_in_of(call):
                assert earned == 0 and isinstance(error, Mismatch)
                assert error.pending


@pytest.mark.parametrize("file, exercise", EACH)
def test_the_answers_that_are_given_are_none(file, exercise):
    space = own_copy(stages(file)[0][exercise.id])
    for source in solution_cells(exercise):
        assert execute(stub(source, "en"), space) is None
        for name in asked_names(source):
            assert space[name] is None or callable(space[name]), name


@pytest.mark.parametrize("file", CHAPTERS)
def test_given_cells_bind_no_answer(file):
    given = [name for cell in code_cells(exercise_cells(chapter(file)))
             if not is_tagged(cell, "tests")
             and not is_tagged(cell, "solution")
             for name in bound_names(cell.source)]
    answers = [name for exercise in FOUND[file] for name in asked(exercise)]
    assert not set(given) & set(answers)


# Wrong answers

def broken_down(*args, **kwargs):
    raise ZeroDivisionError


def block_needs(exercise, names):
    "The names, and those that the solution makes from them."
    needing = set(names)
    for _ in range(3):
        for source in solution_cells(exercise):
            for node in ast.parse(source).body:
                if words_of(ast.unparse(node)) & needing:
                    needing |= set(bound_names(ast.unparse(node)))
    return needing


@pytest.mark.parametrize("file, exercise", EACH)
def test_a_block_that_fails_takes_no_other_with_it(file, exercise):
    for n, (_, call) in enumerate(blocks(exercise)):
        spoilt = block_needs(exercise, names_in_of(call))
        results = attempt(file, exercise, dict.fromkeys(
            names_in_of(call), broken_down), tests=whole)
        assert results[n][0] == 0
        for (_, other), (earned, at_stake, error) in zip(
                blocks(exercise), results, strict=True):
            if not spoilt & set(names_in_of(other)):
                assert earned == at_stake, repr(error)


def wrong_answers(file, exercise):
    "Pairs: the name of a wrong answer, the keywords of `attempt` for it."
    after = stages(file)[1][exercise.id]
    heard = {name: [] for name in asked(exercise)
             if is_function(after[name])}
    attempt(file, exercise, {name: spied(after[name], heard[name])
                             for name in heard}, tests=whole)
    for name in asked(exercise):
        right = after[name]
        wrong = (wrong_functions(right, heard[name]) if name in heard
                 else [] if callable(right) else wrong_values(right))
        for how, value in [*wrong, *neighbours(file, exercise, name)]:
            yield f"{name}: {how}", {"answers": {name: value}}
    for source in solution_cells(exercise):
        for how, text in mutants(source):
            yield how, {"change": lambda given, source=source, text=text:
                        text if given == source else given}


def neighbours(file, exercise, name):
    "The answers of this kind that this exercise or one beside it asks for."
    ids = [e.id for e in FOUND[file]]
    here = ids.index(exercise.id)
    right = stages(file)[1][exercise.id][name]
    for other in FOUND[file][max(here - 1, 0):here + 2]:
        space = stages(file)[1][other.id]
        for neighbour in asked(other):
            value = space[neighbour]
            if (callable(value) == callable(right)
                    and not equal(value, right)):
                yield f"the answer {neighbour}", value


@pytest.fixture
def no_diagnosis(monkeypatch):
    "A wrong answer is only refused here: to find out why takes time."
    monkeypatch.setattr(checking, "_mismatch",
                        lambda *args: AssertionError("it differs"))


# It trains two networks for each answer: one out of four is tried, and those
# of the table.
SLOW = {"interpret-ex-robust": 4}


def kept_answers(file, exercise):
    """The wrong answers that keep all the marks, and how many there are.

    What the visible tests let pass, the hidden ones have to let pass.
    """
    start = time.perf_counter()
    attempt(file, exercise)
    limit = 2 + 5 * (time.perf_counter() - start)
    kept, seen, tried = [], {}, 0
    for how, answer in wrong_answers(file, exercise):
        seen[how] = seen.get(how, 0) + 1
        how = how if seen[how] == 1 else f"{how} ({seen[how]})"
        known = (exercise.id, how) in EQUIVALENT[name_of(file)]
        if sum(seen.values()) % SLOW.get(exercise.id, 1) and not known:
            continue
        tried += 1
        try:
            with at_most(limit):
                results = attempt(file, exercise, **answer, hasty=True)
        except TimeIsUp:
            continue
        if sum(earned for earned, *_ in results) == exercise.points:
            kept.append(how)
            results = attempt(file, exercise, **answer, tests=whole)
            assert not [error for *_, error in results if error], how
    return kept, tried


@pytest.mark.parametrize("file, exercise", EACH)
def test_wrong_answers_lose_marks(file, exercise, no_diagnosis):
    kept, count = kept_answers(file, exercise)
    assert count >= 20
    assert sorted(kept) == sorted(
        how for where, how in EQUIVALENT[name_of(file)]
        if where == exercise.id)


@pytest.mark.parametrize("file", CHAPTERS)
def test_equivalent_answers_are_of_exercises(file):
    table = EQUIVALENT[name_of(file)]
    assert {where for where, _ in table} <= {e.id for e in FOUND[file]}
    assert all(len(reason.split()) >= 3 for reason in table.values())


# Their form

@pytest.mark.parametrize("file, exercise", EACH)
def test_the_parts_are_all_there(file, exercise):
    code = code_cells(exercise.cells)
    assert all(SOLVED.search(s) for s in solution_cells(exercise))
    for source in solution_cells(exercise):
        ast.parse(stub(source, "en"))
        assert "###" not in without_markers(source)
    for cell in cells_of_tests(exercise):
        shown = without_hidden(cell.source)
        assert "assert" in shown or "check" in shown
        ast.parse(shown)
        assert "###" not in shown
        if re.search(r"\bcheck_(value|hash|scalar)\(", shown):
            assert HIDDEN.search(cell.source), "the hash is to be proved"
    order = [tag for c in code for tag in c.metadata.get("tags", [])]
    assert order.index("solution") < order.index("tests")


@pytest.mark.parametrize("file, exercise", EACH)
def test_one_block_of_marks_in_each_cell(file, exercise):
    for cell in cells_of_tests(exercise):
        withs = [node for node in ast.parse(cell.source).body
                 if isinstance(node, ast.With)]
        mine = [call for owner, call in blocks(exercise) if owner is cell]
        assert len(mine) == 1, cell.source
        assert [w.items[0].context_expr.func.id for w in withs] == ["marks"]
    covered = [name for _, call in blocks(exercise)
               for name in names_in_of(call)]
    assert set(covered) == set(asked(exercise))


@pytest.mark.parametrize("file, exercise", EACH)
def test_the_visible_tests_give_no_value_away(file, exercise):
    after = stages(file)[1][exercise.id]
    values = {name for name in asked(exercise) if not callable(after[name])}
    for cell in cells_of_tests(exercise):
        for node in ast.walk(ast.parse(without_hidden(cell.source))):
            if isinstance(node, ast.Compare):
                sides = [node.left, *node.comparators]
                named = [side.id for side in sides
                         if isinstance(side, ast.Name)]
                assert not (set(named) & values and any(
                    is_literal(side) for side in sides)), ast.unparse(node)


def is_literal(node):
    try:
        return as_array(ast.literal_eval(node)) is not None
    except ValueError:
        return False


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


def label_of(call):
    "The two names of a block of marks, by default what its `of` says."
    texts = [ast.literal_eval(node) for node in call.args[1:]]
    return (texts * 2)[:2] if texts else [", ".join(names_in_of(call))] * 2


@pytest.mark.parametrize("file", CHAPTERS)
def test_labels_are_unique_and_in_both_languages(file):
    spanish, english = [], []
    for exercise in FOUND[file]:
        after = stages(file)[1][exercise.id]
        for _, call in blocks(exercise):
            one, two = label_of(call)
            spanish.append(one)
            english.append(two)
            functions = [name for name in asked(exercise)
                         if callable(after[name])]
            assert len(call.args) == 3 or all(
                name in functions for name in re.findall(r"\w+", one)), one
    assert len(set(spanish)) == len(spanish)
    assert len(set(english)) == len(english)


STEPS = {"Fácil": "Easy", "Medio": "Medium", "Difícil": "Hard"}
TITLED = re.compile(r"(?m)^### [^\n]*\{#(sec-[\w-]+)[^\n]*\}\n\n"
                    r"(?:\*(\w+) · (\d+) min\*(?:\n\n|\Z))?")


def levels(file, lang):
    "The heading of each exercise, its difficulty and its minutes."
    return [(found[1], found[2], found[3])
            for cell in exercise_cells(chapter(file, lang))
            if cell.cell_type == "markdown"
            for found in TITLED.finditer(cell.source)]


@pytest.mark.parametrize("file", [
    pytest.param(file, id=name_of(file)) for file in FILES
    if "making" not in file and exercise_cells(chapter(file))])
def test_exercises_carry_their_difficulty_and_time(file):
    spanish, english = levels(file, "es"), levels(file, "en")
    assert spanish
    for where, step, minutes in spanish:
        assert step in STEPS, where
        assert 1 <= int(minutes) <= 240
    assert english == [(where, STEPS[step], minutes)
                       for where, step, minutes in spanish]


# The chapters whose exercises are all in this form.
WHOLE = ["00_digit", "01_conv1d", "02_padding", "03_conv2d",
         "04_conv_layer", "05_pooling", "06_backprop", "07_model",
         "08_fast", "09_nn", "11_architectures", "12_interpret",
         "13_torch", "14_distributed"]


@pytest.mark.parametrize("name", WHOLE)
def test_each_chapter_has_five_or_more(name):
    file = f"chapters/{name}.ipynb"
    headings = sum(c.source.startswith("### ")
                   for c in exercise_cells(chapter(file)))
    assert len(FOUND[file]) == headings >= 5
