"""The digit lab in a real browser, beside cnnbook's own numbers."""
import base64
import json
import re
import shutil

import numpy as np
import pytest

from cnnbook import nn
from cnnbook.architectures import lenet5_relu
from cnnbook.lab import softmax
from cnnbook.storage import PAGE_DATA, from_bytes, load, to_bytes
from cnnbook.zoo import pretrained
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
    "The lab of a page that is open in the browser; its pad has a side."
    side = 32

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
        counts = np.array(self.js("Array.from(lab.counts)"))
        return counts.reshape(2 * (int(counts.size ** 0.5),))

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
        places = [(box["x"] + x * box["width"] / self.side,
                   box["y"] + y * box["height"] / self.side)
                  for x, y in points]
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


def explained(lab, outputs, layers):
    """Point at three numbers of each of the `layers`, a dict of their names.

    Yields the layer, the sentences and the number that they tell, which is
    that of `outputs`.
    """
    rng = np.random.default_rng(5)
    for name, n in layers.items():
        _, Z = outputs[n]
        lab.find("label").filter(has_text=name).click()
        for _ in range(3):
            row, col, k = (int(rng.integers(size)) for size in Z.shape)
            for field, value in ("Map", k), ("Row", row), ("Column", col):
                lab.field(field, value)
            text = lab.find(".inside").inner_text().replace("−", "-")
            seen = float(re.search(r"(?:z =|It is) (-?\d+\.\d+)", text)[1])
            assert abs(seen - Z[row, col, k]) < 0.00051
            yield n, text, seen


def test_a_number_explains_itself(lab, test_digits):
    outputs = outputs_of_layers(a_model(of_the_chapter),
                                scaled(test_digits[0][:1]))
    shapes = [outputs[n][1].shape for n in (0, 2, 4, 5)]
    assert shapes == [(8, 8, 32), (8, 8, 32), (4, 4, 32), (4, 4, 64)]
    for n, text, seen in explained(lab, outputs, {
            "convolution 1": 0, "convolution 2": 2, "pooling": 4,
            "convolution 3": 5}):
        if n == 0:              # the sum, term by term
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


def read_hand_drawn(lab, placed=list):
    "How many of the ten digits drawn by hand the network reads."
    right = 0
    for k, strokes in enumerate(HAND_DRAWN):
        lab.element.get_by_role("button", name="Clear").click()
        lab.js("scrollTo(0, lab.getBoundingClientRect().top + scrollY - 90)")
        for stroke in placed(strokes):
            lab.draw(stroke)
        right += lab.verdict.startswith(f"The network reads {k} ")
    return right


def test_the_committed_network_reads_what_is_drawn(open_lab):
    assert read_hand_drawn(open_lab(COMMITTED.read_bytes()).ready()) >= 7


@pytest.mark.parametrize("page", ["index.html", "chapters/10_learning.html"])
def test_the_book_reads_what_is_drawn(open_lab, book, page):
    page = book / "en" / page
    assert read_hand_drawn(open_lab(None, url=page.as_uri()).ready()) >= 7


# The pad of 28 x 28, MNIST's format ---------------------------------------

EXAMPLE = [[[9, 8], [19, 8], [13, 22]]]


def a_lenet():
    "LeNet-5 of today, untrained, with biases."
    return a_model(lambda rng: lenet5_relu(rng=rng))


def packed_28(model, example=EXAMPLE):
    "The bytes that the page gets, as the chapter makes them."
    return to_bytes({
        "layers": [[type(layer).__name__, settings(layer)]
                   for layer in model],
        "grid": 28, "example": example, **model.state_dict()})


@pytest.fixture
def lab28(open_lab):
    return ready_28(open_lab(packed_28(a_lenet())))


def ready_28(lab):
    lab.side = 28
    return lab.ready()


def fit_28(lab, fitted):
    lab.element.get_by_label("Fit the size").set_checked(fitted)


def in_28(strokes):
    "Strokes of the pad of 32 x 32, on that of 28 x 28."
    return [[(x * 28 / 32, y * 28 / 32) for x, y in points]
            for points in strokes]


def assert_agrees_28(lab, model):
    "Every number of every layer of what is on the pad."
    X = (lab.counts[None, ..., None] / 255).astype(np.float32)
    expected = outputs_of_layers(model, X)
    layers = lab.js("lab.layers.map(({kind, shape, data}) => "
                    "[kind, shape, Array.from(data)])")
    assert [kind for kind, *_ in layers] == [
        *(kind for kind, _ in expected), "softmax"]
    for (_, _, data), (_, A) in zip(layers, expected):
        assert np.max(np.abs(np.array(data).reshape(A.shape) - A)) < 1e-5
    shares = predict(model, X)[0]
    exact, seen = lab.shares
    assert np.max(np.abs(exact - shares)) < 1e-5
    assert np.max(np.abs(seen - 100 * shares)) < 0.051
    assert f" {shares.argmax()} (" in lab.verdict


def covered(strokes, pen=1.3):
    "The pixels that strokes cover, by 8 x 8 places in each: 0 to 255."
    y, x = np.indices((224, 224)) / 8 + 1 / 16
    inked = np.zeros(x.shape, bool)
    for points in np.array(strokes, dtype=object):
        points = np.array(points, float)
        for (x0, y0), (dx, dy) in zip(points, np.diff(points, axis=0)):
            t = ((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy or 1)
            t = np.clip(t, 0, 1)
            inked |= np.hypot(x - x0 - t * dx, y - y0 - t * dy) <= pen
    return np.round(255 * inked.reshape(28, 8, 28, 8).mean(axis=(1, 3)))


def test_the_28_pad_agrees_with_cnnbook(lab28):
    model = a_lenet()
    for fitted in True, False:
        fit_28(lab28, fitted)
        assert_agrees_28(lab28, model)              # the example
    for strokes in HAND_DRAWN[4], HAND_DRAWN[8]:
        for points in in_28(strokes):
            lab28.draw(points)
            assert_agrees_28(lab28, model)
        fit_28(lab28, True)
        assert_agrees_28(lab28, model)
        lab28.element.get_by_role("button", name="Clear").click()
        assert_agrees_28(lab28, model)              # nothing


def test_the_28_pad_measures_what_is_drawn(lab28):
    fit_28(lab28, False)
    assert np.max(np.abs(lab28.counts - covered(EXAMPLE))) <= 8
    lab28.draw([(3.2, 4.1), (22.7, 6.3), (25.4, 24.9)])
    strokes = lab28.js("lab.strokes")
    assert len(strokes) == 1 and not np.array_equal(strokes, EXAMPLE)
    expected = covered(strokes)
    assert np.max(np.abs(lab28.counts - expected)) <= 8     # two places
    assert np.mean(lab28.counts == expected) > 0.99
    assert lab28.counts.max() == 255 and len(np.unique(lab28.counts)) > 20


def mass_center(image):
    "Row and column, counted from the corner of the first pixel."
    places = np.indices(image.shape) + 0.5
    return (places * image).sum(axis=(1, 2)) / image.sum()


def test_a_fitted_drawing_is_as_in_mnist(lab28):
    """In 20 x 20, its mass centered, with the ink of MNIST.

    In the files of MNIST the center of mass is in the middle of the pixel
    14, 14, at 14.5 of 28; the mean ink is 26 492 in the 10 000 for tests.
    """
    totals = []
    for k, strokes in enumerate(HAND_DRAWN):
        lab28.element.get_by_role("button", name="Clear").click()
        scale, x0, y0 = 0.35 + 0.05 * k, k, 9 - k       # large, small, apart
        for points in in_28(strokes):
            lab28.draw([(x0 + scale * x, y0 + scale * y) for x, y in points])
        rows, cols = np.nonzero(lab28.counts)
        height, width = np.ptp(rows) + 1, np.ptp(cols) + 1
        assert 19 <= max(height, width) <= 21 and min(height, width) <= 21
        assert np.all(np.abs(mass_center(lab28.counts) - 14.5) < 0.15)
        totals.append(lab28.counts.sum())
        assert 12_000 < totals[-1] < 38_000
    assert abs(np.mean(totals) - 26_300) < 2_000


def test_the_28_pad_has_no_test_digits(lab28):
    text = lab28.find(".lab").inner_text()
    assert "Test digit" not in text and "resist" not in text
    assert not lab28.find("details").count()
    for name in "Load", "Another, at random":
        assert not lab28.element.get_by_role("button", name=name).count()
    assert [row.split(":")[1] for row in
            lab28.find("figcaption").all_text_contents()] == [
        " 6 maps of 28 × 28", " 6 maps of 14 × 14", " 16 maps of 10 × 10",
        " 16 maps of 5 × 5"]


@pytest.mark.parametrize("button", ["Clear", "Undo"])
def test_the_example_goes_away(lab28, button):
    assert lab28.counts.sum() > 0
    lab28.element.get_by_role("button", name=button).click()
    assert lab28.counts.sum() == 0 and "Nothing is drawn" in lab28.verdict


def test_a_number_of_the_28_pad_explains_itself(lab28):
    X = (lab28.counts[None, ..., None] / 255).astype(np.float32)
    outputs = outputs_of_layers(a_lenet(), X)
    for n, text, seen in explained(lab28, outputs, {
            "convolution 1": 0, "pooling 1": 2, "convolution 2": 3,
            "pooling 2": 5}):
        if n == 0:              # the sum, term by term
            terms = re.search(r"\nz = (.*), where", text)[1]
            terms = terms.replace("·", "*").replace("\xa0", " ")
            assert abs(eval(terms) - seen) < 0.02


def test_the_frame_of_the_28_pad_holds_its_pixels(lab28):
    for n, row, col, expected in (
            (3, 4, 5, [6, 8, 19, 21]), (3, 0, 9, [0, 16, 11, 27]),
            (0, 0, 27, [0, 25, 2, 27]), (2, 3, 3, [4, 4, 9, 9]),
            (5, 2, 2, [6, 6, 21, 21])):
        frame = lab28.js("lab.constructor.receptiveField(lab.layers, ...x)",
                         [n, row, col])
        assert frame == expected
        changed = np.array(lab28.js("""(([n, row, col]) => {
          const [, cols, maps] = lab.layers[n].shape;
          const at = counts => lab.read_counts(counts)[n].data.slice(
            (row * cols + col) * maps, (row * cols + col + 1) * maps);
          const base = Uint8Array.from({length: 784}, (_, i) => 60 + 7 * i % 90);
          const before = at(base);
          return Array.from(base, (_, i) => [255, 0].some(value => {
            const other = base.slice();
            other[i] = value;
            return at(other).some((value, k) => value !== before[k]);
          }));
        })(x)""", [n, row, col])).reshape(28, 28)
        rows, cols = np.nonzero(changed)
        top, left, bottom, right = frame
        assert top <= rows.min() and rows.max() <= bottom
        assert left <= cols.min() and cols.max() <= right
        if n in (0, 3):         # of a pooling, only the largest are felt
            assert changed.sum() >= 0.5 * (bottom - top) * (right - left)


def test_the_keyboard_draws_on_28_pixels_and_reads_them(lab28):
    fit_28(lab28, False)
    pad, keys = lab28.find("canvas.canvas"), lab28.page.keyboard
    pad.focus()
    keys.press("Space")                 # the example is gone
    for _ in range(4):
        keys.press("ArrowDown")
    voice = lab28.find("[aria-live]")
    assert voice.text_content() == "row 22, column 14, pen down"
    keys.press("Space")
    rows, cols = np.nonzero(lab28.counts)
    assert (rows.min(), rows.max()) == (12, 23)
    assert (cols.min(), cols.max()) == (12, 15)
    lab28.find("canvas.pixels").focus()
    keys.press("ArrowDown")
    assert voice.text_content() == f"Row 15, column 14: {lab28.counts[15, 14]}"
    for _ in range(3):
        keys.press("ArrowLeft")
    assert lab28.find(".pixel").text_content() == "Row 15, column 11: 0"
    assert "rows 12–23 and columns 12–15" in lab28.find(
        "canvas.pixels").get_attribute("aria-label")


def test_pointing_at_a_pixel_reads_it(lab28):
    canvas = lab28.find("canvas.pixels")
    canvas.scroll_into_view_if_needed()
    side = lab28.js("lab.count.clientWidth")
    canvas.hover(position={"x": 1 + side * 14.5 / 28,
                           "y": 1 + side * 5.5 / 28})
    assert lab28.find(".pixel").text_content() == (
        f"Row 5, column 14: {lab28.counts[5, 14]}")


def test_pointing_at_a_map_of_the_28_pad(lab28):
    canvas = lab28.find(".maps canvas").nth(2)          # 16 of 10 x 10
    canvas.scroll_into_view_if_needed()
    layout = lab28.js("lab.canvases.get(3).layout")
    step, cell, across = (layout[key] for key in ("step", "cell", "across"))
    assert cell * 10 > 40 and across * step <= layout["width"]
    canvas.hover(position={"x": 2 + step * (9 % across) + cell * 7 + 1,
                           "y": 2 + step * (9 // across) + cell * 6 + 1})
    assert lab28.js("lab.probe") == {"n": 3, "map": 9, "row": 6, "col": 7}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_28_pad_on_a_phone(open_lab, scheme):
    lab = ready_28(open_lab(packed_28(a_lenet()), "es", has_touch=True,
                            color_scheme=scheme,
                            viewport={"width": 390, "height": 800}))
    assert lab.page.evaluate("document.documentElement.scrollWidth") <= 390
    for n, maps, rows in (0, 6, 28), (2, 6, 14), (3, 16, 10), (5, 16, 5):
        layout = lab.js("lab.canvases.get(x).layout", n)
        assert layout["across"] * layout["step"] <= layout["width"]
        assert layout["cell"] >= 3 and layout["width"] <= 390
    box = lab.find("canvas.canvas").bounding_box()
    lab.page.touchscreen.tap(box["x"] + box["width"] / 2,
                             box["y"] + box["height"] / 2)
    assert lab.js("lab.strokes.length") == 1 and lab.counts.sum() > 0
    text = lab.find(".lab").inner_text()
    assert "como en MNIST" in text and not re.search(r"\bthe\b|Draw", text)


def test_a_grid_that_the_page_does_not_know_is_told(lab28):
    data = packed_28(a_lenet()).replace(b'\\"grid\\": 28', b'\\"grid\\": 27')
    said = lab28.js("""(bytes => {
      try { lab.constructor.fromBytes(new Uint8Array(bytes)); return ""; }
      catch (error) { return error.message; }
    })(x)""", list(data))
    assert "its images are of 27 x 27" in said


@pytest.fixture(scope="module")
def of_chapter_11():
    "What the cell of the chapter hands to its page."
    cells = json.loads((ROOT / "chapters" / "11_architectures.ipynb")
                       .read_text("utf-8"))["cells"]
    code, = ["".join(cell["source"]) for cell in cells
             if 'show_data("digits-28"' in "".join(cell["source"])]
    given = {"np": np, "pretrained": pretrained, "Conv2D": nn.Conv2D,
             "MaxPool2D": nn.MaxPool2D, "to_bytes": to_bytes}
    exec(code.replace("show_data(", "dict(name=").replace(
        ", packed)", ", data=packed)"), given)
    return given


def test_the_lenet_of_the_book_reads_what_is_drawn(open_lab, of_chapter_11):
    data = of_chapter_11["packed"]
    assert len(data) < 300_000
    lab = ready_28(open_lab(data))
    assert lab.verdict.startswith("The network reads 5 ")
    assert_agrees_28(lab, pretrained("lenet5-relu"))
    fit_28(lab, False)
    assert np.max(np.abs(lab.counts - of_chapter_11["digit"])) <= 8
    fit_28(lab, True)
    assert read_hand_drawn(lab, in_28) >= 8


def test_chapter_11_carries_its_network(open_lab, book):
    page = book / "en" / "chapters" / "11_architectures.html"
    lab = ready_28(open_lab(None, url=page.as_uri()))
    assert_agrees_28(lab, pretrained("lenet5-relu"))
    assert lab.verdict.startswith("The network reads 5 ")
