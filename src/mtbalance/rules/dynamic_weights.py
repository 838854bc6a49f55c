"""Dynamic weight average: more weight to the tasks whose losses fall more slowly."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import softmax

from mtbalance.rules import LossRule, Vector


class DynamicWeights(LossRule):
    """K softmax(r / T), where r_k is task k's average loss over that of the time before (DWA).

    Source: Liu et al. 2019, equation 7. The paper averages over epochs. Here, as in the NashMTL code, the averages
    are those of the last ``window`` steps and of the ``window`` steps before them; the number of steps in an epoch
    gives the paper's averages, moved on at every step. The step's own loss does not enter. Weights are equal until
    two windows are full (the NashMTL code begins earlier, with windows filled up by ones). Departure from that code:
    the sum of weights is K, as in the paper. A task whose earlier average is zero has r_k = 1.
    """

    def __init__(self, tasks: int, *, temperature: float = 2.0, window: int = 25) -> None:
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
        return self.tasks * softmax(rates / self.temperature)

    def state_dict(self) -> dict[str, Any]:
        """The losses of the last two windows."""
        return {"history": self.history}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what :meth:`state_dict` gave."""
        self.history = [list(losses) for losses in state["history"]]
