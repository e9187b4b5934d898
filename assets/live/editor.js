// Code that a reader may change: a plain text box in place of the code, which
// Tab leaves, screen readers read and phones write in; and the same colors
// as the book's, for what was written, when the box is closed.
"use strict";
globalThis.cnnbook ??= {};

(() => {
  const {make, say} = cnnbook.live;
  const WORDS_OF_PYTHON = new Set(`False None True and as assert async await
    break class continue def del elif else except finally for from global if
    import in is lambda nonlocal not or pass raise return try while with
    yield`.split(/\s+/));
  const TOKEN = new RegExp([
    "(?<co>#[^\\n]*)",
    `(?<st>\\b[rbfuRBFU]{0,2}(?:"""[^]*?(?:"""|$)|'''[^]*?(?:'''|$))`
      + `|\\b[rbfuRBFU]{0,2}(?:"(?:\\\\[^]|[^"\\\\\\n])*"?|'(?:\\\\[^]|[^'\\\\\\n])*'?)`
      + `|"""[^]*?(?:"""|$)|'''[^]*?(?:'''|$)`
      + `|"(?:\\\\[^]|[^"\\\\\\n])*"?|'(?:\\\\[^]|[^'\\\\\\n])*'?)`,
    "(?<dv>\\b0[xXbBoO][\\da-fA-F_]+|\\b\\d[\\d_]*\\.?[\\d_]*(?:[eE][+-]?\\d+)?j?"
      + "|\\.\\d+(?:[eE][+-]?\\d+)?)",
    "(?<name>[\\p{L}_][\\p{L}\\p{N}_]*)"].join("|"), "gu");

  // The lines of some code: each a <span> whose parts have their colors.
  function colored(text) {
    const lines = [make("span", {className: "live-line"})];
    const put = (piece, kind) => piece.split("\n").forEach((part, i) => {
      if (i) lines.push(make("span", {className: "live-line"}));
      if (part) lines.at(-1).append(kind ? make("span", {className: kind}, part) : part);
    });
    let end = 0;
    for (const found of text.matchAll(TOKEN)) {
      const {name, ...kinds} = found.groups;
      const kind = name ? WORDS_OF_PYTHON.has(name) && "kw"
        : Object.keys(kinds).find(key => kinds[key] !== undefined);
      put(text.slice(end, found.index));
      put(found[0], kind || null);
      end = found.index + found[0].length;
    }
    put(text.slice(end));
    return lines.flatMap((line, i) => i ? ["\n", line] : [line]);
  }

  // As if it had been typed, so that it can be undone.
  function type(area, text) {
    if (!document.execCommand("insertText", false, text)) {
      area.setRangeText(text, area.selectionStart, area.selectionEnd, "end");
      area.dispatchEvent(new Event("input"));
    }
  }

  // Enter keeps the indentation; the backspace takes a level of it.
  function indent(area, event) {
    const before = area.value.slice(0, area.selectionStart);
    const line = before.slice(before.lastIndexOf("\n") + 1);
    const alone = area.selectionStart === area.selectionEnd;
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      const more = /:\s*(#.*)?$/.test(line) ? "    " : "";
      type(area, `\n${line.match(/^ */)[0]}${more}`);
    } else if (event.key === "Backspace" && alone && /^( {4})+$/.test(line)) {
      event.preventDefault();
      area.selectionStart -= 4;
      document.execCommand("delete") || area.setRangeText("");
    }
  }

  class Editor {
    // `block` is the <div class="sourceCode"> with the code of a cell.
    constructor(block, name, onchange) {
      Object.assign(this, {block, name, onchange, area: null, wrong: 0});
      this.pre = block.querySelector("pre");
      this.code = block.querySelector("code");
      this.printed = [...this.code.childNodes];
      this.original = this.text = this.code.textContent.replace(/\n$/, "");
    }

    get open() { return !!this.area; }
    get edited() { return this.text !== this.original; }

    edit(focus = true) {
      if (!this.area) this.unfold();
      if (focus) this.area.focus();
    }

    unfold() {
      const area = this.area = make("textarea", {
        className: "live-code", value: this.text, spellcheck: false,
        autocapitalize: "off", autocomplete: "off", autocorrect: "off",
        wrap: "off", "aria-label": say("code", {cell: this.name})});
      area.addEventListener("input", () => this.changed(area.value));
      area.addEventListener("keydown", event => indent(area, event));
      this.pre.hidden = true;
      this.pre.after(area);
      this.fit();
      this.mark(this.wrong);
    }

    fit() { this.area.rows = this.area.value.split("\n").length; }

    changed(text) {
      if (text === this.text) return;
      this.text = text;
      this.mark(0);
      this.fit();
      this.code.textContent = text;     // what the button Copy reads
      this.onchange();
    }

    close() {
      if (!this.area) return;
      this.area.remove();
      this.area = null;
      this.pre.hidden = false;
      this.draw();
    }

    // The book's own code; ours, line by line, if it was changed or is marked.
    draw() {
      this.code.replaceChildren(...this.edited || this.wrong ? colored(this.text)
        : this.printed);
      this.code.children[this.wrong - 1]?.classList.add("live-wrong");
    }

    set(text) {
      this.text = text;
      if (this.area) {
        this.area.value = text;
        this.fit();
        this.code.textContent = text;
      }
      this.mark(0);
    }

    // Mark a line, from 1; 0 for none.
    mark(line) {
      this.wrong = line;
      if (this.area) this.area.style.setProperty("--at", line || -9);
      else this.draw();
    }

    show(line) {
      if (!this.area) return this.code.querySelector(".live-wrong")?.scrollIntoView(
        {block: "center"});
      const starts = this.text.split("\n").slice(0, line);
      const end = starts.join("\n").length;
      this.area.focus();
      this.area.setSelectionRange(end - starts.at(-1).length, end);
    }
  }

  Object.assign(cnnbook.live, {Editor, colored});
})();
