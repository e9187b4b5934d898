"""`read_images` on folders of images that these tests draw themselves."""
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

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
    rgb = Image.new("RGB", (8, 8), (200, 100, 50))
    for mode in ("RGB", "RGBA", "RGBX", "CMYK", "LAB"):
        rgb.convert(mode).save(tmp_path / f"{mode}.tif")
        assert np.allclose(255 * read_image(tmp_path / f"{mode}.tif", 4),
                           [200, 100, 50], atol=2), mode
    grey = Image.fromarray(np.full((8, 8), 102, np.uint8))
    modes = {m: grey.convert(m) for m in ("L", "P", "LA", "PA", "RGB", "RGBA",
                                          "CMYK")}
    deep = np.full((8, 8), 102 * 257, np.uint16)
    modes["I;16"] = Image.fromarray(deep)
    modes["I;16B"] = Image.fromarray(deep.astype(">u2"))
    modes["F"] = Image.fromarray(np.full((8, 8), 0.4, np.float32))
    for mode, image in modes.items():
        name = tmp_path / f"{mode.replace(';', '')}.tif"
        image.save(name)
        assert np.allclose(read_image(name, 4), 0.4, atol=0.01), mode


RAMP = np.linspace(0, 1, 64).reshape(8, 8) ** 2


def written(path, values, dtype, **kwargs):
    Image.fromarray(np.asarray(values).astype(dtype)).save(path, **kwargs)
    return path


def assert_ramp(image, atol=1 / 255):
    assert np.allclose(image, RAMP[..., None], atol=atol)


@pytest.mark.parametrize("name", ["a.tif", "a.png", "a.pgm", "a.jp2"])
@pytest.mark.parametrize("white", [255, 1023, 4095, 16383, 65535])
def test_sixteen_bits_are_scaled_by_white_or_it_is_said(tmp_path, name,
                                                        white):
    kind = np.int32 if name == "a.pgm" else np.uint16     # as Pillow writes it
    path = written(tmp_path / name, white * RAMP, kind)
    assert_ramp(read_image(path, 8, white=white))
    if white == 65535:
        assert_ramp(read_image(path, 8))
    elif white == 16383:            # perhaps a dark photograph
        with pytest.warns(UserWarning, match=f"{name}: .* white={white}"):
            assert_ramp(4 * read_image(path, 8), atol=4 / 255)
    else:
        with pytest.raises(ValueError, match=f"{name}: .* white={white}"):
            read_image(path, 8)


@pytest.mark.parametrize("values, text", [
    (255 * RAMP, "0 to 255, with white at 1; .* white=255"),
    (4095 * RAMP, "white=4095"), (1.01 * RAMP, "0 to 1.01"),
    (RAMP - 0.5, "-0.5 to 0.5"),
    (np.where(RAMP > 0.5, np.nan, RAMP), "finite"),
    (np.where(RAMP > 0.5, -np.inf, RAMP), "finite")])
def test_floats_go_from_0_to_1(tmp_path, values, text):
    assert_ramp(read_image(written(tmp_path / "a.tif", RAMP, "f4"), 8))
    path = written(tmp_path / "b.tif", values, np.float32)
    with pytest.raises(ValueError, match=text):
        read_image(path, 8)
    if text == "finite":
        with pytest.raises(ValueError, match=text):
            read_image(path, 8, white=255)


def test_integers_of_32_bits(tmp_path):
    for white in 255, 4095, 2 ** 31 - 1:
        path = written(tmp_path / "a.tif", white * RAMP, np.int32)
        with pytest.raises(ValueError, match=f"white={white}"):
            read_image(path, 8)
        assert_ramp(read_image(path, 8, white=white))
    with pytest.raises(ValueError, match="-500 to 60000"):
        read_image(written(path, np.linspace(-500, 60000, 64).reshape(8, 8),
                           np.int32), 8)
    with pytest.warns(UserWarning, match="white=40000"):
        read_image(written(path, 40000 * RAMP, np.int32), 8)
    assert_ramp(read_image(written(path, 65535 * RAMP, np.int32), 8))
    assert not read_image(written(path, 0 * RAMP, np.int32), 8).any()


def test_the_range_that_a_file_declares(tmp_path):
    tif = tmp_path / "a.tif"
    for tags in {281: 4095}, {341: 4095.0}, {340: 0.0, 341: 4095.0}:
        for share in 1, 0.1:        # dark, in the same scale
            written(tif, 4095 * RAMP * share, np.uint16, tiffinfo=tags)
            assert_ramp(read_image(tif, 8) / share, atol=1 / 255 / share)
    written(tif, 255 * RAMP, np.float32, tiffinfo={341: 255.0})
    assert_ramp(read_image(tif, 8))
    with pytest.raises(ValueError, match="white at 4095"):      # it lies
        read_image(written(tif, 65535 * RAMP, np.uint16,
                           tiffinfo={281: 4095}), 8)
    written(tif, 65535 * (1 - RAMP), np.uint16, tiffinfo={262: 0})
    assert_ramp(read_image(tif, 8))                 # where white is zero
    for share in 1, 0.01:
        samples = np.rint(4095 * RAMP * share).astype(">u2").tobytes()
        (tmp_path / "a.pgm").write_bytes(b"P5 8 8 4095\n" + samples)
        assert_ramp(read_image(tmp_path / "a.pgm", 8) / share, 1 / 255 / share)


def deep_color_png(path, values):
    "16 bits in each of three channels, which Pillow does not write."
    rows = np.repeat(np.rint(values).astype(">u2"), 3).reshape(8, 24)
    data = b"".join(b"\0" + row.tobytes() for row in rows)
    path.write_bytes(png(struct.pack(">IIBBBBB", 8, 8, 16, 2, 0, 0, 0), data))
    return path


def test_sixteen_bits_in_each_color(tmp_path):
    assert_ramp(read_image(deep_color_png(tmp_path / "a.png", 65535 * RAMP),
                           8))
    dark = deep_color_png(tmp_path / "b.png", 4095 * RAMP)
    with pytest.raises(ValueError, match="white at 65535"):
        read_image(dark, 8)
    with pytest.raises(ValueError, match="upper 8: white must be 65535"):
        read_image(dark, 8, white=4095)
    with pytest.warns(UserWarning, match="white=16383"):
        read_image(deep_color_png(dark, 16383 * RAMP), 8)


def test_what_exceeds_a_given_white_is_clipped_and_said(tmp_path):
    path = written(tmp_path / "a.tif", 300 * RAMP, np.float32)
    with pytest.warns(UserWarning, match="0 to 300.*255.*clipped"):
        assert read_image(path, 8, white=255).max() == 1
    for white in 0, -1, np.nan, np.inf:
        with pytest.raises(ValueError, match="white must be"):
            read_image(path, 8, white=white)
    with pytest.raises(TypeError, match="white must be"):
        read_image(path, 8, white="255")
    eight = written(tmp_path / "a.png", 255 * RAMP, np.uint8)
    assert np.array_equal(read_image(eight, 8, white=4095),
                          read_image(eight, 8))


def test_a_folder_of_12_bits_is_scaled_as_one(folder):
    for i, share in enumerate((1, 0.1)):
        written(folder / "dogs" / f"deep{i}.tif", 4095 * RAMP * share,
                np.uint16)
    written(folder / "dogs" / "deep2.tif", 16000 * RAMP, np.uint16)
    images, _, _, lines = read(folder)
    assert len(images) == 7 and len(lines) == 3
    for line, start in zip(lines, ("skipped dogs/deep0.tif: values",
                                   "skipped dogs/deep1.tif: values",
                                   "dogs/deep2.tif: values")):
        assert line.startswith(start)
    images, _, _, lines = read(folder, white=4095)
    assert len(images) == 9 and len(lines) == 1 and "clipped" in lines[0]
    assert_ramp(images[-3])
    assert_ramp(10 * images[-2], atol=10 / 255)


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
    path = written(tmp_path / "deep.png", 65535 * RAMP, np.uint16,
                   transparency=0)
    out = read_image(path, 8)
    assert np.all(out[0, 0] == 1) and np.allclose(out[-1], RAMP[-1][:, None],
                                                  atol=1 / 255)


@pytest.mark.parametrize("suffix", ["gif", "tif", "webp", "png"])
def test_the_first_of_several_pictures(tmp_path, suffix):
    pictures = [Image.new("RGB", (8, 8), c) for c in ("red", "blue")]
    path = tmp_path / f"a.{suffix}"
    pictures[0].save(path, save_all=True, append_images=pictures[1:])
    assert np.allclose(read_image(path, 4), [1, 0, 0], atol=0.02)


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


def png(head, data):
    def chunk(kind, data):
        return (struct.pack(">I", len(data)) + kind + data
                + struct.pack(">I", zlib.crc32(kind + data)))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head)
            + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b""))


def bomb_png(width, height):
    "A PNG of a few bytes that claims to be enormous."
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return png(head, b"\0" * 1000)


def bombs(folder):
    "Files that claim to be enormous, in several formats."
    (folder / "a.png").write_bytes(bomb_png(100_000, 100_000))
    Image.new("1", (8, 8)).save(folder / "a.gif")
    gif = bytearray((folder / "a.gif").read_bytes())
    gif[6:10] = b"\xff" * 4
    (folder / "a.gif").write_bytes(gif)
    Image.new("1", (8, 8)).save(folder / "a.tif")
    tif = (folder / "a.tif").read_bytes()
    for tag in 256, 257:        # width and height, whatever their type
        at = max(tif.find(struct.pack("<HH", tag, kind)) for kind in (3, 4))
        tif = (tif[:at + 2] + struct.pack("<HII", 4, 1, 50_000)
               + tif[at + 12:])
    (folder / "a.tif").write_bytes(tif)
    return [folder / f"a.{suffix}" for suffix in ("png", "gif", "tif")]


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


def test_max_pixels_holds_above_the_limit_of_pillow(folder, monkeypatch):
    path = folder / "cats" / "0.png"                # 600 pixels
    expected = read_image(path, 8)
    for own in 100, 400, 599, None:
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", own)
        assert np.array_equal(read_image(path, 8, max_pixels=600), expected)
        with pytest.raises(ValueError, match="0.png: .*599|exceeds limit"):
            read_image(path, 8, max_pixels=599)
        assert Image.MAX_IMAGE_PIXELS == own
    monkeypatch.undo()
    Image.new("1", (10_000, 20_000)).save(folder / "large.png")
    with pytest.raises(ValueError, match="large.png"):
        read_image(folder / "large.png", 8)
    read_image(folder / "large.png", 8, max_pixels=200_000_000)


def test_bombs_are_refused_before_they_are_decoded(tmp_path, monkeypatch):
    def fail(*args, **kwargs):
        raise AssertionError("decoded")
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", fail)
    for path in bombs(tmp_path):
        for most in 80_000_000, 1_000_000_000:
            with pytest.raises(ValueError, match="pixels"):
                read_image(path, 8, max_pixels=most)


def test_hidden_files_and_folders_are_passed_over(folder):
    (folder / ".ipynb_checkpoints").mkdir()
    (folder / "cats" / ".DS_Store").write_bytes(b"x")
    (folder / "cats" / ".cache").mkdir()
    (folder / "cats" / ".cache" / "a.png").write_bytes(b"x")
    (folder / "notes.txt").write_text("not in a class")
    for name in "__MACOSX", ".git", "cats/__MACOSX/deep", "dogs/a/.thumbs":
        (folder / name).mkdir(parents=True)
        (folder / name / "a.png").write_bytes(b"x")
    for name in "Thumbs.db", "desktop.ini", "._0.png":
        (folder / "dogs" / name).write_bytes(b"x")
    images, _, classes, lines = read(folder)
    assert len(images) == 6 and classes == ["cats", "dogs"] and lines == []


def test_links_that_turn_in_circles_end(folder):
    try:
        (folder / "cats" / "again").symlink_to(folder)
        (folder / "dogs" / "self").symlink_to(folder / "dogs")
    except OSError:
        pytest.skip("no symbolic links here")
    assert len(read(folder)[0]) == 6


@pytest.mark.parametrize("below, advice", [
    (("train/cats", "train/dogs", "test/cats", "test/dogs"),
     "read test or train"),
    (("Training_Set/cats", "test_set/cats", "papers"),
     "read Training_Set or test_set"),
    (("train/cats", "val2017"), "read train"),
    (("animals/train/cats", "animals/test/cats"),
     "read animals/test or animals/train"),
    (("animals/cats", "animals/dogs"), "read animals"),
    (("cats/train", "cats/test", "dogs/train"), "read cats/test or cats/tr"),
])
def test_a_folder_one_level_too_high_is_refused(tmp_path, below, advice):
    for name in below:
        (tmp_path / name).mkdir(parents=True)
        Image.fromarray(drawing()).save(tmp_path / name / "a.png")
    with pytest.raises(ValueError, match=f"one level too high; {advice}"):
        read(tmp_path)


def test_classes_that_only_look_like_another_level(folder):
    (folder / "train").mkdir()                  # they run on rails
    Image.fromarray(drawing()).save(folder / "train" / "a.png")
    (folder / "cats" / "indoors").mkdir()
    assert read(folder)[2] == ["cats", "dogs", "train"]


def test_images_in_deeper_folders_count(folder):
    (folder / "cats" / "2024" / "may").mkdir(parents=True)
    Image.fromarray(drawing()).save(folder / "cats" / "2024" / "may" / "a.png")
    assert len(read(folder)[0]) == 7


def test_accents_and_spaces_in_names(tmp_path):
    (tmp_path / "niños y pájaros").mkdir()
    Image.fromarray(drawing()).save(
        tmp_path / "niños y pájaros" / "año 1.png")
    assert read(tmp_path)[2] == ["niños y pájaros"]


@pytest.mark.skipif(sys.platform != "linux", reason="names are bytes there")
@pytest.mark.parametrize("encoding", ["ascii:strict", "utf-8:strict",
                                      "latin-1:strict"])
def test_any_name_is_reported_on_any_terminal(folder, encoding):
    for name in b"caf\xe9.jpg", "ni\u00f1o.jpg".encode():
        Path(os.fsdecode(os.fsencode(folder / "cats") + b"/" + name)
             ).write_bytes(b"x")
    other = Path(os.fsdecode(os.fsencode(folder) + b"/\xe9t\xe9"))
    other.mkdir()
    written(other / "a.png", 16000 * RAMP, np.uint16)
    program = """
import sys
from pathlib import Path
from cnnbook.images import read_image, read_images
folder = Path(sys.argv[1])
print(len(read_images(folder, 8)[0]))
for bad in sorted((folder / "cats").glob("*.jpg")):
    try:
        read_image(bad, 8)
    except ValueError as error:
        print(error)
other, = folder.glob("?t?")
(other / "a.png").unlink()
for place in folder, other, other / "none":
    try:
        read_images(place, 8)
    except (ValueError, FileNotFoundError) as error:
        print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, folder], capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"})
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert b"7" in lines and len(lines) == 11
    assert sum(line.startswith(b"skipped cats/") for line in lines) == 4
    assert lines[0].startswith(b"skipped cats/caf\\udce9.jpg: ")


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
