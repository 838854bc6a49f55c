"""The bargaining weights the papers' way: a sequence of convex problems in CVXPY."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import lru_cache

import cvxpy
import numpy as np
from numpy.typing import NDArray

from mtbalance.solvers.bargaining import Bargain, judge, unit_diagonal

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

ACCEPTED_RESIDUAL = 1e-4
"""What the sequence reaches on cosines with the solver's default tolerances; Newton's method reaches 1e-12."""
STOP_CHANGE = 1e-6
"""The sequence ends where the weights change by less, as in the NashMTL code."""


@dataclass(frozen=True)
class SubProblem:
    """minimise slopes . b subject to log b_k + log (C b)_k >= 0, for parameters that are set anew at each use."""

    weights: cvxpy.Variable
    cosines: cvxpy.Parameter
    slopes: cvxpy.Parameter
    problem: cvxpy.Problem

    def solve(self, cosines: Matrix, point: Vector) -> Vector | None:
        """The next point: the objective sum_k (beta_k + phi_k) has phi replaced by its tangent at ``point``.

        At a first point that is not feasible, log beta_k is left out where it is not defined. None where the solver
        finds no solution. Clarabel starts cold, so that a run that is resumed repeats its numbers.
        """
        utilities = cosines @ point
        reciprocals = np.divide(1.0, utilities, out=np.zeros_like(point), where=utilities > 0)
        self.cosines.value = cosines
        self.slopes.value = cosines.sum(axis=0) + 1.0 / point + reciprocals @ cosines
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Solution may be inaccurate")  # judged by its residual
            try:
                self.problem.solve(solver=cvxpy.CLARABEL, warm_start=False)
            except cvxpy.error.SolverError:
                return None
        return self.weights.value


@lru_cache
def sub_problem(tasks: int) -> SubProblem:
    """The problem for K tasks, built and compiled once."""
    weights = cvxpy.Variable(tasks, nonneg=True)
    cosines, slopes = cvxpy.Parameter((tasks, tasks)), cvxpy.Parameter(tasks)
    constraint = cvxpy.log(weights) + cvxpy.log(cosines @ weights) >= 0
    return SubProblem(weights, cosines, slopes, cvxpy.Problem(cvxpy.Minimize(slopes @ weights), [constraint]))


def bargain_by_ccp(gram: Matrix, start: Vector, max_iterations: int = 20) -> Bargain:
    """Solve G a = 1/a, a > 0, for a Gram matrix G [K, K] with a positive diagonal, as the papers do.

    Source: NashMTL, section 3.2 and its code; PUB, equations 2 to 4: with beta = G a and phi_k = log a_k + log beta_k,
    minimise sum_k (beta_k + phi_k) subject to phi >= 0, phi in the objective linearised at the last point, repeated
    ``max_iterations`` times (20 in the NashMTL code, 200 in PUB) or until the point stays. ``start`` is the last a > 0.
    Departures: on cosines, because the solver's tolerances are absolute, and from the multiple of ``start`` on which
    a'Ga is K, as it is at the solution, brought between 0.1 and 10; Clarabel, not ECOS; where the solver fails or the
    residual is above ``ACCEPTED_RESIDUAL`` the result is not accepted, where the codes go on with what they have.
    """
    cosines, norms = unit_diagonal(gram)
    point = start * norms
    scale = np.sqrt(len(gram) / max(point @ cosines @ point, 0.01 * (point @ point)))
    point = np.clip(scale * point, 0.1, 10.0)
    iterations, change = 0, np.inf
    while iterations < max_iterations and change >= STOP_CHANGE:
        iterations += 1
        moved = sub_problem(len(gram)).solve(cosines, point)
        if moved is None or not (moved > 0).all():
            break
        change, point = float(np.linalg.norm(moved - point)), moved
    return judge(cosines, norms, point, iterations, ACCEPTED_RESIDUAL)
