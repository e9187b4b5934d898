"""What a page knows of its cells is what it shows, and no more."""
import json
import re
from functools import lru_cache

import nbformat
import pytest

from cnnbook.press.editions import (HIDDEN, LANGUAGES, SOLVED, edition,
                                    options)
from cnnbook.press.execution import code_cells
from cnnbook.press.live import is_solution
from cnnbook.press.manifest import pages, read_manifest
from cnnbook.press.reach import Package
from cnnbook.press.staging import page_notebook
from conftest import ROOT

PACKAGE = Package(ROOT / "cnnbook")
MANIFESTS = {lang: read_manifest(ROOT, lang) for lang in LANGUAGES}
FILES = [page["file"] for page in pages(MANIFESTS["es"])]
PAGES = [pytest.param(lang, file, id=f"{lang}: {file}")
         for lang in LANGUAGES for file in FILES]


@lru_cache(maxsize=None)
def made(lang, file):
    "The edition of a notebook, its page, and what this knows of its cells."
    page, = [page for page in pages(MANIFESTS[lang]) if page["file"] == file]
    nb = edition(nbformat.read(ROOT / file, as_version=4), lang)
    return nb, *page_notebook(nb, page, MANIFESTS[lang], {}, PACKAGE)


@pytest.mark.parametrize("lang, file", PAGES)
def test_each_visible_cell_can_be_run_or_is_a_solution(lang, file):
    _, shown, data = made(lang, file)
    known = {cell["id"]: cell for cell in data["cells"]}
    for i, cell in enumerate(shown.cells):
        if cell.cell_type != "code":
            continue
        chosen, code = options(cell.source, lang)
        after = shown.cells[i + 1].source if i + 1 < len(shown.cells) else ""
        if is_solution(cell):
            assert cell.id not in known
        elif chosen.get("echo") != "false":
            assert f'<live-cell cell="{cell.id}"' in after, code
            assert f'kind="{known[cell.id]["kind"]}"' in after
        if cell.id in known:
            assert known[cell.id]["code"] == code
    shown_ids = {cell.id for cell in code_cells(shown)}
    assert set(known) <= shown_ids
    assert len(known) == len(data["cells"])


@pytest.mark.parametrize("lang, file", PAGES)
def test_no_solution_and_no_hidden_test_is_told(lang, file):
    nb, _, data = made(lang, file)
    told = {cell["id"]: cell["code"] for cell in data["cells"]}
    assert "### BEGIN" not in json.dumps(data)
    for cell in code_cells(nb):
        for solved in SOLVED.finditer(cell.source):
            lines = solved[0].split("\n")[1:-1]
            if f"{cell.id}-stub" in told:
                assert "\n".join(lines) not in told[f"{cell.id}-stub"]
        for hidden in HIDDEN.finditer(cell.source):
            lines = hidden[0].rstrip("\n").split("\n")[1:-1]
            assert "\n".join(lines) not in told[cell.id]


@pytest.mark.parametrize("lang, file", PAGES)
def test_a_cell_needs_earlier_ones_that_run(lang, file):
    data = made(lang, file)[2]
    order = [cell["id"] for cell in data["cells"]]
    known = {cell["id"]: cell for cell in data["cells"]}
    for i, cell in enumerate(data["cells"]):
        places = [order.index(need) for need in cell["needs"]]
        assert places == sorted(set(places)) and all(k < i for k in places)
        if cell["kind"] == "no":
            assert cell["why"] and not cell["packs"]
            continue
        assert "why" not in cell
        for need in cell["needs"]:
            assert known[need]["kind"] != "no"
            assert set(known[need]["needs"]) <= set(cell["needs"])


@pytest.mark.parametrize("lang, file", PAGES)
def test_exercises_name_their_cells(lang, file):
    _, shown, data = made(lang, file)
    known = {cell["id"]: cell for cell in data["cells"]}
    for exercise in data["exercises"]:
        assert exercise["answers"] and exercise["tests"]
        for name in exercise["answers"] + exercise["tests"]:
            assert known[name]["exercise"] == exercise["id"]
        text = "\n".join(cell.source for cell in shown.cells)
        assert f"#sec-{exercise['id']}" in text
    kinds = {cell["kind"] for cell in data["cells"] if "exercise" in cell}
    assert kinds <= {"stub", "tests", "no"}


def test_only_cells_that_ask_for_a_trained_network_load_its_weights():
    asked = 0
    for file in FILES:
        for cell in made("es", file)[2]["cells"]:
            if cell["kind"] != "no":
                asks = "pretrained(" in cell["code"]
                assert ("pretrained" in cell["packs"]) == asks, cell["code"]
                asked += asks
    assert asked


def test_the_reasons_are_told_in_both_languages():
    found = [{key for key in manifest["cnnbook"]["words"]
              if key.startswith("live-no-")}
             for manifest in MANIFESTS.values()]
    assert found[0] == found[1] and "live-no-long" in found[0]
    told = {options(cell.source, None)[0]["page"]
            for file in FILES for cell in code_cells(made("es", file)[0])
            if "page" in options(cell.source, None)[0]}
    assert all(re.fullmatch(r"no, \w+", text) and "live-no-" + text[4:]
               in found[0] for text in told)


def test_each_element_of_the_book_follows_its_cell(book):
    for lang in LANGUAGES:
        for path in sorted((book / lang / "chapters").glob("*.html")):
            text = path.read_text("utf-8")
            script = book / lang / "assets/live/pages" / f"{path.stem}.js"
            told = re.findall(r'<live-cell cell="([\w-]+)"', text)
            if not told:
                continue
            data = json.loads(script.read_text("utf-8").partition(" = ")[2]
                              .strip().removesuffix(";"))
            assert set(told) <= {cell["id"] for cell in data["cells"]}
            followed = re.findall(r"</(?:div|details)>\s*<live-cell ", text)
            assert len(followed) == len(told) == len(set(told)), path
