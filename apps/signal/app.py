"""A sine wave and a filter on it, as a Shiny app.

Run it with `shiny run apps/signal/app.py`, in Spanish or English as the
system is, or as the address says: `?lang=es`.
"""
import numpy as np
from shiny import App, reactive, render, ui

from cnnbook.convolution1d import conv1d, pad_widths
from cnnbook.press.visits import visit_words

N = 64                                  # samples of the signal
KERNELS = {"1/3 1/3 1/3": ("media de 3", "average of 3"),
           "1/8 1/8 1/8 1/8 1/8 1/8 1/8 1/8": ("media de 8", "average of 8"),
           "1 -1": ("diferencia", "difference"),
           "1 -2 1": ("segunda diferencia", "second difference"),
           "own": ("propio", "your own")}
MODES = "full", "same", "valid", "p"
STYLE = """
.signal { color: #0072B2 } .filtered { color: #009E73 }
[data-bs-theme="dark"] .signal { color: #56b4e9 }
[data-bs-theme="dark"] .filtered { color: #4ecfa4 }
svg { display: block; width: 100%; height: auto }
#y { overflow-wrap: anywhere; font-variant-numeric: tabular-nums }
"""


def sine(period, amplitude, phase):
    "`N` samples of a sine of `period` samples; `phase` in degrees."
    i = np.arange(N)
    return amplitude * np.sin(2 * np.pi * i / period + np.radians(phase))


def read_kernel(text):
    "The numbers of `text`, apart by spaces; fractions such as 1/3 too."
    def number(word):
        above, _, below = word.partition("/")
        return float(above) / float(below or 1)
    w = np.array([number(word) for word in text.split()])
    if not np.all(np.abs(w) <= 999):
        raise ValueError(f"w must hold numbers from -999 to 999; got {text}")
    return w


def read_padding(mode, zeros):
    "What `conv1d` expects as `p`."
    if mode != "p":
        return mode
    if zeros is not None and zeros > N:
        raise ValueError(f"p must be at most {N}; got {zeros}")
    return zeros


def gain(w, period):
    "By how much `w` multiplies the amplitude of a sine of `period`."
    turns = np.exp(-2j * np.pi * np.arange(len(w)) / period)
    return abs(np.sum(w * turns))


def chart(values, at, name, top, first, last):
    """An SVG of `values` at the places `at` of the signal.

    Both signals are drawn from -top to top and from place first to last.
    """
    x = 10 + 640 * (at - first) / (last - first)
    y = 70 - 60 * values / top
    dots = "".join(f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3"/>'
                   for a, b in zip(x, y))
    line = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y))
    return ui.HTML(
        f'<svg viewBox="0 0 660 140" class="{name}" role="img" '
        f'aria-labelledby="{name}-name"><line x1="0" x2="660" y1="70" '
        'y2="70" stroke="currentColor" stroke-opacity=".4"/>'
        f'<polyline points="{line}" fill="none" stroke="currentColor" '
        f'stroke-opacity=".5"/><g fill="currentColor">{dots}</g></svg>')


def app_ui(request):
    lang, word = visit_words(__file__, request.query_params.get("lang"))
    in_the_book = request.query_params.get("page") == "book"
    title = word("La onda y el filtro", "The wave and the filter")
    wide = {"width": "100%"}
    wave = [
        ui.input_slider("period", word("Periodo (muestras)",
                                       "Period (samples)"), 2, 64, 16, **wide),
        ui.input_slider("amplitude", word("Amplitud", "Amplitude"), 0, 3, 1,
                        step=0.1, **wide),
        ui.input_slider("phase", word("Fase (grados)", "Phase (degrees)"), 0,
                        360, 0, step=5, **wide)]
    filter_ = [
        ui.input_select("preset", word("Núcleo", "Kernel"), {
            key: word(*names) for key, names in KERNELS.items()}, **wide),
        ui.panel_conditional(
            "input.preset === 'own'",
            ui.input_text("kernel", word("Números del núcleo",
                                         "Numbers of the kernel"), "1 0 -1")),
        ui.input_radio_buttons("mode", word("Relleno", "Padding"), {
            **{mode: mode for mode in MODES[:3]},
            "p": word("ceros a cada lado", "zeros on each side")},
            selected="same"),
        ui.panel_conditional(
            "input.mode === 'p'",
            ui.input_numeric("p", "p", 1, min=0, max=N)),
        ui.input_numeric("stride", word("Paso", "Stride"), 1, min=1, max=16,
                         **wide)]
    return ui.page_fixed(
        ui.tags.style(STYLE),
        ui.busy_indicators.use(spinners=False, pulse=False),
        ui.div(ui.h1(title, class_="h3"),
               None if in_the_book else ui.input_dark_mode(
                   aria_label=word("Claro u oscuro", "Light or dark")),
               class_="d-flex justify-content-between mt-3"),
        ui.layout_columns(
            ui.card(ui.h2(word("La onda", "The wave"), class_="h5"), *wave),
            ui.card(ui.h2(word("El filtro", "The filter"), class_="h5"),
                    *filter_), col_widths={"sm": (6, 6)}),
        ui.p(word("La señal, x", "The signal, x"), id="signal-name",
             class_="mb-0"),
        ui.output_ui("signal"),
        ui.p(word("La señal filtrada, y", "The filtered signal, y"),
             id="filtered-name", class_="mb-0"),
        ui.output_ui("filtered"),
        ui.p(word("Tamaño de y: ", "Size of y: "),
             ui.output_text("size", inline=True)),
        ui.p(word("Lejos de los bordes, el filtro multiplica la amplitud por ",
                  "Away from the borders, the filter multiplies the "
                  "amplitude by "), ui.output_text("ratio", inline=True)),
        ui.tags.details(ui.tags.summary(word("Los valores de y",
                                             "The values of y")),
                        ui.output_text("y")),
        lang=lang, title=title)


def server(input, output, session):
    @reactive.calc
    def x():
        return sine(input.period(), input.amplitude(), input.phase())

    @reactive.calc
    def result():
        "The kernel, the zeros at each side, and y; or what is wrong."
        own = input.preset() == "own"
        try:
            w = read_kernel(input.kernel() if own else input.preset())
            p = read_padding(input.mode(), input.p())
            y = conv1d(x(), w, p, input.stride())
        except (ValueError, TypeError, ZeroDivisionError) as error:
            return f"{type(error).__name__}: {error}"
        return w, pad_widths(p, len(w)), y

    @reactive.calc
    def places():
        "Where each value of y is: over the middle of its window."
        w, (before, _), y = result()
        middle = (len(w) - 1) / 2 - before
        return middle + input.stride() * np.arange(len(y))

    def scale():
        "The largest value, and the first and the last place, of x and y."
        ours = np.abs(x()).max()
        if isinstance(result(), str):
            return ours or 1, 0, N - 1
        return (max(ours, np.abs(result()[2]).max()) or 1,
                min(0, places()[0]), max(N - 1, places()[-1]))

    @render.ui
    def signal():
        return chart(x(), np.arange(N), "signal", *scale())

    @render.ui
    def filtered():
        if isinstance(result(), str):
            return ui.p(result(), class_="alert alert-warning", role="alert")
        return chart(result()[2], places(), "filtered", *scale())

    @render.text
    def size():
        if isinstance(result(), str):
            return "–"
        w, (before, after), y = result()
        return (f"⌊({N} + {before} + {after} − {len(w)}) / "
                f"{input.stride()}⌋ + 1 = {len(y)}")

    @render.text
    def ratio():
        failed = isinstance(result(), str)
        return "–" if failed else f"{gain(result()[0], input.period()):.4f}"

    @render.text
    def y():
        failed = isinstance(result(), str)
        return "–" if failed else " ".join(f"{v:.4f}" for v in result()[2])


app = App(app_ui, server)
