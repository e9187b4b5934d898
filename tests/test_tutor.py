"""Can the tutor be trusted? Its verdicts on what students write.

`tests/students` holds wrong functions, each with the words that its mistake
cannot be told without, and right ones. Each is checked once, and what the
tutor says is read in both languages.
"""
import io
import re
from contextlib import redirect_stdout
from functools import lru_cache

import pytest
from students import LAB, RIGHT, WRONG
from students.brute import cases, differs

from cnnbook.classroom.marks import check
from cnnbook.classroom.messages import Mismatch

pytestmark = pytest.mark.filterwarnings("ignore:Mean of empty slice")
SAY = {"es": lambda es, en: es, "en": lambda es, en: en}
GUESS = {"es": r"Parece que (.*)", "en": r"It seems that (.*)"}

# What is only observed, which is never wrong and names no mistake.
OBSERVED = {"es": r"(se )?lanza|la forma es .* debería|hay que devolver",
            "en": r"(it )?raises|the shape is .* should|it has to return"}

# Where the report shows its example: values, and few words that matter.
EXAMPLE = "entrada más pequeña|smallest input"
IN_EXAMPLE = (r"(?m)^(?:Parece que|It seems that|forma y tipo|shape and type)"
              r".*|^(?:se esperaba|expected) [\w, ]+(?=:)")
OWN_LINE = r"(en la línea|on line) \d+, `[^`]*`"    # what the student wrote
CONDITION = r", (cuando|when) [^;]*"         # when the guess holds


def verdict(answer):
    "The error that the tutor raises at a student's function, or None."
    return checked(answer.id)


@lru_cache(None)
def checked(name):
    answer = WRONG.get(name) or RIGHT[name]
    try:
        with redirect_stdout(io.StringIO()):
            check(answer.fn, answer.name)
    except Mismatch as error:
        return error
    return None


def told(error, answer, lang):
    "What the report says, without the values and the lines that it quotes."
    before, line, after = re.split(f"(?m)^(.*(?:{EXAMPLE}).*)$",
                                   error.say(SAY[lang])[0] + f"\n{EXAMPLE}",
                                   maxsplit=1)
    text = "\n".join([before, *re.findall(IN_EXAMPLE, after)])
    return re.sub(f"{answer.name}|{OWN_LINE}", "", text)


def guess(error, lang):
    "The mistake that the report names, or None."
    if getattr(error, "mistake", None):
        return error.mistake[lang == "en"]
    found = re.search(GUESS[lang], error.say(SAY[lang])[0])
    return found and found[1]


def named(answer):
    "Whether the mistake of a wrong function is named 'rightly', or how not."
    error = verdict(answer)
    if error is None:
        return "passed"
    if all(_fits(error, answer, lang) for lang in SAY):
        return "rightly"
    return "wrongly" if _guessed(error, "en") else "not"


def _guessed(error, lang):
    "The mistake that the report guesses; None if it only observes."
    found = guess(error, lang)
    return None if found and re.match(OBSERVED[lang], found) else found


def _fits(error, answer, lang):
    """Whether the report holds the words of one of the mistakes.

    If it guesses, the guess has to hold some of them: to say besides what
    fails does not make a wrong guess right.
    """
    said, guessed = told(error, answer, lang), _guessed(error, lang)
    rest = said.replace(guessed, "") if guessed else ""
    guessed = re.sub(CONDITION, "", guessed or "")
    return any(words.in_(said, lang) and not words.in_(rest, lang)
               or words.in_(guessed, lang) for words in answer.told)


def by_name(answers):
    return [pytest.param(answer, id=name) for name, answer in answers.items()]


# ---- the corpus is what it says ----

def test_there_are_enough_of_each():
    assert len(WRONG) >= 170 and len(RIGHT) >= 45
    assert sum(answer.pair for answer in WRONG.values()) >= 35
    for answers in WRONG, RIGHT:
        assert {answer.name for answer in answers.values()} == set(LAB)


@pytest.mark.parametrize("answer", by_name(WRONG))
def test_it_is_really_wrong(answer):
    assert any(differs(answer, case) for case in cases(answer.name))


@pytest.mark.parametrize("answer", by_name(RIGHT))
def test_it_is_really_right(answer):
    assert not any(differs(answer, case) for case in cases(answer.name))


# ---- the tutor ----

@pytest.mark.parametrize("answer", by_name(WRONG))
def test_no_wrong_function_passes(answer):
    assert verdict(answer) is not None


@pytest.mark.parametrize("answer", by_name(RIGHT))
def test_no_right_function_is_refused(answer):
    error = verdict(answer)
    assert error is None, error.say(SAY["en"])[0]


@pytest.mark.parametrize("answer", by_name(WRONG))
def test_no_mistake_is_named_wrongly(answer):
    assert named(answer) != "wrongly", verdict(answer).say(SAY["en"])[0]


@pytest.mark.parametrize("answer", by_name(WRONG))
def test_both_languages_say_the_same(answer):
    error = verdict(answer)
    assert bool(guess(error, "es")) == bool(guess(error, "en"))
    assert len({_fits(error, answer, lang) for lang in SAY}) == 1


# What is right but for one kind of cases earns half, but for two a quarter.
PARTS = {
    "create_mask_from_window_of_every_tie": (1/2, "empates", "ties"),
    "pool_backward_every_tie": (1/2, "empates", "ties"),
    "conv_backward_minus_pad": (1/2, "pad (es|vale) 0", "pad is 0"),
    "conv_forward_start_without_stride": (1/2, "(stride|paso)", "stride"),
    "pool_forward_always_the_maximum": (1/2, "average", "average"),
    "conv_backward_minus_pad_no_stride": (1/4, "pad.*(stride|paso)",
                                          "pad.*stride"),
    "conv_forward_no_bias": (0, "", ""),
    "conv_forward_float_of_the_bias": (0, "", ""),
    "conv_backward_without_return": (0, "", ""),
    "conv_backward_stub": (0, "", ""),
}


@pytest.mark.parametrize("name", PARTS)
def test_a_part_is_granted_and_said(name):
    part, *kinds = PARTS[name]
    error = verdict(WRONG[name])
    assert error.part == part
    for lang, kind in zip(SAY, kinds):
        assert re.search(kind, told(error, WRONG[name], lang))


def test_nearly_every_mistake_is_named():
    found = {name: named(answer) for name, answer in WRONG.items()}
    missed = [f"{name}: {how}" for name, how in found.items()
              if how != "rightly"]
    share = 1 - len(missed) / len(found)
    summary = (f"{share:.1%} of {len(found)} named rightly; "
               f"the others:\n" + "\n".join(missed))
    print(summary)
    assert share >= 0.9, summary
