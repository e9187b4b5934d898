"""What Quarto runs before and after it renders a project of this book.

Quarto starts any Python; this one looks for that of the book, beside it or
above. chapters/making/project.ipynb tells what is done.
"""
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

here = Path.cwd()
beside = [folder / ".venv" / name for folder in (here, *here.parents)
          for name in ("bin/python", "Scripts/python.exe")]
python = os.environ.get("CNNBOOK_PYTHON") or next(
    (str(path) for path in beside if path.exists()), sys.executable)
if python == sys.executable and not find_spec("cnnbook"):
    sys.exit("cnnbook, which makes the pages, is not installed: run "
             "`make .venv/ready` in the folder of the book, or "
             "`pip install -e .[book]` into the Python of Quarto")
sys.exit(subprocess.call([python, "-u", "-m", "cnnbook.press.project",
                          *sys.argv[1:]]))
