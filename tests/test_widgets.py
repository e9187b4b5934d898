"""The labs of the pages, driven in a browser and compared with cnnbook."""
import re

import numpy as np
import pytest

from cnnbook.backprop import pool_backward
from cnnbook.convolution1d import conv1d
from cnnbook.convolution2d import conv2d
from cnnbook.conv_layer import (conv_forward, conv_multiply_adds,
                                conv_parameters, dense_parameters,
                                receptive_field)
from cnnbook.padding import dilate
from cnnbook.pooling import pool_forward
from conftest import ROOT

LABS = "conv1d-lab", "conv2d-lab", "pool-lab", "shape-calculator"
HOMES = {"conv1d-lab": ("01_conv1d", "fig-conv1d-lab"),
         "conv2d-lab": ("03_conv2d", "fig-conv2d-lab"),
         "pool-lab": ("05_pooling", "fig-pooling-lab"),
         "shape-calculator": ("04_conv_layer", "fig-conv_layer-calculator")}


@pytest.fixture
def visit(chromium, tmp_path):
    "Open a small page with one lab, from a file; return it as a locator."
    contexts, problems = [], []

    def visit(name, lang="es", **options):
        scripts = "".join(
            f'<script defer src="{(ROOT / "assets/widgets").as_uri()}/'
            f'{script}.js"></script>' for script in ("core", "lab", name))
        file = tmp_path / f"{name}.html"
        file.write_text(f"""<!DOCTYPE html><html lang="{lang}"><head>
<meta charset="utf-8"><title>A lab</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>:root {{ color-scheme: light dark }}</style></head>
<body><main><h1>A lab</h1><figure id="fig-x" style="margin: 0">
<img alt="A picture." src="data:image/svg+xml,{PICTURE}">
<figcaption>A caption.</figcaption></figure>
<{name} for="fig-x"></{name}></main>{scripts}</body></html>""", "utf-8")
        context = chromium.new_context(**options)
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: problems.append(message.text))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(file.as_uri())
        return page.locator(name)

    yield visit
    for context in contexts:
        context.close()
    assert problems == []


PICTURE = ("%3Csvg xmlns='http://www.w3.org/2000/svg' width='60' "
           "height='40'/%3E")


def value(text):
    "The number that a lab shows."
    return float(text.replace("−", "-").replace("\u202f", "").strip("()"))


def values(locator):
    return np.array([value(text) for text in locator.all_inner_texts()])


def same(shown, expected, digits=6):
    "Labs show six digits, some tables four."
    np.testing.assert_allclose(shown, expected, rtol=10.0 ** (1 - digits),
                               atol=1e-9)


def put(lab, label, number):
    lab.get_by_label(label, exact=True).fill(str(number))


def choose(lab, label):
    lab.get_by_role("radio", name=label, exact=True).check(force=True)


def pad_and_slide(lab, p, s, d, flipped=True):
    "Set what the two labs of the convolution share."
    choose(lab, p if isinstance(p, str) else "número")
    if not isinstance(p, str):
        put(lab, "Ceros a cada lado p", p)
    put(lab, "Paso s", s)
    put(lab, "Dilatación d", d)
    lab.get_by_label("Voltear el núcleo").set_checked(flipped, force=True)


def a_padding(rng):
    return ["full", "same", "valid", int(rng.integers(0, 4))][rng.integers(4)]


# What they show is what cnnbook computes -----------------------------------

def test_conv1d_lab_agrees_with_conv1d(visit):
    rng, lab = np.random.default_rng(1), visit("conv1d-lab")
    for _ in range(16):
        m, d = rng.integers(1, 6), rng.integers(1, 4)
        n = rng.integers(d * (m - 1) + 1, 17)
        x = rng.integers(-9, 10, n) / rng.choice([1, 2])
        w, p, s = rng.integers(-5, 6, m), a_padding(rng), rng.integers(1, 4)
        flipped = bool(rng.integers(2))
        put(lab, "Señal x", " ".join(map(str, x)))
        put(lab, "Núcleo w", ", ".join(map(str, w)))
        pad_and_slide(lab, p, s, d, flipped)
        kernel = dilate(w if flipped else w[::-1], int(d))
        y = conv1d(x, kernel, p, int(s))
        lab.get_by_role("button", name="Al final").click()
        same(values(lab.locator("td.output")), y)
        i = int(rng.integers(len(y)))
        lab.locator("td.output button").nth(i).click()
        check_the_sum(lab.locator(".sum").inner_text(), f"y[{i}]", y[i])
        assert lab.locator(".formula p").first.inner_text().split()[-1] \
            .endswith(str(len(y)))
        assert lab.locator("tbody td.kernel.strong").count() == m


def check_the_sum(text, name, expected):
    "The products that are written out add up to what stands after them."
    head, terms, total = text.split(" = ")
    products = [np.prod([value(factor) for factor in term.split("·")])
                for term in terms.split(" + ")]
    assert head == name
    same(sum(products), expected)
    same(value(total), expected)


def digit():
    "The digit of the lab, from its source."
    from sklearn.datasets import load_digits
    return np.round(load_digits().images[23] / 16 * 9)


def try_kernels(lab, X, rng, times):
    "Compare a lab that holds the image X with conv2d."
    lab.locator("details").evaluate("e => { e.open = true }")
    for _ in range(times):
        f, d, s = (int(rng.integers(1, most)) for most in (5, 3, 4))
        p, flipped = a_padding(rng), bool(rng.integers(2))
        W = rng.integers(-4, 5, (f, f)) / rng.choice([1, 4])
        put(lab, "Lado del núcleo f", f)
        for (u, v), weight in np.ndenumerate(W):
            put(lab, f"W[{u}, {v}]", weight)
        pad_and_slide(lab, p, s, d, flipped)
        kernel = dilate(W if flipped else W[::-1, ::-1], d)
        Y = conv2d(X, kernel, p, s)
        same(values(lab.locator(".numbers td.output")), Y.ravel())
        assert lab.locator(".formula p").first.inner_text().split()[-1] \
            .endswith(str(len(Y)))
        i, j = (int(k) for k in rng.integers(len(Y), size=2))
        point(lab.locator(".stage").nth(1), i, j, len(Y))
        check_the_sum(lab.locator(".sum").inner_text(), f"Y[{i}, {j}]",
                      Y[i, j])
        assert len(values(lab.locator(".equation td.kernel"))) == f * f


def point(stage, row, column, cells):
    "Move the pointer to a cell of a picture."
    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    stage.page.mouse.move(box["x"] + (column + 0.5) * box["width"] / cells,
                          box["y"] + (row + 0.5) * box["height"] / cells)


def test_conv2d_lab_agrees_with_conv2d(visit):
    lab = visit("conv2d-lab")
    try_kernels(lab, digit(), np.random.default_rng(2), 8)


def test_conv2d_lab_convolves_the_readers_file(visit, tmp_path):
    from PIL import Image
    rng, lab = np.random.default_rng(3), visit("conv2d-lab")
    gray = rng.integers(0, 256, (32, 40)).astype(np.uint8)
    Image.fromarray(gray).save(tmp_path / "mine.png")
    choose(lab, "archivo")
    lab.locator("input[type=file]").set_input_files(tmp_path / "mine.png")
    lab.get_by_text("32 × 32, de 0").first.wait_for()
    X = np.floor(gray[:, 4:36] / 255 * 9 + 0.5)
    try_kernels(lab, X, rng, 2)
    (tmp_path / "notes.txt").write_text("not a picture")
    lab.locator("input[type=file]").set_input_files(tmp_path / "notes.txt")
    lab.get_by_text("«notes.txt»; se espera una imagen").wait_for()


def test_conv2d_lab_convolves_a_drawing(visit):
    lab = visit("conv2d-lab")
    choose(lab, "dibujo")
    X, keys = np.zeros((16, 16)), lab.page.keyboard
    lab.locator(".stage").first.focus()
    for row, key in ((0, "ArrowRight"), (1, "ArrowLeft")):
        for _ in range(3):                    # with the keyboard
            keys.press(" ")
            keys.press(key)
        keys.press("ArrowDown")
    X[0, :3], X[1, 1:4] = 9, 9
    choose(lab, "valid")
    stage = lab.locator(".stage").first
    point(stage, 8, 4, 16)                    # with the mouse
    lab.page.mouse.down()
    for column in range(4, 12):
        point(stage, 8, column, 16)
    lab.page.mouse.up()
    X[8, 4:12] = 9
    lab.locator("details").evaluate("e => { e.open = true }")
    sobel_x = np.array([[1, 0, -1], [2, 0, -2], [1, 0, -1]])
    same(values(lab.locator(".numbers td.output")),
         conv2d(X, sobel_x, "valid").ravel())


def test_conv2d_lab_points_both_ways(visit):
    lab = visit("conv2d-lab")
    choose(lab, "valid")
    point(lab.locator(".stage").first, 3, 4, 8)       # the middle of a window
    assert lab.locator(".sum").inner_text().startswith("Y[2, 3]")
    same(values(lab.locator(".equation td.input")),
         digit()[2:5, 3:6].ravel())
    lab.locator(".stage").nth(1).focus()
    lab.page.keyboard.press("ArrowDown")
    lab.page.keyboard.press("ArrowLeft")
    assert lab.locator(".sum").inner_text().startswith("Y[3, 2]")
    assert "Y[3, 2]" in lab.locator("[aria-live]").inner_text()


def test_pool_lab_agrees_with_the_layers(visit):
    rng, lab = np.random.default_rng(4), visit("pool-lab")
    choose(lab, "hacia atrás")
    for k in range(12):
        n, mode = int(rng.integers(2, 6)), ["max", "average"][k % 2]
        f, stride = int(rng.integers(1, n + 1)), int(rng.integers(1, 4))
        A_prev = rng.integers(-3, 4, (n, n))
        choose(lab, {"max": "máximo", "average": "promedio"}[mode])
        put(lab, "Lado de la entrada n", n)
        put(lab, "Ventana f", f)
        put(lab, "Paso s", stride)
        for (i, j), number in np.ndenumerate(A_prev):
            put(lab, f"A_prev[{i}, {j}]", number)
        A, cache = pool_forward(A_prev[None, :, :, None],
                                {"f": f, "stride": stride}, mode)
        same(values(lab.locator(".result tbody td")), A.ravel(), digits=4)
        dA = rng.integers(-9, 10, A.shape) * 1.0
        for (i, j), number in np.ndenumerate(dA[0, :, :, 0]):
            put(lab, f"dA[{i}, {j}]", number)
        dA_prev = pool_backward(dA, cache, mode)
        same(values(lab.locator(".plain tbody td")), dA_prev.ravel(),
             digits=4)
        check_the_origin(lab, A_prev, A[0, :, :, 0], f, stride, mode, rng)


def check_the_origin(lab, A_prev, A, f, stride, mode, rng):
    "The lab says where one output came from; ties go to the first cell."
    h, w = (int(k) for k in rng.integers(len(A), size=2))
    lab.locator(".result button").nth(h * len(A) + w).click()
    window = A_prev[h * stride:h * stride + f, w * stride:w * stride + f]
    chosen = lab.locator(".fields").first.locator("td.from").count()
    assert chosen == (1 if mode == "max" else f * f)
    choose(lab, "hacia adelante")
    text = lab.locator(".sum").inner_text()
    assert text.startswith(f"A[{h}, {w}] = ")
    if mode == "max":
        i, j = np.unravel_index(np.argmax(window), window.shape)
        assert f"A_prev[{h * stride + i}, {w * stride + j}]" in text
        ties = int(np.sum(window == window.max()))
        assert (f"Hay {ties} iguales" in text) == (ties > 1)
    choose(lab, "hacia atrás")


def a_stack(rng):
    "A shape and random layers that fit one after another."
    shape = [int(k) for k in rng.integers(8, 20, 2)] + [int(rng.integers(1, 4))]
    layers, (n_H, n_W) = [], shape[:2]
    for _ in range(rng.integers(1, 5)):
        f, stride = int(rng.integers(1, 4)), int(rng.integers(1, 3))
        if rng.integers(3) == 0:
            layer = {"kind": ["max", "average"][rng.integers(2)], "f": f,
                     "stride": stride}
        else:
            layer = {"kind": "conv", "n_C": int(rng.integers(1, 9)), "f": f,
                     "stride": stride, "pad": int(rng.integers(0, 3)),
                     "dilation": int(rng.integers(1, 3))}
        span = layer.get("dilation", 1) * (f - 1) + 1
        grown = [n + 2 * layer.get("pad", 0) for n in (n_H, n_W)]
        if span > min(grown):
            break
        n_H, n_W = ((n - span) // stride + 1 for n in grown)
        layers.append(layer)
    layers.append({"kind": ["flatten", "global"][rng.integers(2)]})
    return shape, layers + [{"kind": "dense", "n": int(rng.integers(1, 20))}]


def rows_of(shape, layers):
    "What the table must say, computed by running the layers of cnnbook."
    A, seen, rows = np.zeros((1, *shape)), [], []
    for layer in layers:
        kind, before = layer["kind"], A.shape
        parameters = multiply_adds = 0
        if kind == "conv":
            W = np.zeros((layer["f"], layer["f"], before[3], layer["n_C"]))
            A = conv_forward(A, W, np.zeros((1, 1, 1, layer["n_C"])),
                             layer)[0]
            parameters = conv_parameters(layer["f"], before[3], layer["n_C"])
            multiply_adds = conv_multiply_adds(*A.shape[1:3], layer["f"],
                                               before[3], layer["n_C"])
        elif kind in ("max", "average"):
            A = pool_forward(A, layer, kind)[0]
        elif kind == "dense":
            A = np.zeros((1, layer["n"]))
            parameters = dense_parameters(before[1], layer["n"])
            multiply_adds = before[1] * layer["n"]
        elif kind == "global":
            A = A.mean(axis=(1, 2))
        else:
            A = A.reshape(1, -1)
        if kind in ("conv", "max", "average"):
            seen.append(layer)
            map_sizes = A.shape[1:3]
        everything = kind in ("global", "dense")
        fields = [receptive_field(seen + [{"f": n}] * everything)[-1].size
                  if seen or everything else 1 for n in map_sizes]
        rows.append([" × ".join(map(str, A.shape[1:])), str(parameters),
                     str(multiply_adds), " × ".join(map(str, fields))])
    return rows


def test_shape_calculator_agrees_with_the_layers(visit):
    rng, lab = np.random.default_rng(5), visit("shape-calculator")
    for _ in range(6):
        shape, layers = a_stack(rng)
        while lab.locator(".layer").count():
            lab.get_by_role("button", name="Quitar la capa 1").click()
        for name, n in zip(("alto n_H", "ancho n_W", "canales n_C"), shape):
            put(lab, f"Entrada: {name}", n)
        for layer in layers:
            lab.get_by_role("button", name="Agregar una capa").click()
            row = lab.locator(".layer").last
            row.locator("select").select_option(layer["kind"])
            row = lab.locator(".layer").last
            for name, number in layer.items():
                if name != "kind":
                    row.locator(f"input[aria-label$=' {name}']") \
                        .fill(str(number))
        expected = rows_of(shape, layers)
        shown = lab.locator(".shapes tbody tr").evaluate_all(
            "rows => rows.slice(1).map(row => [...row.querySelectorAll('td')]"
            ".map(cell => cell.innerText.replace(/\\u202f/g, '')))")
        assert shown == expected
        totals = [int(text.replace("\u202f", "")) for text in lab.locator(
            ".shapes tfoot td").all_inner_texts()[1:3]]
        assert totals == [sum(int(row[k]) for row in expected)
                          for k in (1, 2)]


def test_shape_calculator_draws_the_receptive_field(visit):
    lab = visit("shape-calculator")
    layers = [{"f": 3, "pad": 1}] * 2 + [{"f": 2, "stride": 2}]
    size, jump, start = receptive_field(layers)[-1]
    lab.locator(".shapes button").nth(2).click()
    lab.locator(".map").focus()
    for key in ["ArrowLeft"] * 4 + ["ArrowUp"] * 4 + ["ArrowRight"] * 2:
        lab.page.keyboard.press(key)
    mark = lab.locator(".field-of")
    shown = [float(mark.get_attribute(name))
             for name in ("x", "y", "width", "height")]
    assert shown == [start + 2 * jump, start, size, size]
    first, last = start + 2 * jump, start + 2 * jump + size - 1
    assert f"las columnas {first} a {last}" in lab.locator(
        "[aria-live]").inner_text()


# Bad input ------------------------------------------------------------------

@pytest.mark.parametrize("name, label, given, message", [
    ("conv1d-lab", "Señal x", "3 1 cuatro", "de 1 a 24 números"),
    ("conv1d-lab", "Núcleo w", "1 2 3 4 5 6 7 8 9", "como mucho las 8"),
    ("conv1d-lab", "Paso s", "0", "entero de 1 a 9"),
    ("conv2d-lab", "W[1, 1]", "1/0", "un número entre"),
    ("conv2d-lab", "Dilatación d", "5", "como mucho las 8"),
    ("pool-lab", "Ventana f", "5", "como mucho 4"),
    ("pool-lab", "A_prev[0, 1]", "", "un número entre"),
    ("shape-calculator", "Capa 1, f", "11", "como mucho las 10"),
    ("shape-calculator", "Entrada: canales n_C", "1.5", "entero de 1 a 4096"),
])
def test_bad_input_names_field_given_and_expected(visit, name, label, given,
                                                  message):
    lab = visit(name)
    if name == "conv2d-lab":
        choose(lab, "valid")
    field = lab.get_by_label(label, exact=True)
    good = field.input_value()
    field.fill(given)
    field.press("Tab")
    error = lab.locator(".error:not(:empty)")
    text = error.inner_text()
    assert (text.startswith(f"{label}: hay «{given}»; ")
            and message in text), text
    assert field.get_attribute("aria-invalid") == "true"
    assert error.get_attribute("id") == field.get_attribute(
        "aria-describedby")
    field.fill(good)
    assert error.count() == 0


def test_shape_calculator_says_which_layer_does_not_fit(visit):
    lab = visit("shape-calculator", lang="en")
    lab.get_by_role("button", name="Remove layer 5").click()    # flatten
    assert lab.locator(".error:not(:empty)").inner_text() == (
        "Layer 5: it receives 4 × 4 × 64; a dense layer expects a vector: "
        "flatten or the global average goes before.")
    rows = lab.locator(".shapes tbody tr").all_inner_texts()
    assert rows[4].endswith("10 × 10") and rows[5].count("?") == 4
    lab.get_by_role("button", name="Remove layer 5").click()
    assert "?" not in lab.locator(".shapes").inner_text()


# Keyboard, motion, languages, no scripts -----------------------------------

def test_conv1d_lab_by_keyboard(visit):
    lab = visit("conv1d-lab")
    keys, where = lab.page.keyboard, lab.locator(".player span")
    lab.get_by_role("slider").focus()
    keys.press("ArrowRight")
    keys.press("ArrowRight")
    assert where.inner_text() == "paso 3 de 8"
    lab.get_by_role("button", name="y[5], por calcular").press("Enter")
    assert where.inner_text() == "paso 6 de 8"
    keys.press("ArrowLeft")
    assert where.inner_text() == "paso 5 de 8"
    assert "y[4]" in lab.locator("[aria-live]").inner_text()
    lab.page.clock.install()
    lab.get_by_role("button", name="Reproducir").press("Enter")
    lab.page.clock.run_for(2500)
    assert where.inner_text() == "paso 7 de 8"
    lab.get_by_role("button", name="Pausa").press("Enter")
    lab.page.clock.run_for(2500)
    assert where.inner_text() == "paso 7 de 8"
    lab.get_by_role("spinbutton", name="Paso s").press("ArrowUp")
    assert where.inner_text() == "paso 1 de 4"


def test_pool_lab_by_keyboard(visit):
    lab = visit("pool-lab", lang="en")
    lab.locator(".result button").first.focus()
    for key in "ArrowDown", "ArrowRight":
        lab.page.keyboard.press(key)
    assert lab.locator(".sum").inner_text().startswith("A[1, 1] = max(")
    lab.get_by_role("radio", name="backward").focus()
    lab.page.keyboard.press("Space")
    assert "dA[1, 1] = 4 goes whole to dA_prev[3, 2]" in lab.locator(
        ".sum").inner_text()


def test_shape_calculator_keeps_the_focus(visit):
    lab = visit("shape-calculator", lang="en")
    lab.get_by_role("button", name="Move up layer 3").press("Enter")
    assert lab.locator(".layer select").nth(1).input_value() == "max"
    focused = "e => e.shadowRoot.activeElement.getAttribute('aria-label')"
    assert lab.evaluate(focused) == "Move up layer 2"
    lab.get_by_role("button", name="Remove layer 2").press("Enter")
    assert lab.locator(".layer").count() == 5
    assert "Add a layer" in lab.evaluate(
        "e => e.shadowRoot.activeElement.innerText")


@pytest.mark.parametrize("motion, moves", [("no-preference", True),
                                           ("reduce", False)])
def test_nothing_glides_if_motion_is_unwelcome(visit, motion, moves):
    lab = visit("conv1d-lab", reduced_motion=motion)
    lab.evaluate("""() => {
        const animate = Element.prototype.animate;
        window.moves = 0;
        Element.prototype.animate = function(...how) {
            window.moves++;
            return animate.apply(this, how);
        }}""")
    lab.get_by_role("button", name="Adelante").click()
    assert lab.evaluate("window.moves > 0") == moves


@pytest.mark.parametrize("name", LABS)
def test_without_scripts_the_picture_stays(visit, name):
    lab = visit(name, java_script_enabled=False)
    assert lab.page.get_by_alt_text("A picture.").is_visible()
    assert lab.page.get_by_text("A caption.").is_visible()
    assert lab.bounding_box()["height"] < 30 and lab.inner_text() == ""


@pytest.mark.parametrize("name", LABS)
def test_a_lab_speaks_the_language_of_its_page(visit, name):
    spanish = visit(name).locator(".lab").inner_text()
    english = visit(name, lang="en").locator(".lab").inner_text()
    assert re.search(r"[áéíóúñ]", spanish)
    assert not re.search(r"[áéíóúñ¿¡]", english)


# Everyone can use them -------------------------------------------------------

def open_states(lab, name):
    "Bring a lab to each of its states in turn."
    yield "first"
    if name == "conv1d-lab":
        lab.get_by_role("button", name="To the end").click()
        put(lab, "Kernel w", "one")
        lab.get_by_label("Kernel w", exact=True).press("Tab")
        choose(lab, "number")
        yield "error"
    elif name == "conv2d-lab":
        lab.locator("details").evaluate("e => { e.open = true }")
        yield "numbers"
        lab.locator("details").evaluate("e => { e.open = false }")
        choose(lab, "drawing")
        yield "drawing"
        choose(lab, "file")
        put(lab, "Side of the kernel f", 5)
        yield "file"
    elif name == "pool-lab":
        choose(lab, "backward")
        put(lab, "Window f", 9)
        yield "backward"
    else:
        lab.get_by_role("combobox", name="Layer 1").select_option("flatten")
        yield "error"


@pytest.mark.parametrize("scheme, width", [("light", 1280), ("dark", 390)])
@pytest.mark.parametrize("name", LABS)
def test_axe_finds_nothing(visit, name, scheme, width):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright",
                              reason="pip install axe-playwright-python")
    lab = visit(name, lang="en", color_scheme=scheme,
                viewport={"width": width, "height": 900})
    rules = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa",
                         "wcag22aa", "best-practice"]}
    for state in open_states(lab, name):
        found = axe.Axe().run(lab.page, options=rules)
        assert found.violations_count == 0, (
            state, found.generate_report())
        assert lab.evaluate("document.documentElement.scrollWidth") <= width


# In the book -------------------------------------------------------------------

@pytest.mark.parametrize("lang", ["es", "en"])
def test_each_lab_stands_in_its_chapter(book, chromium, lang):
    page = chromium.new_page(viewport={"width": 390, "height": 900})
    problems = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    for name, (chapter, figure) in HOMES.items():
        page.goto((book / lang / "chapters" / f"{chapter}.html").as_uri())
        lab = page.locator(f"#{figure} {name}")
        assert lab.locator(".lab").is_visible()
        assert page.locator(f"#{figure} figcaption").is_visible()
        assert page.locator(f"#{figure} img").count() == 0
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.close()
    assert problems == []
