"""The seventeen activations against float64, over the whole range of float32."""

import inspect

import numpy as np
import pytest
from reference import activations as reference

import lamina as lm

# Errors against float64, of values rounded to float32 (half an ulp is 6e-8). Arithmetic inside is float32
# with a few roundings, and the argument of an exponential adds its own: 2e-6 relative covers some 30 of them.
# Where terms cancel (gelu, mish, silu, elu near 0 and far below it) the floor is some ulp of 1.
RTOL = 2e-6
ATOL = {"sigmoid": 1e-37, "exponential": 1e-37, "softsign": 1e-37, "tanh": 1e-37, "softplus": 1e-37}
DEFAULT_ATOL = 5e-7

BIGGEST = np.finfo(np.float32).max
MAGNITUDES = np.concatenate(
    [np.logspace(-44, 38.5, 1200), np.linspace(0.0, 20.0, 2001), np.linspace(80.0, 105.0, 501), [BIGGEST]]
)
GRID = np.concatenate([MAGNITUDES, -MAGNITUDES]).astype(np.float32)


def as_float32(values):
    with np.errstate(over="ignore"):
        return values.astype(np.float32)


@pytest.mark.parametrize("name", reference.ELEMENTWISE)
def test_elementwise_over_the_whole_range(name):
    got = getattr(lm.activations, name)(GRID)
    expected = as_float32(reference.ELEMENTWISE[name](GRID.astype(np.float64)))
    assert got.dtype == np.float32
    assert got.shape == GRID.shape
    finite = np.isfinite(expected)
    assert np.isfinite(got[finite]).all(), f"not finite at {GRID[finite][~np.isfinite(got[finite])][:5]}"
    # Where float32 overflows it is infinity, not NaN; in the last ulp before that either may be right.
    near_overflow = np.abs(expected) > BIGGEST * (1 - 4e-6)
    np.testing.assert_array_equal(got[~finite & ~near_overflow], expected[~finite & ~near_overflow])
    np.testing.assert_allclose(got[finite], expected[finite], rtol=RTOL, atol=ATOL.get(name, DEFAULT_ATOL))


@pytest.mark.parametrize("name", reference.ROWWISE)
@pytest.mark.parametrize("columns", [1, 2, 3, 7, 8, 9, 15, 16, 17, 33, 101])
@pytest.mark.parametrize("scale", [1.0, 30.0, 1e4, 1e37])
def test_rowwise(rng, name, columns, scale):
    x = as_float32(scale * np.clip(rng.normal(size=(5, columns)), -3, 3))
    got = getattr(lm.activations, name)(x)
    expected = reference.ROWWISE[name](x.astype(np.float64))
    # log_softmax subtracts numbers of the size of the spread, softmax sums up to 101 terms.
    np.testing.assert_allclose(got, as_float32(expected), rtol=4e-6, atol=1e-6)
    if name == "softmax":
        np.testing.assert_allclose(got.sum(axis=1), 1.0, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", reference.ALL)
@pytest.mark.parametrize("shape", [(1,), (13,), (3, 17), (2, 3, 5)])
def test_keeps_the_shape_and_the_argument(rng, name, shape):
    x = rng.normal(size=shape).astype(np.float32)
    before = x.copy()
    got = getattr(lm.activations, name)(x)
    assert got.shape == shape
    np.testing.assert_array_equal(x, before)
    np.testing.assert_allclose(got, reference.ALL[name](x.astype(np.float64)), rtol=4e-6, atol=1e-6)


@pytest.mark.parametrize("name", reference.ALL)
def test_nan_stays_nan(name):
    x = np.zeros((3, 5), np.float32)
    x[1, 2] = np.nan
    got = getattr(lm.activations, name)(x)
    assert np.isnan(got[1, 2])
    assert np.isfinite(got[[0, 2]]).all()


@pytest.mark.parametrize(
    ("name", "parameter", "value"), [("leaky_relu", "negative_slope", 0.05), ("elu", "alpha", 2.5)]
)
def test_parameters(name, parameter, value):
    x = np.linspace(-5, 5, 41, dtype=np.float32)
    got = getattr(lm.activations, name)(x, **{parameter: value})
    expected = reference.ALL[name](x.astype(np.float64), value)
    np.testing.assert_allclose(got, expected, rtol=RTOL, atol=DEFAULT_ATOL)


@pytest.mark.parametrize("name", reference.ALL)
def test_get_by_name(name):
    function = lm.activations.get(name)
    x = np.linspace(-2, 2, 9, dtype=np.float32)
    np.testing.assert_array_equal(function(x), getattr(lm.activations, name)(x))


def test_get_none_is_linear_and_a_function_is_itself():
    x = np.array([-1.0, 2.0], np.float32)
    np.testing.assert_array_equal(lm.activations.get(None)(x), x)
    assert lm.activations.get(lm.activations.relu) is lm.activations.relu


def test_unknown_name_tells_the_nearest():
    with pytest.raises(lm.ArgumentError, match="relu"):
        lm.activations.get("rleu")


def test_accepts_lists_and_other_dtypes():
    np.testing.assert_array_equal(lm.activations.relu([-1, 2]), np.array([0.0, 2.0], np.float32))
    assert lm.activations.tanh(np.arange(3, dtype=np.int64)).dtype == np.float32


def test_documented():
    for name in reference.ALL:
        assert inspect.getdoc(getattr(lm.activations, name)), name
