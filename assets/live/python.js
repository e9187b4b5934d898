// Python in a page: loads its packs, starts its worker and talks to it.
//
// A page opened from the disk may load scripts and nothing else: so each pack
// is cut into scripts that hand over base64. It is kept as a Blob, from which
// a worker reads what it needs, and another one after a restart.
"use strict";
(() => {
  const cnnbook = globalThis.cnnbook ??= {};
  const here = document.currentScript.src;
  const home = new URL("../../../python/", here);
  const packs = new Map();      // name -> a promise of a Blob
  const pieces = new Map();     // name -> its pieces, while they arrive
  let index, program;           // promises: the table of packs, what runs it

  const WORDS = {
    es: {
      packs: { python: "Python", weights: "los pesos", data: "los datos" },
      loading: "Cargando {}…", starting: "Iniciando Python…", ready: "",
      missing: "No se pudo leer {}: falta en la carpeta python/ del libro.",
      damaged: "El archivo {} está dañado y no se usa: hace falta copiar el libro otra vez.",
      stopped: "Se detuvo. La memoria de Python está vacía: sus celdas se ejecutarán de nuevo.",
      cancelled: "No se ejecutó: se detuvo otra celda.",
      lost: "Python se cerró por un fallo propio. Empezará de nuevo con la próxima celda.",
    },
    en: {
      packs: { python: "Python", weights: "the weights", data: "the data" },
      loading: "Loading {}…", starting: "Starting Python…", ready: "",
      missing: "{} could not be read: it is missing from the book's folder python/.",
      damaged: "The file {} is damaged and is not used: the book must be copied again.",
      stopped: "Stopped. Python's memory is empty: its cells will run again.",
      cancelled: "Not run: another cell was stopped.",
      lost: "Python closed by a fault of its own. It will start anew with the next cell.",
    },
  };
  let lang = "es";
  const word = (name, value = "") => WORDS[lang][name].replace("{}", value);

  // A script of the folder python/, taken away once it has spoken.
  function script(name, version = "") {
    return new Promise((resolve, reject) => {
      const element = document.createElement("script");
      element.src = new URL(name, home).href + version;
      element.onload = () => { element.remove(); resolve(); };
      element.onerror = () => { element.remove(); reject(new Error(word("missing", name))); };
      document.head.append(element);
    });
  }

  function bytes(base64) {
    if (Uint8Array.fromBase64) return Uint8Array.fromBase64(base64);
    const text = atob(base64), found = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) found[i] = text.charCodeAt(i);
    return found;
  }

  globalThis.cnnbookPiece = (pack, i, base64) => {
    try {
      pieces.get(pack)[i] = bytes(base64);
    } catch {
      pieces.get(pack)[i] = null;             // told when all have come
    }
  };

  function table() {
    return index ??= (async () => {
      let found;
      globalThis.cnnbookPython = given => { found = given; };
      await script("index.js");
      if (!found) throw new Error(word("damaged", "index.js"));
      return found;
    })().catch(error => { index = null; throw error; });
  }

  const hex = buffer => Array.from(new Uint8Array(buffer),
    byte => byte.toString(16).padStart(2, "0")).join("");

  // A pack as a Blob; what is not what was packed is refused.
  async function fetched(name, told) {
    const { packs: all } = await table(), pack = all[name];
    const files = Array.from({ length: pack.pieces },
      (_, i) => `${name}-${String(i).padStart(2, "0")}.js`);
    const found = Array(pack.pieces).fill(null);
    let done = 0;
    pieces.set(name, found);
    await Promise.all(files.map(file => script(file, `?${pack.sha256.slice(0, 8)}`)
      .then(() => told(++done / files.length))));
    pieces.delete(name);
    const bad = found.indexOf(null);
    if (bad >= 0) throw new Error(word("damaged", files[bad]));
    const whole = new Blob(found);
    // Plain http has no crypto.subtle: gzip and zip still carry checksums.
    const sum = crypto.subtle && hex(await crypto.subtle.digest("SHA-256", await whole.arrayBuffer()));
    if (whole.size !== pack.bytes || (sum && sum !== pack.sha256)) {
      throw new Error(word("damaged", `${name}-*.js`));
    }
    return whole;
  }

  function blob(name, onstate) {
    if (!packs.has(name)) {
      const told = part => onstate(word("loading", WORDS[lang].packs[name] ?? name), part);
      packs.set(name, fetched(name, told).catch(error => {
        packs.delete(name);
        throw error;
      }));
    }
    return packs.get(name);
  }

  // The packs, each after those that it needs, as the worker wants them.
  async function wanted(names, onstate) {
    const { packs: all } = await table(), order = [];
    const visit = name => {
      all[name].needs.forEach(visit);
      if (!order.includes(name)) order.push(name);
    };
    names.forEach(visit);
    return Promise.all(order.map(async name => (
      { name, blob: await blob(name, onstate), files: all[name].files })));
  }

  // A pack as the worker takes it: its bytes, which leave the page.
  const sent = async ({ name, blob, files }) =>
    ({ name, files, whole: await blob.arrayBuffer() });

  const unpacked = (whole, { start, end, gzip }) => {
    const part = whole.slice(start, end).stream();
    return new Response(gzip ? part.pipeThrough(new DecompressionStream("gzip")) : part,
      { headers: { "content-type": "application/wasm" } });
  };

  // What every worker runs: its script, and the module, compiled but once.
  function compiled(pack) {
    return program ??= (async () => {
      const file = name => unpacked(pack.blob, pack.files.find(file => file.name === name));
      const scripts = ["pyodide.asm.js", "pyodide.js", "worker.js"].map(name => file(name).text());
      const module = WebAssembly.compileStreaming(file("pyodide.asm.wasm"));
      const source = (await Promise.all(scripts)).flatMap(text => [text, "\n"]);
      return { module: await module,
        address: URL.createObjectURL(new Blob(source, { type: "text/javascript" })) };
    })().catch(error => { program = null; throw error; });
  }

  class Session {
    constructor(lang, onstate) {
      Object.assign(this, { lang, onstate, generation: 0, jobs: [], files: new Map(),
        listeners: new Map(), answers: new Map(), tickets: 0 });
    }

    // Start a worker, unless there is one.
    open() {
      if (this.opened) return this.opened;
      const opened = this.opened = this.begin().catch(error => {
        if (this.opened === opened) this.close();
        throw error;
      });
      return opened;
    }

    async begin() {
      const { generation } = this;
      const [pack] = await wanted(["python"], this.onstate), { imports } = await table();
      const { module, address } = await compiled(pack), ours = await sent(pack);
      if (generation !== this.generation) throw new Error("closed");    // meanwhile
      this.onstate(word("starting"), null);
      this.worker = new Worker(address);
      this.worker.onmessage = ({ data }) => this.receive(data);
      this.worker.onerror = event => { event.preventDefault(); this.lose(); };
      const buffer = globalThis.crossOriginIsolated && new Uint8Array(new SharedArrayBuffer(1));
      this.interrupt = buffer || null;
      await this.ask("start", { pack: ours, module, imports, lang: this.lang,
        interrupt: this.interrupt }, [ours.whole]);
      for (const [path, data] of this.files) await this.ask("put", { path, data });
      this.onstate(word("ready"), 1);
    }

    // Let go of the worker; whoever waits for an answer is told.
    close(reason = new Error("closed")) {
      this.worker?.terminate();
      this.worker = this.opened = null;
      this.generation++;
      const answers = [...this.answers.values()];
      this.answers.clear();
      for (const { reject } of answers) reject(reason);
    }

    // Ask the worker for what its handler of that type does.
    ask(type, message, transfer = []) {
      const ticket = ++this.tickets;
      return new Promise((resolve, reject) => {
        this.answers.set(ticket, { resolve, reject });
        this.worker.postMessage({ ...message, type, ticket }, transfer);
      });
    }

    // Have `listener` called with what the worker tells under that type.
    listen(type, listener) { this.listeners.set(type, listener); }

    receive({ type, ticket, value, ...message }) {
      if (type === "output") this.jobs[0]?.onoutput(message.output);
      else if (type === "dead") this.lose();
      else if (type === "packs") this.send(ticket, message.names);
      else if (this.listeners.has(type)) this.listeners.get(type)(message);
      else if (this.answers.has(ticket)) {
        const { resolve, reject } = this.answers.get(ticket);
        this.answers.delete(ticket);
        if (type === "answer") resolve(value); else reject(new Error(value));
      }
    }

    // The worker asks for packs in the middle of a run.
    async send(ticket, names) {
      const { worker } = this;
      try {
        const packs = await Promise.all((await wanted(names, this.onstate)).map(sent));
        worker.postMessage({ type: "packs", ticket, packs }, packs.map(({ whole }) => whole));
        this.onstate(word("ready"), 1);
      } catch (error) {
        worker.postMessage({ type: "packs", ticket, error: error.message });
      }
    }

    // Run a cell, after those that wait.
    run({ id, code, file, packs = [], onoutput = () => {} }) {
      return new Promise(resolve => {
        this.jobs.push({ cell: { id, code, file, packs }, onoutput, resolve });
        if (this.jobs.length === 1) this.next();
      });
    }

    async next() {
      const job = this.jobs[0];
      if (!job) return;
      const { generation } = this;
      let result = { ok: false, marks: {}, seconds: 0 };
      try {
        await this.open();
        this.interrupt?.fill(0);              // one that came too late
        result = await this.ask("run", job.cell);
      } catch (error) {
        if (!job.stopped) job.onoutput(failure("Error", error.message));
      }
      if (job.stopped) Object.assign(result, { ok: false, stopped: true });
      if (generation !== this.generation) result.lost = true;   // all its names
      this.jobs.shift();
      job.resolve(result);
      this.next();
    }

    // Stop what runs and forget what waits. `kept`: is the state still there?
    async stop() {
      const [job, ...later] = this.jobs.splice(0);
      for (const { onoutput, resolve } of later) {
        onoutput(failure("Cancelled", word("cancelled")));
        resolve({ ok: false, marks: {}, seconds: 0, stopped: true });
      }
      if (!job) return { kept: true };
      this.jobs.push(job);
      job.stopped = true;
      if (await this.interrupted(job)) return { kept: true };
      job.onoutput(failure("KeyboardInterrupt", word("stopped")));
      this.close();
      return { kept: false };
    }

    // True if Python heard the interrupt within two seconds, which it says by
    // taking it away, and was done with it in five.
    async interrupted(job) {
      if (!this.interrupt || !this.worker) return false;
      this.interrupt[0] = 2;                  // SIGINT
      for (let i = 0; i < (this.interrupt[0] ? 100 : 250)
           && this.jobs[0] === job; i++) {
        await new Promise(resolve => setTimeout(resolve, 20));
      }
      return this.jobs[0] !== job;
    }

    // The worker died; the next run starts another.
    lose() { this.close(new Error(word("lost"))); }

    // Put a file where Python reads it; a new worker gets it too.
    async put(path, data) {
      this.files.set(path, data);
      if (!this.opened) return;
      await this.opened;
      await this.ask("put", { path, data });
    }
  }

  const failure = (name, message) =>
    ({ kind: "error", name, message, line: null, cell: null, traceback: "" });

  async function start({ lang: wish = document.documentElement.lang, onstate = () => {} } = {}) {
    lang = wish.startsWith("en") ? "en" : "es";
    const session = new Session(lang, onstate);
    await session.open();
    return session;
  }

  cnnbook.python = { start };
})();
