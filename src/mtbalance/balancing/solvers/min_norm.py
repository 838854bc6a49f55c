"""The point of smallest norm in the convex hull of K vectors, from their Gram matrix."""

from __future__ import annotations

import numpy as np

from mtbalance.balancing.arrays import ROUNDING, Matrix, Vector
from mtbalance.balancing.solvers.ties import null_space, shortest

TOLERANCE = 1e-12
"""A violation of optimality below this is rounding; it is relative to the vector's own norm times sum_k w_k |g_k|."""


def min_norm(gram: Matrix) -> Vector:
    """Weights w [K] on the simplex that minimize w' G w for a Gram matrix G [K, K].

    An active-set method that ends at an exact minimizer (Wolfe 1976): with mu = w' G w, every (G w)_i >= mu at the
    result, and (G w)_i = mu where w_i > 0, up to ``TOLERANCE``. K = 2 has a closed form. Dependent vectors may have
    many minimizers, up to the rounding of the vectors' products in float32; the result is the one of least norm |w|, so
    that equal vectors weigh the same.

    The scaling is this project's: the method works on the cosines C of the vectors, with v_k = w_k |g_k| and
    sum_k v_k / |g_k| = 1. Lengths that differ by many orders of magnitude then cost no accuracy.
    """
    norms = np.sqrt(np.maximum(gram.diagonal(), 0.0))
    zero = norms == 0
    if zero.all():
        return np.full(len(gram), 1 / len(gram))
    norms[zero] = norms[~zero].min()
    cosines = gram / np.outer(norms, norms)
    reciprocals = norms.min() / norms
    if len(gram) == 2 and not zero.any():
        return _pair(cosines[0, 1], reciprocals)
    scaled = zero / zero.sum() if zero.any() else _active_set(cosines, reciprocals)
    weights: Vector = _untied(cosines, reciprocals, scaled) * reciprocals
    return weights / float(weights.sum())


def _untied(cosines: Matrix, reciprocals: Vector, scaled: Vector) -> Vector:
    """Of the minimizers, all of which are on vectors with (G w)_i = mu, the one of least norm |w|."""
    slopes = cosines @ scaled
    allowed = np.abs(slopes - (scaled @ slopes) * reciprocals) <= len(cosines) * ROUNDING * scaled.sum()
    allowed |= scaled > 0
    directions = null_space(cosines[np.ix_(allowed, allowed)])
    if directions.shape[1]:
        scaled = scaled.copy()
        scaled[allowed] = shortest(scaled[allowed], reciprocals[allowed], directions)
    return scaled


def _pair(cosine: float, reciprocals: Vector) -> Vector:
    """Both weights, each without cancellation; a half each for two vectors that are equal up to rounding."""
    others = reciprocals[::-1]
    weights: Vector = np.maximum(reciprocals * (reciprocals - cosine * others), 0.0)
    total = float(weights.sum())
    return weights / total if total > 4 * ROUNDING else np.ones(2) / 2


def _active_set(cosines: Matrix, reciprocals: Vector) -> Vector:
    """A minimizer, as v [K]."""
    active = [int(np.argmax(reciprocals))]
    scaled: Vector = np.eye(len(cosines))[active[0]] / reciprocals
    for _ in range(10 * len(cosines) ** 2):  # far above what Wolfe's method takes; a bound only against rounding
        slopes = cosines @ scaled
        violations = slopes - (scaled @ slopes) * reciprocals + TOLERANCE * scaled.sum()
        violations[active] = 0.0
        entering = int(np.argmin(violations))
        if violations[entering] >= 0:
            break
        scaled, active = _shrink(cosines, reciprocals, scaled, [*active, entering])
        if entering not in active:
            break  # the violation was rounding
    return scaled


def _shrink(cosines: Matrix, reciprocals: Vector, scaled: Vector, active: list[int]) -> tuple[Vector, list[int]]:
    """Walk to the minimizer on the affine hull of ``active``; drop the vectors that meet the boundary on the way."""
    while True:
        target = np.zeros_like(scaled)
        target[active] = _affine_minimizer(cosines[np.ix_(active, active)], reciprocals[active])
        leaving = [i for i in active if target[i] <= 0]
        if not leaving:
            return target, active
        ratios = {i: scaled[i] / (scaled[i] - target[i]) if scaled[i] > 0 else 0.0 for i in leaving}
        blocking = min(ratios, key=lambda i: ratios[i])
        scaled = scaled + ratios[blocking] * (target - scaled)
        scaled[blocking] = 0.0
        active = [i for i in active if i != blocking]


def _affine_minimizer(cosines: Matrix, reciprocals: Vector) -> Vector:
    """Minimize v' C v subject to reciprocals . v = 1 alone, by least squares, so that dependent vectors are allowed."""
    size, largest = len(cosines), float(reciprocals.max())
    system = np.zeros((size + 1, size + 1))
    system[:size, :size] = cosines
    system[size, :size] = system[:size, size] = reciprocals / largest
    right = np.zeros(size + 1)
    right[size] = 1.0
    solution = np.linalg.lstsq(system, right, rcond=None)[0].astype(np.float64, copy=False)
    return solution[:size] / largest
