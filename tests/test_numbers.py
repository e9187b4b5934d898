"""Long sums, masks, and what no dtype can hold.

A million numbers of 0.1 are the worst that a sum in float32 can be given: each
term is rounded in the same direction. The right value is the sum in float64.
"""
import warnings

import numpy as np
import pytest

from cnnbook import architectures, backprop, fast, interpret, lab, nn, pooling
from cnnbook.lab import long_product
from cnnbook.sums import mean_over, sum_over
from cnnbook.conv_layer import conv_forward as loops_conv_forward
from cnnbook.data import minibatches
from cnnbook.evaluation import confusion_matrix
from cnnbook.nn import training

MANY = 10**6


def generator():
    return np.random.default_rng(0)


def gradients(layer, X, dY):
    layer.forward(X, train=True)
    return {"X": layer.backward(dY), **layer.grads}


def normalized(X, dY):
    "The statistics of a batch, and the gradients as if X_hat were 1."
    layer = nn.BatchNorm2D(X.shape[-1], dtype=X.dtype)
    layer.forward(X, train=True)
    layer.cache = (np.ones_like(layer.cache[0]), *layer.cache[1:])
    layer.backward(dY)
    return {"mean": layer.buffers["mean"], **layer.grads}


def variance(X):
    layer = nn.BatchNorm2D(X.shape[-1], momentum=0.5, dtype=X.dtype)
    layer.forward(X, train=True)
    return layer.buffers["var"]


def transposed(X, dY):
    layer = nn.ConvTranspose2D(2, 2, 1, rng=generator(), dtype=X.dtype)
    return gradients(layer, X, dY)["b"]


def convolved(conv_backward, **settings):
    def gradients(X, dZ):
        W = np.full((1, 1, X.shape[3], dZ.shape[3]), 0.1, X.dtype)
        b = np.zeros((1, 1, 1, dZ.shape[3]), X.dtype)
        cache = X, W, b, {"stride": 1, "pad": 0}
        return dict(zip("Wb", conv_backward(dZ, cache, **settings)[1:]))
    return gradients


def learned(X, dY):
    "The gradients of 3 x 3 kernels, by Winograd's algorithm."
    layer = nn.Conv2D(16, 16, pad=1, rng=generator(), dtype=X.dtype)
    layer.forward(X)
    layer.backward(dY)
    return layer.grads


def correlated(conv_forward):
    def forward(X, W):
        b = np.zeros((1, 1, 1, W.shape[3]), X.dtype)
        return conv_forward(X, W, b, {"stride": 1, "pad": 0})[0]
    return forward


def pooled(pool_forward):
    return lambda X: pool_forward(X, {"f": X.shape[1], "stride": 1},
                                  "average")[0]


def dense(A, W):
    return lab.fully_connected_layer_forward(
        A, W, np.zeros((1, W.shape[1]), A.dtype))[0]


def dense_back(A, dZ):
    W = np.full((A.shape[1], dZ.shape[1]), 0.1, A.dtype)
    layer = nn.Linear(*W.shape, rng=generator(), dtype=A.dtype)
    layer.params["W"] = W
    return gradients(layer, A, dZ)


def classified(Z):
    cost, dZ = nn.softmax_cross_entropy(Z, np.arange(len(Z)) % Z.shape[1])
    return {"cost": cost, "Z": dZ}


def squared(A, B):
    cost, dA = nn.mean_squared_error(A, 0 * B)
    return {"cost": cost, "A": dA}


def measured(A):
    return lab.compute_cost(A, np.eye(4)[np.arange(len(A)) % 4])


def subsampled(X, dY):
    layer = architectures.Subsample(2, X.dtype)
    layer.forward(X)
    layer.backward(dY)
    return layer.grads


def influence(X):
    model = nn.Sequential(nn.AvgPool2D(1))
    return interpret.effective_receptive_field(model, X, 0)


SUMS = {
    "sum_over": (lambda X: sum_over(X, axis=0), (MANY, 3)),
    "sum_over, one number": (lambda X: sum_over(X, axis=(0, 1)),
                             (1000, 1000)),
    "mean_over": (lambda X: mean_over(X, axis=(1, 2)), (2, 700, 900, 2)),
    "mean_over, the last axis": (lambda X: mean_over(X, axis=-1), (2, MANY)),
    "GlobalAvgPool": (lambda X: nn.GlobalAvgPool()(X), (1, 1024, 1024, 2)),
    "global_average_pool": (lambda X: pooling.global_average_pool(X)[0],
                            (1, 1024, 1024, 1)),
    "conv1d": (lambda x: fast.conv1d(x, np.ones_like(x)), (MANY,)),
    "conv1d, stride 2": (lambda x: fast.conv1d(
        x, np.ones_like(x[2:]), 0, 2), (MANY,)),
    "AvgPool2D": (pooled(fast.pool_forward), (1, 1000, 1000, 2)),
    "pool_forward": (pooled(pooling.pool_forward), (1, 1000, 1000, 2)),
    "BatchNorm2D": (normalized, *[(64, 128, 128, 3)] * 2),
    "BatchNorm2D of vectors": (normalized, *[(MANY, 2)] * 2),
    "ConvTranspose2D": (transposed, *[(16, 256, 256, 2)] * 2),
    "conv_backward": (convolved(fast.conv_backward),
                      *[(16, 256, 256, 3)] * 2),
    "conv_backward, im2col": (convolved(
        fast.conv_backward, algorithm="im2col"), *[(16, 256, 256, 3)] * 2),
    "conv_backward, planes": (convolved(
        fast.conv_backward, algorithm="planes"), *[(16, 256, 256, 3)] * 2),
    "Conv2D": (learned, *[(16, 128, 128, 16)] * 2),
    "conv_backward, loops": (convolved(backprop.conv_backward),
                             *[(1, 150, 150, 1)] * 2),
    "conv_forward": (correlated(fast.conv_forward), (1, 64, 64, 256),
                     (64, 64, 256, 2)),
    "conv_forward, one filter": (correlated(fast.conv_forward),
                                 (1, 1024, 1024, 1), (1024, 1024, 1, 1)),
    "conv_forward, loops": (correlated(loops_conv_forward),
                            (1, 1024, 1024, 1), (1024, 1024, 1, 1)),
    "Linear": (dense, (1, MANY), (MANY, 2)),
    "Linear, more images": (dense, (3, MANY), (MANY, 1)),
    "Linear, backward": (dense_back, (MANY, 2), (MANY, 3)),
    "Linear, one number": (dense_back, (MANY, 1), (MANY, 1)),
    "softmax_cross_entropy": (classified, (MANY // 4, 4)),
    "softmax_cross_entropy, classes": (classified, (2, MANY)),
    "softmax": (lab.softmax, (2, MANY)),
    "softmax_backward": (lab.softmax_backward, *[(2, MANY)] * 2),
    "compute_cost": (measured, (MANY // 4, 4)),
    "mean_squared_error": (squared, *[(1000, 1000)] * 2),
    "PositionBias": (lambda X, dY: gradients(architectures.PositionBias(
        1, 1, 2, X.dtype), X, dY), *[(MANY, 1, 1, 2)] * 2),
    "Subsample": (subsampled, (4, 1024, 1024, 2), (4, 512, 512, 2)),
    "RBF": (lambda X: architectures.RBF(np.full((2, MANY), -1.0),
                                        X.dtype)(X), (1, MANY)),
    "effective_receptive_field": (influence, (MANY // 64, 8, 8, 1)),
}


def filled(kind, shape, dtype):
    if kind == "tenths":
        return np.full(shape, 0.1, dtype)
    return generator().uniform(0.05, 0.15, shape).astype(dtype)


def values(result):
    "What a function gave, by name, in float64."
    if not isinstance(result, dict):
        result = {"": result}
    return {key: np.asarray(value, np.float64)
            for key, value in result.items()}


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("kind", ["tenths", "random"])
@pytest.mark.parametrize("name", SUMS)
def test_a_long_sum_is_exact(name, kind, dtype):
    f, *shapes = SUMS[name]
    args = [filled(kind, shape, dtype) for shape in shapes]
    with np.errstate(over="ignore"):
        got = values(f(*args))
    expected = values(f(*[a.astype(np.float64) for a in args]))
    for key, right in expected.items():
        if dtype == "float32":
            np.testing.assert_allclose(got[key], right, rtol=1e-5)
        else:                       # what float16 holds, to half a digit
            infinity = np.copysign(np.inf, right)
            held = np.where(np.abs(right) > 65520, infinity, right)
            np.testing.assert_allclose(got[key], held, rtol=2e-3, atol=6e-8)


@pytest.mark.parametrize("kind", ["tenths", "random"])
def test_a_variance_is_exact(kind):
    X = 3 + 10 * filled(kind, (64, 128, 128, 2), "float32")
    np.testing.assert_allclose(variance(X), 0.5 + 0.5 * X.astype(
        np.float64).var(axis=(0, 1, 2), ddof=1), rtol=1e-5)


def test_averages_and_gradients_of_a_whole_batch():
    "A global average of 0.1 is 0.1; 64 images of 224 x 224 add up."
    X = np.full((1, 1024, 1024, 1), 0.1, np.float32)
    assert abs(nn.GlobalAvgPool()(X).item() - 0.1) < 1e-7
    dY = np.full((64, 224, 224, 1), 0.1, np.float32)
    layer = nn.BatchNorm2D(1)
    layer.forward(dY, train=True)
    layer.backward(dY)
    assert np.isclose(layer.grads["beta"], 64 * 224**2 / 10, rtol=1e-6)


@pytest.mark.parametrize("f", [np.float32(1e37), np.float32(3e38)])
def test_a_mean_does_not_overflow_where_its_result_fits(f):
    X = np.full((2, 50, 60, 3), f)
    np.testing.assert_allclose(mean_over(X, (1, 2)), f, rtol=1e-6)
    np.testing.assert_allclose(mean_over(X[:, :2], (1, 2)), f, rtol=1e-6)


def test_a_sum_keeps_what_is_not_finite_in_its_channel():
    X = np.ones((1000, 3), np.float32)
    X[5, 0], X[6, 1] = np.inf, np.nan
    total = sum_over(X, axis=0)
    assert total[0] == np.inf and np.isnan(total[1]) and total[2] == 1000


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("shape, axis", [
    ((4, 5, 6, 7), (0, 1, 2)), ((4, 5, 6, 7), (1, 2)), ((4, 5), -1),
    ((300, 40, 7), 0), ((300, 200), (0, 1)), ((0, 4, 4, 3), (1, 2)),
    ((0, 3), 0), ((5,), 0)])
@pytest.mark.parametrize("keepdims", [False, True])
def test_sums_are_those_of_numpy(shape, axis, dtype, keepdims):
    X = generator().uniform(0.5, 1, shape).astype(dtype)
    got = sum_over(X, axis, keepdims)
    expected = X.astype(np.float64).sum(axis, keepdims=keepdims)
    assert got.shape == expected.shape and got.dtype == dtype
    np.testing.assert_allclose(got, expected, rtol=8 * np.finfo(dtype).eps)
    if X.size:
        np.testing.assert_allclose(
            mean_over(X, axis, keepdims), X.astype(np.float64).mean(
                axis, keepdims=keepdims), rtol=8 * np.finfo(dtype).eps)
    turned = np.asfortranarray(X)
    np.testing.assert_array_equal(sum_over(turned, axis, keepdims), got)


def test_long_products_in_every_layout():
    A = generator().uniform(size=(5, 20000)).astype(np.float32)
    B = generator().uniform(size=(20000, 3)).astype(np.float32)
    right = A.astype(np.float64) @ B
    for a in A, np.asfortranarray(A):
        for b in B, np.asfortranarray(B):
            np.testing.assert_allclose(long_product(a, b), right, rtol=1e-6)
    assert long_product(A.astype(np.float16), B).dtype == np.float32


# The cost of softmax

def numeric(Z, Y, eps=1e-6):
    dZ = np.zeros_like(Z)
    for i in np.ndindex(Z.shape):
        up, down = Z.copy(), Z.copy()
        up[i] += eps
        down[i] -= eps
        dZ[i] = (nn.softmax_cross_entropy(up, Y)[0]
                 - nn.softmax_cross_entropy(down, Y)[0]) / (2 * eps)
    return dZ


@pytest.mark.parametrize("low, high", [(0, 1), (0, 5), (-2, 2), (-5, -1)])
def test_the_gradient_is_that_of_the_cost_for_any_target(low, high):
    rng = generator()
    Z, Y = rng.normal(size=(4, 5)), rng.uniform(low, high, (4, 5))
    Y[0] = 0
    cost, dZ = nn.softmax_cross_entropy(Z, Y)
    np.testing.assert_allclose(dZ, numeric(Z, Y), atol=1e-7)
    assert np.isclose(cost, lab.compute_cost(lab.softmax(Z), Y))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_row_that_adds_up_to_two(dtype):
    cost, dZ = nn.softmax_cross_entropy(np.zeros((1, 2), dtype), [[2, 0]])
    assert dZ.tolist() == [[-1, 1]] and dZ.dtype == dtype
    assert np.isclose(cost, 2 * np.log(2))


def test_the_small_network_too_has_the_gradient_of_its_cost():
    np.random.seed(0)
    X = np.random.rand(3, 4, 4, 1)
    Y = np.random.rand(3, 2) * 3
    parameters = lab.initialize_parameters(4, 4, 1)
    A, caches = lab.simple_cnn_model(X, parameters, fast)
    grads = lab.backward_propagation(A, Y, caches, fast)

    def cost(b3):
        A, _ = lab.simple_cnn_model(X, {**parameters, "b3": b3}, fast)
        return np.float64(lab.compute_cost(A, Y))
    backprop.check_gradient(cost, parameters["b3"], grads["db3"])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_class_masked_by_infinity(dtype):
    Z = np.array([[1, 2, -np.inf], [-np.inf, 0, 0]], dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cost, dZ = nn.softmax_cross_entropy(Z, [0, 2])
        soft, _ = nn.softmax_cross_entropy(Z, [[0.5, 0.5, 0], [0, 0.5, 0.5]])
        wrong, _ = nn.softmax_cross_entropy(Z, [2, 1])
    left = nn.softmax_cross_entropy(Z[:1, :2], [0])[0]
    assert np.isclose(cost, (left + np.log(2)) / 2, rtol=1e-3)
    assert np.isfinite(soft) and wrong == np.inf
    assert np.isfinite(dZ).all() and dZ[0, 2] == dZ[1, 0] == 0
    assert lab.softmax(Z)[0, 2] == 0


@pytest.mark.parametrize("Z", [[np.inf, 0], [-np.inf, -np.inf], [np.nan, 0]])
def test_logits_that_say_nothing_give_nan(Z):
    "As PyTorch's: no class has a probability."
    with np.errstate(invalid="ignore"):
        cost, dZ = nn.softmax_cross_entropy(np.array([Z]), [0])
    assert np.isnan(cost) and np.isnan(dZ).any()


@pytest.mark.parametrize("dtype, large", [
    (np.float16, 6e4), (np.float32, 1e4), (np.float32, 1e38),
    (np.float64, 1e300)])
def test_huge_logits(dtype, large):
    Z = np.array([[large, 0, -large]], dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        right = nn.softmax_cross_entropy(Z, [0])
        wrong = nn.softmax_cross_entropy(Z, [2])
    assert right[0] == 0 and not right[1].any()
    assert np.isclose(wrong[0], 2 * float(Z[0, 0]))
    assert wrong[1].tolist() == [[1, 0, -1]]


def test_labels_out_of_range_are_refused():
    for labels in [3], [-1]:
        with pytest.raises(ValueError, match="labels must be from 0 to 2"):
            nn.softmax_cross_entropy(np.zeros((1, 3)), labels)


def test_the_square_of_an_error_does_not_overflow():
    for dtype, large in (np.float16, 1000), (np.float32, 1e30):
        cost, dY = nn.mean_squared_error(np.full((2, 2), large, dtype),
                                         np.zeros((2, 2), dtype))
        assert np.isclose(cost, float(dtype(large))**2)
        assert dY.dtype == dtype and np.all(dY == dtype(large) / 2)


# float16

@pytest.mark.parametrize("shape", [(64, 3), (4, 8, 8, 3)])
def test_half_precision_is_normalized_in_single(shape):
    X = (300 + 1000 * generator().normal(size=shape)).astype(np.float16)
    half, single = (nn.BatchNorm2D(3, dtype=d)
                    for d in (np.float16, np.float32))
    Y, right = half(X, train=True), single(X.astype(np.float32), train=True)
    assert Y.dtype == np.float16
    np.testing.assert_allclose(Y, right, atol=2e-3)
    dY = generator().normal(size=shape).astype(np.float16)
    np.testing.assert_allclose(half.backward(dY), single.backward(
        dY.astype(np.float32)), atol=1e-5)
    for key in "gamma", "beta":
        assert half.grads[key].dtype == np.float16
        np.testing.assert_allclose(half.grads[key], single.grads[key],
                                   rtol=2e-3, atol=2e-3)
    for key, value in half.buffers.items():
        assert value.dtype == np.float32
        np.testing.assert_array_equal(value, single.buffers[key])
    used = half(X)
    assert used.dtype == np.float16 and np.isfinite(used).all()
    np.testing.assert_allclose(used, single(X.astype(np.float32)), rtol=2e-3,
                               atol=2e-3)


def test_the_statistics_survive_a_state():
    layer, other = (nn.BatchNorm2D(2, dtype=np.float16) for _ in range(2))
    layer(np.float16([[1000, 1], [-1000, 2]]), train=True)
    other.load_state_dict(layer.state_dict())
    for key, value in layer.state_dict().items():
        assert other.state_dict()[key].dtype == value.dtype
        np.testing.assert_array_equal(other.state_dict()[key], value)


def test_statistics_that_came_in_half_precision_are_kept_in_single():
    layer = nn.BatchNorm2D(1, dtype=np.float16)
    layer.buffers = {"mean": np.zeros(1, np.float16),
                     "var": np.ones(1, np.float16)}
    layer(np.float16([[-1000], [1000]]), train=True)
    assert layer.buffers["var"].dtype == np.float32
    assert np.isclose(layer.buffers["var"][0], 0.9 + 0.1 * 2e6)


@pytest.mark.parametrize("dtype, large", [
    (np.float16, None), (np.float32, 1e25), (np.float64, 1e200)])
def test_a_variance_that_fits_nowhere_is_said(dtype, large):
    layer = nn.BatchNorm2D(1, dtype=dtype)
    if large is None:           # float16 always fits in float32
        Y = layer(dtype([[-65504], [65504]]), train=True)
        assert Y.tolist() == [[-1], [1]]
        return
    before = layer.state_dict()
    with pytest.raises(FloatingPointError, match="does not fit in float"):
        layer(dtype([[-large], [large]]), train=True)
    assert all(value is before[key]
               for key, value in layer.state_dict().items())
    layer.buffers["var"] = np.full(1, np.inf, dtype)    # of an old file
    with pytest.raises(FloatingPointError, match="does not fit in float"):
        layer(dtype([[1], [2]]))


def test_an_image_that_is_not_finite_gives_nan_and_not_zeros():
    for bad in np.nan, np.inf:
        X = np.ones((4, 2), np.float32)
        X[0, 0] = bad
        with np.errstate(invalid="ignore"):
            Y = nn.BatchNorm2D(2)(X, train=True)
        assert np.isnan(Y[:, 0]).any() and np.isfinite(Y[:, 1]).all()


def test_a_gradient_shared_among_many_is_not_zero():
    dA = np.ones((1, 2), np.float16)
    shared = backprop.global_average_pool_backward(dA, (1, 300, 300, 2))
    assert shared.dtype == np.float16
    assert np.all(shared == np.float16(1 / 90000))
    assert np.all(backprop.distribute_value(np.float16(1), (300, 300))
                  == np.float16(1 / 90000))
    layer = nn.AvgPool2D(100, stride=1)
    layer(np.zeros((1, 150, 150, 1), np.float16), train=True)
    dX = layer.backward(np.ones((1, 51, 51, 1), np.float16))
    assert dX.dtype == np.float16
    assert np.isclose(dX[0, 75, 75, 0], 51 * 51 / 100**2, rtol=1e-3)


def test_a_million_classes_in_half_precision():
    A = lab.softmax(np.zeros((1, 10**6), np.float16))
    assert A.dtype == np.float16 and np.all(A == np.float16(1e-6))


def test_a_sum_above_65504_is_infinite_as_in_pytorch():
    X = np.full((1, 10, 10, 1), 200, np.float16)
    W = np.full((10, 10, 1, 1), 200, np.float16)
    with np.errstate(over="ignore"):
        assert correlated(fast.conv_forward)(X, W).item() == np.inf
        assert dense(X.reshape(1, -1), W.reshape(-1, 1)).item() == np.inf


# Units that are off

LAYERS = {"ReLU": nn.ReLU, "LeakyReLU": lambda: nn.LeakyReLU(0.0),
          "Dropout": lambda: nn.Dropout(0.5, rng=generator())}


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("name", LAYERS)
def test_what_is_off_gives_zero(name, bad, dtype):
    layer = LAYERS[name]()
    X = generator().normal(size=(6, 7)).astype(dtype)
    Y = layer.forward(X, train=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        dX = layer.backward(np.full((6, 7), bad, dtype))
    assert dX.dtype == dtype and (Y == 0).any() and (Y != 0).any()
    np.testing.assert_array_equal(dX[Y == 0], 0)
    np.testing.assert_array_equal(dX[Y != 0], dtype(bad))


def test_what_is_off_gives_zero_in_the_small_network():
    dZ = lab.relu_backward([np.inf, np.nan, 2], [-1.0, 0, 1])
    assert dZ.tolist() == [0, 0, 2]


@pytest.mark.parametrize("bad", [np.inf, np.nan])
def test_dropout_drops_what_is_not_finite(bad):
    A, mask = nn.dropout_forward(np.full((5, 8), bad), 0.5, generator())
    np.testing.assert_array_equal(A == 0, mask == 0)


def test_the_first_layers_keep_what_is_not_a_number():
    for layer in nn.ReLU(), nn.LeakyReLU(), nn.LeakyReLU(0.0):
        assert np.isnan(layer(np.array([np.nan, 1, -1]))[0])
    assert nn.LeakyReLU(0.0)(np.array([-np.inf, -2, 3])).tolist() == [0, 0, 3]


def test_an_infinite_gradient_goes_to_the_maximum_alone():
    for pool in pooling, fast:
        X = np.arange(16.0).reshape(1, 4, 4, 1)
        _, cache = pool.pool_forward(X, {"f": 2, "stride": 2})
        back = fast.pool_backward if pool is fast else backprop.pool_backward
        dX = back(np.full((1, 2, 2, 1), np.inf), cache)
        assert np.array_equal(np.unique(dX), [0, np.inf])
        assert (dX == np.inf).sum() == 4


def test_weights_that_are_not_joined_stay_zero():
    layer = architectures.TableConv2D(2, [[0], [1]], 1, rng=generator())
    layer.params["W"] = np.full((1, 1, 2, 2), np.inf, np.float32)
    layer.forward(np.ones((1, 2, 2, 2), np.float32))
    assert layer.params["W"][0, 0].tolist() == [[np.inf, 0], [0, np.inf]]


def test_a_masked_class_does_not_hide_a_score():
    score, _ = interpret._score_of(np.array([[1, -np.inf]]), [0])
    assert score.tolist() == [1]


# What is measured

def broken(dtype=np.float32):
    model = nn.Sequential(nn.Linear(2, 3, rng=generator(), dtype=dtype))
    model[0].params["b"] = np.full((1, 3), np.nan, dtype)
    return model


def test_nan_has_no_accuracy():
    X, labels = np.ones((5, 2), np.float32), np.zeros(5, int)
    with np.errstate(invalid="ignore"):
        found = nn.evaluate(broken(), X, labels)
    assert np.isnan(found["cost"]) and np.isnan(found["accuracy"])
    assert np.isnan(lab.accuracy(np.full((5, 2), np.nan), labels))
    with pytest.raises(TypeError, match="integers"):
        confusion_matrix(labels, np.full(5, np.nan), 3)


def test_a_step_with_nan_is_refused():
    model = broken()
    with (pytest.raises(FloatingPointError, match="the cost is nan"),
          np.errstate(invalid="ignore")):
        nn.train_step(model, nn.SGD(model, 0.1), np.ones((5, 2), np.float32),
                      np.zeros(5, int))


def test_keep_best_prefers_a_number():
    best = nn.KeepBest()

    class Run:
        model, history = nn.Sequential(), []
    for epoch, cost in enumerate([np.nan, 3, np.nan, 2, 4], 1):
        Run.history.append({"epoch": epoch, "val_cost": cost})
        best(Run)
    assert best.record["epoch"] == 4


@pytest.mark.parametrize("model, given, expected", [
    (np.float32, np.float64, np.float32), (np.float64, np.float32, np.float64),
    (np.float32, np.uint8, np.float32), (np.float16, np.float64, np.float16)])
def test_images_are_cast_to_the_dtype_of_the_weights(model, given, expected):
    seen = []

    class Spy(nn.ReLU):
        def forward(self, X, train=False):
            seen.append(X.dtype)
            return super().forward(X, train)
    net = nn.Sequential(Spy(), nn.Flatten(), nn.Linear(
        4, 2, rng=generator(), dtype=model))
    X, labels = np.ones((6, 2, 2, 1), given), np.zeros(6, int)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert nn.outputs(net, X).dtype == expected
        nn.evaluate(net, X, labels)
        nn.fit(net, X, labels, nn.SGD(net, 0.1), 1, 4, rng=generator(),
               validation=(X, labels))
    assert set(seen) == {np.dtype(expected)} and X.dtype == given
    assert all(value.dtype == model for value in net.state_dict().values())
    assert nn.outputs(nn.Flatten(), np.ones((2, 3))).dtype == np.float64


# The last batch

def with_norm(kind):
    rng = generator()
    if kind == "vector":
        return nn.Sequential(nn.Flatten(), nn.Linear(16, 4, rng=rng),
                             nn.BatchNorm2D(4))
    if kind == "pixel":         # 1 x 1 images
        return nn.Sequential(nn.Conv2D(1, 4, 4, rng=rng), nn.BatchNorm2D(4),
                             nn.Flatten())
    inside = nn.Sequential(nn.Linear(4, 4, rng=rng), nn.BatchNorm2D(4))
    return nn.Sequential(nn.Flatten(), nn.Linear(16, 4, rng=rng),
                         nn.Dropout(0.5, rng=rng), nn.Residual(inside))


def train(model, m, batch, optimizer=None, rng=None, **settings):
    X = generator().normal(size=(m, 4, 4, 1)).astype(np.float32)
    return nn.fit(model, X, np.arange(m) % 4,
                  optimizer or nn.SGD(model, 0.1), settings.pop("epochs", 2),
                  batch, rng=rng or generator(), **settings)


def same(a, b):
    return a.keys() == b.keys() and all(
        np.array_equal(a[key], b[key]) for key in a)


@pytest.mark.parametrize("kind", ["vector", "pixel", "nested"])
@pytest.mark.parametrize("m, batch", [(9, 4), (9, 8), (1, 4), (3, 1)])
def test_a_batch_of_one_is_refused_before_it_learns(kind, m, batch):
    model, rng = with_norm(kind), generator()
    before, state = model.state_dict(), rng.bit_generator.state
    layers = [layer.rng.bit_generator.state for _, layer in model.walk()
              if hasattr(layer, "rng")]
    with pytest.raises(ValueError, match=f"batch = {batch} leaves a batch of "
                                         "1 image: use drop_last=True"):
        train(model, m, batch, rng=rng)
    assert same(before, model.state_dict())
    assert state == rng.bit_generator.state
    assert layers == [layer.rng.bit_generator.state
                      for _, layer in model.walk() if hasattr(layer, "rng")]


@pytest.mark.parametrize("kind", ["vector", "pixel", "nested"])
def test_the_last_batch_may_be_dropped(kind):
    model, steps = with_norm(kind), []

    def schedule(step, total):
        steps.append((step, total))
        return 1.0
    history = train(model, 9, 4, drop_last=True, schedule=schedule)
    assert steps == [(i, 4) for i in range(4)] and len(history) == 2


def test_a_batch_of_one_without_normalization_learns():
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, 4, rng=generator()))
    assert len(train(model, 9, 4)) == len(train(model, 1, 4)) == 2
    norm = nn.Sequential(nn.Conv2D(1, 4, rng=generator()), nn.BatchNorm2D(4),
                         nn.GlobalAvgPool())        # 2 x 2: four numbers
    assert len(train(norm, 9, 4)) == 2


def test_another_mistake_keeps_its_own_words():
    model = nn.Sequential(nn.Flatten(), nn.Linear(15, 4, rng=generator()),
                          nn.BatchNorm2D(4))
    with pytest.raises(ValueError) as caught:
        train(model, 9, 4)
    assert "15 columns" in str(caught.value)
    assert "drop_last" not in str(caught.value)


def test_the_trial_does_not_change_the_training(monkeypatch):
    "Nor its randomness: the same bits as without it."
    def trained():
        rng = generator()
        model = nn.Sequential(nn.Flatten(), nn.Dropout(0.3, rng=rng),
                              nn.Linear(16, 4, rng=rng))
        train(model, 9, 4, nn.Adam(model, 0.01), rng)
        return model.state_dict()
    tried = trained()
    monkeypatch.setattr(training, "_check_one_image", lambda *args: None)
    assert same(tried, trained())


def test_drop_last_needs_a_whole_batch():
    with pytest.raises(ValueError, match="drop_last leaves no batch: 3"):
        train(with_norm("vector"), 3, 4, drop_last=True)
    with pytest.raises(ValueError, match="drop_last leaves no batch"):
        list(minibatches(3, 4, generator(), drop_last=True))
    sizes = [len(batch) for batch in minibatches(
        11, 4, generator(), drop_last=True)]
    assert sizes == [4, 4]
    assert sum(map(len, minibatches(8, 4, generator(), True))) == 8


def test_a_training_without_its_last_batch_can_be_resumed():
    states = []

    def run(epochs, **settings):
        model = with_norm("nested")
        history = train(model, 9, 4, nn.Adam(model, 0.01), epochs=epochs,
                        drop_last=True, schedule=nn.cosine(), callbacks=[
                            lambda run: states.append(run.state_dict())],
                        **settings)
        return model.state_dict(), history
    whole, history = run(4)
    resumed, again = run(4, resume=states[1])
    assert same(whole, resumed)
    assert [r["cost"] for r in history] == [r["cost"] for r in again]


def test_a_crop_counts_as_it_is_learned():
    "The images that the model sees are those of `augment`."
    def crop(X, rng):
        return X[:, :1, :1]
    model = nn.Sequential(nn.BatchNorm2D(1), nn.GlobalAvgPool(),
                          nn.Linear(1, 4, rng=generator()))
    assert len(train(model, 9, 4)) == 2
    with pytest.raises(ValueError, match="leaves a batch of 1 image"):
        train(model, 9, 4, augment=crop)


def test_the_values_of_the_lab_stay():
    np.random.seed(1)
    A = np.random.randn(10, 4, 4, 3)
    W, b = np.random.randn(2, 2, 3, 8), np.random.randn(1, 1, 1, 8)
    Z, cache = loops_conv_forward(A, W, b, {"stride": 2, "pad": 2})
    dA, dW, db = backprop.conv_backward(Z, cache)
    assert np.isclose(dA.mean(), 1.45243777754)
    assert np.isclose(dW.mean(), 1.72699145831)
    assert np.isclose(db.mean(), 7.83923256462)


@pytest.mark.parametrize("kind", [nn.SGD, nn.Adam])
def test_a_tiny_gradient_in_half_precision_moves_the_weights(kind):
    layer = nn.Linear(2, 2, rng=np.random.default_rng(0), dtype=np.float16)
    optimizer = kind(layer, 0.01)
    for _ in range(3):
        layer.grads = {key: np.full(W.shape, 1e-5, np.float16)
                       for key, W in layer.params.items()}
        optimizer.step()                # its square, 1e-10, is no float16
    for W in layer.params.values():
        assert W.dtype == np.float16 and np.isfinite(W).all()
    assert layer.params["b"].max() < 0
