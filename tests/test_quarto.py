"""The root is a Quarto project: what `quarto` makes of a book of three pages."""
import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from posixpath import dirname, join, normpath
from urllib.request import urlopen

import nbformat
import pytest
from nbformat.v4 import new_markdown_cell
from pypdf import PdfReader

from cnnbook.press.links import broken_links
from cnnbook.press.quarto import find_quarto
from test_build import chapter, change_manifest, make, pair, project, write  # noqa: F401

pytestmark = pytest.mark.skipif(not find_quarto(),
                                reason="quarto is not on the PATH")
TITLES = {"es": ("Uno", "Obras"), "en": ("One", "Works")}


@pytest.fixture
def root(project, tmp_path_factory, monkeypatch):   # noqa: F811
    "A project in which Quarto runs; what it keeps of it is apart."
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("kept")))
    monkeypatch.setenv("CNNBOOK_PYTHON", sys.executable)
    monkeypatch.setenv("LIVE", "no")
    for name in "index", "chapters/a", "chapters/z":
        begin_empty(project / f"{name}.ipynb")
    subprocess.run(["git", "init", "-q", str(project)], check=True)
    (project / ".gitignore").write_text(
        "/.quarto/\n_site/\nbuild/\n.cache/\n**/*.quarto_ipynb\n")
    subprocess.run(["git", "-C", str(project), "add", "-A"], check=True)
    return project


def begin_empty(path):
    "Begin a notebook as those of the book do."
    nb = nbformat.read(path, as_version=4)
    nb.cells.insert(0, nbformat.v4.new_markdown_cell(""))
    nbformat.write(nb, path)


def quarto(root, *arguments):
    "Run Quarto in the root; what it says."
    done = subprocess.run([find_quarto(), *arguments], cwd=root, text=True,
                          stdin=subprocess.DEVNULL, capture_output=True)
    return done.returncode, done.stdout + done.stderr


def sidebar(html):
    return re.findall(r'class="chapter-title">([^<]*)<', html)


def changed(root):
    "What Git sees that was not there before."
    return subprocess.run(["git", "-C", str(root), "status", "--porcelain"],
                          capture_output=True, text=True).stdout.split("\n")


def test_each_language_is_rendered_from_the_root(root):
    for lang, arguments in {"en": ["--profile", "en"], "es": []}.items():
        status, log = quarto(root, "render", "--to", "html", *arguments)
        assert status == 0 and "WARN" not in log, log
        page = (root / "_site" / lang / "chapters" / "a.html").read_text()
        mine, other = TITLES[lang], TITLES[{"es": "en", "en": "es"}[lang]]
        assert mine[0] in sidebar(page) and other[0] not in sidebar(page)
        assert f">{mine[0]}<" in page and other[0] not in page
        assert ">42<" in page or "\n42<" in page, page
        assert 'name="description"' in page and "search.js" in page
        assert f'<html xmlns="http://www.w3.org/1999/xhtml" lang="{lang}"' in (
            page)
    assert broken_links({lang: root / "_site" / lang for lang in TITLES}) == []
    assert not [line for line in changed(root) if not line.startswith("A ")
                and line], changed(root)


def test_the_whole_book_is_rendered_from_the_root(root):
    change_manifest(root, lambda manifest: manifest["cnnbook"].update(
        making={"chapters": ["chapters/making/m.ipynb"]}))
    (root / "chapters" / "making").mkdir()
    write(root / "chapters" / "making" / "m.ipynb",
          *pair("# Taller {#sec-m}", "# Workshop {#sec-m}"))
    chapter(root, es=r"Dijo @knuth: $A \cap B$, como en el @sec-m; @eq-c.",
            en=r"So @knuth said: $A \cap B$, as in @sec-m; @eq-c.")
    for name, (first, last) in {"index": "ab", "chapters/a": "cd"}.items():
        nb = nbformat.read(root / f"{name}.ipynb", as_version=4)
        nb.cells += [new_markdown_cell(f"$$x = {last}$$"), new_markdown_cell(
            f"$$x = {first}$$ {{#eq-{first}}}")]
        nbformat.write(nb, root / f"{name}.ipynb")
    for name in "making/m", "a":
        begin_empty(root / "chapters" / f"{name}.ipynb")
    status, log = quarto(root, "render", "--profile", "en")
    assert status == 0, log
    paper = "".join(page.extract_text() for page in PdfReader(
        root / "_site" / "en" / "cnnbook-en.pdf").pages)
    paper = re.sub(r"\s+", " ", paper)
    assert "Equation (" not in paper
    assert {"(1)", "(1.1)"} == set(re.findall(r"\((?:\d\.)?\d\)", paper))
    assert "\N{INTERSECTION}" in paper     # which Typst calls by another name
    # The words of what links to a page that is not on paper.
    assert "How this book is made; Equation 1.1" in paper
    made = {path.name for path in (root / "_site" / "en").iterdir()}
    assert {"index.html", "cnnbook-en.pdf", "cnnbook-en.epub"} <= made
    assert "search.json" not in made
    page = (root / "_site" / "en" / "index.html").read_text()
    assert re.search(r'href="(\./)?cnnbook-en.pdf"', page)
    with zipfile.ZipFile(root / "_site" / "en" / "cnnbook-en.epub") as epub:
        names = set(epub.namelist())
        for name in names:
            if name.endswith("html"):
                dead = [link for link in re.findall(
                    r'(?:href|src)="([^":#]+)', epub.read(name).decode())
                    if normpath(join(dirname(name), link)) not in names]
                assert not dead, name


def test_two_languages_at_once_are_refused(root):
    status, log = quarto(root, "render", "--profile", "es,en")
    assert status and "one language at a time" in log


def test_a_mistake_of_the_root_stops_quarto(root):
    chapter(root, es="Véase @fig-nada.", en="See @fig-nada.")
    begin_empty(root / "chapters" / "a.ipynb")
    status, log = quarto(root, "render", "--to", "html")
    assert status and "a.html: unresolved reference" in log, log


def test_a_cell_that_fails_stops_quarto_and_is_named(root):
    chapter(root, code="1 / 0")
    begin_empty(root / "chapters" / "a.ipynb")
    status, log = quarto(root, "render", "--to", "html")
    assert status and "a.ipynb, cell" in log and "ZeroDivisionError" in log


def test_a_changed_module_changes_the_page(root):
    (root / "cnnbook" / "colors.py").write_text("HUE = 'red'\n")
    chapter(root, code="from cnnbook.colors import HUE\nHUE")
    begin_empty(root / "chapters" / "a.ipynb")
    page = root / "_site" / "es" / "chapters" / "a.html"
    for hue in "red", "green":
        (root / "cnnbook" / "colors.py").write_text(f"HUE = '{hue}'\n")
        status, log = quarto(root, "render", "--to", "html")
        assert status == 0, log
        assert f"&#39;{hue}&#39;" in page.read_text() or (
            f"'{hue}'" in page.read_text())


def wait_for(test, process, seconds=120):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert process.poll() is None, process.stdout.read()
        try:
            if test():
                return
        except OSError:
            pass
        time.sleep(0.5)
    raise AssertionError("it took too long")


def test_a_preview_follows_what_is_saved(root):
    address = "http://127.0.0.1:4199/chapters/a.html"
    with subprocess.Popen(
            [find_quarto(), "preview", "--profile", "en", "--no-browser",
             "--port", "4199"], cwd=root, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            start_new_session=True, env=os.environ) as process:
        try:
            wait_for(lambda: "said" in urlopen(address).read().decode(),
                     process)
            chapter(root, en="So @knuth wrote.", code="40 + 3")
            begin_empty(root / "chapters" / "a.ipynb")
            wait_for(lambda: re.search(
                r"(?s)wrote.*\b43\b", urlopen(address).read().decode()),
                process)
        finally:
            os.killpg(process.pid, signal.SIGTERM)


def test_a_staged_project_is_rendered_by_hand(root):
    make(root)                          # with Pandoc
    status, log = quarto(root / "build" / "en", "render", ".")
    assert status == 0, log
    folder = root / "build" / "en" / "_site"
    page = (folder / "chapters" / "a.html").read_text()
    assert 'hreflang="es"' in page and 'name="description"' in page
    assert (folder / "assets" / "search-index.js").exists()
