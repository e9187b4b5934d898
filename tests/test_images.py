"""`read_images` on folders of images that these tests draw themselves."""
import struct
import zlib

import numpy as np
import pytest

Image = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
from cnnbook.images import read_image, read_images  # noqa: E402


def drawing(height=20, width=30, seed=0):
    blocks = np.random.default_rng(seed).integers(0, 256, (4, 6, 3))
    rows = np.arange(height) * 4 // height
    cols = np.arange(width) * 6 // width
    return blocks[rows[:, None], cols].astype(np.uint8)


@pytest.fixture
def folder(tmp_path):
    for c, name in enumerate(["cats", "dogs"]):
        (tmp_path / name).mkdir()
        for i in range(3):
            Image.fromarray(drawing(seed=10 * c + i)).save(
                tmp_path / name / f"{i}.png")
    return tmp_path


def read(folder, size=8, **kwargs):
    lines = []
    out = read_images(folder, size, report=lines.append, **kwargs)
    return (*out, lines)


def test_shapes_types_and_order(folder):
    images, labels, classes, lines = read(folder, (8, 12))
    assert images.shape == (6, 8, 12, 3) and images.dtype == np.float32
    assert images.flags.writeable and images.flags.c_contiguous
    assert 0 <= images.min() and images.max() <= 1 and images.max() > 0.5
    assert labels.tolist() == [0, 0, 0, 1, 1, 1] and labels.dtype.kind == "i"
    assert classes == ["cats", "dogs"] and lines == []
    again = read(folder, (8, 12))[0]
    assert np.array_equal(images, again)


def test_the_order_is_that_of_the_names_not_of_the_disk(tmp_path):
    for name in ("z", "B", "a"):
        (tmp_path / name).mkdir()
        for i in (3, 1, 2):
            value = np.full((4, 4), 10 * i, np.uint8)
            Image.fromarray(value).save(tmp_path / name / f"{i}.png")
    images, labels, classes, _ = read(tmp_path, 4)
    assert classes == ["B", "a", "z"]
    assert np.allclose(images[:, 0, 0, 0] * 255, [10, 20, 30] * 3)


def test_no_resizing_gives_the_pixels(folder):
    a = read_image(folder / "cats" / "0.png", (20, 30))
    assert np.allclose(a * 255, drawing(seed=0))


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif", "gif", "webp", "ppm",
                                    "jpg"])
def test_formats(tmp_path, suffix):
    a = np.zeros((16, 16, 3), np.uint8) + np.uint8([200, 100, 50])
    kwargs = {"lossless": True} if suffix == "webp" else {}
    try:
        Image.fromarray(a).save(tmp_path / f"a.{suffix}", **kwargs)
    except (OSError, KeyError):
        pytest.skip(f"this Pillow cannot write {suffix}")
    tol = 0.03 if suffix in ("jpg", "gif") else 0.003
    assert np.allclose(read_image(tmp_path / f"a.{suffix}", 8),
                       np.array([200, 100, 50]) / 255, atol=tol)


def test_modes_agree(tmp_path):
    grey = Image.fromarray(np.full((8, 8), 102, np.uint8))
    modes = {m: grey.convert(m) for m in ("L", "P", "LA", "RGB", "RGBA",
                                          "CMYK", "I", "F")}
    modes["I;16"] = Image.fromarray(np.full((8, 8), 102 * 257, np.uint16))
    modes["I"] = Image.fromarray(np.full((8, 8), 102 * 257, np.int32))
    modes["F"] = Image.fromarray(np.full((8, 8), 0.4, np.float32))
    for mode, image in modes.items():
        name = tmp_path / f"{mode.replace(';', '')}.tif"
        image.save(name)
        assert np.allclose(read_image(name, 4), 0.4, atol=0.01), mode


def test_transparency_is_seen_over_white(tmp_path):
    a = np.zeros((8, 8, 4), np.uint8)
    a[..., 0] = 255
    a[:4, :, 3] = 255
    Image.fromarray(a).save(tmp_path / "a.png")
    out = read_image(tmp_path / "a.png", 8)
    assert np.all(out[:4] == [1, 0, 0]) and np.all(out[4:] == 1)
    p = Image.fromarray(a).convert("RGB").quantize(4)
    p.save(tmp_path / "p.png", transparency=p.getpixel((0, 0)))
    assert np.all(read_image(tmp_path / "p.png", 8) == 1)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation(tmp_path, orientation):
    upright = drawing(24, 24, seed=3)
    T = Image.Transpose
    undo = {1: [], 2: [T.FLIP_LEFT_RIGHT], 3: [T.ROTATE_180],
            4: [T.FLIP_TOP_BOTTOM], 5: [T.TRANSPOSE], 6: [T.ROTATE_90],
            7: [T.TRANSVERSE], 8: [T.ROTATE_270]}[orientation]
    stored = Image.fromarray(upright)
    for move in undo:
        stored = stored.transpose(move)
    exif = Image.Exif()
    exif[274] = orientation
    stored.save(tmp_path / "a.png", exif=exif)
    assert np.allclose(read_image(tmp_path / "a.png", 24) * 255, upright)


def test_fit(tmp_path):
    a = np.zeros((10, 30, 3), np.uint8)
    a[:, 10:20] = 255
    Image.fromarray(a).save(tmp_path / "a.png")
    assert np.all(read_image(tmp_path / "a.png", 10, fit="crop") == 1)
    assert read_image(tmp_path / "a.png", 10)[5].mean() < 0.5
    with pytest.raises(ValueError, match="fit must be one of"):
        read_image(tmp_path / "a.png", 10, fit="pad")


def bomb_png(width, height):
    "A PNG of a few bytes that claims to be enormous."
    def chunk(kind, data):
        return (struct.pack(">I", len(data)) + kind + data
                + struct.pack(">I", zlib.crc32(kind + data)))
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head)
            + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
            + chunk(b"IEND", b""))


def test_bad_files_are_named_and_skipped(folder):
    good, *_ = read(folder)
    dogs = folder / "dogs"
    whole = (dogs / "1.png").read_bytes()
    bad = {"0empty.jpg": b"", "broken.png": b"\x89PNG\r\n\x1a\n" + b"x" * 50,
           "text.txt": b"hello", "half.png": whole[:len(whole) // 2],
           "bomb.png": bomb_png(100_000, 100_000),
           "large.png": bomb_png(9_000, 9_000),
           "zeros.jpg": b"\0" * 5000}
    for name, data in bad.items():
        (dogs / name).write_bytes(data)
    images, labels, classes, lines = read(folder)
    assert np.array_equal(images, good)
    assert len(lines) == len(bad)
    for name in bad:
        assert sum(f"dogs/{name}:" in line for line in lines) == 1, name


def test_files_cut_or_damaged_anywhere_never_crash(tmp_path):
    rng = np.random.default_rng(0)
    Image.fromarray(drawing(40, 40)).save(tmp_path / "a.jpg")
    Image.fromarray(drawing(40, 40)).save(tmp_path / "a.png")
    for suffix in "jpg", "png":
        whole = (tmp_path / f"a.{suffix}").read_bytes()
        path = tmp_path / f"b.{suffix}"
        for n in range(0, len(whole), 7):
            path.write_bytes(whole[:n])
            try:
                read_image(path, 8)     # the last bytes may not matter
            except ValueError as error:
                assert path.name in str(error)
        for _ in range(100):
            damaged = bytearray(whole)
            damaged[rng.integers(len(whole))] ^= int(rng.integers(1, 256))
            path.write_bytes(bytes(damaged))
            try:
                read_image(path, 8)
            except ValueError as error:
                assert path.name in str(error)


def test_max_pixels(folder):
    with pytest.raises(ValueError, match="20|30"):
        read_image(folder / "cats" / "0.png", 8, max_pixels=100)
    with pytest.raises(ValueError, match="'cats'.*3 skipped"):
        read(folder, max_pixels=100)


def test_hidden_files_and_folders_are_passed_over(folder):
    (folder / ".ipynb_checkpoints").mkdir()
    (folder / "cats" / ".DS_Store").write_bytes(b"x")
    (folder / "cats" / ".cache").mkdir()
    (folder / "cats" / ".cache" / "a.png").write_bytes(b"x")
    (folder / "notes.txt").write_text("not in a class")
    images, _, classes, lines = read(folder)
    assert len(images) == 6 and classes == ["cats", "dogs"] and lines == []


def test_images_in_deeper_folders_count(folder):
    (folder / "cats" / "2024" / "may").mkdir(parents=True)
    Image.fromarray(drawing()).save(folder / "cats" / "2024" / "may" / "a.png")
    assert len(read(folder)[0]) == 7


def test_accents_and_spaces_in_names(tmp_path):
    (tmp_path / "niños y pájaros").mkdir()
    Image.fromarray(drawing()).save(
        tmp_path / "niños y pájaros" / "año 1.png")
    assert read(tmp_path)[2] == ["niños y pájaros"]


def test_errors_are_clear(folder, tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        read(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match="folder must be a folder"):
        read(folder / "cats" / "0.png")
    with pytest.raises(ValueError, match="one sub-folder per class"):
        read(folder / "cats")
    (folder / "birds").mkdir()
    with pytest.raises(ValueError, match="class 'birds'.*got none"):
        read(folder)
    for size in (0, -1, (8,), (8, 8, 3)):
        with pytest.raises(ValueError, match="size"):
            read(folder, size)
    for size in (8.0, "8", None):
        with pytest.raises(TypeError, match="size"):
            read(folder, size)
