// <conv2d-lab>: a kernel slides over an image; whoever points at an output
// sees its window, its products and its sum. The reader may draw the image,
// choose one of ours or open a file, which does not leave the machine.
// Attributes: image ("digit", "letter", "tower" or "drawing"), kernel (a key
// of `presets`), mode, stride, dilation.
{
  const { Lab, h, show, written_sum, range, matrix, sum, flip2d, dilate2d,
    pad_widths, output_size, window2d, products, conv2d } = cnnbook;

  // Pixels from 0, black, to 9, white. The digit comes from the data of
  // chapter 5; the tower, from a photograph by danielbuechele, CC BY 2.0.
  const image = text => text.trim().split(/\s+/).map(row => [...row].map(Number));
  const images = {
    digit: image(`01478820 02644770 00001740 00018710 00007300 00005700
      00448800 00886100`),
    letter: image(`000000000000 000000000000 000999999900 000999999900
      000990000000 000990000000 000999990000 000999990000 000990000000
      000990000000 000990000000 000000000000`),
    tower: image(`
      88888888888864535888999999999999 88888888887665543478999999999999
      88888888766755555335799999999999 88887756777455555543347899999999
      88863555432112223333223467999999 88861111011111111111212345999999
      88874122222233344433442258999999 88888622333223355523354799999999
      88888812222122223333454799999999 88875312222243333334234658999999
      88522222233233343344332565499999 88611111122233333333334445899999
      88874221121232332223233437899999 88865111111122233322223337888888
      77765111111123133322234446777877 46752111111133333333345556776777
      45642222222244444444445766677777 45421111111133333333334566557888
      52211111111333333333343366654788 42222222122454444444444326557777
      42222245454344444333333234567777 66222112221222223323322334467777
      66333100111221122011211233367777 66221000100111111111212344567777
      65111100100111111111223465676777 43111111111122222233345457665567
      12222323311233334555555555666545 22333333443454444333233246666543
      44443332332233323333333324655422 23342223344334334444444443454433
      32233222333333334445555554434343 33343332233333444444333334543222`),
    drawing: matrix(16, 16, () => 0),
  };

  const presets = {
    identity: ["identidad", "identity", "0 0 0  0 1 0  0 0 0"],
    shift: ["desplazar", "shift", "0 0 0  0 0 1  0 0 0"],
    blur: ["desenfocar", "blur", "1/9 1/9 1/9  1/9 1/9 1/9  1/9 1/9 1/9"],
    gaussian: ["gaussiano", "Gaussian", "1/16 1/8 1/16  1/8 1/4 1/8  1/16 1/8 1/16"],
    sharpen: ["enfocar", "sharpen", "0 -1 0  -1 5 -1  0 -1 0"],
    sobel_x: ["Sobel horizontal", "horizontal Sobel", "1 0 -1  2 0 -2  1 0 -1"],
    sobel_y: ["Sobel vertical", "vertical Sobel", "1 2 1  0 0 0  -1 -2 -1"],
    laplacian: ["laplaciano", "Laplacian", "0 1 0  1 -4 1  0 1 0"],
    emboss: ["relieve", "emboss", "-2 -1 0  -1 0 1  0 1 2"],
  };

  const between = (value, least, most) => Math.max(least, Math.min(value, most));
  const minus = text => String(text).replaceAll("-", "−");

  class Conv2dLab extends Lab {
    static style = `
.stages { display: grid; grid-template-columns: 1fr 1fr; gap: 1.2rem; align-items: start; }
.stage { position: relative; cursor: crosshair; border-radius: 4px; touch-action: pan-y; }
.stage.drawing { touch-action: none; }
canvas { display: block; width: 100%; aspect-ratio: 1; border-radius: 4px; background: #000; }
canvas.coarse { image-rendering: pixelated; }
.mark { position: absolute; pointer-events: none; }
.tap { border: 1px solid var(--kernel); background: color-mix(in srgb, var(--kernel) 25%, transparent); }
.span { border: 3px solid var(--kernel); border-radius: 3px; }
.frame { border: 2px dashed #56b4e9; }
.here { border: 3px solid var(--output); border-radius: 3px; box-shadow: 0 0 0 2px #fff; }
.pen { border: 3px solid #ffd166; }
.heading { margin-bottom: .35rem; }
.note { font-size: .88rem; color: var(--faint); margin-top: .35rem; }
.equation { display: flex; flex-wrap: wrap; gap: .5rem .8rem; align-items: center; }
.equation > span { font-size: 1.5rem; color: var(--faint); }
.equation td { font-size: .9rem; }
.weights { display: grid; gap: 3px; width: max-content; }
.weights input { width: 3.3rem !important; padding: 0 .15rem !important; text-align: center;
  border-color: var(--kernel) !important; }
select { padding: 0 .5rem; }
.kernel-row { display: flex; flex-wrap: wrap; gap: 1rem 1.6rem; align-items: start; }
.kernel-row > div { display: grid; gap: .7rem; }
.numbers { max-height: 26rem; overflow: auto; }
.numbers td { width: auto; font-size: .85rem; height: 1.9rem; padding: 0 .4rem; }
@container (max-width: 34rem) {
  .stages { gap: .6rem; }
  .weights input { width: 2.9rem !important; }
  .equation { gap: .15rem; }
  .equation td, .equation th { min-width: 1.45rem; width: 1.45rem; height: 1.8rem; font-size: .8rem; padding: 0; }
  .equation > span { font-size: 1rem; }
  .equation table:not(:first-child) :is(th, thead td) { display: none; }
}
`;

    title() {
      return this.word("Laboratorio: convolución de una imagen", "Lab: convolution of an image");
    }

    build() {
      const given = (name, usual) => this.getAttribute(name) ?? usual;
      const mode = given("mode", "same"), named = isNaN(mode);
      this.row = this.column = 0;
      this.pen = [0, 0];
      this.source = this.choice(this.word("Imagen", "Image"), [
        ["digit", this.word("dígito", "digit")], ["letter", this.word("letra", "letter")],
        ["tower", this.word("torre", "tower")], ["drawing", this.word("dibujo", "drawing")],
        ["file", this.word("archivo", "file")]], given("image", "digit"),
      () => this.choose_image());
      const padding = this.padding(named ? mode : "number", named ? 1 : mode);
      this.stride = this.integer(this.word("Paso s", "Stride s"), given("stride", 1), 1, 9);
      this.dilation = this.integer(this.word("Dilatación d", "Dilation d"), given("dilation", 1), 1, 5);
      this.kernel_row = this.build_kernel(given("kernel", "sobel_x"));
      this.size = h("div");
      this.equation = h("div", { class: "equation" });
      this.sum = h("p", { class: "sum" });
      this.X = images[this.source.value];
      new ResizeObserver(() => this.Y && this.draw_pictures()).observe(this);
      return [
        h("div", { class: "row" }, this.source.element, this.build_file(), this.build_pad()),
        this.kernel_row,
        h("div", { class: "row" }, padding, this.stride.element, this.dilation.element),
        this.build_stages(), this.scroller(this.word("Ventana, núcleo y productos",
          "Window, kernel and products"), this.equation), this.sum, this.size,
        this.build_numbers()];
    }

    // Where the image comes from -------------------------------------------

    build_file() {
      const id = "file";
      this.opened = h("p", { class: "error", role: "alert", id: "file-error" });
      this.file = h("div", { class: "field", hidden: true },
        h("label", { for: id }, this.word("Su imagen (no sale de este equipo)",
          "Your image (it does not leave this machine)")),
        h("input", { id, type: "file", accept: "image/*", "aria-describedby": "file-error",
          onchange: event => this.open_file(event.target.files[0]) }), this.opened);
      return this.file;
    }

    async open_file(file) {
      if (!file) return;
      try {
        this.X = await this.read_picture(file, 32);
        this.opened.textContent = "";
        this.changed();
      } catch {
        this.opened.textContent = this.word(
          `Imagen: hay «${file.name}»; se espera una imagen que el navegador sepa abrir, como PNG o JPEG.`,
          `Image: got “${file.name}”; expected a picture that the browser can open, such as PNG or JPEG.`);
      }
    }

    // The middle square of a picture, in gray, n x n pixels from 0 to 9.
    async read_picture(file, n) {
      const bitmap = await createImageBitmap(file);
      const side = Math.min(bitmap.width, bitmap.height);
      const context = h("canvas", { width: n, height: n }).getContext("2d");
      context.imageSmoothingQuality = "high";
      context.drawImage(bitmap, (bitmap.width - side) / 2, (bitmap.height - side) / 2,
        side, side, 0, 0, n, n);
      const { data } = context.getImageData(0, 0, n, n);
      return matrix(n, n, (i, j) => {
        const [red, green, blue] = data.slice(4 * (n * i + j));
        return Math.round((0.299 * red + 0.587 * green + 0.114 * blue) / 255 * 9);
      });
    }

    build_pad() {
      this.pad_tools = h("div", { class: "row", hidden: true },
        this.button(this.word("Borrar", "Clear"), () => {
          this.X = images.drawing = matrix(16, 16, () => 0);
          this.changed();
        }),
        h("p", { class: "note" }, this.word(
          "Dibuje en la entrada; con el teclado, flechas y espacio.",
          "Draw on the input; with the keyboard, arrows and space.")));
      return this.pad_tools;
    }

    choose_image() {
      this.file.hidden = this.source.value !== "file";
      this.pad_tools.hidden = !this.draws;
      this.X = images[this.source.value] ?? this.X;
      this.row = this.column = 0;
      this.changed();
    }

    get draws() { return this.source.value === "drawing"; }

    paint(value = this.X[this.pen[0]][this.pen[1]] ? 0 : 9) {
      const [row, column] = this.pen;
      if (this.X[row][column] === value) return;
      this.X[row][column] = value;
      this.changed();
    }

    // The kernel -----------------------------------------------------------

    build_kernel(name) {
      this.weights = h("div", { class: "weights", role: "group",
        "aria-label": this.word("Núcleo W", "Kernel W") });
      this.errors = h("div");
      this.preset = h("select", { id: "preset", onchange: () => this.choose_preset(this.preset.value) },
        Object.entries(presets).map(([key, [es, en]]) => h("option", { value: key }, this.word(es, en))),
        h("option", { value: "own" }, this.word("propio", "your own")));
      this.side = this.integer(this.word("Lado del núcleo f", "Side of the kernel f"), 3, 1, 5);
      this.flipped = this.check_box(this.word("Voltear el núcleo", "Flip the kernel"), true);
      this.fill_kernel(this.preset_weights(name));
      this.preset.value = name;
      return h("div", { class: "kernel-row" },
        h("div", {}, h("div", {}, h("p", { class: "heading", "aria-hidden": "true" },
          this.word("Núcleo W", "Kernel W")), this.weights), this.errors),
        h("div", {}, h("div", { class: "field" }, h("label", { for: "preset" },
          this.word("Núcleos de ejemplo", "Example kernels")), this.preset),
        this.side.element, this.flipped.element));
    }

    preset_weights(name) {
      const words = presets[name][2].split(/\s+/);
      return matrix(3, 3, (u, v) => words[3 * u + v]);
    }

    choose_preset(name) {
      if (name === "own") return;
      this.fill_kernel(this.preset_weights(name));
      this.side.set(3);
      this.changed();
    }

    // A field for each weight; `W` holds numbers or texts such as "1/9".
    fill_kernel(W) {
      this.fields = this.fields.filter(field => !this.cells?.flat().includes(field));
      this.cells = W.map((row, u) => row.map((weight, v) =>
        this.cell(`W[${u}, ${v}]`, minus(weight))));
      this.weights.style.gridTemplateColumns = `repeat(${W.length}, max-content)`;
      this.weights.replaceChildren(...this.cells.flat().map(cell => cell.element));
      this.errors.replaceChildren(...this.cells.flat().map(cell => cell.error));
      this.weights.oninput = () => { this.preset.value = "own"; };
    }

    resize_kernel(f) {
      if (f === this.cells.length) return;
      this.fill_kernel(matrix(f, f, (u, v) => this.cells[u]?.[v]?.input.value ?? 0));
      this.preset.value = "own";
    }

    check() {
      this.resize_kernel(this.side.value);
      this.W = this.cells.map(row => row.map(cell => cell.value));
      if (!this.flipped.value) this.W = flip2d(this.W);   // flipped twice below
      this.span = this.dilation.value * (this.W.length - 1) + 1;
      const n = this.X.length, [before, after] = pad_widths(this.p, this.span);
      if (this.span > n + before + after) return [this.dilation, this.dilation.value, this.word(
        `el núcleo abarca ${this.span} casillas, y se esperan como mucho las ${n + before + after} de la imagen rellena`,
        `the kernel spans ${this.span} cells; expected at most the ${n + before + after} of the padded image`)];
    }

    // The two pictures -----------------------------------------------------

    build_stages() {
      const stage = (name, label, hint, act) => {
        const canvas = h("canvas", { role: "img" }), marks = h("div");
        const box = h("div", { class: "stage", tabindex: 0, role: "application", "aria-label": label,
          "aria-describedby": `${name}-hint`, onkeydown: event => this.press(event, name),
          onpointerdown: event => act(event, canvas, true), onpointermove: event => act(event, canvas, false) },
        canvas, marks);
        this[name] = { box, canvas, marks, note: h("p", { class: "note", id: `${name}-hint` }, hint) };
        return h("div", {}, h("p", { class: "heading", "aria-hidden": "true" }, label), box, this[name].note);
      };
      return h("div", { class: "stages" },
        stage("input", this.word("Entrada X", "Input X"), "", (event, canvas, down) => this.point_input(event, canvas, down)),
        stage("output", this.word("Salida Y", "Output Y"), "", (event, canvas) => this.point_output(event, canvas)));
    }

    // The [row, column] under the pointer, of a canvas of `cells` x `cells`.
    under(event, canvas, cells) {
      const box = canvas.getBoundingClientRect();
      return [(event.clientY - box.top) / box.height, (event.clientX - box.left) / box.width]
        .map(part => between(Math.floor(part * cells), 0, cells - 1));
    }

    point_input(event, canvas, down) {
      const cell = this.under(event, canvas, this.padded).map(i => i - this.before);
      if (!this.draws) {
        const half = (this.span - 1) / 2;
        return this.go(...cell.map(i => Math.round((i + this.before - half) / this.stride.value)));
      }
      if (!event.buttons) return;
      this.pen = cell.map(i => between(i, 0, this.X.length - 1));
      if (down) this.ink = this.X[this.pen[0]][this.pen[1]] ? 0 : 9;
      this.paint(this.ink);
    }

    point_output(event, canvas) {
      this.go(...this.under(event, canvas, this.n_out));
    }

    press(event, name) {
      const [rows, columns] = { ArrowUp: [-1, 0], ArrowDown: [1, 0],
        ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key] ?? [0, 0];
      const pen = name === "input" && this.draws;
      if (pen && event.key === " ") this.paint();
      else if (!rows && !columns) return;
      else if (pen) this.move_pen(rows, columns);
      else {
        this.go(this.row + rows, this.column + columns);
        this.announce(`Y[${this.row}, ${this.column}] = ${show(this.Y[this.row][this.column])}`);
      }
      event.preventDefault();
    }

    move_pen(rows, columns) {
      const last = this.X.length - 1;
      this.pen = [between(this.pen[0] + rows, 0, last), between(this.pen[1] + columns, 0, last)];
      this.announce(`X[${this.pen}] = ${this.X[this.pen[0]][this.pen[1]]}`);
      this.draw_marks();
    }

    draw() {
      const n = this.X.length, stride = this.stride.value, dilation = this.dilation.value;
      const widths = pad_widths(this.p, this.span);
      this.before = widths[0];
      this.padded = n + widths[0] + widths[1];
      this.n_out = output_size(n, this.W.length, widths, stride, dilation);
      this.Y = this.convolve(stride, dilation);
      this.input.box.classList.toggle("drawing", this.draws);
      this.draw_pictures();
      this.size.replaceChildren(this.size_formula("f", { n, widths, stride, dilation,
        length: this.W.length, n_out: this.n_out }));
      this.draw_numbers();
      this.go(this.row, this.column);
    }

    // The padding of a dilated kernel is that of its whole span.
    convolve(stride, dilation) {
      return conv2d(this.X, dilate2d(this.W, dilation), this.p, stride);
    }

    draw_pictures() {
      const X = matrix(this.padded, this.padded, (i, j) =>
        this.X[i - this.before]?.[j - this.before] ?? null);
      this.draw_picture(this.input.canvas, X, 0, 9);
      const values = this.Y.flat(), least = Math.min(...values), most = Math.max(...values);
      this.draw_picture(this.output.canvas, this.Y, least, most);
      const size = `${this.X.length} × ${this.X.length}`;
      this.input.note.textContent = this.word(`${size}, de 0 (negro) a 9 (blanco)`,
        `${size}, from 0 (black) to 9 (white)`);
      this.output.note.textContent = this.word(
        `${this.n_out} × ${this.n_out}, de ${show(least)} (negro) a ${show(most)} (blanco)`,
        `${this.n_out} × ${this.n_out}, from ${show(least)} (black) to ${show(most)} (white)`);
      this.input.canvas.setAttribute("aria-label", this.input.note.textContent);
      this.output.canvas.setAttribute("aria-label", this.output.note.textContent);
    }

    // Cells of gray, with their numbers if they are few; null is padding.
    draw_picture(canvas, A, least, most) {
      const few = canvas.clientWidth / A.length > 22, side = few ? 64 : 8;
      canvas.classList.toggle("coarse", !few);
      canvas.width = canvas.height = A.length * side;
      const context = canvas.getContext("2d");
      context.font = "24px system-ui, sans-serif";
      context.textAlign = "center";
      context.textBaseline = "middle";
      A.forEach((row, i) => row.forEach((value, j) => {
        const part = most > least ? (value - least) / (most - least) : 0.5;
        const gray = value === null ? 70 : Math.round(255 * part);
        context.fillStyle = `rgb(${gray}, ${gray}, ${gray})`;
        context.fillRect(j * side, i * side, side, side);
        if (!few) return;
        context.fillStyle = gray > 118 ? "#000" : "#fff";
        context.fillText(show(Number((value ?? 0).toPrecision(3))), (j + 0.5) * side, (i + 0.5) * side);
      }));
    }

    // The chosen output ----------------------------------------------------

    go(row, column) {
      this.row = between(row, 0, this.n_out - 1);
      this.column = between(column, 0, this.n_out - 1);
      this.draw_marks();
      this.draw_equation();
    }

    draw_marks() {
      const mark = (kind, cells, row, column, side) => h("div", { class: `mark ${kind}`,
        style: `top: ${100 * row / cells}%; left: ${100 * column / cells}%; width: ${100 * side / cells}%; height: ${100 * side / cells}%` });
      const d = this.dilation.value, top = this.row * this.stride.value, left = this.column * this.stride.value;
      const f = this.W.length, n = this.padded;
      this.input.marks.replaceChildren(
        mark("frame", n, this.before, this.before, this.X.length),
        ...matrix(f, f, (u, v) => mark("tap", n, top + u * d, left + v * d, 1)).flat(),
        mark("span", n, top, left, this.span));
      if (this.draws) this.input.marks.append(mark("pen", n,
        this.pen[0] + this.before, this.pen[1] + this.before, 1));
      this.output.marks.replaceChildren(mark("here", this.n_out, this.row, this.column, 1));
    }

    draw_equation() {
      const f = this.W.length, d = this.dilation.value;
      const top = this.row * this.stride.value - this.before, left = this.column * this.stride.value - this.before;
      const window = window2d(this.X, top, left, f, d), W = flip2d(this.W);
      const terms = products(window, W), flipped = this.flipped.value;
      const places = start => range(f).map(u => show(start + u * d));
      this.equation.replaceChildren(
        this.small_table(this.word("Ventana de X", "Window of X"), window, "input", places(top), places(left)),
        h("span", {}, "×"),
        this.small_table(flipped ? this.word("W volteado", "W flipped") : "W", W, "kernel"),
        h("span", {}, "="),
        this.small_table(this.word("Productos", "Products"), terms, "gray"));
      const written = written_sum(terms.flat().map(term => Number(term.toPrecision(4))));
      this.sum.replaceChildren(`Y[${this.row}, ${this.column}] = ${written} = `,
        h("span", { class: "output-text" }, show(sum(terms.flat()))));
    }

    small_table(title, A, kind, rows = range(A.length), columns = rows) {
      return h("table", {}, h("caption", {}, title),
        h("thead", {}, h("tr", {}, h("td"), columns.map(name => h("th", { scope: "col" }, `${name}`)))),
        h("tbody", {}, A.map((row, i) => h("tr", {}, h("th", { scope: "row" }, `${rows[i]}`),
          row.map(value => h("td", { class: kind }, show(Number(value.toPrecision(4)))))))));
    }

    // The output as a table, drawn when it is opened.
    build_numbers() {
      this.numbers_box = this.scroller(this.word("La salida en números", "The output in numbers"));
      this.numbers_box.classList.add("numbers");
      this.details = h("details", { ontoggle: () => this.draw_numbers() },
        h("summary", {}, this.word("La salida en números", "The output in numbers")), this.numbers_box);
      return this.details;
    }

    draw_numbers() {
      if (!this.details.open) return;
      const places = range(this.n_out);
      this.numbers_box.replaceChildren(h("table", {},
        h("caption", {}, this.word("Salida Y", "Output Y")),
        h("thead", {}, h("tr", {}, h("td"), places.map(j => h("th", { scope: "col" }, `${j}`)))),
        h("tbody", {}, this.Y.map((row, i) => h("tr", {}, h("th", { scope: "row" }, `${i}`),
          row.map(value => h("td", { class: "output" }, show(value))))))));
    }
  }

  customElements.define("conv2d-lab", Conv2dLab);
}
