"""How every public function answers to what it cannot use, and to what it can.

Each row of the table is a function, arguments that are right, and for each
of them the wrong values that a reader might pass. All of these must raise
TypeError or ValueError with a message that names the argument.
"""
import importlib
import re
from inspect import isfunction, isgenerator

import numpy as np
import pytest

from cnnbook import architectures, data, fast, interpret, lab, nn, zoo
from cnnbook.backprop import (check_gradient, conv_backward,
                              create_mask_from_window, distribute_value,
                              global_average_pool_backward, numeric_gradient,
                              pool_backward)
from cnnbook.checks import (as_array, as_cache, as_choice, as_dict,
                            as_hparameter, as_int, check_equal, check_fits)
from cnnbook.convolution1d import conv1d, pad_widths
from cnnbook.convolution2d import conv2d, separate
from cnnbook.conv_layer import (conv_forward, conv_multiply_adds,
                                conv_parameters, conv_single_step,
                                dense_parameters, receptive_field)
from cnnbook.data import (minibatches, shift_images, smooth_labels,
                          stratified_split)
from cnnbook.drawings import draw_animal
from cnnbook.evaluation import confusion_matrix, wilson_interval
from cnnbook.images import read_image, read_images
from cnnbook.padding import (border_index, dilate, output_size, pad_axes,
                             zero_pad)
from cnnbook.pooling import global_average_pool, pool_forward, pool_sizes

rng = np.random.default_rng(0)


# ---- wrong values, by what the argument should have been ----

def no_array(*shape):
    "What is never an array of real numbers of this rank."
    wrong = {
        "None": None, "text": "12", "texts": np.full(shape, "1"),
        "objects": np.ones(shape, object), "complex": np.ones(shape, complex),
        "dates": np.zeros(shape, "datetime64[s]"), "a set": {1, 2},
        "one axis more": np.ones((1, *shape)),
        "empty": np.ones((*shape[:-1], 0)),
    }
    if shape:
        wrong |= {"ragged": [[1, 2], [3]], "one axis less": np.ones(shape[1:])}
    else:
        del wrong["empty"]      # a number cannot be empty
    return wrong


def no_integer(minimum):
    "What is never an integer of at least `minimum`."
    return {"None": None, "text": "2", "1.5": 1.5, "2.0": 2.0, "True": True,
            "NaN": np.nan, "complex": 2 + 0j, "an array": np.array([2, 2]),
            "a dict": {}, "too small": minimum - 1, "negative": -1,
            "a NumPy integer too small": np.int64(minimum - 1)}


def no_pair(minimum):
    "What is neither such an integer nor a pair of them."
    wrong = no_integer(minimum)
    pairs = {f"a pair with {key}": (2, value) for key, value in wrong.items()}
    return wrong | pairs | {"one of a pair": (2,), "a triple": (2, 2, 2)}


def no_choice(*right):
    return {"None": None, "a number": 3, "a list": list(right), "empty": "",
            "another": "median", "capitals": right[0].upper()}


def no_hparameters(right, **wrong):
    "`right` with each hyper-parameter left out (if it has no default) or bad."
    rows = {"None": None, "a list": [1, 1], "text": "stride", "a number": 1}
    for key, minimum in wrong.items():
        if key in right:
            rows[f"without {key}"] = {k: v for k, v in right.items()
                                      if k != key}
        rows |= {f"{key} {what}": {**right, key: value}
                 for what, value in no_integer(minimum).items()}
    return rows


def no_shape(*shape):
    "Arrays of this rank, but larger or smaller along one axis."
    sizes = {f"axis {axis} of size {shape[axis] + step}":
             tuple(n + step * (k == axis) for k, n in enumerate(shape))
             for axis in range(len(shape)) for step in (-1, 1)}
    return {what: np.ones(size) for what, size in sizes.items()
            if min(size) > 0}


# ---- the right arguments ----

X2 = rng.normal(size=(6, 7))
W2 = rng.normal(size=(3, 2))
A4 = rng.normal(size=(2, 5, 6, 3))
W4 = rng.normal(size=(2, 2, 3, 4))
B4 = rng.normal(size=(1, 1, 1, 4))
CONV = {"stride": 2, "pad": 1}
POOL = {"f": 2, "stride": 2}
Z4, CONV_CACHE = conv_forward(A4, W4, B4, CONV)
P4, POOL_CACHE = pool_forward(A4, POOL)
M2, MEAN_CACHE = global_average_pool(A4)


def cubes(x):
    return np.sum(x ** 3)


# function: (right arguments, {argument: {what is wrong: value}})
TABLE = {
    as_array: (dict(name="x", x=[1, 2], ndim=1), {}),
    as_int: (dict(name="x", value=2, minimum=1), {}),
    as_hparameter: (dict(hparameters=CONV, key="stride", minimum=1),
                    {"hparameters": no_hparameters(CONV, stride=1)}),
    as_choice: (dict(name="x", value="max", options=("max", "min")), {}),
    check_equal: (dict(name="x", got=1, expected=1, what="axes"), {}),
    check_fits: (dict(f=3, n=3), {}),
    as_dict: (dict(name="value", value={"a": 1}, keys=["a"]), {
        "value": {"None": None, "a list": ["a"], "without a": {}}}),
    as_cache: (dict(cache=(1, 2), items="(A, B)"), {
        "cache": {"None": None, "a number": 3, "text": "AB", "one": (1,)}}),

    pad_widths: (dict(p="same", m=3), {
        "p": no_integer(0) | {"another mode": "SAME", "a pair": (1, 1)},
        "m": no_integer(1)}),
    conv1d: (dict(x=rng.normal(size=8), w=rng.normal(size=3), p=1, s=2), {
        "x": no_array(8), "w": no_array(3) | {"longer than x": np.ones(9)},
        "p": no_integer(0) | {"another mode": "SAME", "a pair": (1, 1)},
        "s": no_integer(1)}),

    output_size: (dict(n=7, f=3, pad=(1, 0), stride=2, dilation=1), {
        "n": no_integer(1), "f": no_integer(1), "pad": no_pair(0),
        "stride": no_integer(1), "dilation": no_integer(1)}),
    zero_pad: (dict(X=A4, pad=1), {
        "X": no_array(2, 5, 6, 3), "pad": no_integer(0)}),
    border_index: (dict(i=-1, n=4, border="reflect"), {
        "i": {"None": None, "text": "2", "1.5": 1.5, "True": True,
              "too far to the left": -4, "too far to the right": 7},
        "n": no_integer(1),
        "border": no_choice("reflect", "replicate", "circular")}),
    pad_axes: (dict(X=X2, widths={0: 2, 1: (1, 0)}, border="reflect"), {
        "X": {key: wrong for key, wrong in no_array(6, 7).items()
              if "axis" not in key} | {"no axis": 3.0, "6": np.ones((1,) * 6)},
        "widths": {"None": None, "a number": 1, "a list": [(1, 1), (1, 1)],
                   "an axis too many": {2: 1}, "-3": {-3: 1},
                   "an axis that is text": {"rows": 1},
                   "the same axis twice": {0: 1, -2: 1},
                   "further than the mirror": {0: (6, 0)}}
        | {f"{key}": {1: pair} for key, pair in no_pair(0).items()},
        "border": no_choice("zeros", "reflect", "replicate", "circular")}),
    dilate: (dict(w=W2, dilation=2), {
        "w": {key: wrong for key, wrong in no_array(3, 2).items()
              if "less" not in key} | {"a number": 3.0},
        "dilation": no_integer(1)}),

    conv2d: (dict(X=X2, W=W2, p=(1, 0), s=(2, 1)), {
        "X": no_array(6, 7), "W": no_array(3, 2),
        "p": no_pair(0) | {"another mode": "SAME"}, "s": no_pair(1)}),
    separate: (dict(W=np.outer([1, 2, 1], [1, 0, -1])), {
        "W": no_array(3, 3) | {"rank 2": np.eye(2), "not finite":
                               np.full((2, 2), np.inf)}}),

    conv_single_step: (
        dict(a_slice_prev=A4[0, :2, :2], W=W4[..., 0], b=B4[..., 0]), {
            "a_slice_prev": no_array(2, 2, 3),
            "W": no_array(2, 2, 3) | no_shape(2, 2, 3),
            "b": no_array(1, 1, 1) | no_shape(1, 1, 1)}),
    conv_forward: (dict(A_prev=A4, W=W4, b=B4, hparameters=CONV), {
        "A_prev": no_array(2, 5, 6, 3),
        "W": no_array(2, 2, 3, 4) | {
            "not square": np.ones((2, 3, 3, 4)),
            "other channels": np.ones((2, 2, 2, 4))},
        "b": no_array(1, 1, 1, 4) | no_shape(1, 1, 1, 4),
        "hparameters": no_hparameters(CONV, stride=1, pad=0, dilation=1)}),
    conv_parameters: (dict(f=3, n_C_prev=3, n_C=16), {
        "f": no_integer(1), "n_C_prev": no_integer(1), "n_C": no_integer(1)}),
    dense_parameters: (dict(n_in=8, n_out=2), {
        "n_in": no_integer(1), "n_out": no_integer(1)}),
    conv_multiply_adds: (dict(n_H=8, n_W=8, f=3, n_C_prev=3, n_C=16), {
        key: no_integer(1) for key in ("n_H", "n_W", "f", "n_C_prev", "n_C")}),
    receptive_field: (dict(layers=[{"f": 3, "stride": 2}, {"f": 2}]), {
        "layers": {"None": None, "a dict": {"f": 3}, "text": "f",
                   "a number": 3}}),

    pool_sizes: (dict(A_prev=A4, hparameters=POOL), {
        "A_prev": no_array(2, 5, 6, 3),
        "hparameters": no_hparameters(POOL, f=1, stride=1)
        | {"a padding": {**POOL, "pad": 1},
           "a dilation": {**POOL, "dilation": 2}}}),
    pool_forward: (dict(A_prev=A4, hparameters=POOL, mode="max"), {
        "A_prev": no_array(2, 5, 6, 3), "mode": no_choice("max", "average"),
        "hparameters": no_hparameters(POOL, f=1, stride=1)
        | {"a padding": {**POOL, "pad": 1},
           "a dilation": {**POOL, "dilation": 2}}}),
    global_average_pool: (dict(A_prev=A4), {"A_prev": no_array(2, 5, 6, 3)}),

    conv_backward: (dict(dZ=Z4, cache=CONV_CACHE), {
        "dZ": no_array(*Z4.shape) | no_shape(*Z4.shape),
        "cache": {"None": None, "a number": 3, "empty": (),
                  "three items": CONV_CACHE[:3], "of pooling": POOL_CACHE}}),
    create_mask_from_window: (dict(x=X2), {"x": no_array(6, 7)}),
    distribute_value: (dict(dz=3.0, shape=(2, 3)), {
        "dz": no_array(),
        "shape": {"a number": 4, "text": "22"} | {
            key: pair for key, pair in no_pair(1).items() if "a " in key}}),
    pool_backward: (dict(dA=P4, cache=POOL_CACHE, mode="max"), {
        "dA": no_array(*P4.shape) | no_shape(*P4.shape),
        "cache": {"None": None, "a number": 3, "empty": (),
                  "of convolution": CONV_CACHE},
        "mode": no_choice("max", "average")}),
    global_average_pool_backward: (dict(dA=M2, cache=MEAN_CACHE), {
        "dA": no_array(2, 3) | no_shape(2, 3),
        "cache": {"None": None, "a number": 3, "three sizes": (2, 5, 3),
                  "of pooling": POOL_CACHE, "no pixels": (2, 0, 6, 3),
                  "half a pixel": (2, 5, 1.5, 3)}}),
    numeric_gradient: (dict(f=np.square, x=X2, dY=X2, eps=1e-5), {
        "f": {"of float32": lambda x: np.square(x).astype(np.float32)},
        "x": {"None": None, "text": "12", "complex": X2 * 1j,
              "objects": X2.astype(object), "ragged": [[1, 2], [3]]},
        "dY": {"text": "12", "complex": X2 * 1j, "ragged": [[1, 2], [3]],
               **no_shape(6, 7)},
        "eps": {"0": 0, "negative": -1e-5, "NaN": np.nan}}),
    check_gradient: (dict(f=cubes, x=X2, analytic=3 * X2 ** 2), {
        "x": {"None": None, "text": "12", "complex": X2 * 1j,
              "objects": X2.astype(object), "ragged": [[1, 2], [3]]},
        "analytic": {"None": None, "text": "12", "complex": X2 * 1j,
                     "one axis less": X2[0], **no_shape(6, 7)},
        "eps": {"0": 0, "negative": -1e-5, "NaN": np.nan}}),
}


# ---- the full model ----

def never_array(*shape):
    "As `no_array`, for functions that take arrays of several ranks."
    return {what: value for what, value in no_array(*shape).items()
            if "axis" not in what}


SHARE = {"negative": -0.1, "1": 1.0, "NaN": np.nan}     # not from 0 to < 1
LABELS = {"half": [0.5, 1, 2], "too large": [0, 1, 3], "negative": [0, -1, 2],
          "NaN": [0, 1, np.nan], "infinite": [0, 1, np.inf]}
Z2 = rng.normal(size=(3, 4))                    # logits
A2 = lab.softmax(Z2)
Y2 = lab.one_hot_encode([0, 3, 1], 4)
D2, DENSE_CACHE = lab.fully_connected_layer_forward(
    Z2, rng.normal(size=(4, 5)), np.zeros((1, 5)))
H4, LAYER_CACHE = lab.conv_layer_forward(A4, W4, B4, CONV)
SMALL = lab.initialize_parameters(5, 6, 3)    # the lab's network
PROBABILITIES, SMALL_CACHES = lab.simple_cnn_model(A4, SMALL)
NO_LAYERS = {"without functions": np, "a list": [fast.conv_forward]}
CACHES = {"None": None, "a number": 3, "empty": ()}
PARAMETERS = {"None": None, "a list": [1, 2], "without W1": {
    key: value for key, value in SMALL.items() if key != "W1"}}

TABLE |= {
    lab.one_hot_encode: (dict(labels=[0, 2, 1], num_classes=3), {
        "labels": never_array(3) | LABELS | {"one-hot": np.eye(3)},
        "num_classes": no_integer(1)}),
    lab.relu: (dict(Z=Z2), {"Z": never_array(3, 4)}),
    lab.relu_backward: (dict(dA=Z2, cache=Z2), {
        "dA": never_array(3, 4) | no_shape(3, 4),
        "cache": never_array(3, 4)}),
    lab.softmax: (dict(Z=Z2), {"Z": never_array(3, 4)}),
    lab.compute_cost: (dict(A_last=A2, Y=Y2), {
        "A_last": no_array(3, 4),
        "Y": no_array(3, 4) | no_shape(3, 4) | {"one row": Y2[:1]}}),
    lab.cross_entropy: (dict(Z=Z2, Y=Y2), {
        "Z": no_array(3, 4),
        "Y": no_array(3, 4) | no_shape(3, 4) | {"one row": Y2[:1]}}),
    lab.softmax_backward: (dict(dA=Z2, A=A2), {
        "dA": never_array(3, 4) | no_shape(3, 4), "A": never_array(3, 4)}),

    lab.conv_layer_forward: (TABLE[conv_forward][0] | dict(layers=fast), {
        **TABLE[conv_forward][1], "layers": NO_LAYERS}),
    lab.conv_layer_backward: (
        dict(dA=H4, cache=LAYER_CACHE, layers=fast), {
            "dA": no_array(*H4.shape) | no_shape(*H4.shape),
            "cache": CACHES, "layers": NO_LAYERS}),
    lab.pool_layer_forward: (TABLE[pool_forward][0] | dict(layers=fast), {
        **TABLE[pool_forward][1], "layers": NO_LAYERS}),
    lab.pool_layer_backward: (TABLE[pool_backward][0] | dict(layers=fast), {
        **TABLE[pool_backward][1], "layers": NO_LAYERS}),
    lab.fully_connected_layer_forward: (
        dict(A_prev=Z2, W=np.ones((4, 5)), b=np.ones((1, 5))), {
            "A_prev": no_array(3, 4),
            "W": no_array(4, 5) | {"other rows": np.ones((3, 5))},
            "b": no_array(1, 5) | no_shape(1, 5)}),
    lab.fully_connected_layer_backward: (dict(dZ=D2, cache=DENSE_CACHE), {
        "dZ": no_array(3, 5) | no_shape(3, 5), "cache": CACHES}),

    lab.initialize_parameters: (
        dict(n_H=5, n_W=6, n_C=3, num_classes=2, scheme="he"), {
            "n_H": no_integer(1), "n_W": no_integer(1), "n_C": no_integer(1),
            "num_classes": no_integer(2), "scheme": no_choice("he", "small")}),
    lab.check_pixels: (dict(X=A4), {}),       # it warns, and no more
    lab.simple_cnn_model: (
        dict(image_array=A4, parameters=SMALL, layers=None), {
            "image_array": no_array(2, 5, 6, 3), "parameters": PARAMETERS,
            "layers": NO_LAYERS}),
    lab.backward_propagation: (
        dict(A_last=PROBABILITIES, Y=np.eye(2), caches=SMALL_CACHES,
             layers=None), {
            "A_last": no_array(2, 2), "layers": NO_LAYERS,
            "Y": no_array(2, 2) | no_shape(2, 2), "caches": CACHES}),
    lab.update_parameters: (
        dict(parameters={"W1": Z2}, gradients={"dW1": Z2}), {
            "parameters": {"None": None, "a list": [Z2]},
            "gradients": {"None": None, "a list": [Z2], "without dW1": {},
                          "another shape": {"dW1": Z2[:1]}}}),
    lab.accuracy: (dict(predictions=A2, labels=[0, 3, 1]), {
        "predictions": never_array(3, 4),
        "labels": never_array(3) | {"one too few": [0, 3]}}),
    lab.test_model: (
        dict(X_test=A4, Y_test=[0, 1], parameters=SMALL, layers=fast), {
            "parameters": PARAMETERS, "layers": NO_LAYERS}),
    wilson_interval: (dict(correct=9, total=10), {
        "correct": no_integer(0) | {"more than all": 11},
        "total": no_integer(1)}),
    confusion_matrix: (
        dict(labels=[0, 1, 2], predictions=[0, 1, 1], num_classes=3), {
            "labels": never_array(3), "num_classes": no_integer(1),
            "predictions": never_array(3) | {"one too few": [0, 1]}}),

    stratified_split: (
        dict(labels=[0, 0, 1, 1, 1], fraction=0.4, seed=0), {
            "labels": no_array(5) | {"a class of one": [0, 0, 1]},
            "fraction": SHARE | {"0": 0.0}}),
    minibatches: (dict(m=5, size=2, rng=rng), {
        "m": no_integer(1), "size": no_integer(1)}),
    draw_animal: (dict(kind="cats", rng=rng), {
        "kind": no_choice("cats", "dogs")}),
    shift_images: (dict(X=A4, chance=0.3, rng=rng), {
        "X": no_array(2, 5, 6, 3), "chance": {"negative": -0.1, "2": 2.0,
                                              "NaN": np.nan}}),
    smooth_labels: (dict(Y=Y2, amount=0.1), {
        "Y": no_array(3, 4), "amount": SHARE}),
}

# ---- what a network sees ----

SEER = nn.Sequential(
    nn.Conv2D(3, 4, pad=1, rng=rng), nn.ReLU(), nn.MaxPool2D(2),
    nn.GlobalAvgPool(), nn.Linear(4, 3, rng=rng))
SEEN = rng.random((2, 5, 6, 3))
NO_MODEL = {"None": None, "a list of layers": [nn.ReLU()], "a dict": SMALL,
            "a layer": nn.ReLU()}
NO_IMAGES = no_array(2, 5, 6, 3) | {"another channel": np.ones((2, 5, 6, 4))}
NO_LAYER = no_integer(0) | {"one too many": 5}
NO_LABELS = no_array(2) | {"one too few": [0], "one too many": [0, 1, 2],
                           "half": [0.5, 1], "too large": [0, 3],
                           "negative": [-1, 0]}
del NO_LABELS["one axis more"]          # (1, m) is read as (m,)
SEE = {"model": NO_MODEL, "X": NO_IMAGES}
ASK = SEE | {"labels": NO_LABELS}
ATTACK = ASK | {
    "X": NO_IMAGES | {"0 to 255": 255 * SEEN, "negative": -SEEN},
    "epsilon": no_array() | {"negative": -0.1, "over 1": 2, "NaN": np.nan},
    "loss": no_choice("cross-entropy", "margin")}
ASKED = dict(model=SEER, X=SEEN, labels=[0, 2])
TABLE |= {
    interpret.activations: (dict(model=SEER, X=SEEN), SEE),
    interpret.layer_field: (dict(model=SEER, layer=2), {
        "model": NO_MODEL, "layer": NO_LAYER | {"all of the image": 3}}),
    interpret.top_patches: (
        dict(model=SEER, X=SEEN, layer=2, channel=1, count=2), SEE | {
            "layer": NO_LAYER | {"all of the image": 3},
            "channel": no_integer(0) | {"one too many": 4},
            "count": no_integer(1) | {"more than images": 3}}),
    interpret.occlusion: (dict(ASKED, size=2, stride=1, value=0.5), ASK | {
        "size": no_integer(1) | {"too large": 6}, "stride": no_integer(1),
        "value": {"text": "12", "a list": [1, 2], "complex": 1j}}),
    interpret.score_gradient: (dict(ASKED, layer=1), ASK | {
        "layer": {k: v for k, v in NO_LAYER.items() if v is not None}}),
    interpret.saliency: (ASKED, ASK),
    interpret.grad_cam: (dict(ASKED, layer=2), ASK | {
        "layer": NO_LAYER | {"no maps": 3}}),
    interpret.upsample: (dict(maps=SEEN[..., 0], shape=(8, 9)), {
        "maps": no_array(2, 5, 6),
        "shape": {"None": None, "a number": 8, "one": (8,), "half": (8, 1.5),
                  "none": (0, 4), "text": "88"}}),
    interpret.shuffled: (
        dict(model=SEER, layers=[0, 4], rng=np.random.default_rng(0)), {
            "model": NO_MODEL, "rng": {"None": None, "a seed": 0},
            "layers": {"None": None, "a number": 3, "text": "0"}}),
    interpret.loss_gradient: (dict(ASKED, loss="margin"), ASK | {
        "loss": ATTACK["loss"]}),
    interpret.fgsm: (dict(ASKED, epsilon=0.1, loss="margin"), ATTACK),
    interpret.pgd: (dict(ASKED, epsilon=0.1, loss="margin", steps=2),
                    ATTACK | {"steps": no_integer(1)}),
    interpret.effective_receptive_field: (
        dict(model=SEER, X=SEEN, layer=0, channel=1), SEE | {
            "layer": NO_LAYER | {"no maps": 3},
            "channel": no_integer(0) | {"one too many": 4}}),
}



# ---- the layers that compose ----

GENERATOR = np.random.default_rng(0)
NO_GENERATOR = {"None": None, "a seed": 0, "the old kind":
                np.random.RandomState(0)}
NO_SHARE = SHARE | {"None": None, "text": "0.5", "an array": [0.1, 0.2]}
NO_SIZE = {"None": None, "text": "1", "negative": -1.0, "NaN": np.nan}
NOT_A_LAYER = {"None": None, "a number": 3, "a class": nn.ReLU}
NO_COUNT = {key: wrong for key, wrong in no_integer(1).items()
            if wrong is not None}               # where None has a meaning
CONV2D = dict(n_C_prev=4, n_C=6, f=3, stride=2, pad=1, dilation=1, groups=2,
              rng=GENERATOR)
NO_CONV2D = {key: no_integer(1) for key in ("n_C_prev", "n_C", "f", "stride",
                                            "dilation")} | {
    "pad": no_integer(0), "rng": NO_GENERATOR,
    "groups": no_integer(1) | {"not a divisor": 4}}
DENSE = nn.Linear(4, 3, rng=GENERATOR)
CLASSIFIER = nn.Sequential(nn.Flatten(), nn.Linear(90, 3, rng=GENERATOR))
TRAINING = dict(model=CLASSIFIER, X=A4, labels=[0, 2], batch=2)


def forward_and_backward(layer, *shape):
    "A pair of functions, to send wrong arrays through a layer."
    def forward(X):
        return layer(X, train=True)

    def backward(dY):
        layer(np.ones(shape), train=True)
        return layer.backward(dY)
    forward.__name__ = type(layer).__name__ + "_forward"
    backward.__name__ = type(layer).__name__ + "_backward"
    Y = forward(np.ones(shape))
    return {forward: (dict(X=np.ones(shape)), {"X": never_array(*shape)}),
            backward: (dict(dY=Y), {"dY": never_array(*Y.shape)
                                    | no_shape(*Y.shape)})}


def load_state_dict(state):
    DENSE.load_state_dict(state)


for layer, *shape in [
        (nn.ReLU(), 3, 4), (nn.LeakyReLU(), 3, 4), (nn.Tanh(), 3, 4),
        (nn.Softmax(), 3, 4), (nn.Pad2D(1, 0, 2, 0), 2, 5, 6, 3),
        (nn.BatchNorm2D(3), 2, 5, 6, 3),
        (nn.GroupNorm(4, 2), 2, 5, 6, 4), (nn.Dropout(rng=GENERATOR), 3, 4),
        (nn.ConvTranspose2D(3, 2, rng=GENERATOR), 2, 5, 6, 3)]:
    TABLE |= forward_and_backward(layer, *shape)

TABLE |= {
    nn.Conv2D: (CONV2D, NO_CONV2D),
    nn.ConvTranspose2D: (CONV2D | dict(output_pad=1), NO_CONV2D | {
        "output_pad": no_integer(0) | {"the stride": 2}}),
    nn.Linear: (dict(n_in=4, n_out=3, rng=GENERATOR), {
        "n_in": no_integer(1), "n_out": no_integer(1), "rng": NO_GENERATOR}),
    nn.MaxPool2D: (dict(f=2, stride=1), {
        "f": no_integer(1), "stride": NO_COUNT}),
    nn.Pad2D: (dict(top=1, bottom=0, left=2, right=0, value=-np.inf), {
        **{side: no_integer(0) for side in ("top", "bottom", "left",
                                            "right")},
        "value": {"None": None, "NaN": np.nan, "text": "1"}}),
    nn.LeakyReLU: (dict(slope=0.1), {"slope": {"None": None, "text": "1"}}),
    nn.Tanh: (dict(amplitude=2, slope=0.1), {
        "amplitude": {"None": None, "NaN": np.nan},
        "slope": {"None": None, "infinite": np.inf}}),
    nn.BatchNorm2D: (dict(n_C=3, momentum=0.1, epsilon=1e-5), {
        "n_C": no_integer(1), "momentum": NO_SHARE, "epsilon": NO_SIZE}),
    nn.GroupNorm: (dict(n_C=4, groups=2, epsilon=1e-5), {
        "n_C": no_integer(1) | {"no multiple": 3}, "groups": no_integer(1),
        "epsilon": NO_SIZE}),
    nn.Dropout: (dict(rate=0.5, rng=GENERATOR), {
        "rate": NO_SHARE, "rng": NO_GENERATOR}),
    nn.Residual: (dict(main=nn.ReLU(), shortcut=nn.ReLU()), {
        "main": NOT_A_LAYER, "shortcut": {"a number": 3, "a class": nn.ReLU}}),
    load_state_dict: (dict(state=DENSE.state_dict()), {"state": {
        "None": None, "a list": [1], "empty": {},
        "another shape": {**DENSE.state_dict(), "W": np.ones((3, 4))},
        "text": {**DENSE.state_dict(), "W": "W"}}}),
    nn.SGD: (dict(model=DENSE, learning_rate=0.1, momentum=0.9,
                  weight_decay=0.1), {
        "learning_rate": NO_SIZE, "momentum": NO_SHARE,
        "weight_decay": NO_SIZE}),
    nn.Adam: (dict(model=DENSE, learning_rate=0.1, beta1=0.9, beta2=0.99,
                   epsilon=1e-8, weight_decay=0.1), {
        "learning_rate": NO_SIZE, "beta1": NO_SHARE, "beta2": NO_SHARE,
        "epsilon": NO_SIZE, "weight_decay": NO_SIZE}),
    nn.he_weights: (dict(rng=GENERATOR, shape=(3, 2), dtype=np.float64), {"rng": NO_GENERATOR}),
    nn.dropout_forward: (dict(A=A4, rate=0.5, rng=GENERATOR), {
        "A": never_array(2, 3), "rate": SHARE}),
    nn.check_layer: (dict(layer=nn.ReLU(), X=Z2, rng=GENERATOR), {
        "X": never_array(3, 4)}),
    nn.softmax_cross_entropy: (dict(Z=Z2, labels=[0, 2, 1]), {
        "Z": no_array(3, 4),
        "labels": never_array(3) | LABELS | {
            "too large": [0, 4, 1], "one too few": [0, 1]}}),
    nn.mean_squared_error: (dict(Y_hat=Z2, Y=Z2), {
        "Y_hat": never_array(3, 4),
        "Y": never_array(3, 4) | no_shape(3, 4)}),
    nn.cosine: (dict(warm=0.1), {"warm": NO_SHARE}),
    nn.one_cycle: (dict(warm=0.1, start=25, end=1e4), {
        "warm": NO_SHARE, "start": NO_SIZE, "end": NO_SIZE}),
    nn.stairs: (dict(at=(0.5,), by=0.1), {
        "at": {"None": None, "a number": 0.5}, "by": NO_SIZE}),
    nn.KeepBest: (dict(patience=2), {"patience": NO_COUNT}),
    nn.outputs: (dict(model=CLASSIFIER, X=A4, batch=2), {
        "X": never_array(2, 5, 6, 3), "batch": no_integer(1)}),
    nn.evaluate: (TRAINING, {
        "X": never_array(2, 5, 6, 3), "batch": no_integer(1),
        "labels": {"one too few": [0], "too large": [0, 3]}}),
    nn.fit: (TRAINING | dict(optimizer=nn.SGD(CLASSIFIER, 0.1), epochs=1,
                             rng=GENERATOR), {
        "X": never_array(2, 5, 6, 3), "epochs": no_integer(1),
        "batch": no_integer(1), "rng": NO_GENERATOR,
        "labels": {"None": None, "one too few": [0], "too large": [0, 3]}}),
    nn.summary: (dict(model=nn.Flatten(), shape=(5, 6, 3)), {
        "shape": {"None": None, "a number": 5, "text": "563"} | {
            what: (5, 6, n) for what, n in no_integer(1).items()}}),
}


# ---- the architectures ----

DIGITS = np.full((2, 28, 28), 200, np.uint8)
NO_DIGITS = no_array(2, 28, 28) | {
    "scaled": DIGITS / 255, "negative": DIGITS - 201.0, "of one axis": [1, 2],
    "larger": np.zeros((2, 32, 32)), "colored": np.zeros((2, 28, 28, 3))}

TABLE |= forward_and_backward(architectures.PositionBias(5, 6, 3), 2, 5, 6, 3)
TABLE |= forward_and_backward(architectures.Subsample(3), 2, 5, 6, 3)
TABLE |= forward_and_backward(
    architectures.RBF(architectures.digit_codes()), 2, 84)
TABLE |= {
    architectures.lenet1989: (dict(rng=GENERATOR), {"rng": NO_GENERATOR}),
    architectures.lenet5: (dict(rng=GENERATOR), {"rng": NO_GENERATOR}),
    architectures.lenet5_relu: (
        dict(rng=GENERATOR, activation=nn.Tanh, pool=nn.AvgPool2D), {
            "rng": NO_GENERATOR} | dict.fromkeys(("activation", "pool"), {
                "None": None, "a layer": nn.ReLU(), "no layer": dict})),
    architectures.small_cnn: (dict(rng=GENERATOR, widths=(2, 3)), {
        "rng": NO_GENERATOR, "widths": {
            "zero": (0, 2), "half": (2.5,), "text": "ab"}}),
    zoo.lenet5_images: (dict(images=DIGITS), {"images": NO_DIGITS}),
    zoo.unit_images: (dict(images=DIGITS), {"images": NO_DIGITS}),
    zoo.pretrained: (dict(name="lenet5-relu"), {"name": {
        "None": None, "a number": 5, "unknown": "alexnet"}}),
    architectures.digit_codes: ({}, {}),
    architectures.PositionBias: (dict(n_H=5, n_W=6, n_C=3), {
        key: no_integer(1) for key in ("n_H", "n_W", "n_C")}),
    architectures.Subsample: (dict(n_C=3), {"n_C": no_integer(1)}),
    architectures.RBF: (dict(codes=np.eye(3)), {"codes": no_array(3, 3)}),
    architectures.TableConv2D: (
        dict(n_C_prev=3, table=[(0, 1), (2,)], f=2, rng=GENERATOR), {
            "n_C_prev": no_integer(1), "f": no_integer(1),
            "table": {"too large": [(0, 3)], "negative": [(-1,)],
                      "half": [(0.5,)]}}),
    architectures.rbf_loss: (dict(Z=Z2, labels=[0, 2, 1], j=1.0), {
        "Z": no_array(3, 4), "j": {"None": None, "NaN": np.nan},
        "labels": {"too large": [0, 5, 1], "one too few": [0, 1]}}),
    architectures.squared_error: (dict(Z=Z2, labels=[0, 2, 1]), {
        "Z": no_array(3, 4), "labels": never_array(3) | LABELS | {
            "too large": [0, 4, 1], "one too few": [0, 1]}}),
    architectures.enlarge: (dict(X=A4, times=2, border=1), {
        "X": no_array(2, 5, 6, 3), "times": no_integer(1),
        "border": no_integer(0)}),
    architectures.random_crop: (dict(X=A4, size=3, rng=GENERATOR), {
        "X": no_array(2, 5, 6, 3), "rng": NO_GENERATOR,
        "size": no_integer(1) | {"too large": 6}}),
    architectures.center_crop: (dict(X=A4, size=3), {
        "X": no_array(2, 5, 6, 3),
        "size": no_integer(1) | {"too large": 6}}),
    architectures.sample_at: (dict(X=A4, places=np.ones((2, 3, 2))), {
        "X": no_array(2, 5, 6, 3), "places": no_array(2, 3, 2) | {
            "of other images": np.ones((3, 3, 2)),
            "NaN": np.full((2, 3, 2), np.nan),
            "triples": np.ones((2, 3, 3))}}),
    architectures.random_affine: (
        dict(X=A4, rng=GENERATOR, rotation=9, scale=0.1, shear=0.1, shift=2),
        {"X": no_array(2, 5, 6, 3), "rng": NO_GENERATOR, "rotation": NO_SIZE,
         "scale": NO_SIZE, "shear": NO_SIZE, "shift": NO_SIZE}),
    architectures.jitter_contrast: (
        dict(X=A4, amount=0.1, rng=GENERATOR), {
            "X": never_array(2, 5, 6, 3), "amount": NO_SIZE,
            "rng": NO_GENERATOR}),
}
for make in architectures.small_vgg, architectures.small_resnet:
    TABLE[make] = (dict(n_C=3, num_classes=4, width=2, stages=1,
                        rng=GENERATOR), {
        "n_C": no_integer(1), "num_classes": no_integer(2),
        "width": no_integer(1), "stages": no_integer(1),
        "rng": NO_GENERATOR})
TABLE |= {
    data.digits: ({}, {}),
    data.fingerprint: (dict(X=np.ones((2, 2, 2, 1), np.uint8), y=[0, 9]), {
        "X": {"None": None, "text": "12", "floats": A4, "a list": [[1, 2]]},
        "y": {"None": None, "text": "12", "negative": [-1, 0],
              "too large": [0, 256], "half": [0.5, 1]}}),
}
# A step of training, which `fit` calls with what it has checked itself, the
# sums and products of arrays that are checked, and helpers for whole programs.
INSIDE = {"train_step", "batches_per_epoch", "sum_over", "mean_over",
          "long_product", "widen", "progress", "someone_watches"}
# What `images`, `storage` and the data sets refuse has tests of its own.
INSIDE |= {"mnist", "fashion_mnist", "cifar10", "photographs"}
MODULES = ("checks", "convolution1d", "padding", "convolution2d",
           "conv_layer", "pooling", "backprop", "lab", "data", "evaluation",
           "drawings", "progress_bar", "nn", "architectures", "zoo",
           "interpret")


@pytest.mark.parametrize("module", MODULES)
def test_every_public_function_is_in_the_table(module):
    module = importlib.import_module(f"cnnbook.{module}")
    public = [getattr(module, name) for name in module.__all__]
    missing = {f.__name__ for f in public if isfunction(f) and f not in TABLE}
    assert missing <= INSIDE, "give each of them a row in TABLE"


@pytest.mark.parametrize("function", TABLE, ids=lambda f: f.__name__)
def test_the_right_arguments_are_accepted(function):
    function(**TABLE[function][0])      # or the rows below would prove nothing


def names(message, argument):
    "Is the argument in the message, as a word?"
    return re.search(rf"(?<!\w){re.escape(argument)}(?!\w)", message)


@pytest.mark.parametrize("function, argument, value", [
    pytest.param(function, argument, value,
                 id=f"{function.__name__}-{argument}-{what}")
    for function, (_, wrong) in TABLE.items()
    for argument, values in wrong.items()
    for what, value in values.items()])
def test_a_wrong_argument_is_named(function, argument, value):
    with pytest.raises((TypeError, ValueError)) as caught:
        result = function(**{**TABLE[function][0], argument: value})
        if isgenerator(result):         # it checks when it is first asked
            list(result)
    assert names(str(caught.value), argument), str(caught.value)


# ---- the doors themselves: the name is given to them ----

@pytest.mark.parametrize("value", [
    pytest.param(value, id=what) for what, value in no_array(3).items()])
def test_as_array_refuses(value):
    with pytest.raises((TypeError, ValueError), match="^A_prev must "):
        as_array("A_prev", value, 1)


@pytest.mark.parametrize("value", [
    pytest.param(value, id=what) for what, value in no_integer(1).items()])
def test_as_int_refuses(value):
    with pytest.raises((TypeError, ValueError), match="^stride must .*got"):
        as_int("stride", value, 1)


@pytest.mark.parametrize("value", [
    pytest.param(value, id=what)
    for what, value in no_choice("max", "min").items()])
def test_as_choice_refuses(value):
    with pytest.raises((TypeError, ValueError), match="^mode must be one of"):
        as_choice("mode", value, ("max", "min"))


def test_the_message_says_what_came_and_what_was_expected():
    with pytest.raises(ValueError, match=r"A_prev must have 4 axes \(m, .*\); "
                       r"got 3, shape \(5, 6, 3\)"):
        pool_forward(A4[0], POOL)
    with pytest.raises(ValueError, match="W must have 3 channels .*got 2"):
        conv_forward(A4, W4[:, :, :2], B4, CONV)


# ---- a kernel that does not fit says both sizes ----

@pytest.mark.parametrize("call", [
    pytest.param(lambda: conv1d([1, 2], [1, 2, 3]), id="conv1d"),
    pytest.param(lambda: output_size(2, 3), id="output_size"),
    pytest.param(lambda: output_size(2, 2, dilation=2), id="dilated"),
    pytest.param(lambda: conv2d(np.ones((2, 9)), np.ones((3, 3))), id="rows"),
    pytest.param(lambda: conv2d(np.ones((9, 2)), np.ones((3, 3))),
                 id="columns"),
    pytest.param(lambda: conv_forward(
        A4[:, :1, :1], np.ones((3, 3, 3, 4)), B4, {"stride": 1, "pad": 0}),
        id="conv_forward"),
    pytest.param(lambda: pool_forward(A4[:, :2], {"f": 3, "stride": 1}),
                 id="pool_forward"),
    pytest.param(lambda: check_fits(3, 2), id="check_fits"),
])
def test_a_kernel_larger_than_the_padded_input(call):
    with pytest.raises(ValueError, match="(kernel|window) of size 3 is "
                       "larger than the (padded )?input of size"):
        call()


@pytest.mark.parametrize("layer, name", [
    (None, "dict"), ((3, 1), "dict"), ({"stride": 1}, "'f'"),
    ({"f": 0}, '"f"'), ({"f": 3, "stride": 1.5}, '"stride"'),
    ({"f": 3, "pad": -1}, '"pad"'), ({"f": 3, "dilation": True}, '"dilation"'),
])
def test_a_layer_of_a_receptive_field(layer, name):
    with pytest.raises((TypeError, ValueError), match=name):
        receptive_field([{"f": 3}, layer])


# These are checked before any file is opened: an empty folder will do.
@pytest.mark.parametrize("function", [read_image, read_images],
                         ids=lambda f: f.__name__)
@pytest.mark.parametrize("argument, value", [
    pytest.param(argument, value, id=f"{argument}-{what}")
    for argument, values in {"size": no_pair(1), "max_pixels": no_integer(1),
                             "fit": no_choice("stretch", "crop")}.items()
    for what, value in values.items()])
def test_how_images_are_read(function, argument, value, tmp_path):
    with pytest.raises((TypeError, ValueError)) as caught:
        function(tmp_path, **{"size": 8, argument: value})
    assert names(str(caught.value), argument)


def test_the_cache_of_a_layer_is_checked_too():
    A_prev, W, b, hparameters = CONV_CACHE
    for argument, cache in {
            "A_prev": (A_prev[0], W, b, hparameters),
            "W": (A_prev, W[:, :, :1], b, hparameters),
            "b": (A_prev, W, b[..., :1], hparameters),
            "hparameters": (A_prev, W, b, None),
            "dZ": (A_prev, W, b, {"stride": 1, "pad": 0})}.items():
        with pytest.raises((TypeError, ValueError)) as caught:
            conv_backward(Z4, cache)
        assert names(str(caught.value), argument)


# ---- what can be used: NaN, infinity, every type of number ----

# Functions from arrays to arrays; their arrays are what the tests change.
ARRAYS = [conv1d, zero_pad, pad_axes, dilate, conv2d, separate,
          conv_single_step, conv_forward, pool_forward, global_average_pool,
          conv_backward, distribute_value, pool_backward,
          global_average_pool_backward, lab.relu, lab.relu_backward,
          lab.softmax, lab.softmax_backward, lab.conv_layer_forward,
          lab.conv_layer_backward, lab.fully_connected_layer_forward,
          lab.fully_connected_layer_backward]


def each_array(change, value):
    "Apply `change` to every array in an argument, also within a cache."
    if isinstance(value, np.ndarray):
        return change(value)
    if type(value) is tuple and any(isinstance(v, np.ndarray) for v in value):
        return tuple(each_array(change, v) for v in value)
    return value


def call(function, change=lambda a: a):
    "Its results, as a list of arrays, when its arrays are changed."
    arguments = {key: each_array(change, value)
                 for key, value in TABLE[function][0].items()}
    if function is distribute_value:
        arguments["dz"] = change(np.array(3.0))
    result = function(**arguments)
    result = result if isinstance(result, tuple) else (result,)
    # a forward pass returns its cache too: that is not a result
    return [r for r in result if isinstance(r, (np.ndarray, np.generic))]


@pytest.mark.parametrize("function", ARRAYS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_floats_keep_their_type(function, dtype):
    for result in call(function, lambda a: a.astype(dtype)):
        assert result.dtype == dtype


@pytest.mark.parametrize("function", ARRAYS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "int64"])
def test_integers_and_booleans_become_float64(function, dtype):
    def convert(a):
        return np.abs(a).round().astype(dtype)

    def as_floats(a):
        return convert(a).astype(np.float64)
    for result, expected in zip(call(function, convert),
                                call(function, as_floats)):
        assert result.dtype == np.float64
        assert np.array_equal(result, expected)


@pytest.mark.parametrize("function", ARRAYS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("layout", [
    np.asfortranarray, lambda a: np.repeat(a, 2, axis=-1)[..., ::2],
    lambda a: a[::-1].copy()[::-1]], ids=["Fortran", "strided", "reversed"])
def test_the_layout_in_memory_is_of_no_importance(function, layout):
    def view(a):
        a = layout(a) if a.ndim else a
        a.flags.writeable = False       # and writing into it would raise
        return a
    for result, expected in zip(call(function, view), call(function)):
        assert np.allclose(result, expected)


@pytest.mark.parametrize("function", ARRAYS + [
    create_mask_from_window, numeric_gradient, check_gradient],
    ids=lambda f: f.__name__)
def test_inputs_are_never_written_to(function):
    given = []

    def keep(a):
        given.append((a.copy(), a))
        return given[-1][1]
    results = call(function, keep)
    assert given or function is distribute_value
    for before, after in given:
        assert np.array_equal(before, after)
    for result in results:              # nor later, through the result
        assert not any(np.shares_memory(result, a) for _, a in given
                       if result is not a)      # a cache is a reference


def test_caches_hold_references():
    assert all(a is b for a, b in zip(CONV_CACHE, (A4, W4, B4, CONV)))
    assert POOL_CACHE[0] is A4 and POOL_CACHE[1] is POOL
    assert MEAN_CACHE == A4.shape
    conv_cache, relu_cache = LAYER_CACHE
    assert conv_cache[0] is A4 and np.array_equal(relu_cache, Z4)
    assert DENSE_CACHE[0] is Z2 and lab.relu(Z2)[1] is Z2


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_pass_through(value):
    A = A4.copy()
    A[0, 1, 1, 0] = value
    reach = np.zeros(A.shape, bool)
    reach[0, 1, 1, 0] = True

    padded = zero_pad(A, 1)
    assert np.array_equal(padded[0, 2, 2, 0], value, equal_nan=True)
    assert np.array_equal(pad_axes(A, {1: 1, 2: 1}), padded, equal_nan=True)
    assert np.array_equal(dilate(A[0, :, :, 0], 2)[2, 2], value,
                          equal_nan=True)

    Z, _ = conv_forward(A, W4, B4, {"stride": 1, "pad": 0})
    affected = np.zeros(Z.shape, bool)      # the windows that see the value
    affected[0, 0:2, 0:2] = True
    assert np.array_equal(~np.isfinite(Z), affected)

    P, _ = pool_forward(A, {"f": 2, "stride": 1})
    windows = np.lib.stride_tricks.sliding_window_view(A, (2, 2), (1, 2))
    assert np.array_equal(P, windows.max((-2, -1)), equal_nan=True)
    P, _ = pool_forward(A, {"f": 2, "stride": 1}, "average")
    assert np.array_equal(~np.isfinite(P[..., 0]), affected[..., 0])
    assert np.isfinite(P[..., 1:]).all()

    x = A[0, :, :, 0]
    kernel = np.ones((2, 2))
    assert np.array_equal(conv1d(x[1], [1.0, 2]),
                          np.convolve(x[1], [1.0, 2], "valid"), equal_nan=True)
    assert np.array_equal(~np.isfinite(conv2d(x, kernel)),
                          affected[0, :, :, 0])
    mask = create_mask_from_window(x)
    assert mask.flat[np.argmax(x)] and mask.sum() == 1
    assert np.array_equal(distribute_value(value, (1, 2)), [[value, value]],
                          equal_nan=True)

    dZ = np.zeros(Z.shape)
    dZ[0, 0, 0, 0] = value
    dA, dW, db = conv_backward(dZ, conv_forward(A4, W4, B4, {
        "stride": 1, "pad": 0})[1])
    assert not np.isfinite(dA[0, :2, :2]).any() and not np.isfinite(db[..., 0])
    assert np.isfinite(dA[1]).all() and np.isfinite(dW[..., 1:]).all()
    dP = np.zeros(P.shape)
    dP[0, 0, 0, 0] = value
    for mode in "max", "average":
        cache = pool_forward(A4, {"f": 2, "stride": 1})[1]
        dA = pool_backward(dP, cache, mode)
        assert np.isfinite(dA[0, 2:]).all()
        assert np.isfinite(dA[0, :2, :2, 0]).sum() == (
            3 if mode == "max" else 0)


# ---- a batch of no images ----

def test_a_batch_of_no_images():
    A = np.ones((0, 5, 6, 3), np.float32)
    assert zero_pad(A, 1).shape == (0, 7, 8, 3)
    assert pad_axes(A, {1: 1}, "reflect").shape == (0, 7, 6, 3)

    W, b = W4.astype(np.float32), B4.astype(np.float32)
    Z, cache = conv_forward(A, W, b, CONV)
    assert Z.shape == (0, 3, 4, 4) and Z.dtype == np.float32
    dA, dW, db = conv_backward(Z, cache)
    assert dA.shape == A.shape
    assert dW.shape == W.shape and db.shape == b.shape
    assert not dW.any() and not db.any()

    for mode in "max", "average":
        P, cache = pool_forward(A, POOL, mode)
        assert P.shape == (0, 2, 3, 3)
        assert pool_backward(P, cache, mode).shape == A.shape


@pytest.mark.parametrize("layers", [None, fast], ids=["loops", "fast"])
def test_a_batch_of_no_images_in_the_network(layers):
    A_last, caches = lab.simple_cnn_model(A4[:0], SMALL, layers)
    assert A_last.shape == (0, 2)
    H, cache = lab.conv_layer_forward(A4[:0], W4, B4, CONV, layers)
    assert H.shape == (0, *H4.shape[1:])
    dA, dW, db = lab.conv_layer_backward(H, cache, layers)
    assert dA.shape == A4[:0].shape and not dW.any() and not db.any()
    for mode in "max", "average":
        P, cache = lab.pool_layer_forward(A4[:0], POOL, mode, layers)
        assert P.shape == (0, *P4.shape[1:])
        dA = lab.pool_layer_backward(P, cache, mode, layers)
        assert dA.shape == A4[:0].shape


def test_the_global_average_of_no_images():
    M, cache = global_average_pool(np.ones((0, 5, 6, 3)))
    assert M.shape == (0, 3)
    assert global_average_pool_backward(M, cache).shape == (0, 5, 6, 3)


@pytest.mark.parametrize("shape", [(2, 0, 6, 3), (2, 5, 0, 3), (2, 5, 6, 0)])
def test_images_without_pixels_or_channels_are_refused(shape):
    for function in (lambda A: zero_pad(A, 1), global_average_pool,
                     lambda A: pool_forward(A, POOL),
                     lambda A: conv_forward(A, W4, B4, CONV)):
        with pytest.raises(ValueError, match="(X|A_prev) must not be empty"):
            function(np.ones(shape))
