"""Nash bargaining between tasks: the rule of NashMTL (on gradients) and of PUB (on updates)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np

from mtbalance.balancing.rules import GramRule, Matrix, Vector
from mtbalance.balancing.solvers.bargaining import Bargain, bargain, nonzero_rows
from mtbalance.blocks import Count


class Nash(GramRule):
    """The weights a > 0 with G a = 1/a: maximize sum_i log u_i, where u_i is task i's row times the joint row.

    Source: Navon et al. 2022, claim 3.1 (rows are gradients); PUB, claim 1 and section V-C (rows are updates).
    Whatever the scale of any task, the joint row has norm sqrt(K) and every task gains. The level ``update`` can
    then change the scale of the weights (``rescale``, in :mod:`~mtbalance.balancing.levels.update`). Departure: the
    equation is solved exactly, by Newton's method (:mod:`~mtbalance.balancing.solvers.bargaining`); the papers'
    sequence of convex problems is ``solver: ccp`` (:mod:`~mtbalance.balancing.solvers.ccp`).

    Weights start at one. A task whose row is zero does not bargain and keeps its last weight. A search may end without
    weights because the bargain has no solution (zero in the convex hull of the rows), none that float32 rows can tell
    (weights above 900, for rows of length 1), or because the solver failed; the option ``without_solution``
    then decides. For such a search ``fallback`` is 1 in ``diagnostics``, and ``certificate`` tells the cases apart: it
    is the norm of the shortest weighted mean of the unit rows, which is below sqrt(K) / 900 unless the solver failed.
    """

    def __init__(
        self,
        tasks: int,
        *,
        solver: Annotated[
            Literal["newton", "ccp"],
            "Method of a search: Newton's, which is exact (``newton``), or the papers' sequence of convex problems in "
            "CVXPY, begun at the last weights (``ccp``).",
        ] = "newton",
        max_iterations: Annotated[
            Count, "With ``solver: ccp``, the largest number of convex problems (20 in the NashMTL code, 200 in PUB)."
        ] = 20,
        without_solution: Annotated[
            Literal["keep", "equal"],
            "Weights after a search that ends without a solution: the last ones (``keep``; both papers' code does so "
            "silently), or ones (``equal``).",
        ] = "keep",
    ) -> None:
        super().__init__(tasks)
        if max_iterations < 1:
            raise ValueError(f"max_iterations must be at least 1, not {max_iterations}")
        self.solver, self.max_iterations, self.without_solution = solver, max_iterations, without_solution
        self.last = np.ones(tasks)

    def weights(self, gram: Matrix, losses: Vector) -> Vector:
        """Weights [K], positive, such that weights' G weights is the number of bargaining tasks."""
        present, inner = nonzero_rows(gram)
        result = self._solve(inner, self.last[present]) if len(present) else None
        self.diagnostics = _tell(result) if result else {}
        accepted = result if result and result.accepted else None
        if accepted:
            self.last[present] = accepted.weights
        elif self.without_solution == "equal":
            self.last = np.ones(self.tasks)
        self.diagnostics["fallback"] = float(accepted is None)
        return self.last.copy()

    def _solve(self, gram: Matrix, last: Vector) -> Bargain:
        if self.solver == "newton":
            return bargain(gram)
        from mtbalance.balancing.solvers.ccp import bargain_by_ccp  # CVXPY takes seconds to import

        return bargain_by_ccp(gram, last, self.max_iterations)

    def state_dict(self) -> dict[str, Any]:
        """The last weights."""
        return {"last": self.last.tolist()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back a state that :meth:`state_dict` gave."""
        self.last = np.array(state["last"])


def _tell(result: Bargain) -> dict[str, float]:
    numbers = {"residual": result.residual, "iterations": result.iterations}
    return numbers if result.certificate is None else numbers | {"certificate": result.certificate}
