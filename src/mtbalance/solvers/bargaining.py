"""The Nash bargaining weights: a > 0 with G a = 1/a, exactly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

ACCEPTED_RESIDUAL = 1e-10
MAX_ITERATIONS = 100


@dataclass(frozen=True)
class Bargain:
    """Weights [K], how well they solve the equation, and in how many Newton steps."""

    weights: Vector
    residual: float
    """max_i |a_i (G a)_i - 1|: the same whatever the scale of any task."""
    iterations: int

    @property
    def accepted(self) -> bool:
        """Whether this is the solution. False where none exists: zero in the convex hull of the tasks' rows."""
        return bool(np.isfinite(self.residual) and self.residual <= ACCEPTED_RESIDUAL)


def bargain(gram: Matrix) -> Bargain:
    """Solve G a = 1/a, a > 0, for a Gram matrix G [K, K] with a positive diagonal.

    The solution is the minimiser of the strictly convex f(a) = a'Ga/2 - sum log a, whose gradient is G a - 1/a
    (PUB, claim 1; NashMTL, equation 3). It exists if and only if no non-negative combination of the rows vanishes.
    Solved on the unit-diagonal matrix C = S G S, a = S b, so that the scales of tasks do not matter. K = 2 has the
    closed form b = 1/sqrt(1 + rho). Departure from both papers: Newton's method, not a sequence of convex programs.
    """
    norms = np.sqrt(gram.diagonal())
    cosines = gram / np.outer(norms, norms)
    if len(gram) == 2:
        with np.errstate(divide="ignore"):
            scaled, iterations = np.full(2, 1.0 / np.sqrt(max(1.0 + cosines[0, 1], 0.0))), 0
    else:
        scaled, iterations = _newton(cosines)
    with np.errstate(invalid="ignore"):
        residual = float(np.abs(scaled * (cosines @ scaled) - 1.0).max())
    return Bargain(scaled / norms, residual, iterations)


def _newton(cosines: Matrix) -> tuple[Vector, int]:
    """Damped Newton on f. It is self-concordant, so the step 1/(1 + decrement) keeps b > 0 and always descends."""
    point = np.full(len(cosines), len(cosines) ** -0.5)  # exact when all rows are parallel
    for iteration in range(MAX_ITERATIONS):
        gradient = cosines @ point - 1.0 / point
        if np.abs(point * gradient).max() <= ACCEPTED_RESIDUAL / 100:
            return point, iteration
        direction = np.linalg.solve(cosines + np.diag(point**-2), -gradient)
        decrement = np.sqrt(max(-gradient @ direction, 0.0))
        point = point + direction / (1.0 + decrement if decrement > 0.25 else 1.0)
        if point.max() > 1e8:
            break  # running to infinity: no solution
    return point, MAX_ITERATIONS
