// What a reader writes and earns, kept in the browser: one key a chapter, for
// both languages. A file carries it to another browser, and the notebook of
// exercises, with the answers in it, to a teacher.
"use strict";
globalThis.cnnbook ??= {};

(() => {
  const {say} = cnnbook.live;
  const PREFIX = "cnnbook-live-";
  const KIND = "cnnbook-answers";
  const NAME = /^[\p{L}\p{N}][\p{L}\p{N}_.-]{0,99}$/u;
  const LONGEST = 200_000;      // characters of a cell

  const blank = () => ({cells: {}, marks: {}});
  const memory = new Map();     // what the browser refuses to keep
  let told = false;

  const isObject = value => value !== null && typeof value === "object"
    && !Array.isArray(value);
  const isCount = value => Number.isFinite(value) && value >= 0;

  function demand(right) {
    if (!right) throw new Error(say("import-wrong"));
  }

  // What is kept of a chapter, checked as if a stranger had written it.
  function checked({cells = {}, marks = {}}) {
    demand(isObject(cells) && isObject(marks));
    for (const [id, code] of Object.entries(cells)) {
      demand(NAME.test(id) && typeof code === "string" && code.length <= LONGEST);
    }
    const earned = Object.entries(marks).map(([id, mark]) => {
      demand(NAME.test(id) && isObject(mark) && isCount(mark.earned)
        && isCount(mark.points) && mark.earned <= mark.points);
      return [id, {earned: mark.earned, points: mark.points}];
    });
    return {cells: {...cells}, marks: Object.fromEntries(earned)};
  }

  function load(stem) {
    if (memory.has(stem)) return memory.get(stem);
    let kept = null;
    try {
      kept = localStorage.getItem(PREFIX + stem);
    } catch {}                          // refused: save() says it
    try {
      return kept ? checked(JSON.parse(kept)) : blank();
    } catch { return blank(); }         // damaged: as if nothing were kept
  }

  // Returns false the first time that the browser keeps nothing.
  function save(stem, chapter) {
    const some = Object.keys(chapter.cells).length + Object.keys(chapter.marks).length;
    try {
      if (some) localStorage.setItem(PREFIX + stem, JSON.stringify(chapter));
      else localStorage.removeItem(PREFIX + stem);
      memory.delete(stem);
    } catch {
      memory.set(stem, chapter);
      const first = !told;
      told = true;
      return !first;
    }
    return true;
  }

  // Another tab may have written since: only what changed is put in.
  function change(stem, alter) {
    const chapter = load(stem);
    alter(chapter);
    return save(stem, chapter);
  }

  function stems() {
    const found = new Set(memory.keys());
    try {
      for (let i = 0; i < localStorage.length; i++) {
        const key = localStorage.key(i);
        if (key.startsWith(PREFIX)) found.add(key.slice(PREFIX.length));
      }
    } catch {}                          // only what is in memory
    return [...found].sort();
  }

  const pack = () => JSON.stringify({kind: KIND, version: 1,
    chapters: Object.fromEntries(stems().map(stem => [stem, load(stem)]))}, null, 1);

  // The chapters in the text of a file; an Error with words for the reader.
  function unpack(text) {
    let file;
    try { file = JSON.parse(text); } catch { demand(false); }
    demand(isObject(file) && file.kind === KIND && isObject(file.chapters));
    if (file.version !== 1) throw new Error(say("import-new"));
    const entries = Object.entries(file.chapters);
    return new Map(entries.map(([stem, chapter]) => {
      demand(NAME.test(stem) && isObject(chapter));
      return [stem, checked(chapter)];
    }));
  }

  // How many answers of `chapters` would take the place of another.
  function replaced(chapters) {
    return [...chapters].reduce((count, [stem, {cells}]) => {
      const old = load(stem).cells;
      return count + Object.keys(cells).filter(
        id => Object.hasOwn(old, id) && old[id] !== cells[id]).length;
    }, 0);
  }

  function merge(chapters) {
    for (const [stem, {cells, marks}] of chapters) {
      const old = load(stem);
      save(stem, {cells: {...old.cells, ...cells}, marks: {...old.marks, ...marks}});
    }
  }

  const forget = list => list.forEach(stem => save(stem, blank()));

  // The student's notebook with the answers in their cells.
  function fill(notebook, cells) {
    const whole = structuredClone(notebook);
    for (const cell of whole.cells) {
      const code = cells[cell.id] ?? cells[`${cell.id}-stub`];
      if (cell.cell_type === "code" && code !== undefined) cell.source = code;
    }
    return JSON.stringify(whole, null, 1) + "\n";
  }

  function download(text, name, type = "application/json") {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], {type}));
    link.download = name;
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }

  cnnbook.live.store = {load, change, stems, pack, unpack, replaced, merge, forget,
                        fill, download};
})();
