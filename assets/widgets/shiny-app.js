// <shiny-app name="...">: opens a Shiny app under its picture, if the book
// carries it. Python is downloaded only when the reader asks for it.
"use strict";
(() => {
  const here = document.currentScript.src, { h } = cnnbook;

  class ShinyApp extends HTMLElement {
    async connectedCallback() {
      if (this.firstChild) return;           // moved to its place below
      const figure = document.getElementById(this.getAttribute("for"));
      const name = this.getAttribute("name"), apps = await carried();
      if (!apps.includes(name) || !figure) return;
      this.spanish = document.documentElement.lang.startsWith("es");
      const served = location.protocol.startsWith("http");
      this.append(served ? this.button(name) : h("p", {}, this.word(
        "La aplicación necesita un servidor: make preview.",
        "The app needs a server: make preview.")));
      figure.after(this);
    }

    word(es, en) { return this.spanish ? es : en; }

    button(name) {
      return h("button", { type: "button", onclick: () => this.open(name) }, this.word(
        "Abrir la aplicación aquí (necesita la red: baja Python, unos 20 MB)",
        "Open the app here (it needs the network: Python, some 20 MB)"));
    }

    open(name) {
      this.replaceChildren(h("iframe", {
        src: new URL(`../live/${name}/`, here), style: "width: 100%; height: 64rem; border: 0",
        title: this.word("La onda y el filtro", "The wave and the filter") }));
    }
  }

  // The names of the apps that the book carries; its script tells them.
  function carried() {
    return new Promise(resolve => document.head.append(h("script", {
      src: new URL("data/apps.js", here).href,
      onload: () => resolve(globalThis.cnnbookData.apps) })));
  }

  customElements.define("shiny-app", ShinyApp);
})();
