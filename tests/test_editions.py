"""The two languages of every notebook say the same."""
import ast
import re

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from cnnbook.classroom.marks import marks, verdict
from cnnbook.press.student import exercises
from cnnbook.press.editions import (SOLVED, arranged, edition, language,
                                    stakes, unpaired)
from cnnbook.press.manifest import read_manifest, workshop
from cnnbook.press.numbering import number_book
from cnnbook.press.paper import unaccented
from conftest import FILES, ROOT, plain

WORDS = r"[a-záéíóúüñA-ZÁÉÍÓÚÜÑ]"


def pairs(nb):
    "The (Spanish, English) texts of a notebook."
    cells = [c for c in nb.cells if c.cell_type == "markdown"]
    return [(a.source, b.source) for a, b in zip(cells, cells[1:])
            if language(a) == "es" and language(b) == "en"]


@pytest.mark.parametrize("file", FILES)
def test_every_cell_has_its_twin(notebooks, file):
    assert unpaired(notebooks[file]) == []


@pytest.mark.parametrize("file", FILES)
def test_titles_of_figures_and_tables_exist_in_both(notebooks, file):
    for cell in notebooks[file].cells:
        label = re.match(r"(?:#\|.*\n)*#\| label: (fig|tbl)-", cell.source)
        if cell.cell_type == "code" and label:
            kind = label[1]
            needed = ["fig-cap", "fig-alt"] if kind == "fig" else ["tbl-cap"]
            for key in needed:
                for lang in "es", "en":
                    assert re.search(rf'#\| {key}-{lang}: "\S.{{8,}}"',
                                     cell.source), (key, lang, cell.source)


@pytest.mark.parametrize("file", FILES)
def test_the_languages_are_not_swapped(notebooks, file):
    spanish = re.compile(r"\b(el|la|los|las|de|que|con|una)\b", re.I)
    english = re.compile(r"\b(the|of|that|with|an|is|are)\b", re.I)
    for es, en in pairs(notebooks[file]):
        es, en = plain(es), plain(en)
        assert len(english.findall(es)) <= len(spanish.findall(es)), es
        assert len(spanish.findall(en)) <= len(english.findall(en)), en


@pytest.mark.parametrize("file", FILES)
def test_no_sentence_is_said_twice_in_a_row(notebooks, file):
    for cell in notebooks[file].cells:
        if cell.cell_type == "markdown":
            twice = re.search(r"( [^\n]{25,}?[.:;?!)])\1", cell.source)
            assert not twice, (cell.id, twice[1])


@pytest.mark.parametrize("file", FILES)
def test_the_twins_have_similar_lengths(notebooks, file):
    for es, en in pairs(notebooks[file]):
        a, b = (len(re.findall(WORDS + "+", plain(t))) for t in (es, en))
        assert min(a, b) > 0.55 * max(a, b) - 8, (es, en)


ROW = re.compile(r"(?m)^\| ([^|]+) \| \*([^|]+)\* \| ([^|]+) "
                 r"\(@(sec-[\w-]+)\)\. \|$")


def glossary(notebooks, lang="es"):
    "The rows of the glossary: term, its name in the other language, ..."
    cells = notebooks["chapters/A_notation.ipynb"].cells
    table, = (c.source for c in cells if "{#tbl-notation-glossary}" in c.source
              and language(c) == lang)
    rows = ROW.findall(table)
    lines = [line for line in table.split("\n") if line.startswith("| ")]
    assert len(rows) == len(lines) - 1, set(lines) - {
        m[0] for m in ROW.finditer(table)}
    return rows


def stem(term):
    "A pattern that matches a term and its plurals."
    parts = [re.escape(w[:-1] if len(w) > 5 else w) + WORDS + "{0,3}"
             for w in term.split()]
    return re.compile(r"\b" + r"\s+".join(parts), re.I)


@pytest.mark.parametrize("lang", ["es", "en"])
def test_the_glossary_is_sorted_and_unique(notebooks, lang):
    terms = [unaccented(row[0]) for row in glossary(notebooks, lang)]
    assert len(terms) >= 110 and terms == sorted(set(terms))


@pytest.mark.parametrize("lang", ["es", "en"])
def test_the_glossary_defines_each_term_in_a_sentence(notebooks, lang):
    for term, _, definition, link in glossary(notebooks, lang):
        assert not set(term) & set("*_`$[]@"), term
        assert re.match(r"[A-ZÁÉÍÓÚÑ]", definition), term
        assert 4 <= len(definition.split()) <= 30, term
        assert not re.search(r"\. |[.:;]$", definition), term


def test_the_two_glossaries_are_one(notebooks):
    spanish = {(es, en, link) for es, en, _, link in glossary(notebooks)}
    english = {(es, en, link)
               for en, es, _, link in glossary(notebooks, "en")}
    assert spanish == english


# Terms that mean only one thing, so that finding one calls for its pair.
STRICT = {
    "ablación", "agrupación", "agrupación global por promedio",
    "agrupación por máximo", "aumento de datos", "campo receptivo", "canal",
    "conexión residual", "convolución por canal", "convolución transpuesta",
    "correlación cruzada", "desviación estándar", "diferencias centrales",
    "dilatación", "ejemplo adversario", "entropía cruzada", "equivarianza",
    "exactitud", "gradiente", "hiperparámetro", "impulso", "invarianza",
    "jacobiana", "logit", "mapa de características", "matriz de confusión",
    "media móvil", "minilote", "normalización por lotes", "núcleo",
    "oclusión", "optimizador", "parada temprana", "producto exterior",
    "punto de control", "regla de la cadena", "retropropagación",
    "saliencia", "semilla", "sesgo", "sobreajuste", "tasa de aprendizaje"}


@pytest.mark.parametrize("file", FILES)
def test_terms_are_translated_as_the_glossary_says(notebooks, file):
    terms = [row[:2] for row in glossary(notebooks) if row[0] in STRICT]
    assert len(terms) == len(STRICT)
    for spanish, english in pairs(notebooks[file]):
        for es, en in terms:
            if re.search(stem(es), plain(spanish)):
                assert re.search(stem(en), plain(english)), (es, en, english)


FORBIDDEN = {"stride": "paso", "padding": "relleno", "kernel": "núcleo",
             "pooling": "agrupación", "batch": "lote",
             "backpropagation": "retropropagación",
             "overfitting": "sobreajuste", "learning rate": "tasa"}


@pytest.mark.parametrize("file", FILES)
def test_spanish_uses_its_own_terms(notebooks, file):
    """An English term stands in Spanish only in italics or parentheses,
    where it is introduced."""
    for spanish, _ in pairs(notebooks[file]):
        text = re.sub(r"\*[^*]+\*|\([^)]*\)", " ", plain(spanish))
        for en, es in FORBIDDEN.items():
            assert not re.search(rf"\b{en}\b", text, re.I), (en, es, spanish)


@pytest.mark.parametrize("lang", ["es", "en"])
@pytest.mark.parametrize("file", FILES)
def test_an_edition_is_a_valid_notebook(notebooks, file, lang):
    nb = edition(notebooks[file], lang)
    nbformat.validate(nb)
    assert nb.cells[0].source.startswith("# ")
    assert not any("#| export" in c.source.split("\n") for c in nb.cells)
    other = {"es": "en", "en": "es"}[lang]
    dropped = [c for c in notebooks[file].cells if language(c) == other]
    kept = {c.source for c in nb.cells}
    assert not kept & {c.source for c in dropped}


@pytest.fixture(scope="module")
def places(notebooks):
    "The place that each id of both books names, in Spanish."
    editions = {file: edition(nb, "es") for file, nb in notebooks.items()}
    manifest = read_manifest(ROOT, "es")
    return (number_book(editions, workshop(manifest))
            | number_book(editions, manifest))


@pytest.mark.parametrize("file", FILES)
def test_the_article_agrees_with_the_place(notebooks, places, file):
    "A chapter and an appendix are masculine in Spanish; the rest is not."
    for spanish, _ in pairs(notebooks[file]):
        for article, key in re.findall(
                r"\b(el|al|del|la)\s+@((?:sec|fig|tbl|eq)-[\w-]*\w)",
                spanish, re.I):
            masculine = places[key].kind in ("chapter", "appendix")
            assert masculine == (article.lower() != "la"), (article, key)


def tagged(nb, tag):
    return [cell for cell in nb.cells if tag in cell.metadata.get("tags", [])]


TICKED = new_output("display_data", {
    "text/plain": "✓ 3/3", "text/html": "<b>✓</b>"}, metadata={})


@pytest.mark.parametrize("lang", ["es", "en"])
@pytest.mark.parametrize("file", FILES)
def test_a_page_shows_no_tick_under_a_stub(notebooks, file, lang):
    nb = edition(notebooks[file], lang)
    for cell in tagged(nb, "tests"):
        cell.outputs = [new_output("stream", text="agrees in 60 cases"),
                        TICKED]
    page = arranged(nb, lang)
    pending = {"es": "pendiente", "en": "pending"}[lang]
    for before, cell in zip(tagged(nb, "tests"), tagged(page, "tests")):
        texts = [output.data["text/plain"] for output in cell.outputs]
        assert len(texts) == len(stakes(before.source)) > 0
        for text, (points, names) in zip(texts, stakes(before.source)):
            word = (lambda es, en: es) if lang == "es" else lambda es, en: en
            told, _ = verdict(0, points, names[lang], None, word, True)
            assert text == f"{told}: {pending}"
        assert cell.source.count("with marks") == len(texts)
    shown = [output for cell in page.cells for output in
             cell.get("outputs", []) if "✓" in str(output)]
    assert not shown
    nbformat.validate(page)


@pytest.mark.parametrize("file", FILES)
def test_what_is_at_stake_is_what_marks_is_told(notebooks, file):
    for cell in tagged(notebooks[file], "tests"):
        calls = [node for node in ast.walk(ast.parse(cell.source))
                 if isinstance(node, ast.With)]
        calls = [ast.unparse(node.items[0].context_expr) for node in calls]
        told = [eval(call, {"marks": marks}) for call in calls
                if call.startswith("marks(")]
        assert [(m.points, {"es": m.spanish, "en": m.english})
                for m in told] == stakes(cell.source)


@pytest.mark.parametrize("lang", ["es", "en"])
@pytest.mark.parametrize("file", FILES)
def test_solutions_come_after_the_last_tests_of_their_exercise(notebooks,
                                                               file, lang):
    nb = edition(notebooks[file], lang)
    shown = {e.id: e for e in exercises(arranged(nb, lang))}
    for exercise in exercises(nb):
        page = shown[exercise.id]
        assert page.points == exercise.points
        ids = [cell.id for cell in page.cells]
        last = max(i for i, cell in enumerate(page.cells)
                   if "tests" in cell.metadata.get("tags", []))
        solved = [cell.id for cell in exercise.cells if "solution" in
                  cell.metadata.get("tags", []) and SOLVED.search(cell.source)]
        assert ids[last + 1:][:len(solved)] == solved
        assert all(ids.index(f"{name}-stub") < last for name in solved)
        assert [i for i in ids if not i.endswith("-stub")
                and i not in solved] == [
            cell.id for cell in exercise.cells if cell.id not in solved]


def test_two_cells_of_tests_keep_the_solution_till_the_end():
    answer = "x = None\n### BEGIN SOLUTION\nx = 4\n### END SOLUTION"
    nb = new_notebook(cells=[
        new_code_cell(answer, metadata={"tags": ["solution"]}),
        new_code_cell('with marks(1, of="x"):\n    assert x > 3',
                      metadata={"tags": ["tests"]}),
        new_code_cell("# a comment is no heading"),
        new_code_cell('with marks(2, "lo mismo", "the same", of="x"):\n'
                      "    assert x < 5", metadata={"tags": ["tests"]}),
        new_code_cell("after")])
    page = arranged(edition(nb, "es"), "es")
    assert [cell.source.split("\n")[-1] for cell in page.cells] == [
        "# Escribe aquí tu código.", "    assert x > 3",
        "# a comment is no heading", "    assert x < 5", "x = 4", "after"]
    assert "None" in page.cells[0].source
    assert "None" not in page.cells[4].source
    assert page.cells[3].outputs[0].data["text/plain"] == (
        "○ 0/2 puntos · lo mismo: pendiente")
