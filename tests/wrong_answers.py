"""Answers to an exercise that are wrong, made from the right ones.

The mutants of its solution with one number or one sign changed; for each
name that it asks for, constants and distorted versions of the right value,
functions that return such things, and the answers of its neighbours.
"""
import ast
import copy
import functools
import inspect
import re

import numpy as np

from cnnbook.classroom.releases import bound_names as defined_names
from cnnbook.press.editions import SOLVED, stub

CONSTANTS = [0, 1, -1, True, False, "", [], (), {}, np.empty(0)]
SWAPS = {ast.Lt: [ast.LtE, ast.Gt], ast.LtE: [ast.Lt, ast.GtE],
         ast.Gt: [ast.GtE, ast.Lt], ast.GtE: [ast.Gt, ast.LtE],
         ast.Eq: [ast.NotEq], ast.NotEq: [ast.Eq],
         ast.In: [ast.NotIn], ast.NotIn: [ast.In],
         ast.Is: [ast.IsNot], ast.IsNot: [ast.Is],
         ast.Add: [ast.Sub], ast.Sub: [ast.Add], ast.Mult: [ast.Div],
         ast.Div: [ast.Mult], ast.FloorDiv: [ast.Mod],
         ast.Mod: [ast.FloorDiv], ast.Pow: [ast.Mult],
         ast.And: [ast.Or], ast.Or: [ast.And]}


def imported_names(source):
    return [alias.asname or alias.name.split(".")[0]
            for node in ast.walk(ast.parse(source))
            if isinstance(node, (ast.Import, ast.ImportFrom))
            for alias in node.names]


def bound_names(source):
    "The names that a cell binds at its top level, imports too."
    return list(dict.fromkeys([*imported_names(source),
                               *defined_names(source)]))


def asked_names(source):
    "The names that a solution cell asks for: those that its stub binds."
    given = stub(source, "en")
    imported = set(imported_names(given))
    return [name for name in bound_names(given) if name not in imported]


# One number or one sign changed

def mutants(source):
    "Pairs: the changed line with its place, the source of the mutant."
    lines = solved_lines(source)
    before = ast.unparse(ast.parse(source))
    found = {}
    for n in range(sum(1 for _ in _places(ast.parse(source), lines))):
        for k in range(3):
            tree = ast.parse(source)
            node, statement, where = list(_places(tree, lines))[n]
            changes = _changes(node)
            if k < len(changes):
                changes[k]()
                text = ast.unparse(ast.fix_missing_locations(tree))
                if text != before:
                    head = ast.unparse(statement).split("\n")[0]
                    found.setdefault(text, f"{where}: {head}")
    return [(name, text) for text, name in found.items()]


def solved_lines(source):
    "The numbers of the lines that a student has to write."
    return {source.count("\n", 0, match.start()) + 1 + i
            for match in SOLVED.finditer(source)
            for i in range(match[0].count("\n") + 1)}


def _places(tree, lines, statement=None, where="", skip=False):
    "Each node that can be changed, its statement, its function."
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (ast.Raise, ast.JoinedStr, ast.Assert)):
            continue
        inner = node if isinstance(node, ast.stmt) else statement
        place = where
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            place = where or node.name
        elif isinstance(node, ast.Assign) and not where:
            place = ast.unparse(node.targets[0])
        if getattr(node, "lineno", 0) in lines and _changes(node):
            yield node, inner, place
        yield from _places(node, lines, inner, place)


def _changes(node):
    "The functions that change a node of a tree, each in its own way."
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        v = node.value
        return [functools.partial(setattr, node, "value", new)
                for new in dict.fromkeys([v + 1, 2 * v, 0]) if new != v]
    if isinstance(node, ast.Compare):
        return [functools.partial(node.ops.__setitem__, i, new())
                for i, op in enumerate(node.ops)
                for new in SWAPS[type(op)]]
    if isinstance(node, (ast.BinOp, ast.AugAssign, ast.BoolOp)):
        return [functools.partial(setattr, node, "op", new())
                for new in SWAPS.get(type(node.op), [])]
    if isinstance(node, ast.UnaryOp) and isinstance(
            node.op, (ast.USub, ast.Not)):
        plus = ast.UAdd() if isinstance(node.op, ast.USub) else ast.Not()
        if isinstance(node.op, ast.Not):
            return [lambda: setattr(node, "operand",
                                    ast.UnaryOp(plus, node.operand))]
        return [functools.partial(setattr, node, "op", plus)]
    return []


# A value, or the results of a function, distorted

def is_number(value):
    return (isinstance(value, (int, float, complex, np.number))
            and not isinstance(value, bool))


def has_numbers(value):
    return is_number(value) or (isinstance(value, np.ndarray)
                                and value.dtype.kind in "iufc")


def is_fractional(value):
    return (isinstance(value, (float, np.floating))
            or isinstance(value, np.ndarray) and value.dtype.kind == "f")


def is_row(value):
    "Whether a value has parts in an order."
    return (isinstance(value, (list, tuple, str)) and len(value) > 0
            or isinstance(value, np.ndarray) and value.ndim > 0
            and value.size > 0)


def as_array(value):
    "A nested list of numbers as an array; None if it is something else."
    try:
        array = np.asarray(value)
    except ValueError:
        return None
    return array if array.dtype.kind in "biufc" else None


def is_table(value):
    array = as_array(value) if is_row(value) else None
    return array is not None and array.ndim > 1


def like(value, array):
    "The array in the type of `value`."
    if isinstance(value, (list, tuple)):
        return type(value)(array.tolist())
    return array


def over(change):
    "Apply a change to a number, an array, or a nested list of numbers."
    def changed(value):
        if isinstance(value, (list, tuple)):
            array = as_array(value)
            if array is None:
                return type(value)(map(changed, value))
            return like(value, change(array))
        if isinstance(value, (bool, np.bool_)):
            return not value
        return change(value) if has_numbers(value) else value
    return changed


def longer(value):
    if isinstance(value, np.ndarray):
        return np.concatenate([value, value[-1:]])
    return value + value[-1:]


def as_text(value):
    if isinstance(value, np.ndarray):
        value = value.tolist()
    return list(map(str, value)) if is_row(value) else str(value)


def numbers_within(value):
    return has_numbers(value) or (is_row(value) and not isinstance(value, str)
                                  and any(map(numbers_within, value)))


def fractions_within(value):
    return is_fractional(value) or (
        isinstance(value, (list, tuple)) and any(map(fractions_within, value)))


def within(kind, value):
    return isinstance(value, kind) or (isinstance(value, (list, tuple))
                                       and any(within(kind, v) for v in value))


# name -> (which values it can distort, how)
DISTORTIONS = {
    "zeros in its shape": (
        lambda v: numbers_within(v) or within((bool, np.bool_), v),
        over(lambda v: v * 0)),
    "a small error": (numbers_within,
                      over(lambda v: v + 1e-3 * (1 + np.abs(v)))),
    "negated": (lambda v: numbers_within(v) or within((bool, np.bool_), v),
                over(lambda v: -v)),
    "doubled": (numbers_within, over(lambda v: 2 * v)),
    "one more": (numbers_within, over(lambda v: v + 1)),
    "without its fractions": (fractions_within, over(np.trunc)),
    "transposed": (is_table, lambda v: like(v, as_array(v).T)),
    "reversed": (is_row, lambda v: v[::-1]),
    "too short": (is_row, lambda v: v[:-1]),
    "too long": (is_row, longer),
    "its first part": (is_row, lambda v: v[0]),
    "as text": (lambda v: not within(str, v), as_text),
}


def parts(values):
    "Distortions of one part of a tuple or of a dict."
    first = values[0] if values else None
    if isinstance(first, tuple):
        keys = range(len(first))
    elif isinstance(first, dict):
        keys = list(first)
    else:
        return
    for key in keys:
        for name in "zeros in its shape", "a small error", "None":
            if name == "None":
                yield f"None for part {key}", functools.partial(
                    replaced, key, lambda v: None)
                continue
            applies, change = DISTORTIONS[name]
            if any(applies(v[key]) for v in values
                   if type(v) is type(first) and len(v) == len(first)):
                yield f"{name}, part {key}", functools.partial(
                    replaced, key, change)


def replaced(key, change, value):
    "A tuple or a dict with one part changed."
    if isinstance(value, dict):
        return {**value, key: change(value[key])}
    return tuple(change(v) if i == key else v for i, v in enumerate(value))


def equal(a, b):
    "Whether two answers are the same, True and 1 as well."
    if a is b:
        return True
    try:
        if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
            return len(a) == len(b) and all(map(equal, a, b))
        return bool(np.array_equal(a, b)) and np.shape(a) == np.shape(b)
    except (TypeError, ValueError):
        return False


def wrong_values(right):
    "Pairs: what was done to a value, and what came of it."
    for name, (applies, change) in DISTORTIONS.items():
        if applies(right):
            wrong = change(copy.deepcopy(right))
            if not equal(wrong, right):
                yield name, wrong
    for name, change in parts([right]):
        yield name, change(copy.deepcopy(right))
    for i, wrong in enumerate(changed_once(right)):
        yield f"number {i} changed", wrong
    for wrong in [*CONSTANTS, None]:
        if not equal(wrong, right):
            yield f"the constant {wrong!r}", wrong


def changed_once(right, most=12):
    "The list, tuple or array with one of its numbers changed."
    if not isinstance(right, (list, tuple, np.ndarray)):
        return
    array = as_array(right)
    if array is None or array.dtype.kind not in "iuf":
        return
    for i in range(min(array.size, most)):
        other = array.copy()
        other.flat[i] += 1
        yield like(right, other)


# Functions

def faked(right, change):
    "A function that changes the results of the right one."
    @functools.wraps(right)
    def fake(*args, **kwargs):
        result = right(*args, **kwargs)
        if inspect.isgenerator(result):
            result = list(result)
            return iter(_changed(change, result, args))
        return _changed(change, result, args)
    return fake


def _changed(change, result, args):
    try:
        return change(result, args)
    except (TypeError, ValueError, IndexError, KeyError):
        return result           # this one has nothing to distort


def constantly(right, value):
    @functools.wraps(right)
    def fake(*args, **kwargs):
        return copy.deepcopy(value)
    return fake


def frozen(right):
    "A function that returns its first result for ever."
    first = []

    @functools.wraps(right)
    def fake(*args, **kwargs):
        if not first:
            result = right(*args, **kwargs)
            lazy = inspect.isgenerator(result)
            first.append((list(result) if lazy else result, lazy))
        result, lazy = copy.deepcopy(first[0])
        return iter(result) if lazy else result
    return fake


def nth_argument(right, n):
    @functools.wraps(right)
    def fake(*args, **kwargs):
        return [*args, *kwargs.values(), None, None, None, None][n]
    return fake


def spied(right, heard):
    "The right function, whose results are kept in `heard`."
    @functools.wraps(right)
    def spy(*args, **kwargs):
        result = right(*args, **kwargs)
        if inspect.isgenerator(result):
            result = list(result)
            heard.append(result)
            return iter(result)
        heard.append(copy.deepcopy(result))
        return result
    return spy


def wrong_functions(right, results):
    "Pairs: how a function goes wrong, and that function."
    for name, (applies, change) in DISTORTIONS.items():
        if any(map(applies, results)):
            yield f"results {name}", faked(
                right, lambda result, args, change=change: change(result))
    for name, change in parts(results):
        yield f"results with {name}", faked(
            right, lambda result, args, change=change: change(result))
    for value in [*CONSTANTS, None]:
        yield f"always {value!r}", constantly(right, value)
    yield "its first result, always", frozen(right)
    for n, name in enumerate(inspect.signature(right).parameters):
        yield f"its argument {name}", nth_argument(right, n)


# The right answer, in other words

class Renaming(ast.NodeTransformer):
    "Give the parameters of the functions of a cell other names."

    def __init__(self, tree):
        self.new = {}
        self.functions = {node.name: node for node in tree.body
                          if isinstance(node, ast.FunctionDef)}

    def visit_FunctionDef(self, node):
        if self.functions.get(node.name) is not node:   # an inner one
            return self.generic_visit(node)
        arguments = [*node.args.posonlyargs, *node.args.args]
        self.new = {arg.arg: f"my_{arg.arg}" for arg in arguments}
        self.generic_visit(node)
        self.new = {}
        return node

    def visit_arg(self, node):
        node.arg = self.new.get(node.arg, node.arg)
        return node

    def visit_Name(self, node):
        node.id = self.new.get(node.id, node.id)
        return node

    def visit_Nonlocal(self, node):
        node.names = [self.new.get(name, name) for name in node.names]
        return node

    def visit_Call(self, node):
        called = self.functions.get(getattr(node.func, "id", None))
        self.generic_visit(node)
        if called:
            own = {arg.arg.removeprefix("my_") for arg in called.args.args}
            for keyword in node.keywords:
                if keyword.arg in own:
                    keyword.arg = f"my_{keyword.arg}"
        return node


def renamed(source):
    "A solution cell whose functions name their parameters otherwise."
    tree = ast.parse(source)
    return ast.unparse(Renaming(tree).visit(tree))


def words_of(source):
    "All the words of a cell."
    return set(re.findall(r"\w+", source))
