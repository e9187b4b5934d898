"""What `make preview` promises to an author who makes mistakes."""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.request

import nbformat
import pytest
import yaml
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from conftest import ROOT, wait_for

COMMAND = [sys.executable, "-c", "from cnnbook.cli import main; main()",
           "preview"]
MEND = "the book stays as it was; waiting for a change"


def notebook(*code, words="Uno", english="One", **metadata):
    cells = [new_markdown_cell(f"# {words} {{#sec-a}}",
                               metadata={"tags": ["es"]}),
             new_markdown_cell(f"# {english} {{#sec-a}}",
                               metadata={"tags": ["en"]}),
             *map(new_code_cell, code)]
    return nbformat.writes(new_notebook(cells=cells, metadata=metadata))


@pytest.fixture
def project(tmp_path):
    "A book of a preface and a chapter that exports to `cnnbook.extra`."
    for path in ROOT.glob("_quarto-*.yml"):
        shutil.copy(path, tmp_path)
    for name in "assets", "cnnbook":
        shutil.copytree(ROOT / name, tmp_path / name,
                        ignore=shutil.ignore_patterns("__pycache__"))
    manifest = yaml.safe_load((ROOT / "_quarto.yml").read_text())
    manifest["book"]["chapters"] = ["index.ipynb", "chapters/a.ipynb"]
    manifest["book"].pop("appendices", None)
    (tmp_path / "_quarto.yml").write_text(yaml.safe_dump(manifest))
    (tmp_path / "references.bib").touch()
    (tmp_path / "index.ipynb").write_text(
        notebook(words="Hola", english="Hello").replace("sec-a", "sec-hi"))
    (tmp_path / "chapters").mkdir()
    shutil.copytree(ROOT / "chapters" / "making",
                    tmp_path / "chapters" / "making")
    for path in (ROOT / "chapters").glob("*.ipynb"):
        shutil.copy(path, tmp_path / "chapters")
    write(tmp_path, notebook("#| export\ndef double(x):\n    return 2 * x",
                             "double(21)", nbdev={"default_exp": "extra"}))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def write(project, text):
    (project / "chapters" / "a.ipynb").write_text(text)


class Preview:
    "A `cnnbook preview` that runs; `said` is what it has said so far."

    def __init__(self, project):
        self.project, self.log = project, project / "log.txt"
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(
                [*COMMAND, "--port", "0", "--lang", "en", "--engine",
                 "pandoc", "--jobs", "1"],
                cwd=project, stdout=log, stderr=subprocess.STDOUT,
                start_new_session=True, env=os.environ | {
                    "PYTHONPATH": str(project), "PYTHONUNBUFFERED": "1"},
                # a shell starts what runs behind it deaf to Ctrl-C
                preexec_fn=lambda: signal.signal(signal.SIGINT,
                                                 signal.SIG_DFL))
        self.address = self.says(r"http://127\.0\.0\.1:\d+/")[0]
        self.says(r"done in")

    @property
    def said(self):
        return self.log.read_text()

    def says(self, pattern, times=1):
        "Wait until it has said the `pattern` so many `times`."
        def found():
            assert self.process.poll() is None, self.said
            matches = list(re.finditer(pattern, self.said))
            return matches[times - 1] if len(matches) >= times else None
        return wait_for(found, 120)

    def page(self):
        url = f"{self.address}en/chapters/a.html"
        text = urllib.request.urlopen(url).read().decode()
        return re.sub(r"seen=\d+", "", text)

    def stop(self):
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(30)


@pytest.fixture
def preview(project):
    running = Preview(project)
    yield running
    if running.process.poll() is None:
        os.killpg(running.process.pid, signal.SIGKILL)
        running.process.wait()


def module(project):
    return (project / "cnnbook" / "extra.py").read_text()


def test_mistakes_are_told_and_the_next_save_goes_on(preview, project):
    good, exported = preview.page(), module(project)
    chapter = (project / "chapters" / "a.ipynb").read_text()
    mistakes = [
        (chapter.replace("def double(x)", "def double(x"),
         r"a\.ipynb, cell 2: SyntaxError.*\nin line 2 of"),
        (chapter[:len(chapter) // 2], r"a\.ipynb: not a complete notebook"),
        (chapter.replace("double(21)", "double(21) / 0"),
         r"a\.ipynb, cell 3: ZeroDivisionError.*\nin line 1 of"),
        (None, r"_quarto.yml names chapters/a\.ipynb, which does not exist"),
    ]
    for n, (text, message) in enumerate(mistakes, start=1):
        if text is None:
            (project / "chapters" / "a.ipynb").unlink()
        else:
            write(project, text)
        preview.says(message)
        preview.says(re.escape(MEND), n)
        assert preview.page() == good
        if text and "/ 0" not in text:
            assert module(project) == exported
    write(project, chapter.replace("# One", "# Another one"))
    wait_for(lambda: "Another one" in preview.page(), 120)
    assert "Traceback" not in preview.said
    assert preview.stop() == 130 and MEND in preview.said


def test_the_open_page_reloads_by_itself(preview, project, chromium):
    page = chromium.new_page()
    page.goto(f"{preview.address}en/chapters/a.html")
    assert "One" in page.inner_text("h1")
    chapter = (project / "chapters" / "a.ipynb").read_text()
    write(project, chapter[:-20])
    preview.says("not a complete notebook")
    write(project, chapter.replace("# One", "# Two"))
    page.wait_for_function(
        "document.querySelector('h1')?.textContent.includes('Two')",
        timeout=120_000)
    page.close()


def test_a_taken_port_is_named(preview, project):
    port = preview.address.rstrip("/").rpartition(":")[2]
    done = subprocess.run(
        [*COMMAND, "--port", port], cwd=project, capture_output=True, text=True,
        env=os.environ | {"PYTHONPATH": str(project)})
    assert done.returncode == 1 and f"port {port}: " in done.stderr
