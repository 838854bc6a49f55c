"""CoV-Weighting: more weight to the tasks whose losses vary more, relative to their level."""

from __future__ import annotations

from typing import Any

import numpy as np

from mtbalance.balancing.rules import LossRule, Vector
from mtbalance.balancing.solvers.moments import Moments


class CoVWeighting(LossRule):
    """K c_k / sum_j c_j, where c_k is the standard deviation over the mean of task k's loss ratios so far.

    Source: Groenendijk et al. 2021 (coefficient of variations): the ratio of a step is the loss over the mean of the
    losses before it, and means are those of all steps. As in the authors' code, a step's own loss enters after it, and
    the first two steps have equal weights. Departures: times K, so that weights sum to K, not 1; no 1e-8 is added to a
    variance. A task whose losses were zero so far has the ratio 1; if no loss varies, all weigh the same.
    """

    def __init__(self, tasks: int) -> None:
        super().__init__(tasks)
        self.losses, self.ratios, self.steps = Moments(tasks), Moments(tasks), 0

    def weights(self, losses: Vector) -> Vector:
        """Weights [K], not negative, with sum K. Raises ``FloatingPointError`` for a negative loss."""
        if (losses < 0).any():
            raise FloatingPointError(f"cov_weighting needs losses that are not negative, not {losses.tolist()}")
        weights = self._from_ratios() if self.steps > 1 else np.ones(self.tasks)
        self.steps += 1
        known = self.losses.mean > 0
        self.ratios.take(np.divide(losses, self.losses.mean, out=np.ones(self.tasks), where=known), 1 / self.steps)
        self.losses.take(losses, 1 / self.steps)
        return weights

    def _from_ratios(self) -> Vector:
        mean = self.ratios.mean
        variations = np.divide(np.sqrt(self.ratios.variance), mean, out=np.zeros(self.tasks), where=mean > 0)
        if not variations.any():
            return np.ones(self.tasks)
        weights: Vector = self.tasks * variations / variations.sum()
        return weights

    def state_dict(self) -> dict[str, Any]:
        """Means and variances of the losses and of their ratios, and the number of steps."""
        return {"losses": self.losses.state_dict(), "ratios": self.ratios.state_dict(), "steps": self.steps}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back a state that :meth:`state_dict` gave."""
        self.losses.load_state_dict(state["losses"])
        self.ratios.load_state_dict(state["ratios"])
        self.steps = state["steps"]
