"""Penalty-based boundary intersection: losses toward zero along a preferred direction."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from mtbalance.balancing.preferences import per_task
from mtbalance.balancing.rules import ROUNDING, LossRule, Vector
from mtbalance.blocks import NonNegative


class PBI(LossRule):
    """The gradient of sqrt(K) (d_1 + theta d_2): the part of f = L - z along the preference, and the rest's length.

    Source: Zhang and Li 2007 (MOEA/D). With the unit vector p of the preference, d_1 = f . p and
    d_2 = |f - d_1 p|. Weights are negative for tasks that are far ahead of the preferred direction, if theta is large:
    their losses then rise. Departure: times sqrt(K), so that equal losses weigh 1 each with equal preferences. Where
    d_2 is zero but for the rounding of float32 losses, its slope is taken for zero.
    """

    def __init__(
        self,
        tasks: int,
        *,
        theta: Annotated[NonNegative, "Penalty of losses beside the preferred direction (5 in the paper)."] = 5.0,
        preference: Annotated[
            list[NonNegative] | None, "A list with each task's part in the preferred direction. Default: ones."
        ] = None,
        reference: Annotated[
            list[float] | None, "A list with the reference z of each task, below its losses. Default: zeros."
        ] = None,
    ) -> None:
        super().__init__(tasks)
        if theta < 0:
            raise ValueError(f"theta must not be negative: {theta}")
        if reference is not None and len(reference) != tasks:
            raise ValueError(f"reference must be a list with one number for each of {tasks} tasks, not {reference}")
        direction = per_task(tasks, preference)
        self.theta, self.direction = theta, direction / np.linalg.norm(direction)
        self.reference = np.array(reference or np.zeros(tasks), dtype=float)

    def weights(self, losses: Vector) -> Vector:
        """Weights [K] of either sign."""
        values = losses - self.reference
        rest = values - (values @ self.direction) * self.direction
        length = float(np.linalg.norm(rest))
        rounding = ROUNDING * np.linalg.norm(np.abs(losses) + np.abs(self.reference))
        aside = rest / length if length > rounding else np.zeros(self.tasks)
        weights: Vector = np.sqrt(self.tasks) * (self.direction + self.theta * aside)
        return weights
