"""The dual problem of CAGrad: the coefficients with which the rows are added to the mean row."""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq, nnls

from mtbalance.balancing.arrays import ROUNDING, Matrix, Vector
from mtbalance.balancing.solvers.min_norm import min_norm

SMALLEST = ROUNDING**0.5
"""Where |g_w| is below this part of sum_k w_k |g_k|, it is rounding, and its direction means nothing."""


def conflict_averse(gram: Matrix, c: float) -> Vector:
    """Coefficients v [K] >= 0 of J'v = c |g_0| g_w / |g_w|, for the Gram matrix G = JJ' [K, K] and c >= 0.

    w minimizes F(w) = g_w . g_0 + c |g_0| |g_w| on the simplex, where g_w = J'w and g_0 is the mean row (CAGrad,
    algorithm 1). v is zero if c or g_0 is zero. The minimum is at g_w = 0 if zero is in the convex hull of the rows and
    some d in the ball opposes no task: no d is better then, and g_0 + J'v is the nearest of them to g_0.

    The method is this project's. |g_w| is the minimum over s > 0 of (|g_w|^2 / s + s) / 2, so F is the minimum over s
    of a function that is jointly convex in (w, s). For a given s, its minimizer is the min-norm point of the rows
    g_k + t g_0 with t = s / (c |g_0|), a small problem with an exact solution. The right s is the one with |g_w| = s,
    found by Brent's method.
    """
    norms = np.sqrt(gram.diagonal())
    products, squared = gram.mean(axis=0), float(gram.mean())
    if c == 0 or squared <= np.finfo(float).eps * norms.mean() ** 2:
        return np.zeros(len(gram))
    radius = c * np.sqrt(squared)

    def mixture(length: float) -> Vector:
        shift = length / radius
        return min_norm(gram + shift * (products + products[:, None]) + shift**2 * squared)

    def excess(length: float) -> float:
        return length - _length(gram, mixture(length))

    nearest = min_norm(gram)
    rounding = SMALLEST * float(nearest @ norms)
    if _length(gram, nearest) <= rounding:
        added = _without_conflict(gram, norms)
        length = _length(gram, added)
        if length <= (1 + SMALLEST) * radius:
            return added * (radius / length) if length > radius else added
    low, high = max(_length(gram, nearest), rounding), 1.01 * float(norms.max())
    if excess(low) < 0:
        low = float(brentq(excess, low, high, xtol=1e-300, maxiter=500))
    weights = mixture(low)
    length = _length(gram, weights)
    return weights * (radius / length) if length > SMALLEST * (weights @ norms) else np.zeros(len(gram))


def _without_conflict(gram: Matrix, norms: Vector) -> Vector:
    """Coefficients v [K] >= 0 with the least |g_0 + J'v|: no row opposes that point, the nearest such one to g_0.

    Non-negative least squares on rows of length 1, in coordinates of their span. A ridge as large as the rounding of
    cosines makes v unique and keeps it from making use of rounding; conflict is left up to about the ridge.
    """
    present = norms > 0
    lengths = norms[present]
    values, vectors = np.linalg.eigh(gram[np.ix_(present, present)] / np.outer(lengths, lengths))
    rows = np.sqrt(np.maximum(values, 0.0))[:, None] * vectors.T
    ridge = np.sqrt(ROUNDING) * np.eye(len(lengths))
    mean = rows @ (lengths / lengths.max() / len(gram))
    found = np.zeros(len(gram))
    found[present] = nnls(np.vstack([rows, ridge]), np.append(-mean, 0 * lengths))[0] * (lengths.max() / lengths)
    return found


def _length(gram: Matrix, weights: Vector) -> float:
    """|g_w|."""
    return float(np.sqrt(max(float(weights @ gram @ weights), 0.0)))
