"""Nash bargaining between tasks: the rule of NashMTL (on gradients) and of PUB (on updates)."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from mtbalance.rules import GramRule, Matrix, Vector
from mtbalance.solvers.bargaining import Bargain, bargain


class Nash(GramRule):
    """The weights a > 0 with G a = 1/a: maximise sum_i log u_i, where u_i is task i's row times the joint row.

    Source: Navon et al. 2022, claim 3.1 (rows are gradients); PUB, claim 1 and section V-C (rows are updates).
    Whatever the scale of any task, the joint row has norm sqrt(K) and every task gains. Departure: ``solver: newton``
    solves it exactly (:mod:`mtbalance.solvers.bargaining`). ``ccp`` is the papers' sequence of convex problems
    (:mod:`mtbalance.solvers.ccp`), of ``max_iterations`` at most (20 in the NashMTL code, 200 in PUB) and begun at
    the last weights.

    A task whose row is zero does not bargain and keeps its last weight. Where the bargain has no solution (zero in
    the convex hull of the rows) or the solver fails, ``without_solution`` says what the weights are: the last ones
    (``keep``, as both papers' code, which does so in silence) or ones (``equal``). ``fallback`` is 1 for such a search,
    and ``certificate`` tells the two apart: the norm of the shortest mean of the unit rows, zero without a solution.
    Weights start at one.
    """

    def __init__(
        self,
        tasks: int,
        *,
        solver: Literal["newton", "ccp"] = "newton",
        max_iterations: int = 20,
        without_solution: Literal["keep", "equal"] = "keep",
    ) -> None:
        super().__init__(tasks)
        if max_iterations < 1:
            raise ValueError(f"max_iterations must be at least 1, not {max_iterations}")
        self.solver, self.max_iterations, self.without_solution = solver, max_iterations, without_solution
        self.last = np.ones(tasks)

    def weights(self, gram: Matrix, losses: Vector) -> Vector:
        """Weights [K], positive, such that weights' G weights is the number of bargaining tasks."""
        present = np.nonzero(gram.diagonal() > 0)[0]
        result = self._solve(gram[np.ix_(present, present)], self.last[present]) if len(present) else None
        self.diagnostics = _tell(result) if result else {}
        solved = bool(result and result.accepted)
        if solved:
            self.last[present] = result.weights
        elif self.without_solution == "equal":
            self.last = np.ones(self.tasks)
        self.diagnostics["fallback"] = float(not solved)
        return self.last.copy()

    def _solve(self, gram: Matrix, last: Vector) -> Bargain:
        if self.solver == "newton":
            return bargain(gram)
        from mtbalance.solvers.ccp import bargain_by_ccp  # CVXPY takes seconds to import

        return bargain_by_ccp(gram, last, self.max_iterations)

    def state_dict(self) -> dict[str, Any]:
        """The last weights."""
        return {"last": self.last.tolist()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what :meth:`state_dict` gave."""
        self.last = np.array(state["last"])


def _tell(result: Bargain) -> dict[str, float]:
    numbers = {"residual": result.residual, "iterations": result.iterations}
    return numbers if result.certificate is None else numbers | {"certificate": result.certificate}
