"""How long the book takes to make, beside running its chapters once.

    python benchmarks/book.py [--chapter chapters/03_conv2d.ipynb]

A copy of the project is made from nothing, made again with nothing changed,
and made once more after a sentence and a line of code of one chapter have
changed. Times are of the whole command, on the wall clock.
"""
import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ("_quarto*.yml", "index.ipynb", "references.bib", "pyproject.toml")
LIMITS = {"all of it": 1.60, "nothing changed": 0.05, "one chapter": 0.35}


def copy_project(folder):
    "Copy what `make book` reads into `folder`."
    for name in "apps", "chapters", "cnnbook", "assets":
        shutil.copytree(ROOT / name, folder / name)
    for pattern in SOURCES:
        for path in ROOT.glob(pattern):
            shutil.copy(path, folder)


def make(folder):
    "Make the book; return the seconds that it took, and what it printed."
    command = [Path(sys.executable).with_name("cnnbook"), "book"]
    start = time.perf_counter()
    done = subprocess.run(command, cwd=folder, check=True, text=True,
                          stdout=subprocess.PIPE)
    return time.perf_counter() - start, done.stdout


def change(path):
    "Change a sentence in both languages, and a line of code."
    nb = nbformat.read(path, as_version=4)
    prose = [cell for cell in nb.cells if cell.cell_type == "markdown"]
    code = [cell for cell in nb.cells if cell.cell_type == "code"]
    for cell in prose[4:6]:      # the third pair: none is a docstring
        cell.source += " Ok."
    code[-1].source += "\n# changed"
    nbformat.write(nb, path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--chapter", default="chapters/03_conv2d.ipynb")
    chapter = parser.parse_args().chapter
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        copy_project(folder)
        whole, log = make(folder)
        run = float(re.search(r"notebooks were run in ([\d.]+) s", log)[1])
        print(f"running the chapters once {run:8.1f} s")
        times = {"all of it": whole, "nothing changed": make(folder)[0]}
        change(folder / chapter)
        times["one chapter"] = make(folder)[0]
    for name, seconds in times.items():
        beside = run if name == "all of it" else whole
        print(f"{name:24} {seconds:8.1f} s {seconds / beside:6.2f} of "
              f"{'running' if beside is run else 'all of it'}, "
              f"allowed {LIMITS[name]:.2f}")


if __name__ == "__main__":
    main()
