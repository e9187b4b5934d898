"""Python in a real browser, from the disk: it runs, stops and stays inside.

The pages share one session where they can: to start Python takes seconds.
"""
import re
import shutil

import pytest

from cnnbook.press.preview import Site, serve
from conftest import ROOT

PAGE = """<!DOCTYPE html><html lang="en"><meta charset="utf-8">
<title>Python</title><p>A page.</p>
<script defer src="assets/live/python.js"></script></html>"""
START = """async lang => {
  const states = [];
  globalThis.session = await cnnbook.python.start(
    {lang, onstate: (text, part) => states.push([text, part])});
  return states;
}"""
RUN = """async cell => {
  const outputs = [];
  const result = await session.run(
    {...cell, onoutput: output => outputs.push(output)});
  return {...result, outputs};
}"""


def make_site(folder, packs):
    "A book of one page that can start Python."
    (folder / "en/assets/live").mkdir(parents=True)
    shutil.copy(ROOT / "assets/live/python.js", folder / "en/assets/live")
    (folder / "en/page.html").write_text(PAGE)
    shutil.copytree(packs, folder / "python")
    return folder


@pytest.fixture(scope="module")
def site(packs, tmp_path_factory):
    return make_site(tmp_path_factory.mktemp("site"), packs)


class Session:
    "A page, its Python, and what it asked of the network."

    def __init__(self, chromium, address):
        self.context = chromium.new_context()
        self.context.set_default_timeout(60_000)
        self.page, self.asked, self.count = self.context.new_page(), [], 0
        self.context.on("request", lambda r: self.asked.append(r.url))
        self.page.goto(address)

    def start(self, lang="en"):
        return self.page.evaluate(START, lang)

    def run(self, code, **cell):
        self.count += 1
        return self.page.evaluate(
            RUN, {"id": str(self.count), "code": code, **cell})

    def text(self, code, **cell):
        "What a cell shows, as text."
        outputs = self.run(code, **cell)["outputs"]
        assert not [o for o in outputs if o["kind"] == "error"], outputs
        return "".join(o.get("text") or o.get("data", {}).get(
            "text/plain", "") for o in outputs)

    def error(self, code):
        result = self.run(code)
        assert not result["ok"]
        return result["outputs"][-1]


@pytest.fixture(scope="module")
def shared(chromium, site):
    "A session from the disk that the tests below use one after another."
    session = Session(chromium, (site / "en/page.html").as_uri())
    assert not [url for url in session.asked if "/python/" in url]
    session.states = session.start()
    yield session
    session.context.close()


def test_starting_tells_how_far_it_is(shared):
    parts = [part for text, part in shared.states
             if text == "Loading Python…"]
    assert parts == sorted(parts) and parts[-1] == 1 and len(parts) > 5
    assert [text for text, _ in shared.states][-2:] == ["Starting Python…", ""]


def test_cells_run_and_keep_their_names(shared):
    assert shared.text("import numpy as np\nx = np.arange(3)\nx + 1") == (
        "array([1, 2, 3])")
    assert shared.text("print(x.sum())") == "3\n"
    assert shared.text("import os, sys\nos.getcwd(), sys.version[:4]") == (
        "('/book/chapters', '3.13')")
    assert "2: UserWarning: careful\n  warnings" in shared.text(
        "import warnings\nwarnings.warn('careful')")


def test_an_exercise_is_marked(shared):
    code = ("from cnnbook.classroom.marks import marks\n"
            "def double(x): return {} * x\n"
            "with marks(2, 'Doble', 'Double', of='double'):\n"
            "    assert double(4) == 8")
    assert shared.run(code.format(2))["marks"] == {"Double": [2, 2]}
    wrong = shared.run(code.format(3))
    assert wrong["marks"] == {"Double": [0, 2]} and not wrong["ok"]
    assert "0/2 marks" in wrong["outputs"][0]["data"]["text/html"]
    assert wrong["outputs"][-1]["told"]


REFUSED = {
    "input('Name?')": "cannot ask",
    "from cnnbook import conv_forward\nimport threading\n"
    "threading.Thread(target=print).start()": "single thread",
    "import subprocess\nsubprocess.run(['ls'])": "other programs",
    "import os\nos.fork()": "other programs",
    "import multiprocessing as m\nm.Pool(2)": "other programs",
    "import numpy as np\nnp.ones(10 ** 10)": "memory",
    "bytearray(4 * 10 ** 9)": "memory",
    "import torch": "does not carry the package `torch`",
    "import urllib.request as u\nu.urlopen('http://example.com')": "network",
    "def f(): return f()\nf()": "never ends",
    "%pip install torch": "commands of Jupyter"}


@pytest.mark.parametrize("code", REFUSED)
def test_what_a_page_cannot_do_is_told(shared, code):
    error = shared.error(code)
    assert REFUSED[code] in error["message"]
    assert error["line"] and shared.text("1 + 1") == "2"


def test_a_cell_runs_anew_once_the_pack_that_it_lacked_is_there(shared):
    "What it had shown before is taken back."
    assert not [url for url in shared.asked if "/pillow-" in url]
    shown = shared.run("print('once')\nname = 'PIL.Image'\n"
                       "__import__(name).Image.new('L', (2, 3)).size")
    assert shown["ok"]
    assert [output["kind"] for output in shown["outputs"]] == [
        "stream", "clear", "stream", "display"]
    assert [url for url in shared.asked if "/pillow-" in url]
    assert not shared.page.locator("script[src*=pillow]").count()


def test_packs_come_before_a_cell_that_imports_them(shared):
    shown = shared.run("print('once')\nfrom sklearn.datasets import "
                       "load_digits\nload_digits().data.shape")
    assert [output["kind"] for output in shown["outputs"]] == [
        "stream", "display"]
    assert shown["outputs"][1]["data"]["text/plain"] == "(1797, 64)"


def test_a_file_can_be_put(shared):
    shared.page.evaluate(
        "session.put('/book/mine/a.txt', new Uint8Array([104, 105]))")
    assert shared.text("open('../mine/a.txt').read()") == "'hi'"
    put_again = "session.put('/book/mine/a.txt', new Uint8Array([111, 107]))"
    shared.page.evaluate(put_again)
    assert shared.text("open('../mine/a.txt').read()") == "'ok'"


def test_stop_ends_an_endless_loop_and_python_starts_anew(shared):
    shared.text("kept = 1")
    shared.page.evaluate("session.put('/b.txt', new Uint8Array([104, 105]))")
    shared.page.evaluate("""() => {
      globalThis.told = [];
      const onoutput = output => told.push(output);
      globalThis.first = session.run(
        {id: "loop", code: "print('in')\\nwhile True: pass", onoutput});
      globalThis.second = session.run({id: "later", code: "1", onoutput});
    }""")
    shared.page.wait_for_function("told.length > 0")
    assert shared.page.evaluate("session.stop()") == {"kept": False}
    results = shared.page.evaluate("Promise.all([first, second])")
    assert [result["stopped"] for result in results] == [True, True]
    assert results[0]["lost"]
    names = shared.page.evaluate("told.map(output => output.name)")
    assert sorted(names[1:]) == ["Cancelled", "KeyboardInterrupt"]
    assert shared.error("kept")["name"] == "NameError"
    assert shared.text("open('/b.txt').read()") == "'hi'"


def test_python_that_died_is_told_and_starts_anew(shared):
    shared.text("kept = 1")
    dead = shared.run("import ctypes\nctypes.string_at(2 ** 32 - 16, 99)")
    assert dead["lost"] and not dead["ok"]
    assert "will start anew" in dead["outputs"][-1]["message"]
    assert shared.error("kept")["name"] == "NameError"


def test_no_request_leaves_the_machine(shared):
    shared.run("import js\njs.fetch('https://example.com')\n"
               "js.XMLHttpRequest, js.WebSocket, js.importScripts")
    places = {re.match(r"\w+:", url)[0] for url in shared.asked}
    assert places <= {"file:", "blob:"}


@pytest.mark.parametrize("harm", ["byte", "piece", "script"])
def test_a_damaged_pack_is_refused(chromium, site, packs, tmp_path, harm):
    folder = make_site(tmp_path / "book", packs)
    piece = folder / "python" / "python-01.js"
    text = piece.read_text()
    if harm == "byte":
        at = len(text) // 2
        piece.write_text(text[:at] + ("A" if text[at] != "A" else "B")
                         + text[at + 1:])
    elif harm == "piece":
        piece.unlink()
    else:
        piece.write_text(text[:len(text) // 2])
    session = Session(chromium, (folder / "en/page.html").as_uri())
    told = session.page.evaluate("""lang => cnnbook.python.start({lang}).then(
      () => "started", error => error.message)""", "es")
    assert re.search("falta" if harm == "piece" else "está dañado", told)
    assert session.page.evaluate("globalThis.session") is None
    assert not session.page.workers
    session.context.close()


def test_over_http_an_interrupt_keeps_what_python_has(chromium, site):
    "If the server sends the headers that `make preview` does."
    home = f"http://127.0.0.1:{serve(Site(site), 0)}/"
    session = Session(chromium, f"{home}en/page.html")
    session.start()
    session.text("kept = 7")
    session.page.evaluate("""() => { globalThis.told = []; globalThis.loop =
      session.run({id: "loop", code: "print(1)\\nwhile True:\\n    pass",
                   onoutput: output => told.push(output)}) }""")
    session.page.wait_for_function("told.length > 0")
    assert session.page.evaluate("session.stop()") == {"kept": True}
    assert session.page.evaluate("loop.then(result => result.stopped)")
    error = session.page.evaluate("told.at(-1)")
    assert (error["name"], error["message"]) == (
        "KeyboardInterrupt", "Stopped here.")
    assert error["line"] in (2, 3) and session.text("kept") == "7"
    assert all(url.startswith((home, "blob:")) for url in session.asked)
    session.context.close()
