"""A class of two hundred, some of them hostile, and what comes of each."""
import ast
import csv
import inspect
import json
import os
import pkgutil
import signal
import socket
import subprocess
import sys
import threading
import time
from argparse import Namespace
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

import cnnbook
from cnnbook.classroom import comparison, sandbox
from cnnbook.classroom import marks as marks_module
from cnnbook.classroom.channel import EXAMINER, PUPIL, Gone, Line, Peer
from cnnbook.classroom.grader import check_releases, grade, grade_class
from cnnbook.classroom.guard import Guard
from cnnbook.classroom.marks import check_scalar
from cnnbook.classroom.messages import Mismatch
from cnnbook.classroom.proxies import decode
from cnnbook.classroom.pupil import run_cells
from cnnbook.classroom.releases import (bound_names, chosen, each_exercise,
                                        release)
from cnnbook.classroom.reports import earned, grades_csv
from cnnbook.classroom.sandbox import LIMITS, SYSTEM_CALLS, filter_program
from cnnbook.press.student import exercises, student_notebook
from cnnbook.classroom.submissions import (REASONS, chapters_of,
                                           exercises_in, wanted_of)
from cnnbook.classroom.supervision import Helper
from cnnbook.press.editions import edition
from cnnbook.press.manifest import BuildError, read_notebooks
from conftest import ROOT

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"),
                                reason="it needs Linux or macOS")
QUICK = {"time": 4, "cell": 1, "memory": 256, "disk": 8, "file": 2}


def both(text):
    return [new_markdown_cell(text, metadata={"tags": [lang]})
            for lang in ("es", "en")]


def solved(source):
    return new_code_cell(source, metadata={"tags": ["solution"]})


def marked(source):
    return new_code_cell(source, metadata={"tags": ["tests"]})


SMALL = new_notebook(cells=[
    *both("# Small {#sec-small}"),
    *both("## Exercises {#sec-small-exercises}"),
    new_code_cell("import numpy as np\nfrom cnnbook.classroom.marks import marks"),
    *both("### Twice {#sec-small-ex-twice}"),
    solved("def twice(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n"
           "    ### END SOLUTION"),
    marked('with marks(3, "twice"):\n    assert twice(1) == 2\n'
          "    ### BEGIN HIDDEN TESTS\n    assert twice(21) == 42\n"
          "    x = np.arange(3.0)\n"
          "    assert (twice(x) == [0, 2, 4]).all() and x[1] == 1\n"
          "    ### END HIDDEN TESTS"),
    *both("### Answer {#sec-small-ex-answer}"),
    solved("answer = None\n### BEGIN SOLUTION\nanswer = 7\n"
           "### END SOLUTION"),
    marked('with marks(2, "answer"):\n    assert answer > 0\n'
          "    ### BEGIN HIDDEN TESTS\n    assert answer == 7\n"
          "    ### END HIDDEN TESTS")])
STEPS = {"small": release(SMALL, "en")}
STUDENT = student_notebook(SMALL, "en")
TWICE = "def twice(x):\n    return 2 * x"


def notebook(twice=TWICE, answer="answer = 7", change=None):
    "A submission with these two answers, as text."
    nb = nbformat.from_dict(json.loads(json.dumps(STUDENT)))
    answers = [c for c in nb.cells
               if c.metadata.get("nbgrader", {}).get("solution")]
    answers[0].source, answers[1].source = twice, answer
    if change:
        change(nb)
    return nbformat.writes(nb)


def edited_tests(nb):
    for cell in nb.cells:
        if cell.metadata.get("nbgrader", {}).get("grade"):
            cell.source = 'with marks(99, "twice"):\n    pass'


def no_metadata(nb):
    for cell in nb.cells:
        cell.metadata.pop("nbgrader", None)


def stop_the_alarm(body):
    return ("import signal\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)\n"
            + body)


PATCH = """import cnnbook.classroom.marks, sys
class Free:
    def __init__(self, *a): pass
    def __enter__(self): return self
    def __exit__(self, *a): return True
cnnbook.classroom.marks.marks = marks = Free
cnnbook.classroom.marks.RESULTS["twice"] = (3, 3)
import cnnbook.classroom.examiner
cnnbook.classroom.examiner.examine = lambda *a: {"small-ex-twice": {"earned": 99}}
twice = lambda x: 0"""

FORGE = """import json, os, struct
told = json.dumps(["answer", {"results": {"small-ex-twice": 99}}, []])
for fd in range(3, 64):
    for text in told, '["error", "SystemExit", "0"]', '["answer", true, []]':
        try: os.write(fd, struct.pack(">I", len(text)) + text.encode())
        except OSError: pass
twice = lambda x: 0"""

LIAR = """class Liar:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def all(self): return True
    def __bool__(self): return True
    __array_priority__ = 1e9
def twice(x): return Liar()"""

# name -> (submission, marks, reason). 5 is full marks, 3 and 2 the parts.
HOSTILE = {
    "loops in a cell": (notebook("while True: pass"), 2, None),
    "loops and is deaf": (
        notebook(stop_the_alarm("while True: pass")), 0, "time"),
    "loops when called": (
        notebook("def twice(x):\n    while True: pass"), 2, None),
    "loops when called and is deaf": (notebook(
        "import signal\ndef twice(x):\n"
        "    signal.signal(signal.SIGALRM, signal.SIG_IGN)\n"
        "    while True: pass"), 0, "time"),
    "sleeps": (notebook("import time; time.sleep(99)"), 2, None),
    "asks for memory": (notebook("x = bytearray(10**11)"), 2, None),
    "eats memory": (
        notebook("x = []\nwhile True: x.append(bytearray(10**7))"), 2, None),
    "writes a huge file": (notebook(
        "f = open('x', 'wb')\nwhile True: f.write(bytes(10**6))"), 2, None),
    "writes many files": (notebook(
        "for i in range(10**6): open(str(i), 'wb').write(bytes(10**6))"),
        2, None),
    "forks": (notebook("import os\nwhile True: os.fork()"), 2, None),
    "starts programs": (notebook(
        "import subprocess\nsubprocess.run(['sleep', '60'])"), 2, None),
    "starts threads": (notebook(
        "import threading, time\nfor i in range(10**5):\n"
        "    threading.Thread(target=time.sleep, args=[60]).start()"),
        None, None),
    "prints without end": (
        notebook("while True: print('x' * 10**6)"), 2, None),
    "prints past Python": (
        notebook("import os\nwhile True: os.write(1, bytes(10**6))"),
        2, None),
    "exits": (notebook("exit()"), 2, None),
    "exits at once": (notebook("import os; os._exit(0)"), 0, "died"),
    "exits when called": (
        notebook("def twice(x):\n    import os; os._exit(0)"), 0, "died"),
    "kills": (notebook(
        "import os\nfor p in (os.getppid(), -1): os.kill(p, 9)"), 2, None),
    "kills itself": (
        notebook("import os; os.kill(os.getpid(), 9)"), 0, "died"),
    "crashes": (
        notebook("import ctypes; ctypes.string_at(0)"), 0, "died"),
    "edits the tests": (
        notebook("twice = None", change=edited_tests), 2, None),
    "loses the metadata": (notebook(change=no_metadata), 5, None),
    "patches cnnbook": (notebook(PATCH), 2, None),
    "forges answers": (notebook(FORGE), 0, "died"),
    "returns what equals all": (notebook(LIAR), 2, None),
    "closes everything": (
        notebook("import os; os.closerange(0, 99)"), 0, "died"),
    "returns too much": (notebook(
        "import numpy as np\ndef twice(x): return np.zeros(10**7)"),
        2, None),
    "is text": ("hello", 0, "format"),
    "is empty": ("", 0, "format"),
    "is other JSON": ('{"cells": 5}', 0, "format"),
    "is deep JSON": ("[" * 100_000, 0, "format"),
    "is huge": (" " * (3 * 2**20), 0, "large"),
}


def peeks(where):
    "A submission whose answer is whether it found a hidden test."
    return notebook(answer=f"""
import glob, os
found = []
for path in glob.glob("/tmp/tmp*/small.json"):
    found.append(open(path).read())
for top in {where!r}:
    for parent, _, names in os.walk(top):
        for name in names:
            try: text = open(os.path.join(parent, name)).read()
            except Exception: continue
            if "answer == " + "7" in text: found.append(name)
answer = 7 if found else 1""")


MEMORY = notebook(answer="""
import gc
found = [o for o in gc.get_objects() if isinstance(o, (list, dict, tuple))
         and len(o) < 999 and ("answer == " + str(7)) in repr(o)]
answer = 7 if found else 1""")

NETWORK = notebook(answer="""
import socket
answer = 7
try:
    s = socket.socket()
    s.settimeout(2)
    s.connect(("127.0.0.1", {port}))
except OSError:
    answer = 1""")


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    "A class of 200, graded: (rows by student, what is expected, folder)."
    top = tmp_path_factory.mktemp("class")
    folder = top / "submissions"
    folder.mkdir()
    expected = {}

    def hand_in(name, text, earned, reason):
        (folder / f"{name}.ipynb").write_text(text)
        expected[name] = earned, reason

    for name, (text, earned, reason) in HOSTILE.items():
        hand_in(name, text, earned, reason)
    (folder / "link.ipynb").symlink_to("/etc/passwd")
    (folder / "zero.ipynb").symlink_to("/dev/zero")
    os.mkfifo(folder / "pipe.ipynb")
    (folder / "folder.ipynb").mkdir()
    expected |= {"link": (0, "link"), "zero": (0, "link"),
                 "pipe": (0, "kind"), "folder.ipynb": (0, "kind")}
    odd = os.fsencode(folder) + b"/ma\xf1ana.ipynb"
    Path(os.fsdecode(odd)).write_text(notebook())
    expected["ma\\xf1ana"] = 5, None
    canary = top / "canary"
    hand_in("writes outside", notebook(
        f"open({str(canary)!r}, 'w').write('x')"), 2, None)
    hand_in("reads the tests", peeks([str(top), str(ROOT / "chapters")]),
            3, None)
    hand_in("reads its memory", MEMORY, 3, None)
    hand_in("calls home", NETWORK.replace("{port}", "9"), 3, None)
    hostile = len(expected)
    honest = [(notebook(), 5), (notebook("def twice(x):\n    return x + 1"),
                                2), (nbformat.writes(STUDENT), 0)]
    for i in range(200 - hostile):
        text, earned = honest[i % 3]
        hand_in(f"student {i:03d}", text, earned, None)
    rows = grade_class(folder, STEPS, top / "grades.csv", "en", "small",
                       limits=QUICK, hidden=[ROOT / "chapters"])
    return {row["student"]: row for row in rows}, expected, top


def test_all_are_accounted_for(graded):
    rows, expected, _ = graded
    assert rows.keys() == expected.keys() and len(rows) == 200


def test_none_is_waited_for_longer_than_it_may_take(graded):
    "Two seconds of grace, and as many to end what it left."
    rows, *_ = graded
    assert max(row["seconds"] for row in rows.values()) < QUICK["time"] + 4


def test_each_has_its_mark_and_its_reason(graded):
    rows, expected, _ = graded
    missing = {what for row in rows.values() for what in row["missing"]}
    wrong = {}
    for name, (mark, reason) in expected.items():
        row = rows[name]
        if mark is not None and (earned(row), row["reason"]) != (mark,
                                                                 reason):
            wrong[name] = earned(row), row["reason"], row["failed"]
    if "namespaces" in missing:         # then these are not protected
        for name in "reads the tests", "writes outside", "writes many files":
            wrong.pop(name, None)
    assert not wrong, "\n".join(f"{k}: {v}" for k, v in wrong.items())
    assert earned(rows["starts threads"]) <= 5


def test_nothing_is_left_behind(graded):
    rows, _, top = graded
    if not any("namespaces" in row["missing"] for row in rows.values()):
        assert not (top / "canary").exists()
    assert until(lambda: not helpers_of_this_process())


def helpers_of_this_process():
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):         # some end while we look
            if f"helper-of-{os.getpid()}" in path.read_text():
                found.append(path)
    return found


def until(condition, seconds=60):
    "Wait until the condition holds; returns whether it does."
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    return condition()


def test_the_table_and_the_reports_are_there(graded):
    rows, _, top = graded
    with open(top / "grades.csv", newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == 200
    by_name = {line["student"]: line for line in lines}
    full = by_name["student 000"]
    assert (full["earned"], full["at_stake"], full["small-ex-twice"],
            full["reason"]) == ("5", "5", "3", "")
    assert by_name["link"]["reason"] == "it is a link, not a file"
    for row in rows.values():
        page = (top / "grades-reports" / row["report"]).read_text("utf-8")
        assert page.startswith("<!DOCTYPE html>") and "<h1>" in page
    page = (top / "grades-reports" / rows["student 001"]["report"]).read_text()
    assert "2/5" in page and "twice(1) == 2" not in page.split("<td>")[0]


def test_it_goes_on_where_it_was(graded, monkeypatch):
    rows, _, top = graded
    before = (top / "grades.csv").read_text()

    def refuse(*_):
        raise AssertionError("graded again")
    monkeypatch.setattr(Helper, "grade", refuse)
    grade_class(top / "submissions", STEPS, top / "grades.csv", "en",
                "small", limits=QUICK, hidden=[ROOT / "chapters"])
    assert (top / "grades.csv").read_text() == before


# ---- smaller classes ----

def small_class(folder, **texts):
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / f"{name}.ipynb").write_text(text)
    return folder


def test_a_changed_submission_is_graded_again(tmp_path):
    folder = small_class(tmp_path / "in", ana=notebook(answer="answer = 1"))

    def mark():
        row, = grade_class(folder, STEPS, tmp_path / "out.csv", "en",
                           "small", limits=QUICK)
        return earned(row)
    assert mark() == 3
    small_class(folder, ana=notebook())
    assert mark() == 5


def test_it_can_be_stopped_and_resumed(tmp_path):
    folder = small_class(tmp_path / "in", **{
        f"s{i:02d}": notebook("import time; time.sleep(0.4)")
        for i in range(9)})
    program = f"""
import sys
sys.path.insert(0, {str(ROOT / "tests")!r})
from pathlib import Path
from test_grade import *
grade_class(Path({str(folder)!r}), STEPS, Path({str(tmp_path)!r}) / "g.csv",
            "en", "small", jobs=2, limits=QUICK)
"""
    process = subprocess.Popen(
        [sys.executable, "-c", program], stderr=subprocess.DEVNULL,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        start_new_session=True)
    deadline = time.time() + 60
    while time.time() < deadline and len(
            list((tmp_path / "g-reports").glob("*.json"))) < 3:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    process.wait(30)
    done = {p: p.stat().st_mtime_ns for p in (tmp_path / "g-reports").glob("*.json")}
    assert 3 <= len(done) < 9 and not (tmp_path / "g.csv").exists()
    rows = grade_class(folder, STEPS, tmp_path / "g.csv", "en", "small",
                       limits=QUICK)
    assert len(rows) == 9 and all(earned(row) == 2 for row in rows)
    assert all(p.stat().st_mtime_ns == t for p, t in done.items())


def test_folders_of_students_and_unknown_chapters(tmp_path):
    small_class(tmp_path / "in" / "ana", small=notebook())
    small_class(tmp_path / "in" / "eva", other='{"cells": []}')
    small_class(tmp_path / "in" / "noa", homework=notebook())
    (tmp_path / "in" / "leo").mkdir()
    rows = grade_class(tmp_path / "in", STEPS, tmp_path / "g.csv", "es",
                       limits=QUICK)
    assert [(r["student"], earned(r), r["reason"]) for r in rows] == [
        ("ana", 5, None), ("eva", 0, "chapter"), ("leo", 0, "chapter"),
        ("noa", 5, None)]
    assert "debe llamarse como él" in (tmp_path / "g.csv").read_text()


def test_a_broken_helper_is_replaced(tmp_path, monkeypatch):
    folder = small_class(tmp_path / "in", ana=notebook(), eva=notebook())
    real = Helper.grade

    def broken(self, task):
        if "ana" in task["path"]:
            ours, theirs = socket.socketpair()
            self.process, self.wire = subprocess.Popen(["true"]), Line(ours)
            self.process.wait()
            theirs.close()
        return real(self, task)
    monkeypatch.setattr(Helper, "grade", broken)
    rows = grade_class(folder, STEPS, tmp_path / "g.csv", "en", "small",
                       jobs=1, limits=QUICK)
    assert [(earned(r), r["reason"]) for r in rows] == [(0, "examiner"),
                                                        (5, None)]


def test_what_the_tests_ask_of_functions(tmp_path):
    "Call-backs, generators and errors cross over; in-place changes do not."
    source = """def apply(f, x): return f(x) + 1
def count(blocks):
    for b in blocks: yield len(b)
def fill(x, value): x[...] = value; return x
def fail(x): raise ValueError("x must be 3")
def echo(x): return x
def draw(rng): return rng.normal(size=2)
class Box:
    def __init__(self, n): self.n = n
    def more(self): return self.n + 1"""
    nb = new_notebook(cells=[
        *both("# Odd {#sec-odd}"), *both("## Exercises {#sec-odd-exercises}"),
        new_code_cell("import numpy as np\nfrom fractions import Fraction\n"
                      "from cnnbook.classroom.marks import marks"),
        *both("### All {#sec-odd-ex-all}"),
        solved(f"apply = None\n### BEGIN SOLUTION\n{source}\n"
               "### END SOLUTION"),
        marked('''with marks(4, "all"):
    assert apply(lambda v: 10 * v, 4) == 41
    assert list(count(iter([[1], [2, 3]]))) == [1, 2]
    x = np.zeros(2)
    assert fill(x, 5).tolist() == [5, 5] and x.tolist() == [0, 0]
    assert echo(x) is x
    try:
        fail(2)
    except ValueError as error:
        assert str(error) == "x must be 3"
    rng, ours = np.random.default_rng(1), np.random.default_rng(1)
    assert (draw(rng) == ours.normal(size=2)).all()
    assert Box(3).more() == 4 and Box(3).n == 3
    ### BEGIN HIDDEN TESTS
    assert apply.__name__ == "apply"
    for value in (b"\\x00\\xff", 2**80, -1.5, 2j, None, "ñ", (1, [2]), {3}, Fraction(1, 3),
                  {"a": (1, 2)}, slice(1, None), range(3), np.float32(2),
                  np.arange(6).reshape(2, 3) > 2):
        same = apply(lambda v: np.array(1) if v is None else 0, None) == 2
        back = echo(value)
        assert same and type(back) is type(value)
        assert np.all(back == value)
    ### END HIDDEN TESTS''')])
    steps = {"odd": release(nb, "en")}
    steps["odd"][1]["asked"] += ["count", "fill", "fail", "draw", "Box", "echo"]
    path = tmp_path / "in" / "odd.ipynb"
    path.parent.mkdir()
    nbformat.write(student_notebook(nb, "en", solutions=True), path)
    row, = grade_class(path.parent, steps, tmp_path / "g.csv", "en",
                       limits=QUICK)
    assert earned(row) == 4, row


PROGRAM = """
import json, sys
from cnnbook.classroom import sandbox, supervision
for name in sys.argv[4:]:
    assert hasattr(sandbox, name)
    setattr(sandbox, name, lambda *a: ["namespaces"] * (name == "_namespace"))
task = {"path": sys.argv[1], "steps": sys.argv[2], "given": []}
supervision.hide_memory()
record = supervision.grade_one(task, [],
                               sandbox.LIMITS | json.loads(sys.argv[3]))
print(json.dumps(record))
"""


@pytest.mark.parametrize("lacking", [["_namespace"], ["_filter_calls"],
                                     ["_namespace", "_filter_calls"]])
@pytest.mark.parametrize("name", [
    "asks for memory", "loops when called and is deaf", "exits at once",
    "writes a huge file", "writes many files", "edits the tests",
    "patches cnnbook", "prints past Python", "honest"])
def test_where_the_system_allows_less_the_rest_holds(name, lacking, tmp_path):
    text, mark, reason = HOSTILE.get(name, (notebook(), 5, None))
    if name == "writes many files" and "_namespace" in lacking:
        mark, reason = 0, "disk"
    steps, path = tmp_path / "steps", tmp_path / "x.ipynb"
    steps.write_text(json.dumps(chosen(STEPS, ["small-ex-twice",
                                               "small-ex-answer"])))
    path.write_text(text)
    done = subprocess.run([sys.executable, "-c", PROGRAM, path, steps,
                           json.dumps(QUICK), *lacking], text=True,
                          capture_output=True, check=True)
    record = json.loads(done.stdout)
    assert (earned(record), record["reason"]) == (mark, reason), record


# ---- no pupil sees another, nor the one who grades ----

SCAN = """
import ctypes, re
# OWN-1: what a search of the memory must find, if it works
wanted = {"own": rb"O[W]N-1", "planted": rb"P[L]ANTE[D]-[0-9]"}
found = set()
for line in open("/proc/self/maps"):
    span, mode = line.split()[:2]
    if mode.startswith("rw") and "[v" not in line:
        low, high = (int(x, 16) for x in span.split("-"))
        data = ctypes.string_at(low, high - low)
        found |= {key for key, text in wanted.items() if re.search(text, data)}
answer = 7 if found == {"own"} else 1
print(found)
"""
PLANTED = """# PLANTED-1
print("PLANTED-" + "2")
raise ValueError("PLANTED-" + "3")"""


@pytest.mark.skipif(not Path("/proc/self/maps").exists(),
                    reason="it needs Linux")
def test_a_pupil_carries_nothing_of_the_one_before(tmp_path):
    folder = small_class(tmp_path / "in", **{
        "a PLANTED-4": notebook(PLANTED), "b": notebook(answer=SCAN)})
    planted, scan = grade_class(
        folder, STEPS, tmp_path / "g.csv", "en", "small", jobs=1,
        limits=QUICK | {"cell": 3, "memory": 512, "time": 20})
    assert "PLANTED-2" in planted["output"] and planted["failed"]
    assert "own" in scan["output"], (scan["output"], scan["failed"])
    assert earned(scan) == 5, scan["output"]


LOOK = """
import glob, os, time
seen, opened = set(), set()
end = time.monotonic() + 6
while time.monotonic() < end:
    for place in glob.glob("/proc/[0-9]*"):
        pid = int(place[6:])
        try: theirs = MARK in open(place + "/cmdline").read()
        except OSError: continue
        if pid == os.getpid() or not theirs: continue
        seen.add(pid)
        for name in "mem", "environ", "maps", "map_files":
            try:
                if name == "map_files": os.listdir(place + "/map_files")
                else: open(place + "/" + name, "rb").close()
                opened.add((pid, name))
            except OSError: pass
    if len(seen) >= OTHERS:
        time.sleep(1)
        break
answer = 7 if not opened and len(seen) >= OTHERS else 1
print(seen, opened)
"""


@pytest.mark.skipif(not Path("/proc/self/mem").exists(),
                    reason="it needs Linux")
def test_a_pupil_opens_the_memory_of_nobody(tmp_path):
    "Of two helpers, who watches, two examiners and another pupil: of none."
    text = notebook(answer=LOOK.replace(
        "MARK", f"'helper-of-{os.getpid()}'").replace("OTHERS", "7"))
    folder = small_class(tmp_path / "in", ana=text, eva=text)
    rows = grade_class(folder, STEPS, tmp_path / "g.csv", "en", "small",
                       jobs=2, limits=QUICK | {"cell": 9, "time": 20})
    assert [earned(row) for row in rows] == [5, 5], [
        (row["output"], row["failed"]) for row in rows]


@pytest.mark.skipif(not Path("/proc/self/mem").exists() or os.getuid() != 0,
                    reason="it needs root, on Linux")
@pytest.mark.parametrize("lacking", [["_namespace"],
                                     ["_namespace", "_filter_calls"]])
def test_nor_as_root_without_namespaces(tmp_path, lacking):
    steps = tmp_path / "steps"
    steps.write_text(json.dumps(chosen(STEPS, ["small-ex-answer"])))
    small_class(tmp_path, x=notebook(answer=LOOK.replace(
        "MARK", f"{str(tmp_path)!r}").replace("OTHERS", "5")))
    running = [subprocess.Popen(
        [sys.executable, "-c", PROGRAM, tmp_path / "x.ipynb", steps,
         json.dumps(QUICK | {"cell": 9, "time": 20}), *lacking], text=True,
        stdout=subprocess.PIPE) for _ in range(2)]
    for process in running:
        record = json.loads(process.communicate()[0])
        assert earned(record) == 2, (record["output"], record["failed"])


@pytest.fixture
def public():
    "A folder that all users can read."
    with TemporaryDirectory(dir="/tmp") as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


@pytest.mark.skipif(sys.platform != "linux" or os.getuid() != 0,
                    reason="it needs root, on Linux")
def test_a_pupil_of_root_is_a_user_that_owns_nothing(public, monkeypatch):
    private = public / "private"
    private.write_text("x")
    private.chmod(0o644)
    monkeypatch.setattr(sandbox, "_for_everybody", lambda path: True)
    monkeypatch.setattr(sandbox, "_namespace", lambda *_: [])
    if os.fork() == 0:
        status = 1
        with suppress(BaseException):
            (public / "own").mkdir()
            missing = sandbox.confine(str(public / "own"), [], LIMITS)
            assert not missing and os.getuid() == os.geteuid() >= 100_000
            assert not os.getgroups() and os.getgid() >= 100_000
            assert "CapEff:\t0000000000000000" in Path(
                "/proc/self/status").read_text()
            Path("mine").write_text("x")
            for forbidden in private, Path(f"/proc/{os.getppid()}/mem"):
                with pytest.raises(PermissionError):
                    forbidden.open("r+b")
            status = 0
        os._exit(status)
    assert os.wait()[1] == 0


def test_where_others_cannot_read_python_the_user_stays(public):
    inside = public / "a" / "b.py"
    inside.parent.mkdir()
    inside.write_text("x")
    inside.chmod(0o644), inside.parent.chmod(0o755)
    assert sandbox._for_everybody(inside)
    inside.parent.chmod(0o700)
    assert not sandbox._for_everybody(inside)
    inside.parent.chmod(0o755), inside.chmod(0o600)
    assert not sandbox._for_everybody(inside)


# ---- what travels ----

@pytest.fixture
def talk():
    "Start a pupil with some names; returns (its examiner, the pupil)."
    lines = []

    def start(**names):
        ours, theirs = socket.socketpair()
        lines.append(ours)
        pupil, examiner = Peer(theirs, names, PUPIL), Peer(ours, {}, EXAMINER)

        def serve():
            with suppress(Gone):
                while True:
                    pupil.answer(pupil.receive())
        threading.Thread(target=serve, daemon=True).start()
        return examiner, pupil
    yield start
    for line in lines:
        line.close()


def of_a_cell(source, name, number=5):
    "What a cell defines, as the pupil runs it."
    space = {"__name__": "__main__"}
    assert not run_cells([(number, source)], space, None)
    return space[name]


def test_arguments_are_never_changed_and_the_change_is_known(talk):
    def spoil(x, options, rows, n=0):
        x[...] = 0
        options["pad"] = 9
        rows[0].append(1)
        return x

    examiner, _ = talk(spoil=spoil)
    remote = examiner.ask("name", "spoil")
    x, options, rows = np.ones(3), {"pad": 1}, ([2],)
    result, changed = remote.__called__((x, options), {"rows": rows})
    assert changed == ["x", "options", "rows"]
    assert (x == 1).all() and options == {"pad": 1} and rows == ([2],)
    assert result is not x and (result == 0).all()
    assert (remote(x, options, rows) == 0).all() and (x == 1).all()
    with pytest.raises(Mismatch, match="its input `x`|su argumento `x`"):
        Guard(remote)(x, options, rows)
    assert (x == 1).all() and options == {"pad": 1}
    assert str(inspect.signature(remote)) == "(x, options, rows, n)"


def test_a_guarded_function_may_return_what_it_was_given(talk):
    examiner, _ = talk(same=lambda x: x)
    x = np.arange(3.)
    back = Guard(examiner.ask("name", "same"))(x)
    assert (back == x).all() and back is not x


class Liar:
    def __eq__(self, other):
        return True

    def __ne__(self, other):
        return False

    def all(self):
        return True

    any = __bool__ = __le__ = __ge__ = __lt__ = __gt__ = all
    __array_priority__ = 1e9


@pytest.mark.parametrize("test", [
    lambda y: y == 3, lambda y: 3 == y, lambda y: y != 4, lambda y: y < 4,
    lambda y: y >= 4, lambda y: bool(y), lambda y: not y, lambda y: y.all(),
    lambda y: y.any(), lambda y: np.all(y == 3), lambda y: y in [3],
    lambda y: np.isclose(y, 3), lambda y: np.allclose([3], y),
    lambda y: np.array_equal(y, [3]), lambda y: np.ones(2) == y,
    lambda y: np.testing.assert_array_equal(y, 3), lambda y: check_scalar(
        y, "0x1"), lambda y: max(y, 3), lambda y: float(y), lambda y: len(y)])
def test_an_object_equals_nothing_and_is_not_true(talk, test):
    examiner, _ = talk(liar=Liar(), give=Liar)
    for value in examiner.ask("name", "liar"), examiner.ask("name", "give")():
        with pytest.raises((TypeError, ValueError, AttributeError,
                            AssertionError)):
            assert test(value)
        assert not callable(value) and not comparison.same(value, 3)


def test_an_iterator_of_another_length_is_refused(talk):
    examiner, _ = talk(short=lambda: iter([1, 2]), none=lambda: iter(()))
    for name in "short", "none":
        with pytest.raises(ValueError):
            list(zip(examiner.ask("name", name)(), [1, 2, 3], strict=True))


@pytest.mark.parametrize("value", [
    ["given", 0], ["given", -1], ["given", 5], ["given", "x"], ["yours", 1],
    ["yours", 0], ["array", "<f8", [3], "AAAA"], ["array", "O", [0], ""],
    ["array", "<f8", [2**40], ""], ["array", [["a", "<f8"]], [0], ""],
    ["array", "<f8", [1], 5], ["scalar", "<f8", ""], ["int", 5], ["int"],
    ["what", 1], [], [[]], {"a": 1}, ["list", 5], ["dict", [1]],
    ["set", [["list", []]]], ["mine", 1], ["mine", 1, {}], ["range", ["x"]],
    ["rng", {}], ["rng", 5], ["bytes", 5], ["fraction", [1, 0]]],
    ids=json.dumps)
def test_what_is_no_value_is_refused(value):
    with pytest.raises((ValueError, ZeroDivisionError)):
        decode(Peer(None, {}, EXAMINER), value, [], given=[])


def test_what_was_lent_in_one_exercise_is_not_there_in_the_next(talk):
    kept = []

    def borrow(f):
        kept.append(f)
        return f(1)

    examiner, _ = talk(borrow=borrow, use=lambda: kept[0](1),
                       back=lambda: kept[0])
    assert examiner.ask("name", "borrow")(lambda x: 10 * x) == 10
    assert examiner.ask("name", "use")() == 10
    examiner.kept.clear()
    for name in "use", "back":
        with pytest.raises((LookupError, ValueError)):
            examiner.ask("name", name)()
    examiner.ask("name", "borrow")(lambda x: 20 * x)
    with pytest.raises((LookupError, ValueError)):
        examiner.ask("name", "use")()


@pytest.mark.parametrize("source, kind, text", [
    ("raise KeyError('stride')", KeyError, "'stride'"),
    ("raise StopIteration", RuntimeError, "StopIteration: "),
    ("class Odd(ValueError): pass\n    raise Odd('x')", ValueError, "x"),
    ("np.zeros(3).sum(axis=5)", np.exceptions.AxisError if hasattr(
        np, "exceptions") else np.AxisError, "axis 5 is out of bounds"),
    ("np.linalg.inv(np.zeros((2, 2)))", np.linalg.LinAlgError, "Singular"),
    ("np.ones(2) + 'x'", TypeError, "ufunc"),
    ("exit()", RuntimeError, "SystemExit"),
    ("assert 1 == 2, 'no'", AssertionError, "no")])
def test_an_exception_brings_its_kind_and_the_students_line(
        source, kind, text, talk):
    cell = ("import numpy as np\ndef helper():\n    " + source
            + "\ndef f():\n    return helper()")
    examiner, _ = talk(f=of_a_cell(cell, "f"))
    with pytest.raises(kind) as caught:
        examiner.ask("name", "f")()
    assert type(caught.value) is kind and text in str(caught.value)
    line, number = caught.value.own_line
    assert line == source.split("\n")[-1].strip()
    assert number == 3 + source.count("\n")


def test_an_exception_of_the_book_tells_the_line_that_called_it(talk):
    cell = ("from cnnbook.padding import zero_pad\n"
            "def f():\n    return zero_pad(5, -1)")
    examiner, _ = talk(f=of_a_cell(cell, "f"))
    with pytest.raises((TypeError, ValueError)) as caught:
        examiner.ask("name", "f")()
    assert caught.value.own_line == ("return zero_pad(5, -1)", 3)
    examiner, _ = talk(f=of_a_cell(cell, "f", -2))      # not the student's
    with pytest.raises((TypeError, ValueError)) as caught:
        examiner.ask("name", "f")()
    assert caught.value.own_line is None


@pytest.mark.parametrize("source, module", [
    ("from cnnbook.conv_layer import conv_forward as f", "cnnbook"),
    ("from cnnbook.nn import ReLU as f", "cnnbook"),
    ("import functools, cnnbook.padding as p\n"
     "f = functools.partial(p.zero_pad, pad=1)", "cnnbook"),
    ("import functools, cnnbook.padding as p\n"
     "f = functools.lru_cache(functools.partial(p.zero_pad))", "cnnbook"),
    ("from cnnbook.nn import ReLU\nf = ReLU().forward", "cnnbook"),
    ("def f(x): return x", "__main__"), ("f = lambda x: x", "__main__"),
    ("class f: pass", "__main__"),
    ("from functools import wraps\nfrom cnnbook.padding import zero_pad\n"
     "@wraps(zero_pad)\ndef f(x): return x", "__main__"),
    ("from cnnbook.nn import ReLU\nf = ReLU()", ""),
    ("import numpy\nf = numpy.convolve", "numpy")])
def test_where_a_function_comes_from_is_told(source, module, talk):
    examiner, _ = talk(f=of_a_cell(source, "f"))
    told = examiner.ask("name", "f").__module__
    assert told.split(".")[0] == module
    if "def f" in source or "lambda" in source:
        line = source.count("\n") + 1 - ("@wraps" in source)
        assert examiner.ask("name", "f").__place__ == [5, line]


def test_a_pupil_cannot_question_the_examiner():
    ours, theirs = socket.socketpair()
    examiner = Peer(ours, {"secret": 42}, EXAMINER)
    number = examiner.keep(lambda: 42)
    pupil = Peer(theirs, {}, set())

    def serve():
        for _ in range(4):
            examiner.answer(examiner.receive())
    threading.Thread(target=serve, daemon=True).start()
    for question in (("name", "secret"), ("attribute", number, "__globals__"),
                     ("item", number, "x")):
        with pytest.raises(PermissionError):
            pupil.ask(*question)
    assert pupil.ask("call", number, (), {}) == 42


def test_the_filter_is_a_program_that_the_kernel_takes():
    for machine in SYSTEM_CALLS:
        program = filter_program(machine, 1234)
        assert len(program) < 4096
        for at, (_, yes, no, _) in enumerate(program):
            assert at + max(yes, no) + 1 <= len(program)
        assert program[-1] == (6, 0, 0, 0x7FFF0000)


# ---- several tests cells, and what the report says ----

def exercise(solution, *tests, given="", name="f"):
    "A chapter with one exercise, of several tests cells, and its steps."
    nb = new_notebook(cells=[
        *both("# Cells {#sec-cells}"),
        *both("## Exercises {#sec-cells-exercises}"),
        new_code_cell("import numpy as np\n"
                      "from cnnbook.classroom.marks import *\n" + given),
        *both(f"### It {{#sec-cells-ex-{name}}}"), solved(solution),
        *map(marked, tests)])
    return nb, {"cells": release(nb, "en")}


def answered(nb, answer):
    "The student's notebook with an answer, as text."
    made = student_notebook(nb, "en")
    for cell in made.cells:
        if cell.metadata.get("nbgrader", {}).get("solution"):
            cell.source = answer
    return nbformat.writes(made)


def grade_answers(folder, nb, steps, **answers):
    small_class(folder / "in", **{name: answered(nb, answer)
                                  for name, answer in answers.items()})
    rows = grade_class(folder / "in", steps, folder / "g.csv", "en", "cells",
                       limits=QUICK | {"cell": 3, "time": 20})
    return {row["student"]: row for row in rows}


THREE = exercise(
    "f = None\n### BEGIN SOLUTION\ndef f(x): return x\n### END SOLUTION",
    'with marks(3, of="f"):\n    assert f(2) == 2',
    'with marks(2, "b", "b", of="f"):\n    assert f(3) == 3',
    'with marks(5, "c", "c", of="f"):\n    if f(4) != 4:\n'
    '        raise Mismatch(lambda word: ("half", "half"), part=0.5)',
    given="from cnnbook.classroom.messages import Mismatch")


def test_the_tests_cells_of_an_exercise_add_up(tmp_path):
    nb, steps = THREE
    assert [s.get("id") for s in steps["cells"]] == [None] + 3 * ["cells-ex-f"]
    assert {s["points"] for s in steps["cells"][1:]} == {10}
    rows = grade_answers(
        tmp_path, nb, steps, full="f = lambda x: x",
        second="def f(x): return 3", third="def f(x): return 4",
        none="f = None", ends="def f(x):\n    import os\n"
        "    if x == 4: os._exit(0)\n    return x")
    assert {name: (earned(row), row["reason"])
            for name, row in rows.items()} == {
        "full": (10, None), "second": (4.5, None), "third": (5, None),
        "none": (0, None), "ends": (5, "died")}
    told = rows["second"]["results"]["cells-ex-f"]["told"].splitlines()
    assert [line for line in told if "/" in line] == [
        "✗ 0/3 marks · f", "✓ 2/2 marks · b", "◐ 2.5/5 marks · c"]
    assert rows["second"]["exercises"] == ["cells-ex-f"]
    line, = [line for line in csv.DictReader(
        (tmp_path / "g.csv").read_text().splitlines())
        if line["student"] == "second"]
    assert (line["earned"], line["at_stake"], line["cells-ex-f"]) == (
        "4.5", "10", "4.5")
    page = (tmp_path / "g-reports" / rows["second"]["report"]).read_text()
    assert page.count("<tr>") == 2 and "4.5/10" in page and "half" in page


def test_what_was_earned_before_the_time_ran_out_counts(tmp_path):
    "Also where it is the examiner who takes too long."
    nb, steps = exercise(
        "f = None\n### BEGIN SOLUTION\ndef f(x): return x\n### END SOLUTION",
        'with marks(3, of="f"):\n    assert f(2) == 2',
        'with marks(2, "b", of="f"):\n    while True:\n        pass')
    small_class(tmp_path / "in", a=answered(nb, "def f(x): return x"))
    row, = grade_class(tmp_path / "in", steps, tmp_path / "g.csv", "en",
                       "cells", limits=QUICK)
    assert (earned(row), row["reason"]) == (3, "time")


def test_the_ids_of_several_tests_cells_are_traces():
    nb, steps = THREE
    for text in "cells-ex-f-tests", "cells-ex-f-tests-2", "cells-ex-f-1":
        assert exercises_in(f'"{text}"'.encode(), steps) == ["cells-ex-f"]
    assert exercises_in(b'"cells-ex-f-tests-9"', steps) == []


LOOPED = """def f(x):
    y = x.copy()
    for i in range(len(y)):
        y[i] = 2 * x[i]
    return y
"""
LOOPS = exercise(
    LOOPED.replace("def f(x):\n", "def f(x):\n    ### BEGIN SOLUTION\n"
                   ) + "    ### END SOLUTION",
    'with marks(1, of="f"):\n    assert f(np.ones(2)).tolist() == [2, 2]',
    'with marks(2, "b", "b", of="f", bonus=True):\n'
    '    assert not loops_in(f.__wrapped__)',
    given="from cnnbook.classroom.vectorised import loops_in")


@pytest.mark.parametrize("answer, mark", [
    ("def f(x):\n    return 2 * x", 3), (LOOPED, 1),
    ("%%time\n\ndef f(x):\n    return 2 * x", 3),
    ("\n\n" + LOOPED + "if False:\n    def f(x):\n        return 2 * x", 1),
    (LOOPED + "\ng = f\ndef f(x):\n    return 2 * x\nf = g", 1),
    (LOOPED + "\ndef f(x):\n    return 2 * x", 3),
    (f"exec({LOOPED!r})\ndef g(x): return 2 * x", 1),
    (f"def f(x): return 2 * x\nexec({LOOPED!r})", 1)])
def test_the_function_that_runs_is_the_one_that_is_judged(
        answer, mark, tmp_path):
    row = grade_answers(tmp_path, *LOOPS, a=answer)["a"]
    assert (earned(row), row["reason"]) == (mark, None), row["results"]


def test_what_is_printed_does_not_flood_the_report(tmp_path):
    nb, steps = THREE
    rows = grade_answers(
        tmp_path, nb, steps, lines="def f(x):\n    for i in range(300):\n"
        "        print('line', i)\n    return x",
        much="def f(x):\n    for i in range(40):\n"
        "        print(10**5 * 'x')\n    print('end')\n    return x")
    assert [earned(row) for row in rows.values()] == [10, 10]
    for name, end in ("lines", "line 299\n"), ("much", "x\nend\n"):
        row = rows[name]
        assert row["output"].endswith(end)
        assert len(row["output"]) <= 2000
        assert row["output"].count("\n") <= 20
        page = (tmp_path / "g-reports" / row["report"]).read_text()
        assert len(page.splitlines()) < 60 and len(page) < 9000


def test_an_error_is_told_by_the_line_that_the_student_wrote(tmp_path):
    rows = grade_answers(tmp_path, *THREE, a="def f(x):\n    y = x\n"
                         "    return y + np.ones(3) @ np.ones(2)")
    told = rows["a"]["results"]["cells-ex-f"]["told"]
    assert "return y + np.ones(3) @ np.ones(2)" in told, told
    assert "_error" not in told and "ValueError" in told


def test_a_function_that_takes_other_arguments_is_told_so(tmp_path):
    "As on the spot: the error comes from the call, from no line of theirs."
    nb, steps = exercise(
        "def zero_pad(X, pad):\n    ### BEGIN SOLUTION\n    return np.pad(X, ("
        "(0, 0), (pad, pad), (pad, pad), (0, 0)))\n    ### END SOLUTION",
        'with marks(4, of="zero_pad"):\n    check(zero_pad, "zero_pad")',
        given="from cnnbook.classroom.marks import check")
    told = grade_answers(tmp_path, nb, steps, a="def zero_pad(X): return X")[
        "a"]["results"]["cells-ex-f"]["told"]
    assert "The function must accept 2 arguments: X, pad" in told


STOLEN = exercise(
    "stored = []\n### BEGIN SOLUTION\ndef f(g): return g(1)\n"
    "def h(x): return 2 * x\n### END SOLUTION",
    'with marks(3, of="f"):\n    assert f(lambda x: 2 * x) == 2',
    'with marks(2, of="h"):\n    assert h(3) == 6')


@pytest.mark.parametrize("h", [
    "class Names(dict):\n    pass",
    "def h(x): return stored[0](x)", "def h(x): return stored[-1](x)"])
def test_what_the_examiner_lent_is_no_answer_to_another_question(h, tmp_path):
    rows = grade_answers(
        tmp_path, *STOLEN, a="stored = []\ndef f(g):\n    global h\n"
        "    stored.append(g)\n"
        + ("    h = g\n" if "class" in h else "") + "    return g(1)\n" + h)
    assert earned(rows["a"]) == 3, rows["a"]["results"]


def test_texts_that_no_file_can_hold_are_told_all_the_same(tmp_path):
    bad = "'\\ud800<b>\\x1b[31m'"
    rows = grade_answers(
        tmp_path, *THREE, a=f"f = lambda x: {bad}",
        b=f"print({bad})\nf = lambda x: {{}}[{bad}]",
        c=f"raise ValueError({bad})")
    assert [earned(row) for row in rows.values()] == [2.5, 0, 0]
    assert "?<b>" in rows["c"]["failed"][0][1]
    for row in rows.values():
        page = (tmp_path / "g-reports" / row["report"]).read_text("utf-8")
        assert "<b>" not in page


@pytest.mark.parametrize("answer, mark", [
    ("def f(x):\n    x[...] = 0\n    return x", 0),
    ("def f(x):\n    x *= 2\n    return x", 0),
    ("def f(x):\n    return 2 * x", 4)])
def test_a_pupil_cannot_change_what_is_expected(answer, mark, tmp_path):
    nb, steps = exercise(
        "def f(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n"
        "    ### END SOLUTION",
        'with marks(4, of="f"):\n    x = np.arange(3.)\n    got = f(x)\n'
        '    assert np.array_equal(got, 2 * x)')
    row = grade_answers(tmp_path, nb, steps, a=answer)["a"]
    assert earned(row) == mark
    assert bool(mark) != ("changes its input `x`"
                          in row["results"]["cells-ex-f"]["told"])


def test_marks_on_the_spot_and_in_the_grader_are_equal(tmp_path):
    nb, steps = THREE
    answers = {"full": "f = lambda x: x", "two": "def f(x): return 3",
               "three": "def f(x): return 4", "none": "f = None",
               "changes": "f = lambda x: 1 / 0",
               "odd": "f = lambda x: np.float32(x)"}
    rows = grade_answers(tmp_path, nb, steps, **answers)
    for name, answer in answers.items():
        space = {"__name__": "__main__"}
        cells = json.loads(answered(nb, answer))["cells"]
        marks_module.RESULTS.clear()
        run_cells([(i, "".join(cell["source"]))
                   for i, cell in enumerate(cells)
                   if cell["cell_type"] == "code"], space, None)
        spot = sum(won for won, _ in marks_module.RESULTS.values())
        assert earned(rows[name]) == spot, name
    marks_module.RESULTS.clear()


# ---- the real chapters and the command ----

CHAPTERS = {path.stem: nb for path, nb in read_notebooks(ROOT).items()
            if exercises(edition(nb, "es"))}


@pytest.mark.parametrize("name", CHAPTERS)
def test_the_solutions_of_the_book_earn_all_the_marks(name):
    check_releases({name: CHAPTERS[name]}, "es", LIMITS)


@pytest.mark.parametrize("name", CHAPTERS)
def test_each_tests_cell_is_one_block_with_a_label_of_its_own(name):
    "Or the marks on the spot, kept by label, would not be the grader's."
    labels = []
    for step in BOOK[name]:
        if "id" in step:
            calls = [node for node in ast.walk(ast.parse(step["source"]))
                     if isinstance(node, ast.Call)
                     and getattr(node.func, "id", None) == "marks"]
            assert len(calls) == 1, step["source"]
            of = {k.arg: ast.unparse(k.value) for k in calls[0].keywords}
            labels.append([ast.unparse(a) for a in calls[0].args[1:]][-1:]
                          or [of["of"]])
    assert len(labels) == len(set(map(str, labels)))


def unwritten(name, how):
    "A submission of a chapter in which no answer is written."
    nb = CHAPTERS[name]
    made = student_notebook(nb, "es")
    for cell in made.cells:
        if cell.metadata.get("nbgrader", {}).get("solution"):
            cell.source = how(cell.source)
    return nbformat.writes(made)


def imported(stub):
    "What imports from the book all that an answer cell should define."
    lines = []
    for name in bound_names(stub):
        lines += [f"from {module} import {name}" for module in MODULES
                  if hasattr(import_module(module), name)]
    return "\n".join(lines)


MODULES = [f"cnnbook.{module.name}" for module in
           pkgutil.iter_modules(cnnbook.__path__)
           if module.name not in ("cli", "press", "classroom", "interop")]


@pytest.fixture(scope="module")
def unwritten_rows(tmp_path_factory):
    top = tmp_path_factory.mktemp("unwritten")
    for name in CHAPTERS:
        small_class(top / "in" / name, **{
            f"{kind} {name}": unwritten(name, how) for kind, how in {
                "stubs": lambda stub: stub, "empty": lambda stub: "",
                "syntax": lambda stub: stub + "\ndef (:",
                "imports": imported}.items()})
        assert imported("def conv_forward(): pass")
    return grade_class(top / "in", BOOK, top / "g.csv", "es",
                       hidden=[ROOT / "chapters"])


@pytest.mark.parametrize("name", CHAPTERS)
def test_what_was_not_written_earns_nothing(name, unwritten_rows):
    rows = [row for row in unwritten_rows if row["student"] == name]
    won = {(row["file"], exercise): result["told"] for row in rows
           for exercise, result in row["results"].items() if result["earned"]}
    assert len(rows) == 4 and not won
    assert not any(row["reason"] for row in rows)
    assert all(row["chapter"] == name for row in rows)


# ---- notebooks of an earlier edition ----

# Written by the release before the chapters took their present numbers, two
# or three exercises of each, solved: what each of them must earn.
OLD = {
    "01_conv1d": {"conv1d-ex-hand": 2, "conv1d-ex-conv1d": 10},
    "07_model": {"model-exercise-softmax": 2, "model-exercise-saliency": 4,
                 "model-exercise-vote": 3},
    "08_fast": {"fast-exercises-diagonal": 3, "fast-exercises-im2col": 7},
    "10_architectures": {"architectures-ex-mirror": 3,
                         "architectures-ex-stop": 2},
    "12_torch": {"torch-ex-layout": 3, "torch-ex-conv": 3},
    "13_distributed": {"distributed-ex-share": 3, "distributed-ex-lost": 2},
}
BOOK = {name: release(nb, "es") for name, nb in CHAPTERS.items()}


def exercises_of(name):
    return list(each_exercise({name: BOOK[name]}))


def old_notebook(name):
    return json.loads((ROOT / "tests" / "old_notebooks" / f"{name}.ipynb"
                       ).read_text("utf-8"))


@pytest.fixture(scope="module")
def old_rows(tmp_path_factory):
    top = tmp_path_factory.mktemp("old")
    folder = top / "in"
    folder.mkdir()
    for name in OLD:
        (folder / f"{name}.ipynb").write_text(
            json.dumps(old_notebook(name)), "utf-8")
    rows = grade_class(folder, BOOK, top / "g.csv", "es",
                       hidden=[ROOT / "chapters"])
    return {row["student"]: row for row in rows}


@pytest.mark.parametrize("name", OLD)
def test_an_old_notebook_is_graded_under_its_old_name(name, old_rows):
    row = old_rows[name]
    assert row["reason"] is None
    won = {exercise: result["earned"]
           for exercise, result in row["results"].items()}
    assert {exercise: won[exercise] for exercise in OLD[name]} == OLD[name]
    assert earned(row) == sum(OLD[name].values())
    assert row["chapter"].split("+") == chapters_of(row["exercises"], BOOK)


def test_the_exercises_that_moved_are_counted_and_no_others(old_rows):
    assert old_rows["07_model"]["exercises"] == list(OLD["07_model"])
    assert old_rows["07_model"]["chapter"] == "07_model+10_learning"
    assert old_rows["12_torch"]["exercises"] == list(OLD["12_torch"])
    # the chapter of this one is the same: what was left out counts
    assert set(OLD["01_conv1d"]) < set(old_rows["01_conv1d"]["exercises"])


def without_metadata(nb):
    nb["metadata"].pop("cnnbook")
    for cell in nb["cells"]:
        cell["metadata"] = {}


def without_ids(nb):
    for cell in nb["cells"]:
        cell.pop("id")


def without_either(nb):
    without_metadata(nb)
    without_ids(nb)


@pytest.mark.parametrize("ascii", [True, False])
@pytest.mark.parametrize("lose", [without_metadata, without_ids,
                                  without_either], ids=lambda f: f.__name__)
@pytest.mark.parametrize("name", OLD)
def test_its_exercises_are_known_by_any_trace(name, lose, ascii):
    nb = old_notebook(name)
    lose(nb)
    data = json.dumps(nb, ensure_ascii=ascii, indent=1).encode()
    assert exercises_in(data, BOOK) == list(OLD[name])


def test_todays_notebooks_hold_their_exercises():
    for name, nb in CHAPTERS.items():
        whole = exercises_of(name)
        for lang in "es", "en":
            data = nbformat.writes(student_notebook(nb, lang)).encode()
            assert exercises_in(data, BOOK) == whole
            assert wanted_of(b"homework.ipynb", data, BOOK) == whole


def test_the_name_decides_where_the_traces_do_not():
    one, two = (nbformat.writes(student_notebook(CHAPTERS[name], "en"))
                for name in ("01_conv1d", "02_padding"))
    whole = exercises_of("01_conv1d")
    for text in one, two, one + two, "":        # no other chapter's marks
        for path, told in ((b"01_conv1d.ipynb", None),
                           (b"homework.ipynb", "01_conv1d")):
            assert wanted_of(path, text.encode(), BOOK, told) == whole
    assert wanted_of(b"homework.ipynb", b"", BOOK) == []


def test_what_is_quoted_badly_is_found_all_the_same():
    data = b'["say \\"hi\\"\\n", "torch-ex-conv-tests", "x'
    assert exercises_in(data, BOOK) == ["torch-ex-conv"]
    assert exercises_in(b'"' * 10**6, BOOK) == []


def test_an_installation_that_cannot_run_the_solutions_is_refused():
    nb = nbformat.from_dict(json.loads(json.dumps(SMALL)))
    nb.cells[7].source = nb.cells[7].source.replace("2 * x", "3 * x")
    with pytest.raises(BuildError, match="own solutions earn 2 marks"):
        check_releases({"small": nb}, "en", QUICK)


def asked(folder, out, **changes):
    "What the command line gives to the command."
    return Namespace(**{"submissions": Path(folder), "out": Path(out),
                        "chapter": None, "lang": "es", "jobs": None,
                        "again": False, **LIMITS, **changes})


def test_the_command(tmp_path, capsys):
    name = min(CHAPTERS)
    student = student_notebook(CHAPTERS[name], "es")
    folder = tmp_path / "in"
    folder.mkdir()
    nbformat.write(student, folder / f"ana {name}.ipynb")
    grade(ROOT, asked(folder, tmp_path / "g.csv"))
    assert "1 notebooks, 0 with a reason" in capsys.readouterr().out
    assert sys.platform != "linux" or not sandbox.libc().prctl(3)  # dumpable
    row, = csv.DictReader((tmp_path / "g.csv").read_text().splitlines())
    assert row["earned"] == "0" and row["chapter"] == name
    page = next((tmp_path / "g-reports").glob("*.html")).read_text()
    assert "Qué dijeron las comprobaciones" in page and "○ 0/" in page


@pytest.mark.parametrize("arguments, message", [
    (asked("/nowhere", "g.csv"), "/nowhere is not a folder"),
    (asked("/tmp", "g.csv", chapter="zz"), "--chapter must be one of"),
    (asked("tests", "tests/g.csv"), "--out must be outside of tests"),
])
def test_a_wrong_command_is_explained(arguments, message, monkeypatch):
    monkeypatch.chdir(ROOT)
    with pytest.raises(BuildError, match=message):
        grade(ROOT, arguments)


def test_every_reason_exists_in_both_languages():
    assert all(es and en and es != en for es, en in REASONS.values())


def test_a_spreadsheet_takes_no_name_for_a_formula():
    row = {"student": "=cmd()", "file": "+x", "chapter": "", "results": {},
           "exercises": [], "reason": "link", "seconds": 0}
    assert "'=cmd(),'+x" in grades_csv([row], {}, "en")
