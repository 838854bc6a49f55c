"""SLAW: weights by the inverse standard deviation of each task's loss over time."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np

from mtbalance.balancing.rules import LossRule, Vector
from mtbalance.balancing.solvers.moments import Moments
from mtbalance.blocks import Fraction

LEAST = 1e-5
"""The least standard deviation of a loss, as a part of its mean."""


class SLAW(LossRule):
    """Weights K (1 / s_k) / sum_j (1 / s_j), where s_k is the standard deviation of task k's losses so far.

    Source: Crawshaw and Kosecka 2021 (scaled loss approximate weighting): s estimates the norm of a task's gradient
    without a backward pass for each task. As in the authors' code, the step's own loss enters, means are those of all
    steps for the first 1 / (1 - beta) and exponential averages later, and the first step has equal weights. Departure:
    s is at least 1e-5 of the mean loss, where there it is at least 1e-5, so that the scale of a loss does not matter. A
    task whose losses were all zero weighs 0; if all are, all weigh the same.
    """

    def __init__(
        self, tasks: int, *, beta: Annotated[Fraction, "Decay of the averages of the losses and their squares."] = 0.99
    ) -> None:
        super().__init__(tasks)
        if not 0 <= beta < 1:
            raise ValueError(f"beta must be at least 0 and below 1, not {beta}")
        self.beta, self.losses, self.steps = beta, Moments(tasks), 0

    def weights(self, losses: Vector) -> Vector:
        """Weights [K], not negative, with sum K."""
        self.steps += 1
        self.losses.take(losses, max(1 / self.steps, 1 - self.beta))
        deviations = np.maximum(np.sqrt(self.losses.variance), LEAST * np.abs(self.losses.mean))
        inverse = np.divide(1, deviations, out=np.zeros(self.tasks), where=deviations > 0)
        if self.steps == 1 or not inverse.any():
            return np.ones(self.tasks)
        weights: Vector = self.tasks * inverse / inverse.sum()
        return weights

    def state_dict(self) -> dict[str, Any]:
        """Mean and variance of the losses, and the number of steps."""
        return {"losses": self.losses.state_dict(), "steps": self.steps}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back a state that :meth:`state_dict` gave."""
        self.losses.load_state_dict(state["losses"])
        self.steps = state["steps"]
