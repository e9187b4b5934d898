"""What students write: functions of the lab, wrong and right ones.

`WRONG` and `RIGHT` hold them by name; the modules `wrong_*` and `right_*`
register them. None of them is made by changing the book's code.
"""
from importlib import import_module
from pathlib import Path

from .registry import LAB, RIGHT, WRONG, Answer, Told

for path in sorted(Path(__file__).parent.glob("[rw]*_*.py")):
    import_module(f"{__name__}.{path.stem}")

__all__ = ["LAB", "RIGHT", "WRONG", "Answer", "Told"]
