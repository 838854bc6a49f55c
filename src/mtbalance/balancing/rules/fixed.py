"""Fixed weights: a preference between the tasks that is given once."""

from __future__ import annotations

from typing import Annotated, ClassVar

from mtbalance.balancing.preferences import per_task
from mtbalance.balancing.rules import GramRule, LossRule, Matrix, Vector
from mtbalance.blocks import NonNegative


class Fixed(LossRule, GramRule):
    """Weights w_k that are given: minimize sum_k w_k L_k.

    Source: none; this is linear scalarization with a preference. The weights are taken as they are, and their sum need
    not be K.
    """

    levels: ClassVar[tuple[str, ...]] = LossRule.levels + GramRule.levels

    def __init__(
        self,
        tasks: int,
        *,
        weights: Annotated[list[NonNegative] | None, "The weights, one for each task; without them, ones."] = None,
    ) -> None:
        super().__init__(tasks)
        self.given = per_task(tasks, weights, "weights")

    def weights(self, *_: Matrix | Vector) -> Vector:
        """The given weights [K], whatever the losses and the Gram matrix are."""
        return self.given.copy()
