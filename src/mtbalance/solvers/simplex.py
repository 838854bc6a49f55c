"""Euclidean projection on the probability simplex."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def project_on_simplex(point: NDArray[np.float64]) -> NDArray[np.float64]:
    """The nearest point [K] of {w >= 0, sum w = 1}, exactly, by sorting (Held, Wolfe and Crowder 1974)."""
    point = point - point.max()  # the same nearest point, and no digits lost far from the simplex
    descending = np.sort(point)[::-1]
    excess = np.cumsum(descending) - 1.0
    support = np.nonzero(descending * np.arange(1, len(point) + 1) > excess)[0][-1]
    return np.maximum(point - excess[support] / (support + 1), 0.0)
