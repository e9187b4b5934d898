// What a page does once it is read: light and dark, copying code, figures
// that open large, links to headings, what a reference names shown beside it,
// the outline that follows the scroll, the same place of the other language,
// and places that are on another page now.
// WORDS holds the labels of the edition. Without this script nothing is lost.
"use strict";

function element(html) {
  const template = document.createElement("template");
  template.innerHTML = html.trim();
  return template.content.firstChild;
}

// Where the buttons go: the bar of our pages, or Quarto's sidebar.
function addTool(button) {
  const bar = document.querySelector(".bar");
  const place = bar ?? document.querySelector(".page-links");
  place?.insertBefore(button, bar?.querySelector(".colors-switch, .twin") ?? null);
}

// Light and dark: a choice is remembered while it differs from the system's.
const dark = matchMedia("(prefers-color-scheme: dark)");

function colors() {
  return document.documentElement.dataset.theme
    ?? (dark.matches ? "dark" : "light");
}

function choose(theme) {
  const own = theme !== (dark.matches ? "dark" : "light");
  if (own) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  try {
    if (own) localStorage.setItem("cnnbook-colors", theme);
    else localStorage.removeItem("cnnbook-colors");
  } catch {}   // not remembered, but shown
}

function addColorSwitch() {
  const button = element(`<button class="button colors-switch">
    <svg viewBox="0 0 24 24" aria-hidden="true"><circle cx="12" cy="12"
      r="8.5"/><path d="M12 3.5a8.5 8.5 0 0 1 0 17z" fill="currentcolor"/>
    </svg></button>`);
  const show = () => {
    button.setAttribute("aria-pressed", colors() === "dark");
    button.setAttribute("aria-label", WORDS.dark);
    button.title = WORDS.dark;
  };
  button.addEventListener("click", () => {
    choose(colors() === "dark" ? "light" : "dark");
    show();
  });
  dark.addEventListener("change", show);
  show();
  addTool(button);
}

// Copying code.
async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = element("<textarea></textarea>");
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

function addCopyButton(block) {
  const button = element(`<button class="copy">${WORDS.copy}</button>`);
  button.addEventListener("click", async () => {
    await copy(block.querySelector("code").textContent);
    button.textContent = WORDS.copied;
    button.classList.add("done");
    setTimeout(() => {
      button.textContent = WORDS.copy;
      button.classList.remove("done");
    }, 1500);
  });
  button.setAttribute("aria-live", "polite");
  block.append(button);
}

// What scrolls sideways can be reached with the keyboard, and fades where
// there is more of it. Paper does not scroll: there, its letters shrink by
// what it is wider than the page, so its width is kept, in letters.
function reachable(box) {
  const wide = box.scrollWidth > box.clientWidth;
  if (wide) box.tabIndex = 0;
  else box.removeAttribute("tabindex");
  if (wide) {
    const {fontSize} = getComputedStyle(box);
    const caption = box.querySelector("caption")?.offsetHeight ?? 0;
    box.style.setProperty("--wide", box.scrollWidth / parseFloat(fontSize));
    box.style.setProperty("--caption", `${caption}px`);
  }
  fade(box);
}

function fade(box) {
  const rest = box.scrollWidth - box.clientWidth - box.scrollLeft;
  box.classList.toggle("more-before", box.scrollLeft > 1);
  box.classList.toggle("more-after", rest > 1);
}

// A figure opens large, where its letters can be read on a phone. The script
// that shows the figures of live cells calls this for each of them.
const large = element(`<dialog class="large" aria-label="${WORDS.enlarge}">
  <div class="pan" tabindex="0" role="group" aria-label="${WORDS.fig}"></div>
  <button class="large-close">${WORDS.close}</button></dialog>`);
large.addEventListener("click", event => {
  if (event.target === large || event.target.closest("button")) large.close();
});
document.body.append(large);

function enlarge(figure) {
  const image = figure.querySelector("img").cloneNode();
  const {naturalWidth, naturalHeight} = figure.querySelector("img");
  image.removeAttribute("style");
  image.style.setProperty("--own", `${naturalWidth}px`);
  image.style.setProperty("--shape", naturalWidth / naturalHeight);
  large.firstElementChild.replaceChildren(image);
  large.showModal();
}

function enlargeable(figure) {
  if (!figure.querySelector("img")) return;
  const button = element(`<button class="enlarge" title="${WORDS.enlarge}"
    aria-label="${WORDS.enlarge}" aria-haspopup="dialog"><svg
    viewBox="0 0 24 24" aria-hidden="true"><path d="M14 4h6v6M20 4l-7 7M10 20H4v-6M4 20l7-7"/>
    </svg></button>`);
  button.addEventListener("click", () => enlarge(figure));
  figure.append(button);
  figure.querySelector("img").addEventListener("click", () => {
    button.focus({preventScroll: true});
    enlarge(figure);
  });
}

// The text of a heading, with its formulas as they are read.
function textOf(heading) {
  const copy = heading.cloneNode(true);
  copy.querySelectorAll("annotation").forEach(node => node.remove());
  return copy.textContent.trim().replace(/\s+/g, " ");
}

function addAnchor(heading) {
  const link = element(`<a class="anchor"><span aria-hidden="true">#</span></a>`);
  link.href = `#${heading.parentElement.id}`;
  link.setAttribute("aria-label", `${WORDS.anchor}: ${textOf(heading)}`);
  const titled = element(`<div class="titled"></div>`);
  heading.replaceWith(titled);
  titled.append(heading, link);
}

// What a reference names is shown beside it, when the mouse rests on it or
// the keyboard reaches it, and goes with Escape. What is on another page
// comes from a script that is read when it is first needed.
const NAMED = /#((?:fig|tbl|eq|ref)-[^#]+)$/;
const folder = new URL(".", document.currentScript.src);
let otherPages;

function readScript(name) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = new URL(name, folder);
    script.onload = resolve;
    script.onerror = reject;
    document.head.append(script);
  });
}

async function named(link) {
  const id = decodeURIComponent(NAMED.exec(link.href)[1]);
  const there = document.getElementById(id);
  if (there) return quoted(there, location.href);
  await (otherPages ??= readScript("previews.js"));
  if (!Object.hasOwn(PREVIEWS, id)) return null;
  const [url, html] = PREVIEWS[id];
  return quoted(element(html), new URL(url, new URL("..", folder)));
}

// A copy with nothing to press, and no id twice. A table comes with what
// scrolls it; a picture whose place a laboratory took has its caption left.
function quoted(place, page) {
  const copy = place.cloneNode(true);
  const all = [...copy.querySelectorAll("*")];
  for (const node of [copy, ...all]) {
    for (const name of ["src", "href"]) {
      const way = node.getAttribute(name);
      if (way) node.setAttribute(name, new URL(way, page));
    }
    for (const name of ["id", "tabindex", "style"]) node.removeAttribute(name);
    node.classList.remove("more-before", "more-after");
  }
  for (const node of all) {
    if (node.matches("button, script, .anchor") || node.localName.includes("-")) {
      node.remove();
    } else if (node.matches("a")) node.replaceWith(...node.childNodes);
  }
  return copy;
}

const preview = element(`<div class="preview" id="preview" role="tooltip"
  hidden></div>`);
document.body.append(preview);
let waiting, shown;

function wait(action, milliseconds) {
  clearTimeout(waiting);
  waiting = setTimeout(action, milliseconds);
}

function hidePreview() {
  clearTimeout(waiting);
  shown?.removeAttribute("aria-describedby");
  shown = null;
  preview.hidden = true;
}

async function showPreview(link) {
  const content = await named(link);
  if (!content || !(link.matches(":hover") || link === document.activeElement)) return;
  hidePreview();
  preview.replaceChildren(content);
  preview.hidden = false;
  shown = link;
  link.setAttribute("aria-describedby", "preview");
  const line = link.getClientRects()[0];
  const {width, height} = preview.getBoundingClientRect();
  const side = document.documentElement.clientWidth - width - 12;
  const below = line.bottom + 8 + height < innerHeight || line.top < height + 8;
  preview.style.left = `${Math.max(12, Math.min(line.left, side)) + scrollX}px`;
  preview.style.top = `${(below ? line.bottom + 8 : line.top - height - 8) + scrollY}px`;
}

function previewed(link) {
  link.addEventListener("pointerenter", event => {
    if (event.pointerType === "mouse") wait(() => showPreview(link), 350);
  });
  link.addEventListener("pointerleave", () => wait(hidePreview, 250));
  link.addEventListener("focus", () => {
    if (link.matches(":focus-visible")) wait(() => showPreview(link), 350);
  });
  link.addEventListener("blur", hidePreview);
}
preview.addEventListener("pointerenter", () => clearTimeout(waiting));
preview.addEventListener("pointerleave", () => wait(hidePreview, 250));
addEventListener("keydown", event => {
  if (event.key === "Escape") hidePreview();
});

// The section that is being read.
const sections = [...document.querySelectorAll("main section[id]")];

function reading() {
  const line = innerHeight / 4;
  return sections.findLast(s => s.getBoundingClientRect().top <= line);
}

function followScroll() {
  const links = [...document.querySelectorAll(".page-nav a")];
  let current;
  const follow = () => {
    const id = reading()?.id;
    if (id === current) return;
    current = id;
    for (const link of links) {
      if (link.hash === `#${id}`) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
    links.find(l => l.ariaCurrent)?.scrollIntoView({block: "nearest"});
  };
  addEventListener("scroll", follow, {passive: true});
  follow();
}

// The other language opens at the section that is being read: its ids are
// the same.
function keepPlace(link) {
  const aim = () => {
    const here = reading();
    link.hash = here && here !== sections[0] ? here.id : "";
  };
  for (const event of ["pointerdown", "focus", "click"]) {
    link.addEventListener(event, aim);
  }
}

// An old address may name a place that moved to another page: a table says
// where it is. The table is a script, since a page opened from a file may not
// fetch.
function findPlace() {
  const id = decodeURIComponent(location.hash.slice(1));
  if (!id || document.getElementById(id)) return;
  const go = () => {
    if (!Object.hasOwn(PLACES, id)) return;
    const place = new URL(PLACES[id], new URL("..", folder));
    if (place.pathname !== location.pathname) location.replace(place);
  };
  if (typeof PLACES !== "undefined") return go();
  readScript("places.js").then(go);
}
findPlace();
addEventListener("hashchange", findPlace);

const ours = !!document.querySelector(".bar");
if (ours) {
  addColorSwitch();
  followScroll();
  document.querySelectorAll("div.sourceCode").forEach(addCopyButton);
}
document.querySelectorAll("main a[hreflang], .twin").forEach(keepPlace);
document.querySelectorAll("main figure").forEach(enlargeable);
document.querySelectorAll("main section[id] > :is(h2, h3, h4):first-child")
  .forEach(addAnchor);
[...document.querySelectorAll("main a[href*='#']")]
  .filter(link => NAMED.test(link.href)).forEach(previewed);
const boxes = document.querySelectorAll(
  "main pre, .table, math[display='block']");
const reach = () => boxes.forEach(reachable);
reach();
boxes.forEach(box => box.addEventListener("scroll", () => fade(box),
                                          {passive: true}));
addEventListener("resize", reach);
document.querySelectorAll("details").forEach(
  d => d.addEventListener("toggle", reach));
