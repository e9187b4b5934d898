"""What was recorded is what the chapters show now, and fills every gap."""
import ast
import json
from copy import deepcopy

import pytest
from nbformat.v4 import new_output

from cnnbook.press.execution import plain
from cnnbook.press.figures import needs
from cnnbook.press.recorded import needy, recall, record_file
from conftest import FILES, ROOT

READER = [ROOT / file for file in FILES
          if (ROOT / file).parent == ROOT / "chapters"]
GAPS = "Sin ejecutar", "Not run"


def shows(cell):
    "True if the book shows what the cell needs something for."
    printed = any(isinstance(node, ast.Call)
                  and getattr(node.func, "id", "") == "print"
                  for node in ast.walk(ast.parse(plain(cell.source))))
    return "#| export" not in cell.source and (
        printed or "@figure" in cell.source)


@pytest.mark.parametrize("path", READER, ids=lambda path: path.stem)
def test_what_was_recorded_belongs_to_the_code_of_now(notebooks, path):
    nb = notebooks[path.relative_to(ROOT).as_posix()]
    found = {cell.id: key for cell, key in needy(nb)}
    file = record_file(ROOT, path)
    kept = (json.loads(file.read_text("utf-8"))["cells"]
            if file.exists() else {})
    assert set(kept) <= set(found), "run make record"
    stale = [name for name in kept if kept[name]["key"] != found[name]]
    assert not stale, "run make record"
    missed = [cell.id for cell, _ in needy(nb)
              if shows(cell) and cell.id not in kept]
    assert not missed, "run make record"


@pytest.mark.parametrize("path", READER, ids=lambda path: path.stem)
def test_no_gap_is_left_where_nothing_is_installed(notebooks, path):
    nb = deepcopy(notebooks[path.relative_to(ROOT).as_posix()])
    for cell, _ in needy(nb):
        cell.outputs = [new_output("stream", text=word) for word in GAPS]
    recall(ROOT, path, nb, there=lambda name: False)
    shown = json.dumps([cell.get("outputs") for cell in nb.cells])
    assert not any(word in shown for word in GAPS)


def test_the_needs_are_those_of_the_torch_extra(notebooks):
    named = {name for path in READER for cell in notebooks[
        path.relative_to(ROOT).as_posix()].cells
        if cell.cell_type == "code" for name in needs(cell.source)}
    assert named == {"torch", "onnx", "onnxruntime", "onnxscript",
                     "safetensors"}
