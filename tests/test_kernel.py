"""The kernel of a page: cells run, display, fail and are marked as in Jupyter.

It runs here natively; what only a browser shows is in test_python_in_pages.
"""
import json
import sys

import numpy as np
import pytest
from hypothesis import given, strategies as st
from IPython.lib import pretty as jupyter

from cnnbook.press import kernel
from cnnbook.press.displays import pretty
from cnnbook.press.kernel import Kernel, Packs, PageKernel


class Runner:
    "A kernel, and the outputs of the cell that ran last."

    def __init__(self, lang="en", homes=None):
        self.outputs, self.count = [], 0
        self.kernel = Kernel(self.hear, lang, homes)

    def hear(self, output):
        if output["kind"] == "clear":
            self.outputs.clear()
        self.outputs.append(output)

    def run(self, code):
        self.outputs.clear()
        self.count += 1
        return self.kernel.run(code, f"<cell {self.count}>")

    @property
    def kinds(self):
        return [output["kind"] for output in self.outputs]

    @property
    def text(self):
        return "".join(o["text"] for o in self.outputs
                       if o["kind"] == "stream")


@pytest.fixture
def cell():
    return Runner()


def test_the_last_expression_is_shown(cell):
    assert cell.run("x = 2\nx + 1")["ok"]
    assert cell.outputs == [{"kind": "display", "metadata": {},
                             "data": {"text/plain": "3"}}]
    for quiet in "x", "x + 1;", "None", "", "# nothing":
        cell.run(quiet)
        assert cell.kinds == (["display"] if quiet == "x" else [])


def test_cells_share_names_and_leave_the_outside_alone(cell):
    before = sys.stdout, sys.modules["__main__"], list(sys.meta_path)
    cell.run("y = 20\ndef f(): return y")
    cell.run("print(f() + 1)")
    assert cell.text == "21\n"
    assert before == (sys.stdout, sys.modules["__main__"], sys.meta_path)


def test_an_error_tells_the_line_of_the_cell_where_it_is(cell):
    cell.run("def divide(a):\n    return 1 / a")
    assert not cell.run("z = 0\n\ndivide(z)")["ok"]
    [error] = cell.outputs
    assert (error["name"], error["cell"], error["line"]) == (
        "ZeroDivisionError", "<cell 1>", 2)
    assert error["places"] == [("<cell 2>", 3), ("<cell 1>", 2)]
    assert error["traceback"].count("File") == 2


def test_an_error_of_the_library_points_to_the_cell(cell):
    cell.run("import numpy as np\nnp.ones(3) @ np.ones(4)\n")
    assert (cell.outputs[-1]["line"], cell.outputs[-1]["cell"]) == (
        2, "<cell 1>")


@pytest.mark.parametrize("code, line", [
    ("x = 1\ny = (", 2), ("if 1:\nx = 1", 2), ("x = 1\n\n$", 3)])
def test_a_syntax_error_tells_its_line(cell, code, line):
    cell.run(code)
    [error] = cell.outputs
    assert (error["line"], error["cell"]) == (line, "<cell 1>")
    assert "ast.py" not in error["traceback"]


def test_a_library_error_counts_no_line_twice(cell):
    cell.run("def f(): return f()\nf()")
    [error] = cell.outputs
    assert error["places"] == [("<cell 1>", 2), ("<cell 1>", 1)]
    assert "never ends" in error["message"]


def test_an_error_that_was_told_says_so(cell):
    result = cell.run(
        "from cnnbook.classroom.marks import marks\n"
        "def double(x): return 3 * x\n"
        "with marks(2, 'Doble', 'Twice', of='double'):\n"
        "    assert double(4) == 8")
    shown, error = cell.outputs
    assert result["marks"] == {"Twice": [0, 2]}
    assert "`double(4)`" in shown["data"]["text/plain"]
    assert shown["metadata"] == {"lang": "en"}
    assert error["told"] and error["traceback"] == "↑"
    assert cell.run("1")["marks"] == {}


def test_marks_speak_the_language_of_the_page():
    cell = Runner("es")
    cell.run("from cnnbook.classroom.marks import marks\n"
             "with marks(1, 'Uno', 'One'):\n    pass")
    assert cell.outputs[0]["data"]["text/plain"] == "✓ 1/1 puntos · Uno"


def test_a_loop_does_not_flood_the_page(cell):
    cell.run("for i in range(200_000): print(i)")
    assert len(cell.outputs) < 200 and cell.text.startswith("0\n1\n2\n")
    assert len(cell.text) < 1_000_200
    assert cell.text.endswith("(The cell prints too much: the rest is not "
                              "shown.)\n")
    cell.run("print('again')")
    assert cell.text == "again\n"


def test_both_streams_keep_their_order(cell):
    cell.run("import sys\nprint('a', end='')\nprint('b', file=sys.stderr)\n"
             "print('c', end='')\ndisplay(1)\nprint('d', end='', flush=True)")
    assert [(o.get("name"), o.get("text")) for o in cell.outputs] == [
        ("stdout", "a"), ("stderr", "b\n"), ("stdout", "c"), (None, None),
        ("stdout", "d")]


def test_progress_is_an_output_of_its_own(cell):
    cell.run("from cnnbook.progress_bar import progress\n"
             "for i in progress(range(2), label='Epoch 1'): pass")
    assert cell.outputs == [
        {"kind": "progress", "label": "Epoch 1", "done": done, "total": 2}
        for done in (1, 2)]


@pytest.mark.parametrize("code, mime, text", [
    ("HTML('<b>x</b>')", "text/html", "<b>x</b>"),
    ("Markdown('*x*')", "text/markdown", "*x*"),
    ("SVG('<svg/>')", "image/svg+xml", "<svg/>"),
    ("Image(b'\\x89PNG')", "image/png", "iVBORw=="),
    ("Image(b'\\xff\\xd8x')", "image/jpeg", "/9h4")])
def test_ipython_displays(cell, code, mime, text):
    for shown in code, f"display({code})":
        cell.run(f"from IPython.display import *\n{shown}")
        assert cell.outputs[0]["data"][mime] == text
        assert "text/plain" in cell.outputs[0]["data"]


def test_clear_output_clears(cell):
    cell.run("from IPython.display import clear_output\nprint('a')\n"
             "clear_output()\nprint('b')")
    assert cell.kinds == ["clear", "stream"] and cell.text == "b\n"


def test_open_figures_are_shown_once_where_they_are_asked_for(cell):
    cell.run("import matplotlib.pyplot as plt\nfig, ax = plt.subplots()\n"
             "fig.set_label('A line')\nax.plot([1, 2]);")
    [shown] = cell.outputs
    assert shown["data"]["image/svg+xml"].startswith("<?xml")
    assert shown["metadata"] == {"fig-alt": "A line"}
    cell.run("plt.plot([1])\nplt.show()\nprint('after')\nplt.figure()")
    assert cell.kinds == ["display", "stream", "display"]
    cell.run("plt.plot([1])\n1 / 0")
    assert cell.kinds == ["display", "error"]
    cell.run("1")
    assert cell.kinds == ["display"]


def test_the_figures_of_the_book_come_in_the_language_of_the_page():
    for lang, label in ("es", "paso"), ("en", "step"):
        cell = Runner(lang)
        cell.run("from cnnbook.press.figures import figure\n@figure\n"
                 "def _(word):\n    return word('paso', 'step')")
        assert [(o["data"], o["metadata"]) for o in cell.outputs] == [
            ({"text/markdown": label}, {"lang": lang})]


def test_cells_that_lack_a_package_are_skipped_as_in_the_book(cell):
    cell.run("from cnnbook.press.resources import skip_incomplete\n"
             "skip_incomplete()")
    cell.run("#| needs: no_such_package\nimport no_such_package\n1")
    assert "`pip install no_such_package`" in (
        cell.outputs[0]["data"]["text/markdown"])


def test_a_missing_package_is_told_in_the_language_of_the_page():
    told = {}
    for lang in "es", "en":
        cell = Runner(lang)
        cell.run("import no_such_package.inside")
        told[lang] = cell.outputs[0]["message"]
    assert told == {"es": "La página no lleva el paquete `no_such_package`.",
                    "en": "The page does not carry the package "
                          "`no_such_package`."}


def test_what_a_package_lacks_is_not_called_a_missing_package(cell):
    cell.run("import json.no_such_part")
    assert "json.no_such_part" in cell.outputs[0]["message"]


def test_a_huge_value_is_cut(cell):
    cell.run("'x' * 10 ** 7")
    assert len(cell.outputs[0]["data"]["text/plain"]) == 200_000
    cell.run("raise ValueError('x' * 10 ** 7)")
    assert len(json.dumps(cell.outputs)) < 50_000


def test_the_source_of_each_cell_can_be_asked(cell):
    cell.run("import inspect\ndef f():\n    return 1")
    cell.run("def g():\n    return 2")
    cell.run("print(inspect.getsource(f) + inspect.getsource(g))")
    assert cell.text == "def f():\n    return 1\ndef g():\n    return 2\n\n"


def test_objects_of_a_cell_can_be_pickled(cell):
    cell.run("import pickle\nclass A: pass\n"
             "type(pickle.loads(pickle.dumps(A()))) is A")
    assert cell.outputs[0]["data"]["text/plain"] == "True"


def test_exit_ends_the_cell_alone(cell):
    assert not cell.run("raise SystemExit")["ok"]
    assert cell.run("1")["ok"]


HOMES = {"absent": "pack", "absent.part": "small"}


@pytest.mark.parametrize("code", [
    "import absent", "from absent import thing",
    "def f():\n    import absent.other\n",
    "try:\n    import absent\nexcept ImportError:\n    pass"])
def test_the_packs_that_a_cell_imports_are_known_before(code):
    assert Packs(HOMES).wanted(code) == ["pack"]


def test_the_longest_name_tells_the_pack():
    packs = Packs(HOMES)
    assert packs.wanted("from absent.part import x") == ["small"]
    assert packs.wanted("from absent import part") == ["small"]
    assert packs.wanted("import absent", ["more"]) == ["more", "pack"]
    packs.loaded |= {"pack"}
    assert packs.wanted("import absent") == []
    assert packs.wanted("from . import absent") == []


def test_a_cell_that_lacks_a_pack_asks_for_it_and_shows_no_error():
    cell = Runner(homes=HOMES)
    code = ("def load(name):\n    return __import__(name)\ntry:\n"
            "    load('absent')\nexcept Exception:\n    print('hidden')")
    assert cell.run(code)["packs"] == ["pack"] and cell.outputs == []
    cell.kernel.packs.loaded.add("pack")        # which does not bring it
    assert cell.run(code)["packs"] == [] and cell.text == "hidden\n"


def test_a_library_may_go_on_without_a_pack(tmp_path, monkeypatch):
    library = tmp_path / "site-packages"
    library.mkdir()
    (library / "choosy.py").write_text(
        "try:\n    import absent\nexcept ImportError:\n    absent = None\n"
        "def insist():\n    import absent")
    monkeypatch.syspath_prepend(library)
    cell = Runner(homes=HOMES)
    assert cell.run("import choosy\nchoosy.absent")["packs"] == []
    assert cell.run("choosy.insist()")["packs"] == ["pack"]


def test_the_stand_in_gives_way_to_the_true_package(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "standin").mkdir()
    (tmp_path / "standin" / "__init__.py").write_text("")
    (tmp_path / "standin" / "digits.csv").write_text("0,1")
    monkeypatch.setattr(kernel, "STAND_IN", {"small": "standin"})
    packs = Packs({"standin": "standin", "standin.part": "small"})
    packs.loaded.add("small")
    import standin
    assert packs.wanted("from standin.part import x") == []
    assert packs.wanted("import standin.other") == ["standin"]
    assert sys.modules.get("standin") is not standin
    # Its programs are gone; its data stay, for what a cell imported before.
    assert [path.name for path in (tmp_path / "standin").iterdir()
            if path.is_file()] == ["digits.csv"]
    assert packs.wanted("import standin.part", ["standin"]) == ["standin"]


def test_the_page_hears_json():
    heard = []
    page = PageKernel(heard.append, "en", '{"absent": "pack"}')
    assert page.wanted("import absent", '["more"]') == '["more", "pack"]'
    page.arrived('["pack", "more"]')
    assert page.wanted("import absent", '["more"]') == "[]"
    assert json.loads(page.run("print(1)", "<cell 1>"))["ok"]
    assert json.loads(heard[0]) == {"kind": "stream", "name": "stdout",
                                    "text": "1\n"}


nested = st.recursive(
    st.integers() | st.text(max_size=12) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=9) | st.tuples(inner, inner)
    | st.dictionaries(st.text(max_size=9), inner, max_size=6),
    max_leaves=60)


@given(nested)
def test_values_are_written_as_in_jupyter(value):
    assert pretty(value) == jupyter.pretty(value)


@pytest.mark.parametrize("value", [
    [np.arange(4).reshape(2, 2), 1], {"a": np.eye(3), "b": 1}, np.float64(2),
    (np.ones(3),), [[1] * 40, [2] * 40], {"k": {"k": list(range(40))}},
    np.ndarray, len, max, set("abc"), [np.zeros((2, 2))] * 2, {1: (2,)}, range(3)])
def test_arrays_and_containers_are_written_as_in_jupyter(value):
    assert pretty(value) == jupyter.pretty(value)
