"""The notebooks that students work in, run as they would run them."""
import ast
import json
import re
from argparse import Namespace
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from cnnbook.press.student import (anchor_names, citation_names, exercises,
                                   hand_out, plain_markdown,
                                   student_notebook)
from cnnbook.press import student as module
from cnnbook.press.editions import BLOCK, edition, stakes
from cnnbook.press.manifest import BuildError, read_manifest, read_notebooks
from conftest import ROOT
from wrong_answers import bound_names

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


def is_test(cell):
    return cell.metadata.get("nbgrader", {}).get("grade", False)


def told(cell):
    "What a cell of tests says of its marks, at the end of what it shows."
    return [output.data["text/plain"] for output in cell.outputs
            if output.output_type == "display_data"][-1]


@pytest.mark.parametrize("stem", CHAPTERS)
def test_untouched_all_of_it_is_pending(stem, ran):
    nb = ran[stem, "given"].result()
    for cell in nb.cells:
        if cell.cell_type == "code":
            assert failed(cell) == is_test(cell), cell.source
        if is_test(cell):
            assert re.match(r"○ 0/[\d.]+ puntos · .*\n.*(Falta escribir|"
                            "[Tt]odavía no está escrit)", told(cell))
            error, = [o for o in cell.outputs if o.output_type == "error"]
            assert error.traceback == ["↑"]
    earned, stake = total(nb)
    assert earned == 0 and stake == nb.metadata.cnnbook.total


@pytest.mark.parametrize("stem", CHAPTERS)
def test_with_the_solutions_it_earns_all_the_marks(stem, ran):
    nb = ran[stem, "solved"].result()
    assert not any(map(failed, nb.cells))
    for cell in filter(is_test, nb.cells):
        assert told(cell).startswith("✓ ")
    earned, stake = total(nb)
    assert earned == stake == nb.metadata.cnnbook.total


@pytest.mark.parametrize("stem", CHAPTERS)
def test_the_table_names_all_in_the_language_of_the_notebook(stem, ran):
    for kind, lang in ("given", "es"), ("solved", "en"):
        nb = ran[stem, kind].result()
        table = nb.cells[-1].outputs[0].data["text/plain"]
        _, *rows, _ = [line.rsplit("  ", 1)[0].rstrip()
                       for line in table.split("\n")]
        assert rows == [names[lang] for cell in filter(is_test, nb.cells)
                        for _, names in stakes(cell.source)]


GIVEN = "from cnnbook import conv1d\nfrom cnnbook.classroom.marks import marks"
DOUBLE = ("def double(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n"
          "    ### END SOLUTION")
CONV1D = ("def conv1d(x, k):\n    ### BEGIN SOLUTION\n    return [x[0] * k[0]]"
          "\n    ### END SOLUTION")
SIDE = "side = None\n### BEGIN SOLUTION\nside = 4\n### END SOLUTION"
CHECKS = {
    "side": 'with marks(1, "el lado", "the side", of="side"):\n'
            "    assert side == 4",
    "double": 'with marks(2, of="double"):\n    assert double(3) == 6',
    "conv1d": 'with marks(3, of="conv1d"):\n'
              "    assert conv1d([1], [2]) == [2]"}


def small():
    "The notebook of a chapter of three exercises, in Spanish."
    cells = [new_markdown_cell("# Tres {#sec-t}"),
             new_markdown_cell("## Ejercicios {#sec-t-exercises}"),
             new_code_cell(GIVEN)]
    for answer, (name, tests) in zip((SIDE, DOUBLE, CONV1D), CHECKS.items()):
        cells += [new_markdown_cell(f"### Uno {{#sec-t-ex-{name}}}"),
                  new_code_cell(answer, metadata={"tags": ["solution"]}),
                  new_code_cell(tests, metadata={"tags": ["tests"]})]
    return student_notebook(new_notebook(cells=cells), "es")


def answered(answers, tmp_path, nb=None):
    "Run the small notebook with these `answers`: what each test says."
    nb = nb or small()
    for cell in nb.cells:
        name = cell.metadata.get("cnnbook", {}).get("exercise", "")[5:]
        solution = cell.metadata.get("nbgrader", {}).get("solution")
        if solution and name in answers:
            cell.source = answers[name]
            cell.metadata["tags"] = ["raises-exception"]
    nb = run(nb, tmp_path)
    return nb, [told(cell) for cell in filter(is_test, nb.cells)]


def test_a_wrong_answer_is_told_once(tmp_path):
    nb, (side, double, conv1d) = answered({
        "side": "side = 5", "double": "def double(x):\n    return x + 2",
        "conv1d": "def conv1d(x, k):\n    return [x[1]]"}, tmp_path)
    assert side == ("✗ 0/1 puntos · el lado\n"
                    "`side` da 5; se esperaba 4.")
    assert double.startswith("✗ 0/2 puntos · double\n")
    assert "`double(3)` da 5; se esperaba 6" in double
    assert conv1d.startswith("✗ 0/3 puntos · conv1d\n")
    assert "IndexError" in conv1d and "`return [x[1]]`" in conv1d
    for cell in filter(is_test, nb.cells):
        error, = [o for o in cell.outputs if o.output_type == "error"]
        assert error.traceback == ["↑"]
    assert total(nb) == (0, 6)


def test_what_cannot_be_run_is_not_written(tmp_path):
    "Not even if the book has a function of the name."
    nb, (side, double, conv1d) = answered({
        "side": "side = = 4", "double": "def double(x)\n    return 2 * x",
        "conv1d": "def conv1d(x, k):\nreturn [2]"}, tmp_path)
    assert side == ("○ 0/1 puntos · el lado\nFalta escribir `side` en la "
                    "celda de la respuesta y ejecutarla.")
    assert double.startswith("○ 0/2 puntos · double\nFalta escribir `double`")
    assert conv1d.startswith("○ 0/3 puntos · conv1d\n`conv1d` es aquí la "
                             "función del libro")
    assert total(nb) == (0, 6)


def test_a_test_may_be_run_before_its_answer(tmp_path):
    nb = small()
    first = [i for i, cell in enumerate(nb.cells) if is_test(cell)]
    early = [nbformat.from_dict(nb.cells[i] | {"id": f"early-{i}"})
             for i in first]
    start = first[0] - 2
    nb.cells[start:start] = early
    nb, said = answered({
        "side": "side = 4", "double": "double = lambda x: x * 2",
        "conv1d": "def conv1d(x, k):\n    return [2]"}, tmp_path, nb)
    assert [text[:5] for text in said] == [
        "○ 0/1", "○ 0/2", "○ 0/3", "✓ 1/1", "✓ 2/2", "✓ 3/3"]
    assert total(nb) == (6, 6)


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


def given_cells(nb):
    "The code that the student gets before the exercises and within them."
    return [c.source for c in nb.cells if c.cell_type == "code"
            and "nbgrader" not in c.metadata and c.id not in
            ("install", "marks")]


@pytest.mark.parametrize("stem", CHAPTERS)
def test_what_is_given_does_not_answer(stem):
    "No given cell binds a name that an exercise asks for."
    nb = made(stem, "en")
    asked = {name for cell in filter(is_test, nb.cells)
             for name in asked_in(cell.source)}
    bound = {name for source in given_cells(nb)
             for name in bound_names(source)}
    assert asked and bound and not asked & bound


def asked_in(source):
    "The names that the block of marks of some tests asks for."
    call, = [node for node in ast.walk(ast.parse(source)) if isinstance(
        node, ast.Call) and getattr(node.func, "id", "") == "marks"]
    of = next((ast.literal_eval(k.value) for k in call.keywords
               if k.arg == "of"), "")
    return re.findall(r"\w+", of) if isinstance(of, str) else of


@pytest.mark.parametrize("stem", CHAPTERS)
def test_every_cell_of_tests_is_one_block_of_marks(stem):
    for lang in LANGS:
        for cell in filter(is_test, made(stem, lang).cells):
            assert len(stakes(cell.source)) == 1, cell.source
            block = ast.parse(cell.source).body[-1]
            assert isinstance(block, ast.With) and asked_in(cell.source)
            assert not all(isinstance(node, (ast.Pass, ast.Assign))
                           for node in block.body)


@pytest.mark.parametrize("stem", CHAPTERS)
def test_every_block_has_a_name_in_both_languages(stem):
    "A name is the same in both if it is what is asked for, and only then."
    found = []
    for cells in zip(*(filter(is_test, made(stem, lang).cells)
                       for lang in LANGS)):
        es, en = (stakes(cell.source)[0][1][lang]
                  for lang, cell in zip(LANGS, cells))
        codes = set(re.findall(r"\w+", es)) <= set(asked_in(cells[0].source))
        assert (es == en) == codes, (es, en)
        found.append(es)
    assert len(found) == len(set(found)) > 0


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
