"""What `cnnbook.classroom.marks` tells a student, in either language."""
import linecache
import re
import subprocess
import sys
from functools import partial
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnbook.classroom import marks as module
from cnnbook.classroom import messages
from cnnbook.classroom.fingerprints import array_hash, value_hash
from cnnbook.classroom.guard import called
from cnnbook.classroom.marks import (RESULTS, check, check_hash, check_scalar,
                                     check_value, check_vectorised, marks,
                                     show_marks)
from cnnbook.classroom.messages import Mismatch
from cnnbook.classroom.mistakes import MISTAKES, mistakes_of, table, wrong
from cnnbook.classroom.problems import PROBLEMS, reference
from cnnbook.classroom.suspects import mistaken
from cnnbook.classroom.vectorised import loops_in
from cnnbook.conv_layer import conv_forward
from cnnbook.nn import Linear


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    RESULTS.clear()
    monkeypatch.setenv("CNNBOOK_LANG", "en")


def spanish(es, en):
    return es


def english(es, en):
    return en


# ---- marks and their summary ----

def test_a_tick_or_a_cross_in_each_language(capsys, monkeypatch):
    with marks(5, "one"):
        assert True
    with pytest.raises(AssertionError), marks(2.5, "two"):
        assert 1 + 1 == 3, "arithmetic"
    monkeypatch.setenv("CNNBOOK_LANG", "es")
    with pytest.raises(ZeroDivisionError), marks(1, "three"):
        1 / 0
    out = capsys.readouterr().out
    assert "✓ 5/5 marks · one" in out
    assert "✗ 0/2.5 marks · two\narithmetic" in out
    assert "✗ 0/1 puntos · three\nSe lanza ZeroDivisionError en la línea" in out


def test_an_assert_without_message_shows_its_line(capsys):
    source = "with marks(1):\n    assert 2 * 2 == 5\n"
    linecache.cache["<cell>"] = len(source), None, source.split("\n"), ""
    with pytest.raises(AssertionError):     # not the rewritten ones of pytest
        exec(compile(source, "<cell>", "exec"), {"marks": marks})
    assert "assert 2 * 2 == 5" in capsys.readouterr().out


def test_running_again_replaces_the_result():
    for attempt in range(3):
        with pytest.raises(AssertionError) if attempt < 2 else marks(1, "x"):
            with marks(4, "a"):
                assert attempt == 2
    assert RESULTS["a"] == (4, 4)


def test_exercises_without_a_name_are_told_apart(capsys):
    for _ in range(2):
        with marks(5):
            pass
        with marks(3):
            pass
    assert sorted(RESULTS.values()) == [(3, 3), (5, 5)]
    show_marks()
    assert re.search(r"Total +8/8", capsys.readouterr().out)


def test_ctrl_c_is_not_a_wrong_answer():
    with pytest.raises(KeyboardInterrupt), marks(5, "a"):
        raise KeyboardInterrupt
    assert RESULTS == {}


@pytest.mark.parametrize("points", [0, -1, float("nan"), float("inf"), True,
                                    "5", None])
def test_impossible_points_are_refused(points):
    with pytest.raises((TypeError, ValueError), match="points must be"):
        marks(points)


class Tags(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.tags = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))


def test_the_html_is_accessible(monkeypatch):
    shown = []
    monkeypatch.setattr(module, "show", lambda say: shown.append(
        say(spanish)[1]))
    with marks(5, "<b>"):
        pass
    show_marks(total=9)
    result, table = (Tags(html).tags for html in shown)
    assert ("role", "status") in result[0][1].items()
    assert ("span", {"aria-hidden": "true"}) in result
    assert "&lt;b&gt;" in shown[0] and "<b>" not in shown[0]
    assert "5/5 puntos" in shown[0]         # words, not only a color
    tags = [tag for tag, _ in table]
    assert {"table", "caption", "thead", "tbody"} <= set(tags)
    scopes = [a.get("scope") for tag, a in table if tag == "th"]
    assert scopes == ["col", "col", "row", "row"] and "5/9" in shown[1]


def test_in_a_notebook_it_displays_each_language(monkeypatch):
    from IPython.testing.globalipapp import start_ipython
    from IPython.utils.capture import capture_output
    start_ipython()
    monkeypatch.setenv("CNNBOOK_LANG", "es,en")
    monkeypatch.setattr(messages, "_in_notebook", lambda: True)
    with capture_output() as captured, marks(1, "a"):
        pass
    spoken = [o.metadata["lang"] for o in captured.outputs]
    assert spoken == ["es", "en"]
    assert "puntos" in captured.outputs[0].data["text/html"]
    assert "marks" in captured.outputs[1].data["text/plain"]


# ---- what the student defined ----

def block(source, space):
    "Run a tests cell in a notebook's namespace, as Jupyter would."
    name = f"<tests {len(linecache.cache)}>"
    linecache.cache[name] = len(source), None, source.splitlines(1), name
    exec(compile(source, name, "exec"), space)


def notebook(**names):
    return {"marks": marks, "np": np, "check": check,
            "check_value": check_value, **names}


ONE = 'with marks(2, of="area"):\n    assert area([2, 3]) == 6\n'


@pytest.mark.parametrize("names, told", [
    ({}, "`area` is not written yet"),
    ({"area": None}, "`area` is not written yet"),
    ({"area": conv_forward}, "`area` is the book's function"),
    ({"area": partial(partial(conv_forward), b=0)}, "is the book's function"),
    ({"area": Linear(2, 3, rng=np.random.default_rng(0))}, "is the book's"),
])
def test_what_was_not_written_is_not_marked(names, told, capsys):
    space = notebook(**names)
    with pytest.raises(Mismatch) as caught:
        block(ONE, space)
    out = capsys.readouterr().out
    assert caught.value.pending and RESULTS["area"] == (0, 2)
    assert out.startswith("○ 0/2 marks · area\n") and told in out
    assert "✗" not in out


def test_a_stub_is_pending_and_not_wrong(capsys, monkeypatch):
    def area(sides):
        raise NotImplementedError
    monkeypatch.setenv("CNNBOOK_LANG", "es,en")
    with pytest.raises(NotImplementedError):
        block(ONE, notebook(area=area))
    out = capsys.readouterr().out
    assert "○ 0/2 puntos · area\nTodavía no está escrito." in out
    assert "○ 0/2 marks · area\nIt is not written yet." in out


def test_of_takes_a_text_or_a_list():
    assert marks(1, of="full, same valid").of == ["full", "same", "valid"]
    assert marks(1, of=["full", "same"]).of == ["full", "same"]
    assert marks(1, of="full, same").english == "full, same"


def test_a_label_has_its_language(capsys, monkeypatch):
    monkeypatch.setenv("CNNBOOK_LANG", "es,en")
    with marks(2, "a mano", "by hand"):
        pass
    show_marks()
    out = capsys.readouterr().out
    assert "✓ 2/2 puntos · a mano" in out and "✓ 2/2 marks · by hand" in out
    es, en = out.split("Exercise")
    assert "a mano  " in es and "by hand" in en and "a mano" not in en
    assert RESULTS == {"by hand": (2, 2)}


def test_a_function_cannot_change_what_it_is_compared_with(capsys):
    def double(x):
        x *= 0
        return x
    source = """
x = np.array([1., 2])
with marks(2, of="double"):
    assert np.array_equal(double(x), 2 * x)
"""
    space = notebook(double=double)
    with pytest.raises(Mismatch):
        block(source, space)
    assert space["x"].tolist() == [1, 2] and space["double"] is double
    assert "changes its input `x`" in capsys.readouterr().out
    assert RESULTS["double"] == (0, 2)


@pytest.mark.parametrize("change", [
    lambda x: x[0].__setitem__(0, 5), lambda x: x[1].append(3),
    lambda x: x[2].update(b=1), lambda x: x[2]["a"].fill(9)])
def test_a_change_is_seen_wherever_it_is(change):
    given = (np.zeros(2), [1, 2], {"a": np.ones(1)})
    result, changed = called(change, [given])
    assert changed and given[0][0] == 0 and given[1] == [1, 2]
    assert list(given[2]) == ["a"] and given[2]["a"][0] == 1


def test_an_input_that_stays_is_no_change():
    nan = np.array([np.nan, -0.0])
    assert called(lambda x, k: x, [nan, {"s": 1}])[1] == []
    assert called(lambda *, x: x.sort(), [], {"x": [2, 1]})[1] == ["x"]


@pytest.mark.parametrize("error, told", [
    (Mismatch(lambda word: ("x", "x"), part=1), "RuntimeError"),
    (StopIteration(), "RuntimeError"), (KeyError("stride"), "KeyError")])
def test_an_error_of_the_student_cannot_pass_for_one_of_ours(
        error, told, capsys):
    def area(sides):
        raise error
    source = """
with marks(2, of="area"):
    assert all(map(area, [[1, 2]]))
"""
    with pytest.raises((RuntimeError, KeyError)):
        block(source, notebook(area=area))
    assert RESULTS["area"] == (0, 2)
    assert told in capsys.readouterr().out


def test_a_guard_shows_what_it_holds():
    class Scale:
        factor = 3

        def __call__(self, x):
            return self.factor * x
    source = """
with marks(2, of="scale"):
    assert scale(2) == 6 and scale.factor == 3
"""
    block(source, notebook(scale=Scale()))
    assert RESULTS["scale"] == (2, 2)


def test_what_is_printed_does_not_flood_the_report(capsys):
    def area(sides):
        for i in range(300):
            print("row", i)
        return 5
    with pytest.raises(AssertionError):
        block(ONE, notebook(area=area))
    out = capsys.readouterr().out
    assert "It printed (300 lines):\nrow 0\n" in out
    assert out.count("row") == 5


def test_the_function_itself_comes_back_after_the_tests():
    def area(sides):
        return 6
    space = notebook(area=area)
    block(ONE, space)
    assert space["area"] is area and RESULTS["area"] == (2, 2)


def test_part_of_the_marks_is_shown_as_such(capsys):
    def fails():
        raise Mismatch(lambda word: ("half", "<p>half</p>"), part=0.5)
    with pytest.raises(Mismatch), marks(5, "x"):
        fails()
    assert RESULTS["x"] == (2.5, 5)
    assert "◐ 2.5/5 marks · x\nhalf" in capsys.readouterr().out


def test_a_bonus_that_was_not_tried_is_not_wrong(capsys):
    with pytest.raises(Mismatch), marks(3, "x", bonus=True):
        check_vectorised(with_for, "relu")
    with pytest.raises(Mismatch), marks(3, "y"):
        check_vectorised(with_for, "relu")
    with pytest.raises(Mismatch), marks(3, "z", bonus=True):
        check_vectorised(lambda_free, "relu")
    out = capsys.readouterr().out
    assert "○ 0/3 marks · x" in out and "✗ 0/3 marks · y" in out
    assert "✗ 0/3 marks · z" in out         # it has no loops, and is wrong


def test_jupyter_shows_no_traceback_of_what_was_told(tmp_path):
    from nbclient import NotebookClient
    from nbformat.v4 import new_code_cell, new_notebook
    nb = new_notebook(cells=[new_code_cell(
        "import numpy as np\n"
        "from cnnbook.classroom.marks import *\n"
        "from cnnbook.classroom.marks import check, marks\n"
        "def relu(Z):\n    return Z, Z"), new_code_cell(
        "with marks(3, of='relu'):\n    check(relu)",
        metadata={"tags": ["raises-exception"]}), new_code_cell(
        "1 / 0", metadata={"tags": ["raises-exception"]})])
    NotebookClient(nb, kernel_name="python3").execute()
    told, error = nb.cells[1].outputs
    assert "0/3" in told.data["text/plain"]
    assert error.output_type == "error" and error.ename == "Mismatch"
    assert error.traceback == ["↑"]
    assert len(nb.cells[2].outputs[0].traceback) > 2


# ---- what a failing assert compared ----

def half(n):
    return n // 2


@pytest.mark.parametrize("test, told", [
    ("half(3) == 1.5", "`half(3)` gives 1; 1.5 was expected."),
    ("half(4) == 2 and half(3) == 1.5", "`half(3)` gives 1; 1.5"),
    ("half(4) == 2 == half(5) == 2.5", "`half(5)` gives 2; 2.5"),
    ("[half(n) for n in range(3)] == [0, 0.5, 1]",
     "gives [0, 0, 1]; [0, 0.5, 1] was expected"),
    ("half(3) > 1", "`half(3)` gives 1; `half(3) > 1` was expected."),
    ("1.4 < half(3) < 1.6", "`half(3)` gives 1; `1.4 < half(3)` was"),
    ("half(3) != 1", "`half(3)` gives 1; `half(3) != 1` was expected."),
    ("not half(3)", "`half(3)` is 1, which is not what is asked."),
    ("half(1)", "`half(1)` is 0, which is not what is asked."),
    ("np.allclose(half(np.array([1., 3])), [0.5, 1.5])",
     "gives [0. 1.]; [0.5, 1.5] was expected"),
    ("np.isclose(half(3.), 1.5)", "`half(3.0)` gives 1.0; 1.5 was"),
    ("check_value(half(3), 'x$12')", "`half(3)` is 1, which is not what"),
    ("half(3) in (2, 3)", "`half(3)` gives 1; `half(3) in (2, 3)` was"),
])
def test_a_bare_assert_tells_what_it_compared(test, told, capsys):
    source = f"n = 7\nwith marks(1, of='half'):\n    assert ({test})\n"
    with pytest.raises(AssertionError):
        block(source, notebook(half=half))
    assert told in capsys.readouterr().out


def test_the_assert_that_failed_is_the_one_that_is_told(capsys):
    source = """
with marks(1, of='half'):
    assert half(0) == 0
    for n in range(4):
        expected = n / 2
        assert (half(n)
                == expected)
"""
    with pytest.raises(AssertionError):
        block(source, notebook(half=half))
    assert "`half(n)` gives 0; 0.5 was expected." in capsys.readouterr().out


def test_a_side_that_fails_when_asked_again_leaves_the_line(capsys):
    answers = iter([1])
    source = "with marks(1):\n    assert next(answers) == 2\n"
    with pytest.raises(AssertionError):
        block(source, notebook(answers=answers))
    assert "assert next(answers) == 2" in capsys.readouterr().out


# ---- small values by their fingerprint ----

SMALL = st.recursive(
    st.none() | st.booleans() | st.integers(-10**9, 10**9) | st.text()
    | st.floats(-1e6, 1e6), lambda inner: st.lists(inner, max_size=3)
    | st.tuples(inner, inner), max_leaves=6)


@given(SMALL, SMALL)
def test_the_same_value_and_no_other_has_the_fingerprint(a, b):
    told = value_hash(a, "s")
    assert check_value(a, told) and told.startswith("s$")
    assert value_hash(a, "t")[2:] != told[2:]
    assert check_value(b, told) == (value_hash(b, "s") == told)


@pytest.mark.parametrize("a, b, alike", [
    ([1, 2], (1.0, 2.0), True), ([1, 2], np.array([1, 2]), True),
    ([[1, 2]], np.array([[1, 2]], np.uint8), True), (16, 16.0, True),
    (True, np.True_, True), (0.1 + 0.2, 0.3, True), (-0.0, 0, True),
    (1 / 3, 0.333333333, True), (1 / 3, 0.3333, False), (True, 1, False),
    ([1, 2], [2, 1], False), ([1, 2], [1, 2, 0], False), ([], None, False),
    ([[1], 2], [1, [2]], False), ("1", 1, False), ("a", "b", False),
    (2457600, 2457601, False), ([0, 0], [0], False), ("[1]", [1], False),
    ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True), ({"a": 1}, {"a": 2}, False),
])
def test_values_alike_and_not(a, b, alike):
    assert check_value(b, value_hash(a, "salt")) is alike


def test_what_has_no_fingerprint():
    told = value_hash([1], "s")
    for strange in print, object(), {1: object()}, [print], 1j, np.array(
            [None]):
        assert check_value(strange, told) is False
        with pytest.raises(TypeError, match="value must be made of"):
            value_hash(strange, "s")
    with pytest.raises(TypeError, match="salt must be"):
        value_hash(1, "a$b")


# ---- published checks ----

def test_a_published_check_cell_runs_unchanged():
    with marks(5):
        assert check_hash(np.arange(6).reshape(2, 3),
                          ((2, 3), 81.70782512765993))
    assert list(RESULTS.values()) == [(5, 5)]


@given(st.lists(st.floats(-9, 9), min_size=1, max_size=6))
def test_the_fingerprint_follows_the_formula(values):
    v = np.array(values)
    number = (v.max() + v.min() + v.mean() + np.median(v) + v.std() + v.sum()
              + sum(i * x for i, x in enumerate(values)))
    shape, got = array_hash(v)
    assert shape == v.shape and np.isclose(got, number, atol=1e-9)
    assert check_hash(v, (shape, number))
    assert not check_hash(v, (shape, number + 1e-3 * (1 + abs(number))))
    assert not check_hash(v[None], (shape, number))


def test_nans_are_skipped():
    a = np.array([1.0, np.nan, 3.0])
    assert np.isclose(array_hash(a)[1], 3 + 1 + 2 + 2 + 1 + 4 + (0 + 6))


@given(st.floats(1e-3, 1e6))
def test_a_scalar_near_the_edge_of_a_digit_is_accepted(x):
    import zlib
    told = hex(zlib.crc32(f"{x:1.5e}".encode()))
    assert check_scalar(x, told) and check_scalar(x, told.upper().replace(
        "0X", "0x"))
    assert check_scalar(x * (1 + 2e-7), told)
    assert not check_scalar(x * 1.01, told)


# ---- check: the catalog and the smallest case ----

ALL = [pytest.param(name, i, id=f"{name}: {mistake.name}")
       for name in PROBLEMS for i, mistake in enumerate(mistakes_of(name))]


@pytest.mark.parametrize("name", PROBLEMS)
def test_the_reference_agrees_with_itself(name, capsys):
    check(reference(name))
    assert f"{PROBLEMS[name].number} cases" in capsys.readouterr().out


@pytest.mark.parametrize("name, i", ALL)
def test_each_mistake_is_found_and_named(name, i):
    es, en = mistakes_of(name)[i].told[name]
    with pytest.raises(Mismatch) as caught:
        check(mistaken(name, i), name)
    for word, told in (spanish, es), (english, en):
        text, html = caught.value.say(word)
        assert told in text
        assert Tags(html).tags


def test_every_problem_has_mistakes_and_there_are_enough():
    assert {name for m in MISTAKES for name in m.told} == PROBLEMS.keys()
    assert len(ALL) >= 77


@pytest.mark.parametrize("name", PROBLEMS)
def test_what_a_tutor_says_is_said_in_both_languages_and_once(name):
    told = [mistake.told[name] for mistake in mistakes_of(name)]
    assert all(es and en and es != en for es, en in told)
    assert len({es for es, _ in told}) == len({en for _, en in told}) == len(
        told)


def test_the_table_is_read_only_when_something_has_failed():
    program = """
import sys
from cnnbook.classroom.marks import check
from cnnbook.convolution1d import conv1d
check(conv1d)
assert not [name for name in sys.modules if "mistakes" in name]
try:
    check(lambda x, w, p=0, s=1: 0, "conv1d")
except AssertionError:
    assert "cnnbook.classroom.mistakes.table" in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_the_smallest_case_is_small():
    with pytest.raises(Mismatch) as caught:
        check(mistaken("conv_forward", 0), "conv_forward")
    text = caught.value.say(english)[0]
    assert "b = 3.  (1, 1, 1, 1)" in text and "'stride': 1" in text
    assert "expected Z: 5." in text and "got Z: 2." in text


def random_start(x, w, p=0, s=1):
    return reference("conv1d")(x, w, p, s) + np.random.rand()


def in_place(Z):
    Z[Z < 0] = 0
    return Z, Z


def nothing(dz, shape):
    np.full(shape, dz / np.prod(shape))


def alone(Z):
    return np.maximum(Z, 0)


def crash(labels, num_classes):
    return np.eye(num_classes)[labels + 1]


def transposed(x):
    return reference("create_mask_from_window")(x).T


@pytest.mark.parametrize("fn, name, es, en", [
    (random_start, "conv1d", "números al azar", "random numbers"),
    (in_place, "relu", "cambia sus argumentos", "changes its arguments"),
    (nothing, "distribute_value", "falta devolver", "is not returned"),
    (alone, "relu", "devolver 2 cosas", "return 2 things"),
    (crash, "one_hot_encode", "se lanza indexerror", "raises indexerror"),
    (transposed, "create_mask_from_window", "transpuesto", "transposed"),
])
def test_the_general_signs(fn, name, es, en):
    with pytest.raises(Mismatch) as caught:
        check(fn, name)
    assert es in caught.value.say(spanish)[0].lower()
    assert en in caught.value.say(english)[0].lower()


def test_a_stub_is_explained():
    def relu(Z):
        raise NotImplementedError
    with pytest.raises(Mismatch, match="not written yet"):
        check(relu)


def test_check_needs_a_function_that_it_knows():
    with pytest.raises(ValueError, match="name must be one of conv1d"):
        check(lambda x: x)
    with pytest.raises(TypeError, match="fn must be a function"):
        check(5, "conv1d")


def test_a_stale_mistake_is_an_error(monkeypatch):
    stale = wrong("of old code", "gone", "", relu="de un código viejo")
    monkeypatch.setattr(table, "MISTAKES", [stale])
    with pytest.raises(ValueError, match="Bring the mistake 'of old code'"):
        mistaken("relu", 0)


def test_fragments_come_in_pairs():
    with pytest.raises(ValueError, match="shorter"):
        wrong("half", "right")


# ---- check_vectorised ----

def helper(Z):
    return [max(z, 0) for z in Z.ravel()]


def with_for(Z):
    A = Z.copy()
    for i in np.arange(len(A)):
        A[i] = np.maximum(A[i], 0)
    return A, Z


def lambda_free(Z):
    return np.abs(Z), Z


def with_comprehension(Z):
    return np.array([np.maximum(z, 0) for z in Z]), Z


def with_map(Z):
    return np.array(list(map(lambda z: np.maximum(z, 0), Z))), Z


def with_vectorize(Z):
    return np.vectorize(lambda z: max(z, 0.0))(Z), Z


def with_helper(Z):
    return np.array(helper(Z)).reshape(Z.shape), Z


def with_recursion(Z):
    if len(Z) == 0:
        return Z, Z
    rest, _ = with_recursion(Z[1:])
    return np.concatenate([np.maximum(Z[:1], 0), rest]), Z


def with_the_answer(Z):
    return relu(Z)


def relu(Z):
    return np.maximum(Z, 0), Z


@pytest.mark.parametrize("fn", [
    with_for, with_comprehension, with_map, with_vectorize, with_helper,
    with_recursion, with_the_answer], ids=lambda fn: fn.__name__)
def test_a_loop_is_found(fn):
    with pytest.raises(Mismatch) as caught:
        check_vectorised(fn, "relu")
    assert "Queda un bucle" in caught.value.say(spanish)[0]


def test_a_version_without_loops_is_accepted_if_it_is_right(capsys):
    assert loops_in(relu) == []
    assert check_vectorised(relu) > 0
    assert "times faster" in capsys.readouterr().out

    def wrong(Z):
        return np.abs(Z), Z
    with pytest.raises(Mismatch, match="absolute value"):
        check_vectorised(wrong, "relu")


def test_without_loops_is_faster():
    def pool(A_prev, hparameters, mode="max"):
        f, s = hparameters["f"], hparameters["stride"]
        windows = np.lib.stride_tricks.sliding_window_view(
            A_prev, (f, f), (1, 2))[:, ::s, ::s]
        A = windows.max((4, 5)) if mode == "max" else windows.mean((4, 5))
        return A, (A_prev, hparameters)
    assert check_vectorised(pool, "pool_forward") > 2


def test_what_is_not_python_is_refused():
    with pytest.raises(TypeError, match="written in Python"):
        check_vectorised(np.maximum, "relu")


def test_marks_needs_numpy_alone():
    program = """
import sys
sys.modules.update(dict.fromkeys(['matplotlib', 'IPython', 'scipy']))
from cnnbook.classroom.marks import check, marks, show_marks
from cnnbook.convolution1d import conv1d
with marks(5, 'conv1d'):
    check(conv1d)
show_marks()
"""
    done = subprocess.run([sys.executable, "-c", program],
                          capture_output=True, text=True, check=True)
    assert "5/5" in done.stdout
