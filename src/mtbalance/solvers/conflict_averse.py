"""The dual of CAGrad: how much of which row to add to the mean row."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from mtbalance.solvers.min_norm import min_norm

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

SMALLEST = 1e-7
"""|g_w| below this part of sum_k w_k |g_k| is rounding: its direction means nothing."""


def conflict_averse(gram: Matrix, c: float) -> Vector:
    """Coefficients v [K] >= 0 of J'v = c |g_0| g_w / |g_w|, for the Gram matrix G = JJ' [K, K] and c >= 0.

    w minimises F(w) = g_w . g_0 + c |g_0| |g_w| on the simplex, where g_w = J'w and g_0 is the mean row (CAGrad,
    algorithm 1). Zero where c or g_0 is zero and where the minimum is at g_w = 0.

    Own method. |g_w| is the minimum over s > 0 of (|g_w|^2 / s + s) / 2, so F is the minimum over s of a function
    jointly convex in (w, s). For a given s its minimiser is the min-norm point of the rows g_k + t g_0 with
    t = s / (c |g_0|), an exact small problem; s is right where |g_w| = s, found by Brent's method.
    """
    norms = np.sqrt(gram.diagonal())
    products, squared = gram.mean(axis=0), gram.mean()
    if c == 0 or squared <= np.finfo(float).eps * norms.mean() ** 2:
        return np.zeros(len(gram))
    radius = c * np.sqrt(squared)

    def mixture(length: float) -> Vector:
        shift = length / radius
        return min_norm(gram + shift * (products + products[:, None]) + shift**2 * squared)

    def excess(length: float) -> float:
        return length - _length(gram, mixture(length))

    nearest = min_norm(gram)
    low, high = max(_length(gram, nearest), SMALLEST * (nearest @ norms)), 1.01 * norms.max()
    if excess(low) < 0:
        low = brentq(excess, low, high, xtol=1e-300, maxiter=500)
    weights = mixture(low)
    length = _length(gram, weights)
    return weights * (radius / length) if length > SMALLEST * (weights @ norms) else np.zeros(len(gram))


def _length(gram: Matrix, weights: Vector) -> float:
    """|g_w|."""
    return float(np.sqrt(max(weights @ gram @ weights, 0.0)))
