"""A test that CI skips for want of a program fails, unless it is listed."""
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from conftest import MAY_SKIP, ROOT, QuartoProof, is_listed, may_skip

SKIPS = """
import pytest

@pytest.fixture
def thing():
    pytest.skip("no such thing")

def test_skipped():
    pytest.skip("no such thing")

@pytest.mark.skipif(True, reason="no such thing")
def test_marked():
    pass

def test_of_a_fixture(thing):
    pass

@pytest.mark.xfail
def test_that_fails_as_expected():
    assert False

def test_that_passes():
    pass
"""
MODULE = "import pytest\npytest.importorskip('no_such_module')\n"


def run(folder, *options, **environment):
    (folder / "test_it.py").write_text(SKIPS)
    (folder / "test_module.py").write_text(MODULE)
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join(
        [str(ROOT / "tests"), str(ROOT)]), **environment}
    if "CI" not in environment:
        variables.pop("CI", None)
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "conftest", *options],
        cwd=folder, env=variables, capture_output=True, text=True)


def test_by_hand_a_skip_is_no_failure(tmp_path):
    assert run(tmp_path).returncode == 0


@pytest.mark.parametrize("options, environment", [
    ([], {"CI": "1"}), (["--strict-skips"], {})], ids=["CI", "option"])
def test_a_skip_that_is_not_listed_fails(tmp_path, options, environment):
    done = run(tmp_path, *options, **environment)
    assert done.returncode == 1 and " failed" not in done.stdout
    _, _, listed = done.stdout.partition("not in may_skip.txt")
    for test in "skipped", "marked", "of_a_fixture":
        assert f"test_it.py::test_{test}: Skipped: no such thing" in listed
    assert "test_module.py: Skipped: could not import" in listed
    assert "expected" not in listed and "passes" not in listed


def test_the_list_says_what_and_why():
    text = MAY_SKIP.read_text("utf-8")
    lines = [line.split("|") for line in text.splitlines()
             if line.strip() and not line.startswith("#")]
    assert lines and all(len(line) == 3 and all(map(str.strip, line))
                         for line in lines)
    listed = may_skip(text)
    quarto = "quarto is not on the PATH"
    assert is_listed("tests/test_build.py::test_a[quarto]", quarto, listed)
    assert not is_listed("tests/test_torch.py", "the optional extra 'torch' "
                         "is not installed", listed)
    assert not is_listed("tests/test_browser.py::test_a[pandoc]",
                         "Quarto has its own buttons", listed)


def test_quarto_is_proved_by_the_tests_that_ran_and_no_others():
    "Collecting them is not enough, and what fails elsewhere does not count."
    names = sorted(QuartoProof.WHOLE)
    items = [SimpleNamespace(path=Path(name)) for name in names]

    def proved(ran, failed=()):
        proof = QuartoProof("1.10")
        for name in ran:
            for when in "setup", "call", "teardown":
                proof.pytest_runtest_logreport(SimpleNamespace(
                    nodeid=f"tests/{name}::test_it[quarto]", when=when,
                    passed=name not in failed,
                    failed=name in failed and when == "call"))
        return proof.proves(items)

    assert proved(names)
    assert proved([*names, "test_nn.py"], failed=["test_nn.py"])
    assert not proved([])
    assert not proved(names[1:])
    assert not proved(names, failed=names[:1])
