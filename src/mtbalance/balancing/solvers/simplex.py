"""Euclidean projection on the probability simplex."""

from __future__ import annotations

import numpy as np

from mtbalance.balancing.arrays import Vector


def project_on_simplex(point: Vector) -> Vector:
    """The nearest point [K] of {w >= 0, sum w = 1}, exactly, by sorting (Held, Wolfe and Crowder 1974)."""
    point = point - point.max()  # the same nearest point, and no digits lost far from the simplex
    descending = np.sort(point)[::-1]
    excess = np.cumsum(descending) - 1.0
    support = np.nonzero(descending * np.arange(1, len(point) + 1) > excess)[0][-1]
    projected: Vector = np.maximum(point - excess[support] / (support + 1), 0.0)
    return projected
