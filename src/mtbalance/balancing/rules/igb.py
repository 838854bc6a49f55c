"""IGB: more weight to the tasks whose losses are large beside what they were early in training."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from scipy.special import softmax

from mtbalance.balancing.rules import LossRule, Vector
from mtbalance.blocks import Count


class IGB(LossRule):
    """Weights K softmax(L / B)_k / L_k: a sum of logarithms, weighted by how far each loss is above its base B.

    Source: Dai et al. 2023 (improvable gap balancing), its first form, as in the authors' code (IGBv1); the second form
    learns the weights by reinforcement. B is the mean of the losses in the second window of steps; until then the
    weights are 1 / L_k, those of a sum of logarithms. Departure: windows are counted in steps; in the code the second
    epoch gives the base. Defined for positive losses only. Weights are on the scale of a sum of logarithms.
    """

    def __init__(
        self,
        tasks: int,
        *,
        window: Annotated[
            Count, "Steps of a window. The number of steps in an epoch gives the base of the authors' code."
        ] = 25,
    ) -> None:
        super().__init__(tasks)
        if window < 1:
            raise ValueError(f"window must be at least 1, not {window}")
        self.window, self.steps, self.base = window, 0, np.zeros(tasks)

    def weights(self, losses: Vector) -> Vector:
        """Weights [K], positive. Raises ``FloatingPointError`` for a loss that is not positive."""
        self.need_positive(losses)
        if self.steps == 2 * self.window:
            shares: Vector = self.tasks * softmax(losses / self.base)
            return shares / losses
        if self.steps >= self.window:
            self.base = self.base + losses / self.window
        self.steps += 1
        return 1 / losses

    def state_dict(self) -> dict[str, Any]:
        """The base, as far as it is known, and the steps of the two windows that were taken."""
        return {"base": self.base.tolist(), "steps": self.steps}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back a state that :meth:`state_dict` gave."""
        self.base, self.steps = np.array(state["base"]), state["steps"]
