"""The cells of a page, run in a real browser from a file, with the real Python.

One page of a chapter is opened once and used by most of the tests, as a
reader would; each works in cells of its own, and leaves the page open.
"""
import csv
import json
import re
import subprocess
import sys
from types import SimpleNamespace

import nbformat
import pytest
from PIL import Image

from cnnbook.press.editions import without_markers
from conftest import FILES, ROOT
from test_browser import PHONE, RUN_AXE, WCAG, axe    # noqa: F401

CHAPTER, EXERCISE = "01_conv1d", "conv1d-ex-hand"
LAYERS = "04_conv_layer"
NOT_IDLE = "e => !['idle', 'waiting', 'running'].includes(e.dataset.state)"
KEPT = f"cnnbook-live-{CHAPTER}"


@pytest.fixture(scope="module")
def live(book):
    "The folder of a book whose pages run, as an address."
    if not (book / "python" / "index.js").exists():
        pytest.skip("Pyodide cannot be had here: the pages do not run")
    return book.as_uri()


def solution(exercise=EXERCISE, chapter=CHAPTER):
    "The book's own answer to an exercise."
    nb = nbformat.read(ROOT / "chapters" / f"{chapter}.ipynb", as_version=4)
    here = False
    for cell in nb.cells:
        if cell.cell_type == "markdown" and cell.source.startswith("### "):
            here = f"#sec-{exercise}" in cell.source
        elif here and "solution" in cell.metadata.get("tags", []):
            return without_markers(cell.source)
    raise AssertionError(f"{exercise} has no solution")


def opened(browser, url, **options):
    "A new page; what it asked for and what went wrong are kept with it."
    context = browser.new_context(**options)
    page = context.new_page()
    seen = SimpleNamespace(requests=[], problems=[])
    page.on("request", lambda request: seen.requests.append(request.url))
    page.on("console", lambda message: message.type in ("error", "warning")
            and seen.problems.append(message.text))
    page.on("pageerror", lambda error: seen.problems.append(str(error)))
    page.goto(url)
    page.wait_for_selector("live-cell .live-bar, live-progress details",
                           state="attached")
    return page, seen


@pytest.fixture(scope="module")
def place(chromium, live):
    "The page of a chapter in Spanish, and what was seen of it."
    page, seen = opened(chromium, f"{live}/es/chapters/{CHAPTER}.html")
    yield page, seen
    assert not seen.problems
    assert not [url for url in seen.requests
                if not url.startswith(("file:", "blob:", "data:"))]
    page.context.close()


def code(page, cell):
    return cell.locator("xpath=..").locator("code").first.inner_text()


def plain(page, text):
    "The cell whose code holds a text."
    return page.locator(".live-home", has=page.locator(
        "code", has_text=text)).first.locator("live-cell")


def write(cell, text):
    "Open the editor of a cell and write in it."
    area = cell.locator("xpath=..").locator("textarea")
    if not area.count():
        cell.locator(".live-edit").click()
    area.fill(text)
    return area


def settled(page, cell, seconds=90):
    page.wait_for_function(NOT_IDLE, arg=cell.element_handle(),
                           timeout=1000 * seconds)
    return cell.get_attribute("data-state")


def answer(page, exercise=EXERCISE):
    return page.locator(f"live-cell[kind=stub][exercise={exercise}]").first


def test_nothing_is_fetched_or_started_before_the_first_press(chromium, live):
    page, seen = opened(chromium, f"{live}/es/chapters/{CHAPTER}.html")
    page.locator("textarea").first.press("End")
    page.locator("textarea").first.type("1")
    assert not page.workers
    assert not [url for url in seen.requests
                if "/python/" in url or "/pages/" in url or "exercises.js" in url]
    page.context.close()


def test_a_cell_runs_after_those_that_it_needs(place):
    page, _ = place
    cell = plain(page, "132 * 21 == 2772")
    cell.locator(".live-run").click()
    assert page.locator("live-cell progress").first.is_visible()
    assert settled(page, cell) == "done", cell.inner_text()
    note = cell.locator(".live-note")
    assert "También se ejecutaron" in note.inner_text()
    assert page.locator("live-cell[data-state=done]").count() >= 2
    again = plain(page, "132 * 21 == 2772")
    again.locator(".live-run").click()
    assert settled(page, again) == "done"
    assert not note.is_visible()            # nothing had to run again


def test_the_readers_output_takes_the_place_of_the_books(place):
    page, _ = place
    cell = page.locator("live-cell[kind=plain]:has(+ pre.output), "
                        "live-cell[kind=plain]:has(+ .cell-output pre)").first
    printed = cell.locator("xpath=following-sibling::*").first
    before = printed.inner_text()
    write(cell, "print('uno')\nprint('dos')").press("Control+Enter")
    assert settled(page, cell) == "done"
    assert cell.locator("pre.output").inner_text().split() == ["uno", "dos"]
    assert not printed.is_visible()
    assert "editada" in cell.locator(".live-state").inner_text()
    cell.locator(".live-reset").click()
    assert printed.inner_text() == before and printed.is_visible()
    assert not cell.locator("pre.output").count()
    assert not cell.locator("xpath=..").locator("textarea").count()
    cell.locator(".live-link").click()      # brings back what was written
    assert "uno" in code(page, cell)
    cell.locator(".live-reset").click()


def test_an_error_marks_the_readers_line_and_folds_the_rest(place):
    page, _ = place
    cell = page.locator("live-cell[kind=plain]").nth(1)
    write(cell, "first = 1\nsecond = first / 0\nthird = 3")
    cell.locator(".live-run").click()
    assert settled(page, cell) == "failed"
    box = cell.locator(".live-error")
    assert "ZeroDivisionError" in box.inner_text()
    assert "línea 2" in box.locator(".live-where").inner_text()
    assert not box.locator("pre").is_visible()
    box.locator("summary").click()
    assert "second = first / 0" in box.locator("pre").inner_text()
    cell.locator(".live-edit").click()      # closed: the colored code
    home = cell.locator("xpath=..")
    assert home.locator(".live-wrong").inner_text() == "second = first / 0"
    assert home.locator("code .dv").count() == 3
    cell.locator(".live-reset").click()
    assert not home.locator(".live-wrong").count()


def test_an_endless_loop_is_stopped_and_what_follows_runs(place):
    page, _ = place
    cell = page.locator("live-cell[kind=plain]").nth(2)
    write(cell, "while True:\n    print('otra vez')")
    cell.locator(".live-run").click()
    cell.locator("pre.output", has_text="otra vez").wait_for(timeout=90_000)
    cell.locator(".live-stop").click()
    assert settled(page, cell, 5) == "failed"
    assert "Se detuvo" in cell.locator(".live-note").inner_text()
    cell.locator(".live-reset").click()
    cell.locator(".live-run").click()
    assert settled(page, cell) == "done", cell.inner_text()


def test_an_exercise_is_marked_and_its_mistake_named(place):
    page, _ = place
    cell, right = answer(page), solution()
    wrong = right.replace("2, 4, -1, 5, 5, -3", "2, 4, -1, 5, 5, 3")
    assert wrong != right
    write(cell, wrong)
    cell.locator(".live-check").click()
    assert settled(page, cell) == "failed"
    assert "1/2 puntos" in cell.locator(".live-state").inner_text()
    said = cell.locator(".live-outputs").inner_text()
    assert "0/1 puntos" in said and "full" in said
    assert "AssertionError" not in said
    write(cell, right)
    cell.locator(".live-check").click()
    page.wait_for_function(
        "e => e.querySelector('.live-state').textContent.includes('2/2')",
        arg=cell.element_handle())
    assert cell.get_attribute("data-state") == "done"
    progress = page.locator("live-progress[scope=chapter]")
    assert "1 de" in progress.locator("summary").first.inner_text()
    assert page.locator(f"#sec-{EXERCISE} .live-solved").count() == 1
    tests = page.locator(f"live-cell[kind=tests][exercise={EXERCISE}]").first
    tests.locator(".live-check").click()    # the verdict where one presses
    assert settled(page, tests) == "done"
    tests.locator("[role=status]", has_text="1/1").wait_for()


SOLVED = """([stem, exercise]) => cnnbook.live.store.change(stem, chapter => {
  chapter.marks[exercise] = {earned: 2, points: 2};
})"""


def test_answers_are_kept_and_carried_and_end(place, tmp_path, live):
    page, _ = place
    write(answer(page), solution())
    page.evaluate(SOLVED, [CHAPTER, EXERCISE])
    page.reload()
    page.wait_for_selector(".live-bar", state="attached")
    area = page.locator(f"#sec-{EXERCISE} textarea").first
    assert area.input_value() == solution()
    page.goto(f"{live}/en/chapters/{CHAPTER}.html")     # one key for both
    page.wait_for_selector(".live-bar", state="attached")
    assert page.locator(f"#sec-{EXERCISE} textarea").first.input_value() \
        == solution()
    page.goto(f"{live}/es/chapters/{CHAPTER}.html")
    page.wait_for_selector(".live-bar", state="attached")
    box = page.locator("live-progress")
    box.locator("summary").first.click()
    with page.expect_download() as saved:
        box.get_by_role("button", name="Exportar").click()
    saved.value.save_as(tmp_path / "answers.json")
    told = json.loads((tmp_path / "answers.json").read_text())
    assert solution() in told["chapters"][CHAPTER]["cells"].values()
    box.get_by_role("button", name="Empezar de nuevo").click()
    page.get_by_role("button", name="Cancelar").click()
    assert area.input_value() == solution()
    box.get_by_role("button", name="Empezar de nuevo").click()
    page.get_by_role("button", name="Borrar").click()
    box.locator(".live-told", has_text="Se borraron").wait_for()
    assert "None" in area.input_value()
    assert page.evaluate("key => localStorage.getItem(key)", KEPT) is None
    field = box.locator("input[type=file]")
    for damaged in ("", "{}", "[1]", json.dumps(told)[:-9],
                    json.dumps(told | {"chapters": {CHAPTER: {"cells": {
                        "a": 3}}}}),
                    json.dumps(told | {"version": 2})):
        (tmp_path / "damaged.json").write_text(damaged)
        field.set_input_files(tmp_path / "damaged.json")
        box.locator(".live-told", has_text="No se cambió nada").wait_for()
        assert "None" in area.input_value()
        page.evaluate("document.querySelector('.live-tools .live-told')"
                      ".textContent = ''")
    field.set_input_files(tmp_path / "answers.json")
    box.locator(".live-told", has_text="Se import").wait_for()
    assert area.input_value() == solution()
    assert "1 de" in box.locator("summary").first.inner_text()


def test_the_notebook_with_the_answers_is_graded(place, tmp_path):
    page, _ = place
    area = page.locator(f"#sec-{EXERCISE} textarea").first
    area.fill(solution())
    box = page.locator("live-progress")
    if not box.locator("details").get_attribute("open"):
        box.locator("details").evaluate("d => { d.open = true; }")
    with page.expect_download() as saved:
        box.get_by_role("button", name="Cuaderno con").click()
    folder = tmp_path / "class"
    folder.mkdir()
    path = folder / saved.value.suggested_filename
    saved.value.save_as(path)
    nbformat.validate(nbformat.read(path, as_version=4))
    done = subprocess.run(
        [sys.executable, "-c", "from cnnbook.cli import main; main()",
         "grade", str(folder), "--lang", "es", "--out",
         str(tmp_path / "grades.csv")], cwd=ROOT, capture_output=True,
        text=True)
    assert not done.returncode, done.stderr
    with open(tmp_path / "grades.csv", newline="") as file:
        row, = csv.DictReader(file)
    assert "2/2" in str(row) or float(row[EXERCISE]) == 2, row


def test_a_picture_of_the_reader_is_read(chromium, live, tmp_path):
    page, _ = opened(chromium, f"{live}/es/chapters/{LAYERS}.html")
    Image.new("RGB", (90, 50), (0, 0, 255)).save(tmp_path / "mi foto.png")
    cell = page.locator("live-cell", has=page.locator(".live-picture"))
    (tmp_path / "not.png").write_text("not a picture")
    cell.locator("input").set_input_files(tmp_path / "not.png")
    cell.locator(".live-note", has_text="not.png").wait_for()
    cell.locator("input").set_input_files(tmp_path / "mi foto.png")
    assert settled(page, cell) == "done", cell.inner_text()
    assert "mi_foto.png" in code(page, cell)
    write(cell, code(page, cell) + "\nprint(photo[0, 0].tolist())")
    cell.locator(".live-run").click()
    cell.locator("pre.output", has_text="[0.0, 0.0, 1.0]").wait_for()
    page.context.close()


def test_a_page_without_its_runtime_says_so(chromium, book, live, tmp_path):
    (tmp_path / "en").symlink_to(book / "en")
    page, _ = opened(chromium,
                     f"{tmp_path.as_uri()}/en/chapters/{CHAPTER}.html")
    cell = page.locator("live-cell[kind=plain]").first
    cell.locator(".live-run").click()
    assert settled(page, cell) == "failed"
    assert "missing" in cell.locator(".live-note").inner_text()
    page.context.close()


def test_the_cells_are_used_with_the_keyboard(place):
    page, _ = place
    cell = page.locator("live-cell[kind=plain]").nth(1)
    cell.locator(".live-edit").focus()
    page.keyboard.press("Enter")
    assert page.locator("textarea:focus").count() == 1
    page.keyboard.press("Control+A")
    page.keyboard.type("if True:\nprint('tecla')")      # the line is indented
    page.keyboard.press("Control+Enter")
    assert settled(page, cell) == "done", cell.inner_text()
    assert cell.locator("pre.output").inner_text().strip() == "tecla"
    page.keyboard.press("Tab")
    assert not page.locator("textarea:focus").count()
    page.keyboard.press("Shift+Tab")
    assert page.locator("textarea:focus").count() == 1
    page.keyboard.press("Escape")
    assert page.locator(".live-edit:focus").count() == 1
    page.keyboard.press("Shift+Enter")
    assert page.locator(".live-run:focus, textarea:focus").count() == 1
    assert not cell.locator(":focus").count()
    cell.locator(".live-reset").click()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [{"width": 1280, "height": 900}, PHONE])
def test_axe_finds_nothing_in_open_cells(chromium, live, axe, scheme, size):
    page, seen = opened(chromium, f"{live}/es/chapters/{CHAPTER}.html",
                        viewport=size, color_scheme=scheme,
                        reduced_motion="reduce")
    page.locator("live-cell[kind=plain] .live-edit").first.click()
    page.locator("live-progress summary").first.click()
    page.evaluate("""() => {
      const live = cnnbook.live, cell = document.querySelector("live-cell");
      const outputs = new live.Outputs();
      for (const output of [
        {kind: "stream", name: "stdout", text: "1\\n"},
        {kind: "stream", name: "stderr", text: "2\\n"},
        {kind: "progress", label: "época", done: 1, total: 3},
        {kind: "display", data: {"text/markdown": "| a |\\n|:-:|\\n| $b$ |"}},
        {kind: "display", data: {"image/svg+xml":
          "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>"}},
        {kind: "error", name: "ValueError", message: "no", line: 1,
         traceback: "Traceback"}]) outputs.add(output);
      outputs.flush();
      cell.append(outputs.place);
      cell.querySelectorAll("details").forEach(one => { one.open = true; });
    }""")
    page.evaluate(axe)
    options = {"runOnly": {"type": "tag", "values": WCAG}}
    assert not page.evaluate(RUN_AXE, [options, ["math", ".book-nav"]])
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    small = page.evaluate("""() => [...document.querySelectorAll(
      "live-cell button, .live-head button, live-progress button")].filter(
      b => b.offsetHeight && (b.offsetHeight < 24 || b.offsetWidth < 24))
      .map(b => b.outerHTML.slice(0, 80))""")
    assert not small and not seen.problems
    page.context.close()


def test_a_refused_storage_is_told_once_and_nothing_breaks(chromium, live):
    context = chromium.new_context()
    page = context.new_page()
    page.add_init_script("Object.defineProperty(window, 'localStorage', "
                         "{get() { throw new Error('refused'); }})")
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{live}/es/chapters/{CHAPTER}.html")
    area = page.locator("textarea").first
    area.fill("full = [1]")
    page.locator(".live-head", has_text="no guarda").wait_for()
    assert area.input_value() == "full = [1]"
    theirs = page.locator("#quarto-content").count()    # stumbles by itself
    assert len(errors) <= theirs, errors
    context.close()


WITH_WIDGET = [file.replace(".ipynb", ".html") for file in FILES
               if "making" not in file
               and "#| widget:" in (ROOT / file).read_text("utf-8")]
COVERED = """() => [...document.querySelectorAll('[for^="fig-"]')].flatMap(
  widget => [...widget.querySelectorAll("button, select, input, canvas")])
  .filter(control => {
    control.scrollIntoView({block: "center"});
    const {left, top, width, height} = control.getBoundingClientRect();
    return width && [0.1, 0.5, 0.9].some(part => document.elementFromPoint(
      left + width * part, top + height / 2)?.closest("live-cell"));
  }).map(control => control.outerHTML.slice(0, 100))"""


@pytest.mark.parametrize("width", [1280, 390])
def test_no_bar_lies_on_what_a_laboratory_offers(chromium, live, width):
    for file in WITH_WIDGET:
        page, _ = opened(chromium, f"{live}/en/{file}",
                         viewport={"width": width, "height": 900})
        page.wait_for_selector('[for^="fig-"] :is(button, input, select)')
        assert page.evaluate(COVERED) == [], file
        page.context.close()


def test_the_preface_shows_the_progress_of_the_book(place, live):
    page, _ = place
    page.goto(f"{live}/es/index.html")
    box = page.locator("live-progress[scope=book]")
    page.evaluate(SOLVED, [CHAPTER, EXERCISE])
    box.locator("summary").first.click()
    box.locator("summary", has_text=re.compile(r"1 de \d\d")).wait_for()
    assert box.locator(f"a[href*={EXERCISE}]").count() == 1
