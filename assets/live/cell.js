// A cell of the page: its buttons, its editor, its state, and its outputs in
// the place of those that the book prints.
"use strict";
globalThis.cnnbook ??= {};

(() => {
  const {make, say, time, pictures, Outputs, Editor} = cnnbook.live;
  const ICONS = {
    run: '<path d="M7 5v14l11-7z" fill="currentcolor"/>',
    check: '<path d="M5 12.5l4.5 4.5L19 7.5"/>',
    edit: '<path d="M5 19l1-4L16.5 4.5l3 3L9 18z"/>',
    close: '<path d="M6 6l12 12M18 6L6 18"/>',
    reset: '<path d="M6 9h8a5 5 0 1 1 0 10h-4M9 5L5 9l4 4"/>',
    stop: '<path d="M7 7h10v10H7z" fill="currentcolor"/>',
    picture: '<path d="M4 6h16v12H4zM4 16l5-5 4 4 3-3 4 4"/>',
    redraw: '<path d="M18.5 9A7 7 0 1 0 19 13M19 4v5h-5"/>'};

  function button(kind, act, words = {}) {
    const icon = make("span", {innerHTML:
      '<svg viewBox="0 0 24 24" aria-hidden="true"></svg>'}).firstChild;
    const label = make("span", {className: "live-label"}, say(kind));
    const node = make("button", {type: "button", className: `live-${kind}`,
                                 title: words.title ?? say(kind)},
                      icon, label);
    node.name_ = text => {              // "Run: cell 5"
      icon.innerHTML = ICONS[text];
      label.textContent = say(text);
      node.title = words.title ?? say(text);
      if (words.cell) node.setAttribute("aria-label", `${say(text)}: ${words.cell}`);
    };
    node.name_(kind);
    node.addEventListener("click", act);
    return node;
  }

  const explained = new Set();

  class Cell {
    // `page` runs the cells: see live.js.
    constructor(element, number, page) {
      Object.assign(this, {element, number, page, timer: 0});
      this.id = element.getAttribute("cell");
      this.kind = element.getAttribute("kind");
      this.exercise = element.getAttribute("exercise");
      this.name = number ? say("cell", {n: number}) : say("drawing");
      this.box = element.previousElementSibling;
      this.block = number ? this.box.querySelector("div.sourceCode") : null;
      this.home = this.block?.closest(".cell") ?? this.box;
      if (!this.home.id) this.home.id = `cell-${this.id}`;
      this.home.classList.add("live-home");
      this.build();
    }

    // The button that matters now.
    get main() {
      const {stop, run, check} = this.buttons;
      return this.busy ? stop : this.last ?? run ?? check;
    }

    get edited() { return !!this.editor?.edited; }
    get busy() { return this.state === "waiting" || this.state === "running"; }

    build() {
      const outer = this.block && [...this.home.children].find(
        child => child.contains(this.block));
      this.printed = [...this.home.children].filter(child => child !== outer);
      if (this.kind === "no") return this.explain();
      if (this.block) {
        outer.classList.add("live-source");
        (outer.matches("details") ? this.block : outer).after(this.element);
        this.editor = new Editor(this.block, this.name, () => this.changed());
      }
      this.outputs = new Outputs({
        alt: this.home.querySelector("figure img")?.alt,
        named: this.page.named,
        where: (file, line) => this.page.where(this, file, line)});
      this.note = make("div", {className: "live-note", hidden: true});
      this.element.append(this.bar(), this.note, this.outputs.place);
      this.keys();
      this.set("idle");
    }

    // Why it does not run: once in a section, if the reason is the same.
    explain() {
      const why = this.element.getAttribute("why");
      const place = `${this.element.closest("section")?.id} ${why}`;
      if (!explained.has(place)) {
        this.element.append(make("p", {className: "live-why"}, why));
      }
      explained.add(place);
    }

    bar() {
      const words = {cell: this.name};
      const keys = {...words, title: `${say("run")} (Ctrl+Enter)`};
      const run = () => this.act("run"), check = () => this.act("check");
      this.told = make("span", {className: "live-state"});
      this.buttons = {
        check: this.exercise && button("check", check, words),
        run: this.kind === "hidden" ? button("redraw", run, words)
          : this.kind === "tests" && this.exercise ? null : button("run", run, keys),
        stop: button("stop", () => this.page.stop(), words),
        edit: this.editor && this.kind !== "tests"
          ? button("edit", () => this.toggle(), words) : null,
        picture: this.pictures(),
        reset: button("reset", () => this.reset(), words)};
      const number = make("span", {className: "live-number", "aria-hidden": "true"},
                          this.number ? `[${this.number}]` : "");
      const bar = make("div", {className: "live-bar", role: "group",
                               "aria-label": this.name}, this.told, number,
                       ...Object.values(this.buttons).filter(Boolean));
      this.strip = bar;
      return bar;
    }

    // A cell that reads a picture takes the reader's, chosen or dropped.
    pictures() {
      if (!this.editor || !pictures.reader(this.editor.original)) return null;
      const field = make("input", {type: "file", accept: "image/*", hidden: true,
                                   "aria-label": say("picture")});
      const take = file => file && this.page.ownPicture(this, file);
      field.addEventListener("change", () => {
        take(field.files[0]);
        field.value = "";
      });
      const over = on => this.home.classList.toggle("live-drop", on);
      const drags = event => [...event.dataTransfer.items].some(item => item.kind === "file");
      this.home.addEventListener("dragover", event => {
        if (drags(event)) event.preventDefault();
        over(drags(event));
      });
      this.home.addEventListener("dragleave", () => over(false));
      this.home.addEventListener("drop", event => {
        event.preventDefault();
        over(false);
        take(event.dataTransfer.files[0]);
      });
      const open = button("picture", () => field.click(), {cell: this.name});
      this.element.append(field);
      return open;
    }

    act(what) {
      if (this.busy) return;
      this.last = this.buttons[what];
      this.page[what](this);
    }

    // With the focus in the cell, both of Jupyter's keys run it.
    keys() {
      if (this.block) this.home.tabIndex = -1;
      this.home.addEventListener("keydown", event => {
        const {key, ctrlKey, metaKey, shiftKey, target} = event;
        if (key === "Enter" && (ctrlKey || metaKey || shiftKey)) {
          if (target.closest("summary, a")) return;
          event.preventDefault();
          this.act(this.kind === "tests" && this.exercise ? "check" : "run");
          if (shiftKey) this.page.after(this)?.focus();
        } else if (key === "Escape" && this.editor?.open && this.kind !== "stub") {
          this.toggle();
        } else if (key === "Enter" && target === this.home
                   && this.buttons.edit) {
          event.preventDefault();
          this.editor.edit();
          this.refresh();
        }
      });
    }

    focus() {
      const target = this.editor?.open ? this.editor.area : this.main;
      target.focus({preventScroll: true});
      this.home.scrollIntoView({block: "nearest"});
    }

    toggle() {
      if (this.editor.open) {
        this.editor.close();
        this.buttons.edit.focus();
      } else this.editor.edit();
      this.refresh();
    }

    // What the bar said was of other code.
    changed() {
      this.page.keep(this);
      if (!this.busy) this.set("idle");
    }

    // What the bar shows: only what can be done now.
    refresh() {
      const {run, check, stop, edit, reset} = this.buttons;
      const fresh = !this.edited && this.outputs.empty && !this.swapped;
      const within = [run, check, stop].includes(document.activeElement);
      for (const node of [run, check]) if (node) node.hidden = this.busy;
      stop.hidden = !this.busy;
      if (within && document.activeElement.hidden) this.main.focus({preventScroll: true});
      reset.hidden = this.busy || fresh && this.state !== "failed";
      edit?.name_(this.editor.open ? "close" : "edit");
      if (edit) edit.hidden = this.kind === "stub" && this.editor.open;
      this.home.classList.toggle("live-edited", this.edited);
      this.home.classList.toggle("live-open", !!this.editor?.open);
      this.element.classList.toggle("live-awake", this.state !== "idle" || this.edited);
    }

    set(state, text = "") {
      clearInterval(this.timer);
      this.state = state;
      this.element.dataset.state = state;
      this.tell(text);
      this.refresh();
    }

    tell(text) {
      const edited = this.edited && this.kind !== "stub" ? say("edited") : "";
      this.told.textContent = [edited, text].filter(Boolean).join(" · ");
    }

    // Running ---------------------------------------------------------------

    wait() { this.set("waiting", say("waiting")); }

    // What it waits for: "Loading matplotlib…", and how far.
    load(text, part) {
      const far = part > 0 && part < 1 ? ` ${Math.round(100 * part)}\u202f%` : "";
      this.loading = text && part !== 1 ? text + far : "";
      if (this.busy && this.loading) this.tell(this.loading);
    }

    begin(shown) {
      const start = performance.now();
      const tick = () => this.tell(this.loading
        || time(Math.floor((performance.now() - start) / 1000)));
      this.set("running", say("running"));
      this.timer = setInterval(tick, 1000);
      this.shown = shown;
      this.editor?.mark(0);
      if (!shown) return;
      this.remark(null);
      this.outputs.clear();
    }

    receive(output) {
      this.outputs.add(output);
      if (output.kind === "error") this.failedAt(output);
      else if (output.kind !== "display" || !this.drawn()) this.hidePrinted();
    }

    failedAt({line, cell}) {
      const place = this.page.find(cell) ?? this;
      this.hidePrinted();
      if (line) place.editor?.mark(line);
    }

    // Whether the book shows one picture here, and nothing else.
    drawn() {
      const images = this.printed.flatMap(part => [...part.querySelectorAll("img")]);
      return images.length === 1 && this.printed.length === 1 && images[0];
    }

    end({ok, seconds}, text) {
      this.outputs.flush();
      this.set(ok ? "done" : "failed", text ?? (ok ? ["✓", seconds >= 0.05 && time(seconds)].filter(Boolean).join(" ") : "✗"));
      if (this.shown && !this.adopt()) this.hidePrinted();
      this.refresh();
    }

    // A single picture or table takes the place of the book's, in its figure
    // or under its caption.
    adopt() {
      const {place} = this.outputs, [picture] = this.outputs.pictures;
      const single = place.childElementCount === 1;
      const image = this.drawn();
      const ours = place.querySelector("table");
      const theirs = this.printed.length === 1 && this.printed[0].querySelector("table");
      if (single && picture && image) {
        this.swap(image, () => Object.assign(image, {src: picture.src}));
      } else if (single && ours && theirs) {
        this.swap(theirs, () => {
          for (const part of ["thead", "tbody"]) {
            theirs.querySelector(part)?.replaceWith(ours.querySelector(part));
          }
        });
      } else return false;
      this.outputs.clear();
      return true;
    }

    swap(node, alter) {
      this.showPrinted();
      const copy = node.cloneNode(true);
      this.swapped ??= {node, copy};
      alter();
    }

    hidePrinted() { for (const part of this.printed) part.hidden = true; }

    showPrinted() { for (const part of this.printed) part.hidden = false; }

    // A note under the bar: text or nodes; null for none.
    remark(...parts) {
      this.note.replaceChildren(...parts.filter(part => part !== null));
      this.note.hidden = !this.note.hasChildNodes();
    }

    // As it was ---------------------------------------------------------------

    reset() {
      const written = this.edited ? this.editor.text : null;
      this.clear();
      if (this.editor && this.kind !== "stub") this.editor.close();
      this.editor?.set(this.editor.original);
      this.page.keep(this, true);
      this.set("idle");
      if (written !== null) this.remark(say("was"), " ", this.undo(written));
      this.page.forget(this);
      this.main.focus({preventScroll: true});
      this.page.announce(`${this.name}: ${say("was")}`);
    }

    clear() {
      this.outputs.clear();
      this.showPrinted();
      if (this.swapped) this.swapped.node.replaceWith(this.swapped.copy);
      this.swapped = null;
      this.remark(null);
    }

    undo(written) {
      const back = make("button", {type: "button", className: "live-link"}, say("undo"));
      back.addEventListener("click", () => {
        this.remark(null);
        this.write(written);
        this.focus();
      });
      return back;
    }

    // Other code, written by the page: from the browser, a file, a picture.
    write(code) {
      this.editor.set(code);
      this.changed();
    }
  }

  Object.assign(cnnbook.live, {Cell, button});
})();
