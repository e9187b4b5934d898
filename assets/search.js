// Searching the whole edition, offline. The index is a script too, because
// a page opened from a file may not fetch. Accents do not count.
"use strict";
{
  const here = document.currentScript.src;
  const home = new URL("..", here);
  const icon = `<svg viewBox="0 0 24 24" aria-hidden="true"><circle cx="10.5"
    cy="10.5" r="6.5"/><path d="m15.5 15.5 5 5"/></svg>`;

  // One character of `text` gives one of its folding, so that places agree.
  const fold = text => text.normalize("NFC").replace(/\p{L}/gu, letter =>
    letter.normalize("NFD")[0].toLowerCase());
  const escape = text => text.replace(/[&<>"]/g, c => `&#${c.charCodeAt()};`);

  let entries;   // of the index: what is shown, and its folding
  function load() {
    return entries ??= new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = new URL("search-index.js", here);
      script.onload = () => resolve(SEARCH_INDEX.map(
        ([url, page, title, text]) => ({url, page, title, text,
          folded: [title, page, text].map(fold)})));
      script.onerror = reject;
      document.head.append(script);
    });
  }

  // How well an entry answers one word: the whole word counts more than the
  // beginning of another, and a heading counts more than the text.
  const WEIGHTS = [20, 6, 1];
  const letter = character => /[\p{L}\p{N}]/u.test(character ?? " ");
  function score(entry, word) {
    let sum = 0;
    entry.folded.forEach((text, i) => {
      let at = text.indexOf(word), times = 0;
      for (; at >= 0 && times < 5; at = text.indexOf(word, at + 1)) {
        const starts = !letter(text[at - 1]);
        const ends = !letter(text[at + word.length]);
        sum += WEIGHTS[i] * (starts ? ends ? 1.5 : 1 : 0.2);
        times += 1;
      }
    });
    return sum;
  }

  function find(entries, query, most = 30) {
    const words = fold(query).split(/\s+/).filter(Boolean);
    const found = [];
    for (const entry of words.length ? entries : []) {
      const scores = words.map(word => score(entry, word));
      if (!scores.every(Boolean)) continue;
      found.push({entry, score: scores.reduce((a, b) => a + b)});
    }
    found.sort((a, b) => b.score - a.score);
    return {words, found: found.slice(0, most).map(f => f.entry)};
  }

  // `text` with the words marked.
  function marked(text, words) {
    const folded = fold(text);
    let html = "", from = 0;
    for (;;) {
      const next = words.map(w => [folded.indexOf(w, from), w.length])
        .filter(([at]) => at >= 0).sort((a, b) => a[0] - b[0] || b[1] - a[1])[0];
      if (!next) return html + escape(text.slice(from));
      const [at, length] = next;
      html += `${escape(text.slice(from, at))}<mark>${
        escape(text.slice(at, at + length))}</mark>`;
      from = at + length;
    }
  }

  function excerpt(entry, words) {
    const at = Math.max(0, Math.min(...words.map(w => entry.folded[2].indexOf(w))
      .filter(i => i >= 0), entry.text.length) - 50);
    const start = at === 0 ? 0 : entry.text.indexOf(" ", at) + 1;
    const rest = entry.text.slice(start);
    const text = rest.length < 160 ? rest : rest.slice(0, 150).replace(/\S*$/, "…");
    return (start ? "… " : "") + marked(text, words);
  }

  const dialog = element(`<dialog class="search" aria-label="${WORDS.search}">
    <div class="search-box">${icon}<input type="text" role="combobox"
      aria-label="${WORDS.search}" aria-controls="search-results"
      aria-expanded="false" aria-autocomplete="list" autocomplete="off"
      spellcheck="false" placeholder="${WORDS["search-hint"]}">
      <button>${WORDS.close}</button></div>
    <ul id="search-results" role="listbox" aria-label="${WORDS.results}"></ul>
    <p role="status"></p></dialog>`);
  const input = dialog.querySelector("input");
  const list = dialog.querySelector("ul");
  const status = dialog.querySelector("p");
  let at = 0;

  function select(i) {
    at = i;
    [...list.children].forEach((item, j) => {
      item.setAttribute("aria-selected", i === j);
    });
    const item = list.children[i];
    item?.scrollIntoView({block: "nearest"});
    if (item) input.setAttribute("aria-activedescendant", item.id);
    else input.removeAttribute("aria-activedescendant");
  }

  async function show() {
    const query = input.value;
    const {words, found} = find(await load(), query);
    if (query !== input.value) return;   // the reader went on typing
    list.innerHTML = found.map((entry, i) => `
      <li role="option" id="search-${i}" aria-selected="false">
        <a href="${new URL(entry.url, home)}" tabindex="-1">
          <b>${marked(entry.title, words)}</b>
          ${entry.page === entry.title ? "" : `<small>${escape(entry.page)}</small>`}
          <p>${excerpt(entry, words)}</p></a></li>`).join("");
    input.setAttribute("aria-expanded", found.length > 0);
    status.textContent = !words.length ? ""
      : !found.length ? WORDS.nothing
      : `${found.length} ${found.length > 1 ? WORDS.results : WORDS.result}`;
    select(0);
  }

  function open() {
    if (dialog.open) return;
    dialog.showModal();
    input.select();
    load();
  }

  const steps = {ArrowDown: 1, ArrowUp: -1};
  input.addEventListener("input", show);
  input.addEventListener("keydown", event => {
    const count = list.children.length;
    if (event.key === "Enter") {
      list.children[at]?.firstElementChild.click();
    } else if (steps[event.key] && count) {
      event.preventDefault();
      select((at + steps[event.key] + count) % count);
    }
  });
  list.addEventListener("click", () => dialog.close());
  dialog.querySelector("button").addEventListener("click",
    () => dialog.close());
  dialog.addEventListener("click", event => {
    if (event.target === dialog) dialog.close();
  });
  document.body.append(dialog);

  const typing = "input, textarea, select, [contenteditable]";
  addEventListener("keydown", event => {
    const elsewhere = event.composedPath()[0].closest?.(typing);
    if (event.key === "/" && !elsewhere && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      open();
    }
  });

  const button = element(`<button class="button search-open"
    aria-label="${WORDS.search}" aria-keyshortcuts="/">${icon}
    <span>${WORDS.search}</span><kbd>/</kbd></button>`);
  button.addEventListener("click", open);
  addTool(button);
}
