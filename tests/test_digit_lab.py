"""The digit lab in a real browser, beside cnnbook's own numbers."""
import base64
import json
import re
import shutil

import numpy as np
import pytest

from cnnbook import nn
from cnnbook.lab import softmax
from cnnbook.storage import PAGE_DATA, from_bytes, load, to_bytes
from conftest import ROOT


def of_the_chapter(rng):
    return nn.Sequential(
        nn.Conv2D(1, 32, pad=1, rng=rng), nn.ReLU(),
        nn.Conv2D(32, 32, pad=1, rng=rng), nn.ReLU(), nn.MaxPool2D(),
        nn.Dropout(0.2, rng=rng), nn.Conv2D(32, 64, pad=1, rng=rng),
        nn.ReLU(), nn.Dropout(0.3, rng=rng), nn.Flatten(),
        nn.Linear(1024, 10, rng=rng))


def with_other_settings(rng):
    return nn.Sequential(
        nn.Conv2D(1, 5, 5, pad=2, rng=rng), nn.ReLU(), nn.MaxPool2D(),
        nn.Conv2D(5, 7, 2, pad=1, rng=rng), nn.ReLU(), nn.MaxPool2D(),
        nn.Flatten(), nn.Linear(28, 12, rng=rng), nn.ReLU(),
        nn.Linear(12, 10, rng=rng))


NETWORKS = [of_the_chapter, with_other_settings]
PAGE = """<!DOCTYPE html><html lang="{lang}"><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>Lab</title>
<figure id="fig-draw"><img alt="A picture"><figcaption>A caption</figcaption>
</figure><digit-lab for="fig-draw" data="digits"></digit-lab>
<script defer src="widgets/core.js"></script>
<script defer src="widgets/lab.js"></script>
<script defer src="widgets/digit-lab.js"></script></html>"""


@pytest.fixture(scope="module")
def test_digits():
    "The images (450, 8, 8) of 0 to 16 and the labels of the test set."
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split
    digits = load_digits()
    _, part = train_test_split(np.arange(1797), test_size=0.25, random_state=0,
                               stratify=digits.target)
    return digits.images[part].astype(np.uint8), digits.target[part]


def a_model(make):
    "A model with biases too, whose answers are neither sure nor equal."
    model, rng = make(np.random.default_rng(3)), np.random.default_rng(4)
    model.load_state_dict({
        key: rng.normal(scale=0.2, size=value.shape) if key.endswith("b")
        else value for key, value in model.state_dict().items()})
    return model


def settings(layer):
    if isinstance(layer, nn.Conv2D):
        return layer.hparameters
    if isinstance(layer, nn.MaxPool2D):
        return {"f": layer.f, "stride": layer.stride}
    return {}


def packed(model, test_digits):
    "The bytes that the page gets, as the chapter makes them."
    images, labels = test_digits
    return to_bytes({
        "layers": [[type(layer).__name__, settings(layer)]
                   for layer in model],
        **model.state_dict(), "images": images,
        "labels": labels.astype(np.uint8)})


def build(name, settings):
    "The layer of cnnbook.nn that a file describes, its weights unknown."
    rng = np.random.default_rng(0)
    if name == "Conv2D":
        return nn.Conv2D(1, 1, 1, rng=rng, **settings)
    if name == "Linear":
        return nn.Linear(1, 1, rng=rng)
    return nn.Dropout(rng=rng) if name == "Dropout" else getattr(nn, name)(
        **settings)


def unpacked(tree):
    "The model of `cnnbook.nn` in such a file."
    model = nn.Sequential(*(build(*layer) for layer in tree["layers"]))
    for name, layer in model.layers.items():
        layer.params = {key: tree[f"{name}.{key}"] for key in layer.params}
        if isinstance(layer, nn.Conv2D):
            (layer.f, _, layer.n_C_prev, layer.n_C) = layer.params["W"].shape
    return model


def predict(model, X):
    return softmax(nn.outputs(model, X))


def outputs_of_layers(model, A):
    "What each layer answers, without those that do nothing in a page."
    out = []
    for layer in model:
        A = layer(A)
        if not isinstance(layer, (nn.Dropout, nn.Flatten)):
            out.append((type(layer).__name__, A[0]))
    return out


def a_page(folder, data, lang="en"):
    "Write a page with the lab and `data` (bytes or None); return its URL."
    shutil.copytree(ROOT / "assets" / "widgets", folder / "widgets",
                    dirs_exist_ok=True)
    shutil.rmtree(folder / "widgets" / "data", ignore_errors=True)
    if data is not None:
        (folder / "widgets" / "data").mkdir()
        (folder / "widgets" / "data" / "digits.js").write_text(
            "(globalThis.cnnbookData ??= {}).digits = "
            f"{json.dumps(base64.b64encode(data).decode())};")
    (folder / "page.html").write_text(PAGE.format(lang=lang))
    return (folder / "page.html").as_uri()


class Lab:
    "The lab of a page that is open in the browser."

    def __init__(self, page, url):
        self.page, self.problems = page, []
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", lambda message: message.type in ("error", "warning")
                and self.problems.append(message.text))
        page.on("request", lambda request: request.url.startswith("file:")
                or self.problems.append(request.url))
        page.goto(url)
        self.element = page.locator("digit-lab")
        self.element.scroll_into_view_if_needed()

    def ready(self):
        self.page.wait_for_function(
            "document.querySelector('digit-lab').layers")
        return self

    def js(self, expression, argument=None):
        return self.element.evaluate(f"(lab, x) => {expression}", argument)

    def find(self, selector):
        return self.element.locator(selector)

    def field(self, name, value):
        self.element.get_by_label(name, exact=True).fill(str(value))

    @property
    def counts(self):
        return np.array(self.js("Array.from(lab.counts)")).reshape(8, 8)

    @property
    def shares(self):
        "The probabilities of the bars, and the percentages beside them."
        bars = self.find(".bars li")
        exact = bars.evaluate_all("bars => bars.map(bar => "
                                  "Number(bar.dataset.probability))")
        seen = [float(text.rstrip("%"))
                for text in self.find(".bars .share").all_text_contents()]
        return np.array(exact), np.array(seen)

    @property
    def verdict(self):
        return self.find(".verdict").text_content()

    def draw(self, points):
        "Draw with the mouse a line through `points`, in pixels of the pad."
        box = self.find("canvas.canvas").bounding_box()
        places = [(box["x"] + x * box["width"] / 32,
                   box["y"] + y * box["height"] / 32) for x, y in points]
        self.page.mouse.move(*places[0])
        self.page.mouse.down()
        for place in places[1:]:
            self.page.mouse.move(*place, steps=3)
        self.page.mouse.up()


@pytest.fixture
def open_lab(chromium, tmp_path):
    "A function that opens a page with the lab; at the end, all went well."
    labs = []

    def opened(data, lang="en", url=None, **settings):
        page = chromium.new_page(**settings)
        labs.append(Lab(page, url or a_page(tmp_path, data, lang)))
        return labs[-1]

    yield opened
    for lab in labs:
        lab.page.close()
        assert not lab.problems


@pytest.fixture
def lab(open_lab, test_digits):
    "The lab with the network of the chapter, untrained."
    return open_lab(packed(a_model(of_the_chapter), test_digits)).ready()


def scaled(images):
    return (np.asarray(images)[..., None] / 16).astype(np.float32)


def assert_agrees_on_every_digit(lab, model, images):
    expected = predict(model, scaled(images))
    got = lab.js("Array.from(x, i => "
                 "lab.read_counts(lab.sample_counts(i)).at(-1).data)",
                 list(range(len(images))))
    assert np.max(np.abs(np.array(got) - expected)) < 1e-5
    for i in range(0, len(images), 90):
        lab.field("Test digit" if lab.js("!lab.spanish") else
                  "Dígito de prueba", i)
        exact, seen = lab.shares
        assert np.max(np.abs(exact - expected[i])) < 1e-5
        assert np.max(np.abs(seen - 100 * expected[i])) < 0.051
        assert np.array_equal(lab.counts, images[i])
        assert f" {expected[i].argmax()} (" in lab.verdict


@pytest.mark.parametrize("make", NETWORKS)
def test_the_page_agrees_with_cnnbook(open_lab, test_digits, make):
    model = a_model(make)
    lab = open_lab(packed(model, test_digits)).ready()
    assert_agrees_on_every_digit(lab, model, test_digits[0])


@pytest.mark.parametrize("make", NETWORKS)
def test_every_feature_map_agrees_with_cnnbook(open_lab, test_digits, make):
    model = a_model(make)
    lab = open_lab(packed(model, test_digits)).ready()
    for i in (0, 7, 449):
        expected = outputs_of_layers(model, scaled(test_digits[0][i:i + 1]))
        lab.field("Test digit", i)
        layers = lab.js("lab.layers.map(({kind, shape, data}) => "
                        "[kind, shape, Array.from(data)])")
        assert [kind for kind, *_ in layers] == [
            *(kind for kind, _ in expected), "softmax"]
        for (_, shape, data), (_, A) in zip(layers, expected):
            assert np.max(np.abs(np.array(data).reshape(A.shape) - A)) < 1e-5


def test_a_number_explains_itself(lab, test_digits):
    outputs = outputs_of_layers(a_model(of_the_chapter),
                                scaled(test_digits[0][:1]))
    rng = np.random.default_rng(5)
    for name, n, size, maps in (("convolution 1", 0, 8, 32),
                                ("convolution 2", 2, 8, 32),
                                ("pooling", 4, 4, 32),
                                ("convolution 3", 5, 4, 64)):
        _, Z = outputs[n]
        lab.find("label").filter(has_text=name).click()
        for _ in range(3):
            row, col, k = rng.integers(size), rng.integers(size), rng.integers(
                maps)
            for field, value in ("Map", k), ("Row", row), ("Column", col):
                lab.field(field, value)
            text = lab.find(".inside").inner_text().replace("−", "-")
            seen = float(re.search(r"(?:z =|It is) (-?\d+\.\d+)", text)[1])
            assert abs(seen - Z[row, col, k]) < 0.00051
            if n == 0:          # the sum, term by term
                sum_ = re.search(r"z = (\S+/16.*), where", text)
                terms = sum_[1] if sum_ else "0"
                assert abs(eval(terms.replace("·", "*")) - seen) < 0.01


def test_the_frame_holds_what_the_number_depends_on(lab):
    rng = np.random.default_rng(6)
    for n in (0, 2, 4, 5):
        rows, cols, maps = lab.js("lab.layers[x].shape", n)
        for _ in range(3):
            row, col = int(rng.integers(rows)), int(rng.integers(cols))
            top, left, bottom, right = lab.js(
                "lab.constructor.receptiveField(lab.layers, ...x)",
                [n, row, col])
            changed = lab.js("""(([n, row, col]) => {
              const [, cols, maps] = lab.layers[n].shape;
              const at = counts => lab.read_counts(counts)[n].data.slice(
                (row * cols + col) * maps, (row * cols + col + 1) * maps);
              const base = new Uint8Array(64).fill(5), before = at(base);
              return Array.from(base, (_, i) => {
                const other = base.slice();
                other[i] = 11;
                return at(other).some((value, k) => value !== before[k]);
              });
            })(x)""", [n, row, col])
            touched = np.array(changed).reshape(8, 8)
            inside = np.zeros((8, 8), bool)
            inside[top:bottom + 1, left:right + 1] = True
            assert np.array_equal(touched & inside, touched)
            assert touched[top].any() and touched[bottom].any()
            assert touched[:, left].any() and touched[:, right].any()


def count_blocks(bitmap):
    return bitmap.reshape(8, 4, 8, 4).sum(axis=(1, 3))


SEVEN = [(8, 6), (24, 6), (14, 27)]


@pytest.mark.parametrize("fitted", [True, False])
def test_a_drawing_is_counted_and_read(lab, fitted):
    lab.element.get_by_label("Fit the size").set_checked(fitted)
    lab.draw(SEVEN)
    bitmap = np.array(lab.js("Array.from(lab.bitmap)")).reshape(32, 32)
    assert np.array_equal(lab.counts, count_blocks(bitmap))
    rows, cols = np.nonzero(bitmap)
    if fitted:
        assert rows.min() <= 1 and rows.max() >= 30
        assert abs(cols.min() + cols.max() - 31) <= 2
        assert abs(bitmap.sum() - 310) < 35
    else:
        assert rows.min() in (3, 4) and cols.min() in (5, 6)
    exact, seen = lab.shares
    expected = predict(a_model(of_the_chapter),
                       scaled(lab.counts[None]))[0]
    assert np.max(np.abs(exact - expected)) < 1e-5
    assert np.max(np.abs(seen - 100 * expected)) < 0.051
    assert f"reads {expected.argmax()} (" in lab.verdict


def test_undo_and_clear(lab):
    lab.draw(SEVEN)
    one = lab.counts
    lab.draw([(10, 16), (20, 16)])
    assert not np.array_equal(lab.counts, one)
    lab.element.get_by_role("button", name="Undo").click()
    assert np.array_equal(lab.counts, one)
    lab.element.get_by_role("button", name="Clear").click()
    assert lab.counts.sum() == 0 and "Nothing is drawn" in lab.verdict


def test_the_keyboard_draws_and_is_heard(lab):
    lab.element.get_by_label("Fit the size").uncheck()
    lab.element.get_by_role("button", name="Clear").click()
    pad, keys = lab.find("canvas.canvas"), lab.page.keyboard
    pad.focus()
    for _ in range(5):
        keys.press("ArrowUp")
    keys.press("Space")
    for _ in range(8):
        keys.press("ArrowDown")
    voice = lab.find("[aria-live]")
    assert voice.text_content() == "row 22, column 16, pen down"
    keys.press("Space")
    keys.press("ArrowLeft")
    rows, cols = np.nonzero(np.array(lab.js("Array.from(lab.bitmap)"))
                            .reshape(32, 32))
    assert (rows.min(), rows.max()) == (4, 23)
    assert (cols.min(), cols.max()) == (14, 17)     # x = 14 was not painted
    lab.page.wait_for_function("document.querySelector('digit-lab').voice"
                               ".textContent.startsWith('The network')")
    assert voice.text_content() == lab.verdict
    keys.press("Backspace")
    assert lab.counts.sum() == 0


def test_a_finger_draws(open_lab, test_digits):
    lab = open_lab(packed(a_model(of_the_chapter), test_digits),
                   has_touch=True, viewport={"width": 390, "height": 800}
                   ).ready()
    box = lab.find("canvas.canvas").bounding_box()
    lab.page.touchscreen.tap(box["x"] + box["width"] / 2,
                             box["y"] + box["height"] / 2)
    assert lab.js("lab.strokes.length") == 1 and lab.counts.sum() > 0
    assert lab.page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_hardest_digits(lab, test_digits):
    images, labels = test_digits
    A = predict(a_model(of_the_chapter), scaled(images))
    lab.find("summary").click()
    lab.find(".gallery button").first.wait_for()
    hits = int(np.sum(A.argmax(axis=1) == labels))
    assert f"gets {hits} of the 450" in lab.find(".hard p").text_content()
    hardest = np.argsort(A[np.arange(450), labels])[:12]
    first = lab.find(".gallery button").first
    first.click()
    assert lab.js("lab.sample") == hardest[0]
    assert np.array_equal(lab.counts, images[hardest[0]])
    assert f"It is wrong: this is a {labels[hardest[0]]}." in lab.verdict


def test_pointing_at_a_map_shows_its_numbers(lab):
    canvas = lab.find(".maps canvas").first
    canvas.scroll_into_view_if_needed()
    canvas.hover(position={"x": 2 + 36 * 3 + 4 * 5 + 1, "y": 2 + 4 * 6 + 1})
    assert lab.js("lab.probe") == {"n": 0, "map": 3, "row": 6, "col": 5}
    assert lab.element.get_by_label("Map", exact=True).input_value() == "3"


def test_it_speaks_the_language_of_the_page(open_lab, test_digits):
    lab = open_lab(packed(a_model(of_the_chapter), test_digits),
                   "es").ready()
    assert re.match(r"La red lee un \d", lab.verdict)
    text = lab.find(".lab").inner_text()
    assert "Los mapas de características" in text
    assert not re.search(r"\bthe\b|Draw", text)


def test_without_scripts_the_picture_stays(chromium, tmp_path):
    page = chromium.new_page(java_script_enabled=False)
    page.goto(a_page(tmp_path, None))
    assert page.locator("figure img").count() == 1
    page.close()


def test_reduced_motion_is_respected(open_lab, test_digits):
    for motion, seconds in ("reduce", "0s"), ("no-preference", "0.15s"):
        lab = open_lab(packed(a_model(of_the_chapter), test_digits),
                       reduced_motion=motion).ready()
        assert lab.find(".track i").first.evaluate(
            "bar => getComputedStyle(bar).transitionDuration") == seconds


def test_a_missing_file_is_told(open_lab):
    lab = open_lab(None)
    lab.page.wait_for_function("document.querySelector('digit-lab')"
                               ".verdict.textContent.includes('could not')")
    assert "data/digits.js" in lab.verdict
    lab.problems.clear()                # the browser reports the missing file


def test_a_bad_file_is_told_as_python_tells_it(lab, test_digits):
    model = a_model(with_other_settings)
    good = packed(model, test_digits)
    length = int.from_bytes(good[:8], "little")
    bad = [b"", b"PK\3\4" + good[4:], good[:100], good[:-4], good + bytes(4),
           good[:8] + b"?" * length + good[8 + length:],
           good.replace(b'"F32"', b'"F99"', 1),
           good.replace(b'"images"', b'"im\xffges"', 1)]
    for data in bad:
        with pytest.raises(ValueError, match="data (must be|are)"):
            from_bytes(data)
        said = lab.js("""(bytes => {
          try { lab.constructor.fromBytes(new Uint8Array(bytes)); return ""; }
          catch (error) { return error.message; }
        })(x)""", list(data))
        assert "not a network kept by cnnbook" in said, data[:40]
    got = lab.js("(({layers, arrays}) => [layers, Object.keys(arrays).sort(), "
                 "Array.from(arrays['0.W'].data), arrays['0.W'].shape])("
                 "lab.constructor.fromBytes(new Uint8Array(x)))", list(good))
    assert got[0] == [{"name": type(layer).__name__, **settings(layer)}
                      for layer in model]
    assert got[1] == sorted([*model.state_dict(), "images", "labels"])
    W = model[0].params["W"]
    assert got[3] == [5, 5, 1, 5]
    assert np.array_equal(np.float32(got[2]), W.ravel())


@pytest.mark.parametrize("layer", [
    nn.MaxPool2D(3), nn.MaxPool2D(2, 1), nn.Tanh(),
    nn.Conv2D(1, 2, stride=2, rng=np.random.default_rng(0)),
    nn.Conv2D(1, 2, dilation=2, rng=np.random.default_rng(0))])
def test_a_layer_that_the_page_cannot_compute_is_told(lab, test_digits,
                                                      layer):
    data = packed(nn.Sequential(layer), test_digits)
    said = lab.js("""(bytes => {
      lab.network = lab.constructor.fromBytes(new Uint8Array(bytes));
      try { lab.read_counts(lab.counts); return ""; }
      catch (error) { return error.message; }
    })(x)""", list(data))
    assert f"layer 0, {type(layer).__name__}, is unknown" in said


COMMITTED = ROOT / "assets" / "digits.safetensors"


def test_the_committed_network_reads_the_test_digits(test_digits):
    assert COMMITTED.stat().st_size < 200_000
    tree = load(COMMITTED)
    assert np.array_equal(tree["images"], test_digits[0])
    assert np.array_equal(tree["labels"], test_digits[1])
    answers = predict(unpacked(tree), scaled(tree["images"])).argmax(axis=1)
    assert np.mean(answers == tree["labels"]) > 0.99


def carried(book, lang):
    "What the page of the chapter carries, which the chapter trained."
    script = (book / lang / "assets/widgets/data/digits.js").read_text()
    return base64.b64decode(re.search(r'= "(.*)";', script)[1])


def test_the_committed_network_is_that_of_the_chapter(book):
    """Trained again it is the same, but for the rounding of the processor.

    If the chapter changes, `carried` gives the bytes of the new file.
    """
    kept, again = load(COMMITTED), from_bytes(carried(book, "en"))
    assert kept["layers"] == again["layers"] and kept.keys() == again.keys()
    X, labels = scaled(kept["images"]), kept["labels"]
    A, B = predict(unpacked(kept), X), predict(unpacked(again), X)
    right = [np.mean(P.argmax(axis=1) == labels) for P in (A, B)]
    assert abs(right[0] - right[1]) <= 3 / 450
    assert np.mean(A.argmax(axis=1) == B.argmax(axis=1)) > 0.985
    assert np.mean(np.abs(A - B)) < 0.01


@pytest.mark.parametrize("lang", ["es", "en"])
def test_the_book_carries_the_network_that_it_trained(open_lab, book, lang):
    tree = from_bytes(carried(book, lang))
    model, images = unpacked(tree), tree["images"]
    right = predict(model, scaled(images)).argmax(axis=1) == tree["labels"]
    assert right.mean() > 0.98
    page = book / lang / "chapters" / "10_learning.html"
    lab = open_lab(None, url=page.as_uri()).ready()
    assert_agrees_on_every_digit(lab, model, images)
    notebook = (book / lang / "notebooks" / "10_learning.ipynb").read_text()
    assert PAGE_DATA not in notebook and "bytes for the page" in notebook


def arc(x, y, a, b, start, end):
    "Points of an ellipse around (x, y), from one angle to another."
    angles = np.radians(np.linspace(start, end, 16))
    return list(zip(x + a * np.cos(angles), y + b * np.sin(angles)))


HAND_DRAWN = [
    [arc(16, 16, 7, 10, 0, 360)],
    [[(12, 10), (17, 5), (17, 27)]],
    [arc(16, 11, 6, 6, 180, 380) + [(10, 27), (23, 27)]],
    [arc(15, 10.5, 6, 5.5, 200, 440) + arc(15, 21, 7, 6, -80, 160)],
    [[(19, 27), (19, 5), (9, 20), (24, 20)]],
    [[(22, 6), (12, 6), (11, 14)] + arc(15, 20, 7, 7, -110, 140)],
    [[(20, 5), (12, 14)] + arc(16, 20.5, 6, 6, 190, 540)],
    [[(9, 6), (23, 6), (14, 27)]],
    [arc(16, 10.5, 5, 5, 90, 450) + arc(16, 21, 6, 5.5, -90, 270)],
    [arc(16, 11.5, 6, 6, 0, 360) + [(22, 12), (20, 27)]]]


def read_hand_drawn(lab):
    "How many of the ten digits drawn by hand the network reads."
    right = 0
    for k, strokes in enumerate(HAND_DRAWN):
        lab.element.get_by_role("button", name="Clear").click()
        lab.js("scrollTo(0, lab.getBoundingClientRect().top + scrollY - 90)")
        for stroke in strokes:
            lab.draw(stroke)
        right += lab.verdict.startswith(f"The network reads {k} ")
    return right


def test_the_committed_network_reads_what_is_drawn(open_lab):
    assert read_hand_drawn(open_lab(COMMITTED.read_bytes()).ready()) >= 7


@pytest.mark.parametrize("page", ["index.html", "chapters/10_learning.html"])
def test_the_book_reads_what_is_drawn(open_lab, book, page):
    page = book / "en" / page
    assert read_hand_drawn(open_lab(None, url=page.as_uri()).ready()) >= 7
