// What a cell gives, as the page shows it: text as it comes, tables,
// pictures, bars that fill, errors with the reader's own line.
// WORDS holds the labels of the edition.
"use strict";
globalThis.cnnbook ??= {};

(() => {
  const LANG = document.documentElement.lang || "en";
  const MOST = 200_000;         // characters of text in a cell: a loop that
  const LINES = 4_000;          // prints for ever must not stop the page

  function make(tag, properties = {}, ...children) {
    const node = document.createElement(tag);
    for (const [key, value] of Object.entries(properties)) {
      if (value === null || value === undefined) continue;
      if (key in node && !key.startsWith("aria")) node[key] = value;
      else node.setAttribute(key, value);
    }
    node.append(...children);
    return node;
  }

  // "3 {cells}" with its values; a word for one: "text | text for one".
  function say(key, values = {}) {
    const [many, one] = WORDS[`live-${key}`].split(" | ");
    const text = one && Object.values(values).includes(1) ? one : many;
    return text.replace(/\{([\w-]+)\}/g, (_, name) => values[name]);
  }

  const time = seconds => `${new Intl.NumberFormat(LANG, seconds < 10
    ? {minimumFractionDigits: 1, maximumFractionDigits: 1}
    : {maximumFractionDigits: 0}).format(seconds)}\u202fs`;

  // Markdown as the helpers of the book write it: pipe tables, paragraphs,
  // code, bold, and formulas of one line.
  const SIGNS = {cdot: "⋅", times: "×", log: "log", sigma: "σ", ",": " ",
                 alpha: "α", beta: "β", eta: "η", mu: "μ", le: "≤", ge: "≥",
                 to: "→", pi: "π", approx: "≈", "%": "%", "{": "{", "}": "}"};
  const escape = text => text.replace(/[&<>"]/g, sign => `&#${sign.charCodeAt()};`);
  const formula = text => `<span class="live-math">${text
    .replace(/\\([a-zA-Z]+|.)/g, (whole, name) => SIGNS[name] ?? name)
    .replace(/([_^])(?:\{([^}]*)\}|(\w))/g, (_, kind, long, short) =>
      kind === "_" ? `<sub>${long ?? short}</sub>` : `<sup>${long ?? short}</sup>`)
  }</span>`;

  function inline(text) {
    const kept = [];
    const keep = html => `\0${kept.push(html) - 1}\0`;
    return escape(text)
      .replace(/`([^`]+)`/g, (_, code) => keep(`<code>${code}</code>`))
      .replace(/\$([^$]+)\$/g, (_, tex) => keep(formula(tex)))
      .replace(/\*\*(.+?)\*\*/g, "<strong>$1</strong>")
      .replace(/\*(.+?)\*/g, "<em>$1</em>")
      .replace(/\[([^\]]*)\]\((https?:[^)\s]+)\)/g, '<a href="$2">$1</a>')
      .replace(/\0(\d+)\0/g, (_, i) => kept[i]);
  }

  const cells = line => line.trim().replace(/^\||\|$/g, "")
    .split(/(?<!\\)\|/).map(cell => inline(cell.trim().replace(/\\\|/g, "|")));

  function table(lines) {
    const sides = lines[1].trim().replace(/^\||\|$/g, "").split("|").map(rule =>
      /-:\s*$/.test(rule) ? /^\s*:/.test(rule) ? "center" : "right" : "left");
    const row = (line, tag) => `<tr>${cells(line).map((cell, i) =>
      `<${tag} style="text-align: ${sides[i] ?? "left"}">${cell}</${tag}>`
    ).join("")}</tr>`;
    return `<div class="table"><table><thead>${row(lines[0], "th")}</thead><tbody>${
      lines.slice(2).map(line => row(line, "td")).join("")}</tbody></table></div>`;
  }

  function markdown(text) {
    return text.trim().split(/\n\s*\n/).map(block => {
      const lines = block.split("\n");
      const rule = lines[1] ?? "";
      return rule.includes("|") && /^[\s|:-]+$/.test(rule)
        ? table(lines) : `<p>${inline(block)}</p>`;
    }).join("");
  }

  function picture(source, alt) {
    const figure = make("figure", {}, make("img", {src: source, alt}));
    globalThis.enlargeable?.(figure);       // of page.js
    return figure;
  }

  function html(text) {
    const box = make("div", {className: "live-html", innerHTML: text});
    for (const reason of box.querySelectorAll("[role=status] p")) {
      reason.innerHTML = reason.innerHTML.replace(/`([^`<]+)`/g, "<code>$1</code>");
    }
    return box;
  }

  // As an image, the ids and styles of a drawing meet no others.
  const svg = (text, alt) => picture(
    `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`, alt);
  const plain = text => make("pre", {className: "output"}, make("code", {}, text));

  const KINDS = [
    ["text/html", html], ["image/svg+xml", svg],
    ["image/png", (data, alt) => picture(`data:image/png;base64,${data}`, alt)],
    ["image/jpeg", (data, alt) => picture(`data:image/jpeg;base64,${data}`, alt)],
    ["text/markdown", text => html(markdown(text))], ["text/plain", plain]];

  function display({data, metadata = {}}, alt) {
    const [kind, draw] = KINDS.find(([mime]) => data[mime] !== undefined) ?? [];
    return kind ? draw(data[kind], metadata["fig-alt"] ?? alt) : null;
  }

  // The outputs of a cell. `where` gives a link to a line of a cell, as nodes;
  // `named` puts the names of cells for their ids in a text.
  class Outputs {
    constructor({alt = "", where = () => null, named = text => text} = {}) {
      this.place = make("div", {className: "live-outputs"});
      Object.assign(this, {alt, where, named, late: 0});
      this.clear();
    }

    get empty() { return !this.place.hasChildNodes() && !this.waiting.length; }
    get pictures() { return [...this.place.querySelectorAll("figure img")]; }

    clear() {
      this.place.replaceChildren();
      this.waiting = [];
      this.stream = null;
      this.bars = new Map();
      this.length = this.lines = 0;
      this.full = false;
    }

    // Text comes by the thousand pieces: it is written every 40 ms.
    add(output) {
      if (output.kind === "clear") return this.clear();
      if (output.kind === "stream") {
        if (this.full) return;
        this.length += output.text.length;
        this.lines += output.text.split("\n").length - 1;
        this.full = this.length > MOST || this.lines > LINES;
      }
      this.waiting.push(output);
      this.late ||= setTimeout(() => this.flush(), 40);
    }

    flush() {
      clearTimeout(this.late);
      this.late = 0;
      const outputs = this.waiting;
      this.waiting = [];
      for (let i = 0; i < outputs.length; i++) {
        const output = outputs[i];
        if (output.kind === "stream") {
          let text = output.text;
          while (outputs[i + 1]?.kind === "stream"
                 && outputs[i + 1].name === output.name) text += outputs[++i].text;
          this.write(output.name, text);
        } else this.show(output);
      }
      if (this.full && !this.place.querySelector(".live-cut")) {
        this.place.append(make("p", {className: "live-cut"}, say("cut")));
      }
    }

    write(name, text) {
      if (this.stream?.name !== name) {
        const box = plain("");
        box.classList.toggle("live-stderr", name === "stderr");
        this.stream = {name, code: box.firstChild};
        this.place.append(box);
      }
      const {code} = this.stream;
      text = text.replace(/\x1b\[[\d;]*[A-Za-z]/g, "");
      if (!text.includes("\r") && !this.stream.back) return code.append(text);
      // a carriage return writes the line again
      const whole = (code.textContent + text).replace(/\r+\n/g, "\n");
      this.stream.back = /\r$/.test(whole);
      code.textContent = whole.replace(/[^\n\r]*\r+(?=[^\n\r])/g, "");
    }

    show(output) {
      if (output.kind === "progress") return this.progress(output);
      this.stream = null;
      // the marks have said it already
      const verdict = this.place.lastElementChild?.querySelector("[role=status]");
      if (output.kind === "error" && verdict) return undefined;
      if (output.kind === "error") return this.place.append(this.error(output));
      if ((output.metadata?.lang ?? LANG) !== LANG) return;
      const node = display(output, this.alt || say("figure"));
      if (node) this.place.append(node);
    }

    progress({label, done, total}) {
      const key = label ?? "";
      if (!this.bars.has(key)) {
        const bar = make("progress", {"aria-label": label || say("progress")});
        const text = make("span");
        this.place.append(make("div", {className: "live-bar-line"},
          make("label", {}, label ? `${label} ` : "", bar), text));
        this.bars.set(key, {bar, text});
        this.stream = null;
      }
      const {bar, text} = this.bars.get(key);
      if (total) Object.assign(bar, {max: total, value: done});
      text.textContent = total ? `${done}/${total}` : `${done ?? ""}`;
    }

    error({name, message, line, cell, traceback}) {
      const box = make("div", {className: "live-error"});
      const head = make("p", {}, make("strong", {}, name ?? "Error"));
      if (message) head.append(make("span", {}, `: ${this.named(message)}`));
      box.append(head);
      const link = this.where(cell, line);
      if (link) box.append(make("p", {className: "live-where"}, ...link));
      if (traceback) {
        box.append(make("details", {}, make("summary", {}, say("traceback")),
          make("pre", {tabIndex: 0}, make("code", {}, this.named(traceback.trimEnd())))));
      }
      return box;
    }
  }

  cnnbook.live = {...cnnbook.live, Outputs, make, say, time, markdown, LANG};
})();
