"""What `check` finds out of a wrong function, and how it says so."""
import linecache
import time

import numpy as np
import pytest

from cnnbook.classroom import guesses, suspects
from cnnbook.classroom.checking import check
from cnnbook.classroom.comparison import outcome, same, shrink
from cnnbook.classroom.diagnosis import diagnose
from cnnbook.classroom.exceptions import own_line, told
from cnnbook.classroom.guard import PRINTED
from cnnbook.classroom.messages import Mismatch
from cnnbook.classroom.mistakes import mistakes_of
from cnnbook.classroom.problems import PROBLEMS, cases, reference
from cnnbook.classroom.suspects import mistaken
from cnnbook.classroom.trials import scope_of, tried
from cnnbook.classroom.vectorised import check_vectorised, loops_in


@pytest.fixture(autouse=True)
def in_english(monkeypatch):
    monkeypatch.setenv("CNNBOOK_LANG", "en")


def spanish(es, en):
    return es


def english(es, en):
    return en


def failure(fn, name):
    with pytest.raises(Mismatch) as caught:
        check(fn, name)
    return caught.value


def report(fn, name):
    "What is said in English, and in Spanish."
    error = failure(fn, name)
    return error.say(english)[0], error.say(spanish)[0]


def written(source, name):
    "The function of a student, from a cell that has a text of its own."
    file = f"<cell: {name} {abs(hash(source))}>"
    linecache.cache[file] = (len(source), None,
                             source.splitlines(keepends=True), file)
    space = {"np": np, "__name__": "student"}
    exec(compile(source, file, "exec"), space)
    return space[name]


# ---- the problems ----

LAB = """
conv1d conv2d output_size zero_pad conv_single_step conv_forward
pool_forward conv_backward create_mask_from_window distribute_value
pool_backward one_hot_encode relu relu_backward softmax softmax_backward
compute_cost conv_layer_forward conv_layer_backward pool_layer_forward
pool_layer_backward fully_connected_layer_forward
fully_connected_layer_backward initialize_parameters simple_cnn_model
backward_propagation update_parameters test_model
""".split()


def test_every_function_of_the_lab_is_a_problem():
    assert set(PROBLEMS) == set(LAB)


@pytest.mark.parametrize("name", LAB)
def test_the_cases_are_of_many_kinds(name):
    found = cases(name)
    assert len(found) == PROBLEMS[name].number
    assert found == cases(name)         # the same for every student
    whole = PROBLEMS[name].kinds[-1]
    numbers = [kind for kind in PROBLEMS[name].kinds if kind is not whole]
    for kind in numbers:
        inside = sum(bool(kind.holds(case)) for case in found)
        assert inside >= len(found) / 10, kind.en
    expected = PROBLEMS[name].returns
    assert not expected or len(found[0].expected) == len(expected)


def test_a_right_function_is_quick():
    for name in LAB:
        cases(name)
        start = time.process_time()
        check(reference(name))
        assert time.process_time() - start < 2, name


@pytest.mark.parametrize("name", LAB)
def test_constants_and_arguments_earn_nothing(name):
    returned = cases(name)[0].expected
    count = len(returned) if isinstance(returned, tuple) else 0

    def zeros(*args):
        return (np.zeros((1, 1)),) * count if count else 0.0

    def argument(*args):
        return (args[0],) * count if count else args[0]

    def ones_alike(*args):
        result = reference(name)(*args)
        return tuple(np.ones_like(part) if isinstance(part, np.ndarray)
                     else part for part in result) if isinstance(
            result, tuple) else np.ones_like(result)

    for fn in zeros, argument:
        assert failure(fn, name).part == 0
    if name not in ("initialize_parameters", "backward_propagation",
                    "update_parameters"):       # dicts
        assert failure(ones_alike, name).part == 0


# ---- what passes ----

def test_names_prints_lists_and_float32_are_the_students_affair():
    def conv_single_step(trozo, filtro, sesgo):
        print("hola\n" * 300)
        return np.float32((trozo * filtro).sum() + sesgo[0, 0, 0])

    before = len(PRINTED)
    check(conv_single_step)
    assert len(PRINTED) == before

    def relu(z):
        return [[max(v, 0) for v in row] for row in z.tolist()], z

    check(relu)


def test_what_is_printed_in_the_smallest_case_is_kept():
    def relu(Z):
        print("Z:", Z.shape)
        return np.abs(Z), Z

    before = len(PRINTED)
    failure(relu, "relu")
    assert PRINTED[before:] == ["Z: (1, 1)\n"]


@pytest.mark.parametrize("dtype", [np.float16, int])
def test_coarse_types_are_refused(dtype):
    def zero_pad(X, pad):
        return reference("zero_pad")(X, pad).astype(dtype)
    assert failure(zero_pad, "zero_pad").part == 0


def test_two_errors_are_equal_if_they_say_the_same():
    assert same(ValueError("a"), ValueError("a"))
    assert not same(ValueError("a"), ValueError("b"))
    assert not same(ValueError("a"), IndexError("a"))


# ---- a part of the marks ----

def every_tie(x):
    return x == x.max()


def zeros_and_ones(x):
    return reference("create_mask_from_window")(x).astype(int)


def minus_pad(dZ, cache):
    dA_prev, dW, db = reference("conv_backward")(dZ, cache)
    pad = cache[3]["pad"]
    dA_prev = np.pad(dA_prev, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    result = np.zeros(cache[0].shape)
    for i in range(len(result)):
        result[i] = dA_prev[i, pad:-pad, pad:-pad]
    return result, dW, db


def padded_by_ones(dZ, cache):
    dA_prev, dW, db = reference("conv_backward")(dZ, cache)
    return dA_prev, dW, db + (cache[3]["stride"] > 1 or cache[3]["pad"] == 0)


@pytest.mark.parametrize("fn, name, part, en, es", [
    (every_tie, "create_mask_from_window", 0.5, "there are ties",
     "hay empates"),
    (zeros_and_ones, "create_mask_from_window", 0.5, "false and true",
     "true"),
    (minus_pad, "conv_backward", 0.5, "when pad is 0", "que pad es 0"),
    (padded_by_ones, "conv_backward", 0.25,
     "wrong when pad is 0 or the stride is larger than 1, and only then",
     "siempre que pad es 0 o el paso es mayor que 1, y solo entonces"),
])
def test_right_but_for_a_kind_of_cases(fn, name, part, en, es):
    error = failure(fn, name)
    assert error.part == part
    assert en in error.say(english)[0].lower()
    assert es in error.say(spanish)[0].lower()


def test_the_report_counts_the_cases():
    right = sum(t.right for t in tried(minus_pad, "conv_backward"))
    said, dicho = report(minus_pad, "conv_backward")
    assert f"right in {right} of 60 cases" in said.splitlines()[0]
    assert f"bien en {right} de 60 casos" in dicho.splitlines()[0]
    assert scope_of("conv_backward", tried(minus_pad, "conv_backward")).only


# ---- errors ----

@pytest.mark.parametrize("body, en, es", [
    ("return float(Z), Z", "b[0, 0, 0]", "b[0, 0, 0]"),
    ("return np.maximum(Z, np.float(0)), Z", "np.float64", "np.float64"),
    ("return Z[9], Z", "from 0 to ", "van de 0 a "),
    ("A = None\n    m, n = A\n    return A, Z", "`return`", "`return`"),
    ("return np.maximum(Zz, 0), Z", "did you mean `Z`", "¿querías decir"),
    ("return np.zeros((3 / 1, 2)), Z", "divide with `//`", "divide con"),
    ("if 0:\n        A = Z\n    return A, Z", "before it has a value",
     "antes de darle un valor"),
    ("return Z / 0 + {}['x'], Z", "no key 'x'", "ninguna clave 'x'"),
    ("return Z + np.ones((7, 7)), Z", "they do not fit", "no encajan"),
    ("return Z[0, 0, 0], Z", "3 indices", "3 índices"),
    ("return Z if Z > 0 else 0, Z", "np.where", "np.where"),
    ("return relu(Z)", "without end", "sin fin"),
    ("return Z @ np.ones((99, 1)), Z", "99 rows", "99 filas"),
    ("return max(*3, Z)", "`*` hands out", "`*` reparte"),
    ("return [*None], Z", "of type `NoneType`", "de tipo `NoneType`"),
    ("return dict(**3), Z", "`**` hands out", "`**` reparte"),
    ("return {**3}, Z", "the keys of a dict", "las claves de un diccionario"),
])
def test_an_error_is_explained_with_the_students_line(body, en, es):
    fn = written(f"def relu(Z):\n    {body}\n", "relu")
    said, dicho = report(fn, "relu")
    assert en in said and es in dicho
    assert "line " in said and "línea " in dicho


def test_the_line_is_the_students_not_that_of_a_library():
    def fn(x):
        return np.pad(x, -1)

    try:
        fn(np.ones(2))
    except ValueError as error:
        assert own_line(error)[0].strip() == "return np.pad(x, -1)"
        error.own_line = "y = 1", 7             # as the grader brings it
        assert "on line 7, `y = 1`" in told(error)[1]


def test_an_error_in_a_kind_of_cases_says_in_which():
    said, dicho = report(minus_pad, "conv_backward")
    assert "[pad:-pad]" in said and "[pad:-pad]" in dicho


def test_what_is_not_written_is_pending():
    def relu(Z):
        raise NotImplementedError
    error = failure(relu, "relu")
    assert error.pending and error.part == 0
    assert "not written yet" in error.say(english)[0]


def test_the_number_of_parameters_is_told():
    error = failure(lambda x, w: x, "conv1d")
    assert "must accept 4 arguments: x, w, p, s" in error.say(english)[0]
    assert "4 argumentos: x, w, p, s" in error.say(spanish)[0]


# ---- what meets the eye ----

def first_channels(A_prev, W, b, hparameters):
    Z, _ = reference("conv_forward")(A_prev.transpose(0, 2, 3, 1), W, b,
                                     hparameters)
    return Z.transpose(0, 3, 1, 2), (A_prev, W, b, hparameters)


def other_order(Z, dA):
    return reference("relu_backward")(dA, Z)


def pad_for_stride(A_prev, W, b, hparameters):
    other = {"stride": hparameters["pad"], "pad": hparameters["stride"]}
    range(0, 9, other["stride"])
    Z, _ = reference("conv_forward")(A_prev, W, b, other)
    return Z, (A_prev, W, b, hparameters)


def changes(dA, cache):
    dA[cache <= 0] = 0
    return dA


def changes_and_errs(dA, cache):
    dA[cache < 0] = 0
    return dA


def a_number(a_slice_prev, W, b):
    return np.sum(a_slice_prev * W) + b


def flat_bias(dZ, cache):
    dA_prev, dW, db = reference("conv_backward")(dZ, cache)
    return dA_prev, dW, db.ravel()


def flat_weights(dZ, cache):
    dA_prev, dW, db = reference("conv_backward")(dZ, cache)
    return dA_prev, dW[..., 0] if dW.shape[3] == 1 else dW, db


def swapped(dZ, cache):
    dA_prev, dW, db = reference("conv_backward")(dZ, cache)
    return dW, dA_prev, db


def double(Z):
    return 2 * reference("softmax")(Z)


def averaged(dZ, cache):
    dA_prev, dW, db = reference("conv_backward")(dZ, cache)
    return dA_prev, dW / len(dZ), db


def first_image(X, pad):
    padded = reference("zero_pad")(X, pad)
    padded[1:] = 0
    return padded


def whole(x, w, p, s):
    return reference("conv1d")(np.trunc(x), np.trunc(w), p, s)


def no_weights(n_H, n_W, n_C):
    parameters = reference("initialize_parameters")(n_H, n_W, n_C)
    return parameters | {"W1": np.zeros_like(parameters["W1"])}


def no_cache(A_prev, hparameters, mode):
    return reference("pool_forward")(A_prev, hparameters, mode)[0]


def few_keys(A_last, Y, caches):
    found = reference("backward_propagation")(A_last, Y, caches)
    return {key: found[key] for key in ("dW1", "db1", "dW3", "db3")}


@pytest.mark.parametrize("fn, name, en, es", [
    (first_channels, "conv_forward", "channels come first",
     "los canales van en el segundo eje"),
    (other_order, "relu_backward", "another order: they must be dA, cache",
     "otro orden: deben ser dA, cache"),
    (pad_for_stride, "conv_forward", "exchanged", "intercambiad"),
    (changes, "relu_backward", "changes its arguments: `dA`",
     "cambia sus argumentos: `dA`"),
    (a_number, "conv_single_step", "shape (1, 1, 1)", "forma (1, 1, 1)"),
    (flat_bias, "conv_backward", "db has the shape (n_C,)", "(n_C,)"),
    (flat_weights, "conv_backward", "of dW is (1, 1, 1), and it should be",
     "de dW es (1, 1, 1), y debe ser (1, 1, 1, 1"),
    (swapped, "conv_backward", "should be dA_prev, dW, db",
     "debe ser dA_prev, dW, db"),
    (double, "softmax", "multiplied by 2", "multiplicado por 2"),
    (averaged, "conv_backward", "dW", "dW"),
    (first_image, "zero_pad", "only the first image", "la primera imagen"),
    (whole, "conv1d", "decimals are lost", "pierden los decimales"),
    (no_weights, "initialize_parameters", "W1 does not begin as random",
     "W1 no empieza con números al azar"),
    (no_cache, "pool_forward", "return 2 things, A, cache",
     "devolver 2 cosas, A, cache"),
    (few_keys, "backward_propagation", "lacks keys: dA2_flatten",
     "faltan claves: dA2_flatten"),
])
def test_what_meets_the_eye_is_named(fn, name, en, es):
    error = failure(fn, name)
    assert en in error.mistake[1] and es in error.mistake[0]
    assert en.lower() in error.say(english)[0].lower()


def test_both_are_said_of_a_function_that_changes_its_input_and_is_wrong():
    error = failure(changes_and_errs, "relu_backward")
    named = {m.name: m.told["relu_backward"][1] for m in mistakes_of(
        "relu_backward")}
    assert "changes its arguments" in error.mistake[1]
    assert "Z is 0" in error.mistake[1], named


def test_channels_first_earn_half():
    assert failure(first_channels, "conv_forward").part == 0.5


# ---- the table ----

@pytest.mark.parametrize("name", ["conv_forward", "pool_forward", "conv1d",
                                  "conv_backward", "pool_backward"])
def test_two_mistakes_at_once_are_named(name):
    """Of some pairs of the table; or other mistakes that do the same."""
    count = len(mistakes_of(name))
    tried_, right = 0, 0
    for i in range(0, count - 1, max(1, count // 6)):
        j = (i + count // 2) % count
        try:
            fn = mistaken(name, i, j)
        except (ValueError, SyntaxError):
            continue
        trials = tried(fn, name)
        alone = [tried(mistaken(name, k), name) for k in (i, j)]
        if all(t.raised for t in trials) or any(all(
                same(a.got, b.got) for a, b in zip(trials, one))
                for one in alone) or all(t.right for t in trials):
            continue
        tried_ += 1
        error = failure(fn, name)
        right += error.mistake is not None
        if error.mistake and not any(t.raised for t in trials):
            assert error.mistake != mistakes_of(name)[i].told[name]
    assert right >= 0.6 * tried_


def test_a_mistake_must_explain_every_case(monkeypatch):
    """One that is right in a single case fewer is not named."""
    i = next(i for i, m in enumerate(mistakes_of("relu_backward"))
             if "0" in m.name)
    fn = mistaken("relu_backward", i)
    told_ = mistakes_of("relu_backward")[i].told["relu_backward"]
    assert failure(fn, "relu_backward").mistake == told_
    odd = [t for t in tried(fn, "relu_backward") if not t.right][3].case

    def almost(dA, cache):
        result = fn(dA, cache)
        if np.array_equal(dA, odd.arguments["dA"]):
            return result + 0.25
        return result

    assert failure(almost, "relu_backward").mistake is None


def test_what_raises_in_every_case_is_no_mistake_of_the_table(monkeypatch):
    def broken(*args):
        raise ValueError("w must be an array")
    monkeypatch.setattr(guesses, "mistaken", lambda name, *i: broken)

    def relu(Z):
        raise ValueError("w must be an array")
    assert "w must be an array" in failure(relu, "relu").mistake[1]
    fn = written("def relu(Z):\n    return np.exp(Z), Z\n", "relu")
    assert failure(fn, "relu").mistake is None


def test_only_what_changes_is_compiled():
    i = next(i for i, m in enumerate(mistakes_of("pool_backward")))
    fn = mistaken("pool_backward", i)
    assert fn is not reference("pool_backward")
    assert fn.__globals__ is not reference("pool_backward").__globals__
    helper = fn.__globals__["create_mask_from_window"]
    assert helper.__globals__ is fn.__globals__
    assert suspects.known_mistakes("pool_backward") == mistakes_of(
        "pool_backward")


# ---- the smallest case ----

def test_the_smallest_case_has_small_different_numbers():
    def conv_forward(A_prev, W, b, hparameters):
        Z, cache = reference("conv_forward")(
            A_prev, W[::-1, ::-1], b, hparameters)
        return Z, (A_prev, W, b, hparameters)
    said, _ = report(conv_forward, "conv_forward")
    assert "A_prev = 1.  (1, 1, 1, 1)" in said
    assert "W = [[2. 3.]\n [4. 5.]]  (2, 2, 1, 1)" in said
    assert "expected Z:" in said and "got Z:" in said


def test_what_shrinks_goes_on_failing():
    def fails(case):
        return case.arguments["Z"].min() < 0
    start = next(filter(fails, reversed(cases("relu"))))
    small = shrink(fails, "relu", start)
    assert fails(small) and small.arguments["Z"].shape == (1, 1)
    assert same(outcome(reference("relu"), small, "relu"), small.expected)


def test_the_wrong_value_is_named_and_shape_and_type_are_shown():
    def conv_backward(dZ, cache):
        dA_prev, dW, db = reference("conv_backward")(dZ, cache)
        return dA_prev, dW, db.ravel()
    said, dicho = report(conv_backward, "conv_backward")
    assert "expected db:" in said and "se esperaba db:" in dicho
    assert "expected (1, 1, 1, 1), float64; got (1,), float64" in said


def test_a_wrong_function_is_told_in_time():
    fn = written("def conv_forward(A_prev, W, b, hparameters):\n"
                 "    return np.exp(A_prev), (A_prev, W, b, hparameters)\n",
                 "conv_forward")
    start = time.process_time()
    failure(fn, "conv_forward")
    assert time.process_time() - start < 8


def test_a_diagnosis_is_the_same_twice():
    trials = tried(averaged, "conv_backward")
    assert diagnose(averaged, "conv_backward", trials) == diagnose(
        averaged, "conv_backward", trials)


# ---- without loops ----

TWO = """def relu(Z):
    A = Z.copy()
    for row in A:
        row[row < 0] = 0
    return A, Z

if False:
    def relu(Z):
        return np.maximum(Z, 0), Z
"""


class Remote:
    "A function of another process, with the text of its cells."

    def __init__(self, fn, text, place):
        self.fn, self.__name__ = fn, fn.__name__
        self.__source__, self.__place__ = text, place

    def __call__(self, *args):
        return self.fn(*args)


def test_the_function_that_runs_is_judged():
    fn = written(TWO, "relu")
    for one in fn, Remote(fn, TWO, 1):
        with pytest.raises(Mismatch) as caught:
            check_vectorised(one)
        assert caught.value.loops
        assert "`for row in A:`: a `for` loop" in caught.value.say(english)[0]
        assert "un bucle `for`" in caught.value.say(spanish)[0]
    with pytest.raises(Mismatch, match="line 3"):
        check_vectorised(fn)
    assert loops_in(Remote(fn, TWO, 8)) == []


def test_an_alias_of_the_books_function_is_a_loop():
    source = ("from cnnbook.pooling import pool_forward as mine\n\n\n"
              "def pool_forward(A_prev, hparameters, mode='max'):\n"
              "    return mine(A_prev, hparameters, mode)\n")
    fn = written(source, "pool_forward")
    for one in fn, Remote(fn, source, 4):
        with pytest.raises(Mismatch, match="the book's function"):
            check_vectorised(one)


def test_a_coarse_clock_tells_no_tale(monkeypatch, capsys):
    from cnnbook.classroom import vectorised
    clock = time.perf_counter
    monkeypatch.setattr(vectorised, "perf_counter",
                        lambda: round(clock(), 3))
    fn = written("def relu(Z):\n    return np.maximum(Z, 0), Z\n", "relu")
    assert 0.01 < check_vectorised(fn) < 100
