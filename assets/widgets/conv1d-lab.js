// <conv1d-lab>: flip a kernel and slide it along a signal, step by step.
// Attributes: signal, kernel (numbers apart by spaces), mode ("full", "same",
// "valid" or a number of zeros), stride, dilation.
{
  const { Lab, h, show, signed, glide, range, flip, dilate, pad_widths,
    output_size, conv1d_terms, sum } = cnnbook;

  class Conv1dLab extends Lab {
    static style = `
td.output { padding: 0; }
.output button { width: 100%; height: 100%; min-height: 0; padding: 0; border: 0;
  background: none; border-radius: 3px; }
.output:has([aria-current]) { box-shadow: inset 0 0 0 2px var(--output); }
.player { display: flex; flex-wrap: wrap; gap: .4rem; align-items: center; }
.sum { min-height: 3.2rem; }
.middle { align-items: center; }
`;

    title() {
      return this.word("Laboratorio: convolución en una dimensión",
        "Lab: convolution in one dimension");
    }

    build() {
      const given = (name, usual) => this.getAttribute(name) ?? usual;
      const mode = given("mode", "same"), named = isNaN(mode);
      this.signal = this.numbers(this.word("Señal x", "Signal x"),
        given("signal", "3 1 4 1 5 9 2 6"), 1, 24);
      this.kernel = this.numbers(this.word("Núcleo w", "Kernel w"),
        given("kernel", "1 2 3"), 1, 9);
      const padding = this.padding(named ? mode : "number", named ? 1 : mode);
      this.stride = this.integer(this.word("Paso s", "Stride s"), given("stride", 1), 1, 9);
      this.dilation = this.integer(this.word("Dilatación d", "Dilation d"),
        given("dilation", 1), 1, 5);
      this.flipped = this.check_box(this.word("Voltear el núcleo", "Flip the kernel"), true);
      this.step = 0;
      this.flip = h("div");
      this.slide = h("tbody");
      this.positions = h("thead");
      this.window = this.scroller(this.word("La ventana sobre la señal", "The window over the signal"),
        h("table", {}, h("caption", {}, this.word("La ventana sobre la señal", "The window over the signal")),
          this.positions, this.slide));
      this.sum = h("p", { class: "sum" });
      this.outputs = h("table", { onkeydown: event => this.press(event) });
      this.result = this.scroller(this.word("La salida y", "The output y"), this.outputs);
      this.size = h("div");
      return [
        h("div", { class: "row" }, this.signal.element, this.kernel.element),
        h("div", { class: "row" }, padding, this.stride.element, this.dilation.element),
        h("div", { class: "row middle" }, this.flip, this.flipped.element),
         this.window, this.sum, this.result, this.player(), this.size];
    }

    player() {
      const go = change => () => { this.pause(); this.go(this.step + change); };
      this.slider = h("input", { type: "range", min: 0, value: 0,
        "aria-label": this.word("Paso de la ventana", "Step of the window"),
        oninput: () => { this.pause(); this.go(Number(this.slider.value)); } });
      this.where = h("span");
      this.play = this.icon_button("play", "", () => this.timer ? this.pause() : this.start());
      return h("div", { class: "player" },
        this.icon_button("first", this.word("Al principio", "To the beginning"), go(-Infinity)),
        this.icon_button("back", this.word("Atrás", "Back"), go(-1)),
        this.play,
        this.icon_button("step", this.word("Adelante", "Forward"), go(1)),
        this.icon_button("last", this.word("Al final", "To the end"), go(Infinity)),
        this.slider, this.where);
    }

    start() {
      if (this.step === this.n_out - 1) this.go(0);
      this.timer = setInterval(() => {
        if (this.step < this.n_out - 1) this.go(this.step + 1);
        else this.pause();
      }, 1200);
      this.draw_play();
    }

    pause() {
      clearInterval(this.timer);
      this.timer = null;
      this.draw_play();
    }

    draw_play() {
      const [name, label] = this.timer ? ["pause", this.word("Pausa", "Pause")]
        : ["play", this.word("Reproducir", "Play")];
      if (this.play.title !== label)
        this.relabel(this.play, name, label);
    }

    disconnectedCallback() { clearInterval(this.timer); }

    check() {
      const n = this.signal.value.length;
      this.w = dilate(this.kernel.value, this.dilation.value);
      if (this.w.length > n) return [this.kernel, this.kernel.input.value, this.word(
        `con dilatación ${this.dilation.value} abarca ${this.w.length} casillas, y se esperan como mucho las ${n} de la señal`,
        `with dilation ${this.dilation.value} it spans ${this.w.length} cells; expected at most the ${n} of the signal`)];
      if (!this.flipped.value) this.w = flip(this.w);   // flipped twice below
    }

    // The settings changed: begin with the first window.
    draw() {
      this.pause();
      const n = this.signal.value.length, stride = this.stride.value;
      const widths = pad_widths(this.p, this.w.length);
      this.before = widths[0];
      this.w_flipped = flip(this.w);
      this.n_out = output_size(n, this.w.length, widths, stride);
      this.first = -widths[0];
      this.places = range(widths[0] + n + widths[1]).map(i => i - widths[0]);
      this.slider.max = this.n_out - 1;
      this.draw_flip();
      this.draw_signal();
      this.size.replaceChildren(this.size_formula("m", { n, widths, stride,
        length: this.kernel.value.length, dilation: this.dilation.value, n_out: this.n_out }));
      this.start_of_window = null;
      this.go(0);
    }

    draw_flip() {
      const weights = this.kernel.value, m = weights.length;
      const cells = values => values.map(value => h("td", { class: "kernel" }, show(value)));
      const now = cells(this.flipped.value ? flip(weights) : weights);
      const after = this.flipped.value ? this.word("w volteado", "w flipped")
        : this.word("w sin voltear", "w not flipped");
      this.flip.replaceChildren(h("table", {}, h("tbody", {},
        h("tr", {}, h("th", { scope: "row" }, "w"), cells(weights)),
        h("tr", {}, h("th", { scope: "row" }, after), now))));
      const key = weights.join() + this.flipped.value;
      if (key !== this.last_flip && this.flipped.value)
        now.forEach((cell, j) => glide(cell, (m - 1 - 2 * j) * (cell.offsetWidth + 2)));
      this.last_flip = key;
    }

    draw_signal() {
      const x = this.signal.value;
      const header = text => h("th", { scope: "row" }, text);
      this.positions.replaceChildren(h("tr", {},
        header(this.word("posición", "position")),
        this.places.map(place => h("th", { scope: "col" }, show(place)))));
      this.signal_cells = this.places.map(place => h("td",
        { class: place in x ? "input" : "pad" }, show(x[place] ?? 0)));
      this.kernel_row = h("tr");
      this.product_row = h("tr");
      this.slide.replaceChildren(h("tr", {}, header("x"), this.signal_cells),
        this.kernel_row, this.product_row);
    }

    // Show the window of output `step`.
    go(step) {
      this.step = Math.max(0, Math.min(step, this.n_out - 1));
      const start = this.step * this.stride.value - this.before;
      this.terms = conv1d_terms(this.signal.value, this.w_flipped, start)
        .filter((_, j) => j % this.dilation.value === 0);
      this.total = sum(this.terms.map(term => term.product));
      this.draw_window(start);
      this.draw_sum();
      this.draw_outputs();
      this.slider.value = this.step;
      const text = this.word(`paso ${this.step + 1} de ${this.n_out}`,
        `step ${this.step + 1} of ${this.n_out}`);
      this.slider.setAttribute("aria-valuetext", text);
      this.where.textContent = text;
    }

    draw_window(start) {
      const under = new Map(this.terms.map(term => [term.position, term]));
      const cells = (kind, text) => this.places.map(place => under.has(place)
        ? h("td", { class: kind }, text(under.get(place)))
        : h("td"));
      const weights = cells("kernel strong", term => show(term.weight));
      this.kernel_row.replaceChildren(h("th", { scope: "row" },
        this.flipped.value ? this.word("volteado", "flipped") : "w"), ...weights);
      this.product_row.replaceChildren(h("th", { scope: "row" }, this.word("producto", "product")),
        ...cells("gray", term => show(term.product)));
      this.places.forEach((place, i) =>
        this.signal_cells[i].classList.toggle("strong", under.has(place)));
      const width = this.signal_cells[0].offsetWidth + 2;
      if (this.start_of_window !== null)
        for (const cell of weights) glide(cell, (this.start_of_window - start) * width);
      this.start_of_window = start;
      const middle = this.signal_cells[start + this.before].offsetLeft + this.w.length * width / 2;
      this.window.scrollTo({ left: middle - this.window.clientWidth / 2 });
    }

    draw_sum() {
      const terms = this.terms.map((term, i) => [i ? " + " : "",
        h("span", { class: "input-text" }, signed(term.value)), "·",
        h("span", { class: "kernel-text" }, signed(term.weight))]);
      this.sum.replaceChildren(...[`y[${this.step}] = `, terms, " = ",
        h("span", { class: "output-text" }, show(this.total))].flat(9));
      const times = this.word("por", "times"), plus = this.word("más", "plus");
      const spoken = this.terms.map(term => `${show(term.value)} ${times} ${show(term.weight)}`);
      this.announce(`y[${this.step}]: ${this.timer ? "" : spoken.join(` ${plus} `)} = ${show(this.total)}`);
    }

    draw_outputs() {
      const y = cnnbook.conv1d(this.signal.value, this.w, this.p, this.stride.value);
      const steps = range(this.n_out);
      const cell = i => h("td", { class: `output ${i === this.step ? "strong" : ""}` },
        h("button", { type: "button", onclick: () => this.choose(i),
          "aria-current": i === this.step ? "step" : null, tabindex: i === this.step ? 0 : -1,
          "aria-label": i > this.step ? this.word(`y[${i}], por calcular`, `y[${i}], to be computed`) : null,
        }, i > this.step ? "?" : show(y[i])));
      this.outputs.replaceChildren(
        h("caption", {}, this.word("La salida y", "The output y")),
        h("thead", {}, h("tr", {}, h("th", { scope: "row" }, this.word("índice", "index")),
          steps.map(i => h("th", { scope: "col" }, String(i))))),
        h("tbody", {}, h("tr", {}, h("th", { scope: "row" }, "y"), steps.map(cell))));
    }

    choose(step) {
      this.pause();
      this.go(step);
      this.outputs.querySelectorAll("button")[this.step].focus();
    }

    press(event) {
      const change = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
      if (!change) return;
      event.preventDefault();
      this.choose(this.step + change);
    }
  }

  customElements.define("conv1d-lab", Conv1dLab);
}
