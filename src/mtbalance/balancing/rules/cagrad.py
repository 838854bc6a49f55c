"""CAGrad: the joint row near the mean row that is best for the worst-served task."""

from __future__ import annotations

from typing import Annotated, Literal

from mtbalance.balancing.rules import GramRule, Matrix, Vector
from mtbalance.balancing.solvers.conflict_averse import conflict_averse
from mtbalance.blocks import NonNegative


class CAGrad(GramRule):
    """K d, where d maximizes min_k d . g_k subject to |d - g_0| <= c |g_0|, with g_0 the mean row.

    Source: Liu et al. 2021 (CAGrad), equation 4 and algorithm 1: d = g_0 + c |g_0| g_w / |g_w|, with w the solution of
    the dual on the simplex. Departures: times K, as in the NashMTL code, so that every task weighs 1 at c = 0; the dual
    is solved exactly. Where it ends at g_w = 0 (zero in the convex hull of the rows), the best d . g_k of the
    worst-served task is 0, and d is the nearest to g_0 of all d that oppose no task; the algorithm does not say.
    """

    heads = "own"

    def __init__(
        self,
        tasks: int,
        *,
        c: Annotated[
            NonNegative,
            "Radius of the ball around the mean row in which d is sought, relative to the length of that row.",
        ] = 0.4,
        divide_by: Annotated[
            Literal["none", "1+c^2", "1+c"],
            "Divisor that shortens the joint row: ``1+c^2`` is the authors' code, ``none`` the algorithm as printed.",
        ] = "1+c^2",
    ) -> None:
        super().__init__(tasks)
        if c < 0:
            raise ValueError(f"c must not be negative: {c}")
        self.c, self.divide_by = c, divide_by

    def weights(self, gram: Matrix, losses: Vector) -> Vector:
        """Weights [K], non-negative."""
        divisor = {"none": 1.0, "1+c^2": 1 + self.c**2, "1+c": 1 + self.c}[self.divide_by]
        return (1 + self.tasks * conflict_averse(gram, self.c)) / divisor
