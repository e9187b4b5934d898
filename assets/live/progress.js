// How far a reader is: the exercises of the chapter, and of the book; and
// what carries the answers elsewhere, or puts an end to them.
"use strict";
globalThis.cnnbook ??= {};

(() => {
  const live = cnnbook.live;
  const {make, say, store} = live;
  const SIGNS = {done: "✓", tried: "◐", none: "○"};

  // Ask before something is lost; resolves to true or false.
  function ask(text, yes) {
    return new Promise(answer => {
      const box = make("dialog", {className: "live-ask", "aria-label": text});
      const choose = (words, value, kind) => make("button", {type: "button",
        className: kind, onclick: () => { box.returnValue = value; box.close(value); }}, words);
      box.append(make("p", {}, text), make("div", {},
        choose(say("cancel"), "", "live-quiet"), choose(yes, "yes", "live-strong")));
      box.addEventListener("close", () => {
        box.remove();
        answer(box.returnValue === "yes");
      });
      document.body.append(box);
      box.showModal();
    });
  }

  // done, tried or none; and the marks earned, if they are known.
  function stateOf(kept, id, edited) {
    const mark = Object.hasOwn(kept.marks, id) ? kept.marks[id] : null;
    if (mark) return {state: mark.earned === mark.points ? "done" : "tried", ...mark};
    return {state: edited ? "tried" : "none"};
  }

  // The exercises of this page, from the page itself.
  function ofChapter() {
    const kept = store.load(live.STEM), found = new Map();
    for (const cell of document.querySelectorAll("live-cell[exercise]")) {
      const id = cell.getAttribute("exercise");
      const edited = Object.hasOwn(kept.cells, cell.getAttribute("cell"));
      if (found.has(id)) found.get(id).edited ||= edited;
      else found.set(id, {id, edited});
    }
    return [...found.values()].map(({id, edited}) => {
      const section = document.getElementById(`sec-${id}`);
      const heading = section?.querySelector("h1, h2, h3, h4") ?? section;
      const title = heading?.cloneNode(true);
      title?.querySelectorAll(".anchorjs-link").forEach(link => link.remove());
      return {title: title?.textContent.trim() ?? id, url: `#sec-${id}`,
              heading, ...stateOf(kept, id, edited)};
    });
  }

  // Those of the book, chapter by chapter, from a script of the book.
  async function ofBook() {
    globalThis.cnnbookData ??= {};
    if (!cnnbookData["live/exercises"]) {
      await live.script(new URL("exercises.js", live.HERE));
    }
    const chapters = cnnbookData["live/exercises"].filter(
      ({exercises}) => exercises.length);
    return chapters.map(({stem, url, title, number, exercises}) => {
      const kept = store.load(stem);
      return {title: number ? `${number} ${title}` : title, url,
        exercises: exercises.map(one => ({title: one.title, url: `${url}#sec-${one.id}`,
          points: one.points, ...stateOf(kept, one.id, false)}))};
    });
  }

  const count = (list, state) => list.filter(one => one.state === state).length;

  function summary(list) {
    const done = count(list, "done"), tried = count(list, "tried");
    return say("progress-of", {done, all: list.length})
      + (tried ? `, ${say("tried-of", {tried})}` : "");
  }

  function row(one) {
    const marks = one.earned === undefined ? ""
      : say("points", {earned: one.earned, points: one.points});
    return make("li", {className: `live-${one.state}`},
      make("span", {className: "live-sign", "aria-hidden": "true"}, SIGNS[one.state]),
      make("a", {href: one.url}, one.title),
      make("span", {className: "live-marks"}, `${say(`is-${one.state}`)}${
        marks && ` · ${marks}`}`));
  }

  const rows = list => make("ul", {}, ...list.map(row));

  function meter(list) {
    return make("progress", {max: list.length, value: count(list, "done"),
                             "aria-label": say("progress")});
  }

  // The buttons under a list ---------------------------------------------------

  const tell = (place, text) => {
    place.textContent = text;
    live.announce?.(text);
  };

  const act = (words, work) =>
    make("button", {type: "button", className: "live-quiet", onclick: work}, words);

  async function take(files, told) {
    try {
      const chapters = new Map();
      for (const file of files) {
        for (const entry of store.unpack(await file.text())) chapters.set(...entry);
      }
      const lost = store.replaced(chapters);
      if (lost && !await ask(say("import-ask", {n: lost}), say("import-yes"))) return;
      store.merge(chapters);
      const n = [...chapters.values()].reduce(
        (total, {cells}) => total + Object.keys(cells).length, 0);
      document.dispatchEvent(new Event("live-import"));
      document.dispatchEvent(new Event("live-marks"));
      tell(told, say("imported", {n}));
    } catch (error) { tell(told, error.message); }
  }

  function importer(told) {
    const field = make("input", {type: "file", accept: ".json,application/json",
                                 hidden: true, multiple: true, "aria-label": say("import")});
    field.addEventListener("change", async () => {
      await take([...field.files], told);
      field.value = "";
    });
    const open = act(say("import"), () => field.click());
    return [open, field];
  }

  async function over(scope, told) {
    const ours = scope === "book" ? store.stems() : [live.STEM];
    const text = say(scope === "book" ? "over-book" : "over-chapter");
    if (!await ask(text, say("over-yes"))) return;
    store.forget(ours);
    document.dispatchEvent(new Event("live-import"));
    document.dispatchEvent(new Event("live-marks"));
    tell(told, say("over-done"));
  }

  async function notebook(told) {
    try {
      live.keepAll();
      await live.python.fetchData();
      const {notebook} = live.python.data;
      const name = `${live.STEM}-${say("notebook-file")}.ipynb`;
      store.download(store.fill(notebook, store.load(live.STEM).cells), name,
                     "application/x-ipynb+json");
      tell(told, say("notebook-done", {file: name}));
    } catch (error) { tell(told, error.message); }
  }

  function tools(scope, told) {
    const save = act(say("export"), () => {
      live.keepAll?.();
      store.download(store.pack(), say("export-file"));
      tell(told, say("exported", {file: say("export-file")}));
    });
    const buttons = [save, ...importer(told)];
    if (scope === "chapter") buttons.unshift(act(say("notebook"), () => notebook(told)));
    buttons.push(act(say("over"), () => over(scope, told)));
    return make("div", {className: "live-tools"}, ...buttons, told);
  }

  // The boxes --------------------------------------------------------------------

  function chapterBox(element) {
    const list = ofChapter();
    const head = make("summary"), body = make("div");
    const told = make("p", {className: "live-told"});
    element.append(make("details", {}, head, body, tools("chapter", told)));
    const draw = () => {
      const now = ofChapter();
      head.replaceChildren(meter(now), make("span", {}, summary(now)));
      body.replaceChildren(rows(now));
      for (const one of now) {
        one.heading?.classList.toggle("live-solved", one.state === "done");
      }
    };
    if (!list.length) return element.remove();
    draw();
    document.addEventListener("live-marks", draw);
  }

  function bookBox(element) {
    const head = make("summary", {}, say("progress-book")), body = make("div");
    const told = make("p", {className: "live-told"});
    const box = make("details", {}, head, body, tools("book", told));
    const draw = async () => {
      try {
        const chapters = await ofBook();
        const all = chapters.flatMap(chapter => chapter.exercises);
        head.replaceChildren(meter(all), make("span", {}, summary(all)));
        body.replaceChildren(...chapters.map(chapter => make("details", {},
          make("summary", {}, make("span", {}, chapter.title), " ",
            make("span", {className: "live-marks"}, summary(chapter.exercises))),
          rows(chapter.exercises))));
      } catch (error) { tell(told, error.message); }
    };
    box.addEventListener("toggle", () => box.open && draw());
    document.addEventListener("live-marks", () => box.open && draw());
    addEventListener("pageshow", () => box.open && draw());
    // Firefox keeps what each page opened from a file writes for that page.
    if (location.protocol === "file:" && navigator.userAgent.includes("Firefox")) {
      box.append(make("p", {className: "live-told"}, say("apart")));
    }
    element.append(box);
  }

  live.progress = () => {
    for (const element of document.querySelectorAll("live-progress")) {
      (element.getAttribute("scope") === "book" ? bookBox : chapterBox)(element);
    }
  };
  live.ask = ask;
})();
