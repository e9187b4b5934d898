// <shape-calculator>: stack layers; see shapes, parameters, multiply-adds
// and the receptive field, drawn on the input.
// Attribute: stack (a key of `stacks`).
{
  const { Lab, Field, h, integer_text, range, output_size,
    conv_parameters, dense_parameters, conv_multiply_adds, receptive_field } = cnnbook;

  const between = (value, least, most) => Math.max(least, Math.min(value, most));

  // Each kind of layer: its names and its settings, [usual, least, most],
  // called as in the code of the book.
  const kinds = {
    conv: { names: ["convolución", "convolution"],
      settings: { n_C: [8, 1, 4096], f: [3, 1, 31], stride: [1, 1, 16], pad: [0, 0, 31], dilation: [1, 1, 16] } },
    max: { names: ["agrupar máx.", "max pooling"], settings: { f: [2, 1, 31], stride: [2, 1, 16] } },
    average: { names: ["agrupar prom.", "average pooling"], settings: { f: [2, 1, 31], stride: [2, 1, 16] } },
    global: { names: ["promedio global", "global average"], settings: {} },
    flatten: { names: ["aplanar", "flatten"], settings: {} },
    dense: { names: ["densa", "dense"], settings: { n: [10, 1, 65536] } },
  };

  // Stacks to begin with: the shape of the input, then the layers.
  const conv = (n_C, f = 3, pad = 1, stride = 1, dilation = 1) =>
    ({ kind: "conv", n_C, f, pad, stride, dilation });
  const pool = { kind: "max", f: 2, stride: 2 }, flatten = { kind: "flatten" };
  const dense = n => ({ kind: "dense", n });
  const stacks = {
    lenet: [["estilo LeNet", "LeNet style"], [28, 28, 1],
      [conv(6, 5, 2), pool, conv(16, 5, 0), pool, flatten, dense(120), dense(84), dense(10)]],
    digits: [["dígitos del libro", "digits of the book"], [8, 8, 1],
      [conv(32), conv(32), pool, conv(64), flatten, dense(10)]],
    vgg: [["estilo VGG", "VGG style"], [32, 32, 3],
      [conv(64), conv(64), pool, conv(128), conv(128), pool, { kind: "global" }, dense(10)]],
    dilated: [["dilatada", "dilated"], [32, 32, 1],
      [conv(8, 3, 1), conv(8, 3, 2, 1, 2), conv(8, 3, 4, 1, 4)]],
  };

  class ShapeCalculator extends Lab {
    static style = `
ol { margin: 0; padding: 0; list-style: none; display: grid; gap: .6rem; }
.layer { border: 1px solid var(--rule); border-left: 4px solid var(--kernel); border-radius: 6px;
  padding: .4rem .6rem; display: flex; flex-wrap: wrap; gap: .3rem .5rem; align-items: end; }
.layer :is(input, select, button) { min-height: 2.2rem !important; }
.layer select { width: 9.4rem; font-size: .95rem; }
.layer .field { gap: .15rem; }
.layer label { font-weight: 400; font-size: .82rem; }
.layer .stepper { width: 3.3rem; }
.layer .stepper button { display: none; }
.layer .stepper input { border-radius: 6px !important; }
.layer .tools { margin-left: auto; display: flex; gap: .3rem; }
.layer .tools button { width: 2.1rem; }
.layer > .error { flex-basis: 100%; }
select { padding: 0 .4rem; max-width: 100%; }
.shapes { width: 100%; border-spacing: 0; }
.shapes :is(th, td) { height: 2.4rem; padding: 0 .4rem; border-bottom: 1px solid var(--rule);
  text-align: right; font-size: .92rem; white-space: nowrap; border-radius: 0; color: var(--text); }
.shapes :is(thead, tfoot) th { font-weight: 600; }
.shapes :is(th:first-child, thead th:first-child) { text-align: left; }
.shapes button { min-height: 2rem; padding: 0 .5rem; text-align: left; width: 100%; border-color: transparent; }
.shapes button[aria-pressed=true] { border-color: var(--edge); font-weight: 600;
  background: color-mix(in srgb, var(--kernel) 14%, var(--ground)); }
.maps { display: grid; grid-template-columns: 1fr 1fr; gap: 1.2rem; align-items: start; }
.map { cursor: crosshair; border-radius: 4px; touch-action: pan-y; }
svg.picture { display: block; width: 100%; max-height: 20rem; }
.heading { margin-bottom: .35rem; }
.whole { fill: color-mix(in srgb, var(--input) 16%, var(--ground)); stroke: var(--input); }
.outputs { fill: color-mix(in srgb, var(--output) 16%, var(--ground)); stroke: var(--output); }
.lines { stroke: var(--edge); opacity: .35; }
.field-of { fill: color-mix(in srgb, var(--kernel) 35%, transparent); stroke: var(--kernel); }
.chosen { fill: var(--output); stroke: var(--text); }
svg.picture * { vector-effect: non-scaling-stroke; stroke-width: 1.5; }
svg.picture .lines { stroke-width: 1; }
svg.picture .field-of { stroke-width: 3; }
`;

    title() { return this.word("Calculadora de formas", "Shape calculator"); }

    build() {
      this.row = this.column = 0;
      const stack = this.getAttribute("stack") ?? "digits";
      this.preset = h("select", { id: "stack", onchange: () => this.load(this.preset.value) },
        Object.entries(stacks).map(([key, [[es, en]]]) => h("option", { value: key }, this.word(es, en))));
      this.preset.value = stack;
      const [, shape, layers] = stacks[stack];
      this.shape = [["alto n_H", "height n_H", 512], ["ancho n_W", "width n_W", 512],
        ["canales n_C", "channels n_C", 4096]].map(([es, en, most], axis) => this.integer(
        this.word(`Entrada: ${es}`, `Input: ${en}`), shape[axis], 1, most));
      this.list = h("ol", { "aria-label": this.word("Capas", "Layers") });
      this.layers = layers.map(settings => this.layer(settings));
      this.selected = this.layers.findLastIndex(layer => layer.kind === "conv");
      this.add_button = this.button(this.word("+ Agregar una capa", "+ Add a layer"), () => this.add());
      this.table = h("table", { class: "shapes" });
      this.sum = h("p", { class: "sum" });
      this.seen = h("p", {});
      this.list_layers();
      return [
        h("div", { class: "row" }, h("div", { class: "field" }, h("label", { for: "stack" },
          this.word("Red de ejemplo", "Example network")), this.preset), this.shape.map(field => field.element)),
        this.list, h("div", {}, this.add_button),
        this.scroller(this.word("Formas", "Shapes"), this.table), this.sum, this.build_maps(), this.seen];
    }

    // The layers -----------------------------------------------------------

    // One layer: its kind, its fields and the <li> that holds them.
    layer({ kind, ...settings }) {
      const layer = { kind, fields: {}, error: h("p", { class: "error", role: "alert" }) };
      layer.select = h("select", { onchange: () => this.change_kind(layer, layer.select.value) },
        Object.entries(kinds).map(([key, { names: [es, en] }]) => h("option", { value: key }, this.word(es, en))));
      layer.select.value = kind;
      for (const [name, [usual, least, most]] of Object.entries(kinds[kind].settings))
        layer.fields[name] = this.integer(name, settings[name] ?? usual, least, most);
      layer.place = Object.assign(Object.create(Field.prototype),
        { lab: this, bad: "", input: layer.select, error: layer.error,
          complaint: (given, expected) => `${layer.name}: ${given}; ${expected}.` });
      this.fields.push(layer.place);
      layer.label = h("span", {});
      const tool = (name, es, en, act) => this.icon_button(name, this.word(es, en), () => act(layer));
      layer.tools = [tool("up", "Subir", "Move up", () => this.move(layer, -1)),
        tool("down", "Bajar", "Move down", () => this.move(layer, 1)),
        tool("remove", "Quitar", "Remove", () => this.remove(layer))];
      layer.element = h("li", { class: "layer" },
        h("label", { class: "field" }, layer.label, layer.select),
        Object.values(layer.fields).map(field => field.element),
        h("div", { class: "tools" }, layer.tools), layer.error);
      return layer;
    }

    value(layer, name) { return layer.fields[name]?.value; }

    load(name) {
      const [, shape, layers] = stacks[name];
      this.fields = [...this.shape];
      this.layers = layers.map(settings => this.layer(settings));
      this.selected = this.layers.findLastIndex(layer => layer.kind === "conv");
      this.list_layers();
      this.shape.forEach((field, axis) => field.set(shape[axis]));
      this.changed();
    }

    forget(layer) {
      const gone = [layer.place, ...Object.values(layer.fields)];
      this.fields = this.fields.filter(field => !gone.includes(field));
    }

    change_kind(layer, kind) {
      const kept = Object.fromEntries(Object.entries(layer.fields).map(([name, field]) => [name, field.value]));
      const fresh = this.layer({ kind, ...kept });
      this.forget(layer);
      this.layers[this.layers.indexOf(layer)] = fresh;
      this.renew(fresh.select);
    }

    add() {
      const last = this.layers.at(-1);
      const kind = last && ["flatten", "dense", "global"].includes(last.kind) ? "dense" : "conv";
      const fresh = this.layer({ kind });
      this.layers.push(fresh);
      this.selected = this.layers.length - 1;
      this.renew(fresh.select);
    }

    move(layer, change) {
      const i = this.layers.indexOf(layer);
      this.layers.splice(i, 1);
      this.layers.splice(i + change, 0, layer);
      if (this.selected === i) this.selected = i + change;
      const tool = layer.tools[change < 0 ? 0 : 1];
      this.renew(tool);
      if (tool.disabled) layer.select.focus();
    }

    remove(layer) {
      this.forget(layer);
      this.layers.splice(this.layers.indexOf(layer), 1);
      this.renew(this.add_button);
    }

    renew(focus) {
      this.list_layers();
      this.changed();
      focus.focus();
    }

    list_layers() {
      const last = this.layers.length - 1;
      this.layers.forEach((layer, i) => {
        layer.name = this.word(`Capa ${i + 1}`, `Layer ${i + 1}`);
        layer.label.textContent = layer.name;
        for (const [name, field] of Object.entries(layer.fields)) {
          field.label = `${layer.name}, ${name}`;
          field.input.setAttribute("aria-label", field.label);
        }
        layer.tools[0].disabled = i === 0;
        layer.tools[1].disabled = i === last;
        const names = [["Subir la capa", "Move up layer"], ["Bajar la capa", "Move down layer"],
          ["Quitar la capa", "Remove layer"]];
        layer.tools.forEach((tool, k) => tool.setAttribute("aria-label", `${this.word(...names[k])} ${i + 1}`));
      });
      this.list.replaceChildren(...this.layers.map(layer => layer.element));
    }

    // What comes out of each layer -----------------------------------------

    // Compute the layers up to the first that does not fit, if one does not.
    check() {
      const [n_H, n_W, n_C] = this.shape.map(field => field.value);
      const see = { size: 1, jump: 1, start: 0 };
      let state = { shape: [n_H, n_W, n_C], map: [n_H, n_W], sees: [see, see], parameters: 0, multiply_adds: 0 };
      this.results = [];
      for (const layer of this.layers) {
        const wrong = this.misfit(layer, state);
        if (wrong) {
          this.draw();
          return wrong;
        }
        state = this.after(layer, state);
        this.results.push(state);
      }
    }

    misfit(layer, { shape, map }) {
      const volume = shape.length === 3, text = this.shape_text(shape);
      const got = this.word(`recibe ${text}`, `it receives ${text}`);
      if (layer.kind === "dense" && volume) return [layer.place, got, this.word(
        "una capa densa espera un vector: antes va aplanar o el promedio global",
        "a dense layer expects a vector: flatten or the global average goes before")];
      if (layer.kind !== "dense" && !volume) return [layer.place, got, this.word(
        "esta capa espera un volumen n_H × n_W × n_C", "this layer expects a volume n_H × n_W × n_C")];
      const f = this.value(layer, "f");
      if (!f) return;
      const span = (this.value(layer, "dilation") ?? 1) * (f - 1) + 1;
      const most = Math.min(...map) + 2 * (this.value(layer, "pad") ?? 0);
      if (span > most) return [layer.fields.f, f, this.word(
        `la ventana abarca ${span} casillas y se esperan como mucho las ${most} de la entrada rellena`,
        `the window spans ${span} cells; expected at most the ${most} of the padded input`)];
    }

    after(layer, state) {
      const [n_H, n_W, n_C] = state.shape, n_in = state.shape.reduce((a, b) => a * b);
      const none = { parameters: 0, multiply_adds: 0 };
      const whole = { map: [1, 1], sees: this.see(state, state.map.map(f => ({ f, stride: 1, pad: 0, dilation: 1 }))) };
      if (layer.kind === "flatten") return { ...state, ...none, shape: [n_in] };
      if (layer.kind === "global") return { ...state, ...none, ...whole, shape: [n_C] };
      if (layer.kind === "dense") {
        const n = this.value(layer, "n");
        return { ...whole, shape: [n], parameters: dense_parameters(n_in, n), multiply_adds: n_in * n };
      }
      const setting = { f: this.value(layer, "f"), stride: this.value(layer, "stride"),
        pad: this.value(layer, "pad") ?? 0, dilation: this.value(layer, "dilation") ?? 1 };
      const { f, stride, pad, dilation } = setting;
      const map = [n_H, n_W].map(n => output_size(n, f, [pad, pad], stride, dilation));
      const sees = this.see(state, [setting, setting]);
      if (layer.kind !== "conv") return { ...none, map, sees, shape: [...map, n_C] };
      const filters = this.value(layer, "n_C");
      return { map, sees, shape: [...map, filters], parameters: conv_parameters(f, n_C, filters),
        multiply_adds: conv_multiply_adds(...map, f, n_C, filters) };
    }

    see(state, settings) {
      return state.sees.map((field, axis) => receptive_field(field, settings[axis]));
    }

    shape_text(shape) { return shape.map(integer_text).join(" × "); }

    // Drawing --------------------------------------------------------------

    draw() {
      this.selected = between(this.selected, 0, this.results.length - 1);
      this.draw_table();
      if (this.results.length) this.choose(this.selected);
      this.maps.hidden = this.seen.hidden = this.sum.hidden = !this.results.length;
    }

    draw_table() {
      const whole = this.results.length === this.layers.length;
      const total = name => whole
        ? integer_text(this.results.reduce((sum, result) => sum + result[name], 0)) : "?";
      const row = (first, cells) => h("tr", {}, h("th", { scope: "row" }, first), cells.map(cell => h("td", {}, cell)));
      const kind = layer => this.word(...kinds[layer.kind].names);
      this.buttons = this.layers.map((layer, i) => h("button", { type: "button",
        disabled: i >= this.results.length, onclick: () => this.choose(i) }, `${i + 1}. ${kind(layer)}`));
      const input = this.shape.map(field => field.value);
      this.table.replaceChildren(
        h("thead", {}, h("tr", {}, [["capa", "layer"], ["forma", "shape"], ["parámetros", "parameters"],
          ["multiplicaciones", "multiply-adds"], ["campo", "field"]]
          .map(words => h("th", { scope: "col" }, this.word(...words))))),
        h("tbody", {}, row(this.word("entrada", "input"), [this.shape_text(input), "", "", "1 × 1"]),
          this.buttons.map((button, i) => row(button, this.numbers_of(this.results[i])))),
        h("tfoot", {}, row("total", ["", total("parameters"), total("multiply_adds"), ""])));
    }

    numbers_of(result) {
      return result ? [this.shape_text(result.shape), integer_text(result.parameters),
        integer_text(result.multiply_adds), result.sees.map(see => integer_text(see.size)).join(" × ")]
        : ["?", "?", "?", "?"];
    }

    choose(i) {
      this.selected = i;
      this.buttons.forEach((button, k) => button.setAttribute("aria-pressed", String(k === i)));
      this.sum.textContent = this.account(i);
      const [rows, columns] = this.results[i].map;
      this.go(Math.floor((rows - 1) / 2), Math.floor((columns - 1) / 2));
    }

    // The numbers of layer i, with the reader's settings in them.
    account(i) {
      const layer = this.layers[i], result = this.results[i];
      const before = i ? this.results[i - 1].shape : this.shape.map(field => field.value);
      const parameters = this.word("parámetros", "parameters");
      const products = this.word("multiplicaciones", "multiply-adds");
      const name = `${layer.name} (${this.word(...kinds[layer.kind].names)})`;
      if (layer.kind === "dense") return `${name}: (${before[0]} + 1) · ${result.shape[0]} = `
        + `${integer_text(result.parameters)} ${parameters}; ${before[0]} · ${result.shape[0]} = `
        + `${integer_text(result.multiply_adds)} ${products}.`;
      if (layer.kind !== "conv") return this.word(`${name}: no tiene parámetros.`, `${name}: it has no parameters.`);
      const f = this.value(layer, "f"), [n_H, n_W, n_C] = result.shape, n_C_prev = before[2];
      return `${name}: (${f} · ${f} · ${n_C_prev} + 1) · ${n_C} = ${integer_text(result.parameters)} ${parameters}; `
        + `${n_H} · ${n_W} · ${n_C} · ${f} · ${f} · ${n_C_prev} = ${integer_text(result.multiply_adds)} ${products}.`;
    }

    build_maps() {
      const svg = () => {
        const picture = document.createElementNS("http://www.w3.org/2000/svg", "svg");
        picture.setAttribute("class", "picture");
        picture.setAttribute("aria-hidden", "true");
        return picture;
      };
      this.input_map = svg();
      this.output_map = svg();
      const point = event => {
        const place = new DOMPoint(event.clientX, event.clientY)
          .matrixTransform(this.output_map.getScreenCTM().inverse());
        this.go(Math.floor(place.y), Math.floor(place.x));
      };
      this.output_label = h("p", { class: "heading", "aria-hidden": "true" });
      this.output_box = h("div", { class: "map", tabindex: 0, role: "application",
        onkeydown: event => this.press(event), onpointerdown: point, onpointermove: point }, this.output_map);
      this.maps = h("div", { class: "maps" },
        h("div", {}, this.output_label, this.output_box),
        h("div", {}, h("p", { class: "heading" }, this.word("Lo que ve en la entrada", "What it sees in the input")), this.input_map));
      return this.maps;
    }

    press(event) {
      const [rows, columns] = { ArrowUp: [-1, 0], ArrowDown: [1, 0],
        ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key] ?? [0, 0];
      if (!rows && !columns) return;
      event.preventDefault();
      this.go(this.row + rows, this.column + columns);
      this.announce(this.seen.textContent);
    }

    go(row, column) {
      const { map, sees } = this.results[this.selected];
      this.row = between(row, 0, map[0] - 1);
      this.column = between(column, 0, map[1] - 1);
      const input = this.shape.slice(0, 2).map(field => field.value);
      const starts = [this.row, this.column].map((q, axis) => sees[axis].start + q * sees[axis].jump);
      const ends = starts.map((start, axis) => start + sees[axis].size - 1);
      this.draw_map(this.output_map, [0, 0], map, [[0, 0, ...map, "outputs"]],
        [this.row, this.column, 1, 1, "chosen"], map);
      const low = sees.map(see => Math.min(0, see.start));
      const high = sees.map((see, axis) => Math.max(input[axis],
        see.start + (map[axis] - 1) * see.jump + see.size));
      this.draw_map(this.input_map, low, high, [[0, 0, ...input, "whole"]],
        [...starts, ...sees.map(see => see.size), "field-of"], input);
      const name = this.layers[this.selected].name;
      this.output_label.textContent = `${name}: ${map[0]} × ${map[1]}`;
      this.output_box.setAttribute("aria-label", this.word(`Salidas de la ${name.toLowerCase()}`, `Outputs of ${name.toLowerCase()}`));
      const text = axis => `${starts[axis]} ${this.word("a", "to")} ${ends[axis]}`.replaceAll("-", "−");
      this.seen.textContent = this.word(
        `La salida [${this.row}, ${this.column}] ve las filas ${text(0)} y las columnas ${text(1)} de la entrada; la de al lado, lo mismo corrido en ${sees[1].jump}. Lo que cae fuera es relleno.`,
        `Output [${this.row}, ${this.column}] sees rows ${text(0)} and columns ${text(1)} of the input; the next one, the same moved by ${sees[1].jump}. What falls outside is padding.`);
    }

    // Rectangles [row, column, rows, columns, class] between two corners.
    draw_map(svg, [top, left], [bottom, right], areas, mark, [rows, columns]) {
      const edge = 0.02 * Math.max(bottom - top, right - left);
      svg.setAttribute("viewBox", `${left - edge} ${top - edge} ${right - left + 2 * edge} ${bottom - top + 2 * edge}`);
      const rect = ([row, column, height, width, kind]) =>
        `<rect x="${column}" y="${row}" width="${width}" height="${height}" class="${kind}"/>`;
      const few = Math.max(rows, columns) <= 28;
      const lines = few ? [...range(rows).slice(1).map(i => `M0 ${i}h${columns}`),
        ...range(columns).slice(1).map(j => `M${j} 0v${rows}`)].join("") : "";
      svg.innerHTML = areas.map(rect).join("") + `<path class="lines" d="${lines}"/>` + rect(mark);
    }
  }

  customElements.define("shape-calculator", ShapeCalculator);
}
