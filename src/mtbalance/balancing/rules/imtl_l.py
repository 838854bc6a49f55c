"""IMTL-L: learned scales that make all losses alike."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np

from mtbalance.balancing.rules import LossRule, Vector
from mtbalance.balancing.solvers.vector_adam import VectorAdam
from mtbalance.blocks import Positive


class IMTLL(LossRule):
    """Weights exp(s_k) with s_k learned: minimize sum_k (exp(s_k) L_k - s_k), so that exp(s_k) L_k tends to 1.

    Source: Liu et al. 2021 (IMTL), equation 6 with base e. s starts at 0, where every task weighs 1; later the sum of
    weights is not K. Departure: s has an Adam of its own, as the learned scales of uncertainty weighting have in the
    NashMTL code; the paper trains s with the network. Adam's steps do not depend on constant factors, so the weights
    are twice those of uncertainty weighting with the same ``lr``, up to Adam's epsilon.
    """

    def __init__(
        self, tasks: int, *, lr: Annotated[Positive, "Learning rate of Adam on the log scales s."] = 0.025
    ) -> None:
        super().__init__(tasks)
        self.adam = VectorAdam(tasks, lr)
        self.log_scales = np.zeros(tasks)

    def weights(self, losses: Vector) -> Vector:
        """Weights [K], positive. Raises ``FloatingPointError`` if one overflows."""
        with np.errstate(over="raise"):
            scales = np.exp(self.log_scales)
        self.log_scales = self.adam.step(self.log_scales, scales * losses - 1)
        return scales

    def state_dict(self) -> dict[str, Any]:
        """The log scales and the state of their Adam."""
        return {"log_scales": self.log_scales.tolist(), "adam": self.adam.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back a state that :meth:`state_dict` gave."""
        self.log_scales = np.array(state["log_scales"])
        self.adam.load_state_dict(state["adam"])
