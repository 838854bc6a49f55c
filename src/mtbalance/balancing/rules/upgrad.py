"""UPGrad: the sum of the rows, each first freed from its conflicts with all tasks."""

from __future__ import annotations

import numpy as np

from mtbalance.balancing.rules import GramRule, Matrix, Vector
from mtbalance.balancing.solvers.bargaining import nonzero_rows, unit_diagonal
from mtbalance.balancing.solvers.dual_cone import project


class UPGrad(GramRule):
    """sum_k P(g_k), where P projects onto the dual cone of the rows: the vectors d with d . g_j >= 0 for all j.

    Source: Quinton and Rey 2024 (Jacobian descent, arXiv 2406.16232), the unconflicting projection of gradients. The
    joint row opposes no task. For two tasks it is PCGrad's. Departures: the sum of the projections, K times the paper's
    mean; each projection is exact, a problem of non-negative least squares on the rows' cosines
    (:mod:`~mtbalance.balancing.solvers.dual_cone`). Weights are at least 1. A zero row weighs 1.
    """

    heads = "own"

    def weights(self, gram: Matrix, losses: Vector) -> Vector:
        """Weights [K], at least 1."""
        present, inner = nonzero_rows(gram)
        weights = np.ones(self.tasks)
        if len(present):
            cosines, norms = unit_diagonal(inner)
            for row, norm in zip(np.eye(len(present)), norms, strict=True):
                weights[present] += norm / norms * project(cosines, row)
        return weights
