"""CAGrad: the joint row near the mean row that is best for the worst-served task."""

from __future__ import annotations

from typing import Literal

from mtbalance.rules import GramRule, Matrix, Vector
from mtbalance.solvers.conflict_averse import conflict_averse


class Cagrad(GramRule):
    """K d, where d maximises min_k d . g_k subject to |d - g_0| <= c |g_0|, with g_0 the mean row.

    Source: Liu et al. 2021 (CAGrad), equation 4 and algorithm 1: d = g_0 + c |g_0| g_w / |g_w|, with w the solution of
    the dual on the simplex. Departures: times K, as in the NashMTL code, so that ``c`` 0 weighs every task 1; the dual
    is solved exactly. ``divide_by`` shortens the joint row: by 1 + c^2 in the authors' code, its default; ``none`` is
    the algorithm as printed. Where the dual ends at g_w = 0, the joint row is g_0.
    """

    heads = "own"

    def __init__(self, tasks: int, *, c: float = 0.4, divide_by: Literal["none", "1+c^2", "1+c"] = "1+c^2") -> None:
        super().__init__(tasks)
        if c < 0:
            raise ValueError(f"c must not be negative: {c}")
        self.c, self.divide_by = c, divide_by

    def weights(self, gram: Matrix, losses: Vector) -> Vector:
        """Weights [K], non-negative."""
        divisor = {"none": 1.0, "1+c^2": 1 + self.c**2, "1+c": 1 + self.c}[self.divide_by]
        return (1 + self.tasks * conflict_averse(gram, self.c)) / divisor
