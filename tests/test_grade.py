"""A class of two hundred, some of them hostile, and what comes of each."""
import csv
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from argparse import Namespace
from contextlib import suppress
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from cnnbook.classroom.channel import EXAMINER, Line, Peer
from cnnbook.classroom.grader import check_releases, grade, grade_class
from cnnbook.classroom.releases import chosen, release
from cnnbook.classroom.reports import earned, grades_csv
from cnnbook.classroom.sandbox import LIMITS, SYSTEM_CALLS, filter_program
from cnnbook.classroom.student import exercises, student_notebook
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


# ---- the real chapters and the command ----

CHAPTERS = {path.stem: nb for path, nb in read_notebooks(ROOT).items()
            if exercises(edition(nb, "es"))}


@pytest.mark.parametrize("name", CHAPTERS)
def test_the_solutions_of_the_book_earn_all_the_marks(name):
    check_releases({name: CHAPTERS[name]}, "es", LIMITS)


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
        whole = [step["id"] for step in BOOK[name] if "id" in step]
        for lang in "es", "en":
            data = nbformat.writes(student_notebook(nb, lang)).encode()
            assert exercises_in(data, BOOK) == whole
            assert wanted_of(b"homework.ipynb", data, BOOK) == whole


def test_the_name_decides_where_the_traces_do_not():
    one, two = (nbformat.writes(student_notebook(CHAPTERS[name], "en"))
                for name in ("01_conv1d", "02_padding"))
    whole = [step["id"] for step in BOOK["01_conv1d"] if "id" in step]
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
    row, = csv.DictReader((tmp_path / "g.csv").read_text().splitlines())
    assert row["earned"] == "0" and row["chapter"] == name
    page = next((tmp_path / "g-reports").glob("*.html")).read_text()
    assert "Qué dijeron las comprobaciones" in page and "✗" in page


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
