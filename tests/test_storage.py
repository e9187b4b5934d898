"""`save` and `load`: whole files, foreign files, and resuming bit by bit."""
import json
import os
import random
import signal
import subprocess
import sys
import zlib
from contextlib import suppress

import numpy as np
import pytest

from cnnbook import nn, storage
from cnnbook.data import shift_images, smooth_labels
from cnnbook.lab import one_hot_encode
from cnnbook.storage import (from_bytes, load, read_tensors, save, to_bytes,
                             write_tensors)
from conftest import wait_for

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
            "nan": np.array([np.nan, -0.0]), "ints": np.arange(3, dtype="i4"),
            "architecture": NET, "list": [1, [2.5, (None, "a")], {}],
            "arrays": [np.arange(2), (np.int8([3]), {"0": np.ones(())})],
            "F": np.asfortranarray(rng.normal(size=(3, 4))),
            "deep": {"a": {"b": np.ones(2, bool)}}}


def data():
    rng = np.random.default_rng(1)
    X = rng.random((50, 6, 6, 1), dtype=np.float32)
    return X, (X[:, :3].mean((1, 2, 3)) > X[:, 3:].mean((1, 2, 3))).astype(int)


def test_round_trip(tmp_path):
    save(tmp_path / "a.safetensors", tree())
    assert same(load(tmp_path / "a.safetensors"), tree())
    save(tmp_path / "no_suffix", {})
    assert load(tmp_path / "no_suffix") == {}
    assert sorted(os.listdir(tmp_path)) == ["a.safetensors", "no_suffix"]


def test_numbers_of_another_byte_order_are_kept_as_numbers():
    values = np.arange(3, dtype=">i4")
    kept = from_bytes(to_bytes({"values": values}))["values"]
    assert np.array_equal(kept, values) and kept.dtype == np.int32


def test_what_is_read_can_be_written_to():
    kept = from_bytes(to_bytes({"W": np.zeros(3)}))["W"]
    kept[0] = 1


def test_the_bytes_lie_where_the_format_says(tmp_path):
    save(tmp_path / "a", {"b": np.uint8([7, 8, 9]), "epoch": 3,
                          "W": np.float32([[1, 2]]), "none": np.zeros((0, 2))})
    data = (tmp_path / "a").read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8:8 + length])
    metadata = header.pop("__metadata__")
    assert metadata["cnnbook"] == "2" and (8 + length) % 8 == 0
    assert json.loads(metadata["tree"])["epoch"] == 3
    assert header == {
        "none": {"dtype": "F64", "shape": [0, 2], "data_offsets": [0, 0]},
        "W": {"dtype": "F32", "shape": [1, 2], "data_offsets": [0, 8]},
        "b": {"dtype": "U8", "shape": [3], "data_offsets": [8, 11]}}
    assert np.array_equal(np.frombuffer(data, "<f4", 2, 8 + length), [1, 2])
    assert data[-3:] == bytes([7, 8, 9])


def test_the_state_of_a_network_keeps_its_names():
    rng = np.random.default_rng(0)
    model = nn.Sequential(nn.Conv2D(1, 2, rng=rng), nn.BatchNorm2D(2))
    arrays, _ = read_tensors(to_bytes(model.state_dict()))
    assert same({key: arrays[key] for key in model.state_dict()},
                model.state_dict())
    arrays, _ = read_tensors(to_bytes({"model": model.state_dict()}))
    assert sorted(arrays) == sorted(
        f"model.{key}" for key in model.state_dict())


def test_the_library_reads_what_is_saved_and_the_other_way_round(tmp_path):
    library = pytest.importorskip("safetensors.numpy", reason=(
        "safetensors is not installed"))
    arrays = {"W": np.float32([[1, 2]]), "b": np.arange(5, dtype=np.uint8),
              "x": np.float64([np.nan, -0.0]), "n": np.ones((), np.int64),
              "none": np.zeros((0, 3), np.float16), "yes": np.ones(3, bool),
              **{kind: np.arange(3, dtype=kind) for kind in (
                  "i1", "i2", "i4", "u2", "u4", "u8")}}
    save(tmp_path / "ours", {**arrays, "epoch": 3})
    read = library.load_file(tmp_path / "ours")
    assert read.keys() == arrays.keys()
    assert all(same(read[key], value) for key, value in arrays.items())
    library.save_file(arrays, tmp_path / "theirs", {"by": "them"})
    read, metadata = read_tensors((tmp_path / "theirs").read_bytes())
    assert read.keys() == arrays.keys() and metadata == {"by": "them"}
    assert all(same(read[key], value) for key, value in arrays.items())
    with pytest.raises(ValueError, match="foreign"):
        load(tmp_path / "theirs")       # nothing tells that it is whole


@pytest.mark.parametrize("value", [
    lambda x: x, {1, 2}, b"bytes", object(), np.array([object()]),
    np.array(["a"]), {1: 2}, {"__cnnbook__": 1}, [np.array([None])],
    np.ones(2, complex)])
def test_what_cannot_be_kept(tmp_path, value):
    save(tmp_path / "a.safetensors", {"n": 1})
    with pytest.raises(TypeError, match="tree must .* at 'v"):
        save(tmp_path / "a.safetensors", {"v": value})
    assert load(tmp_path / "a.safetensors") == {"n": 1}
    assert os.listdir(tmp_path) == ["a.safetensors"]
    with pytest.raises(TypeError, match="tree must be a dict"):
        save(tmp_path / "a.safetensors", [1])


@pytest.mark.parametrize("tree", [
    {"a.b": np.ones(1), "a": {"b": np.ones(1)}},
    {"a.0": np.ones(1), "a": [np.ones(1)]}, {"__metadata__": np.ones(1)}])
def test_two_arrays_of_one_path_are_refused(tree):
    with pytest.raises(ValueError, match="each array another path; got '"):
        to_bytes(tree)


def test_a_truncated_file_is_a_clear_error(tmp_path):
    save(tmp_path / "a.safetensors", tree())
    whole = (tmp_path / "a.safetensors").read_bytes()
    cut = tmp_path / "cut.safetensors"
    for size in range(0, len(whole), 3):
        cut.write_bytes(whole[:size])
        with pytest.raises(ValueError, match="truncated, damaged or foreign"):
            load(cut)


def test_every_single_wrong_bit_is_found():
    whole = to_bytes({"W": np.arange(6.0).reshape(2, 3), "text": "λ", "n": 1})
    for bit in range(8 * len(whole)):
        bad = bytearray(whole)
        bad[bit // 8] ^= 1 << bit % 8
        with pytest.raises(ValueError, match="truncated, damaged or foreign"):
            from_bytes(bytes(bad))


def test_a_damaged_file_is_never_read_as_something_else(tmp_path):
    save(tmp_path / "a.safetensors", tree())
    whole = (tmp_path / "a.safetensors").read_bytes()
    rng = random.Random(0)
    for _ in range(500):
        bad = bytearray(whole)
        for _ in range(rng.randrange(1, 4)):
            bad[rng.randrange(len(bad))] = rng.randrange(256)
        if bad == whole:
            continue
        (tmp_path / "bad.safetensors").write_bytes(bytes(bad))
        with pytest.raises(ValueError, match="truncated, damaged or foreign"):
            load(tmp_path / "bad.safetensors")
    for more in b"\0", whole:
        (tmp_path / "bad.safetensors").write_bytes(whole + more)
        with pytest.raises(ValueError, match="truncated, damaged or foreign"):
            load(tmp_path / "bad.safetensors")


def test_foreign_files(tmp_path):
    import pickle
    import zipfile
    foreign = tmp_path / "foreign"
    np.save(foreign.with_suffix(".npy"), np.ones(3))
    with pytest.raises(ValueError, match="foreign"):
        load(foreign.with_suffix(".npy"))
    for content in (b"", b"hello", pickle.dumps({"W1": 1}), b"\0" * 1000,
                    b"PJ\x03\x04" + b"x" * 100,
                    write_tensors({"W": np.ones(2)}, {})):
        foreign.write_bytes(content)
        with pytest.raises(ValueError, match="path must be a file that save "
                           "wrote; .*foreign"):
            load(foreign)
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "nothing")
    with zipfile.ZipFile(foreign, "w") as z:
        z.writestr("a.txt", "hello")
    np.savez(tmp_path / "old.npz", a0=np.ones(3), __cnnbook__=np.array("{}"))
    for path in foreign, tmp_path / "old.npz":
        with pytest.raises(ValueError, match="a .npz file, as np.savez and an "
                           "earlier cnnbook .* np.load"):
            load(path)


class Bomb:
    def __reduce__(self):
        return os.mkdir, ("pickle_was_run",)


def test_pickle_is_never_run(tmp_path, monkeypatch):
    import pickle
    monkeypatch.chdir(tmp_path)
    np.savez("a", np.array([Bomb()], dtype=object))
    (tmp_path / "b.npz").write_bytes(pickle.dumps(Bomb()))
    for name in "a.npz", "b.npz":
        with pytest.raises(ValueError, match="foreign|a .npz file"):
            load(name)
    assert not os.path.exists("pickle_was_run")


def sealed(metadata, arrays):
    "The bytes of a file whose checksum is right, whatever else is wrong."
    data = write_tensors(arrays, {**metadata, "crc32": "00000000"})
    return data.replace(b'"crc32": "00000000"',
                        b'"crc32": "%08x"' % zlib.crc32(data), 1)


@pytest.mark.parametrize("change, match", [
    ({"cnnbook": "3"}, "newer"), ({"cnnbook": None}, "newer"),
    ({"tree": "{"}, "foreign"), ({"tree": None}, "foreign"),
    ({"tree": '{"V": {"__cnnbook__": "array"}}'}, "foreign"),
    ({"tree": "[" * 100_000}, "foreign")])
def test_other_versions_and_headers(change, match):
    arrays = {"W": np.ones(3)}
    metadata = {"cnnbook": "2", "tree": '{"W": {"__cnnbook__": "array"}}'}
    assert np.array_equal(from_bytes(sealed(metadata, arrays))["W"],
                          arrays["W"])
    with pytest.raises(ValueError, match=match):
        from_bytes(sealed({**metadata, **change}, arrays))


@pytest.mark.parametrize("entry", [
    [], {}, 3, {"dtype": "F32"},
    {"dtype": "F99", "shape": [1], "data_offsets": [0, 4]},
    {"dtype": "U8", "shape": [-4], "data_offsets": [0, -4]},
    {"dtype": "U8", "shape": [1.5], "data_offsets": [0, 4]},
    {"dtype": "U8", "shape": 4, "data_offsets": [0, 4]},
    {"dtype": "U8", "shape": [4], "data_offsets": [0]},
    {"dtype": "U8", "shape": [4], "data_offsets": [1, 5]},
    {"dtype": "U8", "shape": [10**9, 10**9], "data_offsets": [0, 10**18]},
    {"dtype": "U8", "shape": [3], "data_offsets": [0, 3]},
    {"dtype": "U8", "shape": [5], "data_offsets": [0, 5]}])
def test_a_damaged_header_is_told(entry):
    text = json.dumps({"x": entry}).encode()
    data = len(text).to_bytes(8, "little") + text + bytes(4)
    with pytest.raises(ValueError, match="data must be a safetensors file"):
        read_tensors(data)


@pytest.mark.parametrize("header", [
    b"", b"[]", b"3", b"{", b'{"__metadata__": 3}', b"\xff", b"{}x",
    b"[" * 100_000])
def test_what_is_no_header_is_told(header):
    data = len(header).to_bytes(8, "little") + header
    with pytest.raises(ValueError, match="data must be a safetensors file"):
        read_tensors(data)


def test_arrays_that_overlap_or_leave_a_gap_are_told():
    for a, b in (([0, 4], [2, 6]), ([0, 4], [6, 10]), ([0, 4], [0, 4])):
        text = json.dumps({name: {
            "dtype": "U8", "shape": [4], "data_offsets": place}
            for name, place in (("a", a), ("b", b))}).encode()
        data = len(text).to_bytes(8, "little") + text + bytes(10)
        with pytest.raises(ValueError, match="out of its place"):
            read_tensors(data)


@pytest.mark.skipif(os.name != "posix", reason="kill -9 is POSIX")
def test_kill_9_in_the_middle_of_saves_leaves_a_whole_file(tmp_path):
    path = tmp_path / "model.safetensors"
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

    def written():
        "How many bytes of the next file are there already."
        with suppress(FileNotFoundError):       # it has taken its place
            return sum(p.stat().st_size for p in tmp_path.iterdir()
                       if p.name.endswith(".tmp"))
        return 0

    for part in range(12):              # ever later in a save
        child = subprocess.Popen([sys.executable, "-c", code, str(path),
                                  str(n)], env=env, stdout=subprocess.PIPE)
        try:
            assert child.stdout.readline() == b"ready\n"
            wait_for(lambda: written() > part * 1_000_000, every=0.001)
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
    save(tmp_path / "a.safetensors", {"n": 1})

    def fail(*args):
        raise OSError("disk full")
    with monkeypatch.context() as patch:
        patch.setattr(storage.os, step, fail)
        with pytest.raises(OSError, match="disk full"):
            save(tmp_path / "a.safetensors", {"n": 2})
    assert load(tmp_path / "a.safetensors") == {"n": 1}
    assert os.listdir(tmp_path) == ["a.safetensors"]


def adam(model):
    return nn.Adam(model, 0.01, weight_decay=0.1)


def sgd(model):
    return nn.SGD(model, 0.05, momentum=0.9, weight_decay=0.01)


@pytest.mark.parametrize("optimizer, patience", [(adam, None), (sgd, None),
                                                 (adam, 1)])
@pytest.mark.parametrize("stop", [1, 3])
def test_resuming_gives_the_same_bits(tmp_path, optimizer, patience, stop):
    X, y = data()
    targets = smooth_labels(one_hot_encode(y[10:], 2), 0.1)

    class Stop(Exception):
        pass

    def keep(run):
        save(tmp_path / "run.safetensors", run.state_dict())
        if run.history[-1]["epoch"] == stop or run.stop:
            raise Stop

    def learn(callbacks=(), resume=None):
        rng, best = np.random.default_rng(4), nn.KeepBest(patience=patience)
        model = nn.Sequential(
            nn.Conv2D(1, 3, pad=1, rng=rng), nn.BatchNorm2D(3), nn.ReLU(),
            nn.Dropout(0.3, rng=rng), nn.MaxPool2D(), nn.Flatten(),
            nn.Linear(27, 2, rng=rng))
        history = nn.fit(
            model, X[10:], targets, optimizer(model), epochs=6, batch=16,
            rng=rng, validation=(X[:10], y[:10]), schedule=nn.one_cycle(),
            augment=lambda X, rng: shift_images(X, 0.3, rng),
            callbacks=[best, *callbacks], resume=resume)
        told = [{key: value for key, value in record.items()
                 if key != "seconds"} for record in history]
        return model.state_dict(), best.state, told

    straight = learn()
    with pytest.raises(Stop):
        learn([keep])
    resumed = learn(resume=load(tmp_path / "run.safetensors"))
    assert all(same(a, b) for a, b in zip(resumed, straight))
    assert len(straight[2]) == len(resumed[2]) > 0


def test_the_name_of_the_data_of_a_page_is_checked():
    with pytest.raises(ValueError, match="name must be of a-z"):
        storage.show_data("../digits", b"")
