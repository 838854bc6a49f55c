"""IMTL-L: learned scales that make all losses alike."""

from __future__ import annotations

from typing import Any

import numpy as np

from mtbalance.rules import LossRule, Vector
from mtbalance.solvers.adam import Adam


class ImtlL(LossRule):
    """Weights exp(s_k) with s_k learned: minimise sum_k (exp(s_k) L_k - s_k), so that exp(s_k) L_k tends to 1.

    Source: Liu et al. 2021 (IMTL), equation 6 with base e. s starts at 0, which weighs every task 1; the sum of weights
    is not K later on. Departure: s has its own Adam with ``lr``, as the learned scales of uncertainty weighting have
    in the NashMTL code; the paper trains s with the network. Since Adam forgets constant factors, the weights are
    twice those of uncertainty weighting with the same ``lr``, up to its epsilon.
    """

    def __init__(self, tasks: int, *, lr: float = 0.025) -> None:
        super().__init__(tasks)
        self.adam = Adam(tasks, lr)
        self.log_scales = np.zeros(tasks)

    def weights(self, losses: Vector) -> Vector:
        """Weights [K], positive. Raises ``FloatingPointError`` where one grows beyond all numbers."""
        with np.errstate(over="raise"):
            scales = np.exp(self.log_scales)
        self.log_scales = self.adam.step(self.log_scales, scales * losses - 1)
        return scales

    def state_dict(self) -> dict[str, Any]:
        """The log scales and their optimiser's state."""
        return {"log_scales": self.log_scales.tolist(), "adam": self.adam.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what :meth:`state_dict` gave."""
        self.log_scales = np.array(state["log_scales"])
        self.adam.load_state_dict(state["adam"])
