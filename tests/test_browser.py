"""The finished book in a real browser: Debian's Chromium, with Playwright.

Every page of both editions is opened at two widths, in light and in dark.
The pages are read from files, as a reader would, whoever made them.
"""
import asyncio
import json
import os
import re
import subprocess
import tarfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote, urlsplit

import pytest

from cnnbook.press.links import Page
from cnnbook.press.manifest import pages, read_manifest, workshop
from conftest import CHROMIUM, ROOT

playwright = pytest.importorskip("playwright.async_api")
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="Chromium is not here: "
                                "apt-get install chromium")

AXE = "axe-core-4.14.1"
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
LANGS = "es", "en"
MANIFEST = read_manifest(ROOT, "es")
READER = [page["url"] for page in pages(MANIFEST)]
URLS = READER + [
    f"making/{page['url']}" for page in pages(workshop(MANIFEST))]
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
LESSON = "chapters/01_conv1d.html"


class Handler(SimpleHTTPRequestHandler):
    "Serve a folder; answer with its 404.html, as the hosts of pages do."

    def log_message(self, *args):
        pass

    def send_error(self, code, *args):
        page = (Path(self.directory) / "404.html").read_bytes()
        self.send_response(code)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(page)


@pytest.fixture(scope="module")
def served(book):
    "The address at which the book is served."
    handler = partial(Handler, directory=book)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture(scope="module")
def ours(book):
    "Whether the pages are those of Pandoc, with all of our own parts."
    return not (book / "es" / "site_libs").exists()


@pytest.fixture(scope="module")
def home(book):
    "Where the pages are opened: from the disk."
    return book.as_uri()


@pytest.fixture(scope="module")
def axe():
    "The source of axe-core, from npm, kept in .cache."
    kept = ROOT / ".cache" / f"{AXE}.tgz"
    if not kept.exists():
        name = AXE[::-1].replace("-", "@", 1)[::-1]
        try:
            subprocess.run(["npm", "pack", name, "--pack-destination",
                            kept.parent], check=True, capture_output=True)
        except (FileNotFoundError, subprocess.CalledProcessError) as error:
            pytest.skip(f"axe-core is not here and npm cannot get it: {error}")
    with tarfile.open(kept) as archive:
        return archive.extractfile("package/axe.min.js").read().decode()


@pytest.fixture(scope="module")
def browse():
    "Run a coroutine function with an open browser and give its result."
    async def run(visit):
        async with playwright.async_playwright() as p:
            browser = await p.chromium.launch(
                executable_path=CHROMIUM, args=["--no-sandbox"])
            try:
                return await visit(browser)
            finally:
                await browser.close()
    return lambda visit: asyncio.run(run(visit))


MEASURE = """() => ({
  width: document.documentElement.scrollWidth,
  paper: getComputedStyle(document.body).backgroundColor,
  broken: [...document.images].filter(i => !i.complete || !i.naturalWidth)
    .map(i => i.src),
})"""

# Quarto's pages change their colors with a script, and later than the system.
PAINTED = """() => new Promise(done => setTimeout(
  () => requestAnimationFrame(() => requestAnimationFrame(done)), 30))"""

# Formulas and colored code are the same on every page and cost most of the
# time: they are looked at on these alone. Dark changes only the colors, and a
# phone everything else.
WHOLE = {LESSON, "index.html", "making/marks.html"}
PARTS = {(1280, "light"): {"runOnly": {"type": "tag", "values": WCAG}},
         (1280, "dark"): {"runOnly": {"type": "rule",
                                      "values": ["color-contrast"]}},
         (390, "light"): {"runOnly": {"type": "tag", "values": WCAG},
                          "rules": {"color-contrast": {"enabled": False}}}}

RUN_AXE = """([options, left]) => axe.run(
  {include: [["html"]], exclude: left.map(name => [name])},
  {resultTypes: ["violations"], preload: false, ...options}).then(found =>
    found.violations.map(v => v.id + ": " + v.nodes[0].html.slice(0, 150)
      + " " + v.nodes[0].failureSummary.slice(0, 250)))"""


def asked_of_axe(url, width, scheme):
    "The options of a run of axe and what it leaves out, or None for no run."
    if url in WHOLE:
        return PARTS[1280, "light"], []
    part = PARTS.get((width, scheme))
    return part and (part, ["math", "code"])


async def look(context, home, lang, url, width, axe):
    "Open one page in both color schemes; return what was seen."
    page = await context.new_page()
    seen = {"problems": [], "requests": []}
    page.on("console", lambda m: m.type in ("error", "warning")
            and seen["problems"].append(m.text))
    page.on("pageerror", lambda error: seen["problems"].append(str(error)))
    page.on("requestfailed", lambda r: seen["problems"].append(r.url))
    page.on("request", lambda r: seen["requests"].append(r.url))
    for scheme in "light", "dark":
        await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        if scheme == "light":
            await page.goto(f"{home}/{lang}/{url}")
        await page.evaluate(PAINTED)
        seen[scheme] = await page.evaluate(MEASURE)
        asked = axe and asked_of_axe(url, width, scheme)
        if asked:
            await page.evaluate(axe if scheme == "light" else "0")
            seen[scheme]["axe"] = await page.evaluate(RUN_AXE, asked)
    await page.close()
    return seen


@pytest.fixture(scope="module")
def seen(browse, home, axe, ours):
    "What was seen on each page: (lang, url, width) -> dict."
    async def visit(browser):
        slots = asyncio.Semaphore(os.cpu_count() or 1)
        contexts = {size["width"]: await browser.new_context(viewport=size)
                    for size in (DESK, PHONE)}

        async def one(lang, url, width):
            async with slots:
                return await look(contexts[width], home, lang, url, width,
                                  axe)
        urls = URLS if ours else READER     # the workshop is always ours
        keys = [(lang, url, width) for lang in LANGS for url in urls
                for width in contexts]
        return dict(zip(keys, await asyncio.gather(*(one(*k) for k in keys))))
    return browse(visit)


def test_no_page_complains_or_asks_for_what_is_not_there(seen):
    wrong = {key: page["problems"] for key, page in seen.items()
             if page["problems"]}
    assert not wrong


def test_no_page_needs_the_network(seen, home):
    for key, page in seen.items():
        foreign = [url for url in page["requests"]
                   if not url.startswith((home, "data:", "blob:"))]
        assert not foreign, key


def test_no_page_scrolls_sideways(seen):
    wide = {key: page["light"]["width"] for key, page in seen.items()
            if page["light"]["width"] > key[2]}
    assert not wide


def test_every_image_is_shown(seen):
    assert not {key: page["light"]["broken"] for key, page in seen.items()
                if page["light"]["broken"]}


def test_the_pages_follow_the_colors_of_the_system(seen):
    for key, page in seen.items():
        light, dark = (sum(map(int, re.findall(r"\d+", page[s]["paper"])[:3]))
                       for s in ("light", "dark"))
        assert light > 700 and dark < 120, key


def test_axe_finds_nothing_against_wcag_2_2(seen):
    found = {}
    assert all("axe" in page["light"] for page in seen.values())
    for key, page in seen.items():
        for scheme in "light", "dark":
            for problem in page[scheme].get("axe", []):
                found.setdefault(problem, []).append((*key, scheme))
    assert not found, json.dumps({k: [len(v), v[0]] for k, v in found.items()},
                                 indent=1)


def test_a_chapter_weighs_less_than_a_megabyte(seen, book, home, ours):
    if not ours:
        pytest.skip("the weight of Quarto's own scripts is not ours")
    for key, page in seen.items():
        files = {unquote(urlsplit(url[len(home):]).path)[1:]
                 for url in page["requests"] if url.startswith(home)}
        weight = sum((book / file).stat().st_size for file in files
                     if "/widgets/data/" not in file)
        assert weight < 1_000_000, (key, weight)


@pytest.fixture
def on_page(browse, home):
    """Give `await on_page(visit, url, **options)` a page to visit."""
    def run(visit, url, **options):
        async def inner(browser):
            context = await browser.new_context(**({"viewport": DESK} | options))
            page = await context.new_page()
            await page.goto(f"{home}/{url}")
            return await visit(page)
        return browse(inner)
    return run


def test_without_scripts_the_whole_text_is_there(on_page, home):
    async def visit(page):
        text = ""
        for url in URLS:
            await page.goto(f"{home}/es/{url}")
            hidden = await page.locator(
                "main :is(h1, h2, h3, p, pre, figure img)").evaluate_all(
                "all => all.filter(e => !e.offsetHeight && "
                "!e.closest('details')).map(e => e.outerHTML.slice(0, 90))")
            assert not hidden, url
            text += await page.locator("main").inner_text()
        return text
    text = on_page(visit, "es/index.html", java_script_enabled=False)
    assert len(text) > 100_000 and "def conv1d(" in text


@pytest.mark.parametrize("lang, query, title", [
    ("es", "convolucion dimension", "Convolución en una dimensión"),
    ("es", "CONVOLUCIÓN dimensión", "Convolución en una dimensión"),
    ("en", "one dimension", "Convolution in one dimension")])
def test_search_finds_whatever_the_accents(on_page, lang, query, title):
    async def visit(page):
        await page.keyboard.press("/")
        await page.keyboard.type(query)
        first = page.locator("[role=option]").first
        await first.wait_for()
        assert title in await first.inner_text()
        assert await first.locator("mark").count() >= 2
        count = await page.locator("[role=option]").count()
        assert str(count) in await page.locator("dialog.search [role=status]").inner_text()
    on_page(visit, f"{lang}/{LESSON}")


def test_search_is_used_with_the_keyboard_and_leads_to_the_place(on_page):
    async def visit(page):
        await page.keyboard.press("/")
        await page.keyboard.type("im2col")
        await page.locator("[role=option]").nth(1).wait_for()
        await page.keyboard.press("ArrowDown")
        chosen = page.locator("[aria-selected=true]")
        assert await chosen.get_attribute("id") == await page.locator(
            "[role=combobox]").get_attribute("aria-activedescendant")
        target = await chosen.locator("a").get_attribute("href")
        await page.keyboard.press("Enter")
        await page.wait_for_url(target)
        assert await page.evaluate(
            "Math.abs(document.getElementById(decodeURIComponent("
            "location.hash.slice(1))).getBoundingClientRect().top)") < 300
        await page.keyboard.press("/")
        await page.keyboard.type("xyzzy")
        status = page.locator("dialog.search [role=status]", has_text="Nada")
        await status.wait_for()
        await page.keyboard.press("Escape")
        assert not await page.locator("dialog.search").is_visible()
    on_page(visit, f"es/{LESSON}", reduced_motion="reduce")


def test_every_entry_of_the_search_is_a_place(book):
    indexes = []
    for lang in LANGS:
        text = (book / lang / "assets/search-index.js").read_text("utf-8")
        index = json.loads(text.partition("=")[2].strip().rstrip(";"))
        ids = {url: Page((book / lang / url).read_text("utf-8")).ids
               for url in URLS}
        for place, page, title, _ in index:
            url, _, anchor = place.partition("#")
            assert page and title and (not anchor or anchor in ids[url]), place
        indexes.append([place for place, *_ in index])
    assert indexes[0] == indexes[1] and len(indexes[0]) > 200


@pytest.mark.parametrize("lang, other", [("es", "en"), ("en", "es")])
def test_the_language_changes_at_the_same_section(on_page, lang, other):
    async def visit(page):
        await page.evaluate("document.getElementById('sec-conv1d-flip')"
                            ".scrollIntoView({behavior: 'instant'})")
        link = page.locator(f"a[hreflang={other}]:visible").first
        await link.evaluate("link => link.focus({preventScroll: true})")
        await page.keyboard.press("Enter")
        await page.wait_for_url(f"**/{other}/{LESSON}#sec-conv1d-flip")
    on_page(visit, f"{lang}/{LESSON}")


def test_the_choice_of_colors_is_remembered(on_page, ours, home):
    if not ours:
        pytest.skip("Quarto has its own switch")

    async def visit(page):
        async def paper():
            return await page.evaluate(
                "getComputedStyle(document.body).backgroundColor")
        light = await paper()
        switch = page.locator(".colors-switch")
        await switch.focus()
        await page.keyboard.press("Enter")
        assert await switch.get_attribute("aria-pressed") == "true"
        dark = await paper()
        await page.goto(f"{home}/en/index.html")
        assert dark == await paper() != light
        await page.locator(".colors-switch").click()
        await page.reload()
        assert light == await paper()
    on_page(visit, "es/index.html", color_scheme="light")


def test_refused_storage_is_no_obstacle(on_page, ours):
    if not ours:
        pytest.skip("Quarto has its own switch")

    async def visit(page):
        errors = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        await page.add_init_script("Object.defineProperty(window, "
                                   "'localStorage', {get() { throw 1 }})")
        await page.reload()
        await page.locator(".colors-switch").click()
        assert await page.evaluate("document.documentElement.dataset.theme")
        assert not errors
    on_page(visit, f"es/{LESSON}")


def test_the_outline_follows_the_scroll(on_page, ours):
    if not ours:
        pytest.skip("Quarto has its own outline")

    async def visit(page):
        for name in "flip", "mistakes", "summary":
            await page.evaluate(f"document.getElementById('sec-conv1d-{name}')"
                                ".scrollIntoView({behavior: 'instant'})")
            current = page.locator(".page-nav [aria-current]")
            await page.locator(f".page-nav [aria-current][href$='-{name}']"
                               ).wait_for()
            assert await current.count() == 1
    on_page(visit, f"es/{LESSON}", reduced_motion="reduce")


def test_the_whole_way_by_keyboard(on_page, ours):
    if not ours:
        pytest.skip("what Quarto draws around the text is not ours")

    async def visit(page):
        await page.keyboard.press("Tab")
        skip = page.locator(":focus")
        assert await skip.get_attribute("class") == "skip"
        assert (await skip.bounding_box())["x"] > 0
        await page.keyboard.press("Enter")
        assert await page.locator("main:focus").count() == 1
        for _ in range(150):
            await page.keyboard.press("Tab")
            if await page.locator("[rel=next]:focus").count():
                break
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/chapters/00_digit.html")
    on_page(visit, "es/index.html")


def test_the_menus_of_a_phone_by_keyboard(on_page, ours):
    if not ours:
        pytest.skip("what Quarto draws around the text is not ours")

    async def visit(page):
        for button, menu in (("contents-open", "#contents"),
                             ("outline-open", "#outline")):
            assert not await page.locator(menu).is_visible()
            await page.locator(f".{button}").focus()
            await page.keyboard.press("Enter")
            assert await page.locator(menu).is_visible()
            await page.keyboard.press("Tab")
            assert await page.locator(f"{menu} a:focus").count() == 1
            await page.keyboard.press("Escape")
            assert not await page.locator(menu).is_visible()
            assert await page.locator(f".{button}:focus").count() == 1
    on_page(visit, f"es/{LESSON}", viewport=PHONE)


def test_code_can_be_copied_and_unfolded(on_page, ours):
    if not ours:
        pytest.skip("Quarto has its own buttons")

    async def visit(page):
        block = page.locator("div.sourceCode").nth(1)
        await block.locator(".copy").focus()
        await page.keyboard.press("Enter")
        await block.locator(".copy.done").wait_for()
        copied = await page.evaluate("navigator.clipboard.readText()")
        assert copied.strip() == (await block.locator("code").inner_text()).strip()
        summary = page.locator("main details > summary").first
        await summary.focus()
        await page.keyboard.press("Enter")
        assert await summary.evaluate("s => s.parentElement.open")
    on_page(visit, f"es/{LESSON}",
            permissions=["clipboard-read", "clipboard-write"])


def test_a_lost_reader_finds_the_way_back(on_page, served):
    async def visit(page):
        answer = await page.goto(f"{served}/es/chapters/nothing.html")
        assert answer.status == 404
        assert await page.locator("main h2").all_inner_texts() == [
            "Esta página no existe", "There is no such page"]
        await page.locator("a", has_text="beginning").click()
        await page.wait_for_url(f"{served}/en/index.html")
        assert await page.title()
    on_page(visit, "index.html")


@pytest.mark.parametrize("locale, lang", [("es-MX", "es"), ("en-US", "en"),
                                          ("de-DE", "en")])
def test_the_first_page_opens_the_language_of_the_reader(on_page, locale, lang):
    async def visit(page):
        await page.wait_for_url(f"**/{lang}/index.html")
        title = await page.title()
        assert read_manifest(ROOT, lang)["book"]["title"] in title
    on_page(visit, "index.html", locale=locale)


@pytest.mark.parametrize("old, new", [
    *MANIFEST["cnnbook"]["moved"].items(),
    ("chapters/12_torch.html#sec-torch-summary",
     "chapters/13_torch.html#sec-torch-summary"),
    ("chapters/A6_build.html#sec-build-stage",
     "making/staging.html#sec-build-stage"),
    ("chapters/A9_live.html#sec-nothing", "chapters/D_live.html#sec-nothing"),
    ("chapters/D_live.html#sec-live-travel",
     "making/apps.html#sec-live-travel"),
    ("making/book.html#sec-build-search",
     "making/search.html#sec-build-search"),
    ("making/book.html#sec-conv1d", "chapters/01_conv1d.html#sec-conv1d")])
def test_an_old_address_leads_to_the_new_one(on_page, old, new):
    async def visit(page):
        await page.wait_for_url(f"**/en/{new}")
        assert await page.locator("main h1").count()
        _, _, anchor = new.partition("#")
        if anchor and anchor != "sec-nothing":
            await page.wait_for_function(
                "id => Math.abs(document.getElementById(id)"
                ".getBoundingClientRect().top) < innerHeight", arg=anchor)
    on_page(visit, f"en/{old}")


def test_a_moved_place_is_found_from_its_old_page(on_page):
    async def visit(page):
        await page.evaluate("location.hash = '#sec-live-travel'")
        await page.wait_for_url("**/es/making/apps.html#sec-live-travel")
    on_page(visit, "es/chapters/D_live.html")


def test_without_scripts_a_page_that_moved_leads_to_the_new_one(on_page):
    async def visit(page):
        await page.wait_for_url("**/es/making/book.html")
        assert await page.locator("main h1").count() == 1
    on_page(visit, "es/chapters/A6_build.html", java_script_enabled=False)


def test_the_two_books_lead_to_each_other(on_page, ours):
    if not ours:
        pytest.skip("what Quarto draws around the text is not ours")

    async def visit(page):
        await page.locator(".beside a").click()
        await page.wait_for_url("**/en/making/index.html")
        await page.locator(".beside a").click()
        await page.wait_for_url("**/en/index.html")
    on_page(visit, "en/index.html")
