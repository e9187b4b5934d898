// <shiny-app name="...">: opens a Shiny app under its picture, if the book
// carries it. Python starts only when the reader asks for it.
"use strict";
(() => {
  const here = document.currentScript.src, { h } = cnnbook;
  const dark = matchMedia("(prefers-color-scheme: dark)");

  const theme = () => document.documentElement.dataset.theme
    ?? (dark.matches || document.body.matches(".quarto-dark") ? "dark" : "light");

  class ShinyApp extends HTMLElement {
    async connectedCallback() {
      if (this.firstChild) return;           // moved to its place below
      const figure = document.getElementById(this.getAttribute("for"));
      const page = (await carried())[this.getAttribute("name")];
      if (!page || !figure) return;
      this.spanish = document.documentElement.lang.startsWith("es");
      this.address = new URL(`../${page}`, here);
      this.append(page.endsWith(".html")
        ? this.button("Abrir la aplicación aquí", "Open the app here")
        : this.with_shinylive());
      figure.after(this);
    }

    word(es, en) { return this.spanish ? es : en; }

    // Shinylive's own pages need a server and the network.
    with_shinylive() {
      if (location.protocol.startsWith("http")) return this.button(
        "Abrir la aplicación aquí (necesita la red: baja Python, unos 20 MB)",
        "Open the app here (it needs the network: Python, some 20 MB)");
      return h("p", {}, this.word("La aplicación necesita un servidor: make preview.",
        "The app needs a server: make preview."));
    }

    button(es, en) {
      return h("button", { type: "button", onclick: () => this.open() }, this.word(es, en));
    }

    open() {
      const frame = h("iframe", { src: `${this.address}#${theme()}`,
        style: "width: 100%; height: 64rem; border: 1px solid var(--line); border-radius: 6px",
        title: this.word("La aplicación", "The app") });
      addEventListener("message", ({ source, data }) => {
        if (source === frame.contentWindow && data?.height > 0) {
          frame.style.height = `${data.height + 2}px`;
        }
      });
      const again = () => frame.contentWindow.postMessage({ theme: theme() }, "*");
      dark.addEventListener("change", again);
      const observer = new MutationObserver(again);
      for (const element of [document.documentElement, document.body]) {
        observer.observe(element, { attributeFilter: ["class", "data-theme"] });
      }
      this.replaceChildren(frame);
      frame.focus();
    }
  }

  // The pages of the apps that the book carries; its script tells them.
  function carried() {
    return new Promise(resolve => document.head.append(h("script", {
      src: new URL("data/apps.js", here).href,
      onload: () => resolve(globalThis.cnnbookData.apps) })));
  }

  customElements.define("shiny-app", ShinyApp);
})();
