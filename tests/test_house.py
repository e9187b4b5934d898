"""How the house is laid out: who imports whom, which names are public, sizes.

Everything is read from the syntax trees, without importing anything, but for
the star import, which is tried in a process of its own.
"""
import ast
import builtins
import json
import re
import subprocess
import sys

import numpy as np
import pytest

from conftest import ROOT

PACKAGE = ROOT / "cnnbook"
MODULES = {path.relative_to(ROOT).with_suffix("").as_posix()
           .removesuffix("/__init__").replace("/", "."): path
           for path in PACKAGE.rglob("*.py") if path.name != "_modidx.py"}
PACKAGES = {name for name, path in MODULES.items()
            if path.name == "__init__.py"}

# What each room may import, besides itself. The rooms of the core are read
# in this order, and each may import those before it.
CORE = ("_lazy checks progress_bar storage convolution1d padding "
        "convolution2d conv_layer sums pooling backprop lab images downloads "
        "formats data evaluation drawings").split()
ARROWS = {
    **{room: set(CORE[:i]) for i, room in enumerate(CORE)},
    "fast": set(CORE),
    "nn": {*CORE, "fast"},
    "architectures": {*CORE, "fast", "nn"},
    "zoo": {*CORE, "nn", "architectures"},
    "interpret": {*CORE, "fast", "nn"},
    "interop": {*CORE, "fast", "nn"},
    "press": set(CORE),
    "classroom": {*CORE, "fast", "press"},
    "cli": {*CORE, "press", "classroom"},
}
TWINS = {"conv1d", "conv2d", "conv_forward", "conv_backward", "pool_forward",
         "pool_backward"}       # the loops, and the fast ones of their names


def tree(name):
    return ast.parse(MODULES[name].read_text("utf-8"))


def absolute(name, node):
    "The absolute name of what an `ast.ImportFrom` in module `name` is from."
    if not node.level:
        return node.module
    parts = name.split(".")
    if name not in PACKAGES:
        parts = parts[:-1]
    parts = parts[:len(parts) - node.level + 1]
    return ".".join(parts + ([node.module] if node.module else []))


def homes(package):
    "The module of each name that the `__init__` of `package` offers."
    found = {}
    for node in ast.walk(tree(package)):
        if isinstance(node, ast.Call) and getattr(
                node.func, "id", "") == "attach":
            for module, names in ast.literal_eval(node.args[1]).items():
                found |= {name: f"{package}.{module}" for name in names}
    return found


def resolved(target):
    "The module that `target`, a module or a name in one, is or lives in."
    while target not in MODULES:
        package, _, name = target.rpartition(".")
        if package in PACKAGES and name in homes(package):
            return resolved(f"{homes(package)[name]}.{name}")
        target = package
    return target


def imports(name):
    "The modules of cnnbook that the module `name` imports, wherever it does."
    found = set()
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Import):
            found |= {resolved(alias.name) for alias in node.names
                      if alias.name.split(".")[0] == "cnnbook"}
        elif isinstance(node, ast.ImportFrom):
            base = absolute(name, node)
            if base.split(".")[0] == "cnnbook":
                found |= {resolved(f"{base}.{alias.name}")
                          for alias in node.names}
    return found - {name}


GRAPH = {name: imports(name) for name in MODULES}


def room(name):
    return (name.split(".") + [""])[1]


def cycle(graph):
    "A list of names that lead back to the first of them, or None."
    done, path = set(), []

    def visit(name):
        if name in path:
            return path[path.index(name):] + [name]
        if name not in done:
            path.append(name)
            for other in sorted(graph[name]):
                found = visit(other)
                if found:
                    return found
            path.pop()
            done.add(name)
        return None

    return next(filter(None, map(visit, sorted(graph))), None)


def test_a_cycle_would_be_found():
    assert cycle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]
    assert cycle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) is None


def test_imports_have_no_cycle():
    assert cycle(GRAPH) is None


@pytest.mark.parametrize("name", sorted(set(MODULES) - {"cnnbook"}))
def test_arrows_point_one_way(name):
    allowed = ARROWS[room(name)] | {room(name)}
    upward = {other for other in GRAPH[name] if room(other) not in allowed}
    assert not upward, f"{name} must not import {sorted(upward)}"


# `_lazy` imports what the `__init__`s list, and `homes` reads the lists.
@pytest.mark.parametrize("name", sorted(set(MODULES) - {"cnnbook._lazy"}))
def test_no_import_is_hidden(name):
    "A module of cnnbook is imported by a statement, where it can be seen."
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Call):
            called = getattr(node.func, "id", getattr(node.func, "attr", ""))
            assert called not in ("import_module", "__import__"), (
                f"{name}, line {node.lineno}")


def public(name):
    "The names that the module `name` offers, as `__all__` lists them."
    for node in tree(name).body:
        if isinstance(node, ast.Assign) and getattr(
                node.targets[0], "id", "") == "__all__":
            return ast.literal_eval(node.value)
    return []


def test_no_function_hides_a_module():
    """No name is that of a module, so `import a.b as c` gives the module.

    `marks`, with which each test of an exercise begins, has the name of the
    module that it is imported from; no package offers it.
    """
    rooms = {name.rpartition(".")[2] for name in MODULES}
    for name in MODULES:
        assert not rooms & set(public(name)) - {"marks"}, name
    for package in PACKAGES:
        assert not rooms & set(homes(package)), package


def test_a_name_means_one_thing():
    """No two modules offer the same name.

    The loops' fast twins do, and each program begins in its `main`.
    """
    seen = {}
    for name in sorted(set(MODULES) - PACKAGES):
        for offered in public(name):
            seen.setdefault(offered, []).append(name)
    twice = {offered: where for offered, where in seen.items()
             if len(where) > 1 and offered not in TWINS | {"main"}}
    assert not twice


def test_what_a_package_offers_is_there():
    for package in PACKAGES:
        for name, home in homes(package).items():
            assert name in [*public(home), *homes(home)], (package, name)


@pytest.fixture(scope="module")
def star():
    "What `from cnnbook import *` brings: each name, its kind, its module."
    program = """
import json, sys
images, padding, model, data = [], [], [], []
own = set(globals())
from cnnbook import *
brought = {name: [type(value).__name__, getattr(value, "__module__", "")]
           for name, value in globals().items()
           if name not in own and name != "own"}
assert images == padding == model == data == []
print(json.dumps(brought))
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT,
                          check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def test_the_star_brings_functions_that_chapters_teach(star):
    assert set(star) == set(homes("cnnbook"))
    text = "".join(p.read_text("utf-8") for p in
                   (ROOT / "chapters").glob("[0-9B]*.ipynb"))
    for name, (kind, _) in star.items():
        assert kind in ("function", "type"), name
        assert re.search(rf"`{name}\b|(def|class) {name}\b", text), name


def test_the_star_hides_no_usual_name(star):
    usual = set(dir(np)) | set(dir(builtins))
    rooms = {name.rpartition(".")[2] for name in MODULES}
    assert not set(star) & (usual | rooms | {"save", "load", "plt", "pd"})
    assert not [name for name in star if name.isupper()]


def test_the_star_brings_the_fast_twins_and_nothing_of_nn(star):
    for name in TWINS:
        assert star[name][1].startswith("cnnbook.fast"), name
    assert not [n for n, (_, home) in star.items() if ".nn" in home]


@pytest.mark.parametrize("name", sorted(set(MODULES) - PACKAGES))
def test_a_module_has_one_job(name):
    "About 400 lines are enough for one; the marks of each cell do not count."
    lines = [line for line in MODULES[name].read_text("utf-8").splitlines()
             if line.strip() and not line.startswith("# %%")]
    assert len(lines) <= 400


def exported_cells():
    found = []
    for path in sorted((ROOT / "chapters").rglob("*.ipynb")):
        nb = json.loads(path.read_text("utf-8"))
        for i, cell in enumerate(nb["cells"]):
            source = "".join(cell["source"])
            if cell["cell_type"] == "code" and re.match(
                    r"#\| *export", source):
                found.append(pytest.param(source,
                                          id=f"{path.stem}, cell {i}"))
    return found


@pytest.mark.parametrize("source", exported_cells())
def test_an_exported_cell_is_one_idea(source):
    lines = [line for line in source.splitlines()
             if line.strip() and not line.startswith("#|")]
    assert len(lines) <= 36
    assert len(lines) <= 30 or len(ast.parse(source).body) == 1


@pytest.mark.parametrize("path", [
    pytest.param(path, id=path.stem) for path in
    [ROOT / "index.ipynb", *sorted((ROOT / "chapters").rglob("*.ipynb"))]])
def test_imports_have_a_cell_of_their_own(path):
    "`nbdev-docs` stops at a cell that imports and does something else."
    for i, cell in enumerate(json.loads(path.read_text("utf-8"))["cells"]):
        if cell["cell_type"] == "code":
            kinds = {isinstance(node, (ast.Import, ast.ImportFrom))
                     for node in ast.parse("".join(cell["source"])).body}
            assert len(kinds) <= 1, f"cell {i}"
