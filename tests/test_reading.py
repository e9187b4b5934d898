"""What a reader meets on the pages: short cells, one language, plain values.

These are rules about every page of the reader's book; what each chapter says
is for its own checks, and for those who read it aloud.
"""
import re

import pytest

from cnnbook.press.editions import LANGUAGES, arranged, edition, options
from cnnbook.press.student import is_tagged
from conftest import FILES, plain

READER = [file for file in FILES if not file.startswith("chapters/making/")]
LONGEST = 30        # lines of a cell that the reader sees


def shown_code(nb, lang):
    "The code that the page of the notebook `nb` shows: texts."
    nb = arranged(edition(nb, lang), lang)
    for cell in nb.cells:
        chosen, code = (options(cell.source, None)
                        if cell.cell_type == "code" else ({}, ""))
        if code and chosen.get("echo") != "false":
            yield cell, code


def prose(nb, lang):
    "The prose of one language."
    return [plain(cell.source) for cell in edition(nb, lang).cells
            if cell.cell_type == "markdown"]


@pytest.mark.parametrize("file", READER)
def test_no_cell_that_is_read_is_long(notebooks, file):
    for cell, code in shown_code(notebooks[file], "en"):
        lines = [line for line in code.split("\n") if line.strip()]
        assert len(lines) <= LONGEST, f"{cell.id}: {lines[0]}"


SPANISH = re.compile(r"[áéíóúü¿¡]|ñ\w|\b(?:los|las|una|para|bucles?)\b", re.I)


@pytest.mark.parametrize("file", READER)
def test_the_code_of_a_page_speaks_no_other_language(notebooks, file):
    for lang in LANGUAGES:
        for cell, code in shown_code(notebooks[file], lang):
            if lang == "en":
                assert not SPANISH.search(code), f"{cell.id}\n{code}"
            assert "word(" not in code, f"{cell.id}\n{code}"
            if is_tagged(cell, "tests"):
                assert not re.search(r'marks\([\d.]+, "[^"]*", "', code)


NUMBERS = re.compile(r"(?<![\d.,\w-])\d{5,}(?![\d-])|\d[ \u00a0\u2009]\d{3}\b")


@pytest.mark.parametrize("file", READER)
@pytest.mark.parametrize("lang", LANGUAGES)
def test_large_numbers_are_written_in_one_way(notebooks, file, lang):
    for text in prose(notebooks[file], lang):
        found = NUMBERS.search(text)
        assert not found, text[max(0, found.start() - 40):found.end() + 20]


# What a term is called, and what it is not called (appendix A).
UNWANTED = {
    "es": {r"\btraspuest": "transpuesta", r"\bagreg(?:a|o|u|ué)": "añadir",
           r"desviación típica": "desviación estándar",
           r"hacia delante": "hacia adelante", r"\bguion(?:es)?\b": "programa",
           r"merece la pena": "vale la pena", r"\bperíodo": "periodo",
           r"\d%": "28\u00a0%", r"\banunciemos": "predigamos",
           r"gradiente por (?:W|los|el|la)\b": "gradiente respecto a",
           r"invarianza a\b": "invarianza frente a",
           r"\bminibatch|\bmini-lote": "minilote"},
    "en": {r"\bgradient by (?:the (?:bias|logit)|[A-Z]\b)": "with respect to", r"\bneeds not\b": "need not",
           r"\b[Ii]n the page,? you": "on the page",
           r"\bpoints of the books\b": "interpolation points",
           r"\bnetworks? of paper\b": "paper network",
           r"\b[Pp]rogram (?:a|the|your|`)": "write",
           r"\bEvery every\b": "every", r"\bmeasures? \(": "has shape",
           r"\bcheck_vectorised\b": "vectorized"}}


@pytest.mark.parametrize("file", READER)
@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_term_is_called_the_same_everywhere(notebooks, file, lang):
    for text in prose(notebooks[file], lang):
        for pattern, better in UNWANTED[lang].items():
            found = re.search(pattern, text)
            assert not found, (f"{better!r}, not {found and found[0]!r}: "
                               + text[max(0, found.start() - 50):
                                      found.end() + 30])


PYTHON_ONLY = re.compile(
    r"np\.(?:float|int|uint|str|bool)\w*\(|np\.(?:True|False)_"
    r"|\d+%\||\bit/s\b|<[\w.]+ (?:object )?at 0x|\d+ cells/s")


def test_pages_show_plain_values(book):
    "No type of NumPy, no frame of a progress bar, no empty output."
    for lang in LANGUAGES:
        for path in sorted((book / lang / "chapters").glob("*.html")):
            html = path.read_text("utf-8")
            blocks = re.findall(r'(?s)<pre class="[^"]*output[^"]*"><code>'
                                r"(.*?)</code>", html)
            for block in blocks:
                assert block.strip(), f"{path.name}: an empty output"
                text = re.sub(r"<[^>]+>", "", block)
                assert not PYTHON_ONLY.search(text), f"{path.name}: {text}"
