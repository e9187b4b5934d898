"""The Shiny apps in their pages, from the disk, with the book's Python."""
import re
import shutil

import numpy as np
import pytest

from cnnbook.press.apps import write_apps
from conftest import ROOT
from test_browser import WCAG, axe      # noqa: F401, a fixture
from test_shiny import assert_shows, slide

PAGE = """<!DOCTYPE html><html lang="{lang}"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>A page</title><style>:root {{ color-scheme: light dark }}</style>
<figure id="fig-app"><img alt="A picture"></figure>
<shiny-app for="fig-app" name="{name}"></shiny-app>
<script defer src="assets/widgets/core.js"></script>
<script defer src="assets/widgets/lab.js"></script>
<script defer src="assets/widgets/shiny-app.js"></script></html>"""


@pytest.fixture(scope="module")
def site(tmp_path_factory, packs):
    "Both editions, as far as the apps need them, beside their Python."
    pytest.importorskip("shiny", reason=(
        "the tests of the app need Shiny: pip install 'cnnbook[shiny]'"))
    site = tmp_path_factory.mktemp("site")
    (site / "python").symlink_to(packs)
    for lang in "es", "en":
        for name in "live", "widgets":
            shutil.copytree(ROOT / "assets" / name,
                            site / lang / "assets" / name)
        write_apps(ROOT, site / lang, lang, live=True)
        for name in "signal", "training":
            (site / lang / f"{name}.html").write_text(
                PAGE.format(lang=lang, name=name))
    return site


@pytest.fixture(scope="module")
def visit(chromium, site):
    "Open an app in its page, once: the page and the frame of the app."
    opened, problems = {}, []

    def visit(name, lang):
        if (name, lang) not in opened:
            page = chromium.new_page()
            page.set_default_timeout(60_000)
            page.on("pageerror", lambda error: problems.append(str(error)))
            page.on("console", lambda said: said.type == "error"
                    and problems.append(said.text))
            page.on("requestfailed",
                    lambda request: problems.append(request.url))
            page.on("request", lambda request: re.match(
                "(file|data|blob):", request.url)
                or problems.append(request.url))
            page.goto((site / lang / f"{name}.html").as_uri())
            page.get_by_role("button", name="aplicación" if lang == "es"
                             else "app").click()
            frame = page.query_selector("iframe").content_frame()
            frame.wait_for_selector("svg[role=img]")
            opened[name, lang] = page, frame
        page, frame = opened[name, lang]
        page.set_viewport_size({"width": 1000, "height": 800})
        page.emulate_media(color_scheme="light")
        return page, frame
    yield visit
    for page, _ in opened.values():
        page.close()
    assert problems == []


def test_nothing_starts_before_it_is_asked_for(chromium, site):
    page, asked = chromium.new_page(), []
    page.on("request", lambda request: asked.append(request.url))
    page.goto((site / "es" / "signal.html").as_uri())
    page.get_by_role("button").wait_for()
    assert page.locator("iframe").count() == len(page.workers) == 0
    assert not any("/python/" in url or "/live/" in url for url in asked)
    page.close()


def test_the_sliders_move_the_wave(visit):
    _, frame = visit("signal", "es")
    third = np.full(3, 1 / 3)
    assert_shows(frame, 16, 1, 0, third, "same", 1)
    period = slide(frame, "period", "ArrowLeft", 3)
    amplitude = slide(frame, "amplitude", "ArrowRight", 4)
    assert period < 16 and amplitude > 1
    assert_shows(frame, period, amplitude, 0, third, "same", 1)
    frame.get_by_label("Núcleo", exact=True).select_option("propio")
    frame.get_by_label("Números del núcleo").fill("2 -1/2 0 0.25")
    frame.get_by_label("Paso").fill("3")
    assert_shows(frame, period, amplitude, 0, np.array([2, -0.5, 0, 0.25]),
                 "same", 3)


def test_a_bad_kernel_is_told_in_the_page(visit):
    _, frame = visit("signal", "es")
    frame.get_by_label("Núcleo", exact=True).select_option("propio")
    field = frame.get_by_label("Números del núcleo")
    field.fill("1 two")
    frame.wait_for_selector(".alert")
    assert "two" in frame.locator(".alert").text_content()
    field.fill("1 -1")
    frame.wait_for_selector("svg.filtered")


LANGUAGES = [("signal", "es"), ("training", "en"), ("training", "es")]


@pytest.mark.parametrize("name, lang", LANGUAGES)
def test_it_is_read_by_all(visit, axe, name, lang):     # noqa: F811
    page, frame = visit(name, lang)
    assert frame.locator("html").get_attribute("lang") == lang
    frame.evaluate(axe)
    for scheme in "light", "dark":
        page.emulate_media(color_scheme=scheme)
        frame.wait_for_selector(f"html[data-bs-theme={scheme}]")
        frame.wait_for_timeout(300)             # colors fade in Bootstrap
        found = frame.evaluate(
            "values => axe.run(document, {preload: false, "
            "runOnly: {type: 'tag', values}})", WCAG)["violations"]
        assert [(v["id"], [n["html"] for n in v["nodes"]])
                for v in found] == []


@pytest.mark.parametrize("name, lang", LANGUAGES)
def test_it_fits_a_phone_and_its_frame(visit, name, lang):
    page, frame = visit(name, lang)
    page.set_viewport_size({"width": 390, "height": 800})
    frame.wait_for_function("document.documentElement.scrollWidth <= 390")
    page.wait_for_function("document.documentElement.scrollWidth <= 390")
    frame.wait_for_function("document.documentElement.scrollHeight "
                            "<= innerHeight + 1")       # nothing to scroll


def test_it_follows_the_colors_that_the_reader_chooses(visit):
    page, frame = visit("signal", "es")
    for theme in "dark", "light":
        page.evaluate("theme => document.documentElement.dataset.theme "
                      "= theme", theme)
        frame.wait_for_selector(f"html[data-bs-theme={theme}]")
    page.evaluate("delete document.documentElement.dataset.theme")


# The network that learns ----------------------------------------------------

def train(frame, epochs):
    "Press the button, and wait until those epochs are over."
    done = frame.locator("#numbers tbody tr").count()
    frame.locator("#epochs").select_option(str(epochs))
    frame.locator("#go").click()
    frame.wait_for_function(
        "n => document.querySelectorAll('#numbers tbody tr').length >= n",
        arg=max(done, 1) + epochs)          # the first is before any step


def costs(frame):
    "The cost of each epoch in the table."
    rows = frame.locator("#numbers tbody tr").all()
    return [float(row.locator("td").nth(1).text_content()) for row in rows]


def alert(frame, text):
    "Wait until the app says `text`."
    frame.wait_for_function(
        "text => document.querySelector('#trouble').textContent"
        ".includes(text)", arg=text)


def start_over(frame):
    frame.locator("#anew").click()
    frame.wait_for_function(
        "!document.querySelector('#numbers').textContent.trim()")


def test_an_epoch_lowers_the_cost_and_moves_the_filters(visit):
    _, frame = visit("training", "en")
    start_over(frame)
    before = frame.locator("#weights").inner_html()
    train(frame, 1)
    first, second = costs(frame)
    assert abs(first - np.log(10)) < 0.3 and second < first
    assert frame.locator("#weights").inner_html() != before
    train(frame, 1)                                     # and goes on
    assert costs(frame)[:2] == [first, second] and costs(frame)[2] < second


def test_stop_answers_while_it_learns(visit):
    _, frame = visit("training", "en")
    most = frame.locator("#filters option").last.get_attribute("value")
    frame.locator("#filters").select_option(most)   # so that it takes long
    start_over(frame)
    frame.locator("#epochs").select_option("20")
    frame.locator("#go").click()
    frame.wait_for_selector("#state:has-text('Learning')")
    frame.locator("#stop").click()
    frame.wait_for_selector("#state:has-text('Stopped')")
    assert frame.locator("#numbers tbody tr").count() < 20


@pytest.mark.parametrize("broken, rate, words", [
    (["flat"], "0.1", ["ValueError: labels must have 1438 rows",
                       "must have shape (m,)"]),
    (["unscaled"], "0.1", ["UserWarning: pixels up to 16", "divide them"]),
    (["relu"], "0.1", ["The network is linear"]),
    ([], "100", ["The rate is too large: the cost is above log 10"]),
    (["relu"], "100", ["FloatingPointError: the cost is",
                       "Start over with a smaller one"])])
def test_each_way_to_break_it_is_told(visit, broken, rate, words):
    _, frame = visit("training", "en")
    for box in frame.locator("#broken input").all():
        box.set_checked(box.get_attribute("value") in broken)
    frame.locator("#rate").select_option(rate)
    start_over(frame)
    frame.locator("#epochs").select_option("1")
    frame.locator("#go").click()
    for text in words:
        alert(frame, text)
    frame.locator("#rate").select_option("0.1")
    for box in frame.locator("#broken input").all():
        box.uncheck()
    start_over(frame)
    frame.wait_for_selector("#trouble .alert", state="detached")


def test_it_speaks_spanish(visit):
    _, frame = visit("training", "es")
    frame.get_by_label("sin ReLU").check()
    frame.get_by_role("button", name="Entrenar").click()
    alert(frame, "La red es lineal")
    frame.get_by_label("Capas de convolución")
    assert "The " not in frame.locator("body").inner_text()
