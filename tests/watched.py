"""Every notebook is run once more, watched by coverage: `make watch`.

The keys of the chapters are read from syntax trees. Coverage knows nothing of
that: it sees which lines of `cnnbook` run, in the process of a chapter and in
those that it starts. What ran has to be in the key. The outputs of this run
are thrown away, because being watched slows the loops that chapters measure;
where nobody reads them, `WATCHED_CACHE` names a folder that keeps them, and
the tests that follow need not run the chapters again.
"""
import ast
import json
import os
from functools import lru_cache
from pathlib import Path

import coverage
import nbformat
import pytest

from cnnbook.press.execution import Cache, code_cells, execute, held
from cnnbook.press.export import notebooks_in
from cnnbook.press.reach import Package, is_outside
from conftest import ROOT

PACKAGE = Package(ROOT / "cnnbook")
NOTEBOOKS = {path.relative_to(ROOT).as_posix(): nb
             for path in [ROOT / "index.ipynb", *notebooks_in(ROOT)]
             for nb in [nbformat.read(path, as_version=4)] if code_cells(nb)}
SETTINGS = """
[run]
source = {package}
data_file = {folder}/data
context = ${{CNNBOOK_NOTEBOOK}}
parallel = true
sigterm = true
concurrency = thread, multiprocessing
"""


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    "The lines of each module that ran, and what was told, by notebook."
    folder = tmp_path_factory.mktemp("watched")
    cache = Path(os.environ.get("WATCHED_CACHE") or folder / "cache")
    settings = folder / "coverage.ini"
    settings.write_text(SETTINGS.format(package=PACKAGE.folder,
                                        folder=folder))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COVERAGE_PROCESS_START", str(settings))
        execute({ROOT / file: nb for file, nb in NOTEBOOKS.items()},
                PACKAGE.folder, cache, os.cpu_count() or 1)
    cover = coverage.Coverage(config_file=str(settings))
    cover.combine()
    return cover.get_data(), Cache(cache, PACKAGE.folder)


@lru_cache
def inside_functions(module):
    "The lines of `module` that run only when a function is called."
    return {line for node in ast.walk(ast.parse(PACKAGE.codes[module]))
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
            for line in range(node.body[0].lineno, node.end_lineno + 1)}


@pytest.mark.parametrize("file", NOTEBOOKS)
def test_the_key_holds_what_ran(watched, file):
    data, cache = watched
    nb, path = NOTEBOOKS[file], ROOT / file
    modules = held(nb, path.parent, PACKAGE)[0]
    data.set_query_context(file)
    ran = {name: set(data.lines(str(source)) or ())
           for name, source in PACKAGE.paths.items()}
    loaded = {name for name in ran if ran[name]}
    called = {name for name in ran if ran[name] & inside_functions(name)}
    assert not [name for name in loaded - set(modules)
                if not is_outside(name)]
    assert called <= set(modules)
    # and the watch was awake: it saw all that the process itself tells of
    told = json.loads(cache.place(path, nb).read_text())["modules"]
    assert "cnnbook.press.worker" in called
    assert {name for name in told if PACKAGE.codes.get(name, "").strip()
            and name in PACKAGE.paths} <= loaded
