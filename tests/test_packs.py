"""Python packed for the pages: what is in the scripts, and that it is right.

The scripts are read as a page reads them. That they run is for the tests in
a browser.
"""
import ast
import base64
import gzip
import hashlib
import io
import json
import re
import shutil
import subprocess
import sys
import zipfile

import nbformat
import numpy as np
import pytest
from sklearn.datasets import load_digits

from cnnbook.press.book import carry_python
from cnnbook.press.packs import (SERVER, SITE, Pack, mark_of, packs_of,
                                 write_pack, write_packs)
from cnnbook.press.runtime import read_kept
from conftest import FILES, ROOT, copy_project

PACKS = {"python", "weights", "pretrained", "pillow", "matplotlib", "scipy",
         "data", "sklearn", "shiny"}
# What the chapters import and no page carries.
NOT_IN_A_PAGE = {"torch", "onnx", "onnxruntime", "onnxscript", "safetensors",
                 "google", "IPython", "tqdm"}
# What they do without if it is not there.
AT_WILL = {"threadpoolctl"}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return copy_project(tmp_path_factory.mktemp("packs"))


@pytest.fixture(scope="module")
def carried(project, pyodide):
    "The folder `python` of a book."
    out = project / "_book"
    carry_python(project, pyodide, out)
    return out / "python"


def read_table(folder):
    text = (folder / "index.js").read_text("utf-8")
    return json.loads(re.fullmatch(r"cnnbookPython\((.*)\);\n", text)[1])


def read_strip(folder, name, pieces):
    "The bytes of a pack, from its scripts."
    parts = []
    for i in range(pieces):
        text = (folder / f"{name}-{i:02}.js").read_text("ascii")
        parts.append(re.fullmatch(rf'cnnbookPiece\("{name}", {i}, '
                                  r'"([A-Za-z0-9+/=]*)"\);\n', text)[1])
    return b"".join(map(base64.b64decode, parts))


def read_files(folder, name):
    "The files of a pack, by name: what each one is, and its bytes."
    entry, found = read_table(folder)["packs"][name], {}
    data = read_strip(folder, name, entry["pieces"])
    for file in entry["files"]:
        part = data[file["start"]:file["end"]]
        found[file["name"]] = file["kind"], (gzip.decompress(part)
                                             if file["gzip"] else part)
    return found


def unpacked(folder, name, place):
    "Unpack the ZIP files of a pack as the page does; return site-packages."
    for kind, data in read_files(folder, name).values():
        if kind == "zip":
            zipfile.ZipFile(io.BytesIO(data)).extractall(place)
    return place / SITE


@pytest.mark.parametrize("name", sorted(PACKS))
def test_a_pack_is_whole_and_in_small_scripts(carried, name):
    entry = read_table(carried)["packs"][name]
    data = read_strip(carried, name, entry["pieces"])
    assert len(data) == entry["bytes"]
    assert hashlib.sha256(data).hexdigest() == entry["sha256"]
    ends = [0, *(file["end"] for file in entry["files"])]
    assert ends[:-1] == [file["start"] for file in entry["files"]]
    assert ends[-1] == len(data)
    for path in carried.glob(f"{name}-*.js"):
        assert path.stat().st_size <= 1_001_000
    assert set(entry["needs"]) <= PACKS - {name}


def test_the_first_pack_is_small_enough(carried):
    sizes = [path.stat().st_size for path in carried.glob("python-*.js")]
    assert sum(sizes) + (carried / "index.js").stat().st_size <= 12_500_000


def test_all_packs_are_there_and_no_other_script(carried):
    table = read_table(carried)
    assert set(table["packs"]) == PACKS
    assert {path.name for path in carried.iterdir()} == {
        ".stamp", "index.js", "notices.html",
        *(f"{name}-{i:02}.js" for name, entry in table["packs"].items()
          for i in range(entry["pieces"]))}


def test_the_interpreter_is_pyodides_own(carried, pyodide):
    files = read_files(carried, "python")
    for name in "pyodide.js", "pyodide.asm.js", "pyodide.asm.wasm":
        assert files[name] == ("core", read_kept(pyodide, name))


@pytest.mark.parametrize("name", ["python", "pillow", "matplotlib", "scipy",
                                  "sklearn"])
def test_what_is_left_of_a_library_is_unchanged(carried, pyodide, name):
    for file, (kind, data) in read_files(carried, name).items():
        if kind == "wheel" or file == "python_stdlib.zip":
            whole = zipfile.ZipFile(io.BytesIO(read_kept(pyodide, file)))
            small = zipfile.ZipFile(io.BytesIO(data))
            kept = set(small.namelist())
            assert all(small.read(n) == whole.read(n) for n in kept), file
            code = {n for n in whole.namelist()
                    if n.endswith((".py", ".so", "LICENSE", "LICENSE.txt"))
                    and not n.startswith("matplotlib/mpl-data/")
                    and not n.startswith("matplotlib/backends/web_")}
            assert code <= kept, file


def test_the_table_of_wheels_names_them_all(carried):
    lock = json.loads(read_files(carried, "python")["pyodide-lock.json"][1])
    wheels = {file: data for name in PACKS
              for file, (kind, data) in read_files(carried, name).items()
              if kind == "wheel"}
    assert {entry["file_name"]: entry["sha256"]
            for entry in lock["packages"].values()} == {
        file: hashlib.sha256(data).hexdigest()
        for file, data in wheels.items()}


def imported():
    "What the cells of the reader's chapters import, and which of it."
    for file in FILES:
        if "making" not in file:
            nb = nbformat.read(ROOT / file, as_version=4)
            for cell in nb.cells:
                for node in ast.walk(ast.parse(
                        cell.source if cell.cell_type == "code" else "")):
                    if isinstance(node, ast.Import):
                        yield from (alias.name for alias in node.names)
                    elif isinstance(node, ast.ImportFrom):
                        yield node.module


def test_a_page_finds_all_that_chapters_import(carried):
    homes = read_table(carried)["imports"]
    with_python = {"numpy", "fastcore", "cnnbook", *sys.stdlib_module_names}
    for name in set(imported()):
        top = name.split(".")[0]
        assert top in homes or top in (
            with_python | NOT_IN_A_PAGE | AT_WILL), name
    assert homes["matplotlib"] == "matplotlib" and homes["PIL"] == "pillow"
    assert homes["sklearn.datasets"] == "data" != homes["sklearn"]
    assert set(homes.values()) == PACKS - {"python", "weights"}
    assert not {"numpy", "cnnbook"} & set(homes)


def test_the_book_goes_along_without_its_press(carried, tmp_path):
    unpacked(carried, "python", tmp_path)
    package = tmp_path / "book" / "cnnbook"
    for path in package.rglob("*.py"):
        assert path.read_bytes() == (ROOT / "cnnbook" / path.relative_to(
            package)).read_bytes()
    program = """
import sys
sys.path[:0] = [FOLDER, SITE]
import cnnbook, cnnbook.nn, cnnbook.classroom.mistakes, fastcore.test
from cnnbook.classroom.marks import check
from cnnbook import *
assert cnnbook.__file__.startswith(FOLDER), cnnbook.__file__
assert fastcore.__file__.startswith(SITE)
print(conv1d([1, 2, 3], [1, -1], "full"))
"""
    names = (f"FOLDER = {str(tmp_path / 'book')!r}\n"
             f"SITE = {str(tmp_path / SITE)!r}")
    done = subprocess.run([sys.executable, "-c", names + program],
                          capture_output=True, text=True, cwd=tmp_path)
    assert "[ 1.  1.  1. -3.]" in done.stdout, done.stderr
    assert not (package / "press" / "book.py").exists()


def test_the_trained_networks_go_apart(carried, tmp_path):
    "Their weights are in a pack of their own, where `pretrained` reads them."
    unpacked(carried, "python", tmp_path)
    place = "book/cnnbook/weights"
    assert not (tmp_path / place).exists()
    files = read_files(carried, "pretrained")
    assert set(files) == {f"{place}/{path.name}" for path in (
        ROOT / "cnnbook" / "weights").glob("*.safetensors")}
    for name, (kind, data) in files.items():
        assert kind == "file"
        assert data == (ROOT / name.removeprefix("book/")).read_bytes()
    (tmp_path / place).mkdir()
    name = f"{place}/lenet5-relu.safetensors"
    (tmp_path / name).write_bytes(files[name][1])
    program = f"""
import sys
sys.path[:0] = [{str(tmp_path / 'book')!r}, {str(tmp_path / SITE)!r}]
from cnnbook import pretrained
print(pretrained("lenet5-relu").card["name"])
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path,
                          capture_output=True, text=True)
    assert done.stdout == "lenet5-relu\n", done.stderr


def test_new_weights_make_new_packs(project):
    mark = mark_of(project)
    path = project / "cnnbook" / "weights" / "new.safetensors"
    path.write_bytes(b"new")
    assert mark_of(project) != mark
    path.unlink()
    assert mark_of(project) == mark


def test_the_digits_are_those_of_scikit_learn(carried, tmp_path):
    site = unpacked(carried, "data", tmp_path)
    program = f"""
import sys
sys.path.insert(0, {str(site)!r})
import numpy as np
from sklearn.datasets import load_digits, load_sample_images
X, y = load_digits(return_X_y=True)
few = load_digits(n_class=3)
np.savez("digits.npz", X=X, y=y, images=load_digits().images,
         few=few.images, photo=load_sample_images().images[0])
try:
    from sklearn.datasets import load_iris
except ImportError as error:
    print(error, error.pack)
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path,
                          capture_output=True, text=True, check=True)
    assert "load_iris is not among the data" in done.stdout
    assert done.stdout.endswith(" sklearn\n")
    X, y = load_digits(return_X_y=True)
    with np.load(tmp_path / "digits.npz") as ours:
        for name, theirs in {"X": X, "y": y, "images": load_digits().images,
                             "few": load_digits(n_class=3).images}.items():
            assert ours[name].dtype == theirs.dtype
            np.testing.assert_array_equal(ours[name], theirs)
        assert ours["photo"].shape == (427, 640, 3)


def test_shiny_finds_in_its_pack_all_that_it_imports(carried, tmp_path):
    site = unpacked(carried, "shiny", tmp_path)
    program = f"""
import sys, types
sys.modules["pyodide"] = types.ModuleType("pyodide")    # as in a page
sys.modules["python_multipart"] = sys.modules["multipart"] = None
before = set(sys.modules)
sys.path.insert(0, {str(site)!r})
from shiny import App, reactive, render, ui
app = App(ui.page_fluid(ui.input_slider("n", "n", 1, 9, 5)), None)
for name in set(sys.modules) - before:
    file = getattr(sys.modules[name], "__file__", None) or ""
    if "site-packages" in file and not file.startswith({str(site)!r}):
        print(name.split(".")[0])
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path,
                          capture_output=True, text=True)
    assert not done.stderr, done.stderr
    older = {"exceptiongroup"} if sys.version_info < (3, 11) else set()
    assert set(done.stdout.split()) <= {"numpy", *older}


def test_the_notices_name_all_that_is_carried(carried):
    page = (carried / "notices.html").read_text("utf-8")
    titles = re.findall("<summary>(.*?)</summary><pre>(.*?)</pre>", page,
                        re.DOTALL)
    names = {title.rpartition(" ")[0].lower().replace("_", "-")
             for title, _ in titles}
    lock = json.loads(read_files(carried, "python")["pyodide-lock.json"][1])
    assert names >= {"pyodide", "python", "openblas", "fastcore", *SERVER,
                     *lock["packages"].keys() - {"libopenblas"}}
    for title, text in titles:
        assert re.search("(?i)licen[cs]e|copyright", text), title
    assert "danielbuechele" in page             # who took the photographs


def test_nothing_is_written_again_unless_it_changed(carried, project,
                                                    pyodide):
    before = (carried / "index.js").stat()
    carry_python(project, pyodide, project / "_book")
    assert (carried / "index.js").stat() == before
    mark, module = mark_of(project), project / "cnnbook" / "padding.py"
    module.write_text(module.read_text("utf-8") + "\n# changed\n", "utf-8")
    assert mark_of(project) != mark
    shutil.copy(ROOT / "cnnbook" / "padding.py", module)
    assert mark_of(project) == mark


def test_the_same_bytes_are_written_twice(project, pyodide, tmp_path):
    for name in "a", "b":
        packs = packs_of(project, pyodide)
        write_packs({key: packs[key] for key in ("data", "shiny")},
                    tmp_path / name)
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


def test_a_damaged_file_of_pyodide_is_refused(pyodide, tmp_path):
    "Whatever happened to the cache since it was filled."
    place = shutil.copytree(pyodide, tmp_path / "cache")
    file = place / "pyodide.asm.js"
    file.write_bytes(file.read_bytes().replace(b"function", b"functiom", 1))
    with pytest.raises(Exception, match="pyodide.asm.js is damaged"):
        packs_of(ROOT, place)


def test_a_file_that_would_grow_is_not_compressed(tmp_path):
    noise = np.random.default_rng(0).bytes(2000)
    entry = write_pack(tmp_path, "x", Pack().add("n", "file", noise))
    assert not entry["files"][0]["gzip"] and entry["bytes"] == 2000
