"""DualProj: the vector nearest to the sum of the rows that opposes none of them."""

from __future__ import annotations

import numpy as np

from mtbalance.balancing.rules import GramRule, Matrix, Vector
from mtbalance.balancing.solvers.bargaining import nonzero_rows, unit_diagonal
from mtbalance.balancing.solvers.dual_cone import project


class DualProj(GramRule):
    """P(sum_k g_k), where P projects onto the dual cone of the rows: the vectors d with d . g_j >= 0 for all j.

    Source: Quinton and Rey 2024 (Jacobian descent, arXiv 2406.16232), where it stands beside UPGrad; Lopez-Paz and
    Ranzato 2017 (GEM), equation 11, for the projection. Departures: the sum of the rows, K times the mean; the
    projection is exact, a problem of non-negative least squares on the rows' cosines
    (:mod:`~mtbalance.balancing.solvers.dual_cone`). Weights are at least 1, and 1 each where the sum of the rows
    opposes no task. A zero row weighs 1.
    """

    heads = "own"

    def weights(self, gram: Matrix, losses: Vector) -> Vector:
        """Weights [K], at least 1."""
        present, inner = nonzero_rows(gram)
        weights = np.ones(self.tasks)
        if len(present):
            cosines, norms = unit_diagonal(inner)
            weights[present] += project(cosines, norms) / norms
        return weights
