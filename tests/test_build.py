"""What `make book` promises, on a book of three small pages."""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
import yaml
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from cnnbook.press.build import BuildError, choose_engine, find_quarto, make_book
from conftest import ROOT

ENGINES = ["pandoc", pytest.param("quarto", marks=pytest.mark.skipif(
    not find_quarto(), reason="quarto 1.9 or newer is not on the PATH"))]


def pair(es, en):
    return [new_markdown_cell(es, metadata={"tags": ["es"]}),
            new_markdown_cell(en, metadata={"tags": ["en"]})]


def write(path, *cells):
    nb = new_notebook(cells=list(cells), metadata={"kernelspec": {
        "name": "python3", "display_name": "python3"}})
    path.parent.mkdir(exist_ok=True)
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
    (tmp_path / "_quarto.yml").write_text(yaml.safe_dump(manifest))
    (tmp_path / "references.bib").write_text(
        "@book{knuth, author={Knuth, Donald}, title={TAOCP}, year={1968}}")
    (tmp_path / "pyproject.toml").write_text("[tool.nbdev]\n")
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


def make(project, **options):
    return make_book(project, **{"engine": "pandoc", **options})


def text(project, lang="es"):
    return (project / "_book" / lang / "chapters" / "a.html").read_text()


def test_it_makes_two_languages_in_two_formats(project):
    paths = make(project)
    assert [p.relative_to(project / "_book").as_posix() for p in paths] == [
        f"{lang}/{name}" for lang in ("es", "en") for name in
        ("index.html", f"cnnbook-{lang}.pdf", f"cnnbook-{lang}.epub")]
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


def test_nothing_runs_twice(project, capsys):
    log = project / "runs"
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


@pytest.mark.skipif(not find_quarto(), reason="quarto 1.9 or newer is not "
                    "on the PATH")
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


def test_ctrl_c_leaves_the_last_good_book(project):
    make(project, formats=["html"])
    good = text(project)
    started = project / "started"
    chapter(project, f"import time; open({str(started)!r}, 'w').close()\n"
            "time.sleep(60)")
    program = ("from pathlib import Path\nfrom cnnbook.cli import main\n"
               "main()")
    process = subprocess.Popen(
        [sys.executable, "-c", program, "book", "--engine", "pandoc"],
        cwd=project, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONPATH": str(project)}, start_new_session=True,
        # a shell starts what runs in its background deaf to Ctrl-C
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    deadline = time.time() + 60
    while not started.exists() and time.time() < deadline:
        time.sleep(0.1)
    assert started.exists(), process.communicate()
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=30)
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


@pytest.mark.parametrize("engine", ENGINES)
def test_a_page_whose_output_has_html_needs_no_network(project, engine):
    chapter(project, "from IPython.display import display\n"
            "display({'text/plain': 'two', 'text/html': '<b>two</b>'}, "
            "raw=True)")
    make(project, engine=engine, formats=["html"], langs=["es"])
    assert ">two" in text(project) and "<b>two" not in text(project)
    assert not re.search(r"<script[^>]* src=.https?:", text(project))


def test_the_staged_projects_are_quarto_projects(project):
    make(project)
    for lang in "es", "en":
        staged = project / "build" / lang
        manifest = yaml.safe_load((staged / "_quarto.yml").read_text())
        assert manifest["lang"] == lang
        assert manifest["execute"] == {"enabled": False}
        for file in manifest["book"]["chapters"]:
            nbformat.validate(nbformat.read(staged / file, as_version=4))


def test_without_quarto_it_says_so_once_and_goes_on(tmp_path, monkeypatch):
    import cnnbook.press.build as build
    calls = []
    monkeypatch.setattr(build, "find_quarto", lambda: None)
    monkeypatch.setattr(build, "_install_quarto",
                        lambda: calls.append(1) or "the download is blocked")
    note = tmp_path / "note"
    for _ in range(2):
        engine, why = choose_engine(note=note)
        assert engine == "pandoc" and "the download is blocked" in why
    assert calls == [1]
    with pytest.raises(BuildError, match="not on the PATH"):
        choose_engine("quarto")


def test_the_command_line_explains_itself():
    command = [Path(sys.executable).with_name("cnnbook"), "book"]
    done = subprocess.run([*command, "--help"], capture_output=True, text=True)
    assert done.returncode == 0 and "--lang" in done.stdout
    done = subprocess.run(command, cwd="/", capture_output=True, text=True)
    assert done.returncode == 1 and "_quarto.yml" in done.stderr
