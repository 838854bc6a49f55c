"""Uncertainty weighting: a learned noise level for each task."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np

from mtbalance.balancing.rules import LossRule, Vector
from mtbalance.balancing.solvers.vector_adam import VectorAdam
from mtbalance.blocks import Positive


class Uncertainty(LossRule):
    """Weights exp(-s_k) / 2 with s_k = log sigma_k^2 learned: minimize sum_k (exp(-s_k) L_k + s_k) / 2.

    Source: Kendall et al. 2018, equation 10, in the form of the NashMTL and FAMO code: s starts at 0 and is learned by
    an Adam of its own, without weight decay, on the losses of each step. Weights start at a half, not at one, and tend
    to 1 / (2 L_k), as in the sources; their sum is not K. A loss that stays at zero or below drives its weight up
    without bound.
    """

    def __init__(
        self, tasks: int, *, lr: Annotated[Positive, "Learning rate of Adam on the log variances s."] = 0.025
    ) -> None:
        super().__init__(tasks)
        self.adam = VectorAdam(tasks, lr)
        self.log_variances = np.zeros(tasks)

    def weights(self, losses: Vector) -> Vector:
        """Weights [K], positive. Raises ``FloatingPointError`` if one overflows."""
        with np.errstate(over="raise"):
            precisions = np.exp(-self.log_variances)
        self.log_variances = self.adam.step(self.log_variances, (1 - precisions * losses) / 2)
        return precisions / 2

    def state_dict(self) -> dict[str, Any]:
        """The log variances and the state of their Adam."""
        return {"log_variances": self.log_variances.tolist(), "adam": self.adam.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back a state that :meth:`state_dict` gave."""
        self.log_variances = np.array(state["log_variances"])
        self.adam.load_state_dict(state["adam"])
