"""What was recorded is what the chapters show now, and fills every gap."""
import ast
import datetime
import json
import re
import sys
from copy import deepcopy
from types import SimpleNamespace

import pytest
from nbformat.v4 import (new_code_cell, new_markdown_cell, new_notebook,
                         new_output)

from cnnbook import data
from cnnbook.press import recorded, resources
from cnnbook.press.execution import Cache, plain
from cnnbook.press.manifest import BuildError, read_manifest
from cnnbook.press.recorded import (kept_in, needy, recall, record,
                                    record_file)
from cnnbook.press.resources import (GRANTED, NEEDS, how_to, is_met, missing,
                                     needs, notice)
from conftest import FILES, ROOT

READER = [ROOT / file for file in FILES
          if (ROOT / file).parent == ROOT / "chapters"]
GAPS = "Sin ejecutar", "Not run"
ELSEWHERE = {"gpu", "hours"}    # what neither CI nor most machines have
SETS = {name.replace("-", "_"): name for name in set(NEEDS) - ELSEWHERE}


def shows(cell):
    "True if the book shows what the cell needs something for."
    printed = any(isinstance(node, ast.Call)
                  and getattr(node.func, "id", "") == "print"
                  for node in ast.walk(ast.parse(plain(cell.source))))
    return "#| export" not in cell.source and (
        printed or "@figure" in cell.source)


@pytest.mark.parametrize("path", READER, ids=lambda path: path.stem)
def test_what_was_recorded_belongs_to_the_code_of_now(notebooks, path):
    "What only a GPU or hours can give may still be absent, but never old."
    nb = notebooks[path.relative_to(ROOT).as_posix()]
    found = {cell.id: key for cell, key in needy(nb)}
    kept = kept_in(record_file(ROOT, path))
    assert set(kept) <= set(found), "run make record"
    stale = [name for name in kept if kept[name]["key"] != found[name]]
    assert not stale, "run make record"
    missed = [cell.id for cell, _ in needy(nb)
              if shows(cell) and cell.id not in kept
              and not ELSEWHERE & set(needs(cell.source))]
    assert not missed, "run make record"


@pytest.mark.parametrize("path", READER, ids=lambda path: path.stem)
def test_no_gap_is_left_where_nothing_is_installed(notebooks, path):
    nb = deepcopy(notebooks[path.relative_to(ROOT).as_posix()])
    for cell, _ in needy(nb):
        cell.outputs = [new_output("stream", text=word) for word in GAPS]
    recall(ROOT, path, nb, there=lambda name: False)
    shown = json.dumps([cell.get("outputs") for cell in nb.cells])
    assert not any(word in shown for word in GAPS)
    assert not [cell.id for cell, _ in needy(nb) if not cell.outputs
                and re.search(r"label: (fig|tbl)-", cell.source)]


def test_the_packages_are_those_of_the_torch_extra(notebooks):
    named = {name for path in READER for cell in notebooks[
        path.relative_to(ROOT).as_posix()].cells
        if cell.cell_type == "code" for name in needs(cell.source)}
    assert named - set(NEEDS) == {"torch", "onnx", "onnxruntime",
                                  "onnxscript", "safetensors"}


def undeclared(code, declared):
    "The data sets that `code` asks for without being `declared`, a set."
    calls = [node for node in ast.walk(ast.parse(code))
             if isinstance(node, ast.Call)]
    return {name for call in calls for name in [SETS.get(getattr(
        call.func, "id", getattr(call.func, "attr", "")))]
        if name and name not in declared and not call.args
        and not {"fetch", "folder"} & {word.arg for word in call.keywords}}


@pytest.mark.parametrize("file", FILES)
def test_no_cell_downloads_in_a_build(notebooks, file):
    "A cell that asks for a data set says that it needs it."
    assert undeclared("data.mnist()\nfashion_mnist(release=1)", set()) == {
        "mnist", "fashion-mnist"}
    assert not undeclared("mnist()\ncifar10(fetch=False)", {"mnist"})
    for cell in notebooks[file].cells:
        if cell.cell_type == "code" and "#| eval: false" not in cell.source:
            assert not undeclared(plain(cell.source),
                                  set(needs(cell.source))), cell.id


# What a machine has -----------------------------------------------------

@pytest.fixture
def sets(monkeypatch):
    "What loading each data set gives: its error, or None."
    given = dict.fromkeys(SETS)

    def loader(name):
        def load(fetch=True):
            assert fetch is False, "a build must not download"
            if given[name]:
                raise given[name]
        return load
    for name in SETS:
        monkeypatch.setattr(data, name, loader(name), raising=False)
    resources.has_data.cache_clear()
    yield given
    resources.has_data.cache_clear()


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("error, met", [
    (None, True), (FileNotFoundError("not there"), False),
    (ValueError("damaged"), False)])
def test_a_data_set_is_met_if_its_true_files_are_here(sets, name, error,
                                                      met):
    sets[name] = error
    assert is_met(SETS[name]) is met
    assert missing(f"#| needs: {SETS[name]}\n1") == [SETS[name]] * (not met)


@pytest.mark.parametrize("name", SETS)
def test_asking_for_a_data_set_that_is_not_here_downloads_nothing(
        monkeypatch, tmp_path, name):
    def fetched(*_):
        raise AssertionError("a build must not download")
    for way in "openml", "npm_archive", "npm_pack":
        monkeypatch.setattr(data.downloads, way, fetched)
    monkeypatch.setenv("CNNBOOK_DATA", str(tmp_path / "none"))
    resources.has_data.cache_clear()
    assert not is_met(SETS[name]) and not (tmp_path / "none").exists()
    resources.has_data.cache_clear()


def test_a_gpu_is_met_if_pytorch_can_use_it(monkeypatch):
    def asked(there, installed=True):
        torch = SimpleNamespace(cuda=SimpleNamespace(
            is_available=lambda: there))
        monkeypatch.setitem(sys.modules, "torch", torch)
        monkeypatch.setattr(resources, "is_installed",
                            lambda name: installed)
        resources.has_gpu.cache_clear()
        return is_met("gpu")
    assert asked(True) and not asked(False) and not asked(True, False)
    resources.has_gpu.cache_clear()


def test_hours_are_met_only_where_they_are_granted(monkeypatch):
    for value, met in ("1", True), ("", False), ("no", False):
        monkeypatch.setenv(GRANTED, value)
        assert is_met("hours") is met
    monkeypatch.delenv(GRANTED)
    assert not is_met("hours")


def test_any_other_name_is_a_package():
    assert is_met("numpy") and not is_met("no_such_thing")


def test_the_way_is_told_in_both_languages():
    both = {lang: how_to(["torch", "mnist", "onnx", "hours"], lang)
            for lang in ("es", "en")}
    assert both["es"] == both["en"] == (
        "`pip install torch onnx`, `cnnbook data mnist`, "
        "`make record HOURS=1`")
    assert how_to(["gpu"], "es") == "una GPU con CUDA"
    assert how_to(["gpu"], "en") == "a GPU with CUDA"


@pytest.mark.parametrize("lang, words", [
    ("es", "MNIST, una GPU, horas, torch"),
    ("en", "MNIST, a GPU, hours, torch")])
def test_a_page_says_what_a_cell_needs(lang, words):
    from cnnbook.press.live import in_words, reason
    one = cell("a", "mnist, gpu, hours, torch")
    names = read_manifest(ROOT, lang)["cnnbook"]["words"]
    assert words in in_words(reason(one), one, names)


def test_a_notebook_says_how_to_run_what_it_skips(monkeypatch):
    told = []
    monkeypatch.setattr(resources, "figure", lambda draw: told.extend(
        draw(lambda es, en, lang=lang: es if lang == "es" else en)
        for lang in ("es", "en")))
    notice("#| needs: no_such_thing, numpy\nprint(1)")
    assert told == [
        "*Sin ejecutar. Para ejecutarlo: `pip install no_such_thing`.*",
        "*Not run. To run it: `pip install no_such_thing`.*"]
    notice("#| needs: no_such_thing\nx = 1")
    assert len(told) == 2


def key(folder, *codes):
    nb = new_notebook(cells=list(map(new_code_cell, codes)))
    return Cache(folder / ".cache", ROOT / "cnnbook").place(
        folder / "chapters" / "a.ipynb", nb)


@pytest.mark.parametrize("name", SETS)
def test_a_chapter_is_run_when_its_data_come_or_go(sets, tmp_path, name):
    code = f"#| needs: {SETS[name]}\nprint(1)"
    there = key(tmp_path, code), key(tmp_path, "print(1)")
    sets[name] = FileNotFoundError()
    resources.has_data.cache_clear()
    gone = key(tmp_path, code), key(tmp_path, "print(1)")
    assert gone[0] != there[0] and gone[1] == there[1]
    sets[name] = None
    resources.has_data.cache_clear()
    assert key(tmp_path, code) == there[0]


def test_a_chapter_is_run_when_hours_are_granted(monkeypatch, tmp_path):
    code = "#| needs: hours\nprint(1)"
    monkeypatch.delenv(GRANTED, raising=False)
    before = key(tmp_path, code), key(tmp_path, "print(1)")
    monkeypatch.setenv(GRANTED, "1")
    after = key(tmp_path, code), key(tmp_path, "print(1)")
    assert after[0] != before[0] and after[1] == before[1]


def test_a_chapter_that_reads_results_is_run_when_they_change(tmp_path):
    "A file of `benchmarks` that a cell names, or tells in `#| reads:`."
    from cnnbook.press.execution import execution_key
    from cnnbook.press.reach import Package
    (tmp_path / "cnnbook").mkdir()
    (tmp_path / "chapters").mkdir()
    results = tmp_path / "benchmarks" / "papers" / "results"
    results.mkdir(parents=True)
    for code in ("import json\njson.load(open("
                 "'../benchmarks/papers/results/lenet.json'))",
                 "#| reads: ../benchmarks/papers/results/*.json\nread()"):
        nb, keys = new_notebook(cells=[new_code_cell(code)]), []
        for mean in 0.95, 0.96:
            (results / "lenet.json").write_text(json.dumps({"mean": mean}))
            keys.append(execution_key(nb, tmp_path / "chapters",
                                      Package(tmp_path / "cnnbook")))
        assert keys[0] != keys[1]


# What is recorded, and how it is shown ----------------------------------

class Machine:
    "One that records and recalls a chapter of a project: what it `has`."

    def __init__(self, folder, patch, has, day="2026-10-03", name="Xeon"):
        self.root, self.patch, self.has = folder, patch, set(has)
        self.path = folder / "chapters" / "lesson.ipynb"
        self.path.parent.mkdir(exist_ok=True)
        self.day, self.name = day, name

    def works(self):
        class Day(datetime.date):
            today = classmethod(lambda cls: cls.fromisoformat(self.day))
        for name, value in {
                "missing": lambda source: [
                    need for need in needs(source) if need not in self.has],
                "processor": lambda: self.name,
                "graphics_processor": lambda: f"{self.name} GPU",
                "version": lambda name: "2.0",
                "datetime": SimpleNamespace(date=Day)}.items():
            self.patch.setattr(recorded, name, value)

    def records(self, *cells, **shown):
        "What is kept after recording; `shown` is what each cell shows."
        self.works()
        nb = new_notebook(cells=deepcopy(list(cells)))
        for cell in nb.cells:
            if not set(needs(cell.source)) - self.has:
                cell.outputs = [new_output("stream", text=shown.get(
                    cell.id, cell.id))]
        files, self.lost = record(self.root, {self.path: nb})
        return kept_in(record_file(self.root, self.path))

    def recalls(self, *cells):
        nb = new_notebook(cells=deepcopy(list(cells)))
        recall(self.root, self.path, nb, there=self.has.__contains__)
        return nb


def cell(name, need, code=None):
    return new_code_cell(f"#| needs: {need}\n{code or f'print({name!r})'}",
                         id=name)


def lines(nb):
    return [cell for cell in nb.cells if "{.recorded}" in cell.source]


TORCH, MNIST = cell("torch", "torch"), cell("mnist", "mnist, hours")
GPU, ALL = cell("gpu", "torch, gpu"), ["torch", "mnist", "hours", "gpu"]


def test_a_machine_records_what_it_can_and_keeps_the_rest(tmp_path,
                                                          monkeypatch):
    first = Machine(tmp_path, monkeypatch, ALL).records(TORCH, MNIST, GPU)
    assert first["gpu"]["made"]["processor"] == "Xeon GPU"
    assert first["mnist"]["made"] == {
        "date": "2026-10-03", "processor": "Xeon",
        "python": first["torch"]["made"]["python"],
        "versions": {"numpy": "2.0"}}
    laptop = Machine(tmp_path, monkeypatch, ["torch"], "2026-11-01", "M4")
    later = laptop.records(TORCH, MNIST, GPU, torch="new")
    assert later["torch"]["made"]["date"] == "2026-11-01"
    assert later["torch"]["outputs"][0]["text"] == "new"
    assert [later[name] for name in ("mnist", "gpu")] == [
        first[name] for name in ("mnist", "gpu")] and not laptop.lost


def test_what_is_the_same_keeps_its_date(tmp_path, monkeypatch):
    first = Machine(tmp_path, monkeypatch, ALL).records(TORCH)
    again = Machine(tmp_path, monkeypatch, ALL, "2026-11-01").records(TORCH)
    assert again == first
    other = Machine(tmp_path, monkeypatch, ALL, "2026-11-01", "M4")
    assert other.records(TORCH)["torch"]["made"]["date"] == "2026-11-01"


def test_what_belongs_to_other_code_is_dropped_and_told(tmp_path,
                                                        monkeypatch):
    Machine(tmp_path, monkeypatch, ALL).records(TORCH, MNIST, GPU)
    bare = Machine(tmp_path, monkeypatch, [])
    changed = cell("gpu", "torch, gpu", "print(2)")
    with pytest.raises(BuildError, match="gpu belongs to other code: run "
                       "make record where torch, gpu can be had"):
        bare.recalls(TORCH, changed)
    assert set(bare.records(TORCH, MNIST, changed)) == {"torch", "mnist"}
    assert len(bare.lost) == 1 and "the cell gpu" in bare.lost[0]
    assert set(bare.records(TORCH)) == {"torch"}     # the cell is gone
    cell_of = bare.recalls(changed).cells[0]         # absent, with no words
    assert cell_of.outputs == [] and not lines(bare.recalls(changed))
    assert bare.records() == {}
    assert not record_file(tmp_path, bare.path).exists()


def test_the_line_says_when_with_what_and_how(tmp_path, monkeypatch):
    Machine(tmp_path, monkeypatch, ALL).records(TORCH, MNIST, GPU)
    bare = Machine(tmp_path, monkeypatch, [])
    found = {name: [line.source for line in lines(bare.recalls(one))]
             for name, one in {"torch": TORCH, "mnist": MNIST,
                               "gpu": GPU}.items()}
    python = recorded.platform.python_version()
    assert found["torch"] == [
        "::: {.recorded}\nResultados grabados el 2026-10-03 con PyTorch 2.0, "
        f"NumPy 2.0 y Python {python} (Xeon). Para ejecutar las celdas: "
        "`pip install torch`.\n:::",
        "::: {.recorded}\nResults recorded on 2026-10-03 with PyTorch 2.0, "
        f"NumPy 2.0 and Python {python} (Xeon). To run the cells: "
        "`pip install torch`.\n:::"]
    assert "(Xeon). Para ejecutar las celdas: `cnnbook data mnist`, " \
        "`make record HOURS=1`." in found["mnist"][0]
    assert "(Xeon GPU). To run the cells: `pip install torch`, a GPU with " \
        "CUDA." in found["gpu"][1]


def test_the_line_is_not_repeated_while_it_holds(tmp_path, monkeypatch):
    three = [cell(name, "torch") for name in ("a", "b", "c")]
    heading = new_markdown_cell("## Two {#sec-two}")
    Machine(tmp_path, monkeypatch, ALL).records(*three)
    bare = Machine(tmp_path, monkeypatch, [])
    shown = bare.recalls(three[0], heading, *three[1:])
    assert [line.id for line in lines(shown)] == [
        "a-recorded-es", "a-recorded-en"]
    # another day for one of them: a line for it, and one for what follows
    later = Machine(tmp_path, monkeypatch, ALL, "2026-11-01")
    later.records(*three, b="new")
    shown = lines(bare.recalls(*three))
    assert [line.id[0] for line in shown] == ["a", "a", "b", "b", "c", "c"]
    # and what the line did not name
    more = cell("d", "torch, onnx")
    Machine(tmp_path, monkeypatch, [*ALL, "onnx"]).records(three[0], more)
    assert [line.id[0] for line in lines(bare.recalls(three[0], more))] == [
        "a", "a", "d", "d"]


def test_what_nobody_recorded_leaves_no_trace(tmp_path, monkeypatch):
    options = ('#| label: fig-gpu\n#| fig-cap-es: "Uno."\n'
               '#| fig-cap-en: "One."\n#| fig-alt-es: "A"\n'
               '#| fig-alt-en: "A"\n#| widget: lab\n')
    figure = cell("gpu", "torch, gpu", options + "@figure\ndef _(w): ...")
    nb = Machine(tmp_path, monkeypatch, ["torch"]).recalls(figure)
    one, = nb.cells
    assert one.outputs == [] and one.source == (
        "#| needs: torch, gpu\n@figure\ndef _(w): ...")
    met = Machine(tmp_path, monkeypatch, ALL).recalls(figure).cells[0]
    assert met.source == figure.source


def test_where_a_need_is_met_what_ran_is_shown(tmp_path, monkeypatch):
    Machine(tmp_path, monkeypatch, ALL).records(TORCH, GPU)
    ran = deepcopy(TORCH)
    ran.outputs = [new_output("stream", text="ran here")]
    nb = Machine(tmp_path, monkeypatch, ["torch"]).recalls(ran, GPU)
    assert nb.cells[0].outputs[0].text == "ran here"
    assert nb.cells[1].outputs[0].text == "gpu" and len(lines(nb)) == 2


def test_hours_are_granted_to_the_chapters_too(tmp_path, monkeypatch):
    from cnnbook.cli import parse
    from cnnbook.press import book
    seen = []
    monkeypatch.setenv(GRANTED, "")
    monkeypatch.setattr(book, "export_package", lambda root: None)
    monkeypatch.setattr(book, "run_notebooks", lambda root, jobs, recalled:
                        seen.append((is_met("hours"), recalled)) or {})
    for command, hours in ("record", False), ("record --hours", True):
        arguments = parse(command.split())
        arguments.run(tmp_path, arguments)
        assert seen.pop() == (hours, False)
