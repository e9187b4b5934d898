// What a page does once it is read: light and dark, copying code, the
// outline that follows the scroll, the same place of the other language, and
// places that are on another page now.
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

// What scrolls sideways can be reached with the keyboard.
function reachable(box) {
  if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
  else box.removeAttribute("tabindex");
}

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
const table = new URL("places.js", document.currentScript.src);

function findPlace() {
  const id = decodeURIComponent(location.hash.slice(1));
  if (!id || document.getElementById(id)) return;
  const go = () => {
    if (!Object.hasOwn(PLACES, id)) return;
    const place = new URL(PLACES[id], new URL("..", table));
    if (place.pathname !== location.pathname) location.replace(place);
  };
  if (typeof PLACES !== "undefined") return go();
  const script = document.createElement("script");
  script.src = table;
  script.onload = go;
  document.head.append(script);
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
const boxes = document.querySelectorAll("main pre, .table, math[display]");
const reach = () => boxes.forEach(reachable);
reach();
addEventListener("resize", reach);
document.querySelectorAll("details").forEach(
  d => d.addEventListener("toggle", reach));
