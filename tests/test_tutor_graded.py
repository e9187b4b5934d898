"""The marks on the spot are the grader's, test by test.

Some functions of `tests/students` are pasted in the student's notebooks of
the lab's chapters; these are run as a student does, and handed in.
"""
import os

import nbformat
import pytest
from conftest import ROOT
from students import LAB, RIGHT, WRONG
from students.grade_alike import (asked_in, in_the_grader, on_the_spot,
                                  submission)

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"),
                                reason="it needs Linux or macOS")
CHAPTERS = ("01_conv1d", "02_padding", "03_conv2d", "04_conv_layer",
            "05_pooling", "06_backprop", "07_model")
WRONG_ONES = 4          # notebooks with wrong functions, of each chapter


def functions_of(group, name):
    return [answer for answer in group.values() if answer.name == name]


def class_of(nb, lang):
    "Two notebooks with right functions, and some with wrong ones."
    each = [(functions_of(RIGHT, name), functions_of(WRONG, name))
            for name in asked_in(nb) if name in LAB]
    answers = {"right, first": [right[0] for right, _ in each],
               "right, last": [right[-1] for right, _ in each]}
    for k in range(WRONG_ONES):
        answers[f"wrong {k}"] = [wrong[k * len(wrong) // WRONG_ONES]
                                 for _, wrong in each]
    return {name: submission(nb, lang, mine)
            for name, mine in answers.items()}


def of_the_lab(said):
    "The signs of the blocks of tests that bear a function's name."
    blocks = [line.split(" · ") for lines in said.values() for line in lines]
    return {name: told[0] for told, name in blocks if name in LAB}


@pytest.mark.parametrize("lang", ["es", "en"])
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_marks_on_the_spot_are_the_graders(chapter, lang, tmp_path,
                                           monkeypatch):
    monkeypatch.setenv("CNNBOOK_LANG", lang)
    nb = nbformat.read(ROOT / "chapters" / f"{chapter}.ipynb", as_version=4)
    handed_in = class_of(nb, lang)
    graded = in_the_grader(chapter, nb, lang, handed_in, tmp_path)
    for name, made in handed_in.items():
        said = on_the_spot(made)
        assert said == graded[name], name
        signs = set(of_the_lab(said).values())
        assert signs == {"✓"} if "right" in name else "✓" not in signs, name
