// What the labs share: their place in the page, style, fields and voice.
// A lab is a custom element `<x-lab for="fig-x">` that extends cnnbook.Lab
// and defines build(), check() and draw(). It takes the place of the picture
// of its figure, in the language of the page.
(() => {
  // An element: attributes, "onevent" listeners, then its children.
  function h(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [key, value] of Object.entries(attributes)) {
      if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
      else if (value === true) element.setAttribute(key, "");
      else if (value !== false && value != null) element.setAttribute(key, value);
    }
    element.append(...children.flat(9).filter(child => child != null));
    return element;
  }

  // A number as Python's "{:g}" writes it, with a true minus sign.
  const show = value => String(Number(value.toPrecision(6))).replaceAll("-", "−");

  // A large integer in groups of three digits.
  const integer_text = value => String(value).replace(/\B(?=(\d{3})+$)/g, "\u202f");

  // A number as a reader writes it: "−2.5", "1/9". NaN if it is not one.
  function number(text) {
    const [above, below = "1", ...rest] = text.replaceAll("−", "-").split("/");
    const value = Number(above.trim() || "x") / Number(below.trim() || "x");
    return rest.length || Math.abs(value) > 999 ? NaN : value;
  }

  // As a term that is not the first of a sum or a product.
  const signed = value => (value < 0 ? `(${show(value)})` : show(value));

  // MathML from tokens apart by spaces, such as "n + p_0 − 1".
  const math = tokens => tokens.split(" ").map(token => {
    const [base, index] = token.split("_");
    if (index) return `<msub>${math(base)}${math(index)}</msub>`;
    if (/^[\d.−]*\d$/.test(token)) return `<mn>${token}</mn>`;
    if (token === "out") return "<mtext>out</mtext>";
    return /^\p{L}+$/u.test(token) ? `<mi>${token}</mi>` : `<mo>${token}</mo>`;
  }).join("");

  const floor = (above, below) => "<mrow><mo>⌊</mo><mfrac><mrow>" + math(above)
    + "</mrow><mrow>" + math(below) + "</mrow></mfrac><mo>⌋</mo></mrow>";

  const icons = {
    first: "M4 4v12M17 4l-6 6 6 6zM11 4l-6 6 6 6z", back: "M15 4v12M12 4l-8 6 8 6z",
    play: "M6 3l11 7-11 7z", pause: "M6 4h3v12H6zM12 4h3v12h-3z",
    step: "M5 4v12M8 4l8 6-8 6z", last: "M16 4v12M3 4l6 6-6 6zM9 4l6 6-6 6z",
    up: "M4 13l6-8 6 8z", down: "M4 7l6 8 6-8z", remove: "M5 5l10 10M15 5L5 15",
  };

  function icon(name) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 20 20");
    svg.setAttribute("aria-hidden", "true");
    svg.innerHTML = `<path d="${icons[name]}"/>`;
    return svg;
  }

  const calm = matchMedia("(prefers-reduced-motion: reduce)");

  // Let an element arrive from `x` pixels away, unless motion is unwelcome.
  function glide(element, x) {
    if (x && !calm.matches) element.animate(
      [{ transform: `translateX(${x}px)` }, { transform: "none" }],
      { duration: 350, easing: "ease-in-out" });
  }

  // A field: its label, its input and its error; `read` turns what was
  // written into a value, or throws an Error that says what is expected.
  class Field {
    static count = 0;

    constructor(lab, label, value, read, attributes) {
      const id = `field-${++Field.count}`;
      Object.assign(this, { lab, label, read, bad: "" });
      this.input = h("input", {
        id, value, autocomplete: "off", spellcheck: "false",
        "aria-describedby": `${id}-error`, ...attributes,
        oninput: () => this.take(false), onchange: () => this.take(true),
      });
      this.error = h("p", { class: "error", id: `${id}-error`, role: "alert" });
      this.value = read(String(value));
      this.element = h("div", { class: "field" },
        h("label", { for: id }, label), this.input, this.error);
    }

    // Leaving the field brings its error, if any, but draws nothing anew:
    // a button that is being pressed must not be replaced.
    take(finished) {
      if (finished && this.input.value === this.taken) {
        if (this.bad) this.say(this.bad);
        return;
      }
      this.taken = this.input.value;
      try {
        this.value = this.read(this.input.value);
        this.bad = "";
        this.lab.changed();
      } catch (error) {
        if (!(error instanceof Expected)) throw error;
        this.bad = this.complaint(this.input.value, error.message);
        if (finished) this.say(this.bad);
      }
    }

    set(value) {
      this.input.value = value;
      this.take(true);
    }

    complaint(given, expected) {
      return this.lab.word(`${this.label}: hay «${given}»; ${expected}.`,
        `${this.label}: got “${given}”; ${expected}.`);
    }

    say(message) {
      if (this.error.textContent !== message) this.error.textContent = message;
      this.input.setAttribute("aria-invalid", String(Boolean(message)));
    }
  }

  class Expected extends Error {}

  class Lab extends HTMLElement {
    fields = [];

    connectedCallback() {
      if (this.shadowRoot) return;
      this.spanish = document.documentElement.lang.startsWith("es");
      const figure = document.getElementById(this.getAttribute("for"));
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(style + (this.constructor.style ?? ""));
      this.attachShadow({ mode: "open" }).adoptedStyleSheets = [sheet];
      this.voice = h("p", { class: "unseen", "aria-live": "polite" });
      this.root = h("div", { class: "lab", role: "group",
        "aria-label": this.title() }, this.build(), this.voice);
      this.shadowRoot.append(this.root);
      figure?.querySelector("img, svg")?.replaceWith(this);
      this.changed();
      this.ready = true;
    }

    word(es, en) { return this.spanish ? es : en; }

    // Draw anew, unless check() finds settings that contradict each other:
    // [field, what it has, what is expected].
    changed() {
      for (const field of this.fields) field.say(field.bad);
      const [field, given, expected] = this.check?.() ?? [];
      if (field) field.say(field.complaint(given, expected));
      else this.draw();
    }

    // Say it to those who do not see it change; a page says nothing at first.
    announce(text) { if (this.ready) this.voice.textContent = text; }

    field(label, value, read, attributes) {
      const field = new Field(this, label, value, read, attributes);
      this.fields.push(field);
      return field;
    }

    // A list of `least` to `most` numbers.
    numbers(label, value, least, most) {
      const expected = this.word(
        `se esperan de ${least} a ${most} números entre −999 y 999, como 1 0 −2.5`,
        `expected ${least} to ${most} numbers between −999 and 999, such as 1 0 −2.5`);
      return this.field(label, value, text => {
        const found = text.split(/[\s,;]+/).filter(Boolean).map(number);
        if (found.some(Number.isNaN) || found.length < least || found.length > most)
          throw new Expected(expected);
        return found;
      }, { class: "wide" });
    }

    // One number, for a cell of a matrix: the label is not seen.
    cell(label, value) {
      const field = this.field(label, value, text => {
        const value = number(text);
        if (!Number.isNaN(value)) return value;
        throw new Expected(this.word("se espera un número entre −999 y 999, como −2 o 1/9",
          "expected a number between −999 and 999, such as −2 or 1/9"));
      }, { class: "cell", inputmode: "text" });
      field.element.classList.add("only-input");
      return field;
    }

    // An integer with a button on each side.
    integer(label, value, least, most) {
      const field = this.field(label, value, text => {
        const found = text.trim() === "" ? NaN : Number(text);
        if (Number.isInteger(found) && found >= least && found <= most) return found;
        throw new Expected(this.word(`se espera un entero de ${least} a ${most}`,
          `expected an integer from ${least} to ${most}`));
      }, { type: "number", min: least, max: most, step: 1 });
      const button = (sign, change, name) => h("button", {
        type: "button", tabindex: -1, "aria-label": `${label}: ${name}`,
        onclick: () => field.set(Math.min(most, Math.max(least, field.value + change))),
      }, sign);
      const stepper = h("span", { class: "stepper" });
      field.input.replaceWith(stepper);
      stepper.append(button("−", -1, this.word("uno menos", "one less")), field.input,
        button("+", 1, this.word("uno más", "one more")));
      return field;
    }

    // One of a few options, [value, text] each; `value` is the chosen one.
    choice(label, options, value, changed = () => this.changed()) {
      const name = `choice-${++Field.count}`, choice = { value };
      choice.set = wanted => {
        for (const input of choice.element.querySelectorAll("input"))
          input.checked = input.value === wanted;
        choice.value = wanted;
        changed();
      };
      choice.element = h("fieldset", {}, h("legend", {}, label),
        h("div", { class: "choice" }, options.map(([key, text]) => h("label", {},
          h("input", { type: "radio", name, value: key, checked: key === value,
            onchange: () => { choice.value = key; changed(); } }),
          h("span", {}, text)))));
      return choice;
    }

    check_box(label, checked) {
      const input = h("input", { type: "checkbox", checked, onchange: () => this.changed() });
      return { get value() { return input.checked; },
        element: h("label", { class: "check" }, input, h("span", {}, label)) };
    }

    // The padding: a mode of the book or a number of zeros.
    padding(mode, pad) {
      this.mode = this.choice(this.word("Relleno", "Padding"),
        [["full", "full"], ["same", "same"], ["valid", "valid"],
          ["number", this.word("número", "number")]], mode, () => {
        this.pad.element.hidden = this.mode.value !== "number";
        this.changed();
      });
      this.pad = this.integer(this.word("Ceros a cada lado p", "Zeros on each side p"), pad, 0, 9);
      this.pad.element.hidden = mode !== "number";
      return [this.mode.element, this.pad.element];
    }

    get p() {
      return this.mode.value === "number" ? this.pad.value : this.mode.value;
    }

    button(text, onclick, attributes) {
      return h("button", { type: "button", onclick, ...attributes }, text);
    }

    icon_button(name, label, onclick, attributes) {
      return h("button", { type: "button", "aria-label": label, title: label,
        class: "icon", onclick, ...attributes }, icon(name));
    }

    relabel(button, name, label) {
      button.replaceChildren(icon(name));
      button.setAttribute("aria-label", label);
      button.title = label;
    }

    // A part that may be wider than the phone scrolls by itself.
    scroller(label, ...children) {
      return h("div", { class: "scroller", role: "region", tabindex: 0,
        "aria-label": label }, children);
    }

    // The size of the output in letters and with the reader's numbers;
    // `f` is the letter of the kernel's length.
    size_formula(f, { n, length, widths: [before, after], stride, dilation, n_out }) {
      const span = dilation * (length - 1) + 1;
      const parts = [
        math("n_out =") + floor("n + p_0 + p_1 − e", "s") + math("+ 1"),
        math("=") + floor(`${n} + ${before} + ${after} − ${span}`, `${stride}`)
          + math(`+ 1 = ${n_out}`),
        math(`e = d ( ${f} − 1 ) + 1`),
        math(`= ${dilation} ( ${length} − 1 ) + 1 = ${span}`)];
      const box = h("div", { class: "formula" });
      box.innerHTML = parts.map((part, i) => (i % 2 ? "" : "<p>")
        + `<math displaystyle="true">${part}</math> ` + (i % 2 ? "</p>" : "")).join("");
      return box;
    }
  }

  const style = `
:host {
  --ground: var(--paper, light-dark(#ffffff, #16191d));
  --text: var(--ink, light-dark(#1d2329, #dfe3e8));
  --faint: var(--soft, light-dark(#5b6570, #a3adb8));
  --rule: var(--line, light-dark(#dfe3e8, #343b44));
  --edge: light-dark(#767676, #8b949e);
  --input: #0072B2; --kernel: #D55E00; --output: #009E73;
  --input-text: light-dark(#00588f, #7cc4f5);
  --kernel-text: light-dark(#a94700, #ff9a57);
  --output-text: light-dark(#006b4e, #4ecfa4);
  --wrong: light-dark(#b00020, #ff8a95);
  --cell: 2.5rem;
  display: block; container-type: inline-size; text-align: left;
  font: 1rem/1.45 var(--sans, system-ui, sans-serif); color: var(--text); hyphens: manual;
}
*, ::before, ::after { box-sizing: border-box; }
[hidden] { display: none !important; }
.lab { border: 1px solid var(--rule); border-radius: 10px; padding: 1.1rem;
  background: var(--ground); display: grid; gap: 1rem;
  grid-template-columns: minmax(0, 1fr); }
.unseen { position: absolute; width: 1px; height: 1px; margin: -1px;
  overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
p { margin: 0; }
.row { display: flex; flex-wrap: wrap; gap: .8rem 1.1rem; align-items: start; }
.row > button { align-self: end; }
.field { display: grid; gap: .25rem; min-width: 0; }
.field:has(.wide) { flex: 1 1 13rem; }
label, legend, .heading { font-size: .88rem; font-weight: 600; color: var(--text); }
input:not([type=radio], [type=checkbox], [type=range], [type=file]), button, select,
.choice { font: inherit; color: inherit; background: var(--ground);
  border: 1px solid var(--edge); border-radius: 6px; min-height: 2.5rem; }
input:not([type=radio], [type=checkbox], [type=range], [type=file]) {
  padding: 0 .6rem; width: 100%; font-variant-numeric: tabular-nums; }
input[type=number] { appearance: textfield; text-align: center; }
input::-webkit-inner-spin-button { display: none; }
input[aria-invalid=true] { border: 2px solid var(--wrong) !important; }
:focus-visible { outline: 3px solid var(--input-text); outline-offset: 2px; }
.error:empty { display: none; }
.error { color: var(--wrong); font-size: .9rem; }
.stepper { display: flex; width: 8.2rem; }
.stepper button { flex: 0 0 2.5rem; font-size: 1.2rem; padding: 0; }
.stepper button:first-child { border-radius: 6px 0 0 6px; border-right: 0; }
.stepper button:last-child { border-radius: 0 6px 6px 0; border-left: 0; }
.stepper input { border-radius: 0 !important; padding: 0 !important; min-width: 0; }
button { cursor: pointer; padding: .3rem .8rem; }
button:hover:not(:disabled) { background: color-mix(in srgb, var(--input) 14%, var(--ground)); }
button:disabled { color: var(--faint); cursor: default; border-color: var(--rule); }
.icon { width: 2.75rem; padding: 0; display: inline-grid; place-items: center; }
.icon svg { width: 1.2rem; height: 1.2rem; fill: currentColor; stroke: currentColor;
  stroke-width: 1.6; stroke-linejoin: round; }
fieldset { border: 0; padding: 0; margin: 0; min-width: 0; }
legend { padding: 0; margin-bottom: .25rem; }
.choice { display: inline-flex; flex-wrap: wrap; overflow: hidden; }
.choice label { position: relative; display: grid; font-weight: 400; font-size: .95rem;
  min-height: 2.4rem; cursor: pointer; }
.choice span { display: grid; place-items: center; padding: 0 .75rem; }
.choice input { position: absolute; inset: 0; width: 100%; height: 100%; margin: 0;
  opacity: 0; cursor: pointer; }
.choice input:checked + span { background: var(--text); color: var(--ground); font-weight: 600; }
.choice input:focus-visible + span { outline: 3px solid currentColor; outline-offset: -6px; }
@media (forced-colors: active) { .choice input:checked + span {
  forced-color-adjust: none; background: Highlight; color: HighlightText; } }
.check { display: inline-flex; align-items: center; gap: .5rem; min-height: 2.5rem;
  cursor: pointer; }
.check input { width: 1.4rem; height: 1.4rem; accent-color: var(--text); margin: 0; }
input[type=range] { flex: 1 1 9rem; min-width: 6rem; height: 2.5rem; margin: 0;
  accent-color: var(--output); }
.scroller { overflow-x: auto; padding: 3px; }
table { border-collapse: separate; border-spacing: 2px; }
caption { text-align: left; font-size: .88rem; font-weight: 600; padding-bottom: .2rem; }
th { font-size: .82rem; font-weight: 400; color: var(--faint); text-align: center;
  padding: 0; white-space: nowrap; }
th[scope=row] { text-align: right; padding-right: .5rem; font-size: .9rem; }
td { width: var(--cell); min-width: var(--cell); height: var(--cell); padding: 0 .15rem;
  text-align: center; font-variant-numeric: tabular-nums; border-radius: 4px; }
thead td { height: auto; }
.input, .kernel, .output { border: 1px solid var(--color);
  background: color-mix(in srgb, var(--color) var(--tint, 10%), var(--ground)); }
.input { --color: var(--input); } .kernel { --color: var(--kernel); }
.output { --color: var(--output); }
.strong { --tint: 32%; font-weight: 600; }
.gray { border: 1px solid var(--rule); }
.pad { border: 1px dashed var(--edge); color: var(--faint); }
.input-text { color: var(--input-text); } .kernel-text { color: var(--kernel-text); }
.output-text { color: var(--output-text); font-weight: 600; }
.sum { font-size: 1.1rem; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.formula { display: flex; flex-wrap: wrap; gap: .6rem 2.2rem; align-items: center; }
.formula math { font-size: 1.1rem; padding: .15rem 0; }
details summary { cursor: pointer; font-weight: 600; font-size: .95rem; padding: .5rem 0; }
.only-input label { position: absolute; width: 1px; height: 1px; overflow: hidden;
  clip-path: inset(50%); }
@container (max-width: 34rem) {
  :host { --cell: 2rem; }
  .lab { padding: .8rem; --cell: 2.05rem; }
  td { font-size: .9rem; }
}
@media print {
  .lab { break-inside: avoid; }
  .scroller { overflow: visible; }
  .icon, .row > button, .stepper button { display: none; }
}
`;

  // A sum written out.
  const written_sum = values => values.map((value, i) => (i ? signed : show)(value)).join(" + ");

  Object.assign(cnnbook, { Lab, Field, h, show, signed, written_sum, integer_text, glide });
})();
