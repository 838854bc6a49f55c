"""COSMOS: the weighted sum of losses, less the cosine of losses and preference."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from mtbalance.balancing.preferences import per_task
from mtbalance.balancing.rules import LossRule, Vector
from mtbalance.blocks import NonNegative


class COSMOS(LossRule):
    """The gradient of p . L - K penalty cos(p, L), with the preference p scaled to sum K.

    Source: Ruchte and Grabocka 2021 (COSMOS). The paper draws a preference at every step and gives it to
    the network as an input; here there is one preference, and no input. Departure: times K, so that equal losses weigh
    1 each with equal preferences. Weights may be negative where losses are below the penalty. The cosine of losses that
    are all zero is constant.
    """

    def __init__(
        self,
        tasks: int,
        *,
        penalty: Annotated[NonNegative, "Weight of the cosine (lambda in the paper, 0.01 to 8 there)."] = 1.0,
        preference: Annotated[
            list[NonNegative] | None, "A list with the preference of each task. Default: ones."
        ] = None,
    ) -> None:
        super().__init__(tasks)
        if penalty < 0:
            raise ValueError(f"penalty must not be negative: {penalty}")
        chosen = per_task(tasks, preference)
        self.penalty = penalty
        self.preference: Vector = chosen * tasks / chosen.sum()

    def weights(self, losses: Vector) -> Vector:
        """Weights [K] of either sign."""
        length = float(np.linalg.norm(losses))
        if length == 0:
            return self.preference.copy()
        toward, unit = self.preference / np.linalg.norm(self.preference), losses / length
        slope = (toward - (toward @ unit) * unit) / length
        weights: Vector = self.preference - self.tasks * self.penalty * slope
        return weights
