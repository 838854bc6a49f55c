"""IMTL-G: the joint row whose projections on all rows are equal."""

from __future__ import annotations

import numpy as np

from mtbalance.rules import ROUNDING, GramRule, Matrix, Vector, has_positive_sum
from mtbalance.solvers.bargaining import unit_diagonal


class ImtlG(GramRule):
    """Weights with sum K whose joint row d has the same projection d . g_k / |g_k| on every row.

    Source: Liu et al. 2021 (IMTL), equations 2 to 4, for all K. With cosines C and norms n the weights are proportional
    to (C^+ 1) / n, the pseudo-inverse form: for independent rows it is the paper's linear system, for dependent rows
    the nearest solution. They may be negative from three tasks on. Departure: times K, so that equal tasks weigh 1
    each. A row that is zero has no projection: it weighs 1 and the others share the rest.

    Fallback to ones, reported in ``diagnostics``, where the sum of the solution is not positive: it cannot be made K
    when zero, and when negative the joint row would go against every task.
    """

    heads = "own"

    def weights(self, gram: Matrix, losses: Vector) -> Vector:
        """Weights [K] with sum K, of either sign."""
        weights = np.ones(self.tasks)
        present = np.nonzero(gram.diagonal() > 0)[0]
        solution = _equal_projections(gram[np.ix_(present, present)])
        solved = has_positive_sum(solution)
        if solved:
            weights[present] = len(present) * solution / solution.sum()
        self.diagnostics = {"fallback": float(not solved)}
        return weights


def _equal_projections(gram: Matrix) -> Vector:
    cosines, norms = unit_diagonal(gram)
    inverse = np.linalg.pinv(cosines, rcond=len(norms) * ROUNDING, hermitian=True)
    return inverse @ np.ones(len(norms)) / norms
