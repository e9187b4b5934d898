"""A small network that learns to read digits, as a Shiny app.

Run it with `shiny run apps/training/app.py`, in Spanish or English as the
system is, or as the address says: `?lang=es`.
"""
import math
import time
import warnings
from collections import namedtuple
from functools import lru_cache
from urllib.parse import parse_qs

import numpy as np
from shiny import App, reactive, render, ui
from sklearn.datasets import load_digits

from cnnbook import nn
from cnnbook.data import batches_per_epoch, minibatches, stratified_split
from cnnbook.press.visits import visit_words

RATES = ["0.0003", "0.001", "0.003", "0.01", "0.03", "0.1", "0.3", "1", "10",
         "100"]
OPTIMIZERS = {
    "sgd": ("descenso", "descent", nn.SGD),
    "momentum": ("momento, β = 0.9", "momentum, β = 0.9",
                 lambda model, rate: nn.SGD(model, rate, momentum=0.9)),
    "adam": ("Adam", "Adam", nn.Adam)}
CLASSES, SIDE = 10, 8
STYLE = """
.learned { color: #0072B2 } .validated { color: #B34700 }
[data-bs-theme="dark"] .learned { color: #56b4e9 }
[data-bs-theme="dark"] .validated { color: #ff9f5f }
svg.chart { display: block; width: 100%; height: auto; overflow: visible }
svg.chart text { font-size: 11px; fill: currentColor }
svg.filter { width: 3.2rem; height: 3.2rem; outline: 1px solid #888 }
table { font-variant-numeric: tabular-nums }
"""
Choice = namedtuple("Choice", "convolutions filters units norm relu optimizer "
                              "batch flat scaled")


@lru_cache
def digits(scaled):
    "The images (m, 8, 8, 1) and labels to learn from, and to validate with."
    found = load_digits()
    X = (found.images[..., None] / (16 if scaled else 1)).astype(np.float32)
    parts = stratified_split(found.target, 0.2)
    return [(X[part], found.target[part]) for part in parts]


def network(choice, rng):
    "The network of a `Choice`: convolutions, and one or two dense layers."
    layers, n, side = [], 1, SIDE
    for i in range(choice.convolutions):
        layers.append(nn.Conv2D(n, choice.filters, 3, pad=1, rng=rng))
        layers += [nn.BatchNorm2D(choice.filters)] * choice.norm
        layers += [nn.ReLU()] * choice.relu
        n = choice.filters
        if i == 0:
            layers.append(nn.AvgPool2D(2))
            side //= 2
    layers.append(nn.Flatten())
    n *= side * side
    if choice.units:
        layers.append(nn.Linear(n, choice.units, rng=rng))
        layers += [nn.ReLU()] * choice.relu
        n = choice.units
    return nn.Sequential(*layers, nn.Linear(n, CLASSES, rng=rng))


def is_linear(model, X):
    "True if the answer to a sum of two images is the sum of the answers."
    images = np.stack([X[0], X[1], X[0] + X[1], 0 * X[0]])
    a, b, both, none = model(images)            # none: what the biases give
    error = np.abs(a + b - both - none).max()
    return bool(error < 1e-3 * np.abs(both).max())      # False if a NaN


class Lesson:
    """A network that learns, a few steps at a time.

    `history` holds a record per epoch, the first before any step, and
    `warned` and `error` what the library says.
    """
    def __init__(self, choice):
        self.choice, self.rng = choice, np.random.default_rng(0)
        self.model = network(choice, self.rng)
        self.optimizer = OPTIMIZERS[choice.optimizer][2](self.model, 0.1)
        (self.X, labels), self.validation = digits(choice.scaled)
        self.labels = labels[None] if choice.flat else labels
        self.steps = batches_per_epoch(len(self.X), choice.batch)
        self.history, self.warned, self.error = [], "", ""
        self.begin()

    def begin(self):
        "Get ready for the next epoch."
        self.batches = minibatches(len(self.X), self.choice.batch, self.rng)
        self.seen, self.total = 0, {"cost": 0.0, "accuracy": 0.0}

    def advance(self, rate, seconds):
        "Learn for about `seconds`; stop at the end of the epoch."
        self.optimizer.learning_rate = rate
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("ignore", RuntimeWarning)     # overflows
            warnings.simplefilter("always", UserWarning)
            try:
                self.learn(time.perf_counter() + seconds)
            except (ValueError, TypeError, FloatingPointError) as error:
                self.error = f"{type(error).__name__}: {error}"
        for warning in told:
            self.warned = f"{warning.category.__name__}: {warning.message}"

    def learn(self, end):
        "Take steps until the clock says `end`, or the epoch is over."
        if not self.history:
            self.record(nn.evaluate(self.model, self.X, self.labels))
        while time.perf_counter() < end:
            index = next(self.batches, None)
            if index is None:
                self.record({key: value / self.seen
                             for key, value in self.total.items()})
                return self.begin()
            got = nn.train_step(self.model, self.optimizer, self.X[index],
                                self.labels[index])
            self.seen += len(index)
            for key, value in got.items():
                self.total[key] += value * len(index)

    def record(self, measures):
        "Validate, and keep what this epoch measured."
        judged = nn.evaluate(self.model, *self.validation)
        self.history.append({"epoch": len(self.history), **measures, **{
            f"val_{key}": value for key, value in judged.items()}})

    def batch(self):
        "How many batches of this epoch have been learned from."
        return -(-self.seen // self.choice.batch)

    def advice(self, word):
        "What is wrong, and how to mend it, a line for each thing."
        lines, guess = [], math.log(CLASSES)
        if self.error and self.choice.flat:
            lines.append(word(
                "Cada imagen necesita su etiqueta: las etiquetas tienen la "
                "forma (1, m) y deben tener la forma (m,).",
                "Each image needs its label: the labels have shape (1, m) "
                "and must have shape (m,)."))
        elif self.error:
            lines.append(word(
                "La tasa es demasiado grande: el costo dejó de ser un "
                "número. Hay que empezar de nuevo con otra menor.",
                "The rate is too large: the cost is no longer a number. "
                "Start over with a smaller one."))
        elif len(self.history) > 1 and self.history[-1]["cost"] > guess:
            lines.append(word(
                "La tasa es demasiado grande: el costo supera "
                f"log 10 = {guess:.3f}, el de responder al azar.",
                f"The rate is too large: the cost is above log 10 = "
                f"{guess:.3f}, that of guessing."))
        if self.warned:
            lines.append(word("Los píxeles van de 0 a 16: hay que "
                              "dividirlos entre 16.",
                              "The pixels go from 0 to 16: divide them by "
                              "16."))
        if not self.choice.relu and is_linear(self.model, self.X):
            lines.append(word(
                "La red es lineal: la respuesta a la suma de dos imágenes es "
                "la suma de las respuestas. Sin ReLU, todas sus capas valen "
                "por una sola.",
                "The network is linear: the answer to the sum of two images "
                "is the sum of the answers. Without ReLU, all its layers "
                "are worth one."))
        return lines


def chart(history, key, name, names, top, digits):
    """An SVG with the curves of `key` and of its validation, from 0 to `top`.

    `names` are those of the two curves, and `name` that of the chart.
    """
    last = max(len(history) - 1, 1)
    parts = [f'<line x1="34" x2="310" y1="{y}" y2="{y}" stroke='
             f'"currentColor" stroke-opacity=".3"/><text x="30" y="{y + 4}" '
             f'text-anchor="end">{label}</text>'
             for y, label in ((10, f"{top:g}"), (130, "0"))]
    told = []
    for kind, text, which in (("learned", names[0], key),
                              ("validated", names[1], f"val_{key}")):
        values = [record[which] for record in history]
        points = [(34 + 276 * i / last, 130 - 120 * min(value / top, 1.04))
                  for i, value in enumerate(values) if math.isfinite(value)]
        dash = ' stroke-dasharray="5 3"' if kind == "validated" else ""
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(
            f'<g class="{kind}"><polyline points="{line}" fill="none" stroke='
            f'"currentColor" stroke-width="2"{dash}/>' + "".join(
                f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill='
                '"currentColor"/>' for x, y in points[-1:]) + "</g>")
        told.append(f"{text}: {values[0]:.{digits}f} → "
                    f"{values[-1]:.{digits}f}")
    return ui.HTML(f'<svg class="chart" viewBox="0 0 320 150" role="img" '
                   f'aria-label="{name}. {"; ".join(told)}">'
                   f'{"".join(parts)}<text x="310" y="146" text-anchor="end">'
                   f"{len(history) - 1}</text></svg>")


def pictures(model, word):
    "SVGs of the weights of the first layer, the largest ones full colored."
    W = next(layer for _, layer in model.walk() if layer.params).params["W"]
    if W.ndim == 2:                             # dense: a picture per unit
        W = W.reshape(SIDE, SIDE, 1, -1)
    W = np.nan_to_num(W[:, :, 0, :16], nan=0, posinf=0, neginf=0)
    side, largest = len(W), np.abs(W).max() or 1
    return [ui.HTML(
        f'<svg class="filter" viewBox="0 0 {side} {side}" role="img" '
        f'aria-label="{word("Pesos", "Weights")} {k + 1}: '
        f'{W[..., k].min():.2f} … {W[..., k].max():.2f}"><rect width="{side}" '
        f'height="{side}" fill="#fff"/>' + "".join(
            f'<rect x="{j}" y="{i}" width="1.02" height="1.02" fill="'
            f'{"#B34700" if w > 0 else "#0072B2"}" fill-opacity="'
            f'{abs(w) / largest:.2f}"/>'
            for (i, j), w in np.ndenumerate(W[..., k])) + "</svg>")
        for k in range(W.shape[2])]


def settings(word):
    "The controls of the network and of its training, in two lists."
    wide = {"width": "100%"}
    layers = [
        ui.input_slider("convolutions", word("Capas de convolución",
                                             "Convolution layers"),
                        0, 3, 2, ticks=False, **wide),
        ui.input_select("filters", word("Filtros en cada una",
                                        "Filters in each"),
                        ["4", "8", "16"], selected="8", **wide),
        ui.input_select("units", word("Unidades densas, además de la salida",
                                      "Dense units, besides the output"),
                        ["0", "16", "32", "64"], selected="32", **wide),
        ui.input_checkbox("norm", word("Normalización por lotes",
                                       "Batch normalization"))]
    training = [
        ui.input_select("optimizer", word("Optimizador", "Optimizer"), {
            key: word(*names[:2]) for key, names in OPTIMIZERS.items()},
            selected="momentum", **wide),
        ui.input_select("rate", word("Tasa de aprendizaje", "Learning rate"),
                        RATES, selected="0.1", **wide),
        ui.input_select("batch", word("Tamaño del lote", "Batch size"),
                        ["16", "32", "64", "128", "256"], selected="64",
                        **wide),
        ui.input_checkbox_group(
            "broken", word("Estropearlo", "Break it"), {
                "flat": word("etiquetas de forma (1, m)",
                             "labels of shape (1, m)"),
                "unscaled": word("píxeles sin dividir", "undivided pixels"),
                "relu": word("sin ReLU", "without ReLU")})]
    return layers, training


def app_ui(request):
    lang, word = visit_words(__file__, request.query_params.get("lang"))
    in_the_book = request.query_params.get("page") == "book"
    title = word("Una red que aprende", "A network that learns")
    layers, training = settings(word)
    return ui.page_fixed(
        ui.tags.style(STYLE),
        ui.busy_indicators.use(spinners=False, pulse=False),
        ui.div(ui.h1(title, class_="h3"),
               None if in_the_book else ui.input_dark_mode(
                   aria_label=word("Claro u oscuro", "Light or dark")),
               class_="d-flex justify-content-between mt-3"),
        ui.layout_columns(
            ui.card(ui.h2(word("La red", "The network"), class_="h5"),
                    *layers),
            ui.card(ui.h2(word("El entrenamiento", "The training"),
                          class_="h5"), *training),
            col_widths={"sm": (6, 6)}),
        ui.p(word("La tasa puede cambiar sobre la marcha. Lo demás empieza "
                  "una red nueva.", "The rate may change on the way. "
                  "Anything else begins a new network."), class_="small"),
        ui.div(
            ui.input_select("epochs", word("Épocas", "Epochs"),
                            ["1", "5", "20"], selected="5", width="7rem"),
            ui.input_action_button("go", word("Entrenar", "Train"),
                                   class_="btn-primary mb-3"),
            ui.input_action_button("stop", word("Parar", "Stop"),
                                   class_="mb-3"),
            ui.input_action_button("anew", word("Empezar de nuevo",
                                                "Start over"), class_="mb-3"),
            class_="d-flex flex-wrap gap-2 align-items-end"),
        ui.output_ui("trouble"),
        ui.p(ui.output_text("state"), class_="mb-1"),
        ui.output_ui("curves"),
        ui.output_ui("weights"),
        ui.output_ui("numbers"),
        lang=lang, title=title)


def server(input, output, session):
    with reactive.isolate():
        asked = parse_qs(input[".clientdata_url_search"]().lstrip("?"))
    _, word = visit_words(__file__, asked.get("lang", [None])[0])
    lesson, running = reactive.value(), reactive.value(0)   # epochs to go
    moved, measured = reactive.value(0), reactive.value(0)  # steps; epochs

    @reactive.calc
    def choice():
        broken = input.broken()
        return Choice(input.convolutions(), int(input.filters()),
                      int(input.units()), input.norm(), "relu" not in broken,
                      input.optimizer(), int(input.batch()),
                      "flat" in broken, "unscaled" not in broken)

    @reactive.effect
    def begin():
        input.anew()
        running.set(0)
        lesson.set(Lesson(choice()))

    @reactive.effect
    @reactive.event(input.go)
    def go():
        if lesson().error:
            lesson.set(Lesson(choice()))
        running.set(int(input.epochs()))

    @reactive.effect
    @reactive.event(input.stop)
    def stop():
        running.set(0)

    @reactive.effect
    def tick():
        "Learn a little, and leave the floor to what the page says."
        if not running():
            return
        with reactive.isolate():
            now = lesson()
            before = len(now.history)
            now.advance(float(input.rate()), 0.2)
            moved.set(moved() + 1)
            if len(now.history) > max(before, 1) or now.error:
                left = 0 if now.error else running() - 1
                running.set(left)
            if len(now.history) > before or now.error:
                measured.set(measured() + 1)
        reactive.invalidate_later(0.01)

    @render.ui
    def trouble():
        measured()
        now = lesson()
        told = [text for text in (now.error, now.warned) if text]
        advice = now.advice(word)
        if told or advice:
            return ui.div(*[ui.p(ui.tags.code(text)) for text in told],
                          *[ui.p(line, class_="mb-0") for line in advice],
                          class_="alert alert-warning", role="alert")

    @render.text
    def state():
        moved()
        now = lesson()
        if not now.history:
            return word("Una red nueva, sin entrenar.",
                        "A new network, untrained.")
        doing = (word("Aprende", "Learning") if running()
                 else word("Parada", "Stopped"))
        done, judged = len(now.history) - 1, now.history[-1]["val_accuracy"]
        return word(
            f"{doing}. Épocas: {done}; lote {now.batch()} de {now.steps}. "
            f"Exactitud de validación: {judged:.1f} %",
            f"{doing}. Epochs: {done}; batch {now.batch()} of {now.steps}. "
            f"Validation accuracy: {judged:.1f}%")

    @render.ui
    def curves():
        measured()
        history = lesson().history
        if not history:
            return None
        names = (word("entrenamiento", "training"),
                 word("validación", "validation"))
        top = max(0.5, *(min(record[key], 5) for record in history
                         for key in ("cost", "val_cost")))
        return ui.TagList(
            ui.p(ui.span("━ " + names[0], class_="learned me-3"),
                 ui.span("╍ " + names[1], class_="validated"),
                 class_="mb-1"),
            ui.div(*[
                ui.div(ui.h2(title, class_="h6"),
                       chart(history, key, title, names, *scale),
                       class_="col-sm-6 mb-3")
                for title, key, *scale in (
                    (word("Costo", "Cost"), "cost", round(top, 1), 3),
                    (word("Exactitud (%)", "Accuracy (%)"), "accuracy", 100,
                     1))], class_="row"))

    @render.ui
    def weights():
        moved()
        what = (word("Los filtros de la primera capa",
                     "The filters of the first layer")
                if lesson().choice.convolutions else
                word("Los pesos de cada unidad", "The weights of each unit"))
        return ui.TagList(
            ui.h2(what, class_="h6"),
            ui.div(*pictures(lesson().model, word),
                   class_="d-flex flex-wrap gap-2 mb-3"))

    @render.ui
    def numbers():
        measured()
        if not lesson().history:
            return None
        heads = (word("Época", "Epoch"), word("Costo", "Cost"),
                 word("Exactitud (%)", "Accuracy (%)"),
                 word("Costo de validación", "Validation cost"),
                 word("Exactitud de validación (%)",
                      "Validation accuracy (%)"))
        rows = [ui.tags.tr(*[ui.tags.td(cell) for cell in (
            record["epoch"], f"{record['cost']:.4f}",
            f"{record['accuracy']:.1f}", f"{record['val_cost']:.4f}",
            f"{record['val_accuracy']:.1f}")])
            for record in lesson().history]
        return ui.tags.details(
            ui.tags.summary(word("Los números de cada época",
                                 "The numbers of each epoch")),
            ui.div(ui.tags.table(
                ui.tags.thead(ui.tags.tr(*[ui.tags.th(head, scope="col")
                                           for head in heads])),
                ui.tags.tbody(*rows), class_="table table-sm"),
                class_="table-responsive", tabindex="0"))


app = App(app_ui, server)
