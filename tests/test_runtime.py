"""Where Pyodide comes from: any place, as long as each file is the right one.

The files of most tests are small ones with fingerprints of their own; the
places are folders, a server on this machine, and packages made here.
"""
import hashlib
import io
import json
import socket
import subprocess
import sys
import tarfile
import time
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from cnnbook.press import runtime
from cnnbook.press.manifest import BuildError
from conftest import ROOT

SMALL = {"pyodide.js": b"a program" * 100, "numpy.whl": b"arrays" * 300}
# The lock file of npm's pyodide@0.28.3, in which Pyodide published the
# fingerprints of the libraries.
LOCK = "f6e6f42f451f42affbbcddb00e8c9a3278dcbf399f57aab9f3f568839a7ff4a6"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    "An empty cache, two small files to be had, and no place that has them."
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("CNNBOOK_PYODIDE", raising=False)
    monkeypatch.setattr(runtime, "WANTED", {
        name: (len(data), hashlib.sha256(data).hexdigest())
        for name, data in SMALL.items()})
    monkeypatch.setattr(runtime, "PUBLISHED", closed_port())
    monkeypatch.setattr(runtime, "PATIENCE", 0.3)
    monkeypatch.setattr(runtime, "order", nothing)
    return tmp_path / "cache" / "cnnbook" / f"pyodide-{runtime.PYODIDE}"


def nothing(command, folder):
    raise OSError(f"{command[0]} has nothing")


def closed_port():
    "An address at which nothing answers."
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return f"http://127.0.0.1:{listening.getsockname()[1]}/"


def find():
    "What `find_runtime` finds in a new program."
    runtime.find_runtime.cache_clear()
    try:
        return runtime.find_runtime()
    finally:
        runtime.find_runtime.cache_clear()


def distribution(folder, **changed):
    "A folder with the small files, some of them `changed` or left out."
    folder.mkdir()
    for name, data in {**SMALL, **changed}.items():
        if data is not None:
            (folder / name).write_bytes(data)
    return folder


@pytest.fixture
def served(tmp_path):
    "A server that stands in for Pyodide's: its folder and its address."
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass
    folder = distribution(tmp_path / "served")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(
        Quiet, directory=str(folder)))
    Thread(target=server.serve_forever, daemon=True).start()
    yield folder, f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


def holds_all(folder):
    return {path.name: path.read_bytes()
            for path in folder.iterdir()} == SMALL


def test_a_folder_is_asked_first_and_once(cache, tmp_path, monkeypatch):
    place = distribution(tmp_path / "usb")
    monkeypatch.setenv("CNNBOOK_PYODIDE", str(place))
    assert find() == cache and holds_all(cache)
    (place / "pyodide.js").unlink()
    assert find() == cache


def test_a_published_distribution_is_downloaded(cache, served, monkeypatch,
                                                capsys):
    monkeypatch.setattr(runtime, "PUBLISHED", served[1])
    assert find() == cache and holds_all(cache)
    assert f"asking {served[1]}" in capsys.readouterr().out


def test_a_mirror_takes_the_place_of_the_published_address(
        cache, served, monkeypatch):
    monkeypatch.setenv("CNNBOOK_PYODIDE", served[1])
    assert find() == cache and holds_all(cache)


def test_each_place_gives_what_the_others_lack(cache, served, tmp_path,
                                               monkeypatch):
    place = distribution(tmp_path / "usb", **{"numpy.whl": None})
    (served[0] / "pyodide.js").unlink()
    monkeypatch.setenv("CNNBOOK_PYODIDE", str(place))
    monkeypatch.setattr(runtime, "PUBLISHED", served[1])
    assert find() == cache and holds_all(cache)


def packages(command, folder):
    "What npm and pip would download: the one the core, the other the rest."
    if command[0] == "npm":
        path = Path(folder) / "pyodide.tgz"
        with tarfile.open(path, "w:gz") as packed:
            member = tarfile.TarInfo("package/pyodide.js")
            member.size = len(SMALL["pyodide.js"])
            packed.addfile(member, io.BytesIO(SMALL["pyodide.js"]))
    else:
        path = Path(folder) / "app.whl"
        with zipfile.ZipFile(path, "w") as packed:
            packed.writestr("app/numpy.whl", b"another file of that name")
            packed.writestr("app/pyodide/numpy.whl", SMALL["numpy.whl"])
    return path


def test_npm_and_pip_are_asked_last(cache, monkeypatch, capsys):
    monkeypatch.setattr(runtime, "order", packages)
    assert find() == cache and holds_all(cache)
    said = capsys.readouterr().out
    assert "152 MB" in said and said.index(runtime.NPM) < said.index(
        runtime.PIP)


@pytest.mark.parametrize("place", ["folder", "mirror"])
def test_a_false_file_stops_the_build(cache, served, tmp_path, monkeypatch,
                                      place):
    false = SMALL["numpy.whl"].replace(b"a", b"b")
    (served[0] / "numpy.whl").write_bytes(false)
    monkeypatch.setenv("CNNBOOK_PYODIDE", served[1] if place == "mirror"
                       else str(served[0]))
    with pytest.raises(BuildError, match="numpy.whl, from .*SHA-256"):
        find()
    assert not (cache / "numpy.whl").exists()


def test_a_download_that_breaks_off_is_no_false_file(cache, served,
                                                     monkeypatch, capsys):
    (served[0] / "numpy.whl").write_bytes(SMALL["numpy.whl"][:50])
    monkeypatch.setenv("CNNBOOK_PYODIDE", served[1])
    assert find() is None
    assert "numpy.whl came cut short" in capsys.readouterr().out


def test_a_damaged_file_is_got_again(cache, tmp_path, monkeypatch):
    monkeypatch.setenv("CNNBOOK_PYODIDE",
                       str(distribution(tmp_path / "usb")))
    find()
    (cache / "numpy.whl").write_bytes(SMALL["numpy.whl"][:-1] + b"?")
    with pytest.raises(BuildError, match="numpy.whl is damaged"):
        runtime.read_kept(cache, "numpy.whl")
    assert find() == cache and holds_all(cache)


def test_a_name_that_is_no_place_is_told(cache, monkeypatch):
    monkeypatch.setenv("CNNBOOK_PYODIDE", "/no/such/folder")
    with pytest.raises(BuildError, match="/no/such/folder, which is no"):
        find()


@pytest.mark.parametrize("silent", [True, False])
def test_without_a_network_one_line_says_so_soon(cache, monkeypatch, capsys,
                                                 silent):
    listening = socket.create_server(("127.0.0.1", 0))     # never answers
    if silent:
        monkeypatch.setattr(runtime, "PUBLISHED", "http://127.0.0.1:"
                            f"{listening.getsockname()[1]}/")
    start = time.monotonic()
    assert find() is None
    assert time.monotonic() - start < 10
    listening.close()
    told, = [line for line in capsys.readouterr().out.splitlines()
             if "will not run Python" in line]
    assert "npm has nothing" in told and "timed out" in told or not silent


def test_a_program_that_is_not_there_is_told(tmp_path):
    with pytest.raises(OSError, match="no-such-npm is not here"):
        runtime.order(["no-such-npm"], tmp_path)
    with pytest.raises(OSError, match="Error: out of paper"):
        runtime.order([sys.executable, "-c", "raise SystemExit("
                       "'Error: out of paper')"], tmp_path)


def test_the_command_fails_if_nothing_can_be_had(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "cnnbook.press.runtime"], cwd=ROOT, text=True,
        capture_output=True, env={"CNNBOOK_PYODIDE": "/no/such/folder",
                                  "XDG_CACHE_HOME": str(tmp_path)})
    assert done.returncode == 1 and "/no/such/folder" in done.stderr


def test_the_fingerprints_are_those_that_pyodide_published(tmp_path):
    try:
        path = runtime.order(["npm", "pack", runtime.NPM,
                              "--loglevel=error"], tmp_path)
    except OSError as error:
        pytest.skip(f"npm cannot get {runtime.NPM}: {error}")
    with tarfile.open(path) as packed:
        files = {member.name.removeprefix("package/"):
                 packed.extractfile(member).read() for member in packed}
    assert hashlib.sha256(files["pyodide-lock.json"]).hexdigest() == LOCK
    lock = json.loads(files["pyodide-lock.json"])["packages"].values()
    published = {entry["file_name"]: entry["sha256"] for entry in lock}
    for name in runtime.listed(runtime.CORE):
        assert runtime.is_right(name, files[name]), name
    for name, (_, digest) in runtime.listed(runtime.NUMERICAL
                                            + runtime.DRAWING).items():
        assert published[name] == digest, name


def test_the_files_kept_are_all_right(pyodide):
    for name, (size, _) in runtime.WANTED.items():
        assert len(runtime.read_kept(pyodide, name)) == size
