"""The committed files: exported, clean, and speaking of themselves alone."""
import filecmp
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from cnnbook.press.export import export_package
from conftest import FILES, ROOT, copy_project

BIN = Path(sys.executable).parent


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    "A copy of the project, cleaned and exported anew."
    project = copy_project(tmp_path_factory.mktemp("exported"))
    subprocess.run([BIN / "nbdev-clean"], cwd=project, check=True)
    export_package(project)
    return project


def modules(project):
    "The files of the package of `project`, by their place in it."
    package = project / "cnnbook"
    return {path.relative_to(package).as_posix(): path
            for path in package.rglob("*.py")}


def test_the_package_is_what_the_notebooks_export(exported):
    ours, theirs = modules(ROOT), modules(exported)
    assert set(ours) == set(theirs), "run make export"
    different = [name for name in ours if not filecmp.cmp(
        ours[name], theirs[name], shallow=False)]
    assert not different, "run make export"


@pytest.mark.parametrize("file", [f for f in FILES if "/" in f])
def test_the_notebook_is_clean(exported, file):
    assert (ROOT / file).read_text() == (exported / file).read_text(), (
        "run make export")


@pytest.mark.parametrize("file", FILES)
def test_the_notebook_holds_no_outputs(file):
    nb = nbformat.read(ROOT / file, as_version=4)
    nbformat.validate(nb)
    for cell in nb.cells:
        if cell.cell_type == "code":
            assert cell.outputs == [] and cell.execution_count is None


@pytest.mark.parametrize("file", FILES)
def test_code_fits_the_pdf_page(file):
    nb = nbformat.read(ROOT / file, as_version=4)
    for cell in nb.cells:
        if cell.cell_type == "code":
            lines = [line for line in cell.source.split("\n")
                     if not line.startswith("#|")]
            assert max(map(len, lines), default=0) <= 78, cell.source


def test_every_notebook_is_in_the_manifest():
    found = {p.relative_to(ROOT).as_posix()
             for p in (ROOT / "chapters").rglob("*.ipynb")}
    assert found == {f for f in FILES if "/" in f}


CHAPTERS = sorted(f for f in FILES if re.match(r"chapters/\d\d_", f))


@pytest.mark.parametrize("file", CHAPTERS)
def test_a_chapter_imports_only_from_earlier_ones(file):
    "Its exported code does; appendices may be asked for help by any."
    nb = nbformat.read(ROOT / file, as_version=4)
    code = "\n".join(c.source for c in nb.cells if c.cell_type == "code"
                     and re.match(r"#\|\s*export", c.source))
    for name in re.findall(r"(?m)^\s*from cnnbook\.([\w.]+)", code):
        place = ROOT / "cnnbook" / name.replace(".", "/")
        files = (place.glob("*.py") if place.is_dir()
                 else [place.with_suffix(".py")])
        text = "".join(file.read_text("utf-8") for file in files)
        homes = set(re.findall(r"(?m)^# %% [./]*(chapters/\S+)", text))
        first = min(homes & set(CHAPTERS), default="")
        assert first <= file, f"{name} comes in {first}"


def test_import_needs_numpy_alone():
    program = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        top = name.partition('.')[0]
        if top in {'matplotlib', 'scipy', 'sklearn', 'torch', 'PIL', 'yaml',
                   'IPython', 'nbformat', 'tqdm', 'fastcore', 'typst'}:
            raise ImportError(f'cnnbook imported {name}')
sys.meta_path.insert(0, Refuse())
from cnnbook import *
import cnnbook
assert cnnbook.conv_forward and conv1d and zero_pad and pool_backward
"""
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT)


def test_constraints_are_names_and_versions_only():
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        assert line.startswith("#") or re.fullmatch(
            r"[\w.-]+==[\w.]+(; python_version .*)?", line), line


def test_the_pandoc_path_stays_small():
    nb = nbformat.read(ROOT / "chapters/making/pandoc.ipynb", as_version=4)
    sources = [c.source for c in nb.cells if c.cell_type == "code"
               and c.source.startswith("#| export")]
    sources += [p.read_text() for p in (ROOT / "assets/pandoc").iterdir()]
    lines = [line for source in sources for line in source.split("\n")
             if line.strip() and not line.startswith("#|")]
    assert len(lines) < 550
