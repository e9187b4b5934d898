"""What the tests share: the project's folder, its notebooks, its book."""
import shutil
from pathlib import Path

import nbformat
import pytest

from cnnbook.press.book import make_book
from cnnbook.press.manifest import files
from cnnbook.press.quarto import find_quarto

ROOT = Path(__file__).resolve().parents[1]
FILES = files(ROOT)             # the reader's book, and then the workshop
CHROMIUM = next(filter(None, map(shutil.which, (
    "chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture(scope="module")
def chromium():
    "A real browser, driven by Playwright."
    playwright = pytest.importorskip("playwright.sync_api", reason=(
        "the tests in a browser need Playwright: pip install playwright"))
    if not CHROMIUM:
        pytest.skip("the tests in a browser need Chromium on the PATH: "
                    "apt install chromium")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM,
                                         args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def notebooks():
    "Every notebook of the manifest, by its file name."
    return {file: nbformat.read(ROOT / file, as_version=4) for file in FILES}


def copy_project(folder):
    "Copy what `make book` reads into `folder`."
    for name in ("apps", "chapters", "cnnbook", "assets"):
        shutil.copytree(ROOT / name, folder / name,
                        ignore=shutil.ignore_patterns("__pycache__"))
    for path in [*ROOT.glob("_quarto*.yml"), ROOT / "index.ipynb",
                 ROOT / "references.bib", ROOT / "pyproject.toml"]:
        shutil.copy(path, folder)
    return folder


@pytest.fixture(scope="session", params=["pandoc", "quarto"])
def book(request, tmp_path_factory):
    "The folder of the whole book, made with each renderer that is here."
    if request.param == "quarto" and not find_quarto():
        pytest.skip("quarto 1.9 or newer is not on the PATH")
    project = copy_project(tmp_path_factory.mktemp(request.param))
    cache = ROOT / ".cache"         # chapters that ran already run no more
    cache.mkdir(exist_ok=True)
    (project / ".cache").symlink_to(cache)
    make_book(project, engine=request.param)
    return project / "_book"
