"""`save` and `load`: whole files, foreign files, and resuming bit by bit."""
import json
import os
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from cnnbook import storage
from cnnbook.lab import create_model, train
from cnnbook.storage import load, save

NET = (("conv", 3), ("relu",), ("dropout", 0.3), ("pool",), ("dense", 2))


def same(a, b):
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return (type(a) is type(b) and a.dtype == b.dtype
                and a.shape == b.shape and a.tobytes() == b.tobytes())
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)):
        return (type(a) is type(b) and len(a) == len(b)
                and all(map(same, a, b)))
    return type(a) is type(b) and (a == b or a != a)


def tree():
    rng = np.random.default_rng(0)
    return {"W1": rng.normal(size=(3, 3, 2, 4)).astype(np.float32),
            "b1": np.zeros((1, 1, 1, 4)), "none": None, "yes": True, "n": 3,
            "big": 2**127 + 1, "x": 0.1, "inf": float("inf"),
            "text": "año → λ", "empty": np.zeros((0, 3)),
            "scalar": np.float32(0.1), "half": np.float16([1, 2]),
            "nan": np.array([np.nan, -0.0]), "ints": np.arange(3, dtype=">i4"),
            "architecture": NET, "list": [1, [2.5, (None, "a")], {}],
            "F": np.asfortranarray(rng.normal(size=(3, 4))),
            "deep": {"a": {"b": np.ones(2, bool)}}}


def data():
    rng = np.random.default_rng(1)
    X = rng.random((50, 6, 6, 1), dtype=np.float32)
    return X, (X[:, :3].mean((1, 2, 3)) > X[:, 3:].mean((1, 2, 3))).astype(int)


def test_round_trip(tmp_path):
    save(tmp_path / "a.npz", tree())
    assert same(load(tmp_path / "a.npz"), tree())
    save(tmp_path / "no_suffix", {})
    assert load(tmp_path / "no_suffix") == {}
    assert sorted(os.listdir(tmp_path)) == ["a.npz", "no_suffix"]


def test_the_file_says_its_format_and_version_and_architecture(tmp_path):
    save(tmp_path / "a.npz", create_model(NET, (6, 6, 1)))
    with np.load(tmp_path / "a.npz", allow_pickle=False) as stored:
        header = json.loads(str(stored[storage.MARK][()]))
    assert (header["format"], header["version"]) == ("cnnbook", 1)
    assert "architecture" in header["tree"]


@pytest.mark.parametrize("value", [
    lambda x: x, {1, 2}, b"bytes", object(), np.array([object()]),
    np.array(["a"]), {1: 2}, {"__cnnbook__": 1}, [np.array([None])]])
def test_what_cannot_be_kept(tmp_path, value):
    save(tmp_path / "a.npz", {"n": 1})
    with pytest.raises(TypeError, match=r"parameters\['v'\]"):
        save(tmp_path / "a.npz", {"v": value})
    assert load(tmp_path / "a.npz") == {"n": 1}
    assert os.listdir(tmp_path) == ["a.npz"]
    with pytest.raises(TypeError, match="parameters must be a dict"):
        save(tmp_path / "a.npz", [1])


def test_a_truncated_file_is_a_clear_error(tmp_path):
    save(tmp_path / "a.npz", tree())
    whole = (tmp_path / "a.npz").read_bytes()
    cut = tmp_path / "cut.npz"
    for size in range(0, len(whole), 3):
        cut.write_bytes(whole[:size])
        with pytest.raises(ValueError, match="truncated, damaged or foreign"):
            load(cut)


def test_a_damaged_file_is_never_read_as_something_else(tmp_path):
    save(tmp_path / "a.npz", tree())
    whole = (tmp_path / "a.npz").read_bytes()
    rng, harmless = random.Random(0), 0
    for _ in range(500):
        bad = bytearray(whole)
        bad[rng.randrange(len(bad))] ^= 1 << rng.randrange(8)
        (tmp_path / "bad.npz").write_bytes(bytes(bad))
        try:
            out = load(tmp_path / "bad.npz")
        except ValueError as error:
            assert "truncated, damaged or foreign" in str(error)
        else:       # a bit that means nothing, such as a date in the zip
            assert same(out, tree())
            harmless += 1
    assert harmless < 250


def test_foreign_files(tmp_path):
    import pickle
    import zipfile
    foreign = tmp_path / "foreign"
    np.savez(foreign.with_suffix(".npz"), W1=np.ones(3))
    with pytest.raises(ValueError, match="foreign"):
        load(foreign.with_suffix(".npz"))
    np.save(foreign.with_suffix(".npy"), np.ones(3))
    with pytest.raises(ValueError, match="foreign"):
        load(foreign.with_suffix(".npy"))
    with zipfile.ZipFile(foreign, "w") as z:
        z.writestr("a.txt", "hello")
    with pytest.raises(ValueError, match="foreign"):
        load(foreign)
    for content in (b"", b"hello", pickle.dumps({"W1": 1}), b"\0" * 1000,
                    b"PK\x03\x04" + b"x" * 100):
        foreign.write_bytes(content)
        with pytest.raises(ValueError, match="foreign"):
            load(foreign)
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "nothing")


class Bomb:
    def __reduce__(self):
        return os.mkdir, ("pickle_was_run",)


def test_pickle_is_never_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savez("a.npz", **{storage.MARK: np.array([Bomb()], dtype=object)})
    with pytest.raises(ValueError, match="foreign"):
        load("a.npz")
    header = json.dumps({"format": "cnnbook", "version": 1, "tree": {},
                         "arrays": [["|O", [1]]]})
    np.savez("b.npz", **{storage.MARK: np.array(header)},
             a0=np.array([Bomb()], dtype=object))
    with pytest.raises(ValueError, match="foreign"):
        load("b.npz")
    assert not os.path.exists("pickle_was_run")


@pytest.mark.parametrize("change, match", [
    ({"version": 2}, "newer"), ({"format": "other"}, "foreign"),
    ({"arrays": []}, "foreign"), ({"tree": {"W": {"__cnnbook__": "array",
                                                "index": 7}}}, "foreign")])
def test_other_versions_and_headers(tmp_path, change, match):
    array = np.ones(3)
    header = {"format": "cnnbook", "version": 1,
              "tree": {"W": {"__cnnbook__": "array", "index": 0}},
              "arrays": [[array.dtype.str, [3]]]}

    def write(header):
        np.savez(tmp_path / "a.npz", a0=array,
                 **{storage.MARK: np.array(json.dumps(header))})
    write(header)
    assert np.array_equal(load(tmp_path / "a.npz")["W"], array)
    write({**header, **change})
    with pytest.raises(ValueError, match=match):
        load(tmp_path / "a.npz")


@pytest.mark.skipif(os.name != "posix", reason="kill -9 is POSIX")
def test_kill_9_in_the_middle_of_saves_leaves_a_whole_file(tmp_path):
    path, rng = tmp_path / "model.npz", random.Random(0)
    save(path, {"n": -1, "W": np.full(1_500_000, -1.0)})
    code = ("import sys, numpy as np\n"
            "from cnnbook.storage import save\n"
            "n = int(sys.argv[2])\n"
            "print('ready', flush=True)\n"
            "while True:\n"
            "    n += 1\n"
            "    save(sys.argv[1], {'n': n, 'W': np.full(1_500_000, float(n))"
            "})\n")
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    in_the_middle, n = 0, 0
    for _ in range(12):
        child = subprocess.Popen([sys.executable, "-c", code, str(path),
                                  str(n)], env=env, stdout=subprocess.PIPE)
        try:
            assert child.stdout.readline() == b"ready\n"
            time.sleep(rng.uniform(0.01, 0.15))
        finally:
            os.kill(child.pid, signal.SIGKILL)
            child.wait()
            child.stdout.close()
        kept = load(path)
        assert np.all(kept["W"] == kept["n"])
        n = max(n, kept["n"])
        assert kept["n"] == n or kept["n"] == -1
        left = [p for p in tmp_path.iterdir() if p.name.endswith(".tmp")]
        in_the_middle += bool(left)
        for p in left:
            p.unlink()
    assert in_the_middle >= 1, "no kill came in the middle of a save"
    save(path, {"n": 0})                # and saving goes on working
    assert load(path) == {"n": 0}


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_failed_save_leaves_the_old_file_and_no_litter(tmp_path,
                                                         monkeypatch, step):
    save(tmp_path / "a.npz", {"n": 1})

    def fail(*args):
        raise OSError("disk full")
    with monkeypatch.context() as patch:
        patch.setattr(storage.os, step, fail)
        with pytest.raises(OSError, match="disk full"):
            save(tmp_path / "a.npz", {"n": 2})
    assert load(tmp_path / "a.npz") == {"n": 1}
    assert os.listdir(tmp_path) == ["a.npz"]


@pytest.mark.parametrize("settings", [
    dict(schedule="one-cycle", weight_decay=0.1, shift=0.3, smoothing=0.1),
    dict(optimizer="sgd", l2=0.01, learning_rate=0.05),
    dict(patience=2, learning_rate=0.05)])
@pytest.mark.parametrize("stop", [1, 3])
def test_resuming_gives_the_same_bits(tmp_path, settings, stop):
    X, y = data()
    settings = dict(epochs=6, batch=16, validation=(X[:10], y[:10]),
                    **settings)
    straight = train(create_model(NET, (6, 6, 1), 4), X[10:], y[10:],
                     **settings)

    class Stop(Exception):
        pass

    def keep(model):
        save(tmp_path / "check.npz", model)
        if model["epoch"] == stop:
            raise Stop
    with pytest.raises(Stop):
        train(create_model(NET, (6, 6, 1), 4), X[10:], y[10:],
              after_epoch=keep, **settings)
    resumed = train(load(tmp_path / "check.npz"), X[10:], y[10:], **settings)
    assert same(resumed, straight)
    assert straight["epoch"] == len(straight["history"]) >= stop
    finished = train(resumed, X[10:], y[10:], **settings)
    assert same(finished["parameters"], straight["parameters"])


def packed():
    rng = np.random.default_rng(0)
    arrays = {"W1": rng.normal(size=(3, 3, 1, 4)).astype(np.float32),
              "images": rng.integers(0, 17, (5, 3, 3)).astype(np.uint8),
              "b1": np.zeros((1, 1, 1, 4), np.float32),
              "none": np.zeros((0, 3), np.uint8)}
    return {"architecture": NET, "note": "año → λ"}, arrays


def test_pack_round_trip():
    header, arrays = packed()
    data = storage.pack(header, arrays)
    header_back, arrays_back = storage.unpack(data)
    assert header_back == json.loads(json.dumps(header))
    assert same(arrays_back, arrays)
    assert storage.pack(header, {"W1": arrays["W1"].T}) == storage.pack(
        header, {"W1": np.ascontiguousarray(arrays["W1"].T)})


def test_packed_numbers_lie_where_the_format_says():
    header, arrays = packed()
    data = storage.pack(header, arrays)
    length = int.from_bytes(data[8:12], "little")
    assert data[:8] == b"cnnbook1" and (12 + length) % 4 == 0
    entries = json.loads(data[12:12 + length])["arrays"]
    assert [e["name"] for e in entries] == list(arrays)
    W1 = np.frombuffer(data, "<f4", 36, 12 + length)
    assert np.array_equal(W1, arrays["W1"].ravel())
    images = np.frombuffer(data, "u1", 45, 12 + length + 4 * 36)
    assert np.array_equal(images, arrays["images"].ravel())
    assert len(data) == 12 + length + 4 * 36 + 48 + 16


def test_every_cut_of_a_packed_file_is_found():
    data = storage.pack(*packed())
    for n in range(len(data)):
        with pytest.raises(ValueError, match="written by pack"):
            storage.unpack(data[:n])
    with pytest.raises(ValueError, match="written by pack"):
        storage.unpack(data + b"\0")


@pytest.mark.parametrize("entry", [
    [], {}, {"name": "x"}, {"name": "x", "dtype": "float64", "shape": [1]},
    {"name": "x", "dtype": "uint8", "shape": [-1]},
    {"name": "x", "dtype": "uint8", "shape": [1.5]},
    {"name": "x", "dtype": "uint8", "shape": 3},
    {"name": "x", "dtype": "uint8", "shape": [10**9, 10**9]}])
def test_a_damaged_header_is_told(entry):
    text = json.dumps({"arrays": [entry]}).encode()
    text += b" " * (-len(text) % 4)
    data = b"cnnbook1" + len(text).to_bytes(4, "little") + text + bytes(4)
    with pytest.raises(ValueError, match="written by pack"):
        storage.unpack(data)


def test_pack_refuses_what_a_page_cannot_read():
    with pytest.raises(TypeError, match="W1 must be of float32 or uint8"):
        storage.pack({}, {"W1": np.zeros(3)})
    with pytest.raises(ValueError, match="must not have the key 'arrays'"):
        storage.pack({"arrays": 1}, {})
    with pytest.raises(TypeError, match="header must be a dict"):
        storage.pack([], {})
    with pytest.raises(ValueError, match="name must be of a-z"):
        storage.show_data("../digits", b"")
