"""FairGrad: weights of an alpha-fair bargain between tasks."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np

from mtbalance.balancing.rules import GramRule, Matrix, Vector
from mtbalance.balancing.solvers.bargaining import nonzero_rows
from mtbalance.balancing.solvers.fair import fair_weights
from mtbalance.blocks import Positive


class FairGrad(GramRule):
    """The weights a > 0 with G a = a^(-1/alpha): maximize sum_k u_k^(1 - alpha) / (1 - alpha), u_k = d . g_k.

    Source: Ban and Ji 2024 (FairGrad). With ``alpha: 1`` it is the rule ``nash``. A large alpha serves the
    worst-served task, and alpha near 0 tends to the sum of rows. Weights are as solved, like those of ``nash``: their
    sum is not K, and rows of length l scale them by l^(-2 alpha / (1 + alpha)). Departures: the equation is solved
    exactly, by Newton's method (:mod:`~mtbalance.balancing.solvers.fair`), where the authors' code minimizes its
    squared residual from the starting point 1/K.

    The search was tried up to alpha = 10, with rows whose lengths differ by six orders of magnitude. Far above that it
    may end without a solution.

    Weights start at one. A task whose row is zero does not bargain and keeps its last weight. There is no solution
    where a non-negative combination of the rows vanishes. A search without one keeps the last weights, and ``fallback``
    is then 1 in ``diagnostics``.
    """

    def __init__(
        self,
        tasks: int,
        *,
        alpha: Annotated[
            Positive, "Fairness: 0 would be the sum of rows, 1 is the Nash bargain, and infinity max-min fairness."
        ] = 2.0,
    ) -> None:
        super().__init__(tasks)
        if alpha <= 0:
            raise ValueError(f"alpha must be positive, not {alpha}")
        self.alpha = alpha
        self.last = np.ones(tasks)

    def weights(self, gram: Matrix, losses: Vector) -> Vector:
        """Weights [K], positive."""
        present, inner = nonzero_rows(gram)
        self.diagnostics, solved = {}, None
        if len(present):
            solved, self.diagnostics["last_change"] = fair_weights(inner, self.alpha)
        if solved is not None:
            self.last[present] = solved
        self.diagnostics["fallback"] = float(solved is None)
        return self.last.copy()

    def state_dict(self) -> dict[str, Any]:
        """The last weights."""
        return {"last": self.last.tolist()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back a state that :meth:`state_dict` gave."""
        self.last = np.array(state["last"])
