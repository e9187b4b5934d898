"""The networks that come with the module, as who imports it meets them."""
import re
import subprocess
import sys

import numpy as np
import pytest

import cnnbook
from cnnbook import nn
from cnnbook.zoo import PRETRAINED, lenet5_images, unit_images
from conftest import ROOT

NAMES = list(PRETRAINED)
WEIGHTS = ROOT / "cnnbook" / "weights"


@pytest.fixture(scope="module", params=NAMES)
def net(request):
    return cnnbook.pretrained(request.param)


def raw(m=3):
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (m, 28, 28), dtype=np.uint8)


def test_all_of_them_are_small():
    files = {path.stem: path.stat().st_size for path in WEIGHTS.iterdir()}
    assert set(files) == set(NAMES)
    assert sum(files.values()) < 1_000_000


def test_the_wheel_holds_their_weights():
    "What setuptools reads in pyproject.toml; no wheel is made."
    program = """
from setuptools import Distribution
from setuptools.config.pyprojecttoml import apply_configuration

project = apply_configuration(Distribution(), "pyproject.toml")
build = project.get_command_obj("build_py")
build.ensure_finalized()
build.manifest_files = {}               # there is no MANIFEST.in
print(*build.find_data_files("cnnbook", "cnnbook"))
"""                                     # apart: it changes where modules are
    found = subprocess.run([sys.executable, "-c", program], cwd=ROOT,
                           check=True, capture_output=True, text=True).stdout
    assert {ROOT / path for path in found.splitlines()[-1].split()} == set(
        WEIGHTS.iterdir()) != set()


@pytest.mark.parametrize("name", NAMES)
def test_it_is_a_network_like_any_other(name):
    net = cnnbook.pretrained(name)
    assert isinstance(net, nn.Sequential)
    X = net.prepare(raw())
    assert np.array_equal(nn.outputs(net, X).argmax(axis=1),
                          net.predict(raw()))
    before = net[0].params["W"].copy()
    nn.fit(net, X, [0, 1, 2], nn.SGD(net, 0.01), 1, 3, show=False,
           rng=np.random.default_rng(0))
    assert not np.array_equal(net[0].params["W"], before)
    net.load_state_dict(cnnbook.pretrained(name).state_dict())
    assert np.array_equal(net[0].params["W"], before)


def test_each_call_gives_another_network():
    one, other = (cnnbook.pretrained("lenet5-relu") for _ in range(2))
    one[0].params["b"][:] = 7
    assert not np.any(other[0].params["b"] == 7)


def test_the_card_tells_where_it_comes_from(net):
    assert set(net.card) == {
        "name", "data", "training", "epochs", "seed", "accuracy",
        "parameters", "classes", "licence"}
    assert len(net.card["classes"]) == 10
    assert net.card["parameters"] == sum(
        layer.size() for _, layer in net.walk())
    assert not re.search(r"/(root|home|tmp|Users)\b", str(net.card))


@pytest.mark.parametrize("name", NAMES)
def test_it_gets_right_what_its_card_says(name, request):
    fixture = "first_fashion" if name.startswith("fashion") else "mnist"
    X, labels = request.getfixturevalue(fixture).test
    net = cnnbook.pretrained(name)
    right = 100 * np.mean(net.predict(X) == labels)
    assert abs(right - net.card["accuracy"]) <= 0.03    # three images


@pytest.mark.parametrize("prepare, side, low, high", [
    (unit_images, 28, 0, 1), (lenet5_images, 32, -0.1, 1.175)])
def test_raw_images_are_prepared(prepare, side, low, high):
    images = np.zeros((2, 28, 28), np.uint8)
    images[0, 0, 0] = 255
    for given in images, images[..., None], images.astype(float):
        X = prepare(given)
        assert X.shape == (2, side, side, 1) and X.dtype == np.float32
        corner = (side - 28) // 2
        assert X[0, corner, corner, 0] == pytest.approx(high)
        assert np.sum(X > 0.5) == 1 and X.min() == pytest.approx(low)
    assert prepare(images[:0]).shape == (0, side, side, 1)


@pytest.mark.parametrize("images, told", [
    (raw() / 255, "from 0 to 255"), (raw() - 128.0, "from 0 to 255"),
    (np.full((1, 28, 28), np.nan), "from 0 to 255"),
    (raw()[0], "3 or 4 axes"), (np.zeros((2, 32, 32)), "28"),
    (np.zeros((2, 28, 28, 3)), "28")])
def test_other_images_are_refused(images, told):
    with pytest.raises(ValueError, match=f"images must .*{told}"):
        unit_images(images)


def test_an_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="name must .*lenet5-relu.*got 'alex"):
        cnnbook.pretrained("alexnet")
    with pytest.raises(TypeError, match="name must"):
        cnnbook.pretrained(5)
