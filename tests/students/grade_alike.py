"""A student's notebook with functions of the corpus, marked in two ways.

`on_the_spot` runs it as the student does, `in_the_grader` as `cnnbook grade`
does. Both tell for each exercise the verdict of every block of tests.
"""
import ast
import io
import linecache
import re
from contextlib import redirect_stdout
from os import environ

import nbformat

from cnnbook.classroom.grader import grade_class
from cnnbook.classroom.marks import RESULTS
from cnnbook.classroom.releases import release
from cnnbook.press.student import student_notebook

# A long report is cut off, and the next verdict may follow on its last line.
VERDICT = re.compile(r"(?m)[✓◐✗○] [\d.]+/[\d.]+ .*$")


def submission(nb, lang, answers):
    "The student's notebook of the chapter `nb` with these functions in it."
    made = student_notebook(nb, lang)
    for answer in answers:
        cells = [cell for cell in made.cells if _defines(cell, answer.name)]
        if len(cells) != 1:
            raise ValueError(f"{len(cells)} cells ask for {answer.name}")
        cells[0].source = _replaced(cells[0].source, answer)
    return made


def asked_in(nb):
    "The functions that the answers of a chapter define, in their order."
    return [node.name for cell in student_notebook(nb, "en").cells
            if cell.metadata.get("nbgrader", {}).get("solution")
            for node in ast.parse(cell.source).body
            if isinstance(node, ast.FunctionDef)]


def _defines(cell, name):
    return cell.metadata.get("nbgrader", {}).get("solution") and any(
        getattr(node, "name", "") == name
        for node in ast.parse(cell.source).body)


def _replaced(source, answer):
    "The text of a cell with the student's function for the one asked."
    lines = source.splitlines()
    node = next(node for node in ast.parse(source).body
                if getattr(node, "name", "") == answer.name)
    lines[node.lineno - 1:node.end_lineno] = answer.source.splitlines()
    return "\n".join(lines)


def on_the_spot(nb):
    "The verdicts of a student's notebook that is run from top to bottom."
    environ["CNNBOOK_LANG"] = nb.metadata.cnnbook.lang
    space, said = {"__name__": "__main__"}, {}
    for number, cell in enumerate(nb.cells):
        if cell.cell_type != "code" or cell.id in ("install", "marks"):
            continue
        told = io.StringIO()
        with redirect_stdout(told):
            _run(cell.source, f"<cell {number} of a student>", space)
        if cell.metadata.get("nbgrader", {}).get("grade"):
            said.setdefault(cell.metadata.cnnbook.exercise, []).extend(
                VERDICT.findall(told.getvalue()))
    RESULTS.clear()
    return said


def _run(source, name, space):
    linecache.cache[name] = len(source), None, source.splitlines(True), name
    try:
        exec(compile(source, name, "exec"), space)
    except Exception as error:          # a test that fails, or an answer
        print(f"{type(error).__name__}: {error}")


def in_the_grader(chapter, nb, lang, submissions, folder):
    "The verdicts of `cnnbook grade` on some submissions, by their names."
    handed_in = folder / "handed in"
    handed_in.mkdir(parents=True)
    for name, made in submissions.items():
        nbformat.write(made, handed_in / f"{name}.ipynb")
    rows = grade_class(handed_in, {chapter: release(nb, lang)},
                       folder / "grades.csv", lang, chapter, jobs=2,
                       quiet=True)
    return {row["student"]: {
        exercise: VERDICT.findall(result["told"])
        for exercise, result in row["results"].items()} for row in rows}
