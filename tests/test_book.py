"""The finished pages of the whole book, from each renderer that is here."""
import re
import zipfile
from html.parser import HTMLParser
from posixpath import dirname, join, normpath
from urllib.parse import urlsplit

import pytest

from cnnbook.press.links import Page, broken_links
from cnnbook.press.manifest import (on_paper, pages, read_manifest,
                                    workshop)
from cnnbook.press.search import Prose
from cnnbook.press.staging import whole_books
from cnnbook.press.student import exercise_file
from conftest import ROOT

LANGS = "es", "en"
MANIFEST = read_manifest(ROOT, "es")
READER = [page["url"] for page in pages(MANIFEST)]
PAPER = [page["url"] for page in pages(on_paper(MANIFEST))]
PAPER_FILES = [page["file"] for page in pages(on_paper(MANIFEST))]
MAKING = [f"making/{page['url']}" for page in pages(workshop(MANIFEST))]
URLS = READER + MAKING
MOVED = MANIFEST["cnnbook"]["moved"]


class Text(HTMLParser):
    "The visible text of a page, without code and formulas, and its tags."

    def __init__(self, html):
        super().__init__()
        self.text, self.tags, self._hidden = [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag in ("script", "style", "pre", "code", "math"):
            self._hidden.append(tag)

    def handle_endtag(self, tag):
        if self._hidden and self._hidden[-1] == tag:
            self._hidden.pop()

    def handle_data(self, data):
        if not self._hidden:
            self.text.append(data)


def cells_of_tests_in(notebooks, lang):
    "How many cells of tests each page of exercises has, by its url."
    found = {page["url"]: sum("tests" in cell.metadata.get("tags", [])
                              for cell in notebooks[page["file"]].cells)
             for page in pages(read_manifest(ROOT, lang))}
    return {url: count for url, count in found.items() if count}


@pytest.fixture(scope="module")
def parsed(book):
    "Every page: (lang, url) -> Text."
    return {(lang, url): Text((book / lang / url).read_text("utf-8"))
            for lang in LANGS for url in URLS}


def test_both_editions_have_the_same_pages(book):
    found = [{p.relative_to(book / lang).as_posix()
              for p in (book / lang).rglob("*.html")
              if "site_libs" not in p.parts} for lang in LANGS]
    assert found[0] == found[1] >= {*URLS, *MOVED}


def test_no_link_is_broken(book):
    assert broken_links({lang: book / lang for lang in LANGS}) == []


def test_every_page_says_its_language_and_title(parsed):
    for (lang, url), page in parsed.items():
        assert ("html", lang) in [(t, a.get("lang")) for t, a in page.tags], url
        assert any(t == "title" for t, _ in page.tags)
        assert sum(t == "h1" for t, _ in page.tags) >= 1, url


def test_every_page_links_to_its_twin_and_its_notebooks(parsed, notebooks):
    exercised = cells_of_tests_in(notebooks, "es")
    for (lang, url), page in parsed.items():
        up = "../" * url.count("/")
        other = {"es": "en", "en": "es"}[lang]
        links = [a.get("href") for t, a in page.tags if t == "a"]
        assert f"{up}../{other}/{url}" in links, (lang, url)
        stem = url.split("/")[-1].replace(".html", ".ipynb")
        names = [stem]
        if url in exercised:
            names.append(exercise_file(stem, lang))
        for name in names:
            assert any(link and re.fullmatch(
                rf"(\.\./|\./)*notebooks/{name}", link)
                for link in links), (lang, url)


def test_no_markup_is_left_in_the_text(parsed):
    for key, page in parsed.items():
        text = "".join(page.text)
        for mark in (r"\$\$", r"(?<!\w)@(fig|eq|sec|tbl)-", r"#\|", r":::",
                     r"\{#", r"\?\?", r"\\frac"):
            found = re.search(mark, text)
            assert not found, (key, text[max(0, found.start() - 60):][:120])


def test_nothing_is_loaded_from_the_network(book, parsed):
    for (lang, url), page in parsed.items():
        for tag, attrs in page.tags:
            loaded = attrs.get("src") or (
                attrs.get("href") if tag == "link" else None)
            if loaded and not loaded.startswith("data:"):
                assert not urlsplit(loaded).netloc, (lang, url, loaded)
    for css in book.rglob("*.css"):
        assert not re.search(r"(@import|url\()\s*[\"'(]*https?:",
                             css.read_text("utf-8")), css


def test_every_picture_has_a_text_instead(parsed):
    count = 0
    for key, page in parsed.items():
        for tag, attrs in page.tags:
            if tag == "img" and "figure" in (attrs.get("src") or ""):
                assert len(attrs.get("alt") or "") > 15, (key, attrs)
                count += 1
    assert count > 20


def test_the_pictures_are_those_of_the_language(book):
    spanish = (book / "es" / "making/figures.html").read_text()
    english = (book / "en" / "making/figures.html").read_text()
    assert "Una tabla azul" in spanish and "A blue table" in english


@pytest.mark.parametrize("lang, word", [("es", "Figura"), ("en", "Figure")])
def test_figures_are_numbered_in_order_within_each_chapter(book, lang, word):
    numbered = 0
    for url in URLS:
        html = (book / lang / url).read_text("utf-8").replace("&nbsp;", " ")
        captions = re.findall(rf"(?s)<figcaption[^>]*>.*?{word}\s+([A-Z\d]+)"
                              r"\.(\d+):", html)
        numbers = [int(n) for _, n in captions]
        assert numbers == list(range(1, len(numbers) + 1)), (url, captions)
        assert len({chapter for chapter, _ in captions}) <= 1
        numbered += len(numbers)
    assert numbered > 20


def test_mathematics_is_mathml(parsed):
    for lang in LANGS:
        tags = [t for t, _ in parsed[lang, "chapters/01_conv1d.html"].tags]
        assert tags.count("math") > 20


def test_chapters_refer_to_one_another(parsed):
    for lang, word in ("es", "Capítulo"), ("en", "Chapter"):
        text = "".join(parsed[lang, "chapters/07_model.html"].text)
        assert re.search(rf"{word}\s+5\b", text)
        assert re.search(rf"{word}\s+4\b", text)


def test_citations_lead_to_the_bibliography(book):
    for lang in LANGS:
        page = Page((book / lang / "chapters/99_references.html").read_text())
        assert "ref-lecun1989" in page.ids
        assert sum(i.startswith("ref-") for i in page.ids) >= 3


def test_the_pages_chain_from_first_to_last(parsed):
    for lang in LANGS:
        for book in READER, MAKING:
            for before, after in zip(book, book[1:]):
                links = {(a.get("href") or "").split("/")[-1]
                         for t, a in parsed[lang, before].tags if t == "a"}
                assert after.split("/")[-1] in links, (before, after)


def test_no_page_has_a_module_that_the_disk_would_not_give(parsed):
    for key, page in parsed.items():
        modules = [a["src"] for t, a in page.tags
                   if t == "script" and a.get("type") == "module"]
        assert not modules, key


def test_the_workshop_is_a_book_of_its_own(book, parsed):
    for lang, word, title in (("es", "Capítulo", "Cómo se hace este libro"),
                              ("en", "Chapter", "How this book is made")):
        last = [a.get("href") for t, a in
                parsed[lang, "chapters/99_references.html"].tags if t == "a"]
        assert any(link and link.startswith("../making/index.html")
                   for link in last)
        back = [a.get("href") for t, a in
                parsed[lang, "making/index.html"].tags if t == "a"]
        assert "../index.html" in back
        numbers = [Prose((book / lang / url).read_text("utf-8")).sections[0]
                   ["title"].split()[0] for url in MAKING[1:]]
        assert numbers == [str(n) for n in range(1, len(MAKING))]
        text = "".join(parsed[lang, "chapters/C_storage.html"].text)
        assert re.search(rf"{word} \d+ de {title}|{word} \d+ of {title}", text)
        index = (book / lang / "assets/search-index.js").read_text("utf-8")
        own = book / lang / "making/assets/search-index.js"
        assert "making/" not in index and "editions.html" not in index
        assert "editions.html" in own.read_text("utf-8")


def test_every_place_has_an_address(book):
    import json
    for lang in LANGS:
        text = (book / lang / "assets/places.js").read_text("utf-8")
        table = json.loads(text.partition("=")[2].strip().rstrip(";"))
        ids = {url: Page((book / lang / url).read_text("utf-8")).ids
               for url in URLS}
        assert len(table) > 500
        for key, place in table.items():
            url, _, anchor = place.partition("#")
            assert anchor in ids[url], key
        numbered = {i for url in URLS for i in ids[url]
                    if re.match(r"(sec|fig|tbl|eq)-[\w-]+$", i)}
        lost = {i for i in numbered - set(table)
                if not re.search(r"-\d+$|^fig-.*-fig$|-caption-", i)}
        assert not lost


def test_the_exercises_of_each_page_are_given_out(book, notebooks):
    import nbformat
    for lang in LANGS:
        there = {path.name: nbformat.read(path, 4) for path in
                 (book / lang / "notebooks").glob("*-e*er*i*s.ipynb")}
        assert set(there) == {
            exercise_file(url.split("/")[-1].replace("html", "ipynb"), lang)
            for url in cells_of_tests_in(notebooks, lang)}
        for nb in there.values():
            nbformat.validate(nb)
            for cell in nb.cells:
                assert not cell.get("outputs")
                for mark in "BEGIN SOLUTION", "HIDDEN TESTS", "\n:::", "{#":
                    assert mark not in cell.source, cell.source


PENDING = {"es": r"○ 0/[\d.]+ puntos.*?: pendiente",
           "en": r"○ 0/[\d.]+ marks.*?: pending"}


def test_no_page_shows_a_tick_under_an_empty_answer(book, notebooks):
    for lang in LANGS:
        tests = cells_of_tests_in(notebooks, lang)
        assert len(tests) > 10
        for url, count in tests.items():
            html = (book / lang / url).read_text("utf-8")
            _, shown = re.split(r'<section id="sec-[\w-]+-exercises"', html)
            assert "✓" not in shown, (lang, url)
            assert len(re.findall(PENDING[lang], shown)) >= count, (lang, url)


def file_of(book, lang, kind):
    "The file with the whole book in `lang`: its PDF or its EPUB."
    return book / lang / whole_books(read_manifest(ROOT, lang))[kind]


@pytest.fixture(scope="module")
def pdfs(book):
    "The two PDFs, as pypdf reads them."
    from pypdf import PdfReader
    return {lang: PdfReader(file_of(book, lang, "PDF")) for lang in LANGS}


def spaced(text):
    return " ".join(text.replace("’", "'").split())


def printed(book, lang):
    "The text of each page of the PDF in `lang`, which PDFium reads fast."
    from pypdfium2 import PdfDocument
    with PdfDocument(file_of(book, lang, "PDF")) as pdf:
        return [page.get_textpage().get_text_bounded() for page in pdf]


@pytest.mark.parametrize("lang", LANGS)
def test_the_pdf_is_whole(book, pdfs, lang):
    pages = printed(book, lang)
    text = "\n".join(pages)
    assert len(pages) > 60 and not re.search(r"\?\?(?!=)", text)
    words = {"es": ("Figura 1.1", "Ecuación", "Capítulo 2"),
             "en": ("Figure 1.1", "Equation", "Chapter 2")}[lang]
    for word in words:
        assert word in spaced(text), word
    assert not re.search(r"✓ [\d.]+/", text)
    facts = pdfs[lang].metadata
    assert facts.title == read_manifest(ROOT, lang)["book"]["title"]


@pytest.mark.parametrize("lang", LANGS)
def test_the_pdf_carries_its_fonts(pdfs, lang):
    fonts = {font for page in pdfs[lang].pages
             for font in (page["/Resources"].get("/Font") or {}).values()}
    assert len(fonts) > 3
    for font in fonts:
        font = font.get_object()
        descendant = font.get("/DescendantFonts", [font])[0].get_object()
        descriptor = descendant.get("/FontDescriptor")
        assert descriptor and any(
            key.startswith("/FontFile") for key in descriptor.get_object())


def outline(entries, depth=1):
    "Every title of a PDF's outline, with its depth."
    for entry in entries:
        if isinstance(entry, list):
            yield from outline(entry, depth + 1)
        else:
            yield depth, spaced(entry.title)


@pytest.mark.parametrize("lang", LANGS)
def test_the_outline_of_the_pdf_is_its_contents(pdfs, book, lang):
    if (book / lang / "site_libs").exists():
        pytest.skip("the outline of Quarto's book is Quarto's")
    found = [title for _, title in outline(pdfs[lang].outline)]
    expected = [spaced(section["title"]).split() for url in PAPER for section
                in Prose((book / lang / url).read_text("utf-8")).sections]
    words = read_manifest(ROOT, lang)["cnnbook"]["words"]
    last = found[found.index(words["answers"]):]   # then the figures, the index
    assert last[-2:] == [words["figures"], words["index"]]
    assert len(found) == len(expected) + len(last)
    for title, words in zip(found, expected):  # which lack their formulas
        assert set(words) <= set(title.split()), title
    contents = spaced("".join(printed(book, lang)[:12]))
    chapters = [title for depth, title in outline(pdfs[lang].outline)
                if depth == 1]
    for title in chapters:
        assert "".join(title.split()) in "".join(contents.split()), title


HINT = {"es": r"Pista \d\.", "en": r"Hint \d\."}


@pytest.mark.parametrize("lang", LANGS)
def test_hints_and_solutions_come_at_the_end_of_the_paper(book, notebooks,
                                                          lang):
    words = read_manifest(ROOT, lang)["cnnbook"]["words"]
    pages = [spaced(page) for page in printed(book, lang)]
    start = next(i for i, page in enumerate(pages)
                 if page.startswith(words["answers"]))
    before, answers = " ".join(pages[:start]), " ".join(pages[start:])
    hints = sum(bool(re.match(r"(?s):::.*?## (Pista|Hint) \d", cell.source))
                for page in PAPER_FILES for cell in notebooks[page].cells) / 2
    assert hints > 100 and len(re.findall(HINT[lang], answers)) == hints
    assert not re.search(HINT[lang], before)
    assert "with marks(" not in before + answers


@pytest.mark.parametrize("lang", LANGS)
def test_the_subject_index_leads_to_pages_that_name_the_term(book, lang):
    words = read_manifest(ROOT, lang)["cnnbook"]["words"]
    pages = [spaced(page) for page in printed(book, lang)]
    start = next(i for i, page in enumerate(pages)
                 if page.startswith(words["index"]))
    entries = re.findall(r"([^\W\d][^,\d]*?),? (\d+(?:, \d+)*)(?= |$)",
                         " ".join(pages[start:]))
    offset = next(i for i, page in enumerate(pages) if page.endswith(" 2")) - 1
    found = {term.strip(" ,"): [int(n) for n in numbers.split(", ")]
             for term, numbers in entries}
    assert len(found) > 80
    for term in {"es": ("Winograd", "dropout"), "en": ("Winograd", "dropout")
                 }[lang]:
        key = next(key for key in found if key.endswith(term))
        for number in found[key]:
            assert term.lower() in pages[number + offset - 1].lower()


@pytest.mark.parametrize("lang", LANGS)
def test_a_chapter_is_read_in_a_few_sittings(pdfs, lang):
    "At most 35 pages each; chapter 7 has 30, chapter 8 has 25, the book 440."
    pdf = pdfs[lang]
    starts = [(spaced(entry.title), pdf.get_destination_page_number(entry))
              for entry in pdf.outline if not isinstance(entry, list)]
    ends = [start for _, start in starts[1:]] + [len(pdf.pages)]
    most = {"7": 30, "8": 25}
    for (title, start), end in zip(starts, ends):
        number = title.split()[0]
        if number.isdigit() or len(number) == 1:
            assert end - start <= most.get(number, 35), title
    assert len(pdf.pages) <= 440


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("small", [False, True])
def test_the_text_of_the_pdf_stays_on_the_page(book, lang, small):
    from pypdfium2 import PdfDocument
    words = read_manifest(ROOT, lang)["cnnbook"]["words"]
    kind = words["tablet"] if small else "PDF"
    with PdfDocument(file_of(book, lang, kind)) as pdf:
        for number, page in enumerate(pdf, 1):
            width, height = page.get_size()
            text = page.get_textpage()
            for i in range(text.count_rects()):
                left, bottom, right, top = text.get_rect(i)
                assert left > 20 and right < width - 20, (number, i)
                assert bottom > 20 and top < height - 20, (number, i)


@pytest.mark.parametrize("lang", LANGS)
def test_the_epub_is_whole(book, notebooks, lang):
    from xml.etree import ElementTree
    with zipfile.ZipFile(file_of(book, lang, "EPUB")) as epub:
        names = epub.namelist()
        assert names[0] == "mimetype"
        assert epub.read("mimetype") == b"application/epub+zip"
        trees = {name: ElementTree.fromstring(epub.read(name))
                 for name in names if name.endswith((".xhtml", ".opf"))}
    ids = {name: {e.get("id") for e in tree.iter()}
           for name, tree in trees.items()}
    text, tags = "", []
    for name, tree in trees.items():
        text += "".join(tree.itertext())
        tags += [e.tag.rpartition("}")[2] for e in tree.iter()]
        for e in tree.iter():
            link = e.get("href") or e.get("src") or "https://"
            if urlsplit(link).scheme:
                continue
            path, _, anchor = link.partition("#")
            target = normpath(join(dirname(name), path)) if path else name
            assert target in names, (name, link)
            assert not anchor or anchor in ids[target], (name, link)
    assert tags.count("math") > 100 and "script" not in tags
    assert {"es": "Figura 1.1", "en": "Figure 1.1"}[lang] in spaced(text)
    assert not re.search(r"✓ [\d.]+/", text)


@pytest.mark.parametrize("lang", LANGS)
def test_the_workshop_is_not_on_paper(book, pdfs, lang):
    ids = {key for url in MAKING for key in Page(
        (book / lang / url).read_text("utf-8")).ids if key.startswith("sec-")}
    titles = {spaced(Prose((book / lang / url).read_text("utf-8"))
                     .sections[0]["title"]).partition(" ")[2]
              for url in MAKING[1:]}
    with zipfile.ZipFile(file_of(book, lang, "EPUB")) as epub:
        html = "\n".join(epub.read(name).decode() for name in epub.namelist()
                         if name.endswith(".xhtml"))
    assert len(titles) > 10 and len(ids) > 50
    assert not ids & Page(html).ids
    for _, title in outline(pdfs[lang].outline):
        assert title.partition(" ")[2] not in titles
    told = {"es": "en la edición HTML", "en": "in the HTML edition"}[lang]
    assert told in spaced(html)
    assert told in spaced("\n".join(printed(book, lang)))
