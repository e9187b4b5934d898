"""The PDFs as one who reads them page by page finds them."""
import re

import pytest

from cnnbook.press.manifest import on_paper, pages, read_manifest
from cnnbook.press.staging import whole_books
from cnnbook.press.student import SECTION
from conftest import ROOT

LANGS = "es", "en"
MANIFEST = read_manifest(ROOT, "es")
FILES = [page["file"] for page in pages(on_paper(MANIFEST))]


@pytest.fixture(scope="module", params=[
    pytest.param((lang, small), id=f"{lang}-{'tablet' if small else 'a4'}")
    for lang in LANGS for small in (False, True)])
def volume(request, book):
    "One PDF: its folder, its words, if it is small, and its pages' lines."
    from pypdfium2 import PdfDocument
    lang, small = request.param
    if (book / lang / "site_libs").exists():
        pytest.skip("the PDF is the same, whoever renders the pages")
    manifest = read_manifest(ROOT, lang)
    words = manifest["cnnbook"]["words"]
    name = whole_books(manifest)[words["tablet"] if small else "PDF"]
    with PdfDocument(book / lang / name) as pdf:
        lines = [page.get_textpage().get_text_bounded().splitlines()
                 for page in pdf]
        yield book / lang, manifest, small, lines, pdf


def titled(lines, title, after=0):
    "The number of the first page, from `after` on, that begins so."
    return next(i for i in range(after, len(lines))
                if lines[i] and lines[i][0].strip() == title)


def ink(page):
    "How far down the text area of a page its ink goes: 0 to 1."
    import numpy as np
    image = np.asarray(page.render(scale=0.4, grayscale=True).to_pil())
    height = len(image)
    rows, = (image[int(.08 * height):int(.915 * height)] < 200).any(1).nonzero()
    return (rows.max() + 1) / (.835 * height) if len(rows) else 0


def test_a_page_is_mostly_white_only_before_another_begins(volume):
    _, _, small, lines, pdf = volume
    least = 1 / 3 if small else 1 / 2
    white = [i for i, page in enumerate(pdf) if ink(page) < least]
    assert len(white) < 20
    for i in white:
        if i + 1 < len(lines):      # the head of a page is its chapter
            assert lines[i][0] != lines[i + 1][0], i + 1


def test_the_contents_have_parts_and_at_most_four_pages(volume):
    _, manifest, _, lines, _ = volume
    words = manifest["cnnbook"]["words"]
    start = titled(lines, words["contents"])
    end = titled(lines, "Prefacio" if manifest["lang"] == "es" else "Preface")
    assert 1 <= end - start <= 4
    listed = [line.strip() for page in lines[start:end] for line in page]
    for page in pages(on_paper(manifest)):
        assert not page["part"] or page["part"] in listed
    assert sum(bool(re.match(r"\d+\.\d+ ", line)) for line in listed) > 150


def test_a_figure_is_listed_in_two_lines_at_most(volume):
    _, manifest, small, lines, _ = volume
    words = manifest["cnnbook"]["words"]
    start = titled(lines, words["figures"])
    end = titled(lines, words["index"])
    text = "\n".join(line for page in lines[start:end] for line in page
                     if line.strip() != words["figures"]
                     and not re.fullmatch(r"[\d ]+", line))
    entries = re.split(rf"(?m)^(?={words['fig']}\s[\d.A-D]+:)", text)[1:]
    assert len(entries) > 80
    for entry in entries:
        assert len(entry.strip().splitlines()) <= 3 - (not small), entry


def stream(lines):
    "The lines of all pages in order: the page of each, and it, squeezed."
    heads = set()
    for i, page in enumerate(lines):
        body = page[page[:1] != [] and page[0] in heads:]
        heads.update(page[:1])
        for line in body[:-1]:
            yield i, "".join(line.split())


def blocks(notebooks):
    "The lines, squeezed, of each block of code before the exercises."
    for file in FILES:
        for cell in notebooks[file].cells:
            if cell.cell_type == "markdown" and SECTION.match(cell.source):
                break
            if cell.cell_type == "code" and not re.search(
                    r"(?m)^#\| *(echo: *false|hide)|^#\|.*html", cell.source):
                yield ["".join(line.split())
                       for line in cell.source.splitlines()
                       if not line.startswith("#|")]


def test_a_block_of_code_leaves_no_line_alone(volume, notebooks):
    *_, lines, _ = volume
    told = list(stream(lines))
    where, broken, seen = {}, 0, 0
    for i, (_, line) in enumerate(told):
        where.setdefault(line, []).append(i)
    lost = [line for code in blocks(notebooks) for line in code
            if line and line not in where]
    assert not lost         # cut, or broken in two
    for code in blocks(notebooks):
        kept = [line for line in code if line]
        if len(kept) < 2:
            continue
        for i in where.get(kept[0], []):
            if [line for _, line in told[i:i + len(kept)]] == kept:
                seen += 1
                counts = [sum(page == each for page, _ in
                              told[i:i + len(kept)])
                          for each in {page for page, _ in
                                       told[i:i + len(kept)]}]
                if len(counts) > 1:
                    broken += 1
                    assert len(code) > 14 and min(counts) >= 3, kept
                break
    assert seen > 300 and broken > 3


def test_a_table_that_fits_on_a_page_is_whole(volume):
    book, manifest, small, lines, _ = volume
    squeezed = [re.sub(r"[\s\x02\ufffe\xad]", "", "".join(page))
                for page in lines]
    whole = 0
    for page in pages(on_paper(manifest)):
        html = (book / page["url"]).read_text("utf-8")
        for caption, body in re.findall(
                r"(?s)<caption>(.*?):.*?</caption>.*?<tbody>(.*?)</tbody>",
                html):
            cells = [re.sub(r"(?s)<math.*?</math>.*|<[^>]+>|\s", "", cell)
                     for cell in re.findall(
                         r"(?s)<td[^>]*>(.*?)</td>", body.split("</tr>")[0])]
            first, name = max(cells, key=len), "".join(caption.split())
            if len(first) < 4 or body.count("<tr") > (16 if small else 40):
                continue
            here = [i for i, text in enumerate(squeezed)
                    if re.search(rf"{re.escape(name)}:", text)]
            assert any(first[:12] in squeezed[i] for i in here), name
            whole += 1
    assert whole > 20


def test_exercises_and_answers_lead_to_one_another(volume):
    import ctypes

    from pypdfium2 import raw
    _, manifest, _, lines, pdf = volume
    words = manifest["cnnbook"]["words"]
    start = titled(lines, words["answers"])
    end = titled(lines, words["figures"])
    there, back = 0, 0
    for i, page in enumerate(pdf):
        place, link = ctypes.c_int(0), raw.FPDF_LINK()
        while raw.FPDFLink_Enumerate(page, place, link):
            dest = raw.FPDFLink_GetDest(pdf, link)
            to = raw.FPDFDest_GetDestPageIndex(pdf, dest) if dest else -1
            there += 8 <= i < start <= to < end
            back += start <= i < end and 8 <= to < start
    told = " ".join(" ".join(page) for page in lines[8:start])
    asked = len(re.findall(words["answer"].replace(" ", r"\s+"), told))
    assert asked > 80 and there >= asked and back >= asked
