// Python behind the page: its data and its session, fetched at the first
// press; which cells must run for another; one cell at a time.
"use strict";

(() => {
  const {make, say, LANG} = cnnbook.live;
  const HERE = new URL(".", document.currentScript.src);
  const STEM = location.pathname.split("/").at(-1).replace(/\.html$/, "");

  const byId = new Map();       // the cells of the page
  const ran = new Map();        // id -> {code, turn}: what Python holds
  let data, order, session, starting, generation, turn = 0;
  let halt = () => {}, heard = () => {}, stopping = false;

  // The page's data and Python ------------------------------------------------

  function script(url) {
    return new Promise((done, fail) => {
      const node = make("script", {src: url, onload: done,
        onerror: () => fail(new Error(say("missing")))});
      document.head.append(node);
    });
  }

  async function fetchData() {
    if (data) return;
    globalThis.cnnbookData ??= {};
    await script(new URL(`pages/${STEM}.js`, HERE));
    data = cnnbookData[`live/${STEM}`];
    if (!data) throw new Error(say("missing"));
    order = new Map(data.cells.map((cell, i) => [cell.id, {...cell, at: i}]));
  }

  // `listener` hears what is being loaded, as a text and a part of one.
  async function ready(listener) {
    heard = listener;
    await fetchData();
    if (session?.generation !== generation) ran.clear();
    generation = session?.generation;
    if (session) return;
    starting ??= cnnbook.python.start({lang: LANG,
      onstate: (...state) => heard(...state)});
    try {
      session = await starting;
      generation = session.generation;
    } finally { starting = null; }
  }

  // What must run -----------------------------------------------------------

  const codeOf = id => byId.get(id)?.edited ? byId.get(id).editor.text
    : order.get(id).code;

  // What a cell needs, by the names in it: known for the book's own code; to
  // what a reader writes comes the last earlier cell that gives each name.
  function needsOf(id) {
    const cell = order.get(id);
    if (!byId.get(id)?.edited) return cell.needs;
    const names = new Set(codeOf(id).match(/[\p{L}_][\p{L}\p{N}_]*/gu));
    const needs = new Set(cell.needs);
    for (const other of data.cells.slice(0, cell.at).reverse()) {
      const given = other.exercise && other.exercise !== cell.exercise ? []
        : (other.sets ?? []).filter(name => names.delete(name));
      if (given.length) [...other.needs, other.id].forEach(need => needs.add(need));
    }
    return [...needs];
  }

  // Whether a later cell, which `target` does not need, wrote its names since.
  function overwritten({id, sets = []}, target, needed) {
    const names = new Set(sets), since = ran.get(id).turn;
    return sets.length > 0 && [...ran].some(([other, {turn}]) =>
      turn > since && other !== id && !(needed.has(other) && other !== target)
      && order.get(other).sets?.some(name => names.has(name)));
  }

  // The cells that must run for `targets`, in order: those that they need and
  // that did not run, or are not what they were when they ran.
  function plan(targets) {
    const wanted = new Set(targets), needed = new Set(targets);
    for (const id of targets) for (const need of needsOf(id)) needed.add(need);
    const list = [...needed].map(id => order.get(id)).sort((a, b) => a.at - b.at);
    const fresh = new Set();
    for (const cell of list) {
      const last = ran.get(cell.id);
      const stale = !last || last.code !== codeOf(cell.id)
        || needsOf(cell.id).some(id => fresh.has(id)
          || (ran.get(id)?.turn ?? Infinity) > last.turn)
        || overwritten(cell, targets.at(-1), needed);
      if (wanted.has(cell.id) || stale) fresh.add(cell.id);
    }
    return list.filter(cell => fresh.has(cell.id)).map(cell => cell.id);
  }

  // Run one cell; `to` takes the outputs, if the cell itself does not.
  async function perform(id, to) {
    const cell = byId.get(id), {packs = []} = order.get(id), code = codeOf(id);
    const give = to ?? (output => cell?.receive(output));
    // that it was stopped is said elsewhere
    const receive = output => stopping && output.kind === "error" && !output.line
      || give(output);
    cell?.begin(!to);
    const stopped = new Promise(done => { halt = done; });
    const result = await Promise.race([stopped,
      session.run({id, code, file: `<cell ${id}>`, packs, onoutput: receive})])
      .catch(error => ({ok: false, seconds: 0, error}));
    if (result.error) receive({kind: "error", message: result.error.message});
    if (result.ok) ran.set(id, {code, turn: ++turn});
    else ran.delete(id);
    return result;
  }

  // Stop what runs; true if Python kept what it had.
  async function stop() {
    stopping = true;
    const {kept} = session ? await session.stop() : {kept: true};
    stopping = false;
    halt({ok: false, stopped: true, seconds: 0});
    if (!kept) ran.clear();
    return kept;
  }

  const put = (path, bytes) => session.put(path, bytes);

  Object.assign(cnnbook.live, {script, STEM, HERE, python: {
    byId, ready, fetchData, plan, perform, stop, put, codeOf,
    get data() { return data; }, get running() { return !!session; },
    needs: (id, other) => order.get(id)?.needs.includes(other)}});
})();
