"""The Nash bargaining weights: a > 0 with G a = 1/a, exactly."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dposv

from mtbalance.balancing.arrays import ROUNDING, Matrix, Vector
from mtbalance.balancing.solvers.min_norm import min_norm

ACCEPTED_RESIDUAL = 1e-10
DOUBLE_ROUNDING = 1e-14
"""Part of b_i sum_j |C_ij| b_j that may be the rounding of b_i (C b)_i in float64, and that is accepted on top."""
MAX_ITERATIONS = 100


def largest_weight(precision: float) -> float:
    """Largest weight, for rows of length 1, that counts as a solution if cosines have errors of ``precision``.

    An error e of the cosines changes a weight b by up to the part e b^2 / 2 of it (K = 2). Here that is 5 %.
    """
    return sqrt(0.1 / precision)


@dataclass(frozen=True)
class Bargain:
    """Weights [K] with their residual and the number of steps that found them."""

    weights: Vector
    residual: float
    """max_i |a_i (G a)_i - 1|, which does not depend on the scale of any task."""
    iterations: int
    certificate: float | None = None
    """Only if the weights are not accepted: the smallest |sum_k w_k u_k| with w on the simplex, for the tasks' rows
    u_k scaled to length 1. The joint row has length sqrt(K), so no weight is above sqrt(K) / certificate. So with
    float32 rows a certificate below sqrt(K) / 900 says that there is no solution, or none that their precision can
    tell; if it is larger, the solver failed."""

    @property
    def accepted(self) -> bool:
        """True for the solution. False where none exists, with zero in or nearly in the convex hull of the rows."""
        return self.certificate is None


def bargain(gram: Matrix, precision: float = ROUNDING) -> Bargain:
    """Solve G a = 1/a, a > 0, for a Gram matrix G [K, K] with a positive diagonal.

    The solution minimizes the strictly convex f(a) = a'Ga/2 - sum log a, whose gradient is G a - 1/a (PUB, claim 1;
    NashMTL, equation 3). It exists if and only if no non-negative combination of the rows vanishes. The problem is
    solved for the matrix C = S G S with a unit diagonal and a = S b, so that the scales of tasks do not matter. K = 2
    has the closed form b = 1/sqrt(1 + rho), where rho is the cosine. Departure from both papers: Newton's method, not a
    sequence of convex programs. ``precision`` is the relative error of the rows' products; weights that depend on it
    are not accepted (:func:`largest_weight`).
    """
    cosines, norms = unit_diagonal(gram)
    largest = largest_weight(precision)
    if len(gram) == 2:
        scaled, iterations = np.ones(2) / sqrt(max(1.0 + cosines[0, 1], 0.1 * largest**-2)), 0
    else:
        scaled, iterations = _newton(cosines, 10 * largest)
    return judge(cosines, norms, scaled, iterations, largest=largest)


def nonzero_rows(gram: Matrix) -> tuple[NDArray[np.intp], Matrix]:
    """The indices of the rows that are not zero, and their part of the Gram matrix."""
    present = np.nonzero(gram.diagonal() > 0)[0]
    inner: Matrix = gram[np.ix_(present, present)]
    return present, inner


def unit_diagonal(gram: Matrix) -> tuple[Matrix, Vector]:
    """C = S G S with C_kk = 1, and the norms 1 / S_kk."""
    norms = np.sqrt(gram.diagonal())
    cosines = gram / norms / norms[:, None]
    cosines.flat[:: len(gram) + 1] = 1.0
    return cosines, norms


def judge(
    cosines: Matrix,
    norms: Vector,
    scaled: Vector,
    iterations: int,
    *,
    tolerance: float = ACCEPTED_RESIDUAL,
    largest: float = largest_weight(ROUNDING),
) -> Bargain:
    """The weights S b with the residual of b [K], and with the certificate if residual or weights are too large."""
    residuals = np.abs(scaled * (cosines @ scaled) - 1.0)
    residual, certificate = float(residuals.max()), None
    if (residuals > tolerance + _rounding(cosines, scaled)).any() or scaled.max() > largest:
        mixture = min_norm(cosines)
        certificate = float(np.sqrt(max(float(mixture @ cosines @ mixture), 0.0)))
    return Bargain(scaled / norms, residual, iterations, certificate)


def _rounding(cosines: Matrix, scaled: Vector) -> Vector:
    """The residual [K] that the rounding of C b explains: where terms cancel, it is far above that of the result."""
    bound: Vector = DOUBLE_ROUNDING * scaled * (np.abs(cosines) @ scaled)
    return bound


def _newton(cosines: Matrix, beyond: float) -> tuple[Vector, int]:
    """Newton's method on f with line search: each step descends and stays in b > 0, so it always converges.

    It begins at the best multiple of ones, which is the solution for orthogonal and for parallel rows; two sweeps then
    move every coordinate toward b_k (C b)_k = 1. It ends at rounding, which is a residual a hundred times below the
    accepted one, or an accepted residual that hardly improves any more; and at a weight ``beyond`` all that count.
    """
    size, last = len(cosines), np.inf
    point = np.ones(size) * sqrt(size / max(cosines.sum(), 0.01 * size))
    for _ in range(2):
        point = np.sqrt(point / np.maximum(cosines @ point, 0.3 * point))
    for iteration in range(MAX_ITERATIONS):
        reciprocals = 1.0 / point
        gradient = cosines @ point - reciprocals
        residuals = np.abs(point * gradient)
        residual = residuals.max()
        if residual <= ACCEPTED_RESIDUAL / 100:
            return point, iteration
        if last / 10 <= residual and (residuals <= ACCEPTED_RESIDUAL + _rounding(cosines, point)).all():
            return point, iteration
        hessian = cosines.copy()
        hessian.flat[:: size + 1] += reciprocals * reciprocals
        _, direction, failed = dposv(hessian, gradient)
        if failed:
            break  # G has a negative eigenvalue, by rounding, where the solution would need a zero
        point = point - _best_step(cosines, gradient, reciprocals, direction) * direction
        last = residual
        if point.max() > beyond:
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
