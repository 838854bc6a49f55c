"""The Nash bargaining weights: a > 0 with G a = 1/a, exactly."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from scipy.linalg.lapack import dposv

from mtbalance.balancing.arrays import Matrix, Vector
from mtbalance.balancing.solvers.min_norm import min_norm

ACCEPTED_RESIDUAL = 1e-10
MAX_ITERATIONS = 100
LARGEST = 1e7
"""Largest weight, for rows of length 1, that counts as a solution. Larger ones would depend on digits that are lost in
the rounding of the Gram matrix."""


@dataclass(frozen=True)
class Bargain:
    """Weights [K] with their residual and the number of steps that found them."""

    weights: Vector
    residual: float
    """max_i |a_i (G a)_i - 1|, which does not depend on the scale of any task."""
    iterations: int
    certificate: float | None = None
    """Only if the weights are not accepted: the smallest |sum_k w_k u_k| with w on the simplex, for the tasks' rows
    u_k scaled to length 1. If it is zero, up to rounding, there is no solution; otherwise the solver failed."""

    @property
    def accepted(self) -> bool:
        """True for the solution. False where none exists, with zero in the convex hull of the tasks' rows."""
        return self.certificate is None


def bargain(gram: Matrix) -> Bargain:
    """Solve G a = 1/a, a > 0, for a Gram matrix G [K, K] with a positive diagonal.

    The solution minimizes the strictly convex f(a) = a'Ga/2 - sum log a, whose gradient is G a - 1/a (PUB, claim 1;
    NashMTL, equation 3). It exists if and only if no non-negative combination of the rows vanishes. The problem is
    solved for the matrix C = S G S with a unit diagonal and a = S b, so that the scales of tasks do not matter. K = 2
    has the closed form b = 1/sqrt(1 + rho), where rho is the cosine. Departure from both papers: Newton's method, not a
    sequence of convex programs.
    """
    cosines, norms = unit_diagonal(gram)
    if len(gram) == 2:
        scaled, iterations = np.ones(2) / sqrt(max(1.0 + cosines[0, 1], 0.1 * LARGEST**-2)), 0
    else:
        scaled, iterations = _newton(cosines)
    return judge(cosines, norms, scaled, iterations)


def unit_diagonal(gram: Matrix) -> tuple[Matrix, Vector]:
    """C = S G S with C_kk = 1, and the norms 1 / S_kk."""
    norms = np.sqrt(gram.diagonal())
    cosines = gram / norms / norms[:, None]
    cosines.flat[:: len(gram) + 1] = 1.0
    return cosines, norms


def judge(
    cosines: Matrix, norms: Vector, scaled: Vector, iterations: int, tolerance: float = ACCEPTED_RESIDUAL
) -> Bargain:
    """The weights S b with the residual of b [K], and with the certificate if the residual is too large."""
    residual = float(np.abs(scaled * (cosines @ scaled) - 1.0).max())
    certificate = None
    if residual > tolerance or scaled.max() > LARGEST:
        mixture = min_norm(cosines)
        certificate = float(np.sqrt(max(float(mixture @ cosines @ mixture), 0.0)))
    return Bargain(scaled / norms, residual, iterations, certificate)


def _newton(cosines: Matrix) -> tuple[Vector, int]:
    """Newton's method on f with line search: each step descends and stays in b > 0, so it always converges.

    It begins at the best multiple of ones, which is the solution for orthogonal and for parallel rows; two sweeps then
    move every coordinate toward b_k (C b)_k = 1. It ends at rounding, which is a residual a hundred times below the
    accepted one, or an accepted residual that hardly improves any more.
    """
    size, last = len(cosines), np.inf
    point = np.ones(size) * sqrt(size / max(cosines.sum(), 0.01 * size))
    for _ in range(2):
        point = np.sqrt(point / np.maximum(cosines @ point, 0.3 * point))
    for iteration in range(MAX_ITERATIONS):
        reciprocals = 1.0 / point
        gradient = cosines @ point - reciprocals
        residual = np.abs(point * gradient).max()
        if residual <= ACCEPTED_RESIDUAL / 100 or last / 10 <= residual <= ACCEPTED_RESIDUAL:
            return point, iteration
        hessian = cosines.copy()
        hessian.flat[:: size + 1] += reciprocals * reciprocals
        _, direction, failed = dposv(hessian, gradient)
        if failed:
            break  # G has a negative eigenvalue, by rounding, where the solution would need a zero
        point = point - _best_step(cosines, gradient, reciprocals, direction) * direction
        last = residual
        if point.max() > LARGEST:
            break
    return point, MAX_ITERATIONS


def _best_step(cosines: Matrix, gradient: Vector, reciprocals: Vector, direction: Vector) -> float:
    """The step t that roughly minimizes f(b - t d), at most 0.9 of the way to the boundary b = 0 of its domain.

    f is self-concordant, and d'gradient is the square of Newton's decrement at b. The step 1 / (1 + decrement) descends
    by a constant, so the best one does, too; with a small decrement the step 1 is as good as the best. The limit of 0.9
    keeps coordinates away from zero, from which they would need many steps to come back.
    """
    decrease = float(direction @ gradient)
    decrement = sqrt(max(decrease, 0.0))
    if decrement < 0.2:
        return 1.0
    ratios = direction * reciprocals
    square, pull = float(direction @ cosines @ direction), float(ratios.sum())
    low, high = 0.0, 0.9 / max(float(ratios.max()), 1e-12)
    step = min(1.0 / (1.0 + decrement), high)
    for _ in range(20):
        pulls = ratios / (1.0 - step * ratios)
        slope = float(pulls.sum()) - pull - decrease + step * square
        low, high = (step, high) if slope < 0 else (low, step)
        moved = min(max(step - slope / (square + float(pulls @ pulls)), low), high)
        if abs(moved - step) <= 0.03 * step:
            return moved
        step = moved
    return step
