"""The negative binomial distribution for many SKUs at once: counts whose variance is larger than their mean.

Demand of a shop is such a count: a Poisson whose rate nobody knows exactly, and which comes in bursts. numpy has no
distribution functions, so the incomplete beta function behind them stands here.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LEAST_SPREAD = 1.01
"""Variance over mean, at least: below it the distribution is a Poisson to three digits, and the fraction below
needs thousands of turns."""
_TURNS = 20_000
_EXACT = 1e-8
_TINY = 1e-300
_LANCZOS = (
    0.99999999999980993,
    676.5203681218851,
    -1259.1392167224028,
    771.32342877765313,
    -176.61502916214059,
    12.507343278686905,
    -0.13857109526572012,
    9.9843695780195716e-6,
    1.5056327351493116e-7,
)
"""For g = 7, nine terms: Godfrey's coefficients, good to 15 digits."""


def cdf(count: Floats | Ints, mean: Floats, variance: Floats) -> Floats:
    """Return P(X ≤ count), elementwise; `count` < 0 gives 0, a mean of 0 gives 1. All arrays of one shape."""
    count, mean = np.asarray(count, np.float64), np.asarray(mean, np.float64)
    spread = np.maximum(np.asarray(variance, np.float64), mean * LEAST_SPREAD)
    chance = np.where(count < 0, 0.0, 1.0)
    where = (mean > 0) & (count >= 0)
    if where.any():
        m, v, k = mean[where], spread[where], np.floor(count[where])
        chance[where] = _beta(m * m / (v - m), k + 1.0, m / v)
    return chance


def quantile(share: float, mean: Floats, variance: Floats) -> Ints:
    """Return the smallest count with P(X ≤ count) ≥ `share` (0 < share < 1), elementwise."""
    mean, variance = np.asarray(mean, np.float64), np.asarray(variance, np.float64)
    low = np.full(mean.shape, -1.0)
    high = np.ceil(mean + 12.0 * np.sqrt(np.maximum(variance, mean)) + 10.0)
    while np.any(high - low > 1.0):
        middle = np.floor((low + high) / 2.0)
        reached = cdf(middle, mean, variance) >= share
        high, low = np.where(reached, middle, high), np.where(reached, low, middle)
    return np.asarray(high, np.int64)


def _beta(a: Floats, b: Floats, x: Floats) -> Floats:
    """Return the regularised incomplete beta function I_x(a, b) by its continued fraction.

    The fraction converges fast for x below the mean of the distribution; above it the other tail is taken.
    """
    is_upper = x > (a + 1.0) / (a + b + 2.0)
    first, second = np.where(is_upper, b, a), np.where(is_upper, a, b)
    share = np.where(is_upper, 1.0 - x, x)
    with np.errstate(under="ignore"):
        front = np.exp(
            _log_gamma(first + second)
            - _log_gamma(first)
            - _log_gamma(second)
            + first * np.log(share)
            + second * np.log1p(-share)
        )
        tail = np.clip(front * _fraction(first, second, share) / first, 0.0, 1.0)
    return np.asarray(np.where(is_upper, 1.0 - tail, tail), np.float64)


def _fraction(a: Floats, b: Floats, x: Floats) -> Floats:
    """Lentz's way down the continued fraction (DLMF 8.17.22); who has converged takes no more turns."""
    result = np.empty_like(x)
    at = np.arange(x.size)
    c = np.ones_like(x)
    d = 1.0 / _kept(1.0 - (a + b) * x / (a + 1.0))
    h = d.copy()
    for turn in range(1, _TURNS):
        even = turn * (b - turn) * x / ((a + 2 * turn - 1.0) * (a + 2 * turn))
        d = 1.0 / _kept(1.0 + even * d)
        c = _kept(1.0 + even / c)
        h = h * d * c
        odd = -(a + turn) * (a + b + turn) * x / ((a + 2 * turn) * (a + 2 * turn + 1.0))
        d = 1.0 / _kept(1.0 + odd * d)
        c = _kept(1.0 + odd / c)
        step = d * c
        h = h * step
        done = np.abs(step - 1.0) < _EXACT
        if done.any():
            result[at[done]] = h[done]
            going = ~done
            if not going.any():
                return result
            at, a, b, x, c, d, h = at[going], a[going], b[going], x[going], c[going], d[going], h[going]
    raise ArithmeticError(f"the incomplete beta function did not settle for a={a[0]}, b={b[0]}, x={x[0]}")


def _kept(value: Floats) -> Floats:
    return np.where(np.abs(value) < _TINY, _TINY, value)


def _log_gamma(x: Floats) -> Floats:
    """Return ln Γ(x) for x > 0: Lanczos's series for Γ(x + 1), less ln x."""
    series = np.full_like(x, _LANCZOS[0])
    for term, coefficient in enumerate(_LANCZOS[1:], start=1):
        series += coefficient / (x + term)
    shifted = x + 7.5
    return np.asarray(
        0.5 * np.log(2.0 * np.pi) + (x + 0.5) * np.log(shifted) - shifted + np.log(series) - np.log(x), np.float64
    )
