"""Every notebook runs from its first cell to its last: its claims hold.

The run is `nbdev-test`'s own, and the only one: what it shows is kept in
`.cache`, and the book and the tests of the book are made from it. Each run
also notes what it opened and imported, which does not come from what the key
of the chapter was read from; here both are compared.
"""
import json
import os
from functools import lru_cache

import nbformat
import pytest

from cnnbook.press import execution
from cnnbook.press.execution import (Cache, code_cells, execute,
                                     execution_key, held)
from cnnbook.press.export import notebooks_in
from cnnbook.press.resources import missing
from cnnbook.press.reach import Package, is_outside, owners
from conftest import ROOT

PATHS = [ROOT / "index.ipynb", *notebooks_in(ROOT)]
CACHE = ROOT / ".cache"

# What a run opens besides what its chapter asks for.
ALWAYS = {"pyproject.toml": "where nbdev reads its settings",
          **{f"cnnbook.egg-info/{name}": "what pip wrote of an installation"
             for name in ("PKG-INFO", "entry_points.txt", "top_level.txt")}}


# And what it imports, where tests/watched.py looks on.
WATCHER = {"coverage"} if os.environ.get("WATCHED_CACHE") else set()


@lru_cache
def read(path):
    return nbformat.read(path, as_version=4)


def told(path):
    "What the process that ran the notebook told, and what the key holds."
    place = Cache(CACHE, ROOT / "cnnbook").place(path, read(path))
    return (json.loads(place.read_text()),
            held(read(path), path.parent, Package(ROOT / "cnnbook")))


def test_the_chapters_run():
    """An error names the chapter, the cell and the line.

    No chapter runs twice, and none that has not changed since the last time.
    """
    notebooks = {path: nbformat.read(path, as_version=4) for path in PATHS}
    execute(notebooks, ROOT / "cnnbook", CACHE, jobs=os.cpu_count() or 1)
    assert execute(notebooks, ROOT / "cnnbook", CACHE, jobs=1) == 0


WITH_CODE = pytest.mark.parametrize(
    "path", [pytest.param(path, id=path.relative_to(ROOT).as_posix())
             for path in PATHS if code_cells(read(path))])


@WITH_CODE
def test_the_key_holds_the_modules_that_were_imported(path):
    facts, (modules, _, _) = told(path)
    ours = {name for name in facts["modules"]
            if name.split(".")[0] == "cnnbook"}
    assert not [name for name in ours - set(modules) if not is_outside(name)]


@WITH_CODE
def test_the_key_holds_the_distributions_that_were_imported(path):
    facts, (_, libraries, _) = told(path)
    known = set(libraries) | WATCHER
    escaped = {name: owners()[name] for name in facts["modules"]
               if name in owners() and name != "cnnbook" and not known & {
                   owner.lower().replace("_", "-").replace(".", "-")
                   for owner in owners()[name]}}
    assert not escaped


@WITH_CODE
def test_the_key_holds_the_files_that_were_opened(path):
    """One that the cells do not name is told by a `#| reads:` line."""
    facts, (modules, _, files) = told(path)
    package = Package(ROOT / "cnnbook")
    loaded = {package.paths[name].relative_to(ROOT).as_posix()
              for name in package.paths
              if name in modules or is_outside(name)}
    opened = {name for name in facts["files"]
              if (ROOT / name).is_file() and "__pycache__" not in name
              and "/." not in name
              and not name.startswith((".", "build/", "_book/"))}
    assert opened <= loaded | set(files) | set(ALWAYS)


def test_editing_a_module_runs_again_what_imported_it(monkeypatch):
    "Each module is changed in turn, and the keys are made again."
    paths = [path for path in PATHS if code_cells(read(path))]
    imported, holding = {}, {}      # by the run, and by the key
    for path in paths:
        facts, (modules, *_) = told(path)
        imported[path], holding[path] = set(facts["modules"]), set(modules)

    assert len(set().union(*imported.values())) > 100   # the watch is awake

    opened = {id(read(path)): set(told(path)[1][2].values())
              for path in paths}
    monkeypatch.setattr(execution, "files_read",    # the same each time
                        lambda nb, folder, root: opened[id(nb)])

    def keys(package):
        return {path: execution_key(read(path), path.parent, package)
                for path in paths}

    before = keys(Package(ROOT / "cnnbook"))
    for module in Package(ROOT / "cnnbook").paths:
        package = Package(ROOT / "cnnbook")
        package.codes[module] += "\nchanged = True\n"
        after = keys(package)
        changed = {path for path in paths if after[path] != before[path]}
        assert is_outside(module) or changed >= {
            path for path in paths if module in imported[path]}, module
        assert changed == {path for path in paths
                           if module in holding[path]}, module


@pytest.mark.skipif(not os.environ.get("CI"),
                    reason="CI alone has to have everything installed")
@pytest.mark.parametrize("path", [
    pytest.param(path, id=path.relative_to(ROOT).as_posix())
    for path in PATHS if path.parent.name != "making"])
def test_nothing_is_left_out_of_the_book_of_ci(path):
    """No cell was replaced by the notice that something is missing.

    CI has all but a GPU and hours.
    """
    cells = code_cells(read(path))
    outputs = told(path)[0]["outputs"] if cells else []
    for cell, shown in zip(cells, outputs, strict=True):
        absent = set(missing(cell.source))
        assert absent <= {"gpu", "hours"}
        if not absent:
            shown = json.dumps(shown, ensure_ascii=False)
            assert "Not run. " not in shown and "Sin ejecutar. " not in shown
