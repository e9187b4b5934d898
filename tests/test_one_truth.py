"""HTML, PDF and EPUB say the same: numbers, names, captions, references.

What is read is the finished book, whoever rendered it. The two renderers mark
things in their own ways, all of which are listed here: `kind_of` for pages,
`EQUATION` for the numbers that Quarto writes into the formulas.
"""
import re
import zipfile
from collections import Counter
from html.parser import HTMLParser

import pytest

from cnnbook.press.manifest import on_paper, pages, read_manifest
from cnnbook.press.staging import whole_books
from conftest import ROOT

LANGS = "es", "en"
VOID = {"img", "br", "hr", "meta", "link", "input", "col", "source", "wbr"}
FORMULA = "\N{WHITE SQUARE}"
EQUATION = re.compile(r"\\(?:qquad|tag)\s*[({]+([\w.]+)[)}]")
EXERCISE = re.compile(r"\w+ · \d+ min")


def kind_of(tag, attrs):
    "What an element of a page is, for either renderer, or None."
    classes = set((attrs.get("class") or "").split())
    if tag in ("h1", "h2", "h3"):
        again = classes & {"quarto-secondary-nav-title"}
        return None if again or attrs.get("id") == "toc-title" else "heading"
    if tag in ("figcaption", "caption"):
        return "caption"
    if classes & {"crossref", "quarto-xref"}:
        return "reference"
    if classes & {"equation-number"}:
        return "equation"
    if classes & {"csl-entry"}:
        return "entry"
    return {"em": "emphasis", "annotation": "formula"}.get(tag)


class Told(HTMLParser):
    "What a page tells, by kind, in order; a formula in it is a square."

    def __init__(self, html):
        super().__init__()
        self.found, self._open = {}, []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        if tag == "math":
            self.handle_data(FORMULA)
        if tag not in VOID:
            self._open.append((tag, kind_of(tag, dict(attrs)), []))

    def handle_data(self, data):
        tags = [tag for tag, *_ in self._open]
        for _, kind, text in self._open:
            if "math" not in tags or kind == "formula":
                text.append(data)

    def handle_endtag(self, tag):
        while self._open and any(tag == name for name, *_ in self._open):
            name, kind, text = self._open.pop()
            if kind:
                text = " ".join("".join(text).split())
                self.found.setdefault(kind, []).append(text)
            if name == tag:
                break


def gathered(texts):
    "All that some pages tell, by kind."
    found, entries = {}, []
    for text in texts:
        for kind, told in Told(text).found.items():
            found.setdefault(kind, []).extend(told)
        entries.append(Told(text).found.get("entry", []))
    found["entry"] = max(entries, key=len)      # the page of references
    found["exercise"] = [text for text in found.pop("emphasis", [])
                         if EXERCISE.fullmatch(text)]
    found["equation"] = [f"({number.strip('()')})" for number in
                         found.get("equation", []) + EQUATION.findall(
                             "\n".join(found.pop("formula", [])))]
    return found


def run_on(printed):
    "The text of the pages of a PDF without their heads, feet and hyphens."
    heads, text = set(), ""
    for page in printed:
        lines = page.splitlines() or [""]
        if lines[0] in heads:
            del lines[0]
        else:
            heads.add(lines[0])
        if lines and lines[-1].strip().isdigit():
            del lines[-1]
        text += "\n".join(lines) + "\n"
    return re.sub("[\x02\xad\ufffe]\\s*", "", text)


def leave_out(told, manifest, html_pages):
    "Take from what the pages tell what only the other appendices have."
    count = len(on_paper(manifest)["book"]["appendices"])
    beyond = re.compile(rf"\s[{chr(65 + count)}-Z](\.|$)")
    told["reference"] = [name for name in told["reference"]
                         if not beyond.search(name)]
    ids = max((re.findall(r'id="(ref-[\w-]+)"', html)
               for html in html_pages), key=len)
    cited = re.findall(r'href="[^"]*#(ref-[\w-]+)"', "\n".join(html_pages))
    assert len(ids) == len(told["entry"])
    told["entry"] = [text for key, text in zip(ids, told["entry"])
                     if key in cited]


@pytest.fixture(scope="module", params=LANGS)
def truth(request, book):
    "The manifest of an edition, what its HTML tells, its EPUB and its PDFs."
    from pypdfium2 import PdfDocument
    lang = request.param
    manifest = read_manifest(ROOT, lang)
    files = whole_books(manifest)
    bound_pages = [(book / lang / page["url"]).read_text("utf-8")
                   for page in pages(on_paper(manifest))]
    on_screen = gathered(bound_pages)
    leave_out(on_screen, manifest, bound_pages)
    with zipfile.ZipFile(book / lang / files.pop("EPUB")) as epub:
        listed = sorted(name for name in epub.namelist()
                        if re.search(r"/ch\d+\.xhtml$", name))
        bound = gathered(epub.read(name).decode() for name in listed)
    printed = []
    for file in files.values():
        with PdfDocument(book / lang / file) as pdf:
            printed.append(run_on(page.get_textpage().get_text_bounded()
                                  for page in pdf))
    assert len(printed) == 2
    return manifest, on_screen, bound, printed


def squeezed(text):
    "A text without spaces or hyphens, which a line's end may add."
    return re.sub(r"[\s\x02\xad\ufffe\u2010-]", "", text)


def stands(pieces, text):
    "True if the `pieces` stand in the `text` in order, near one another."
    return re.search(".{0,160}?".join(map(re.escape, pieces)), text)


def test_headings_have_the_same_numbers_and_titles(truth):
    manifest, on_screen, bound, printed = truth
    last = bound["heading"].index(manifest["cnnbook"]["words"]["answers"])
    parts = set(manifest["cnnbook"]["parts"].values())
    apart = parts | {manifest["book"]["title"]}     # a page of its own
    appendix = rf"^{manifest['cnnbook']['words']['appendix']} (\w) — "
    titles, shown = ([re.sub(appendix, r"\1 ", title) for title in told
                      if title not in apart] for told in
                     (bound["heading"][:last], on_screen["heading"]))
    assert len(titles) > 200 and shown == titles
    for text in map(squeezed, printed):
        for title in titles:
            assert stands(squeezed(title).split(FORMULA), text), title


def test_captions_are_the_same(truth):
    _, on_screen, bound, printed = truth
    assert len(on_screen["caption"]) > 100
    assert on_screen["caption"] == bound["caption"]
    for text in map(squeezed, printed):
        for caption in on_screen["caption"]:
            assert stands(squeezed(caption).split(FORMULA), text), caption


def test_equations_have_the_same_numbers(truth):
    _, on_screen, bound, printed = truth
    numbers = on_screen["equation"]
    assert len(numbers) > 40 and numbers == bound["equation"]
    for text in printed:
        ends = Counter(re.findall(r"(?m)(\((?:[\dA-F]+\.)?\d+\))\s*$", text))
        for number in numbers:
            assert ends[number], number
        for chapter in {number.rpartition(".")[0] for number in numbers}:
            count = sum(number.rpartition(".")[0] == chapter
                        for number in numbers)
            assert not chapter or not ends[f"{chapter}.{count + 1})"]


def test_references_have_the_same_texts(truth):
    manifest, on_screen, bound, printed = truth
    seen, read = (Counter(told["reference"]) for told in (on_screen, bound))
    assert sum(seen.values()) > 500 and seen == read
    named = Counter(caption.partition(":")[0]
                    for caption in on_screen["caption"])
    listed = manifest["cnnbook"]["words"]["fig"]
    for text in printed:
        plain = " ".join(text.split())
        for name, count in seen.items():
            found = len(re.findall(re.escape(name) + r"(?!\.?\d)", plain))
            again = named[name] * (2 if name.startswith(listed) else 1)
            assert found >= count + again, (name, found, count, again)


def test_sources_and_exercises_are_the_same(truth):
    _, on_screen, bound, printed = truth
    for kind, least in ("entry", 30), ("exercise", 80):
        assert len(on_screen[kind]) > least
        assert on_screen[kind] == bound[kind]
        for text in map(squeezed, printed):
            for told in on_screen[kind]:
                assert squeezed(told) in text, told
    for text in printed:
        assert len(EXERCISE.findall(text)) >= len(on_screen["exercise"])
