"""What `make book` promises, on a book of three small pages."""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import zipfile
from contextlib import suppress
from copy import deepcopy
from pathlib import Path

import nbformat
import pytest
import yaml
from nbformat.v4 import (new_code_cell, new_markdown_cell, new_notebook,
                         new_output)

import cnnbook
from cnnbook.cli import parse
from cnnbook.press import book, quarto
from cnnbook.press.book import make_book
from cnnbook.press.links import Page, broken_links
from cnnbook.press.manifest import BuildError, read_manifest
from cnnbook.press.quarto import PROVED, choose_engine, find_quarto
from cnnbook.press.recorded import record
from cnnbook.press.resources import GRANTED
from cnnbook.press.staging import (repository, repository_links,
                                   whole_books)
from conftest import ROOT

CNNBOOK = Path(sys.executable).with_name("cnnbook")
ENGINES = ["pandoc", pytest.param("quarto", marks=pytest.mark.skipif(
    not find_quarto(), reason="quarto is not on the PATH"))]


def pair(es, en):
    return [new_markdown_cell(es, metadata={"tags": ["es"]}),
            new_markdown_cell(en, metadata={"tags": ["en"]})]


def write(path, *cells):
    nb = new_notebook(cells=list(cells), metadata={"kernelspec": {
        "name": "python3", "display_name": "python3"}})
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(nb, path)


@pytest.fixture
def project(tmp_path):
    "A project of a preface, one chapter and the references."
    for path in ROOT.glob("_quarto-*.yml"):
        shutil.copy(path, tmp_path)
    for name in "assets", "cnnbook":
        shutil.copytree(ROOT / name, tmp_path / name)
    manifest = yaml.safe_load((ROOT / "_quarto.yml").read_text())
    manifest["book"]["chapters"] = ["index.ipynb", "chapters/a.ipynb",
                                    "chapters/z.ipynb"]
    del manifest["book"]["appendices"]
    manifest["cnnbook"] = {"making": {}}
    (tmp_path / "_quarto.yml").write_text(yaml.safe_dump(manifest))
    (tmp_path / "references.bib").write_text(
        "@book{knuth, author={Knuth, Donald}, title={TAOCP}, year={1968}}")
    (tmp_path / "pyproject.toml").write_text("[tool.nbdev]\n")
    (tmp_path / "README.md").write_text("A book.\n")
    write(tmp_path / "index.ipynb",
          *pair("# Hola {#sec-hi .unnumbered}", "# Hello {#sec-hi .unnumbered}"),
          *pair("Véase el @sec-a.", "See @sec-a."))
    chapter(tmp_path)
    write(tmp_path / "chapters" / "z.ipynb",
          *pair("# Obras {#sec-z .unnumbered}", "# Works {#sec-z .unnumbered}"),
          new_markdown_cell("::: {#refs}\n:::"))
    return tmp_path


def chapter(project, code="40 + 2", es="Lo dijo @knuth.", en="So @knuth said."):
    write(project / "chapters" / "a.ipynb",
          *pair("# Uno {#sec-a}", "# One {#sec-a}"), *pair(es, en),
          new_code_cell(code))


def change_manifest(project, change):
    "Call `change` on the manifest of the project, and write what it leaves."
    manifest = yaml.safe_load((project / "_quarto.yml").read_text())
    change(manifest)
    (project / "_quarto.yml").write_text(yaml.safe_dump(manifest))


def make(project, **options):
    return make_book(project, **{"engine": "pandoc", "live": False,
                                 **options})


def text(project, lang="es", page="chapters/a.html"):
    return (project / "_book" / lang / page).read_text()


def words(html):
    "The text of some HTML, on one line."
    return " ".join(re.sub("<[^>]+>", "", html).replace("\u00a0", " ")
                    .replace("&nbsp;", " ").split())


def paper(project, lang):
    "The text of the PDF and of the EPUB in `lang`, each on one line."
    from pypdfium2 import PdfDocument
    names = whole_books(read_manifest(project, lang))
    with PdfDocument(project / "_book" / lang / names["PDF"]) as pdf:
        printed = " ".join(page.get_textpage().get_text_bounded()
                           for page in pdf)
    with zipfile.ZipFile(project / "_book" / lang / names["EPUB"]) as epub:
        pages = [epub.read(name).decode() for name in sorted(epub.namelist())
                 if name.endswith(".xhtml")]
    return words(printed.replace("\ufffe\n", "")), words(" ".join(pages))


def test_it_makes_two_languages_in_two_formats(project):
    paths = make(project)
    assert [p.relative_to(project / "_book").as_posix() for p in paths] == [
        f"{lang}/{name}" for lang in ("es", "en") for name in
        ("index.html", f"cnnbook-{lang}.pdf", f"cnnbook-{lang}-tablet.pdf",
         f"cnnbook-{lang}.epub")]
    assert all(path.stat().st_size > 1000 for path in paths)
    assert "Lo dijo" in text(project) and "So" not in text(project)
    assert "So" in text(project, "en") and ">42" in text(project)
    assert (project / "_book" / "index.html").exists()
    assert (project / "_book/es/notebooks/a.ipynb").exists()


def test_it_can_be_narrowed(project):
    path, = make(project, langs=["es"], formats=["html"])
    assert path == project / "_book" / "es" / "index.html"
    assert not (project / "_book" / "en").exists()
    assert not list((project / "_book").rglob("*.pdf"))


def test_nothing_runs_twice(project, capsys, tmp_path_factory):
    log = tmp_path_factory.mktemp("log") / "runs"
    chapter(project, f"print('hi', file=open({str(log)!r}, 'a'))")
    make(project, formats=["html"])
    assert log.read_text() == "hi\n"        # once for two languages
    made = (project / "_book/es/chapters/a.html").stat().st_mtime_ns
    make(project, formats=["html"])
    assert "0 of 3 notebooks were run" in capsys.readouterr().out
    assert (project / "_book/es/chapters/a.html").stat().st_mtime_ns == made

    chapter(project, f"print('hi', file=open({str(log)!r}, 'a'))",
            es="Otra frase.", en="Another sentence.")
    make(project, formats=["html"])
    assert log.read_text() == "hi\n" and "Otra frase" in text(project)


def test_a_changed_module_runs_its_users_again(project):
    module = project / "cnnbook" / "answer.py"
    module.write_text("N = 41")
    code = ("import sys; sys.path.insert(0, '..'); sys.modules.pop('cnnbook', "
            "None)\nfrom cnnbook.answer import N\nN")
    chapter(project, code)
    make(project, formats=["html"])
    assert ">41" in text(project)
    module.write_text("N = 43")
    make(project, formats=["html"])
    assert ">43" in text(project)


@pytest.mark.parametrize("es, en, message", [
    ("Véase la @fig-nada.", "See @fig-nada.", "a.ipynb.*@fig-nada"),
    ("Lo dijo @nadie2000.", "So @nadie2000 said.", "a.ipynb.*nadie2000"),
    ("Ver [esto](#sec-nada).", "See [this](#sec-nada).", "a.ipynb.*sec-nada"),
    ("Ver [esto](b.html).", "See [this](b.html).", "a.html.*b.html"),
    ("Sea $x$.", "Let there be $y$.", "a.ipynb.*formulas"),
    ("## Título {#sec-t}", "Title", "a.ipynb.*headings"),
    ("Suma $\\undefinedmacro{x$.", "Sum $\\undefinedmacro{x$.", "undefinedmacro"),
])
def test_a_mistake_stops_the_build_and_is_named(project, es, en, message):
    make(project, formats=["html"])
    good = text(project)
    chapter(project, es=es, en=en)
    with pytest.raises(BuildError, match=f"(?s){message}"):
        make(project, formats=["html"])
    assert text(project) == good            # the last good book stays


@pytest.mark.skipif(not find_quarto(), reason="quarto is not on the PATH")
@pytest.mark.parametrize("key", ["fig-nada", "nadie2000"])
def test_quarto_stops_at_a_mistake_too(project, key):
    chapter(project, es=f"Véase @{key}.", en=f"See @{key}.")
    with pytest.raises(BuildError, match=f"a.ipynb: unresolved .* @{key}"):
        make(project, engine="quarto")
    assert not (project / "_book").exists()


def test_a_missing_twin_is_named(project):
    nb = nbformat.read(project / "chapters/a.ipynb", as_version=4)
    del nb.cells[3]
    nbformat.write(nb, project / "chapters/a.ipynb")
    with pytest.raises(BuildError, match="a.ipynb, cell 2: no English cell"):
        make(project)


def test_a_failing_cell_is_named_and_leaves_the_book(project):
    make(project, formats=["html"])
    good = text(project)
    chapter(project, "assert 1 + 1 == 3, 'arithmetic'")
    with pytest.raises(BuildError, match="(?s)a.ipynb, cell 4: "
                       "AssertionError: arithmetic.*1 \\+ 1 == 3"):
        make(project)
    assert text(project) == good


def test_a_missing_notebook_is_named(project):
    (project / "chapters" / "z.ipynb").unlink()
    with pytest.raises(BuildError, match="chapters/z.ipynb"):
        make(project)


def wait_for_call(server, process):
    "The connection that a cell opens once it runs; raise if nobody will."
    server.settimeout(1)
    while process.poll() is None:
        with suppress(TimeoutError):
            return server.accept()[0]
    raise AssertionError(process.communicate())


def test_ctrl_c_leaves_the_last_good_book(project):
    make(project, formats=["html"])
    good = text(project)
    server = socket.create_server(("127.0.0.1", 0))
    chapter(project, "import socket\n"
            f"call = socket.create_connection({server.getsockname()!r})\n"
            "call.recv(1)")             # for ever: nobody answers
    program = ("import cnnbook.press.book as book\n"
               "book.export_package = lambda root: None\n"     # it has no exporters
               "from cnnbook.cli import main\nmain()")
    process = subprocess.Popen(
        [sys.executable, "-c", program, "book", "--engine", "pandoc",
         "--live", "no"],
        cwd=project, env=os.environ | {"PYTHONPATH": str(project)},
        stderr=subprocess.PIPE, text=True, start_new_session=True,
        # a shell starts what runs in its background deaf to Ctrl-C
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    with server, wait_for_call(server, process):    # the cell is running
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate()
    assert "what was finished is as it was" in err and process.returncode == 130
    assert text(project) == good


def test_figures_tables_equations_and_callouts(project):
    code = '''#| label: fig-x
#| fig-cap-es: "Una figura."
#| fig-cap-en: "A figure."
#| fig-alt-es: "Un punto."
#| fig-alt-en: "A dot."
from IPython.display import SVG
SVG('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')'''
    body = """La @fig-x, la @eq-x, la @tbl-x y la @sec-b.

$$
y = x^2
$$ {#eq-x}

| a | b |
|---|---|
| 1 | 2 |

: Tabla. {#tbl-x}

## Dos {#sec-b}

::: {.callout-warning}
## Error frecuente

Texto.
:::"""
    english = (body.replace("La @fig", "Here @fig").replace(" y la ", ", ")
               .replace("Tabla", "Table").replace("Dos", "Two")
               .replace("Error frecuente", "Common mistake")
               .replace("Texto", "Text"))
    chapter(project, code, body, english)
    make(project)
    es, en = text(project), text(project, "en")
    for word in "Figura 1.1", "Ecuación 1.1", "Tabla 1.1", "Sección 1.1":
        assert f">{word}</a>".replace(" ", "\u00a0") in es, word
    for word in "Figure 1.1", "Equation 1.1", "Table 1.1", "Section 1.1":
        assert f">{word}</a>".replace(" ", "\u00a0") in en, word
    assert 'alt="Un punto."' in es and 'alt="A dot."' in en
    assert "<math" in es and "(1.1)" in es and "callout-warning" in es
    assert "Error frecuente" in es and "#| label" not in es
    download = json.loads((project / "_book/en/notebooks/a.ipynb").read_text())
    source = "".join(download["cells"][-1]["source"])
    assert '#| fig-cap: "A figure."' in source and "Una figura" not in source


@pytest.mark.parametrize("engine", ENGINES)
def test_a_figure_may_carry_a_widget(project, engine):
    chapter(project, """#| label: fig-lab
#| widget: some-lab kernel="1 -1"
#| fig-cap-es: "Una figura."
#| fig-cap-en: "A figure."
#| fig-alt-es: "Un punto."
#| fig-alt-en: "A dot."
from IPython.display import SVG
SVG('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')""")
    for name in "core", "lab", "some-lab":
        path = project / "assets" / "widgets" / f"{name}.js"
        path.parent.mkdir(exist_ok=True)
        path.write_text("// a script")
    make(project, engine=engine)
    page = text(project)
    assert page.count('<some-lab for="fig-lab" kernel="1 -1"></some-lab>') == 1
    assert 'alt="Un punto."' in page
    scripts = re.findall(r'<script [^>]*src="(\S+/widgets/[^"]+)"', page)
    assert scripts == [f"../assets/widgets/{name}.js"
                       for name in ("core", "lab", "some-lab")]
    folder = project / "_book" / "es" / "chapters"
    assert all((folder / script).is_file() for script in scripts)
    assert "/widgets/" not in (folder.parent / "index.html").read_text()


@pytest.mark.parametrize("remote, place", [
    ("https://github.com/us/book.git", "https://github.com/us/book/edit"),
    ("git@github.com:us/book", "https://github.com/us/book/edit"),
    ("ssh://git@git.us.org:22/us/book.git", "https://git.us.org/us/book/edit"),
    ("https://me:word@gitlab.com/us/sub/book",
     "https://gitlab.com/us/sub/book/-/edit"),
    ("https://codeberg.org/us/book", "https://codeberg.org/us/book/_edit")])
def test_a_page_links_the_repository_that_it_comes_from(tmp_path, remote,
                                                        place):
    assert repository(tmp_path) is None
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    assert repository(tmp_path) is None
    add = ["git", "-C", tmp_path, "remote", "add", "origin"]
    subprocess.run([*add, remote], check=True)
    words = {"edit": "Edit", "report": "Report"}
    edit, report = repository_links("chapters/a.ipynb", {
        "words": words, "repository": repository(tmp_path)})
    assert edit == f"[Edit]({place}/main/chapters/a.ipynb)"
    assert report == "[Report]({}/issues/new)".format(
        place.removesuffix("/edit").removesuffix("/_edit"))


@pytest.mark.parametrize("remote", ["/srv/book", "../book", "book.git",
                                    "file:///srv/book.git"])
def test_a_repository_that_nobody_else_sees_is_not_linked(tmp_path, remote):
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    subprocess.run(["git", "-C", tmp_path, "remote", "add", "origin", remote],
                   check=True)
    assert repository(tmp_path) is None


@pytest.mark.parametrize("engine", ENGINES)
def test_pages_are_edited_and_reported_where_the_remote_is(project, engine):
    make(project, engine=engine, formats=["html"])
    assert "github.com/us" not in text(project)
    subprocess.run(["git", "init", "-q", project], check=True)
    subprocess.run(["git", "-C", project, "remote", "add", "origin",
                    "git@github.com:us/book.git"], check=True)
    make(project, engine=engine, formats=["html"])
    for lang, word in ("es", "Editar esta página"), ("en", "Edit this page"):
        assert re.search('href="https://github.com/us/book/edit/main/'
                         f'chapters/a.ipynb"[^>]*>{word}', text(project, lang))
        assert "https://github.com/us/book/issues/new" in text(project, lang)
    assert "/edit/main/index.ipynb" in text(project, page="index.html")


@pytest.mark.parametrize("engine", ENGINES)
def test_a_cell_may_hand_data_to_the_pages(project, engine):
    chapter(project, """from cnnbook.storage import show_data
show_data("digits", b"cnnbook")""")
    for _ in range(2):                  # the second time, from the cache
        shutil.rmtree(project / "_book", ignore_errors=True)
        make(project, engine=engine)
        for lang in "es", "en":
            out = project / "_book" / lang
            script = (out / "assets/widgets/data/digits.js").read_text()
            assert script.endswith('["digits"] = "Y25uYm9vaw==";\n')
            assert "digits: 7 bytes for the page" in text(project)
            for path in [*out.rglob("*.html"), *out.rglob("*.ipynb")]:
                assert "Y25uYm9vaw" not in path.read_text("utf-8"), path


def test_a_hidden_cell_that_hands_data_shows_nothing(project):
    chapter(project, """#| echo: false
from cnnbook.storage import show_data
show_data("digits-28", b"cnnbook")""")
    make(project, langs=["es"], formats=["html"])
    script = project / "_book/es/assets/widgets/data/digits-28.js"
    assert script.read_text().endswith('["digits-28"] = "Y25uYm9vaw==";\n')
    assert "bytes for the page" not in text(project)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_page_whose_output_has_html_needs_no_network(project, engine):
    chapter(project, "from IPython.display import display\n"
            "display({'text/plain': 'two', 'text/html': '<b>two</b>'}, "
            "raw=True)")
    make(project, engine=engine, formats=["html"], langs=["es"])
    assert ">two" in text(project) and "<b>two" not in text(project)
    assert not re.search(r"<script[^>]* src=.https?:", text(project))


def test_python_lies_beside_the_pages_that_run_it(project, monkeypatch):
    "The pages are told whether it is there; PDF and EPUB never ask for it."
    asked, staged = [], book.stage
    runtime = project / "pyodide"

    def look():
        asked.append(True)
        return runtime

    def note(*arguments):
        asked.append(arguments[-1])
        return staged(*arguments)

    def carry(root, found, out):
        assert found == runtime and (out / "es").exists() == again
        (out / "python").mkdir(exist_ok=True)

    for name, fake in [("find_runtime", look), ("stage", note),
                       ("carry_python", carry)]:
        monkeypatch.setattr(book, name, fake)
    python, options = project / "_book" / "python", {"live": True}
    again = False
    make(project, formats=["typst"], langs=["es"], **options)
    assert asked == [False] and not python.exists()
    again = True
    make(project, formats=["html"], **options)
    assert asked == [False, True, True, True] and python.exists()
    make(project, formats=["html"], langs=["es"])       # the other uses it
    assert python.exists()
    make(project, formats=["html"])
    assert asked[4:] == [False, False, False] and not python.exists()


def letter_size(paper, words):
    "The size of the letters of `words` in a PDF, in points."
    from pypdfium2 import PdfDocument, raw
    with PdfDocument(paper) as pdf:
        for page in pdf:
            found = page.get_textpage()
            index = found.get_text_range().find(words)
            if index >= 0:
                return raw.FPDFText_GetFontSize(found, index)


def test_a_page_shows_what_another_machine_recorded(project):
    path, gaps = project / "chapters" / "a.ipynb", ("Sin ejecutar", "Not run")
    heads = [*pair("# Uno {#sec-a}", "# One {#sec-a}"),
             *pair("El final.", "The end.")]
    cell = new_code_cell("#| needs: nowhere_at_all\nprint(6 * 7)", id="six")
    write(path, *heads, cell)
    there = deepcopy(cell)
    there.source = there.source.replace("nowhere_at_all", "numpy")
    there.outputs = [new_output("stream", text="recorded 42\n")]
    record(project, {path: new_notebook(cells=[*heads, there])})
    make_book(project, engine="pandoc", formats=["html", "typst"], live=False)
    assert "recorded 42" in text(project)
    quiet = r'(?s)<div class="recorded">\s*<p>Resultados grabados el .*?</div>'
    line, = re.findall(quiet, text(project))
    assert "<code>pip install nowhere_at_all</code>" in line
    assert not any(word in text(project) for word in gaps)
    paper, = (project / "_book" / "es").glob("*[!t].pdf")
    assert letter_size(paper, "Resultados grabados") < letter_size(
        paper, "El final")
    cell.source = cell.source.replace("6 * 7", "7 * 6")
    write(path, *heads, cell)
    with pytest.raises(BuildError, match="run make record where nowhere_at"):
        make_book(project, engine="pandoc", formats=["html"], live=False)


def test_what_took_hours_is_recorded_once_and_shown_after(project,
                                                          monkeypatch):
    write(project / "chapters" / "a.ipynb",
          *pair("# Uno {#sec-a}", "# One {#sec-a}"),
          new_code_cell("from cnnbook.press.resources import skip_incomplete"),
          new_code_cell("skip_incomplete()"),
          new_code_cell("#| needs: hours\nprint(6 * 7)", id="long"))
    monkeypatch.setenv(GRANTED, "")
    monkeypatch.setattr(book, "export_package", lambda root: None)
    settings = {"engine": "pandoc", "formats": ["html"], "live": False}
    make_book(project, **settings)
    assert "42" not in text(project) and "Sin ejecutar" not in text(project)
    book.record_anew(project, hours=True)
    monkeypatch.setenv(GRANTED, "")
    make_book(project, **settings)
    assert "42" in text(project)
    assert "<code>make record HOURS=1</code>" in text(project)
    book.record_anew(project)               # here without the hours: it stays
    make_book(project, **settings)
    assert "42" in text(project)


ASKED = "x = None\n### BEGIN SOLUTION\nx = {}\n### END SOLUTION"
TESTS = """from cnnbook.classroom.marks import marks
with marks(2, "la respuesta", "the answer", of="x"):
    assert x > 3, "too small"
    ### BEGIN HIDDEN TESTS
    assert x == 4
    ### END HIDDEN TESTS
print("right in", 60, "cases")"""


def exercise(project, answer):
    "Write a chapter with one exercise, to which `answer` is the solution."
    write(project / "chapters" / "a.ipynb",
          *pair("# Uno {#sec-a}", "# One {#sec-a}"),
          *pair("Lo dijo @knuth.", "So @knuth said."),
          *pair("## Ejercicios {#sec-a-exercises}",
                "## Exercises {#sec-a-exercises}"),
          *pair("### Cuatro {#sec-a-ex-four}\n\nVéase el @sec-a, y lo dicho [@knuth].",
                "### Four {#sec-a-ex-four}\n\nSee @sec-a, and what was said [@knuth]."),
          new_code_cell(ASKED.format(answer), metadata={"tags": ["solution"]}),
          new_code_cell(TESTS, metadata={"tags": ["tests"]}))


@pytest.mark.parametrize("engine", ENGINES)
def test_a_page_of_exercises_waits_for_its_reader(project, engine):
    exercise(project, 4)
    make(project, engine=engine)
    for lang, told, file, link in (
            ("es", "○ 0/2 puntos · la respuesta: pendiente",
             "a-ejercicios.ipynb", "cuaderno de ejercicios"),
            ("en", "○ 0/2 marks · the answer: pending",
             "a-exercises.ipynb", "exercise notebook")):
        html, paths = text(project, lang), project / "_book" / lang
        assert told in words(html)
        for shown in (words(html), *paper(project, lang)):
            assert "✓" not in shown and "right in 60 cases" not in shown
        linked = re.findall(rf'href="(?:\./|\.\./)*notebooks/{file}"', html)
        assert len(linked) == 2 and link in words(html)
        asked = nbformat.read(paths / "notebooks" / file, 4)
        nbformat.validate(asked)
        source = "\n".join(cell.source for cell in asked.cells)
        name = {"es": "Véase el Capítulo 1, y lo dicho (Knuth 1968).",
                "en": "See Chapter 1, and what was said (Knuth 1968)."}[lang]
        assert name in source and "x = 4" not in source
        assert not any(cell.get("outputs") for cell in asked.cells)
        assert "✓ 2/2" in (paths / "notebooks/a.ipynb").read_text("utf-8")


def test_a_solution_that_fails_stops_the_build_and_is_named(project):
    exercise(project, 3)
    with pytest.raises(BuildError, match=(
            r"a\.ipynb, cell 9: AssertionError: too small\nin line 3 of")):
        make(project)
    assert not (project / "_book").exists()


def test_the_staged_projects_are_quarto_projects(project):
    make(project)
    for name in "es", "en", "es-paper", "en-paper":
        staged = project / "build" / name
        manifest = yaml.safe_load((staged / "_quarto.yml").read_text())
        assert manifest["lang"] == name[:2]
        assert manifest["execute"] == {"enabled": False}
        assert ("html" in manifest["format"]) == (name == name[:2])
        for file in manifest["book"]["chapters"]:
            nbformat.validate(nbformat.read(staged / file, as_version=4))


@pytest.mark.parametrize("there, wanted, engine, why", [
    (None, None, "pandoc", "not on the PATH"),
    ("1.10.18", None, "quarto", "proved with Quarto 1.10"),
    ("1.9.2", None, "pandoc", "not proved with Quarto 1.9, only with 1.10"),
    ("1.9.2", "quarto", "quarto", "as asked"),
    ("1.10.18", "pandoc", "pandoc", "as asked")])
def test_quarto_is_taken_where_the_book_is_proved_with_it(
        tmp_path, monkeypatch, there, wanted, engine, why):
    (tmp_path / "quarto").write_text(f"#!/bin/sh\necho {there}\n")
    (tmp_path / "quarto").chmod(0o755)
    (tmp_path / PROVED).parent.mkdir(parents=True)
    (tmp_path / PROVED).write_text("1.10\n")
    monkeypatch.setattr(quarto, "find_quarto", lambda: there and str(
        tmp_path / "quarto"))
    assert choose_engine(tmp_path, wanted)[0] == engine
    assert why in choose_engine(tmp_path, wanted)[1]
    if there and not wanted:
        (tmp_path / PROVED).write_text("")
        told = choose_engine(tmp_path)
        assert told[0] == "pandoc" and "only" not in told[1]


def test_quarto_that_is_wanted_and_absent_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(quarto, "find_quarto", lambda: None)
    with pytest.raises(BuildError, match="not on the PATH"):
        choose_engine(tmp_path, "quarto")


def two_more_books(project):
    "Add an appendix for screens alone, and a workshop of two pages."
    def change(manifest):
        manifest["book"]["appendices"] = ["chapters/b.ipynb",
                                          "chapters/e.ipynb"]
        manifest["cnnbook"] = {
            "html-only": ["chapters/e.ipynb"],
            "making": {"chapters": ["chapters/making/m.ipynb",
                                    "chapters/making/n.ipynb"]}}
    change_manifest(project, change)
    write(project / "chapters" / "b.ipynb",
          *pair("# Símbolos {#sec-b}", "# Symbols {#sec-b}"))
    write(project / "chapters" / "e.ipynb",
          *pair("# La sala {#sec-e}", "# The room {#sec-e}"),
          *pair("Del @sec-a.", "From @sec-a."),
          *pair("## Ventanas {#sec-e-win}", "## Windows {#sec-e-win}"),
          new_markdown_cell("$$y$$ {#eq-e}"))
    write(project / "chapters" / "making" / "m.ipynb",
          *pair("# La prensa {#sec-m}", "# The press {#sec-m}"),
          *pair("Dice knuth [@knuth].", "Says knuth [@knuth]."),
          *pair("## Tinta {#sec-m-ink}", "## Ink {#sec-m-ink}"))
    write(project / "chapters" / "making" / "n.ipynb",
          *pair("# El taller {#sec-n}", "# The shop {#sec-n}"),
          *pair("El @sec-m y el @sec-a.", "Both @sec-m and @sec-a."),
          new_markdown_cell("::: {#refs}\n:::"))
    chapter(project, es="Véase el @sec-e, la @eq-e, la @sec-e-win y el @sec-m."
            " No `@sec-e`.", en="See @sec-e, @eq-e, @sec-e-win and @sec-m."
            " Not `@sec-e`.")


@pytest.mark.parametrize("engine", ENGINES)
def test_an_appendix_may_be_for_screens_alone(project, engine):
    two_more_books(project)
    make(project, engine=engine)
    page = words(text(project))
    for told in "Apéndice B", "Ecuación B.1", "Sección B.1":
        assert told in page and f"{told}, en la" not in page, told
    assert "La sala" in text(project, page="chapters/e.html")
    for whole in paper(project, "es"):
        assert "La sala" not in whole and "Símbolos" in whole
        assert ("Véase el Apéndice B, en la edición HTML, la Ecuación B.1, "
                "en la edición HTML, la Sección B.1, en la edición HTML y el "
                "Capítulo 1 de Cómo se hace este libro, en la edición HTML. "
                "No @sec-e.") in whole
    for whole in paper(project, "en"):
        assert "See Appendix B, in the HTML edition," in whole


@pytest.mark.parametrize("engine", ENGINES)
def test_the_workshop_is_another_book(project, engine):
    two_more_books(project)
    make(project, engine=engine)
    out = project / "_book" / "es"
    press = text(project, page="making/n.html")
    assert "Capítulo 1 y el" in words(press)
    assert "Capítulo 1 de Cómo funciona de verdad una red" in words(press)
    assert {"../chapters/a.html#sec-a", "../index.html",
            "../../en/making/n.html", "m.html#sec-m"} <= set(Page(press).links)
    assert "../making/m.html#sec-m" in Page(text(project)).links
    assert (out / "making/notebooks/n.ipynb").exists()
    assert not (out / "notebooks/n.ipynb").exists()
    assert not (out / "chapters/making").exists()
    assert "Knuth" in words(text(project, page="making/n.html"))
    assert "sec-m" not in (out / "assets/search-index.js").read_text()
    assert "sec-m" in (out / "making/assets/search-index.js").read_text()
    for whole in paper(project, "es"):
        assert "La prensa" not in whole and "El taller" not in whole
    assert broken_links({lang: out.parent / lang for lang in ("es", "en")}
                        ) == []


def test_an_appendix_for_screens_alone_comes_last(project):
    two_more_books(project)
    change_manifest(project, lambda manifest: manifest["cnnbook"].update(
        {"html-only": ["chapters/b.ipynb"]}))
    with pytest.raises(BuildError, match="html-only must name the last"):
        make(project)


def test_a_notebook_in_no_list_is_named(project):
    write(project / "chapters" / "making" / "lost.ipynb",
          *pair("# Sin lugar {#sec-l}", "# Lost {#sec-l}"))
    with pytest.raises(BuildError, match="chapters/making/lost.ipynb is in "
                       "no list of _quarto.yml: add it"):
        make(project)
    change_manifest(project, lambda manifest: manifest["cnnbook"]["making"]
                    .update(chapters=["chapters/making/lost.ipynb"]))
    make(project, formats=["html"], langs=["es"])
    assert "Sin lugar" in text(project, page="making/lost.html")


def test_citations_need_a_place_for_the_references(project):
    write(project / "chapters" / "z.ipynb",
          *pair("# Fin {#sec-z}", "# End {#sec-z}"))
    with pytest.raises(BuildError, match="a page needs ::: {#refs}"):
        make(project)


def test_an_id_is_used_once(project):
    chapter(project, es="## Otra {#sec-z}", en="## Other {#sec-z}")
    with pytest.raises(BuildError, match="z.ipynb: the id sec-z is used "
                       "twice; also in chapters/a.ipynb"):
        make(project)


@pytest.mark.parametrize("engine", ENGINES)
def test_old_addresses_are_kept(project, engine):
    two_more_books(project)
    change_manifest(project, lambda manifest: manifest["cnnbook"].update(
        moved={"chapters/old.html": "chapters/a.html",
               "chapters/A5.html": "making/m.html"},
        renamed={"sec-was": "sec-m-ink"}))
    make(project, engine=engine, formats=["html"])
    old = text(project, page="chapters/A5.html")
    assert 'content="0; url=../making/m.html"' in old
    table = text(project, page="assets/places.js")
    places = json.loads(table.partition("=")[2].strip().rstrip(";"))
    assert places["sec-was"] == "making/m.html#sec-m-ink"
    assert places["eq-e"] == "chapters/e.html#eq-e"
    inside = text(project, page="making/assets/places.js")
    assert '"sec-was":"m.html#sec-m-ink"' in inside
    assert '"sec-a":"../chapters/a.html#sec-a"' in inside


@pytest.mark.parametrize("key, value, message", [
    ("moved", {"old.html": "chapters/none.html"}, "old.html: broken link"),
    ("moved", {"index.html": "chapters/a.html"}, "index.html is still a page"),
    ("renamed", {"sec-was": "sec-none"}, "sec-was leads to sec-none")])
def test_an_address_that_leads_nowhere_is_named(project, key, value, message):
    change_manifest(project, lambda manifest: manifest["cnnbook"].update(
        {key: value}))
    with pytest.raises(BuildError, match=message):
        make(project, formats=["html"])


def run_cnnbook(*arguments, **options):
    return subprocess.run([CNNBOOK, *arguments], capture_output=True, text=True, **options)


def test_the_command_line_explains_itself():
    done = run_cnnbook("book", "--help")
    assert done.returncode == 0 and "--lang" in done.stdout
    done = run_cnnbook("book", cwd="/")
    assert done.returncode == 1 and "_quarto.yml" in done.stderr
    done = run_cnnbook("--version")
    assert done.stdout == f"cnnbook {cnnbook.__version__}\n"
    done = run_cnnbook()
    assert done.returncode == 2 and "usage: cnnbook" in done.stderr


@pytest.mark.parametrize("command, default", [
    ("book", "both"), ("preview", "both"), ("student", "both"),
    ("grade", "es, that of this system")])
def test_one_rule_for_the_language(command, default):
    spanish = {"PATH": os.environ["PATH"], "LANG": "es_ES.UTF-8"}
    told = " ".join(run_cnnbook(command, "--help", env=spanish).stdout.split())
    assert f"one language only (default: {default})" in told
    assert "Without --lang both languages are made" in told
    asked = ["grade", "folder"] if command == "grade" else [command]
    assert parse([*asked, "--lang", "en"]).lang == "en"


@pytest.mark.parametrize("variables, lang", [
    ({}, "en"), ({"LANG": "es_MX.UTF-8"}, "es"), ({"LANG": "de_DE"}, "en"),
    ({"LANG": "es_ES", "LC_ALL": "C"}, "en"),
    ({"LANG": "en_US", "LC_MESSAGES": "es_ES"}, "es")])
def test_the_language_of_the_system(monkeypatch, variables, lang):
    for name in "LC_ALL", "LC_MESSAGES", "LANG":
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert parse(["grade", "folder"]).lang == lang


def test_each_limit_of_the_grader_can_be_told():
    from cnnbook.classroom.sandbox import LIMITS
    told = parse(["grade", "folder"])
    assert LIMITS == {name: getattr(told, name) for name in LIMITS}


@pytest.mark.parametrize("arguments, room, strangers", [
    (["--help"], "cnnbook.cli", ["book", "pandoc", "student", "grade"]),
    (["book", "--help"], "cnnbook.cli", ["book", "pandoc", "staging"]),
    (["student", "--out", "OUT"], "cnnbook.press.student",
     ["book", "pandoc", "staging", "quarto", "grade"]),
    (["grade", "nothing"], "cnnbook.classroom.grader",
     ["book", "pandoc", "staging", "quarto"])])
def test_a_command_imports_only_its_room(tmp_path, arguments, room,
                                         strangers):
    program = """
import sys
from cnnbook.cli import main
try:
    main()
except SystemExit:
    pass
print(sorted(n for n in sys.modules if n.startswith("cnnbook.")))"""
    arguments = [a.replace("OUT", str(tmp_path)) for a in arguments]
    done = subprocess.run([sys.executable, "-c", program, *arguments],
                          cwd=ROOT, capture_output=True, text=True)
    loaded = re.findall(r"'([\w.]+)'", done.stdout.splitlines()[-1])
    assert room in loaded, done.stderr
    assert not {name.rpartition(".")[2] for name in loaded} & set(strangers)
