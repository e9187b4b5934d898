// The reader's own picture: a cell that reads one is given another file, and
// its code says so. Where the code asks for the sample photograph, the
// picture comes in its size, so that what follows in the chapter still fits.
"use strict";
globalThis.cnnbook ??= {};

(() => {
  const {say} = cnnbook.live;
  const FOLDER = "/book/chapters/";         // where Python runs
  const SAMPLE = [640, 427];                // of the photographs of the book
  const PILLOW = "from PIL import Image\n";

  // An argument ends at a comma or a bracket that is not inside others.
  function argument(code, start) {
    let depth = 0, quote = "";
    for (let i = start; i < code.length; i++) {
      const sign = code[i];
      if (quote) {
        if (sign === quote) quote = "";
      } else if ("\"'".includes(sign)) quote = sign;
      else if ("([{".includes(sign)) depth++;
      else if (depth && ")]}".includes(sign)) depth--;
      else if (!depth && ",)".includes(sign)) return i;
    }
    return code.length;
  }

  const opened = name => `np.asarray(Image.open("${name}").convert("RGB"))`;
  const READERS = [
    {call: /np\.asarray\(Image\.open\("[^"]*"\)\.convert\("RGB"\)\)/, sample: true,
     put: (code, found, name) => splice(code, found.index,
       found.index + found[0].length, opened(name))},
    {call: /\bload_sample_images\(\)\.images/, sample: true,
     put: (code, found, name) => PILLOW + splice(code, found.index,
       found.index + found[0].length, `[${opened(name)}]`)},
    {call: /\bload_sample_image\("[^"]*"\)/, sample: true,
     put: (code, found, name) => PILLOW + splice(code, found.index,
       found.index + found[0].length, opened(name))},
    {call: /(?<!def )\b(?:read_image|Image\.open)\(/, sample: false,
     put: (code, found, name) => {
       const start = found.index + found[0].length;
       return shown(splice(code, start, argument(code, start), `"${name}"`));
     }}];

  // A cell that reads a file of the reader's shows it too.
  function shown(code) {
    const name = /(\w+) = (?:read_image|Image\.open)\(/.exec(code)?.[1];
    const line = `plt.imshow(${name})`;
    return !name || code.includes(line) ? code
      : `${code.trimEnd()}\nimport matplotlib.pyplot as plt\n${line}`;
  }

  const splice = (text, start, end, middle) =>
    text.slice(0, start) + middle + text.slice(end);

  // How the pictures of a cell can change, or undefined: it must read one,
  // in one place, and not end in a check of what was in it.
  function reader(code) {
    const found = READERS.find(({call}) => call.test(code));
    const once = found && code.split(new RegExp(found.call, "g")).length === 2;
    const last = code.trimEnd().split("\n").at(-1);
    return once && (found.sample || !/^\s*assert\b/.test(last)) ? found : undefined;
  }

  // A drawing of the whole of `size`, cut at two sides if its own is another.
  async function fitted(file, [width, height]) {
    const bitmap = await createImageBitmap(file);
    const canvas = Object.assign(document.createElement("canvas"), {width, height});
    const scale = Math.max(width / bitmap.width, height / bitmap.height);
    const pen = canvas.getContext("2d");
    pen.fillStyle = "white";
    pen.fillRect(0, 0, width, height);
    pen.drawImage(bitmap, (width - scale * bitmap.width) / 2,
      (height - scale * bitmap.height) / 2, scale * bitmap.width, scale * bitmap.height);
    return new Promise(done => canvas.toBlob(done, "image/png"));
  }

  async function read(file) {
    try {
      await createImageBitmap(file);
    } catch {
      throw new Error(say("picture-wrong", {file: file.name}));
    }
  }

  // Python's file, as {path, bytes}, and the code of a cell that reads it.
  async function own(code, file) {
    const way = reader(code);
    await read(file);
    const plain = file.name.normalize("NFD").replace(/[^\w.-]+/g, "_");
    const name = way.sample ? `${plain.replace(/\.\w*$/, "")}.png` : plain;
    const blob = way.sample ? await fitted(file, SAMPLE) : file;
    return {path: FOLDER + name, bytes: new Uint8Array(await blob.arrayBuffer()),
            code: way.put(code, code.match(way.call), name)};
  }

  cnnbook.live.pictures = {reader, own};
})();
