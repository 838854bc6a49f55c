"""The point of smallest norm in the convex hull of K vectors, from their Gram matrix."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

TOLERANCE = 1e-12
"""Relative to the largest squared norm: smaller violations of optimality are rounding."""


def min_norm(gram: Matrix) -> Vector:
    """Weights w [K] on the simplex that minimise w' G w for a Gram matrix G [K, K].

    An active-set method that ends at an exact minimiser (Wolfe 1976): at the result, with mu = w' G w, every
    (G w)_i >= mu, with equality where w_i > 0, up to ``TOLERANCE`` times the largest G_ii. K = 2 has a closed form.
    """
    gram = gram / max(float(gram.diagonal().max()), np.finfo(float).tiny)
    if len(gram) == 2:
        return _pair(gram)
    active = [int(np.argmin(gram.diagonal()))]
    weights = np.eye(len(gram))[active[0]]
    for _ in range(10 * len(gram) ** 2):  # far above what Wolfe's method takes; a bound only against rounding
        slopes = gram @ weights
        best = int(np.argmin(slopes))
        if slopes[best] >= weights @ slopes - TOLERANCE or best in active:
            break
        active.append(best)
        weights, active = _shrink(gram, weights, active)
    return weights


def _pair(gram: Matrix) -> Vector:
    difference = gram[0, 0] + gram[1, 1] - 2 * gram[0, 1]
    first = 0.5 if difference <= 0 else np.clip((gram[1, 1] - gram[0, 1]) / difference, 0.0, 1.0)
    return np.array([first, 1.0 - first])


def _shrink(gram: Matrix, weights: Vector, active: list[int]) -> tuple[Vector, list[int]]:
    """Walk to the minimiser on the affine hull of ``active``; drop what meets the boundary on the way."""
    while True:
        target = np.zeros_like(weights)
        target[active] = _affine_minimiser(gram[np.ix_(active, active)])
        leaving = [i for i in active if target[i] <= 0]
        if not leaving:
            return target, active
        ratios = {i: weights[i] / (weights[i] - target[i]) if weights[i] > 0 else 0.0 for i in leaving}
        blocking = min(ratios, key=ratios.get)
        weights = weights + ratios[blocking] * (target - weights)
        weights[blocking] = 0.0
        active = [i for i in active if i != blocking]


def _affine_minimiser(gram: Matrix) -> Vector:
    """Minimise w' G w subject to sum w = 1 only (least squares, so that dependent vectors are no obstacle)."""
    size = len(gram)
    system = np.ones((size + 1, size + 1))
    system[:size, :size], system[size, size] = gram, 0.0
    right = np.zeros(size + 1)
    right[size] = 1.0
    return np.linalg.lstsq(system, right, rcond=None)[0][:size]
