"""IMTL-G: the joint row whose projections on all rows are equal."""

from __future__ import annotations

import numpy as np

from mtbalance.balancing.rules import ROUNDING, GramRule, Matrix, Vector, has_positive_sum
from mtbalance.balancing.solvers.bargaining import nonzero_rows, unit_diagonal


class IMTLG(GramRule):
    """Weights with sum K whose joint row d has the same projection d . g_k / |g_k| on every row.

    Source: Liu et al. 2021 (IMTL), equations 2 to 4, for all K. With cosines C and norms n the weights are proportional
    to (C^+ 1) / n, where C^+ is the pseudo-inverse: for independent rows this solves the paper's linear system, for
    dependent rows it is the nearest solution. Weights may be negative from three tasks on. Departure: times K, so that
    equal tasks weigh 1 each. A row that is zero has no projection: it weighs 1, and the others share the rest. In the
    paper a task's own parameters follow its own loss (``heads: own``); the NashMTL code takes the gradient of the
    weighted losses for all parameters (``heads: weighted``).

    Weights are ones if the sum of the solution is not positive, and ``fallback`` is then 1 in ``diagnostics``. A sum
    of zero cannot be made K, and with a negative sum the joint row would go against every task.
    """

    heads = "own"

    def weights(self, gram: Matrix, losses: Vector) -> Vector:
        """Weights [K] with sum K, of either sign."""
        weights = np.ones(self.tasks)
        present, inner = nonzero_rows(gram)
        solution = _equal_projections(inner)
        solved = has_positive_sum(solution)
        if solved:
            weights[present] = len(present) * solution / solution.sum()
        self.diagnostics = {"fallback": float(not solved)}
        return weights


def _equal_projections(gram: Matrix) -> Vector:
    cosines, norms = unit_diagonal(gram)
    inverse = np.linalg.pinv(cosines, rcond=len(norms) * ROUNDING, hermitian=True)
    return inverse @ np.ones(len(norms)) / norms
