"""Gives Quarto, for a chapter of the root, its page in one language.

The page lies in `build`, where `project.py` put it. For programs that only
read the titles, a page that is not there yet is told by its tags.
"""
import json
import os
import sys
from pathlib import Path

OTHER = {"es": "en", "en": "es"}
text, root = sys.stdin.buffer.read(), Path(os.environ["QUARTO_PROJECT_DIR"])
lang = next(name for name in os.environ["QUARTO_PROFILE"].split(",")
            if name in OTHER)
file = next(path for path in Path.cwd().glob("*.ipynb")
            if path.read_bytes() == text)
page = root / "build" / lang / file.relative_to(root.resolve())
if page.exists():
    text = page.read_bytes()
else:
    nb = json.loads(text)
    nb["cells"] = [cell for cell in nb["cells"] if OTHER[lang]
                   not in cell["metadata"].get("tags", [])]
    text = json.dumps(nb).encode()
sys.stdout.buffer.write(text)
