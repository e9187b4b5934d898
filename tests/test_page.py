"""What a reader does with a finished page: its figures in the dark and large,
its wide formulas, its headings and references, its search, its print."""
import io
import json
import re
from collections import Counter

import pytest

from cnnbook.press.dark import PAPER, contrast
from cnnbook.press.manifest import pages, read_manifest, workshop
from conftest import ROOT
from test_browser import DESK, LANGS, LESSON, PHONE, home, ours  # noqa: F401

MANIFEST = read_manifest(ROOT, "es")
CHAPTERS = [page["url"] for page in pages(MANIFEST)]
GROUND = tuple(bytes.fromhex(PAPER[1:]))
LEAST = 11                              # pixels of a letter


@pytest.fixture
def visit(chromium, home):              # noqa: F811
    "Open a page of the book, with what the context is to be like."
    contexts = []

    def opened(url, **options):
        context = chromium.new_context(**{
            "viewport": DESK, "reduced_motion": "reduce"} | options)
        contexts.append(context)
        page = context.new_page()
        page.goto(f"{home}/{url}")
        return page
    yield opened
    for context in contexts:
        context.close()


def drawings(book):
    "The drawings of the pages of a book, by their paths."
    return {path: path.read_text("utf-8") for path in book.rglob("*.svg")
            if "prefers-color-scheme" in path.read_text("utf-8")}


def pixels(locator):
    "The colors of a part of a page, with how often each occurs."
    from PIL import Image
    image = Image.open(io.BytesIO(locator.screenshot())).convert("RGB")
    return Counter(image.get_flattened_data() if hasattr(
        image, "get_flattened_data") else image.getdata())


# In the dark ----------------------------------------------------------------

@pytest.mark.parametrize("system, chosen, dark", [
    ("light", None, False), ("light", "dark", True), ("dark", None, True),
    ("dark", "light", False)])
def test_a_drawing_has_the_colors_of_the_page(visit, ours, system,  # noqa: F811
                                              chosen, dark):
    if chosen and not ours:
        pytest.skip("Quarto has its own switch")
    page = visit(f"es/{LESSON}", color_scheme=system)
    if chosen:
        page.locator(".colors-switch").click()
    image = page.locator("#fig-conv1d-copies img")
    image.scroll_into_view_if_needed()
    page.mouse.move(0, 0)
    found = pixels(image)
    ground = found.most_common(1)[0][0]
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == tuple(map(int, re.findall(r"\d+", paper)[:3]))
    assert (sum(ground) < 120) is dark
    ink = max if dark else min
    assert abs(sum(ink(found, key=sum)) - sum(ground)) > 500


def test_a_photograph_is_never_a_negative(visit):
    light, dark = (pixels(visit(f"es/{CHAPTERS[4]}", color_scheme=scheme)
                          .locator("#fig-conv2d-photo img"))
                   for scheme in ("light", "dark"))
    kept = sum(min(light[color], dark[color]) for color in light)
    assert kept > 0.75 * sum(light.values())


def test_the_dark_paper_is_that_of_the_pages():
    theme = (ROOT / "assets/theme.scss").read_text("utf-8")
    assert f"--paper: light-dark(#fffefb, {PAPER})" in theme


def test_every_color_of_a_drawing_stands_out_in_the_dark(book):
    used, rules = Counter(), {}
    for path, svg in drawings(book).items():
        style, body = re.search(r"<style>(@media.*?)</style>", svg)[1], svg
        known = dict(re.findall(r'\*="(\w+: #\w{6})"\]\{\w+:(#\w{6})', style))
        rules |= known
        body = body.replace(style, "")
        colors = re.findall(r"(?:fill|stroke): #\w{6}\b", body)
        assert set(colors) <= set(known), path
        for group in re.findall(r'<g style="(fill: #\w{6})[^>]* scale\(', body):
            assert contrast(known[group], PAPER) >= 4.5, (path, group)
        used.update(colors)
    assert len(used) >= 8 and sum(used.values()) > 10_000
    for color, dark in rules.items():
        light = contrast(color[-7:], "#ffffff")
        assert contrast(dark, PAPER) >= min(3, light), color


# Large ----------------------------------------------------------------------

def test_the_letters_of_a_drawing_can_be_read_at_its_own_size(book):
    for path, svg in drawings(book).items():
        sizes = re.findall(r"scale\((0?\.\d+) -\1\)", svg)
        width, across = re.search(r'width="([\d.]+)pt".*? viewBox="\S+ \S+ '
                                  r'([\d.]+)', svg).groups()
        times = float(width) / 0.75 / float(across)
        for size in map(float, sizes):
            assert 100 * size * times >= LEAST - 0.05, path


@pytest.mark.parametrize("lang, figure", [
    ("es", "#fig-conv2d-flip"), ("en", "#fig-conv2d-photo"),
    ("es", "#fig-conv2d-border")])
def test_a_tap_opens_a_figure_large_on_a_phone(visit, lang, figure):
    page = visit(f"{lang}/{CHAPTERS[4]}", viewport=PHONE, has_touch=True)
    image, large = page.locator(f"{figure} img"), page.locator("dialog.large")
    assert page.locator(f"{figure} .enlarge").is_visible()
    for close in "Escape", "button", "outside":
        image.tap()
        shown = large.locator("img")
        assert shown.get_attribute("alt") == image.get_attribute("alt")
        assert shown.evaluate("i => i.clientWidth >= i.naturalWidth")
        pan = large.locator(".pan")
        assert pan.evaluate("p => p.scrollWidth > p.clientWidth")
        assert pan.evaluate("p => { p.scrollLeft = 90; return p.scrollLeft }")
        if close == "Escape":
            page.keyboard.press("Escape")
        elif close == "button":
            large.locator("button").tap()
        else:
            page.touchscreen.tap(195, 4)
        assert not large.is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_a_figure_is_opened_and_closed_with_the_keyboard(visit):
    page = visit(f"en/{LESSON}")
    button = page.locator("#fig-conv1d-copies .enlarge")
    assert button.get_attribute("aria-label") == "Enlarge the figure"
    for key in "Enter", "Space":
        button.focus()
        assert button.evaluate("b => getComputedStyle(b).opacity") == "1"
        page.keyboard.press(key)
        assert page.locator("dialog.large .pan:focus").count() == 1
        page.keyboard.press("Escape")
        assert page.locator("#fig-conv1d-copies .enlarge:focus").count() == 1


def test_a_laboratory_has_no_picture_to_open(visit):
    page = visit(f"en/{LESSON}")
    page.locator("#fig-conv1d-lab .lab").wait_for()
    assert not page.locator("#fig-conv1d-lab .enlarge").is_visible()


# Wide -----------------------------------------------------------------------

@pytest.mark.parametrize("url", CHAPTERS)
def test_what_is_wide_shows_that_it_scrolls(visit, url):
    page = visit(f"es/{url}", viewport=PHONE)
    wide = page.evaluate("""() => [...document.querySelectorAll(
      ".table, math[display='block']")].filter(e => e.scrollWidth
        > e.clientWidth + 1).map(e => [getComputedStyle(e).maskImage,
          e.tabIndex, e.querySelector("caption")?.getBoundingClientRect().right])""")
    for mask, tab, caption in wide:
        assert "gradient" in mask and tab == 0
        assert caption is None or caption <= 371
    numbers = page.evaluate("""() => [...document.querySelectorAll(
      ".equation-number")].map(n => [n.getClientRects().length,
        n.getBoundingClientRect().right, n.offsetHeight])""")
    assert all(lines == 1 and right <= 390 and high < 45
               for lines, right, high in numbers)


def test_the_sign_goes_where_the_rest_is(visit, ours):     # noqa: F811
    page = visit("es/chapters/06_backprop.html", viewport=PHONE)
    wide = page.query_selector("math.more-after")
    wide.evaluate("e => { e.scrollLeft = 9999 }")
    page.wait_for_function("e => e.matches('.more-before:not(.more-after)')",
                           arg=wide)


# Headings and references ------------------------------------------------------

@pytest.mark.parametrize("lang, name", [("es", "Enlace a esta sección: "),
                                        ("en", "Link to this section: ")])
def test_a_heading_can_be_linked(visit, lang, name):
    page = visit(f"{lang}/{LESSON}")
    section = page.locator("#sec-conv1d-flip")
    link = section.locator("> .titled > .anchor")
    opacity = "a => getComputedStyle(a).opacity"
    assert link.evaluate(opacity) == "0"
    section.locator("> .titled > h2").hover()
    assert link.evaluate(opacity) == "1"
    page.mouse.move(0, 0)
    link.focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    assert link.evaluate(opacity) == "1"
    label = link.get_attribute("aria-label")
    assert label.startswith(name + "1.3") and "\\" not in label
    page.keyboard.press("Enter")
    assert page.url.endswith("#sec-conv1d-flip")


def test_the_contents_of_the_page_follow_it(visit):
    page = visit(f"es/{LESSON}")
    for name in "sec-conv1d-flip", "sec-conv1d-exercises", "sec-conv1d-flip":
        page.locator(f"#{name}").evaluate("e => e.scrollIntoView()")
        page.wait_for_function("""name => [...document.querySelectorAll(
          "nav a[aria-current=true], nav[role=doc-toc] a.active")].at(-1)
          ?.hash === "#" + name""", arg=name)


FIGURE, EQUATION = "main a[href$='#fig-conv1d-copies']", (
    "main a[href$='#eq-conv1d-definition']")
WORK = "main a[href*='99_references.html#ref-']"


@pytest.mark.parametrize("link, part", [(FIGURE, "img"), (EQUATION, "math"),
                                        (WORK, None)])
def test_what_a_reference_names_is_shown_beside_it(visit, link, part):
    page = visit(f"es/{LESSON}")
    link, preview = page.locator(link).first, page.locator(".preview")
    link.hover()
    preview.wait_for()
    assert link.get_attribute("aria-describedby") == preview.get_attribute("id")
    assert part is None or preview.locator(part).is_visible()
    assert len(preview.inner_text()) > 3
    assert not preview.locator("a, button, [id], [tabindex]").count()
    box = preview.bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + 10, steps=4)
    page.wait_for_timeout(500)          # it can be pointed at, and stays
    assert preview.is_visible()
    page.keyboard.press("Escape")
    assert not preview.is_visible()
    assert link.get_attribute("aria-describedby") is None


def test_the_keyboard_shows_what_a_reference_names(visit):
    page = visit(f"es/{LESSON}")
    page.locator(FIGURE).first.focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    page.locator(".preview").wait_for()
    page.keyboard.press("Tab")
    page.locator(".preview").wait_for(state="hidden")


def test_touch_shows_no_preview(visit):
    page = visit(f"es/{LESSON}", viewport=PHONE, has_touch=True)
    link = page.locator(FIGURE).first
    link.scroll_into_view_if_needed()
    link.tap()
    page.wait_for_timeout(700)
    assert page.url.endswith("#fig-conv1d-copies")
    assert not page.locator(".preview").is_visible()


# Search and print -------------------------------------------------------------

@pytest.mark.parametrize("lang, word, words", [
    ("es", "resultado", "resultados"), ("en", "result", "results")])
def test_the_number_of_results_agrees_with_its_word(visit, book, lang, word,
                                                    words):
    index = (book / lang / "assets/search-index.js").read_text("utf-8")
    entries = json.loads(index.partition("=")[2].strip().rstrip(";"))
    texts = [" ".join(entry[1:]).lower() for entry in entries]
    rare = next(found for text in texts for found in re.findall(
        r"\b[a-z]{9,}\b", text) if sum(found in other for other in texts) == 1)
    page = visit(f"{lang}/{LESSON}")
    page.keyboard.press("/")
    status = page.locator("dialog.search [role=status]")
    page.keyboard.type(rare)
    status.get_by_text(f"1 {word}", exact=True).wait_for()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("softmax")
    status.get_by_text(re.compile(rf"^\d\d {words}$")).wait_for()


def test_an_excerpt_reads_its_formulas(visit):
    page = visit(f"es/{LESSON}")
    page.keyboard.press("/")
    page.keyboard.type("∑_(k")
    first = page.locator("[role=option]").first
    first.wait_for()
    assert "∑_(k = " in first.inner_text()


def test_no_formula_of_the_index_is_tex(book):
    for lang in LANGS:
        index = (book / lang / "assets/search-index.js").read_text("utf-8")
        assert "∑" in index and " = " in index
        assert not re.search(r"\\\\(?:frac|sum|cdot|mathrm|begin)", index)


WIDE_ON_PAPER = """() => [...document.querySelectorAll("main *")].filter(e =>
  e.getBoundingClientRect().right > innerWidth + 1 && !e.closest("svg")
  && !e.closest(".unseen")).map(e => e.outerHTML.slice(0, 90))"""


@pytest.mark.parametrize("url", CHAPTERS + [
    f"making/{page['url']}" for page in pages(workshop(MANIFEST))[:4]])
def test_paper_cuts_nothing(visit, ours, url):      # noqa: F811
    if not ours:
        pytest.skip("what Quarto draws around the text is not ours")
    page = visit(f"es/{url}", color_scheme="dark")
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 673, "height": 900})   # A4, its margins
    assert not page.evaluate(WIDE_ON_PAPER)
    assert not page.evaluate("""() => [...document.querySelectorAll(
      "button, .anchor")].filter(e => e.getClientRects().length).length""")
    assert not page.evaluate("""() => [...document.querySelectorAll(
      "main details:not([open]) > :not(summary)")].filter(
        e => !e.closest("live-cell, live-progress") && e.textContent.trim()
          && !e.getClientRects().length).map(e => e.outerHTML.slice(0, 90))""")


def test_paper_is_white_in_the_dark_too(visit, tmp_path, ours):    # noqa: F811
    from pypdfium2 import PdfDocument
    if not ours:
        pytest.skip("Quarto has its own switch")
    page = visit(f"es/{LESSON}", color_scheme="dark")
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    page.pdf(path=tmp_path / "page.pdf", format="A4", print_background=True,
             prefer_css_page_size=True)
    with PdfDocument(tmp_path / "page.pdf") as pdf:
        for sheet in pdf:
            image = sheet.render(scale=0.4).to_pil().convert("L")
            light = sum(image.histogram()[200:]) / (image.width * image.height)
            assert light > 0.6
