// Python in a worker of the page. It is put after Pyodide's own scripts in
// one Blob, gets every file by message, and has no network.
//
// The page sends {type, ticket, ...} and is answered {type: "answer" or
// "failed", ticket, value}. A handler for each type lies in
// `cnnbookWorker.handlers`; other scripts of the Blob may add theirs.
"use strict";
globalThis.cnnbookWorker = (() => {
  const BASE = "https://book.invalid/";       // what no one can have
  const SITE = "/lib/python3.13/site-packages";
  const files = new Map();                    // name -> what `fetch` answers
  const waiting = new Map();                  // ticket -> who waits for packs
  let python, kernel, visit, wheels, tickets = 0;

  const tell = message => self.postMessage(message);

  async function fetch(request) {
    const name = String(request.url ?? request).replace(BASE, "");
    if (!files.has(name)) throw new TypeError(`no network in this page: ${name}`);
    return new Response(files.get(name));
  }

  // Nothing that runs here may reach the network, not even by `import js`.
  function close() {
    for (const name of ["XMLHttpRequest", "WebSocket", "WebSocketStream",
      "WebTransport", "EventSource", "Worker", "importScripts"]) {
      if (name in self) self[name] = undefined;
    }
  }

  // The bytes of one file of a pack; `whole` are those of the pack. (A worker
  // of WebKit's cannot read a Blob, if the page is opened from the disk.)
  async function read(whole, { start, end, gzip }) {
    const part = new Uint8Array(whole, start, end - start);
    if (!gzip) return part.slice();
    const stream = new Response(part).body.pipeThrough(new DecompressionStream("gzip"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  }

  const text = bytes => new TextDecoder().decode(bytes);

  // The page has compiled the program once, for every worker to come.
  async function begin(core, module, env) {
    const streaming = WebAssembly.instantiateStreaming;
    WebAssembly.instantiateStreaming = async (_, wanted) =>
      ({ module, instance: await WebAssembly.instantiate(module, wanted) });
    files.set("pyodide.asm.wasm", "");
    files.set("python_stdlib.zip", core["python_stdlib.zip"]);
    python = await loadPyodide({ indexURL: BASE, packageBaseUrl: BASE,
      stdLibURL: `${BASE}python_stdlib.zip`, env,
      lockFileContents: text(core["pyodide-lock.json"]) });
    WebAssembly.instantiateStreaming = streaming;
    files.clear();
    wheels = new Map(Object.entries(JSON.parse(text(core["pyodide-lock.json"]))
      .packages).map(([name, { file_name }]) => [file_name, name]));
  }

  // The files in a ZIP that is not compressed: their names, and their bytes
  // where they lie, so that nothing is copied.
  function* stored(zip) {
    const view = new DataView(zip.buffer, zip.byteOffset, zip.byteLength);
    const end = zip.length - 22;
    if (view.getUint32(end, true) !== 0x06054b50) throw new Error("not a ZIP");
    let at = view.getUint32(end + 16, true);
    for (let count = view.getUint16(end + 10, true); count > 0; count--) {
      const [method, length, extra, comment] = [10, 28, 30, 32].map(
        offset => view.getUint16(at + offset, true));
      const size = view.getUint32(at + 24, true), local = view.getUint32(at + 42, true);
      const name = text(zip.subarray(at + 46, at + 46 + length));
      if (method) throw new Error(`compressed: ${name}`);
      const start = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
      yield [name, zip.subarray(start, start + size)];
      at += 46 + length + extra + comment;
    }
  }

  function unpack(zip, folder) {
    for (const [name, data] of stored(zip)) put({ path: `${folder}/${name}`, data });
  }

  const install = {
    core() {},
    zip(name, data) { unpack(data, ""); },
    file(name, data) { put({ path: `/${name}`, data }); },
    wheel(name, data) {
      if (name.endsWith(".whl")) unpack(data, SITE);
      else files.set(name, data);             // a library that wheels share
    },
  };

  // Install packs: [{name, whole, files}], each after those that it needs.
  async function add(packs) {
    for (const { whole, files: table } of packs) {
      for (const file of table.filter(({ kind }) => kind !== "core")) {
        install[file.kind](file.name, await read(whole, file));
      }
    }
    for (const file of [...files.keys()]) {
      const name = wheels.get(file);
      await python.loadPackage(name, { messageCallback() {}, checkIntegrity: false });
      if (!python.loadedPackages[name]) throw new Error(`not installed: ${name}`);
    }
    files.clear();
    python.pyimport("importlib").invalidate_caches();
    kernel?.arrived(JSON.stringify(packs.map(({ name }) => name)));
  }

  function put({ path, data }) {
    python.FS.mkdirTree(path.slice(0, path.lastIndexOf("/")) || "/");
    python.FS.writeFile(path, data, { canOwn: true });
  }

  // Ask the page for packs, and wait until they are installed.
  async function obtain(names) {
    if (!names.length) return;
    const ticket = ++tickets;
    const packs = new Promise(resolve => waiting.set(ticket, resolve));
    tell({ type: "packs", ticket, names });
    const { packs: found, error } = await packs;
    if (error) throw new Error(error);
    await add(found);
  }

  const handlers = {
    // The first message: `pack` is the pack "python", `module` its program.
    async start({ pack, module, lang, imports, interrupt }) {
      const core = {};
      for (const file of pack.files) {
        if (/\.(zip|json)$/.test(file.name) && file.kind === "core") {
          core[file.name] = await read(pack.whole, file);
        }
      }
      self.fetch = fetch;
      await begin(core, module, { HOME: "/book", CNNBOOK_LANG: lang });
      close();
      await add([pack]);
      if (interrupt) python.setInterruptBuffer(interrupt);
      python.FS.mkdirTree("/book/chapters");
      python.FS.chdir("/book/chapters");
      python.globals.get("__import__")("sys").path.insert(0, "/book");
      kernel = python.pyimport("cnnbook.press.kernel").PageKernel(
        output => tell({ type: "output", output: JSON.parse(output) }),
        lang, JSON.stringify(imports));
    },

    async run({ id, code, packs = [], file = `<cell ${id}>` }) {
      await obtain(JSON.parse(kernel.wanted(code, JSON.stringify(packs))));
      for (;;) {
        const told = kernel.run(code, file);
        if (told === undefined) return tell({ type: "dead" });  // Python itself
        const answer = JSON.parse(told);
        if (!answer.packs.length) return answer;
        // It imported what was not there: once more, from the start.
        await obtain(JSON.parse(kernel.wanted("", JSON.stringify(answer.packs))));
        tell({ type: "output", output: { kind: "clear" } });
      }
    },

    put({ path, data }) { put({ path, data }); },

    // A Shiny app: its server, called by cnnbook.press.visits, answers here.
    async app({ name, lang, code }) {
      const folder = `/book/apps/${name}`;
      put({ path: `${folder}/app.py`, data: code });
      put({ path: `${folder}/language.txt`, data: lang });
      await obtain(JSON.parse(kernel.wanted(code, '["shiny"]')));
      const visits = python.pyimport("cnnbook.press.visits");
      visit = visits.Visit(visits.load_app(`${folder}/app.py`),
        text => tell({ type: "app", text }), end => tell({ type: "app", end }));
    },

    say({ text }) { visit.say(text); },
  };

  self.onmessage = async ({ data: { type, ticket, ...message } }) => {
    if (type === "packs") {
      waiting.get(ticket)(message);
      waiting.delete(ticket);
      return;
    }
    try {
      tell({ type: "answer", ticket, value: await handlers[type](message) });
    } catch (error) {
      const reason = String(error?.message ?? error);
      tell({ type: error?.pyodide_fatal_error ? "dead" : "failed", ticket, value: reason });
    }
  };

  return { handlers, tell, obtain, python: () => python };
})();
