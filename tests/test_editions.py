"""The two languages of every notebook say the same."""
import re

import nbformat
import pytest

from cnnbook.press.editions import edition, language, unpaired
from cnnbook.press.manifest import read_manifest, workshop
from cnnbook.press.numbering import number_book
from conftest import FILES, ROOT

WORDS = r"[a-záéíóúüñA-ZÁÉÍÓÚÜÑ]"


def pairs(nb):
    "The (Spanish, English) texts of a notebook."
    cells = [c for c in nb.cells if c.cell_type == "markdown"]
    return [(a.source, b.source) for a, b in zip(cells, cells[1:])
            if language(a) == "es" and language(b) == "en"]


def plain(text):
    "The prose of a text: no code, no formulas, no ids, no link targets."
    text = re.sub(r"(?s)```.*?```|`[^`]*`|\$\$.*?\$\$|\$[^$]*\$", " ", text)
    return re.sub(r"\{[^}]*\}|@[\w-]+|\]\([^)]*\)", " ", text)


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


def glossary(notebooks):
    "The (Spanish, English) terms of the glossary."
    cells = notebooks["chapters/A_notation.ipynb"].cells
    table = next(c.source for c in cells if "| Español |" in c.source)
    rows = re.findall(r"(?m)^\| ([^|]+) \| ([^|]+) \|$", table)
    return [row for row in rows if row != ("Español", "English")]


def stem(term):
    "A pattern that matches a term and its plurals."
    parts = [re.escape(w[:-1] if len(w) > 5 else w) + WORDS + "{0,3}"
             for w in term.split()]
    return re.compile(r"\b" + r"\s+".join(parts), re.I)


def test_the_glossary_is_sorted_and_unique(notebooks):
    terms = glossary(notebooks)
    fold = str.maketrans("áéíóúü", "aeiouu")
    spanish = [es.translate(fold) for es, _ in terms]
    assert len(terms) >= 25 and spanish == sorted(spanish)
    assert len(set(es for es, _ in terms)) == len(terms)


# Terms that mean only one thing, so that finding one calls for its pair.
STRICT = {"agrupación", "campo receptivo", "canal", "correlación cruzada",
          "dilatación", "núcleo", "retropropagación", "sobreajuste",
          "mapa de características", "minilote", "exactitud"}


@pytest.mark.parametrize("file", FILES)
def test_terms_are_translated_as_the_glossary_says(notebooks, file):
    terms = [(es, en) for es, en in glossary(notebooks) if es in STRICT]
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
