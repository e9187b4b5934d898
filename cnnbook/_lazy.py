"""Packages that import a module only when one of its names is used (PEP 562)."""
import sys
from importlib import import_module


def attach(package, homes, rooms=()):
    """Return `__getattr__`, `__dir__` and `__all__` for the file of a package.

    `package` is its `__name__`; `homes` is a dict from each of its modules to
    the names that the package offers from it; `rooms` are modules that it
    offers too, but that `import *` leaves alone. `homes` is written as a
    literal, which is also read without importing anything.
    """
    home = {name: module for module, names in homes.items() for name in names}

    def getattr_(name):
        if name in home:
            value = getattr(import_module(f"{package}.{home[name]}"), name)
            setattr(sys.modules[package], name, value)      # asked but once
            return value
        if name in rooms or name in homes:
            return import_module(f"{package}.{name}")
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return getattr_, lambda: sorted({*home, *homes, *rooms}), list(home)
