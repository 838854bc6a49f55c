"""The point of smallest norm in the convex hull of K vectors, from their Gram matrix."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

TOLERANCE = 1e-12
"""Smaller violations of optimality are rounding; relative to the vector's own norm times sum_k w_k |g_k|."""


def min_norm(gram: Matrix) -> Vector:
    """Weights w [K] on the simplex that minimise w' G w for a Gram matrix G [K, K].

    An active-set method that ends at an exact minimiser (Wolfe 1976): at the result, with mu = w' G w, every
    (G w)_i >= mu, with equality where w_i > 0, up to ``TOLERANCE``. K = 2 has a closed form. Where vectors are zero,
    so is the minimum, and they share the weight.

    Own scaling: it works on the cosines C of the vectors with v_k = w_k |g_k|, on which sum_k v_k / |g_k| = 1. Lengths
    that differ by many powers of ten then cost no digits.
    """
    norms = np.sqrt(np.maximum(gram.diagonal(), 0.0))
    zero = norms == 0
    if zero.any():
        return zero / zero.sum()
    cosines = gram / np.outer(norms, norms)
    reciprocals = norms.min() / norms
    return _pair(cosines[0, 1], reciprocals) if len(gram) == 2 else _active_set(cosines, reciprocals)


def _pair(cosine: float, reciprocals: Vector) -> Vector:
    """Both weights, each without cancellation; an equal share of two equal vectors."""
    others = reciprocals[::-1]
    weights = np.maximum(reciprocals * (reciprocals - cosine * others), 0.0)
    return weights / weights.sum() if weights.any() else np.full(2, 0.5)


def _active_set(cosines: Matrix, reciprocals: Vector) -> Vector:
    active = [int(np.argmax(reciprocals))]
    scaled = np.eye(len(cosines))[active[0]] / reciprocals
    for _ in range(10 * len(cosines) ** 2):  # far above what Wolfe's method takes; a bound only against rounding
        slopes = cosines @ scaled
        violations = slopes - (scaled @ slopes) * reciprocals + TOLERANCE * scaled.sum()
        violations[active] = 0.0
        entering = int(np.argmin(violations))
        if violations[entering] >= 0:
            break
        scaled, active = _shrink(cosines, reciprocals, scaled, [*active, entering])
        if entering not in active:
            break  # what seemed to violate was rounding
    weights = scaled * reciprocals
    return weights / weights.sum()


def _shrink(cosines: Matrix, reciprocals: Vector, scaled: Vector, active: list[int]) -> tuple[Vector, list[int]]:
    """Walk to the minimiser on the affine hull of ``active``; drop what meets the boundary on the way."""
    while True:
        target = np.zeros_like(scaled)
        target[active] = _affine_minimiser(cosines[np.ix_(active, active)], reciprocals[active])
        leaving = [i for i in active if target[i] <= 0]
        if not leaving:
            return target, active
        ratios = {i: scaled[i] / (scaled[i] - target[i]) if scaled[i] > 0 else 0.0 for i in leaving}
        blocking = min(ratios, key=ratios.get)
        scaled = scaled + ratios[blocking] * (target - scaled)
        scaled[blocking] = 0.0
        active = [i for i in active if i != blocking]


def _affine_minimiser(cosines: Matrix, reciprocals: Vector) -> Vector:
    """Minimise v' C v subject to reciprocals . v = 1 only (least squares, so that dependence is no obstacle)."""
    size, largest = len(cosines), reciprocals.max()
    system = np.zeros((size + 1, size + 1))
    system[:size, :size] = cosines
    system[size, :size] = system[:size, size] = reciprocals / largest
    right = np.zeros(size + 1)
    right[size] = 1.0
    return np.linalg.lstsq(system, right, rcond=None)[0][:size] / largest
