// <digit-lab>: draw a digit; the network of the chapter reads it in the page.
//
// The weights come from the script data/digits.js, which the builder writes
// from the output of a cell of the chapter; it is loaded on first use. They
// are a safetensors file: what `cnnbook.storage.to_bytes` returns for the
// `state_dict` of a network of `cnnbook.nn`, its layers and test digits. It
// may say the side of its images, "grid", 8 or 28; with no test digits, the
// pad begins with the strokes of its "example".
"use strict";
(() => {
  const here = document.currentScript.src;

  // The network -------------------------------------------------------------

  const KINDS = { F32: Float32Array, U8: Uint8Array };

  // Return {layers, arrays, grid, example} of the bytes that `cnnbook.storage.to_bytes` wrote.
  function fromBytes(bytes) {
    const fail = why => { throw new Error(`not a network kept by cnnbook: ${why}`); };
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (bytes.length < 8) fail("it is cut short");
    const start = 8 + view.getUint32(0, true);
    if (view.getUint32(4, true) || start > bytes.length) fail("it is foreign, or its header is cut short");
    let layers, entries, grid, example;
    try {
      const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(8, start));
      const { __metadata__: metadata, ...places } = JSON.parse(text);
      ({ layers, grid = 8, example = [] } = JSON.parse(metadata.tree));
      layers = layers.map(([name, settings]) => ({ name, ...settings }));
      entries = Object.entries(places).map(([name, { dtype, shape, data_offsets: [begin, end] }]) =>
        ({ name, dtype, shape: [...shape], begin, end }));
    } catch (error) {
      fail(`its header is damaged (${error.message})`);
    }
    const arrays = {};
    let at = start;
    entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
    for (const { name, dtype, shape, begin, end } of entries) {
      if (!KINDS[dtype]) fail(`${name} has the dtype ${dtype}`);
      const count = shape.reduce((a, b) => a * b, 1);
      if (start + begin !== at || start + end > bytes.length
          || end - begin !== count * KINDS[dtype].BYTES_PER_ELEMENT) {
        fail(`${name} is cut short or out of its place`);
      }
      const data = new KINDS[dtype](count);   // little-endian, like the file
      new Uint8Array(data.buffer).set(bytes.subarray(at, start + end));
      arrays[name] = { shape, data };
      at = start + end;
    }
    if (at !== bytes.length) fail(`${bytes.length - at} bytes are left over`);
    if (!IMAGES[grid]) fail(`its images are of ${grid} x ${grid}`);
    return { layers, arrays, grid, example };
  }

  // Each layer takes and returns {shape: [rows, columns, channels], data}.
  function conv({shape: [H, W, C], data: A}, weights, bias, pad) {
    const [f, , , n] = weights.shape, K = weights.data;
    const rows = H + 2 * pad - f + 1, cols = W + 2 * pad - f + 1;
    const Z = new Float32Array(rows * cols * n), sum = new Float64Array(n);
    for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) {
      sum.set(bias.data);
      for (let u = 0; u < f; u++) for (let v = 0; v < f; v++) {
        const r = i + u - pad, s = j + v - pad;
        if (r < 0 || r >= H || s < 0 || s >= W) continue;
        for (let c = 0; c < C; c++) {
          const a = A[(r * W + s) * C + c], k0 = ((u * f + v) * C + c) * n;
          if (a) for (let k = 0; k < n; k++) sum[k] += a * K[k0 + k];
        }
      }
      Z.set(sum, (i * cols + j) * n);
    }
    return {shape: [rows, cols, n], data: Z};
  }

  function relu({shape, data}) {
    return {shape, data: data.map(z => Math.max(z, 0))};
  }

  function pool({shape: [H, W, C], data: A}) {
    const rows = H >> 1, cols = W >> 1, out = new Float32Array(rows * cols * C);
    const at = (i, j, c) => A[(i * W + j) * C + c];
    for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) {
      for (let c = 0; c < C; c++) {
        out[(i * cols + j) * C + c] = Math.max(
          at(2 * i, 2 * j, c), at(2 * i, 2 * j + 1, c),
          at(2 * i + 1, 2 * j, c), at(2 * i + 1, 2 * j + 1, c));
      }
    }
    return {shape: [rows, cols, C], data: out};
  }

  function dense({data: a}, weights, bias) {
    const n = weights.shape[1], z = Float64Array.from(bias.data);
    a.forEach((x, i) => {
      if (x) for (let k = 0; k < n; k++) z[k] += x * weights.data[i * n + k];
    });
    return {shape: [1, 1, n], data: Float32Array.from(z)};
  }

  function softmax({shape, data: z}) {
    const largest = Math.max(...z), e = Array.from(z, x => Math.exp(x - largest));
    const sum = e.reduce((a, b) => a + b, 0);
    return {shape, data: e.map(x => x / sum)};
  }

  // Every layer's output, in order; dropout does nothing when predicting, and
  // the numbers of a map lie in the order in which they are flattened already.
  function forward({ layers: given, arrays }, image) {
    const layers = [];
    let A = image, convolutions = 0;
    given.forEach(({ name: kind, stride, dilation, pad, f }, i) => {
      const W = arrays[`${i}.W`], b = arrays[`${i}.b`];
      const from = A.shape;
      const plain = kind === "MaxPool2D" ? f === 2 && stride === 2 : (stride ?? 1) === 1 && (dilation ?? 1) === 1;
      if (kind === "Dropout" || kind === "Flatten") return;
      else if (kind === "Conv2D" && plain) A = conv(A, W, b, pad);
      else if (kind === "ReLU") A = relu(A);
      else if (kind === "MaxPool2D" && plain) A = pool(A);
      else if (kind === "Linear") A = dense(A, W, b);
      else throw new Error(`layer ${i}, ${kind}, is unknown, or its settings are`);
      if (kind === "Conv2D") convolutions += 1;
      layers.push({ kind, k: convolutions, W, b, f: W?.shape[0], pad, from, ...A });
    });
    layers.push({ kind: "softmax", ...softmax(A) });
    return layers;
  }

  // The pixels of the input that one number of layer `n` depends on.
  function receptiveField(layers, n, row, col) {
    let [top, left, bottom, right] = [row, col, row, col];
    for (const {kind, f, pad} of layers.slice(0, n + 1).reverse()) {
      if (kind === "Conv2D") {
        [top, left] = [top - pad, left - pad];
        [bottom, right] = [bottom - pad + f - 1, right - pad + f - 1];
      } else if (kind === "MaxPool2D") {
        [top, left, bottom, right] = [2 * top, 2 * left, 2 * bottom + 1, 2 * right + 1];
      }
    }
    const inside = x => Math.min(Math.max(x, 0), layers[0].from[0] - 1);
    return [top, left, bottom, right].map(inside);
  }

  // From strokes to numbers -------------------------------------------------

  // The images that a network reads. The strokes are on a pad of `units` x
  // `units`, where a pen of radius `pen` turns dots on, `dots` x `dots` in
  // each unit. Those that are on are counted in `grid` x `grid` blocks; a
  // full one is `full`. On the screen a unit takes `zoom` pixels.
  const IMAGES = {
    8: { grid: 8, units: 32, dots: 1, full: 16, pen: 2.2, zoom: 8, fit: fitBitmap },
    28: { grid: 28, units: 28, dots: 8, full: 255, pen: 1.3, zoom: 10, fit: fitMnist },
  };
  const INK = 310;         // dots on: the mean of the digits of 8 x 8
  const WIDEST = 24;       // and how wide the widest of them are
  const BOX = 20;          // MNIST's digits fit in such a square, and the
  const MIDDLE = 14.5;     // mass of their ink is centered in its pixel 14, 14

  // Square of the distance from (x, y) to the segment from (a, b) to (c, d).
  function distance2(x, y, [a, b], [c, d]) {
    const [u, v] = [c - a, d - b], length2 = u * u + v * v;
    const t = length2 && Math.min(Math.max(((x - a) * u + (y - b) * v) / length2, 0), 1);
    return (x - a - t * u) ** 2 + (y - b - t * v) ** 2;
  }

  function rasterize(strokes, radius, { units, dots }) {
    const side = units * dots, bitmap = new Uint8Array(side * side);
    for (const points of strokes) points.forEach((end, i) => {
      const start = points[Math.max(i - 1, 0)];
      const span = k => [Math.max(Math.floor(dots * (Math.min(start[k], end[k]) - radius)), 0),
                         Math.min(Math.ceil(dots * (Math.max(start[k], end[k]) + radius)), side)];
      const [[left, right], [top, bottom]] = [span(0), span(1)];
      for (let y = top; y < bottom; y++) for (let x = left; x < right; x++) {
        if (distance2((x + 0.5) / dots, (y + 0.5) / dots, start, end) <= radius ** 2) bitmap[y * side + x] = 1;
      }
    });
    return bitmap;
  }

  const total = values => values.reduce((a, b) => a + b, 0);

  // The size of a drawing, and a function that draws it at a scale around (x, y).
  function measure(strokes) {
    const xs = strokes.flat().map(p => p[0]), ys = strokes.flat().map(p => p[1]);
    const [left, top] = [Math.min(...xs), Math.min(...ys)];
    const width = Math.max(...xs) - left, height = Math.max(...ys) - top;
    const place = (scale, x, y) => strokes.map(points => points.map(([a, b]) =>
      [x + scale * (a - left - width / 2), y + scale * (b - top - height / 2)]));
    return { width, height, place };
  }

  // As in the set of 8 x 8: as tall as the bitmap, centered, with its amount of ink.
  function fitBitmap(strokes, image) {
    const { width, height, place } = measure(strokes), { units } = image;
    const draw = radius => {
      const tall = units - 2 * radius, wide = WIDEST - 2 * radius;
      const scale = Math.min(tall / Math.max(height, 1), wide / Math.max(width, 1));
      return rasterize(place(scale, units / 2, units / 2), radius, image);
    };
    let [thin, thick] = [1, 5];
    for (let n = 0; n < 8; n++) {
      const middle = (thin + thick) / 2;
      if (total(draw(middle)) < INK) thin = middle; else thick = middle;
    }
    return draw(thin);
  }

  // As in MNIST: in its box, with its proportions, and then moved as a whole
  // to center its mass, as far as the ink stays in the image.
  function fitMnist(strokes, image) {
    const { width, height, place } = measure(strokes), { units, pen } = image;
    const scale = (BOX - 2 * pen) / Math.max(width, height, 1);
    const draw = (x, y) => rasterize(place(scale, x, y), pen, image);
    const mass = massCenter(draw(units / 2, units / 2), image);
    const [x, y] = [width, height].map((length, k) => {
      const half = scale * length / 2 + pen;
      return Math.min(Math.max(units / 2 + MIDDLE - mass[k], half), units - half);
    });
    return draw(x, y);
  }

  // The mean place of the dots that are on, in units: [x, y].
  function massCenter(bitmap, { units, dots }) {
    let count = 0, x = 0, y = 0;
    bitmap.forEach((on, i) => {
      if (!on) return;
      count += 1;
      x += i % (units * dots) + 0.5;
      y += Math.floor(i / (units * dots)) + 0.5;
    });
    return [x, y].map(sum => sum / count / dots);
  }

  function countBlocks(bitmap, { grid, units, dots, full }) {
    const side = units * dots, block = side / grid, counts = new Uint8Array(grid * grid);
    bitmap.forEach((on, i) => {
      const row = Math.floor(i / side / block), col = Math.floor(i % side / block);
      counts[row * grid + col] += on;
    });
    return counts.map(count => Math.round(full * count / block ** 2));
  }

  // The lab -----------------------------------------------------------------

  const { Lab, h, range } = cnnbook;
  const percent = p => `${(100 * p).toFixed(1)}%`;
  const decimal = (x, digits = 3) =>          // no "−0.00"
    x.toFixed(digits).replace(/^-(?=0\.0*$)/, "").replace("-", "−");
  const argmax = values => values.indexOf(Math.max(...values));

  // Make `canvas` `width` x `height` CSS pixels, sharp on any screen.
  function paint(canvas, width, height, draw) {
    const scale = Math.ceil(devicePixelRatio), g = canvas.getContext("2d");
    Object.assign(canvas, { width: width * scale, height: height * scale });
    Object.assign(canvas.style, { aspectRatio: `${width} / ${height}` });
    g.scale(scale, scale);
    draw(g);
  }

  class DigitLab extends Lab {
    static fromBytes = fromBytes;
    static receptiveField = receptiveField;
    image = IMAGES[8];              // until its file says another
    samples = true;                 // it has test digits
    strokes = [];
    sample = null;                  // the test digit on the pad, if any
    example = false;                // the strokes are not the reader's
    pixel = null;                   // that is pointed at: [row, column]

    title() { return this.word("Laboratorio de dígitos", "Digit lab"); }

    // What is on the page.

    build() {
      const { grid, units } = this.image, middle = Math.floor((grid - 1) / 2);
      this.cursor = [units / 2, units / 2];
      this.probe = { n: 0, map: 0, row: middle, col: middle };
      this.swatches = h("span", { hidden: true }, ["text", "faint", "rule", "input",
        "kernel", "output"].map(name => h("i", { id: name, style: `color: var(--${name})` })));
      this.verdict = h("p", { class: "verdict" });
      const stages = h("div", { class: "stages" },
        this.build_pad(), this.build_count(), this.build_answer());
      return [stages, this.verdict, this.build_tools(), this.build_maps(),
        this.samples ? this.build_hard() : [], this.swatches];
    }

    connectedCallback() {
      if (this.shadowRoot) return;
      super.connectedCallback();
      this.watch();
    }

    // Pixels of gray, too many to write their numbers in them.
    get gray() { return this.image.dots > 1; }

    stage(name, ...children) {
      return h("section", { "aria-label": name }, h("p", { class: "heading" }, name), children);
    }

    build_pad() {
      const drawing = this.word("Lienzo", "Pad");
      this.pad = h("canvas", {
        class: "canvas", tabindex: 0, role: "application", "aria-label": drawing,
        "aria-describedby": "pad-help",
        onpointerdown: event => this.pen_down(event), onpointermove: event => this.pen_moves(event),
        onpointerup: () => this.pen_up(), onpointercancel: () => this.pen_up(),
        onkeydown: event => this.key(event), onfocus: () => this.draw(), onblur: () => this.pen_up(),
      });
      return this.stage(this.word("1. Dibujar", "1. Draw"), this.pad,
        h("p", { class: "hint", id: "pad-help" }, this.word(
          "Con el dedo o el ratón. Con el teclado: flechas para moverse (más fino con mayúsculas), espacio para bajar o subir el lápiz, retroceso para deshacer.",
          "With a finger or the mouse. With the keyboard: arrows to move (finer with shift), space to lower or lift the pen, backspace to undo.")));
    }

    build_count() {
      this.count_help = h("p", { class: "hint", id: "count-help" });
      this.pixel_help = h("p", { class: "hint pixel", id: "pixel-help", hidden: !this.gray });
      this.count = this.gray ? h("canvas", { class: "pixels", tabindex: 0, role: "application",
        "aria-describedby": "count-help pixel-help", onpointermove: event => this.point_pixel(event),
        onpointerdown: event => this.point_pixel(event), onkeydown: event => this.key_pixel(event),
      }) : h("canvas", { role: "img", "aria-label":
        this.word("Los 64 números", "The 64 numbers") });
      return this.stage(this.gray ? this.word("2. Medir", "2. Measure") : this.word("2. Contar", "2. Count"),
        this.count, this.pixel_help, this.count_help);
    }

    build_answer() {
      this.bars = range(10).map(k => h("li", {}, h("b", {}, String(k)),
        h("span", { class: "track" }, h("i")), h("span", { class: "share" })));
      return this.stage(this.word("3. Responder", "3. Answer"),
        h("ol", { class: "bars" }, this.bars));
    }

    build_tools() {
      this.fit = this.check_box(this.gray
        ? this.word("Ajustar el tamaño y centrar la tinta, como en MNIST",
          "Fit the size and center the ink, as in MNIST")
        : this.word("Ajustar el tamaño, el centro y la tinta, como en los datos",
          "Fit the size, the center and the ink, as in the data"), true);
      return h("div", { class: "tools" },
        h("div", { class: "row" },
          this.button(this.word("Deshacer", "Undo"), () => this.undo()),
          this.button(this.word("Borrar", "Clear"), () => this.clear()), this.fit.element),
        this.samples ? this.build_samples() : null);
    }

    build_samples() {
      this.index = this.integer(this.word("Dígito de prueba", "Test digit"), 0, 0, 449);
      this.last_index = null;
      return h("div", { class: "row" }, this.index.element,
        this.button(this.word("Cargar", "Load"), () => this.show_sample(this.index.value)),
        this.button(this.word("Otro al azar", "Another, at random"),
          () => this.index.set(Math.floor(Math.random() * this.labels.length))));
    }

    build_maps() {
      this.before = this.check_box(this.word("Ver los valores antes de ReLU",
        "See the values before ReLU"), false);
      this.rows = h("div", { class: "maps" });
      this.enlarged = h("canvas", { role: "img",
        "aria-label": this.word("El mapa, ampliado", "The map, enlarged") });
      this.inside = h("div", { class: "inside" });
      this.layer = this.choice(this.word("Capa", "Layer"), [["0", "1"]], "0");
      this.map = this.integer(this.word("Mapa", "Map"), 0, 0, 63);
      const { row, col } = this.probe, last = this.image.grid - 1;
      this.row = this.integer(this.word("Fila", "Row"), row, 0, last);
      this.col = this.integer(this.word("Columna", "Column"), col, 0, last);
      this.where = h("div", { class: "row" });
      return [
        this.stage(this.word("4. Los mapas de características", "4. The feature maps"),
          this.before.element, this.rows),
        this.stage(this.word("5. Un número por dentro", "5. Inside one number"),
          h("p", { class: "hint" }, this.gray ? this.word(
            "Al señalar o tocar un mapa se ve aquí de dónde sale su valor. El marco marca, en los píxeles de arriba, los números de los que depende.",
            "Point at a map, or touch it, to see here where its value comes from. The frame marks, in the pixels above, the numbers that it depends on.")
            : this.word(
            "Al señalar o tocar un mapa se ve aquí de dónde sale su valor. El marco marca, en la cuenta de arriba, los números de los que depende.",
            "Point at a map, or touch it, to see here where its value comes from. The frame marks, in the count above, the numbers that it depends on.")),
          h("div", { class: "probe" }, this.enlarged,
            h("div", {}, this.where, this.inside))),
      ];
    }

    build_hard() {
      this.hard = h("div", { class: "hard" });
      return h("details", { ontoggle: event => event.target.open && this.test_all() },
        h("summary", {}, this.word("¿Qué dígitos se le resisten?", "Which digits resist?")), this.hard);
    }

    // Read the weights when the lab comes into view; draw anew when the
    // colors of the page change.
    watch() {
      new IntersectionObserver((entries, observer) => {
        if (!entries.some(entry => entry.isIntersecting)) return;
        observer.disconnect();
        this.load();
      }, { rootMargin: "200px" }).observe(this);
      const again = () => this.changed();
      matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
      const observer = new MutationObserver(again);
      for (const element of [document.documentElement, document.body]) {
        observer.observe(element, { attributeFilter: ["class", "style", "data-theme"] });
      }
      let width = 0;
      new ResizeObserver(([{ contentRect }]) => {
        if (contentRect.width !== width) again();
        width = contentRect.width;
      }).observe(this);
    }

    // The network.

    async load() {
      this.say(this.word("Cargando la red…", "Loading the network…"));
      try {
        this.network = await read(this.getAttribute("data"));
      } catch (error) {
        this.say(this.word(`No se ha podido cargar la red: ${error.message}`,
          `The network could not be loaded: ${error.message}`));
        return;
      }
      const { arrays: { images, labels }, grid, example } = this.network, size = grid * grid;
      this.labels = labels?.data;
      this.sample_counts = i => images.data.subarray(size * i, size * i + size);
      if (grid !== this.image.grid || !images) this.rebuild(grid, Boolean(images));
      this.prepare_layers();
      if (images) return this.show_sample(this.index.value);
      this.strokes = example;
      this.example = true;
      this.draw();
    }

    // For another kind of image, or without test digits.
    rebuild(grid, samples) {
      Object.assign(this, { image: IMAGES[grid], samples, fields: [] });
      this.root.replaceChildren(...this.build().flat(9), this.voice);
    }

    // What the network is given: `counts` as numbers from 0 to 1.
    scaled(counts) {
      const { grid, full } = this.image;
      return { shape: [grid, grid, 1], data: Float32Array.from(counts, n => n / full) };
    }

    read_counts(counts) { return forward(this.network, this.scaled(counts)); }

    // The layers whose maps are seen, and what a reader calls them.
    prepare_layers() {
      const layers = this.read_counts(new Uint8Array(this.image.grid ** 2));
      const seen = layers.map((layer, n) => ({ ...layer, n }))
        .filter(({ kind }) => kind === "Conv2D" || kind === "MaxPool2D");
      const pools = seen.filter(({ kind }) => kind === "MaxPool2D").map(({ n }) => n);
      const which = n => pools.length > 1 ? ` ${pools.indexOf(n) + 1}` : "";
      const name = ({ kind, k, n }) => kind === "MaxPool2D" ? this.word("agrupación", "pooling") + which(n)
        : this.word(`convolución ${k}`, `convolution ${k}`);
      this.canvases = new Map(seen.map(layer => [layer.n, h("canvas", { role: "img",
        onpointermove: event => event.pointerType === "mouse" && this.point(layer.n, event),
        onpointerdown: event => this.point(layer.n, event) })]));
      this.names = new Map(seen.map(layer => [layer.n, name(layer)]));
      this.rows.replaceChildren(...seen.map(({ n, shape: [rows, cols, maps] }) => h("figure", {},
        h("figcaption", {}, this.word(`${this.names.get(n)}: ${maps} mapas de ${rows} × ${cols}`,
          `${this.names.get(n)}: ${maps} maps of ${rows} × ${cols}`)), this.canvases.get(n))));
      this.layer = this.choice(this.word("Capa", "Layer"),
        seen.map(layer => [String(layer.n), name(layer)]), "0", () => this.inspect());
      this.where.replaceChildren(this.layer.element, this.map.element, this.row.element, this.col.element);
    }

    // The pad.

    place({ offsetX, offsetY }) {
      const { units } = this.image, side = this.pad.clientWidth;
      return [offsetX * units / side, offsetY * units / side];
    }

    start_stroke(point) {
      if (this.sample !== null || this.example) this.strokes = [];
      this.sample = null;
      this.example = false;
      this.stroke = [point];
      this.strokes.push(this.stroke);
      this.draw();
    }

    pen_down(event) {
      if (event.button) return;
      this.pad.setPointerCapture(event.pointerId);
      this.start_stroke(this.place(event));
    }

    pen_moves(event) {
      if (!this.stroke || !this.pad.hasPointerCapture(event.pointerId)) return;
      const [x, y] = this.place(event), [a, b] = this.stroke.at(-1);
      if (Math.hypot(x - a, y - b) < 0.5) return;
      this.stroke.push([x, y]);
      this.draw();
    }

    pen_up() {
      this.stroke = null;
      this.draw();
    }

    key(event) {
      const step = event.shiftKey ? 1 : 2;
      const move = { ArrowLeft: [-step, 0], ArrowRight: [step, 0],
        ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key];
      if (move) this.move_cursor(move);
      else if (event.key === " ") this.stroke ? this.pen_up() : this.start_stroke([...this.cursor]);
      else if (event.key === "Backspace") this.undo();
      else return;
      event.preventDefault();
      this.say_cursor();
    }

    move_cursor(move) {
      this.cursor = this.cursor.map((x, k) => Math.min(Math.max(x + move[k], 0), this.image.units));
      this.stroke?.push([...this.cursor]);
      this.draw();
    }

    say_cursor() {
      const [col, row] = this.cursor, pen = this.stroke
        ? this.word("lápiz abajo", "pen down") : this.word("lápiz arriba", "pen up");
      this.announce(this.word(`fila ${row}, columna ${col}, ${pen}`, `row ${row}, column ${col}, ${pen}`));
    }

    undo() {
      this.sample = this.stroke = null;
      this.strokes = this.example ? [] : this.strokes.slice(0, -1);
      this.example = false;
      this.draw();
    }

    clear() {
      this.strokes = [];
      this.undo();
    }

    show_sample(i) {
      this.last_index = this.sample = i;
      this.strokes = [];
      this.stroke = null;
      this.index.input.value = this.index.value = i;
      this.draw();
    }

    // What is seen.

    draw() {
      if (!this.network) return;
      if (this.samples && this.index.value !== this.last_index) return this.show_sample(this.index.value);
      const { image } = this;
      this.bitmap = this.strokes.length && this.fit.value
        ? image.fit(this.strokes, image) : rasterize(this.strokes, image.pen, image);
      this.counts = this.sample === null ? countBlocks(this.bitmap, image) : this.sample_counts(this.sample);
      this.layers = this.read_counts(this.counts);
      this.colors = Object.fromEntries(Array.from(this.swatches.children,
        swatch => [swatch.id, getComputedStyle(swatch).color]));
      this.draw_pad();
      this.draw_answer();
      this.inspect();
    }

    draw_pad() {
      const { units, pen, grid, zoom } = this.image, side = zoom * units;
      paint(this.pad, side, side, g => {
        if (!this.gray) this.draw_bitmap(g, zoom, this.sample === null ? rasterize(this.strokes, pen, this.image) : null, "text");
        this.draw_blocks(g, side / grid, this.sample !== null);
        if (this.gray) this.draw_strokes(g, zoom);
        if (this.pad.matches(":focus-visible")) {
          const [x, y] = this.cursor.map(value => zoom * value);
          g.strokeStyle = this.colors.kernel;
          g.lineWidth = this.stroke ? 4 : 2;
          g.stroke(new Path2D(`M${x - 12} ${y}h24M${x} ${y - 12}v24`));
        }
      });
    }

    draw_strokes(g, zoom) {
      Object.assign(g, { strokeStyle: this.colors.text, lineWidth: 2 * this.image.pen * zoom,
        lineCap: "round", lineJoin: "round" });
      for (const [[x, y], ...rest] of this.strokes) {   // a point is a tiny line
        const points = [[x + 1e-3, y], ...rest].map(([a, b]) => `L${a * zoom} ${b * zoom}`);
        g.stroke(new Path2D(`M${x * zoom} ${y * zoom}${points.join("")}`));
      }
    }

    draw_bitmap(g, size, bitmap, color) {
      const { units } = this.image;
      g.fillStyle = this.colors[color];
      bitmap?.forEach((on, i) => on &&
        g.fillRect(size * (i % units), size * Math.floor(i / units), size, size));
    }

    // The grid of the blocks; `filled`, each as dark as its count. Small
    // pixels cover its lines, which would cut the ink to pieces.
    draw_blocks(g, size, filled) {
      if (this.gray) this.draw_lines(g, size);
      if (filled) this.fill_blocks(g, size);
      if (!this.gray) this.draw_lines(g, size);
    }

    fill_blocks(g, size) {
      const { grid, full } = this.image;
      g.fillStyle = this.colors.text;
      this.counts.forEach((count, i) => {
        g.globalAlpha = count / full;
        g.fillRect(size * (i % grid), size * Math.floor(i / grid), size, size);
      });
      g.globalAlpha = 1;
    }

    draw_lines(g, size) {
      const { grid } = this.image;
      g.strokeStyle = this.colors.rule;
      for (const k of range(grid + 1)) {
        g.stroke(new Path2D(`M${size * k} 0v${size * grid}M0 ${size * k}h${size * grid}`));
      }
    }

    draw_count() {
      const { n, row, col } = this.probe, { grid, units, zoom } = this.image;
      const side = zoom * units, size = side / grid;
      const [top, left, bottom, right] = receptiveField(this.layers, n, row, col);
      paint(this.count, side, side, g => {
        if (this.gray) this.draw_blocks(g, size, true);
        else this.draw_numbers(g, size);
        g.strokeStyle = this.colors.kernel;
        g.lineWidth = 3;
        g.strokeRect(size * left + 1.5, size * top + 1.5,
          size * (right - left + 1) - 3, size * (bottom - top + 1) - 3);
        if (this.gray && this.pixel) {
          g.strokeStyle = this.colors.input;
          g.strokeRect(size * this.pixel[1] - 1.5, size * this.pixel[0] - 1.5, size + 3, size + 3);
        }
      });
      if (this.gray) this.tell_pixels(); else this.tell_numbers();
    }

    // The counts of the blocks, over what is counted.
    draw_numbers(g, size) {
      const { grid, zoom } = this.image;
      g.globalAlpha = 0.25;
      if (this.sample === null) this.draw_bitmap(g, zoom, this.bitmap, "input");
      else this.counts.forEach((count, i) => {
        g.globalAlpha = count / 64;
        g.fillStyle = this.colors.input;
        g.fillRect(size * (i % grid), size * Math.floor(i / grid), size, size);
      });
      g.globalAlpha = 1;
      this.draw_blocks(g, size, false);
      this.write_numbers(g, size, grid, this.counts, 15);
    }

    tell_numbers() {
      const { grid } = this.image;
      this.count_help.textContent = this.sample === null
        ? this.word("Píxeles encendidos en cada bloque de 4 × 4: los 64 números que recibe la red.",
          "Pixels on in each block of 4 × 4: the 64 numbers that the network receives.")
        : this.word("Los dígitos de prueba traen ya hecha la cuenta: los 64 números que recibe la red.",
          "The test digits come already counted: the 64 numbers that the network receives.");
      const lines = range(grid).map(r => Array.from(this.counts.subarray(grid * r, grid * r + grid)).join(" "));
      this.count.setAttribute("aria-label", this.word("Los 64 números, fila por fila: ",
        "The 64 numbers, row by row: ") + lines.join("; "));
    }

    tell_pixels() {
      const { grid } = this.image, [row, col] = this.pixel ?? [];
      this.count_help.textContent = this.word(
        "Cuánto cubre el trazo de cada píxel: de 0, papel, a 255, tinta. La red recibe los 784 números divididos por 255.",
        "How much of each pixel the stroke covers: from 0, paper, to 255, ink. The network receives the 784 numbers divided by 255.");
      const value = this.counts[grid * row + col];
      this.pixel_help.textContent = this.pixel
        ? this.word(`Fila ${row}, columna ${col}: ${value}`, `Row ${row}, column ${col}: ${value}`)
        : this.word("Señala un píxel o usa las flechas.", "Point at a pixel, or use the arrows.");
      const inked = range(grid * grid).filter(i => this.counts[i]);
      const ends = places => `${Math.min(...places)}–${Math.max(...places)}`;
      const [rows, cols] = [ends(inked.map(i => Math.floor(i / grid))), ends(inked.map(i => i % grid))];
      this.count.setAttribute("aria-label", this.word("Los 784 píxeles: ", "The 784 pixels: ") + (inked.length
        ? this.word(`hay tinta en las filas ${rows} y las columnas ${cols}`, `there is ink in rows ${rows} and columns ${cols}`)
        : this.word("no hay tinta", "there is no ink")));
    }

    point_pixel({ offsetX, offsetY }) {
      const { grid } = this.image, side = this.count.clientWidth;
      this.pixel = [offsetY, offsetX].map(x => Math.min(Math.max(Math.floor(x * grid / side), 0), grid - 1));
      if (this.network) this.draw_count();
    }

    key_pixel(event) {
      const move = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
      if (!move || !this.network) return;
      const { grid } = this.image, from = this.pixel ?? [grid / 2, grid / 2];
      this.pixel = from.map((x, k) => Math.min(Math.max(x + move[k], 0), grid - 1));
      event.preventDefault();
      this.draw_count();
      this.announce(this.pixel_help.textContent);
    }

    write_numbers(g, size, cols, values, font) {
      g.fillStyle = this.colors.text;
      g.font = `${font}px system-ui, sans-serif`;
      g.textAlign = "center";
      g.textBaseline = "middle";
      values.forEach((value, i) => g.fillText(value,
        size * (i % cols + 0.5), size * (Math.floor(i / cols) + 0.53)));
    }

    draw_answer() {
      const shares = this.layers.at(-1).data, best = argmax(shares);
      this.bars.forEach((bar, k) => {
        bar.dataset.probability = shares[k];
        bar.classList.toggle("best", k === best);
        bar.querySelector("i").style.width = `${100 * shares[k]}%`;
        bar.querySelector(".share").textContent = percent(shares[k]);
      });
      const second = argmax(shares.map((share, k) => k === best ? 0 : share));
      this.say(this.sentence(best, percent(shares[best]), second, percent(shares[second])));
    }

    sentence(best, share, second, second_share) {
      const label = this.sample === null ? null : this.labels[this.sample];
      const marked = label === null ? "" : label === best ? this.word(" Acierta.", " It is right.")
        : this.word(` Se equivoca: es un ${label}.`, ` It is wrong: this is a ${label}.`);
      if (!this.counts.some(Boolean)) return this.word(
        `No hay nada dibujado, y aun así la red ha de responder: un ${best} (${share}).`,
        `Nothing is drawn, and even so the network has to answer: ${best} (${share}).`);
      return this.word(`La red lee un ${best} (${share}); después, un ${second} (${second_share}).`,
        `The network reads ${best} (${share}); next, ${second} (${second_share}).`) + marked;
    }

    // Write the sentence at once, and say it when the drawing pauses.
    say(text) {
      if (this.verdict.textContent === text) return;
      this.verdict.textContent = text;
      clearTimeout(this.later);
      this.later = setTimeout(() => this.announce(text), 800);
    }

    // The layer whose values are seen in the maps of layer `n`.
    shown(n) {
      const gated = this.layers[n + 1].kind === "ReLU" && !this.before.value;
      return this.layers[gated ? n + 1 : n];
    }

    // The side of the cells of a layer's maps, and how many maps go in a row.
    map_layout([rows, cols, maps], width) {
      const old = rows > 4 ? 4 : 6;
      if (!this.gray) return { cell: old, across: Math.max(Math.floor(width / (old * cols + 4)), 1) };
      const layouts = [1, 2, 4, maps].map(down => {        // as few rows as are readable
        const across = Math.ceil(maps / down);
        return { across, cell: Math.min(Math.floor((width / across - 4) / cols), 6) };
      });
      const readable = ({ cell }) => cell === 6 || cell >= 3 && cell * cols > 40;
      return layouts.find(readable) ?? { across: 1, cell: 3 };
    }

    draw_maps(n) {
      const canvas = this.canvases.get(n), { shape, data } = this.shown(n);
      const [rows, cols, maps] = shape, room = canvas.parentElement.clientWidth;
      const { cell, across } = this.map_layout(shape, room), step = cell * cols + 4;
      const width = Math.max(room, step), down = Math.ceil(maps / across);
      canvas.layout = { step, across, cell, rows, cols, maps, width };
      const largest = data.reduce((a, x) => Math.max(a, Math.abs(x)), 1e-9);
      paint(canvas, width, down * step, g => {
        for (const k of range(maps)) {
          const x0 = 2 + step * (k % across), y0 = 2 + step * Math.floor(k / across);
          this.draw_map(g, x0, y0, cell, this.shown(n), k, largest);
          if (n === this.probe.n && k === this.probe.map) {
            g.strokeStyle = this.colors.kernel;
            g.lineWidth = 2;
            g.strokeRect(x0 - 1, y0 - 1, cell * cols + 2, cell * rows + 2);
          }
        }
      });
      canvas.setAttribute("aria-label", this.word(`${maps} mapas de ${rows} × ${cols}, como imágenes`,
        `${maps} maps of ${rows} × ${cols}, as images`));
    }

    // Green, positive; orange, negative; as strong as the value.
    draw_map(g, x0, y0, cell, { shape: [rows, cols, maps], data }, k, largest) {
      g.fillStyle = this.colors.faint;
      g.globalAlpha = 0.12;
      g.fillRect(x0, y0, cell * cols, cell * rows);
      for (const i of range(rows * cols)) {
        const value = data[i * maps + k];
        if (!value) continue;
        g.fillStyle = value < 0 ? this.colors.kernel : this.colors.output;
        g.globalAlpha = Math.sqrt(Math.abs(value) / largest);   // weak ones show
        g.fillRect(x0 + cell * (i % cols), y0 + cell * Math.floor(i / cols), cell, cell);
      }
      g.globalAlpha = 1;
    }

    // Inside one number.

    point(n, { offsetX, offsetY, currentTarget: canvas }) {
      const { step, across, cell, rows, cols, maps, width } = canvas.layout;
      const zoom = width / canvas.clientWidth;
      const [x, y] = [Math.max(offsetX * zoom - 2, 0), Math.max(offsetY * zoom - 2, 0)];
      const map = Math.floor(y / step) * across + Math.floor(x / step);
      const row = Math.floor(y % step / cell), col = Math.floor(x % step / cell);
      if (map >= maps || x >= across * step || row >= rows || col >= cols) return;
      this.put(this.map, map);
      this.put(this.row, row);
      this.put(this.col, col);
      this.layer.set(String(n));
    }

    put(field, value) {
      Object.assign(field, { value, bad: "" });
      field.input.value = value;
      field.say("");
    }

    inspect() {
      const n = Number(this.layer.value), [rows, cols, maps] = this.layers[n].shape;
      [[this.map, maps], [this.row, rows], [this.col, cols]].forEach(([field, many]) => {
        field.input.max = many - 1;
        if (field.value >= many) this.put(field, many - 1);
      });
      this.probe = { n, map: this.map.value, row: this.row.value, col: this.col.value };
      for (const layer of this.canvases.keys()) this.draw_maps(layer);
      this.draw_count();
      this.draw_enlarged();
      this.inside.replaceChildren(...this.explain().map(text => h("p", {}, text)));
    }

    draw_enlarged() {
      const { n, map, row, col } = this.probe, layer = this.shown(n);
      const [rows, cols, maps] = layer.shape, size = 288 / cols;
      const values = range(rows * cols).map(i => layer.data[i * maps + map]);
      const largest = Math.max(...values.map(Math.abs), 1e-9);
      const digits = cols < 10 ? 2 : 1, room = cols <= 10;     // for the numbers
      paint(this.enlarged, 288, 288, g => {
        this.draw_map(g, 0, 0, size, layer, map, room ? 4 * largest : largest);   // pale
        if (room) this.write_numbers(g, size, cols, values.map(value => decimal(value, digits)), 12);
        g.strokeStyle = this.colors.kernel;
        g.lineWidth = 3;
        g.strokeRect(size * col + 1.5, size * row + 1.5, size - 3, size - 3);
      });
      this.enlarged.setAttribute("aria-label", this.word(
        `Mapa ${map} de ${this.names.get(n)}, `, `Map ${map} of ${this.names.get(n)}, `)
        + (room ? this.word("con sus números", "with its numbers") : this.word("como imagen", "as an image")));
    }

    // What is known of the number under the probe, in sentences.
    explain() {
      const { n, map, row, col } = this.probe, { kind } = this.layers[n];
      const at = ({ shape: [, cols, maps], data }) => data[(row * cols + col) * maps + map];
      const value = at(this.layers[n]);
      const [top, left, bottom, right] = receptiveField(this.layers, n, row, col);
      const field = this.word(
        `Depende de los ${bottom - top + 1} × ${right - left + 1} números del marco.`,
        `It depends on the ${bottom - top + 1} × ${right - left + 1} numbers in the frame.`);
      if (kind === "MaxPool2D") return [this.word(`Vale ${decimal(value)}: el mayor de cuatro valores vecinos.`,
        `It is ${decimal(value)}: the largest of four neighboring values.`), field];
      const after = decimal(Math.max(value, 0));
      return [this.word(`z = ${decimal(value)}; después de ReLU, ${after}.`,
        `z = ${decimal(value)}; after ReLU, ${after}.`), this.products(n), field];
    }

    // Where the z of a convolution comes from; the first one, term by term.
    products(n) {
      const { map, row, col } = this.probe, { W, b, f, pad } = this.layers[n];
      const { shape: [, , channels, maps], data } = W, { grid, full } = this.image;
      if (channels > 1) return this.word(
        `Es la suma de ${f} · ${f} · ${channels} = ${f * f * channels} productos y un sesgo.`,
        `It is the sum of ${f} · ${f} · ${channels} = ${f * f * channels} products and a bias.`);
      const bias = b.data[map];
      const terms = range(f * f).map(i => {
        const r = row + Math.floor(i / f) - pad, c = col + i % f - pad;
        const inside = r >= 0 && r < grid && c >= 0 && c < grid;
        return [inside ? this.counts[r * grid + c] : 0, data[i * maps + map]];
      }).filter(([count]) => count);
      const signed = x => x < 0 ? `(${decimal(x)})` : decimal(x);
      const space = this.gray ? "\u00a0" : " ";       // many terms: they break between two
      const product = ([count, weight]) => [`${count}/${full}`, "·", signed(weight)].join(space) + " + ";
      return "z = " + terms.map(product).join("") + signed(bias) + this.word(", donde el último sumando es el sesgo.",
          ", where the last term is the bias.");
    }

    // The whole test set: how many are right, and the hardest ones.

    async test_all() {
      if (!this.network || this.tested) return;
      this.tested = true;
      const shares = [];
      for (const i of this.labels.keys()) {
        if (i % 25 === 0) {
          this.hard.textContent = this.word(`Leyendo los dígitos de prueba: ${i} de ${this.labels.length}`,
            `Reading the test digits: ${i} of ${this.labels.length}`);
          await new Promise(done => setTimeout(done));
        }
        shares.push(this.read_counts(this.sample_counts(i)).at(-1).data);
      }
      this.shares = shares;
      this.show_hardest();
    }

    show_hardest() {
      const right = this.shares.filter((share, i) => argmax(share) === this.labels[i]).length;
      const hardest = range(this.labels.length)
        .sort((i, j) => this.shares[i][this.labels[i]] - this.shares[j][this.labels[j]]).slice(0, 12);
      const text = this.word(
        `La red acierta ${right} de los ${this.labels.length} dígitos de prueba. Estos doce son los más difíciles para ella: la clase verdadera, la respuesta, y la probabilidad que da a la verdadera. Cada uno se puede cargar.`,
        `The network gets ${right} of the ${this.labels.length} test digits right. These twelve are the hardest for it: the true class, the answer, and the probability that it gives to the true one. Each of them can be loaded.`);
      this.hard.replaceChildren(h("p", {}, text),
        h("div", { class: "gallery" }, hardest.map(i => this.hard_one(i))));
      this.announce(text);
    }

    hard_one(i) {
      const canvas = h("canvas", { "aria-hidden": "true" });
      paint(canvas, 48, 48, g =>
        this.draw_map(g, 0, 0, 48 / this.image.grid, this.scaled(this.sample_counts(i)), 0, 1));
      const share = this.shares[i], answer = `${this.labels[i]} → ${argmax(share)}`;
      return h("button", { type: "button", onclick: () => this.show_sample(i),
        class: argmax(share) === this.labels[i] ? "" : "mistaken",
      }, h("span", { class: "unseen" }, `${this.word("Dígito de prueba", "Test digit")} ${i}:`),
      canvas, h("span", {}, answer), h("small", {}, percent(share[this.labels[i]])));
    }

    static style = `
.stages { display: grid; gap: 1.2rem; grid-template-columns: repeat(3, minmax(0, 1fr)); }
section { display: grid; gap: .5rem; align-content: start; min-width: 0; }
canvas { display: block; width: 100%; }
.hint, figcaption { color: var(--faint); font-size: .85rem; }
.stages canvas { border: 1px solid var(--edge); border-radius: 4px; }
.canvas { touch-action: none; cursor: crosshair; }
.pixels { touch-action: pan-y; cursor: crosshair; }
.pixel { min-height: 1.45em; font-variant-numeric: tabular-nums; }
.bars { list-style: none; margin: 0; padding: 0; display: grid; gap: .3rem; }
.bars li { display: grid; grid-template-columns: 1rem 1fr 4rem; gap: .5rem; align-items: center;
  font-variant-numeric: tabular-nums; }
.track { height: 1.1rem; background: color-mix(in srgb, var(--faint) 14%, var(--ground)); border-radius: 3px; }
.track i { display: block; height: 100%; background: var(--output); border-radius: 3px;
  transition: width .15s; }
.share { text-align: right; font-size: .88rem; }
.best .share { font-weight: 700; }
.tools { display: grid; gap: .8rem; }
.verdict { font-size: 1.15rem; font-weight: 600; min-height: 1.7em; }
.maps { display: grid; gap: .8rem; }
.maps figure { margin: 0; display: grid; gap: .3rem; }
.maps canvas { cursor: crosshair; touch-action: pan-y; }
.probe { display: grid; gap: 1rem 1.4rem; grid-template-columns: 18rem minmax(0, 1fr); align-items: start; }
.probe canvas { max-width: 18rem; border: 1px solid var(--edge); border-radius: 4px; }
.inside { display: grid; gap: .4rem; margin-top: .9rem; overflow-wrap: anywhere; }
.gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(5.2rem, 1fr)); gap: .5rem; margin-top: .7rem; }
.gallery button { display: grid; justify-items: center; gap: .15rem; padding: .5rem .2rem; }
.gallery canvas { width: 48px; }
.mistaken { border: 2px solid var(--wrong) !important; }
@container (max-width: 40rem) {
  .stages { grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: 1rem .8rem; }
  .stages section:first-child { grid-column: 1 / -1; }
  .bars li { grid-template-columns: .8rem 1fr 3.3rem; gap: .35rem; }
  .track { height: .85rem; }
  .pixel { min-height: 2.9em; }
  .probe { grid-template-columns: minmax(0, 1fr); }
}
@media (prefers-reduced-motion: reduce) { .track i { transition: none; } }
`;
  }

  // The file of data `name`, as {layers, arrays}; its script defines it.
  async function read(name) {
    const url = new URL(`data/${name}.js`, here).href;
    await new Promise((resolve, reject) => document.head.append(h("script", {
      src: url, onload: resolve, onerror: () => reject(new Error(url)) })));
    const text = atob(globalThis.cnnbookData[name]);
    return fromBytes(Uint8Array.from(text, character => character.charCodeAt(0)));
  }

  customElements.define("digit-lab", DigitLab);
})();
