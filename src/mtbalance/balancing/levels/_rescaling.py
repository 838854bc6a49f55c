"""The scale of the weights of updates, whose joint step is as long as they make it."""

from __future__ import annotations

from math import sqrt

import numpy as np

from mtbalance.balancing.arrays import Matrix, Vector
from mtbalance.balancing.rules import has_positive_sum

SMALLEST = 1e-10
"""A squared norm below this part of its largest possible value is taken for zero."""


def rescaled(weights: Vector, gram: Matrix, scale: str) -> Vector | None:
    """Weights [K] on a scale of ``UpdateOptions.rescale``, for the Gram matrix [K, K] of the updates.

    None if there is no such scale: the weights have no positive sum, or the joint update vanishes.
    """
    if scale == "none":
        return weights
    if scale == "match_norm":
        longest = np.abs(weights) @ np.sqrt(gram.diagonal())
        ones = np.ones(len(weights))
        plain, solved = float(ones @ gram @ ones), float(weights @ gram @ weights)
        return weights * sqrt(max(plain, 0.0) / solved) if solved > SMALLEST * longest**2 else None
    total = float(weights.sum())
    if not has_positive_sum(weights):
        return None
    return weights * (len(weights) / total) if scale == "sum_to_K" else weights / total
