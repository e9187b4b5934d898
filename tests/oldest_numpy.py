"""Print the oldest NumPy that cnnbook admits on this Python."""
from importlib.metadata import requires

from pip._vendor.packaging.requirements import Requirement

for requirement in map(Requirement, requires("cnnbook")):
    marker = requirement.marker
    if requirement.name == "numpy" and (
            marker is None or marker.evaluate({"extra": ""})):
        bound, = requirement.specifier
        print(f"numpy=={bound.version}")
