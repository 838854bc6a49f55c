"""Nash bargaining between tasks: the rule of NashMTL (on gradients) and of PUB (on updates)."""

from __future__ import annotations

from typing import Any

import numpy as np

from mtbalance.rules import GramRule, Matrix, Vector
from mtbalance.solvers.bargaining import bargain


class Nash(GramRule):
    """The weights a > 0 with G a = 1/a: maximise sum_i log u_i, where u_i is task i's row times the joint row.

    Source: Navon et al. 2022, claim 3.1 (rows are gradients); PUB, claim 1 and section V-C (rows are updates).
    Whatever the scale of any task, the joint row has norm sqrt(K) and every task gains. Departure: solved exactly
    (:mod:`mtbalance.solvers.bargaining`).

    A task whose row is zero does not bargain and keeps its last weight. Where the bargain has no solution (zero in
    the convex hull of the rows), all keep their last weights; ``fallbacks`` counts it. Weights start at one.
    """

    def __init__(self, tasks: int) -> None:
        super().__init__(tasks)
        self.last = np.ones(tasks)
        self.fallbacks = 0

    def weights(self, gram: Matrix, losses: Vector) -> Vector:
        """Weights [K], positive, such that weights' G weights is the number of bargaining tasks."""
        present = np.nonzero(gram.diagonal() > 0)[0]
        if len(present):
            result = bargain(gram[np.ix_(present, present)])
            if result.accepted:
                self.last[present] = result.weights
            self.diagnostics = {"residual": result.residual, "iterations": result.iterations}
        if not len(present) or not result.accepted:
            self.fallbacks += 1
        self.diagnostics["fallbacks"] = self.fallbacks
        return self.last.copy()

    def state_dict(self) -> dict[str, Any]:
        """The last weights and the number of fallbacks."""
        return {"last": self.last.tolist(), "fallbacks": self.fallbacks}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what :meth:`state_dict` gave."""
        self.last = np.array(state["last"])
        self.fallbacks = state["fallbacks"]
