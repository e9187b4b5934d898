"""Every chapter runs from its first cell to its last: its claims hold."""
from cnnbook.press.execution import execute, run_aside
from cnnbook.press.manifest import read_notebooks
from conftest import ROOT


def test_the_chapters_run():
    """An error names the chapter and the cell.

    What ran is kept in `.cache`, and the tests of the book use it: no
    chapter runs twice, and none that has not changed since the last time.
    """
    run_aside(execute(read_notebooks(ROOT), ROOT / "cnnbook",
                      ROOT / ".cache", jobs=2))
