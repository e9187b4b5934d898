"""What `cnnbook.classroom.marks` tells a student, in either language."""
import linecache
import re
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnbook.classroom import marks as module
from cnnbook.classroom import messages
from cnnbook.classroom.fingerprints import array_hash
from cnnbook.classroom.marks import (RESULTS, check, check_hash, check_scalar,
                                     check_vectorised, marks, show_marks)
from cnnbook.classroom.messages import Mismatch
from cnnbook.classroom.mistakes import MISTAKES, mistakes_of, table, wrong
from cnnbook.classroom.problems import PROBLEMS, reference
from cnnbook.classroom.suspects import mistaken
from cnnbook.classroom.vectorised import loops_in


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
    assert "✗ 0/1 puntos · three\nZeroDivisionError: division by zero" in out


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
    (transposed, "create_mask_from_window", "traspuesto", "transposed"),
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
