"""How a student's function is registered, with what must be said of it.

A function of the corpus has a name of its own, which says what is wrong with
it. In the student's notebook it has the book's name: `Answer.source` is its
text with that name, `Answer.fn` is what this text defines in a namespace of
its own, where only NumPy and the functions of the lab stand, as `from
cnnbook import *` and the lab's first cell leave them.
"""
import inspect
import linecache
import re
import textwrap
from typing import Callable, NamedTuple

import numpy as np

from cnnbook import backprop, conv_layer, convolution1d, convolution2d, lab
from cnnbook import padding, pooling

LAB = {name: getattr(module, name) for module, names in {
    convolution1d: "conv1d", convolution2d: "conv2d",
    padding: "output_size zero_pad",
    conv_layer: "conv_single_step conv_forward", pooling: "pool_forward",
    backprop: "conv_backward create_mask_from_window distribute_value "
              "pool_backward",
    lab: "one_hot_encode relu relu_backward softmax softmax_backward "
         "compute_cost conv_layer_forward conv_layer_backward "
         "pool_layer_forward pool_layer_backward "
         "fully_connected_layer_forward fully_connected_layer_backward "
         "initialize_parameters simple_cnn_model backward_propagation "
         "update_parameters test_model"}.items() for name in names.split()}


class Told(NamedTuple):
    "The words, regular expressions, that a mistake cannot be told without."
    es: list
    en: list

    def in_(self, text, lang):
        return all(re.search(word, text, re.I)
                   for word in getattr(self, lang))


class Answer(NamedTuple):
    "A student's function: its own name, the book's, and what must be said."
    id: str
    name: str           # of the book's function
    source: str         # as it stands in the student's notebook
    fn: Callable
    told: list          # of `Told`: one of them must be said
    pair: bool          # two mistakes in one function


WRONG, RIGHT = {}, {}


NUMPY = tuple(int(part) for part in np.__version__.split(".")[:2])


def wrong(name, es, en, also=None, numpy=(1, 0)):
    """Register a wrong function for the book's `name`.

    Its mistake is named rightly by a sentence that holds all of the words
    `es` in Spanish, `en` in English. `also=(es, en)` is the second mistake
    of a pair: to name one of the two is enough. Before the version `numpy`
    of NumPy it was right, and is left out.
    """
    told = [Told(es, en)] + ([Told(*also)] if also else [])
    if NUMPY < numpy:
        return lambda fn: fn
    return lambda fn: _register(WRONG, fn, name, told, also is not None)


def right(name):
    "Register a right function for the book's `name`."
    return lambda fn: _register(RIGHT, fn, name, [], False)


def _register(where, fn, name, told, pair):
    if fn.__name__ in WRONG or fn.__name__ in RIGHT:
        raise ValueError(f"{fn.__name__} is there already")
    source = _written(fn, name)
    where[fn.__name__] = Answer(fn.__name__, name, source,
                                _defined(source, name, fn.__name__),
                                told, pair)
    return fn


def _written(fn, name):
    "The text of `fn` without its decorator, with the book's name."
    text = textwrap.dedent(inspect.getsource(fn))
    text = text[re.search(r"(?m)^def ", text).start():]
    return re.sub(rf"\b{fn.__name__}\b", name, text)


def _defined(source, name, where):
    "What `source` defines, in a namespace as the student's notebook has it."
    file = f"<student: {where}>"
    linecache.cache[file] = (len(source), None,
                             source.splitlines(keepends=True), file)
    space = {"np": np, **LAB}
    exec(compile(source, file, "exec"), space)
    return space[name]
