// The page of a Shiny app whose server is Python, in a worker of this page.
//
// Shiny asks `createSocket` for what it talks with its server over. Here that
// is an object, and its messages go to the worker (see worker.js).
"use strict";
(() => {
  const { name, lang, code } = cnnbookData.source;
  const WORDS = {
    es: { failed: "La aplicación no pudo empezar: {}",
      ended: "La aplicación se cerró: {}" },
    en: { failed: "The app could not start: {}",
      ended: "The app closed: {}" },
  }[lang];

  // Above the app, until its first answer: how far Python is.
  const state = document.createElement("div");
  state.className = "container mt-3";
  state.setAttribute("role", "status");
  document.addEventListener("DOMContentLoaded", () => document.body.prepend(state));

  function tell(text, part) {
    const bar = document.createElement("progress");
    bar.className = "d-block w-100";
    bar.setAttribute("aria-label", text);
    if (part !== null) bar.value = part;
    state.replaceChildren(text, bar);
  }

  function complain(text) {
    state.className = "container mt-3 alert alert-danger";
    state.setAttribute("role", "alert");
    state.replaceChildren(text);
  }

  class Socket {
    constructor() {
      this.readyState = 0;
      this.open().catch(error => complain(WORDS.failed.replace("{}", error.message)));
    }

    async open() {
      this.session = await cnnbook.python.start({ lang, onstate: tell });
      this.session.listen("app", message => this.receive(message));
      await this.session.ask("app", { name, lang, code });
      this.readyState = 1;
      this.onopen();
    }

    receive({ text, end }) {
      if (end !== undefined) {
        complain(WORDS.ended.replace("{}", end));
      } else {
        state.replaceChildren();
        this.onmessage({ data: text });
      }
    }

    send(text) {
      this.session.ask("say", { text }).catch(error =>
        complain(WORDS.ended.replace("{}", error.message)));
    }

    close() { this.session.close(); }
  }

  Shiny.createSocket = () => new Socket();

  // Light or dark, as the page around it is: it says so in the address, and
  // in a message when that changes. It is told how tall the app is.
  const paint = theme => {
    document.documentElement.dataset.bsTheme = theme === "dark" ? "dark" : "light";
  };
  paint(location.hash.slice(1));
  addEventListener("message", ({ source, data }) => {
    if (source === parent && data?.theme) paint(data.theme);
  });
  const { documentElement } = document;
  new ResizeObserver(() => {
    parent.postMessage({ height: Math.ceil(documentElement.offsetHeight) }, "*");
  }).observe(documentElement);
})();
