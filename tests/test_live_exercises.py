"""Every exercise is marked in a page as it is on the spot, in both languages.

From the disk, in a real browser and through the book's client: the stub gets
nothing, a wrong answer loses its marks and is told why, the solution gets
all of them. One Python for the exercises of a chapter, in their order.
"""
import re
import textwrap

import pytest

from cnnbook.classroom.marks import PENDING
from cnnbook.press.student import exercises
from conftest import FILES
from live_pages import (chapter, complaint, run_pages, solutions,
                        write_pages)
from students import LAB, WRONG
from wrong_answers import asked_names

LANGS = "es", "en"
FOUND = {file: exercises(chapter(file, "es")) for file in FILES
         if "making" not in file}
CHAPTERS = [file for file, found in FOUND.items() if found]


def wrong_answer(source):
    """A wrong answer to the solution `source`, and what must be told of it.

    A function of the lab is one of those that students wrote; another one
    returns nothing, and a value is none that anybody asked for.
    """
    # The solution may use an earlier answer, which is a wrong one now.
    codes = ["import contextlib", "with contextlib.suppress(Exception):",
             textwrap.indent(source, "    ")]
    told = []
    for name in asked_names(source):
        mine = [wrong for wrong in WRONG.values() if wrong.name == name
                and not wrong.pair]
        if mine and name in LAB:        # the lab's own helper is at hand
            codes += ["from cnnbook.padding import zero_pad"] * (
                name != "zero_pad") + [mine[0].source]
            told.append(mine[0].told)
        elif re.search(rf"(?m)^(def|class) {name}\b", source):
            codes.append(f"def {name}(*args, **kwargs):\n    return None\n")
        else:
            codes.append(f"{name} = 'another'")
    return "\n".join(codes), told


def rounds(cells, exercise, answers):
    "The runs of an exercise: which one, and the cells of each."
    mine = [cells[name] for name in exercise["answers"] + exercise["tests"]]
    mine.sort(key=list(cells.values()).index)
    for name, code_of in (
            ("stub", lambda cell: cell["code"]),
            ("wrong", lambda cell: wrong_answer(answers[cell["id"]])[0]),
            ("right", lambda cell: answers[cell["id"]])):
        for cell in mine:
            code = (code_of(cell) if cell["kind"] == "stub"
                    else cell["code"])
            yield {**cell, "id": f"{name} {cell['id']}", "code": code}


def needed_for(cell, code, cells):
    "The ids that `code`, an answer in a cell, needs, as the page finds them."
    names = set(re.findall(r"[^\W\d]\w*", code))
    earlier = list(cells.values())[:list(cells).index(cell["id"])]
    needs = set(cell["needs"])
    for other in reversed(earlier):
        if names & set(other["sets"]) and "exercise" not in other:
            names -= set(other["sets"])
            needs |= {other["id"], *other["needs"]}
    return needs


def overwritten(given, done):
    "True if a cell that was run, and is not given, wrote a name of theirs."
    names = {name for cell in given for name in cell["sets"]}
    return any(names & set(cell["sets"]) for cell in done
               if cell not in given)


def job(data, answers):
    """The cells of all the exercises of a page, with those that they need.

    An exercise that cannot be run in the page is left out.
    """
    cells = {cell["id"]: cell for cell in data["cells"]}
    found, done = [], []
    for exercise in data["exercises"]:
        names = exercise["answers"] + exercise["tests"]
        if any(cells[name]["kind"] == "no" for name in names):
            continue
        before = {need for name in names for need in needed_for(
            cells[name], answers.get(name, ""), cells)}
        given = [cell for name, cell in cells.items() if name in before
                 and cell["kind"] not in ("stub", "tests", "no")]
        if not overwritten(given, done):
            given = [cell for cell in given if cell not in done]
        done += given
        found += [*given, *rounds(cells, exercise, answers)]
    return found


@pytest.fixture(scope="module", params=LANGS)
def runs(request, tmp_path_factory, packs, chromium):
    "The language, what the pages know, what their exercises told."
    lang, asked = request.param, {
        item.callspec.params["file"] for item in request.session.items
        if item.module is request.module}
    files = [file for file in CHAPTERS if file in asked]
    folder = tmp_path_factory.mktemp(lang)
    data = write_pages(folder, packs, files, lang)
    jobs = {file: job(data[file], solutions(file)) for file in files}
    return lang, data, run_pages(chromium, folder, jobs, lang)


def marks_of(told):
    "What an answer earned, block by block of its tests."
    return [mark for one in told for mark in one["marks"].values()]


@pytest.mark.parametrize("file", CHAPTERS)
def test_each_exercise_is_marked_in_the_page(file, runs):
    lang, data, told = runs
    assert all(isinstance(one, dict) for one in told[file]), told[file][-1]
    by_id = {one["id"]: one for one in told[file]}
    for exercise in data[file]["exercises"]:
        ran = {how: [by_id[f"{how} {name}"] for name in exercise["tests"]
                     if f"{how} {name}" in by_id]
               for how in ("stub", "wrong", "right")}
        if not any(ran.values()):
            continue
        name = f"{file}: {exercise['id']}"
        assert sum(points for _, points in marks_of(ran["right"])) == (
            exercise["points"]), name
        check_stub(ran["stub"], name)
        check_wrong(ran["wrong"], name, {
            cell["id"] for cell in data[file]["cells"]
            if "bonus=True" in cell["code"]})
        for one in ran["right"]:
            assert one["ok"], f"{name}: {complaint(one)}"
        assert all(earned == points for earned, points
                   in marks_of(ran["right"])), name


def text_of(told):
    return "\n".join(output.get("text") or "" for output in told["outputs"])


def check_stub(told, name):
    "The stub earns nothing, and its marks are pending."
    assert all(earned == 0 for earned, _ in marks_of(told)), name
    for one in told:
        assert PENDING[0] in text_of(one), f"{name}: {text_of(one)}"


def check_wrong(told, name, bonus):
    "The wrong answer loses all it can, and the page says what is wrong."
    for one in told:
        text = text_of(one)
        assert not one["ok"], f"{name}: {text}"
        assert any(earned < points for earned, points
                   in one["marks"].values()), name
        assert PENDING[0] not in text or one["id"].split()[1] in bonus, (
            f"{name}: {text}")
        assert len(text.split(":", 1)[-1].split()) > 2, f"{name}: {text}"


@pytest.mark.parametrize("file", CHAPTERS)
def test_mistakes_of_the_lab_are_named_in_the_page(file, runs):
    lang, data, told = runs
    said = "\n".join(text_of(one) for one in told[file]
                     if one["id"].startswith("wrong "))
    ran = {one["id"].removeprefix("wrong ") for one in told[file]}
    for name, source in solutions(file).items():
        for words in wrong_answer(source)[1] if name in ran else ():
            assert any(each.in_(said, lang) for each in words), words
