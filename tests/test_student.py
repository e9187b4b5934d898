"""The notebooks that students work in, run as they would run them."""
import json
import re
from argparse import Namespace
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from cnnbook.press.student import (anchor_names, citation_names, exercises,
                                   hand_out, plain_markdown,
                                   student_notebook)
from cnnbook.press import student as module
from cnnbook.press.editions import BLOCK, edition
from cnnbook.press.manifest import BuildError, read_manifest, read_notebooks
from conftest import ROOT

LANGS = "es", "en"


@lru_cache
def book():
    return read_notebooks(ROOT)


@lru_cache
def known(lang):
    "The names of the places and of the citations."
    entries = (ROOT / "references.bib").read_text("utf-8")
    return (anchor_names(book(), read_manifest(ROOT, lang))
            | citation_names(entries, lang))


def source(stem, lang):
    "The edition of a chapter."
    return edition(book()[ROOT / "chapters" / f"{stem}.ipynb"], lang)


@lru_cache
def made(stem, lang, solutions=False):
    return student_notebook(source(stem, lang), lang, known(lang),
                            solutions=solutions)


CHAPTERS = [path.stem for path, nb in book().items()
            if student_notebook(nb, "es")]


def run(nb, tmp_path):
    "Run all the cells as Jupyter does: past those tagged raises-exception."
    nb = nbformat.from_dict(json.loads(json.dumps(nb)))
    NotebookClient(nb, timeout=120, kernel_name="python3", resources={
        "metadata": {"path": str(tmp_path)}}).execute()
    return nb


def failed(cell):
    return any(o.output_type == "error" for o in cell.get("outputs", []))


def total(nb):
    "What the last cell, the summary, says: (earned, at stake)."
    output, = nb.cells[-1].outputs
    found = re.search(r"Total +([\d.]+)/([\d.]+)", output.data["text/plain"])
    return float(found[1]), float(found[2])


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("stem", CHAPTERS)
def test_it_is_valid_and_gives_nothing_away(stem, lang):
    nb, teacher = made(stem, lang), made(stem, lang, True)
    nbformat.validate(nb)
    nbformat.validate(teacher)
    text = "\n".join(cell.source for cell in nb.cells)
    for mark in "BEGIN SOLUTION", "HIDDEN TESTS", ":::", "{#", "#|":
        assert mark not in text, mark
    ids = [cell.id for cell in nb.cells]
    assert len(ids) == len(set(ids))
    for cell in teacher.cells:
        for part in re.findall(r"(?s)### BEGIN \w+(?: TESTS)?\n(.*?)### END",
                               cell.source):
            assert part.strip() not in text


RAW = {
    "a division": r"(?m)^\s*:{3,}",
    "an attribute": r"\{([.#][a-z]|-\}|[\w-]+=)",
    "a reference or a citation": r"(?<![\w.])@\w",
    "the key of a place": r"\b(sec|eq|fig|tbl)-\w",
    "a footnote": r"\[\^|\^\[",
    "a raw block": r"\{=\w+\}",
    "a picture of the book's": r"!\[",
    "a link within the book": r"\]\((?!https?://)",
    "the caption of a table": r"(?m)^: ",
    "what stands for something kept": r"\0",
}


KEPT = re.compile(rf"{BLOCK}|`[^`\n]+`|\$\$.+?\$\$|\$[^$]+\$")


def prose(cell):
    "What is neither code nor a formula."
    return KEPT.sub(" ", cell.source)


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("stem", CHAPTERS)
def test_it_holds_none_of_the_books_own_marks(stem, lang):
    for nb in made(stem, lang), made(stem, lang, True):
        for cell in nb.cells:
            if cell.cell_type == "markdown":
                for kind, pattern in RAW.items():
                    found = re.search(pattern, prose(cell))
                    assert not found, (kind, cell.source)
                boxes = [cell.source.count(tag) for tag in
                         ("<details>", "</details>", "<summary>")]
                assert len(set(boxes)) == 1


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("stem", CHAPTERS)
def test_it_mentions_what_the_chapter_mentions(stem, lang):
    "Every formula, every bit of code and the name of every reference."
    for exercise in exercises(source(stem, lang)):
        cells = [cell.source for cell in exercise.cells
                 if cell.cell_type == "markdown"
                 and not cell.source.startswith("::: {.callout-note")]
        text = "\n".join(plain_markdown(cell, known(lang)) for cell in cells)
        whole = "\n".join(cells)
        assert KEPT.findall(text) == KEPT.findall(whole)
        for key in re.findall(r"(?<![\w.])@([\w-]*\w)", whole):
            name = known(lang)[key]
            assert re.sub(r"[()]", "", name) in re.sub(r"[()]", "", text)
        given = [cell.source for cell in made(stem, lang).cells]
        assert all(plain_markdown(cell, known(lang)) in given
                   for cell in cells)
        level = re.search(r"(?m)^\*[\w ]+ · \d+ min\*$", cells[0])
        assert not level or any(level[0] in cell for cell in given)


@pytest.mark.parametrize("lang", LANGS)
def test_every_citation_has_a_name(lang):
    entries = (ROOT / "references.bib").read_text("utf-8")
    names = citation_names(entries, lang)
    assert len(names) == entries.count("\n@") + 1 > 50
    for name in names.values():
        assert re.fullmatch(r"[^\W\d_][\w' -]+( et al\.)? \(\d{4}\)", name)
    word = {"es": "y", "en": "and"}[lang]
    assert names["simonyan2015"] == f"Simonyan {word} Zisserman (2015)"
    assert names["lecun1989"] == "LeCun et al. (1989)"


BOXES = """::::: {.callout-tip collapse="true"}
## A [hint]{.term}
::: {.columns}
Look at @eq-a, @goto2008 and [@goto2008; @li2020, p. 7].

```python
@property          # {#no} ::: [^1]
```
:::
:::::

::: {.callout-note}
No title.
:::

::: aside
Text [here](https://a.b/c){.external} {#eq-x} `@eq-a` $a_{.x}$
:::"""


def test_markdown_of_every_kind_becomes_plain():
    names = {"eq-a": "Equation 1.1", "goto2008": "Goto (2008)",
             "li2020": "Li et al. (2020)"}
    assert plain_markdown(BOXES, names) == """\
<details><summary>A hint</summary>

Look at Equation 1.1, Goto (2008) and (Goto 2008; Li et al. 2020, p. 7).

```python
@property          # {#no} ::: [^1]
```

</details>

> No title.

Text [here](https://a.b/c) `@eq-a` $a_{.x}$"""


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("stem", CHAPTERS)
def test_the_cells_carry_what_nbgrader_needs(stem, lang):
    cells = [c.metadata.nbgrader for c in made(stem, lang).cells
             if "nbgrader" in c.metadata]
    ids = [c.grade_id for c in cells]
    assert len(ids) == len(set(ids)) and all(
        re.fullmatch(r"[\w-]+", i) for i in ids)
    for cell in cells:
        assert set(cell) - {"points"} == {
            "grade", "grade_id", "locked", "schema_version", "solution",
            "task"}
        assert cell.schema_version == 3 and cell.grade is not cell.solution
        assert cell.grade is cell.locked is ("points" in cell)
    points = sum(c.get("points", 0) for c in cells)
    assert points == made(stem, lang).metadata.cnnbook.total > 0


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("stem", CHAPTERS)
def test_it_carries_the_ids_of_its_exercises(stem, lang):
    nb = made(stem, lang)
    ids = [e.id for e in exercises(source(stem, lang))]
    assert nb.metadata.cnnbook.exercises == ids
    told = [(cell, cell.metadata.cnnbook.exercise) for cell in nb.cells
            if "cnnbook" in cell.metadata]
    assert list(dict.fromkeys(exercise for _, exercise in told)) == ids
    for cell, exercise in told:
        if "nbgrader" in cell.metadata:
            assert cell.metadata.nbgrader.grade_id.startswith(exercise + "-")
        else:
            assert cell.source.startswith("### ")
    assert sum("nbgrader" not in cell.metadata for cell, _ in told) == len(ids)


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    "The notebooks, as given and solved, being run two at a time."
    with ThreadPoolExecutor(2) as pool:
        yield {(stem, kind): pool.submit(run, make(stem),
                                         tmp_path_factory.mktemp(stem))
               for stem in CHAPTERS
               for kind, make in (("given", given), ("solved", filled))}


def given(stem):
    return made(stem, "es")


def filled(stem):
    "The student's notebook with the solutions filled in."
    nb = nbformat.from_dict(json.loads(json.dumps(made(stem, "en"))))
    solved = {c.metadata.nbgrader.grade_id: c.source
              for c in made(stem, "en", True).cells
              if c.metadata.get("nbgrader", {}).get("solution")}
    for cell in nb.cells:
        if cell.metadata.get("nbgrader", {}).get("solution"):
            cell.source = solved.pop(cell.metadata.nbgrader.grade_id)
    assert not solved
    return nb


@pytest.mark.parametrize("stem", CHAPTERS)
def test_untouched_it_fails_only_in_its_tests(stem, ran):
    nb = ran[stem, "given"].result()
    for cell in nb.cells:
        if cell.cell_type == "code":
            tests = cell.metadata.get("nbgrader", {}).get("grade", False)
            assert failed(cell) == tests, cell.source
    earned, stake = total(nb)
    assert earned == 0 and stake == nb.metadata.cnnbook.total


@pytest.mark.parametrize("stem", CHAPTERS)
def test_with_the_solutions_it_earns_all_the_marks(stem, ran):
    nb = ran[stem, "solved"].result()
    assert not any(map(failed, nb.cells))
    earned, stake = total(nb)
    assert earned == stake == nb.metadata.cnnbook.total


def test_the_first_cell_installs_only_what_is_missing():
    from IPython.core.inputtransformer2 import TransformerManager
    cell = next(c for c in made(CHAPTERS[0], "es").cells
                if c.cell_type == "code")
    code = TransformerManager().transform_cell(cell.source)
    asked = []

    class Shell:
        def run_line_magic(self, name, line, **_):
            asked.append((name, line))

    exec(code, {"get_ipython": Shell})
    assert asked == []
    exec(code.replace("cnnbook.classroom.marks", "not_there"), {"get_ipython": Shell})
    assert asked == [("pip", "install --quiet cnnbook")]


def test_the_names_are_those_of_the_pages():
    es, en = (anchor_names(book(), read_manifest(ROOT, lang))
              for lang in LANGS)
    assert es["sec-conv1d"] == "Capítulo 1" and en["sec-conv1d"] == "Chapter 1"
    assert en["sec-notation"] == "Appendix A"
    assert re.fullmatch(r"Section 1\.\d+\.1", en["sec-conv1d-ex-hand"])
    assert re.fullmatch(r"Equation 1\.\d+", en["eq-conv1d-length"])
    assert es.keys() == en.keys()


def asked(out, lang=None, package="cnnbook", solutions=False):
    "What the command line gives to the command."
    return Namespace(out=out, lang=lang, package=package,
                     solutions=solutions)


def test_the_command_writes_both_languages(tmp_path, capsys):
    hand_out(ROOT, asked(tmp_path))
    for lang in LANGS:
        names = {p.stem for p in (tmp_path / lang).iterdir()}
        assert names == set(CHAPTERS)
    told = capsys.readouterr().out.split()
    assert all(Path(path).exists() for path in told)


def test_the_command_can_be_narrowed(tmp_path):
    hand_out(ROOT, asked(tmp_path, "en", "some-cnnbook", True))
    assert [p.name for p in tmp_path.iterdir()] == ["en"]
    text = (tmp_path / "en" / f"{CHAPTERS[0]}.ipynb").read_text()
    assert "BEGIN SOLUTION" in text
    assert "pip install --quiet some-cnnbook" in text


def test_a_book_without_exercises_says_so(tmp_path, monkeypatch):
    notebooks = module.read_notebooks(ROOT)
    for nb in notebooks.values():
        nb.cells = [c for c in nb.cells if c.cell_type == "markdown"]
    monkeypatch.setattr(module, "read_notebooks", lambda root: notebooks)
    with pytest.raises(BuildError, match="no chapter has an exercise"):
        hand_out(ROOT, asked(tmp_path))
