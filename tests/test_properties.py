"""What holds for every shape, stride, padding, dilation, type and layout."""
import os

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from cnnbook.backprop import (conv_backward, create_mask_from_window,
                              distribute_value, pool_backward)
from cnnbook.convolution1d import conv1d
from cnnbook.convolution2d import conv2d, separate
from cnnbook.conv_layer import conv_forward, receptive_field
from cnnbook.padding import (BORDERS, border_index, dilate, output_size,
                             pad_axes, zero_pad)
from cnnbook.pooling import global_average_pool, pool_forward

# Where CI is set, the same examples in every run: a failure is then always
# of the code, never of the draw. By hand, new examples each time.
settings.register_profile("book", deadline=None, max_examples=100,
                          derandomize="CI" in os.environ)
settings.load_profile("book")


# ---- what is drawn ----

sizes = st.integers(1, 5)
strides = st.integers(1, 4)
pads = st.integers(0, 3)
dilations = st.integers(1, 3)
modes = st.sampled_from(["max", "average"])
dtypes = st.sampled_from([np.float16, np.float32, np.float64])
# Small integers: sums of their products are exact, so that results may be
# compared with ==, and ties are frequent.
numbers = st.integers(-4, 4).map(float)


def signals(max_size=12):
    return arrays(float, st.integers(1, max_size), elements=numbers)


def images():
    return arrays(float, array_shapes(min_dims=2, max_dims=2, max_side=6),
                  elements=numbers)


def random(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape)


seeds = st.integers(0, 2**32 - 1)


@st.composite
def conv_layers(draw):
    "The arguments of `conv_forward`, in float64, that fit one another."
    f, m, n_C_prev, n_C = (draw(st.integers(1, 3)) for _ in range(4))
    stride, pad, dilation = draw(strides), draw(pads), draw(dilations)
    least = max(dilation * (f - 1) + 1 - 2 * pad, 1)
    n_H, n_W = draw(st.integers(least, least + 5)), draw(
        st.integers(least, least + 5))
    seed = draw(seeds)
    return (random(seed, m, n_H, n_W, n_C_prev),
            random(seed + 1, f, f, n_C_prev, n_C),
            random(seed + 2, 1, 1, 1, n_C),
            {"stride": stride, "pad": pad, "dilation": dilation})


@st.composite
def pool_layers(draw):
    "The first two arguments of `pool_forward`; the images have many ties."
    f, stride = draw(st.integers(1, 4)), draw(strides)
    shape = (draw(st.integers(1, 2)), draw(st.integers(f, f + 5)),
             draw(st.integers(f, f + 5)), draw(st.integers(1, 3)))
    return (draw(arrays(float, shape, elements=numbers)),
            {"f": f, "stride": stride})


def views(a):
    "The same numbers, laid out otherwise in memory, and read-only."
    wide = np.zeros([2 * n for n in a.shape], a.dtype)
    every_other = wide[tuple(slice(None, None, 2) for _ in a.shape)]
    every_other[...] = a
    for view in (every_other, np.asfortranarray(a), a[::-1].copy()[::-1]):
        view.flags.writeable = False
        yield view


# ---- sizes ----

@given(st.integers(1, 30), sizes, pads, pads, strides, dilations)
def test_output_size_counts_the_windows(n, f, before, after, stride, dilation):
    padded, reach = n + before + after, dilation * (f - 1)
    starts = [i for i in range(0, padded, stride) if i + reach < padded]
    assume(starts)
    assert output_size(n, f, (before, after), stride, dilation) == len(starts)


@given(signals(), st.data(), strides)
def test_the_length_of_conv1d(x, data, s):
    w = data.draw(arrays(float, st.integers(1, len(x)), elements=numbers))
    n, m = len(x), len(w)
    assert len(conv1d(x, w, "same")) == n
    assert len(conv1d(x, w, "full")) == n + m - 1
    assert len(conv1d(x, w, "valid")) == n - m + 1
    p = data.draw(pads)
    assert len(conv1d(x, w, p, s)) == output_size(n, m, p, s)


@given(images(), images(), st.tuples(strides, strides))
def test_the_shape_of_conv2d(X, W, s):
    assert conv2d(X, W, "same").shape == X.shape
    full = tuple(np.add(X.shape, W.shape) - 1)
    assert conv2d(X, W, "full").shape == full
    # a stride leaves out rows and columns, and changes no other
    assert np.array_equal(conv2d(X, W, "full", s),
                          conv2d(X, W, "full")[::s[0], ::s[1]])


@given(conv_layers())
def test_the_shape_of_a_layer(layer):
    A_prev, W, b, hp = layer
    Z, cache = conv_forward(*layer)
    n_H, n_W = (output_size(n, len(W), hp["pad"], hp["stride"],
                            hp["dilation"]) for n in A_prev.shape[1:3])
    assert Z.shape == (len(A_prev), n_H, n_W, W.shape[3])
    gradients = conv_backward(np.ones_like(Z), cache)
    assert [g.shape for g in gradients] == [A_prev.shape, W.shape, b.shape]


@given(pool_layers(), modes)
def test_the_shape_of_pooling(layer, mode):
    A_prev, hp = layer
    A, cache = pool_forward(A_prev, hp, mode)
    assert A.shape == (len(A_prev), *(
        output_size(n, hp["f"], stride=hp["stride"])
        for n in A_prev.shape[1:3]), A_prev.shape[3])
    assert pool_backward(A, cache, mode).shape == A_prev.shape


# ---- convolution is linear, commutative, associative, equivariant ----

@given(signals(), signals())
def test_conv1d_is_commutative(x, w):
    x, w = sorted((x, w), key=len, reverse=True)
    zeros = np.zeros(len(x) - len(w))       # the kernel may not be longer
    assert np.array_equal(conv1d(x, np.append(w, zeros), "full"),
                          conv1d(np.append(w, zeros), x, "full"))


@given(images(), images())
def test_conv2d_is_commutative(X, W):
    assert np.array_equal(conv2d(X, W, "full"), conv2d(W, X, "full"))


@given(images(), images(), images())
def test_conv2d_is_associative(X, V, W):
    assert np.array_equal(conv2d(conv2d(X, V, "full"), W, "full"),
                          conv2d(X, conv2d(V, W, "full"), "full"))


@given(signals(), numbers, numbers, st.data())
def test_conv1d_is_linear(x, a, b, data):
    u = data.draw(arrays(float, len(x), elements=numbers))
    w = data.draw(arrays(float, st.integers(1, len(x)), elements=numbers))
    p, s = data.draw(pads), data.draw(strides)
    assert np.array_equal(conv1d(a * x + b * u, w, p, s),
                          a * conv1d(x, w, p, s) + b * conv1d(u, w, p, s))


@given(conv_layers(), numbers, numbers)
def test_a_layer_is_linear_but_for_its_bias(layer, a, b):
    A_prev, W, bias, hp = layer
    other = random(0, *A_prev.shape)

    def linear(A_prev, W=W):
        return conv_forward(A_prev, W, 0 * bias, hp)[0]
    np.testing.assert_allclose(
        linear(a * A_prev + b * other),
        a * linear(A_prev) + b * linear(other), atol=1e-9)
    np.testing.assert_allclose(
        linear(A_prev, a * W + b * W[::-1]),
        a * linear(A_prev) + b * linear(A_prev, W[::-1]), atol=1e-9)
    np.testing.assert_allclose(conv_forward(*layer)[0],
                               linear(A_prev) + bias, atol=1e-9)


@given(signals(), st.integers(0, 5), st.data())
def test_a_later_signal_gives_a_later_convolution(x, delay, data):
    w = data.draw(arrays(float, st.integers(1, len(x)), elements=numbers))
    zeros = np.zeros(delay)
    late = conv1d(np.append(zeros, x), w, "full")
    assert np.array_equal(late, np.append(zeros, conv1d(x, w, "full")))


@given(conv_layers(), st.integers(0, 3), st.integers(0, 3))
def test_a_moved_image_gives_a_moved_map(layer, rows, cols):
    A_prev, W, b, hp = layer
    # a frame as wide as a window on every side, so that the move pushes
    # nothing out of sight
    frame = hp["dilation"] * (len(W) - 1)
    hp = {**hp, "stride": 1, "pad": frame}
    moved = np.pad(A_prev, ((0, 0), (rows, 0), (cols, 0), (0, 0)))
    Z, Z_moved = (conv_forward(A, W, b, hp)[0] for A in (A_prev, moved))
    np.testing.assert_allclose(Z_moved[:, rows:, cols:], Z, atol=1e-12)


@given(sizes, sizes, seeds)
def test_a_separable_kernel_splits_and_joins(f_H, f_W, seed):
    W = np.outer(random(seed, f_H), random(seed + 1, f_W))
    column, row = separate(W)
    np.testing.assert_allclose(column * row, W, atol=1e-12)


# ---- padding and dilation ----

@given(arrays(float, array_shapes(min_dims=4, max_dims=4, max_side=4),
              elements=numbers), pads)
def test_zero_pad_can_be_cut_off_again(X, pad):
    padded = zero_pad(X, pad)
    inside = padded[:, pad:pad + X.shape[1], pad:pad + X.shape[2]]
    assert np.array_equal(inside, X)
    assert np.abs(padded).sum() == np.abs(X).sum()      # the rest is zeros


@given(st.integers(1, 8), st.integers(0, 20), st.integers(0, 20),
       st.sampled_from(BORDERS[1:]))
def test_a_border_is_made_of_the_samples(n, before, after, border):
    if border == "reflect":
        before, after = min(before, n - 1), min(after, n - 1)
    index = [border_index(i, n, border) for i in range(-before, n + after)]
    assert index[before:before + n] == list(range(n))
    assert np.array_equal(pad_axes(np.arange(n), {0: (before, after)}, border),
                          index)


@given(images(), dilations, dilations)
def test_dilations_multiply(w, first, second):
    assert np.array_equal(dilate(dilate(w, first), second),
                          dilate(w, first * second))
    assert np.array_equal(dilate(w, first)[::first, ::first], w)


@given(conv_layers())
def test_a_dilation_is_a_dilated_kernel(layer):
    A_prev, W, b, hp = layer
    spread = np.stack([np.stack(
        [dilate(W[:, :, k, c], hp["dilation"]) for k in range(W.shape[2])],
        axis=-1) for c in range(W.shape[3])], axis=-1)
    np.testing.assert_allclose(
        conv_forward(*layer)[0],
        conv_forward(A_prev, spread, b, {**hp, "dilation": 1})[0], atol=1e-9)


@st.composite
def stacks(draw):
    "A few layers, and an input in which they have an output to look at."
    layers = [{"f": draw(st.integers(1, 3)), "stride": draw(st.integers(1, 3)),
               "pad": draw(st.integers(0, 2)),
               "dilation": draw(st.integers(1, 2))}
              for _ in range(draw(st.integers(1, 3)))]
    size, jump, start = receptive_field(layers)[-1]
    assume(size <= 16)                  # larger ones are only slower
    q = -(start // jump)                # the first output without padding
    return layers, q, start + q * jump, size


@given(stacks())
def test_the_receptive_field_is_what_changes_the_output(stack):
    layers, q, first, size = stack

    def output(A):
        for hp in layers:
            ones = np.ones((hp["f"], hp["f"], 1, 1))
            A, _ = conv_forward(A, ones, np.zeros((1, 1, 1, 1)), hp)
        return A[:, q, q, 0]

    n = first + size + 1                # up to one row beyond the field
    images = np.zeros((n, n, n, 1))
    images[range(n), range(n), range(n)] = 1    # image i: a dot in row i
    seen = np.flatnonzero(output(images))
    # Dilations leave holes, never a smaller field: weights are all 1.
    assert (seen[0], seen[-1]) == (first, first + size - 1)


# ---- pooling ----

@given(pool_layers(), numbers, modes)
def test_pooling_a_constant_gives_the_constant(layer, value, mode):
    A_prev, hp = layer
    A, _ = pool_forward(np.full_like(A_prev, value), hp, mode)
    assert (A == value).all()


@given(pool_layers())
def test_the_maximum_is_at_least_the_average(layer):
    highest, average = (pool_forward(*layer, mode)[0]
                        for mode in ("max", "average"))
    lowest = -pool_forward(-layer[0], layer[1])[0]
    assert (lowest <= average + 1e-12).all()
    assert (average <= highest + 1e-12).all()


@given(pool_layers(), modes)
def test_a_move_by_the_stride_moves_the_pooled_image_by_one(layer, mode):
    A_prev, hp = layer
    s = hp["stride"]
    moved = np.pad(A_prev, ((0, 0), (s, 0), (s, 0), (0, 0)))
    A, A_moved = (pool_forward(A, hp, mode)[0] for A in (A_prev, moved))
    assert np.array_equal(A_moved[:, 1:, 1:], A)


@given(pool_layers(), st.sampled_from([0.5, 2.0, 8.0]), numbers, modes)
def test_pooling_keeps_scale_and_level(layer, scale, level, mode):
    A_prev, hp = layer
    A, scaled = (pool_forward(A, hp, mode)[0]
                 for A in (A_prev, scale * A_prev + level))
    np.testing.assert_allclose(scaled, scale * A + level, atol=1e-12)


@given(pool_layers())
def test_the_global_average_is_the_mean_of_each_channel(layer):
    A, _ = global_average_pool(layer[0])
    np.testing.assert_allclose(A, layer[0].mean(axis=(1, 2)), atol=1e-12)


# ---- backwards ----

@given(conv_layers())
def test_conv_backward_is_the_adjoint(layer):
    A_prev, W, b, hp = layer
    Z, cache = conv_forward(A_prev, W, 0 * b, hp)
    dZ = random(0, *Z.shape)
    dA_prev, dW, db = conv_backward(dZ, cache)
    # <K x, y> = <x, K' y>, and the layer is linear in W too
    expected = np.vdot(Z, dZ)
    np.testing.assert_allclose(np.vdot(A_prev, dA_prev), expected, atol=1e-9)
    np.testing.assert_allclose(np.vdot(W, dW), expected, atol=1e-9)
    np.testing.assert_allclose(np.vdot(b, db), np.sum(dZ * b), atol=1e-9)


@given(pool_layers())
def test_pool_backward_of_the_average_is_the_adjoint(layer):
    A, cache = pool_forward(*layer, mode="average")
    dA = random(0, *A.shape)
    dA_prev = pool_backward(dA, cache, mode="average")
    np.testing.assert_allclose(np.vdot(layer[0], dA_prev), np.vdot(A, dA),
                               atol=1e-9)


@given(pool_layers(), modes)
def test_pooling_backwards_keeps_the_sum_of_each_window(layer, mode):
    A_prev, hp = layer
    f, s = hp["f"], hp["stride"]
    A, cache = pool_forward(*layer, mode)
    for index in np.ndindex(*A.shape[:3]):
        dA = np.zeros(A.shape)
        dA[index] = 1 + np.arange(A.shape[3])       # one window at a time
        dA_prev = pool_backward(dA, cache, mode)
        i, h, w = index
        inside = dA_prev[i, h * s:h * s + f, w * s:w * s + f].sum((0, 1))
        np.testing.assert_allclose(inside, dA[index])
        np.testing.assert_allclose(dA_prev.sum(), dA.sum())
        if mode == "max":               # to one cell, however many ties
            assert np.count_nonzero(dA_prev) == A.shape[3]
        if index[1:] == (1, 1):         # a few windows tell it all
            break


@given(images())
def test_the_mask_marks_the_first_maximum(x):
    mask = create_mask_from_window(x)
    assert mask.dtype == bool and mask.sum() == 1
    assert x[mask][0] == x.max()
    assert (x.ravel()[:np.argmax(mask)] < x.max()).all()


@given(numbers, sizes, sizes)
def test_distribute_value_shares_all_of_it(dz, n_H, n_W):
    shares = distribute_value(dz, (n_H, n_W))
    assert shares.shape == (n_H, n_W) and np.ptp(shares) == 0
    np.testing.assert_allclose(shares.sum(), dz, atol=1e-12)


# ---- types and layouts ----

@given(conv_layers(), dtypes)
def test_a_layer_keeps_its_type_in_every_layout(layer, dtype):
    *given_arrays, hp = layer
    given_arrays = [a.astype(dtype) for a in given_arrays]
    Z, cache = conv_forward(*given_arrays, hp)
    gradients = conv_backward(Z, cache)
    assert Z.dtype == dtype and {g.dtype for g in gradients} == {Z.dtype}
    for A_prev, W, b, dZ in zip(*map(views, [*given_arrays, Z])):
        Z_view, cache = conv_forward(A_prev, W, b, hp)
        assert cache[0] is A_prev and cache[1] is W and cache[2] is b
        # sums may be taken in another order: equal up to rounding
        atol = 100 * np.finfo(dtype).eps
        np.testing.assert_allclose(Z_view, Z, rtol=atol, atol=atol)
        assert all(g.flags.writeable for g in conv_backward(dZ, cache))


@given(pool_layers(), dtypes, modes)
def test_pooling_keeps_its_type_in_every_layout(layer, dtype, mode):
    A_prev, hp = layer[0].astype(dtype), layer[1]
    A, cache = pool_forward(A_prev, hp, mode)
    dA_prev = pool_backward(A, cache, mode)
    assert A.dtype == dA_prev.dtype == dtype
    for view, dA in zip(views(A_prev), views(A)):
        A_view, cache = pool_forward(view, hp, mode)
        assert cache[0] is view
        atol = 10 * np.finfo(dtype).eps
        np.testing.assert_allclose(A_view, A, atol=atol)
        np.testing.assert_allclose(pool_backward(dA, cache, mode), dA_prev,
                                   atol=10 * atol)


@given(signals(), dtypes, st.data())
def test_conv1d_keeps_its_type_in_every_layout(x, dtype, data):
    w = data.draw(arrays(float, st.integers(1, len(x)), elements=numbers))
    x, w = x.astype(dtype), w.astype(dtype)
    y = conv1d(x, w, "same")
    assert y.dtype == dtype
    for x_view, w_view in zip(views(x), views(w)):
        assert np.array_equal(conv1d(x_view, w_view, "same"), y)


@given(images(), images(), dtypes)
def test_conv2d_keeps_its_type_in_every_layout(X, W, dtype):
    X, W = X.astype(dtype), W.astype(dtype)
    Y = conv2d(X, W, "same")
    assert Y.dtype == dtype
    for X_view, W_view in zip(views(X), views(W)):
        assert np.array_equal(conv2d(X_view, W_view, "same"), Y)
