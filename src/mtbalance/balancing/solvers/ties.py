"""Ties: of many weights that are equally good, the ones of least norm. They do not depend on the order of tasks.

Weights are equally good if the rounding of float32 rows cannot tell them apart.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import nnls

from mtbalance.balancing.arrays import ROUNDING, Matrix, Vector


def null_space(cosines: Matrix) -> Matrix:
    """An orthonormal basis [K, m] of the vectors that the cosines C [K, K] take to zero, up to the rows' rounding."""
    values, vectors = np.linalg.eigh(cosines)
    basis: Matrix = vectors[:, values <= len(cosines) * ROUNDING]
    return basis


def shortest(point: Vector, lengths: Vector, directions: Matrix, *, same_sum: bool = True) -> Vector:
    """The point v + D z >= 0 with least |w|, where w = S (v + D z) and S = diag(``lengths``); w has the same sum.

    For a point v >= 0 [K] and directions D [K, m]; the sum is free without ``same_sum``. This is a problem of least
    distance, which becomes one of non-negative least squares (Lawson and Hanson 1974, chapter 23). Where no other point
    is shorter, or rounding spoils the search, v itself is returned.
    """
    basis, triangle = np.linalg.qr(lengths[:, None] * directions)
    if directions.shape[1] == 0 or np.abs(triangle.diagonal()).min() == 0:
        return point
    sums = basis.sum(axis=0)
    turned = np.eye(len(sums))
    if same_sum and np.linalg.norm(sums) > 10 * len(point) * ROUNDING:
        turned = np.linalg.qr(sums[:, None], mode="complete")[0][:, 1:]
    basis, directions = basis @ turned, directions @ np.linalg.solve(triangle, turned)
    center = point - directions @ (basis.T @ (lengths * point))
    sizes = np.linalg.norm(directions, axis=1)
    moving = sizes > 1e-10 * sizes.max()  # the others stay where they are: what moves them is rounding
    if (center[moving] < 0).any():
        center = center + directions @ _least(directions[moving], -center[moving])
    reached = _walk(point, center)
    return reached if np.linalg.norm(lengths * reached) < (1 - 1e-12) * np.linalg.norm(lengths * point) else point


def _least(matrix: Matrix, bounds: Vector) -> Vector:
    """The shortest z with ``matrix`` z >= ``bounds``; zero if rounding leaves none."""
    system = np.vstack([matrix.T, bounds])
    target = np.eye(len(system))[-1]
    gap = system @ nnls(system, target)[0] - target
    shortest_one: Vector = -gap[:-1] / gap[-1] if gap[-1] < 0 else np.zeros(len(gap) - 1)
    return shortest_one


def _walk(start: Vector, end: Vector) -> Vector:
    """The point farthest from ``start`` toward ``end`` that is not negative, up to rounding."""
    slack = 1e-11 * max(start.max(), end.max())
    falling = end < -slack
    share = float((start[falling] / (start[falling] - end[falling])).min()) if falling.any() else 1.0
    reached: Vector = np.maximum(start + share * (end - start), 0.0)
    return reached
