"""MGDA's rule: the convex combination of smallest norm."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np

from mtbalance.balancing.rules import GramRule, Matrix, Vector
from mtbalance.balancing.solvers.min_norm import min_norm


class MinNorm(GramRule):
    """The weights on the simplex that minimize the norm of the joint row, times K.

    Source: Desideri 2012; Sener and Koltun 2018, equation 3 and algorithm 2 (MGDA at the gradient level, MGDA-UB at
    the representation level). The joint row opposes no task. It is zero at a Pareto stationary point, and if one
    task's row is zero. Times K so that equal tasks weigh 1 each, as in the NashMTL code. Departure: an exact active-set
    method instead of Frank-Wolfe. Of several minimizers it gives the one of least norm |w|, so that tasks with the same
    row weigh the same. The authors' code takes the gradient of the weighted losses for all parameters, the tasks' own
    included (``heads: weighted``).
    """

    def __init__(
        self,
        tasks: int,
        *,
        normalization: Annotated[
            Literal["none", "l2", "loss", "loss+"],
            "Divisor of each row, for the search only, as in the authors' code: its norm (``l2``), its loss (``loss``) "
            "or both (``loss+``). The weights then act on the rows as they were.",
        ] = "none",
    ) -> None:
        super().__init__(tasks)
        self.normalization = normalization

    def weights(self, gram: Matrix, losses: Vector) -> Vector:
        """Weights [K], non-negative, with sum K."""
        scales = self._scales(gram, losses)
        return self.tasks * min_norm(gram / np.outer(scales, scales))

    def _scales(self, gram: Matrix, losses: Vector) -> Vector:
        scales = np.ones(self.tasks)
        if self.normalization in ("l2", "loss+"):
            scales = scales * np.sqrt(gram.diagonal())
        if self.normalization in ("loss", "loss+"):
            scales = scales * np.abs(losses)
        return np.where(scales > 0, scales, 1.0)
