"""The Nash bargaining weights as the papers solve them: a sequence of convex problems in CVXPY."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import lru_cache

import cvxpy
import numpy as np
from cvxpy.atoms.elementwise.log import log

from mtbalance.balancing.arrays import Matrix, Vector
from mtbalance.balancing.solvers.bargaining import Bargain, judge, unit_diagonal

ACCEPTED_RESIDUAL = 1e-4
"""Largest residual that is accepted: the sequence reaches it, on cosines, with the solver's default tolerances.
(Newton's method reaches 1e-12.)"""
STOP_CHANGE = 1e-6
"""The sequence ends when the weights change by less than this, as in the NashMTL code."""


@dataclass(frozen=True)
class SubProblem:
    """Minimize slopes . b subject to log b_k + log (C b)_k >= 0; C and the slopes are set anew at each use."""

    weights: cvxpy.Variable
    cosines: cvxpy.Parameter
    slopes: cvxpy.Parameter
    problem: cvxpy.Problem

    def solve(self, cosines: Matrix, point: Vector) -> Vector | None:
        """The next point: the minimum of sum_k (beta_k + phi_k) with phi replaced by its tangent at ``point``.

        None if the solver finds no solution. At a first point that is not feasible, log beta_k is left out where it
        is not defined. Clarabel starts cold, so that a resumed run repeats its numbers.
        """
        utilities = cosines @ point
        reciprocals = np.divide(1.0, utilities, out=np.zeros_like(point), where=utilities > 0)
        self.cosines.value = cosines
        self.slopes.value = cosines.sum(axis=0) + 1.0 / point + reciprocals @ cosines
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Solution may be inaccurate")  # judged by its residual
            try:
                self.problem.solve(solver=cvxpy.CLARABEL, warm_start=False)  # type: ignore[no-untyped-call]
            except cvxpy.error.SolverError:
                return None
        found: Vector | None = self.weights.value
        return found


@lru_cache
def sub_problem(tasks: int) -> SubProblem:
    """The problem for ``tasks`` tasks, built and compiled once."""
    weights = cvxpy.Variable(tasks, nonneg=True)
    cosines, slopes = cvxpy.Parameter((tasks, tasks)), cvxpy.Parameter(tasks)
    constraint = log(weights) + log(cosines @ weights) >= 0
    return SubProblem(weights, cosines, slopes, cvxpy.Problem(cvxpy.Minimize(slopes @ weights), [constraint]))


def bargain_by_ccp(gram: Matrix, start: Vector, max_iterations: int = 20) -> Bargain:
    """Solve G a = 1/a, a > 0, for a Gram matrix G [K, K] with a positive diagonal, as the papers do.

    Source: NashMTL, section 3.2 and its code; PUB, equations 2 to 4. With beta = G a and phi_k = log a_k + log beta_k,
    minimize sum_k (beta_k + phi_k) subject to phi >= 0, where phi in the objective is linearized at the last point.
    Repeat ``max_iterations`` times (20 in the NashMTL code, 200 in PUB), or until the point stays. ``start`` is the
    last a > 0.

    Departures: the problem is solved on cosines, because the solver's tolerances are absolute. It starts from the
    multiple of ``start`` at which a'Ga is K, as it is at the solution, clipped to between 0.1 and 10. The solver is
    Clarabel, not ECOS. The result is not accepted if the solver fails or the residual is above
    ``ACCEPTED_RESIDUAL``; the papers' codes then go on with what they have.
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
    return judge(cosines, norms, point, iterations, tolerance=ACCEPTED_RESIDUAL)
