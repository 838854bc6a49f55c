"""Dynamic weight average: more weight to the tasks whose losses fall more slowly."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from scipy.special import softmax

from mtbalance.balancing.rules import LossRule, Vector
from mtbalance.blocks import Count, Positive


class DynamicWeights(LossRule):
    """K softmax(r / T), where r_k is task k's average loss in a window of steps over that in the window before (DWA).

    Source: Liu et al. 2019, equation 7. The paper averages over epochs; the windows are those of the NashMTL code. As
    in both, the sum of weights is K. Departures from that code: the step's own loss does not enter, while there it is
    the last of the later window; weights are equal until two windows are full, while there they begin to move after one
    window, with ones for the missing losses; the loss is the weighted sum, while there it is the weighted mean, 1/K of
    that. A task whose earlier average is zero has r_k = 1.
    """

    def __init__(
        self,
        tasks: int,
        *,
        temperature: Annotated[Positive, "Temperature T of the softmax: the higher, the more equal the weights."] = 2.0,
        window: Annotated[
            Count,
            "Steps that a loss is averaged over. The number of steps in an epoch gives the paper's averages, brought "
            "up to date at every step.",
        ] = 25,
    ) -> None:
        super().__init__(tasks)
        if temperature <= 0:
            raise ValueError(f"temperature must be positive, not {temperature}")
        if window < 1:
            raise ValueError(f"window must be at least 1, not {window}")
        self.temperature, self.window = temperature, window
        self.history: list[list[float]] = []

    def weights(self, losses: Vector) -> Vector:
        """Weights [K], positive, with sum K."""
        weights = self._from_history() if len(self.history) == 2 * self.window else np.ones(self.tasks)
        self.history = [*self.history, losses.tolist()][-2 * self.window :]
        return weights

    def _from_history(self) -> Vector:
        earlier, later = np.array(self.history).reshape(2, self.window, self.tasks).mean(axis=1)
        rates = np.divide(later, earlier, out=np.ones(self.tasks), where=earlier != 0)
        shares: Vector = softmax(rates / self.temperature)
        return self.tasks * shares

    def state_dict(self) -> dict[str, Any]:
        """The losses of the last two windows."""
        return {"history": self.history}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back a state that :meth:`state_dict` gave."""
        self.history = [list(losses) for losses in state["history"]]
