// The cells of a page run here: what a cell needs runs first, what runs can
// be stopped, what is written is kept. Nothing is fetched before the first
// press. Python itself is behind `cnnbook.python` (see python.js).
"use strict";

(() => {
  const {make, say, store, pictures, Cell, button, Outputs, STEM, HERE,
         python} = cnnbook.live;
  const {byId, plan, perform, ready, codeOf} = python;
  const cells = [];             // those of the page, in order
  const given = new Map();      // path -> bytes: the reader's pictures
  let head, said, wave = 0, jobs = 0, queue = Promise.resolve();

  // A bar that says what is being prepared, where the reader pressed.
  function starter(place) {
    const bar = make("progress", {"aria-label": say("preparing")});
    const text = make("span", {}, say("preparing"));
    place(make("div", {className: "live-bar-line"}, bar, text));
    announce(say("preparing"));
    return (words, part) => {
      text.textContent = words;
      if (Number.isFinite(part)) bar.value = part;
      else bar.removeAttribute("value");
    };
  }

  // Needed cells as the book has them run in silence; the reader's own show
  // what they give, and so does one that fails.
  async function prepareCell(id, fallback) {
    const cell = byId.get(id), kept = [];
    const result = await perform(id, cell?.edited ? undefined
      : output => kept.push(output));
    if (result.ok || result.stopped) return result;
    if (!cell?.edited) cell?.outputs.clear();
    for (const output of kept) (cell ?? fallback).receive(output);
    return result;
  }

  // Jobs, one after another; a stop ends the wave.
  function enqueue(pressed, job) {
    const mine = wave, alive = () => mine === wave;
    pressed?.wait();
    head?.update(++jobs);
    queue = queue.then(() => alive() && job(alive)).catch(error => {
      if (alive()) complain(pressed, error);
    }).then(() => head?.update(--jobs));
    return queue;
  }

  function complain(cell, error) {
    const told = make("span", {className: "live-error"}, error.message);
    cell?.set("failed", "✗");
    if (cell) cell.remark(told);
    else head.show(told);
    announce(error.message);
  }

  // Have Python ready; `place` shows that it is being started, and `told` what
  // is loaded later.
  async function start(place, told) {
    await ready(python.running ? told : starter(place));
    await ready(told);
    place(null);
    for (const [path, bytes] of given) await python.put(path, bytes);
    given.clear();
  }

  const link = cell => make("a", {href: `#${cell.home.id}`}, cell.name);
  const among = (parts, mark) => parts.flatMap((part, i) => i ? [mark, part] : [part]);

  // "Also run: 3 earlier cells and 2 of preparation", with links.
  function also(ids) {
    const seen = ids.map(id => byId.get(id)).filter(cell => cell?.number);
    const hidden = ids.length - seen.length;
    if (!ids.length) return null;
    const text = [seen.length && say("also", {n: seen.length}),
                  hidden && say("also-hidden", {n: hidden})].filter(Boolean);
    const told = say("also-run", {cells: text.join(say("and"))});
    if (!seen.length) return make("span", {}, told);
    return make("details", {}, make("summary", {}, told),
      make("p", {}, ...among(seen.map(link), ", ")));
  }

  const startAt = cell => start(node => cell.remark(node),
                                (text, part) => cell.load(text, part));

  // Run `before` in silence until one fails; true if none did.
  async function prepare(pressed, before, alive) {
    for (const id of before) {
      const result = await prepareCell(id, pressed);
      if (!alive()) return false;
      const failed = byId.get(id);
      // an answer that is being checked goes on until it is judged
      if (failed !== pressed || !result.ok) failed?.end(result);
      if (result.ok) continue;
      if (failed !== pressed) {
        pressed.end({ok: false});
        pressed.remark(say("needs-failed"), " ", failed ? link(failed) : say("preparation"));
      }
      announce(`${failed?.name ?? say("preparation")}: ${say("failed")}`);
      return false;
    }
    return true;
  }

  function finish(cell, result, text) {
    cell.end(result, text);
    announce(`${cell.name}: ${result.ok ? say("done") : say("failed")}`);
  }

  // A picture that the browser does not keep must be chosen again.
  function afterwards(cell, notes) {
    const lost = cell.outputs.place.textContent.includes("FileNotFoundError")
      && pictures.reader(cell.editor?.text ?? "");
    const figures = cell.edited ? cells.filter(other => other.kind === "hidden"
      && python.needs(other.id, cell.id)) : [];
    cell.remark(notes, lost ? make("p", {}, say("picture-again")) : null,
                figures.length ? redraw(figures) : null);
  }

  function redraw(figures) {
    const all = make("button", {type: "button", className: "live-link",
      onclick: () => figures.forEach(run)}, say("redraw-all", {n: figures.length}));
    return make("p", {}, all);
  }

  // Run, check, run all, stop -------------------------------------------------

  function run(cell) {
    return enqueue(cell, async alive => {
      await startAt(cell);
      const before = plan([cell.id]).filter(id => id !== cell.id);
      const notes = also(before);
      if (!await prepare(cell, before, alive)) return;
      const result = await perform(cell.id);
      if (!alive()) return;
      finish(cell, result);
      afterwards(cell, notes);
    });
  }

  // The answers of an exercise and its tests; the verdict stands where the
  // reader pressed.
  function check(pressed) {
    const about = cells.filter(cell => cell.exercise === pressed.exercise);
    const tests = about.filter(cell => cell.kind === "tests");
    const answers = about.filter(cell => cell.kind !== "tests");
    return enqueue(pressed, async alive => {
      await startAt(pressed);
      const ids = [...answers, ...tests].map(cell => cell.id);
      const last = new Set(tests.map(cell => cell.id));
      const before = plan(ids).filter(id => !last.has(id));
      for (const cell of about) cell.clear();
      const notes = also(before.filter(id => !ids.includes(id)));
      const own = pressed.kind === "tests" ? undefined
        : output => pressed.receive(output);
      const marks = [];
      const right = await prepare(pressed, before, alive);
      if (!alive()) return;
      for (const cell of right ? tests : []) {
        const result = await perform(cell.id, own);
        if (!alive()) return;
        marks.push(...Object.values(result.marks ?? {}));
        cell.end({...result, ok: whole(result.marks) ?? result.ok}, verdict(result.marks));
        if (own) cell.hidePrinted();
      }
      judge(pressed, answers, marks, right, notes);
    });
  }

  const sum = (marks, i) => marks.reduce((total, pair) => total + pair[i], 0);
  const points = (earned, all) => say("points",
    {earned: +earned.toFixed(2), points: +all.toFixed(2)});

  function whole(marks) {
    const pairs = Object.values(marks ?? {});
    return pairs.length ? pairs.every(([earned, all]) => earned === all) : undefined;
  }

  function verdict(marks) {
    const pairs = Object.values(marks ?? {});
    if (!pairs.length) return undefined;
    return `${whole(marks) ? "✓" : "✗"} ${points(sum(pairs, 0), sum(pairs, 1))}`;
  }

  // Keep the marks of an exercise that was tried, and say them.
  function judge(pressed, answers, marks, right, notes) {
    const all = python.data.exercises.find(({id}) => id === pressed.exercise)?.points
      ?? sum(marks, 1);
    const earned = Math.min(sum(marks, 0), all), done = right && earned === all;
    const text = `${done ? "✓" : "✗"} ${points(earned, all)}`;
    if (answers.some(cell => cell.edited)) {
      keepChange(chapter => { chapter.marks[pressed.exercise] = {earned, points: all}; });
    }
    if (right) {
      if (pressed.kind !== "tests") {
        pressed.outputs.flush();
        pressed.set(done ? "done" : "failed", text);
      }
      pressed.remark(notes);
    }
    announce(`${pressed.name}: ${text}`);
    document.dispatchEvent(new Event("live-marks"));
  }

  // The chapter in order; of the exercises, those that the reader answers.
  function runAll() {
    const tried = new Set(cells.filter(cell => cell.kind === "stub" && cell.edited)
      .map(cell => cell.exercise));
    const all = cells.filter(cell => cell.kind !== "no"
      && (!["stub", "tests"].includes(cell.kind) || tried.has(cell.exercise)));
    if (!all.length) return null;
    return enqueue(null, async alive => {
      await start(head.show, head.load);
      const shown = new Set(all.map(cell => cell.id));
      let count = 0;
      for (const id of plan([...shown])) {
        head.count(++count, all.length);
        const result = await (shown.has(id) ? perform(id) : prepareCell(id, head));
        if (!alive()) return;
        byId.get(id)?.end(result, verdict(result.marks));
        if (result.ok || byId.get(id)?.kind === "tests") continue;
        return head.failed(byId.get(id));
      }
      head.done();
    });
  }

  async function stop() {
    wave++;
    const running = cells.find(cell => cell.state === "running");
    for (const cell of cells) if (cell.state === "waiting") cell.set("idle");
    const kept = await python.stop();
    if (!kept) forgetAll();
    const text = say(kept ? "stopped-kept" : "stopped");
    if (running) {
      running.end({ok: false, seconds: 0}, say("halted"));
      running.remark(text);
    } else head?.show(text);
    announce(text);
  }

  // Python began anew: nothing ran in it.
  function forgetAll() {
    for (const cell of cells) if (cell.state === "done") cell.set("idle");
  }

  // What is written -----------------------------------------------------------

  function keepChange(alter) {
    if (store.change(STEM, alter)) return;
    head?.show(say("refused"));
    announce(say("refused"));
  }

  const late = new Map();       // id -> the timer of a cell being written
  function keep(cell, now = false) {
    clearTimeout(late.get(cell.id));
    const write = () => {
      late.delete(cell.id);
      keepChange(chapter => {
        if (cell.edited) chapter.cells[cell.id] = cell.editor.text;
        else delete chapter.cells[cell.id];
      });
    };
    if (now) write();
    else late.set(cell.id, setTimeout(write, 300));
  }

  function keepAll() {
    for (const id of [...late.keys()]) keep(byId.get(id), true);
  }

  // As it was: an answer that is no more has no marks.
  function forget(cell) {
    if (!cell.exercise || cell.kind === "tests") return;
    keepChange(chapter => { delete chapter.marks[cell.exercise]; });
    document.dispatchEvent(new Event("live-marks"));
  }

  function recall() {
    const {cells: kept} = store.load(STEM);
    for (const cell of cells) {
      if (!cell.editor) continue;
      const code = Object.hasOwn(kept, cell.id) ? kept[cell.id] : cell.editor.original;
      if (code !== cell.editor.text) cell.editor.set(code);
      cell.refresh();
      cell.tell("");
    }
  }

  // A picture of the reader's, for a cell that reads one.
  async function ownPicture(cell, file) {
    try {
      const {path, bytes, code} = await pictures.own(cell.editor.text, file);
      given.set(path, bytes);
      cell.write(code);
      await run(cell);
    } catch (error) {
      cell.remark(make("span", {className: "live-error"}, error.message));
      announce(error.message);
    }
  }

  // Around the cells -----------------------------------------------------------

  function announce(text) { said.textContent = text; }

  const find = file => byId.get(/[\w-]+(?=>$)/.exec(file ?? "")?.[0]);

  const named = text => text.replace(/<cell ([\w-]+)>/g,
    (whole, id) => byId.get(id)?.name ?? whole);

  // Where an error is, as nodes: a link to the line, and the line.
  function where(cell, file, line) {
    const place = file ? find(file) : cell;
    if (!place || !line) return null;
    const source = codeOf(place.id).split("\n")[line - 1]?.trim() ?? "";
    const go = make("a", {href: `#${place.home.id}`},
      (place === cell ? "" : `${place.name}, `) + say("line", {n: line}));
    go.addEventListener("click", event => {
      event.preventDefault();
      place.home.scrollIntoView({block: "nearest"});
      place.editor?.show(line);
    });
    return [go, " ", make("code", {}, source)];
  }

  const after = cell => cells.slice(cells.indexOf(cell) + 1)
    .find(other => other.buttons && other.number);

  const page = {run, check, stop, keep, forget, announce, find, where, named, after,
                ownPicture};

  // "Run all", under the title.
  function makeHead() {
    const all = button("run", runAll, {title: say("all")});
    all.lastChild.textContent = say("all");
    const halt = button("stop", stop);
    const told = make("div", {className: "live-told"}), errors = new Outputs({named});
    const box = make("div", {className: "live-head"}, all, halt, told);
    const links = document.querySelector(".page-links");
    if (links) links.append(box);
    else document.querySelector("main h1, h1")?.after(box);
    head = {
      show: node => told.replaceChildren(...[node].filter(Boolean)),
      load: text => text && told.replaceChildren(text),
      count: (n, all) => told.replaceChildren(say("running-all", {n, all})),
      receive: output => errors.add(output),
      failed: cell => {
        errors.flush();
        told.replaceChildren(say("all-failed"), " ",
          cell ? link(cell) : say("preparation"), errors.place);
        announce(told.textContent);
      },
      done: () => { head.show(say("all-done")); announce(say("all-done")); },
      update: busy => { all.hidden = !!busy; halt.hidden = !busy; }};
    head.update(0);
  }

  function build() {
    said = make("div", {className: "live-said", role: "status"});
    document.querySelector("main").append(said);
    let number = 0;
    for (const element of document.querySelectorAll("live-cell")) {
      const shown = element.getAttribute("kind") !== "hidden";
      const cell = new Cell(element, shown ? ++number : 0, page);
      cells.push(cell);
      byId.set(cell.id, cell);
    }
    const live = cells.filter(cell => cell.buttons);
    if (live.length) makeHead();
    recall();
    for (const cell of live) if (cell.kind === "stub") cell.editor.edit(false);
    live.forEach(cell => cell.refresh());
    addEventListener("pagehide", keepAll);
    document.addEventListener("live-import", recall);
  }

  Object.assign(cnnbook.live, {keepAll, announce});
  const style = make("link", {rel: "stylesheet", href: new URL("live.css", HERE)});
  style.onload = style.onerror = () => {
    build();
    cnnbook.live.progress?.();
  };
  document.head.append(style);
})();
