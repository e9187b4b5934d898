"""How a chapter is run and kept: by nbdev-test, once, and again when it must."""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import nbformat
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from cnnbook.press import execution, runner
from cnnbook.press.execution import Cache, execute
from cnnbook.press.export import BuildError
from cnnbook.press.reach import Package
from conftest import ROOT, wait_for


@pytest.fixture
def project(tmp_path):
    "A folder with the package, for notebooks of a few cells."
    shutil.copytree(ROOT / "cnnbook", tmp_path / "cnnbook",
                    ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "chapters").mkdir()
    return tmp_path


def run(project, *cells, name="a", **metadata):
    "Execute a notebook of these cells; how many ran, and its outputs."
    nb = new_notebook(cells=[new_code_cell(cell) if isinstance(cell, str)
                             else cell for cell in cells])
    path = project / "chapters" / f"{name}.ipynb"
    nbformat.write(nb, path)
    ran = execute({path: nb}, project / "cnnbook", project / ".cache", 1)
    return ran, [cell.outputs for cell in nb.cells
                 if cell.cell_type == "code"]


def texts(outputs):
    return ["".join(output.get("text", output.get("data", {}).get(
        "text/plain", ""))) for output in outputs]


def test_outputs_are_those_of_a_notebook(project):
    _, (first, second, third, fourth) = run(
        project, "print('out')\nimport sys\nprint('err', file=sys.stderr)\n7",
        "from IPython.display import display\n"
        "display({'text/markdown': '*a*'}, raw=True, metadata={'lang': 'es'})",
        "None", "import os; os.environ['CNNBOOK_LANG']")
    assert [(o.output_type, o.get("name")) for o in first] == [
        ("stream", "stdout"), ("stream", "stderr"), ("execute_result", None)]
    assert texts(first) == ["out\n", "err\n", "7"]
    assert second == [{"output_type": "display_data", "metadata": {
        "lang": "es"}, "data": {"text/markdown": "*a*"}}]
    assert third == [] and texts(fourth) == ["'es,en'"]
    nb = new_notebook(cells=[new_code_cell("1", outputs=o) for o in
                             (first, second, third, fourth)])
    nbformat.validate(nb)


def test_the_folder_is_that_of_the_notebook_and_stays_clean(project):
    (project / "chapters" / "data.txt").write_text("42")
    _, (shown, where) = run(project, "open('data.txt').read()",
                            "import cnnbook; cnnbook.__file__")
    assert texts(shown) == ["'42'"]
    assert texts(where) == [repr(str(project / "cnnbook" / "__init__.py"))]
    assert {path.name for path in (project / "chapters").iterdir()} == {
        "a.ipynb", "data.txt"}


@pytest.mark.parametrize("code, line, words", [
    ("x = 1\n\nassert x == 2, 'arithmetic'", 3, "AssertionError: arithmetic"),
    ("#| label: fig-x\nx = (", 2, "SyntaxError"),
    ("from cnnbook import zero_pad\nzero_pad(3, 1)", 2,
     r"ValueError: .*cnnbook/\S+\.py, line \d+"),
    ("raise SystemExit(3)", 1, "SystemExit: 3"),
    ("from cnnbook.classroom.marks import marks\nx = 3\n"
     "with marks(2, of='x'):\n    assert x > 2\n    assert x == 4", 5,
     "AssertionError"),
    ("from cnnbook.classroom.marks import marks\nx = None\n"
     "with marks(2, of='x'):\n    assert x == 4", 3, "Mismatch"),
    ("from cnnbook.classroom.marks import check, marks\n"
     "def conv1d(x, k, *rest):\n    return x\n"
     "with marks(2, of='conv1d'):\n    check(conv1d, 'conv1d')", 5,
     "Mismatch"),
])
def test_an_error_names_the_notebook_the_cell_and_the_line(project, code,
                                                           line, words):
    with pytest.raises(BuildError, match=(
            rf"a\.ipynb, cell 2: {words}(?s:.*)\nin line {line} of\n\n")) as e:
        run(project, new_markdown_cell("# A"), "1", code, "2")
    assert code in str(e.value)
    assert not list((project / ".cache").glob("*.json"))
    assert not list((project / "chapters").glob(".*"))


def test_a_process_that_dies_is_told(project):
    with pytest.raises(BuildError, match=r"a\.ipynb: the process ended after "
                       r"the cell \w+, with status -9"):
        run(project, "1", "import os, signal; os.kill(os.getpid(), "
            "signal.SIGKILL)")


def test_a_cell_that_takes_too_long_is_named(project, monkeypatch):
    monkeypatch.setattr(runner, "TIMEOUT", 1)
    with pytest.raises(BuildError, match=r"a\.ipynb, cell 0: TimeoutError"):
        run(project, "import threading; threading.Event().wait(30)")


def test_the_longest_chapters_start_first(project, monkeypatch):
    started = []

    def instead(nb, path, *_):
        started.append(path.stem)
        return [[]], {"seconds": {"a": 1, "b": 30, "c": 2}[path.stem]}

    monkeypatch.setattr(execution, "run_notebook", instead)
    for code in "1", "2":               # the second time they are known
        started.clear()
        execute({project / "chapters" / f"{name}.ipynb": new_notebook(
            cells=[new_code_cell(code)]) for name in "abc"},
            project / "cnnbook", project / ".cache", 1)
    assert started == ["b", "c", "a"]


SLOW = """import os, subprocess, sys, threading
open({ids!r}, "w").write(f"{{os.getpid()}} " + str(subprocess.Popen(
    [sys.executable, "-c", "import threading; threading.Event().wait()"]).pid))
threading.Event().wait()"""
PROGRAM = """
import nbformat, sys
from pathlib import Path
from cnnbook.press.execution import execute
path = Path(sys.argv[1])
execute({path: nbformat.read(path, as_version=4)}, path.parents[1] / "cnnbook",
        path.parents[1] / ".cache", 2)
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM,
                                 signal.SIGKILL])
def test_no_process_outlives_the_one_that_started_it(project, how):
    ids = project / "ids"
    path = project / "chapters" / "a.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell(SLOW.format(
        ids=str(ids)))]), path)
    parent = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, path], stderr=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": str(project)},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    wait_for(lambda: ids.exists() and len(ids.read_text().split()) == 2)
    os.kill(parent.pid, how)
    parent.wait(30)
    for pid in map(int, ids.read_text().split()):
        wait_for(lambda: not psutil.pid_exists(pid) or psutil.Process(
            pid).status() == psutil.STATUS_ZOMBIE, 20)
    wait_for(lambda: not list(path.parent.glob(".*.ipynb")), 20)


def test_the_copies_of_processes_that_died_go(project):
    died = subprocess.Popen([sys.executable, "-c", ""])
    died.wait()
    for number in died.pid, os.getppid():
        (project / "chapters" / f".a-{number}.ipynb").touch()
    run(project, "1")
    assert [path.name for path in (project / "chapters").glob(".*")] == [
        f".a-{os.getppid()}.ipynb"]


def key(project, *cells):
    nb = new_notebook(cells=list(map(new_code_cell, cells)))
    return Cache(project / ".cache", project / "cnnbook").place(
        project / "chapters" / "a.ipynb", nb)


def appended(path, text="\nchanged = True\n"):
    path.write_text(path.read_text("utf-8") + text, "utf-8")


def test_the_key_is_the_same_in_every_process(project):
    program = ("import sys, test_execution\nfrom pathlib import Path\n"
               "print(test_execution.key(Path(sys.argv[1]), sys.argv[2]))")
    code = "from cnnbook import *\nimport sklearn, torch"
    for seed in "1", "2", "3":          # of the order of Python's sets
        said = subprocess.run(
            [sys.executable, "-c", program, project, code],
            check=True, capture_output=True, text=True, env=os.environ | {
                "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(
                    [str(ROOT), str(ROOT / "tests")])}).stdout
        assert said.strip() == str(key(project, code))


IMPORTS = {
    "a star": "from cnnbook import *",
    "a name of the package": "from cnnbook import zero_pad",
    "a name inside a function": "def f():\n    from cnnbook import zero_pad",
    "a module": "from cnnbook import padding\npadding.zero_pad",
    "a module by its name": "import cnnbook.padding as p",
    "the package": "import cnnbook\ncnnbook.padding.zero_pad",
    "the package as an object": "import cnnbook\nprint(vars(cnnbook))",
    "a string": "exec('from cnnbook.padding import zero_pad')",
    "a script": "script = '''\nimport sys\n\nfrom cnnbook import (\n"
                "    zero_pad)\n'''",
    "a piece of a script": "script = f'from cnnbook.padding import {x}\\n'",
    "a program": "run([python, '-m', 'cnnbook.padding'])",
    "another module": "from cnnbook.conv_layer import conv_forward",
    "a shell": "!python -m cnnbook.padding",
    "a name of an optional room": "def f():\n    import cnnbook.padding",
    "import_module": "importlib.import_module('cnnbook.padding')",
    "import_module of what is not known":
        "importlib.import_module(f'cnnbook.{room}')",
}


@pytest.mark.parametrize("code", IMPORTS.values(), ids=IMPORTS)
def test_every_form_of_import_is_seen(project, code):
    before = key(project, code)
    appended(project / "cnnbook" / "padding.py")
    assert key(project, code) != before


@pytest.mark.parametrize("code", [
    "import numpy", "from cnnbook.checks import as_int", "import cnnbook",
    "from cnnbook import pad_widths", "x = 'padding'",
    'def f():\n    "Like `cnnbook.padding`."'])
def test_what_is_not_reached_changes_nothing(project, code):
    before = key(project, code)
    appended(project / "cnnbook" / "padding.py")
    assert key(project, code) == before


def test_a_name_of_a_package_leads_to_its_room_alone(project):
    layers = "from cnnbook.nn import Linear"
    everything = "from cnnbook import nn\nuse(nn)"
    before = key(project, layers), key(project, everything)
    appended(project / "cnnbook" / "nn" / "optimizers.py")
    after = key(project, layers), key(project, everything)
    assert before[0] == after[0] and before[1] != after[1]


def test_a_new_name_in_the_list_of_a_package_runs_nothing(project):
    code = "from cnnbook import zero_pad"
    before, init = key(project, code), project / "cnnbook" / "__init__.py"
    text = init.read_text()
    init.write_text(text.replace('"padding": [', '"padding": ["_new", '))
    assert key(project, code) == before
    init.write_text(text.replace("attach(__name__", "attach(str(__name__)"))
    assert key(project, code) != before


def test_the_mistakes_stand_outside_but_for_those_who_name_them(project):
    room = project / "cnnbook" / "classroom" / "mistakes"
    exercise = "from cnnbook.classroom.marks import marks"
    table = "from cnnbook.classroom.mistakes.table import *"
    before = key(project, exercise), key(project, table)
    appended(room / "table.py")
    assert key(project, exercise) == before[0]
    assert key(project, table) != before[1]


def test_versions_count(project, monkeypatch):
    code = "def f():\n    import sklearn.datasets"
    before = key(project, code), key(project, "1")
    real = execution.versions

    def newer(modules):
        return {name: f"{version}.1" if name == "scikit-learn" else version
                for name, version in real(modules).items()}

    monkeypatch.setattr(execution, "versions", newer)
    assert key(project, code) != before[0] and key(project, "1") == before[1]
    monkeypatch.setattr(execution, "versions", real)
    monkeypatch.setattr(sys, "version", "3.99")
    assert key(project, "1") != before[1]


@pytest.mark.parametrize("code", [
    "open('data.txt').read()", "#| reads: data.txt\nread('dat' + 'a.txt')",
    "#| reads: *.txt\nread()", "#| reads: .\nread()",
    "Path('chapters/data.txt')"])
def test_files_that_are_read_count(project, code):
    data = project / "chapters" / "data.txt"
    data.write_text("1")
    before = key(project, code)
    data.write_text("2")
    assert key(project, code) != before


def test_options_and_prose_do_not_count_but_what_runs_does(project):
    before = key(project, "f(1)")
    assert key(project, "#| label: fig-x\n#| export\nf(1)") == before
    assert key(project, "#| eval: false\nf(1)") != before
    assert key(project, "#| needs: torch\nf(1)") != before
    assert key(project, "f(2)") != before


def test_a_layer_that_breaks_runs_the_chapter_of_pytorch_again(tmp_path):
    """Chapter 13 reaches `nn.Linear` through the package alone.

    It once kept its key after a change of `nn`, and all stayed green.
    """
    for name in "chapters", "cnnbook":
        shutil.copytree(ROOT / name, tmp_path / name,
                        ignore=shutil.ignore_patterns("__pycache__", ".*"))
    path, = (tmp_path / "chapters").glob("*_torch.ipynb")
    nb = nbformat.read(path, as_version=4)
    place = Cache(tmp_path / ".cache", tmp_path / "cnnbook").place(path, nb)
    kept = {"outputs": [[] for cell in nb.cells if cell.cell_type == "code"],
            "seconds": 1}
    place.write_text(json.dumps(kept))              # as if it had run
    again = {path: nbformat.read(path, as_version=4)}
    assert execute(again, tmp_path / "cnnbook", tmp_path / ".cache", 1) == 0
    layers = next(room for room in (tmp_path / "cnnbook" / "nn").glob("*.py")
                  if "class Linear(" in room.read_text("utf-8"))
    code = layers.read_text("utf-8")
    start = code.index("class Linear(")
    broken = re.sub(r'(    def forward\(.*\):\n)', r'\1        raise '
                    r'RuntimeError("broken")\n', code[start:], count=1)
    layers.write_text(code[:start] + broken, "utf-8")
    with pytest.raises(BuildError, match="torch.ipynb, cell .*RuntimeError: "
                       "broken"):
        execute(again, tmp_path / "cnnbook", tmp_path / ".cache", 1)


def test_a_missing_part_of_the_house_is_no_error():
    assert Package(Path("nowhere")).paths == {}
