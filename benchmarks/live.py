"""How soon the Python of a page answers, and what it takes.

    python benchmarks/live.py [--book _book] [--lang es] [--http]

The page of the first chapter is opened in Chromium from a book that is
made, and its first exercise is checked, with the cells that it needs.
"wall" is seconds that a reader waits, "processor" those that all processes
of the browser worked; MB are what the page's own process holds beyond what
it held before. Needs Playwright and Chromium.
"""
import argparse
import functools
import gzip
import http.server
import json
import re
import shutil
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[1]
CHAPTER = "01_conv1d"
START = """async lang => {
  globalThis.session = await cnnbook.python.start({lang});
}"""
RUN = """async cells => {
  const marks = {};
  for (const cell of cells) {
    const result = await session.run(cell);
    Object.assign(marks, result.marks);
  }
  return marks;
}"""


def processes():
    "Those of the browser."
    return psutil.Process().children(recursive=True)


def processor():
    "Seconds that they have worked."
    return sum(sum(one.cpu_times()[:2]) for one in processes())


def memory():
    "MB that the page holds."
    return sum(one.memory_full_info().uss for one in processes()
               if "--type=renderer" in one.cmdline()) / 1e6


class Meter:
    "Prints how long each step takes, and what it leaves in memory."

    def __init__(self, page):
        self.tools = page.context.new_cdp_session(page)
        self.empty = self.memory()

    def memory(self):
        "MB that the page holds, once what it let go of is collected."
        self.tools.send("HeapProfiler.collectGarbage")
        return memory()

    @contextmanager
    def __call__(self, what):
        wall, work = time.perf_counter(), processor()
        yield
        wall, work = time.perf_counter() - wall, processor() - work
        print(f"{what:34} {wall:6.1f} s wall {work:6.1f} s processor "
              f"{self.memory() - self.empty:6.0f} MB", flush=True)


def page_data(book, lang):
    "What the page of the chapter knows of its cells."
    file = book / lang / "assets/live/pages" / f"{CHAPTER}.js"
    return json.loads(re.search(r"(?s)\] = (\{.*\});", file.read_text())[1])


def first_exercise(data):
    "The cells of the first exercise, with those that they need, in order."
    cells = {cell["id"]: cell for cell in data["cells"]}
    exercise = data["exercises"][0]
    wanted = {*exercise["answers"], *exercise["tests"]}
    wanted |= {need for one in list(wanted) for need in cells[one]["needs"]}
    return [{"id": one["id"], "code": one["code"],
             "packs": one.get("packs", [])}
            for one in data["cells"] if one["id"] in wanted]


def size(book):
    "Print what the packs weigh, on the disk and as a server sends them."
    packs = {}
    for path in sorted((book / "python").glob("*-??.js")):
        data = path.read_bytes()
        disk, wire = packs.get(path.stem[:-3], (0, 0))
        packs[path.stem[:-3]] = (
            disk + len(data), wire + len(gzip.compress(data, 6)))
    for name, (disk, wire) in packs.items():
        print(f"{name:34} {disk / 1e6:6.1f} MB on disk "
              f"{wire / 1e6:6.1f} MB on the wire")


def serve(book):
    "Serve the book to this machine, as a plain server does."
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=book))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


def run(page, lang, cells):
    "Start Python in the page, check the exercise, draw, stop, start anew."
    measured = Meter(page)
    with measured("start"):
        page.evaluate(START, lang)
    with measured(f"first marks ({len(cells)} cells)"):
        marks = page.evaluate(RUN, cells)
    assert marks, "the exercise gave no marks"
    with measured("second press"):
        page.evaluate(RUN, cells[-1:])
    with measured("first figure of Matplotlib"):
        page.evaluate(RUN, [{"id": "figure", "code": (
            "import matplotlib.pyplot as plt\nplt.plot([1, 2])")}])
    with measured("stop, start anew"):
        page.evaluate("""async () => {
          session.run({id: "loop", code: "while True: pass"});
          await new Promise(done => setTimeout(done, 300));
          await session.stop();
          await session.run({id: "one", code: "1"});
        }""")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--book", type=Path, default=ROOT / "_book")
    parser.add_argument("--lang", default="es")
    parser.add_argument("--http", action="store_true")
    told = parser.parse_args()
    from playwright.sync_api import sync_playwright
    size(told.book)
    home = serve(told.book) if told.http else told.book.resolve().as_uri()
    cells = first_exercise(page_data(told.book, told.lang))
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which(
            "chromium"), args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(f"{home}/{told.lang}/chapters/{CHAPTER}.html")
        run(page, told.lang, cells)
        browser.close()


if __name__ == "__main__":
    main()
