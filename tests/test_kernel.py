"""The kernel of a page: cells run, display, fail and are marked as in Jupyter.

It runs here natively; what only a browser shows is in test_python_in_pages.
"""
import sys

import pytest

from cnnbook.press.kernel import Kernel, Packs


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
