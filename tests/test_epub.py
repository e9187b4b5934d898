"""The e-books follow the standard, and readers find their way in them."""
import re
import shutil
import subprocess
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import pytest

from cnnbook.press.manifest import on_paper, pages, read_manifest
from cnnbook.press.staging import whole_books
from conftest import ROOT

PROGRAM = shutil.which("epubcheck")
# Debian's is a Java archive, which not every kernel starts by itself.
EPUBCHECK = (["java", "-jar", PROGRAM] if PROGRAM and
             Path(PROGRAM).read_bytes()[:2] == b"PK" else [PROGRAM])


@pytest.fixture(scope="module")
def books(book):
    "The folder of the book, if Pandoc made it: the EPUB is always Pandoc's."
    if (book / "es" / "site_libs").exists():
        pytest.skip("the EPUB is the same, whoever renders the pages")
    return book


@pytest.mark.skipif(not PROGRAM,
                    reason="epubcheck is not on the PATH: apt install epubcheck")
@pytest.mark.parametrize("lang", ["es", "en"])
def test_the_epub_is_valid(books, lang):
    path, = (books / lang).glob("*.epub")
    done = subprocess.run([*EPUBCHECK, "--failonwarnings", path],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


HTML, OPS = "{http://www.w3.org/1999/xhtml}", "{http://www.idpf.org/2007/ops}"


@pytest.fixture(scope="module", params=["es", "en"])
def ebook(request, books):
    "The manifest of an edition, and its EPUB: a dict from name to bytes."
    manifest = read_manifest(ROOT, request.param)
    path = books / request.param / whole_books(manifest)["EPUB"]
    with zipfile.ZipFile(path) as epub:
        yield manifest, {name.removeprefix("EPUB/"): epub.read(name)
                         for name in epub.namelist()}


def told(element):
    "The text of an element, on one line."
    return " ".join("".join(element.itertext()).split())


def test_each_chapter_is_a_file_with_its_title(ebook):
    manifest, files = ebook
    trees = [ElementTree.fromstring(files[name]) for name in sorted(files)
             if re.fullmatch(r"text/ch\d+\.xhtml", name)]
    headings = [tree.findall(f".//{HTML}h1") for tree in trees]
    assert [len(found) for found in headings] == [1] * len(trees)
    assert len(trees) == len(pages(on_paper(manifest))) + 1     # the answers
    for tree, (heading,) in zip(trees, headings):
        assert tree.findtext(f".//{HTML}title") == told(heading)
    nav = ElementTree.fromstring(files["nav.xhtml"])
    listed = [told(link) for link in nav.iter(f"{HTML}a")]
    assert [told(heading) for heading, in headings] == [
        title for title in listed if title in
        {told(heading) for heading, in headings}][:len(trees)]


def test_the_contents_have_parts_and_two_levels(ebook):
    manifest, files = ebook
    nav = ElementTree.fromstring(files["nav.xhtml"])
    found = {e.get(f"{OPS}type"): e for e in nav.iter(f"{HTML}nav")}
    parts = {told(item.find(f"{HTML}span")): [
        told(link) for link in item.findall(f"{HTML}ol/{HTML}li/{HTML}a")]
        for item in found["toc"].iterfind(f"{HTML}ol/{HTML}li")
        if item.find(f"{HTML}span") is not None}
    expected = {}
    for page in pages(on_paper(manifest)):
        if page["part"]:
            expected[page["part"]] = expected.get(page["part"], 0) + 1
    expected[page["part"]] += 1     # the answers
    assert {part: len(chapters) for part, chapters in parts.items()
            } == expected
    words = manifest["cnnbook"]["words"]
    assert told(found["toc"].find(f"{HTML}h1")) == words["contents"]
    marks = [link.get(f"{OPS}type") for link in
             found["landmarks"].iter(f"{HTML}a")]
    assert marks == ["titlepage", "toc", "bodymatter"]
    assert "Title Page" not in files["nav.xhtml"].decode()


def test_it_says_of_itself_what_a_library_asks(ebook):
    manifest, files = ebook
    package = ElementTree.fromstring(files["content.opf"])
    facts = {}
    for e in package.find("{*}metadata"):
        key = e.get("property") or e.tag.partition("}")[2]
        facts.setdefault(key, []).append(e.text)
    book, lang = manifest["book"], manifest["lang"]
    assert facts["title"] == [book["title"]] and facts["language"] == [lang]
    assert facts["creator"] == [book["author"]]
    assert facts["description"] == [book["description"]]
    assert facts["rights"] == [manifest["cnnbook"]["words"]["rights"]]
    assert facts["identifier"][0].startswith("urn:uuid:")
    assert facts["date"] and facts["dcterms:modified"]
    assert {"MathML", "alternativeText", "tableOfContents"} <= set(
        facts["schema:accessibilityFeature"])
    assert facts["schema:accessMode"] == ["textual", "visual"]
    assert facts["schema:accessibilityHazard"] == ["none"]
    assert len(facts["schema:accessibilitySummary"][0]) > 80


def test_it_has_a_cover(ebook):
    import io

    from PIL import Image
    _, files = ebook
    package = ElementTree.fromstring(files["content.opf"])
    cover, = [item for item in package.findall(".//{*}item")
              if item.get("properties") == "cover-image"]
    image = Image.open(io.BytesIO(files[cover.get("href")]))
    assert min(image.size) > 1000 and len(image.getcolors(1 << 24)) > 100


def test_its_pages_read_in_the_dark_and_on_a_phone(ebook, chromium, tmp_path):
    "A reader's dark ground is seen, and no page is wider than a phone."
    _, files = ebook
    for name, data in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    page = chromium.new_page(viewport={"width": 390, "height": 800})
    light = """() => [...document.querySelectorAll(
        'img, pre, code, table, th, td, div, figure, figcaption, a')].filter(e => {
        const [r, g, b, a] = getComputedStyle(e).backgroundColor
            .match(/[\\d.]+/g).map(Number)
        return e.localName != 'img' && r + g + b > 384 && !(a < .2)
    }).length"""
    ink = """() => [...document.querySelectorAll('p, li, td, pre span')]
        .filter(e => getComputedStyle(e).color
                != getComputedStyle(document.body).color).length"""
    for path in sorted((tmp_path / "text").glob("ch*.xhtml")):
        page.goto(path.as_uri())
        page.add_style_tag(content="body { background: #111; color: #ddd }")
        assert page.evaluate(light) == page.evaluate(ink) == 0, path.name
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert page.evaluate("""() => [...document.querySelectorAll('img')]
            .every(e => getComputedStyle(e).backgroundColor
                        == 'rgb(255, 255, 255)')"""), path.name
    page.close()
