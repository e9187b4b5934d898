"""Chapters run in a real browser, from the disk, through the book's client.

A small page of each chapter loads what the book's pages load: the client and
the data of its cells. The pages run two at a time, each with its own Python.
"""
import json
import time

import nbformat

from cnnbook.press.editions import arranged, edition, without_markers
from cnnbook.press.live import page_data, write_page_data
from cnnbook.press.manifest import read_manifest
from cnnbook.press.reach import Package
from cnnbook.press.student import is_tagged
from conftest import ROOT

PAGE = """<!DOCTYPE html><html lang="{lang}"><meta charset="utf-8">
<title>{stem}</title>
<script defer src="../assets/live/python.js"></script>
<script defer src="../assets/live/pages/{stem}.js"></script></html>
"""
# Starts Python and runs what it is given, a list of cells, into `told`.
RUN = """
([lang, cells]) => {
  window.told = [];
  window.ended = (async () => {
    const session = await cnnbook.python.start({lang});
    for (const {id, code, packs} of cells) {
      const outputs = [];
      const {ok, marks, seconds} = await session.run({id, code, packs,
        file: `<cell ${id}>`, onoutput: output => outputs.push(output)});
      told.push({id, ok, marks, seconds, outputs: outputs.map(
        ({kind, name, message, text, data, line, cell}) =>
          ({kind, name, message, line, cell,
            text: text ?? data?.["text/plain"]}))});
    }
  })().then(() => "done", error => `failed: ${error.message}`);
  window.ended.then(how => { window.how = how; });
}
"""


PACKAGE = Package(ROOT / "cnnbook")


def chapter(file, lang):
    "The edition of a notebook."
    return edition(nbformat.read(ROOT / file, as_version=4), lang)


def data_of(file, lang):
    "What the page of a notebook knows of its cells."
    nb = chapter(file, lang)
    words = read_manifest(ROOT, lang)["cnnbook"]["words"]
    return page_data(nb, arranged(nb, lang), PACKAGE, words)


def solutions(file):
    "The code of each answer of a notebook, by the id of its stub."
    return {f"{cell.id}-stub": without_markers(cell.source)
            for cell in chapter(file, "es").cells
            if is_tagged(cell, "solution")}


def write_pages(folder, packs, files, lang):
    "Write a book with the page of each of the `files`; the data of each."
    (folder / "python").symlink_to(packs)
    assets, data = folder / lang / "assets", {}
    (assets / "live" / "pages").mkdir(parents=True, exist_ok=True)
    client = (ROOT / "assets" / "live" / "python.js").read_text("utf-8")
    (assets / "live" / "python.js").write_text(client, "utf-8")
    (folder / lang / "chapters").mkdir(exist_ok=True)
    for file in files:
        stem = file.rpartition("/")[2].removesuffix(".ipynb")
        data[file] = data_of(file, lang)
        write_page_data(assets, {"file": file}, data[file], None, lang)
        (folder / lang / "chapters" / f"{stem}.html").write_text(
            PAGE.format(lang=lang, stem=stem), "utf-8")
    return data


PATIENCE = 900                  # seconds that a page may take


def run_pages(browser, folder, jobs, lang, at_once=2):
    """Run the cells of several pages; what each told, by its file.

    `jobs` is a dict from file to the list of its cells. What went wrong with
    a page as a whole is the last of what it told, a text.
    """
    waiting, running, told = list(jobs), {}, {}
    while waiting or running:
        while waiting and len(running) < at_once:
            file = waiting.pop(0)
            stem = file.rpartition("/")[2].removesuffix(".ipynb")
            page = browser.new_page()
            page.goto((folder / lang / "chapters" / f"{stem}.html").as_uri())
            page.evaluate(RUN, [lang, jobs[file]])
            running[file] = page, time.monotonic() + PATIENCE
        for file, (page, end) in list(running.items()):
            how = page.evaluate("window.how ?? null")
            if time.monotonic() > end:
                how = f"did not end in {PATIENCE} s"
            if how:
                told[file] = json.loads(page.evaluate("JSON.stringify(told)"))
                if how != "done":
                    told[file].append(how)
                page.close()
                del running[file]
        time.sleep(0.3)
    return told


def complaint(told):
    "What the error of a cell says, with its line, or an empty text."
    errors = [output for output in told["outputs"]
              if output["kind"] == "error"]
    return "; ".join(f"{e['name']}: {e['message']} (line {e['line']})"
                     for e in errors)
