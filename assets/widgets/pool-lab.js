// <pool-lab>: pooling by maximum or average, where each output comes from,
// and where each gradient goes on the way back.
// Attributes: matrix (rows apart by "/"), size (f), stride, mode ("max" or
// "average").
{
  const { Lab, h, show, written_sum, matrix, pool_sizes, pool_cells,
    first_maximum, pool_forward, pool_backward } = cnnbook;

  const between = (value, least, most) => Math.max(least, Math.min(value, most));

  class PoolLab extends Lab {
    static style = `
.tables { display: flex; flex-wrap: wrap; gap: 1rem 2rem; align-items: start; }
.fields td { padding: 0; }
.fields input, .result button { width: 2.7rem !important; height: 2.5rem; padding: 0 !important;
  border: 0 !important; background: none !important; text-align: center; border-radius: 3px; }
.fields input[aria-invalid=true] { outline: 2px solid var(--wrong); }
.result td { padding: 0; }
.plain tbody td { width: 2.7rem; height: 2.5rem; }
.seen { box-shadow: inset 0 0 0 2px var(--kernel); }
.from { --color: var(--kernel); --tint: 38%; font-weight: 600; }
.now { box-shadow: inset 0 0 0 2px var(--output); --tint: 32%; font-weight: 600; }
.sum { min-height: 3.2rem; }
@container (max-width: 34rem) { 
  .fields input, .result button { width: 2rem !important; }
  .plain tbody td { width: 2rem; min-width: 2rem; }
}
`;

    title() { return this.word("Laboratorio: agrupación", "Lab: pooling"); }

    build() {
      const given = (name, usual) => this.getAttribute(name) ?? usual;
      const A_prev = given("matrix", "1 3 2 4 / 5 6 1 3 / 1 2 0 2 / 3 4 3 2")
        .split("/").map(row => row.trim().split(/\s+/));
      this.row = this.column = 0;
      this.mode_choice = this.choice(this.word("Resumen de la ventana", "Summary of the window"), [
        ["max", this.word("máximo", "maximum")],
        ["average", this.word("promedio", "average")]], given("mode", "max"));
      this.pass = this.choice(this.word("Pasada", "Pass"), [
        ["forward", this.word("hacia adelante", "forward")],
        ["backward", this.word("hacia atrás", "backward")]], "forward");
      this.n = this.integer(this.word("Lado de la entrada n", "Side of the input n"), A_prev.length, 1, 8);
      this.f = this.integer(this.word("Ventana f", "Window f"), given("size", 2), 1, 8);
      this.stride = this.integer(this.word("Paso s", "Stride s"), given("stride", 2), 1, 8);
      this.errors = h("div");
      this.entry = this.table_of_fields("A_prev", this.word("Entrada A_prev", "Input A_prev"), "input");
      this.gradient = this.table_of_fields("dA", this.word("Gradiente dA de la salida", "Gradient dA of the output"), "output");
      this.gradient.table.addEventListener("focusin", event => this.follow(event));
      this.result = h("table", { class: "result", onkeydown: event => this.press(event) });
      this.back = h("table", { class: "plain" });
      this.sum = h("p", { class: "sum" });
      this.fill(this.entry, A_prev);
      return [
        h("div", { class: "row" }, this.mode_choice.element, this.pass.element),
        h("div", { class: "row" }, this.n.element, this.f.element, this.stride.element,
          this.button(this.word("Números al azar", "Random numbers"), () => this.shuffle(9)),
          this.button(this.word("Con empates", "With ties"), () => this.shuffle(2))),
        h("div", { class: "tables" }, this.entry.table, this.result, this.gradient.table, this.back),
        this.errors, this.sum];
    }

    // Tables whose cells are fields ----------------------------------------

    table_of_fields(name, title, kind) {
      return { name, title, kind, cells: [], table: h("table", { class: "fields" }) };
    }

    fill(grid, values) {
      const old = grid.cells.flat();
      this.fields = this.fields.filter(field => !old.includes(field));
      for (const cell of old) cell.error.remove();
      grid.cells = values.map((row, i) => row.map((value, j) =>
        this.cell(`${grid.name}[${i}, ${j}]`, value)));
      this.errors.append(...grid.cells.flat().map(cell => cell.error));
      this.fill_table(grid.table, grid.title, grid.cells.map(row => row.map(cell =>
        h("td", { class: grid.kind }, cell.element))));
    }

    fill_table(table, title, cells) {
      table.replaceChildren(h("caption", {}, title),
        h("thead", {}, h("tr", {}, h("td"), cells[0].map((_, j) => h("th", { scope: "col" }, `${j}`)))),
        h("tbody", {}, cells.map((row, i) => h("tr", {}, h("th", { scope: "row" }, `${i}`), row))));
    }

    values(grid) { return grid.cells.map(row => row.map(cell => cell.value)); }

    shuffle(most) {
      const n = this.n.value, random = () => Math.floor(Math.random() * (most + 1));
      this.fill(this.entry, matrix(n, n, random));
      this.changed();
    }

    // A gradient of another shape begins with 1, 2, 3, ...
    resize() {
      const n = this.n.value, old = this.entry.cells;
      if (n !== old.length) this.fill(this.entry, matrix(n, n, (i, j) => old[i]?.[j]?.input.value ?? 0));
      if (this.f.value > n) return;
      const [n_out] = pool_sizes(this.entry.cells, this.f.value, this.stride.value);
      if (n_out !== this.gradient.cells.length)
        this.fill(this.gradient, matrix(n_out, n_out, (i, j) => n_out * i + j + 1));
    }

    check() {
      this.resize();
      if (this.f.value > this.n.value) return [this.f, this.f.value, this.word(
        `se espera como mucho ${this.n.value}, el lado de la entrada`,
        `expected at most ${this.n.value}, the side of the input`)];
    }

    draw() {
      const f = this.f.value, stride = this.stride.value;
      this.mode = this.mode_choice.value;
      this.A_prev = this.values(this.entry);
      this.A = pool_forward(this.A_prev, f, stride, this.mode);
      this.cells = matrix(this.A.length, this.A.length, (i, j) => pool_cells(f, stride, i, j));
      const backward = this.pass.value === "backward";
      this.gradient.table.hidden = this.back.hidden = !backward;
      this.dA = this.values(this.gradient);
      this.dA_prev = pool_backward(this.dA, this.A_prev, f, stride, this.mode);
      this.fill_table(this.result, this.word("Salida A", "Output A"), this.A.map((row, i) =>
        row.map((value, j) => h("td", { class: "output" }, h("button", { type: "button",
          onclick: () => this.go(i, j, true) }, show(Number(value.toPrecision(4))))))));
      this.fill_table(this.back, this.word("Gradiente dA_prev de la entrada", "Gradient dA_prev of the input"),
        this.dA_prev.map(row => row.map(value => h("td", { class: "input" }, show(Number(value.toPrecision(4)))))));
      this.go(this.row, this.column);
    }

    // Choosing an output ---------------------------------------------------

    press(event) {
      const [rows, columns] = { ArrowUp: [-1, 0], ArrowDown: [1, 0],
        ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key] ?? [0, 0];
      if (!rows && !columns) return;
      event.preventDefault();
      this.go(this.row + rows, this.column + columns, true);
    }

    follow(event) {
      this.gradient.cells.forEach((row, i) => row.forEach((cell, j) => {
        if (cell.input === event.target) this.go(i, j);
      }));
    }

    // The cells that answer for output (row, column).
    sources(row, column) {
      const cells = this.cells[row][column];
      return this.mode === "max" ? [first_maximum(this.A_prev, cells)] : cells;
    }

    go(row, column, focus = false) {
      const last = this.A.length - 1;
      this.row = between(row, 0, last);
      this.column = between(column, 0, last);
      this.draw_marks();
      const sentence = this.pass.value === "forward" ? this.sentence_forward() : this.sentence_backward();
      this.sum.replaceChildren(...sentence);
      this.announce(this.sum.textContent);
      if (focus) this.result.querySelectorAll("button")[this.row * (last + 1) + this.column].focus();
    }

    draw_marks() {
      const key = ([i, j]) => `${i},${j}`, here = [this.row, this.column];
      const seen = new Set(this.cells[this.row][this.column].map(key));
      const from = new Set(this.sources(...here).map(key));
      const winners = new Set(this.mode === "max"
        ? matrix(this.A.length, this.A.length, (i, j) => key(this.sources(i, j)[0])).flat() : []);
      const mark = (table, marks) => [...table.tBodies[0].rows].forEach((row, i) =>
        [...row.querySelectorAll("td")].forEach((cell, j) => Object.entries(marks).forEach(
          ([name, test]) => cell.classList.toggle(name, test([i, j])))));
      const input_marks = { seen: cell => seen.has(key(cell)), from: cell => from.has(key(cell)),
        strong: cell => winners.has(key(cell)) };
      mark(this.entry.table, input_marks);
      mark(this.back, input_marks);
      const output_marks = { now: cell => key(cell) === key(here) };
      mark(this.result, output_marks);
      mark(this.gradient.table, output_marks);
      this.result.querySelectorAll("button").forEach((button, k) => {
        const current = k === this.row * this.A.length + this.column;
        button.tabIndex = current ? 0 : -1;
        button.setAttribute("aria-current", String(current));
      });
    }

    sentence_forward() {
      const cells = this.cells[this.row][this.column];
      const values = cells.map(([i, j]) => this.A_prev[i][j]);
      const value = this.A[this.row][this.column];
      const name = `A[${this.row}, ${this.column}] = `;
      const result = h("span", { class: "output-text" }, show(value));
      const input = text => h("span", { class: "input-text" }, text);
      if (this.mode === "average") return [name, "(", input(written_sum(values)), ") / ",
        String(cells.length), " = ", result];
      const [i, j] = first_maximum(this.A_prev, cells);
      const equal = values.filter(other => other === value).length;
      const tie = equal === 1 ? "" : this.word(` Hay ${equal} iguales: cuenta el primero.`,
        ` ${equal} are equal: the first one counts.`);
      return [name, "max(", input(values.map(show).join(", ")), ") = ", result,
        this.word(`: viene de A_prev[${i}, ${j}].${tie}`, `: it comes from A_prev[${i}, ${j}].${tie}`)];
    }

    sentence_backward() {
      const sources = this.sources(this.row, this.column), da = this.dA[this.row][this.column];
      const name = [`dA[${this.row}, ${this.column}] = `, h("span", { class: "output-text" }, show(da))];
      const [i, j] = sources[0];
      if (this.mode === "max") return [...name, this.word(
        ` va entero a dA_prev[${i}, ${j}], de donde vino el máximo.`,
        ` goes whole to dA_prev[${i}, ${j}], where the maximum came from.`)];
      const share = show(da / sources.length);
      return [...name, this.word(
        ` se reparte por igual: ${show(da)} / ${sources.length} = ${share} a cada casilla de su ventana.`,
        ` is shared out equally: ${show(da)} / ${sources.length} = ${share} to each cell of its window.`)];
    }
  }

  customElements.define("pool-lab", PoolLab);
}
