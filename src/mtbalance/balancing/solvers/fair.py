"""The alpha-fair weights: a > 0 with G a = a^(-1/alpha), exactly."""

from __future__ import annotations

import numpy as np

from mtbalance.balancing.arrays import ROUNDING, Matrix, Vector
from mtbalance.balancing.solvers.bargaining import unit_diagonal

CONVERGED, ACCEPTED = 1e-12, 1e-8
"""Largest relative change of a weight by one more step at which the search ends, and at which it has succeeded."""
UNCERTAIN = 0.1
"""Largest relative change of a weight by the rounding of float32 rows at which it counts as a solution."""
MAX_ITERATIONS = 200


def fair_weights(gram: Matrix, alpha: float) -> tuple[Vector | None, float]:
    """The solution a [K] for a Gram matrix G [K, K] with a positive diagonal, or None; and the last relative change.

    The solution minimizes the strictly convex f(a) = a'Ga / 2 - sum_k phi(a_k), with phi'(a) = a^(-p) and p = 1/alpha.
    It exists if and only if no non-negative combination of the rows vanishes. A task alone would have
    a_k = |g_k|^(-2/(1+p)). With x = a over that, c_k = |g_k|^((p-1)/(1+p)) and the cosines C, the equation is

        C (c * x) = c * x^(-p)

    so that the scale of G does not matter. Newton's method solves it. A solution that the rounding of float32 rows
    decides is not accepted.
    """
    cosines, norms = unit_diagonal(gram)
    power = 1.0 / alpha
    sizes = (norms / norms.max()) ** ((power - 1) / (power + 1))
    point, change, uncertainty = _newton(cosines, sizes / sizes.max(), power)
    accepted = change <= ACCEPTED and uncertainty <= UNCERTAIN
    return (norms ** (-2 / (power + 1)) * point if accepted else None), change


def _newton(cosines: Matrix, sizes: Vector, power: float) -> tuple[Vector, float, float]:
    """x, its relative change by the last step, and by the rounding of C; ``sizes`` are c.

    In y = c * x the Hessian is C + diag(p x^(-p-1)). Each step descends along a line and stays in x > 0. With a large
    alpha the weights of well-served tasks are so small that they must be kept from underflow.
    """
    floor = 10 ** (-150 / (power + 1))
    point, change, uncertainty = np.ones(len(sizes)), np.inf, np.inf
    for _ in range(MAX_ITERATIONS):
        rates = point**-power
        terms = sizes * point
        try:
            inverse = np.linalg.inv(cosines + np.diag(power * rates / point))
        except np.linalg.LinAlgError:
            break  # by rounding, where the solution would need a zero
        direction = -(inverse @ (cosines @ terms - sizes * rates)) / sizes
        moving = (point > floor) | (direction > 0)
        change = float(np.abs(direction / point)[moving].max(initial=0.0))
        uncertainty = float((ROUNDING * np.abs(inverse) @ (np.abs(cosines) @ terms) / terms)[moving].max(initial=0.0))
        if change <= CONVERGED:
            break
        step = 1.0 if change < 0.1 / (1 + power) else _step(cosines, sizes, power, point, direction)
        point = np.maximum(point + step * direction, floor)
    return point, change, uncertainty


def _step(cosines: Matrix, sizes: Vector, power: float, point: Vector, direction: Vector) -> float:
    """A step up to which f descends, at most nearly to the boundary x = 0."""
    nearest = float((-direction / point).max())
    step = min(1.0, 0.999 / nearest) if nearest > 0 else 1.0
    for _ in range(60):
        moved = point + step * direction
        if (direction * sizes) @ (cosines @ (sizes * moved) - sizes * moved**-power) <= 0:
            break
        step /= 2
    return step
