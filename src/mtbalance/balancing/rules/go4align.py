"""GO4Align: tasks in groups that share a weight, by how large their losses have been."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from scipy.special import softmax

from mtbalance.balancing.rules import LossRule, Vector
from mtbalance.balancing.solvers.grouping import group_means
from mtbalance.blocks import Count, Positive


class GO4Align(LossRule):
    """Weights v_k = q_k sum_j L_j / L_k, each replaced by the mean of its group; q shrinks at each step by exp(-h L).

    Source: Shen et al. 2024 (GO4Align, arXiv 2404.06486), as in the authors' code: q [K] begins equal, has the sum 1,
    and takes a step before it is used; K-means of the numbers v finds the groups. Without groups the weighted losses
    v_k L_k are q_k times the sum of the losses. Departure: K-means is solved exactly, where the code takes what a start
    at random leads to. Defined for positive losses only. Weights do not have the sum K; equal losses weigh 1 each.
    """

    def __init__(
        self,
        tasks: int,
        *,
        groups: Annotated[
            Count, "Number of groups. With 1 all tasks weigh the same; with that of the tasks each is a group."
        ] = 2,
        step_size: Annotated[Positive, "Step size h: how fast a large loss takes weight away."] = 0.0001,
    ) -> None:
        super().__init__(tasks)
        if groups < 1:
            raise ValueError(f"groups must be at least 1, not {groups}")
        if step_size <= 0:
            raise ValueError(f"step_size must be positive, not {step_size}")
        self.groups, self.step_size = groups, step_size
        self.logits = np.zeros(tasks)

    def weights(self, losses: Vector) -> Vector:
        """Weights [K], positive. Raises ``FloatingPointError`` for a loss that is not positive."""
        self.need_positive(losses)
        moved = self.logits - self.step_size * losses
        self.logits = moved - moved.max()
        return group_means(softmax(self.logits) * losses.sum() / losses, self.groups)

    def state_dict(self) -> dict[str, Any]:
        """The logarithms of q, but for a constant."""
        return {"logits": self.logits.tolist()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back a state that :meth:`state_dict` gave."""
        self.logits = np.array(state["logits"])
