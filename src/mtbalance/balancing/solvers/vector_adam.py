"""Adam on a vector of a few numbers, for rules whose weights are learned."""

from __future__ import annotations

from typing import Any

import numpy as np

from mtbalance.balancing.arrays import Vector

FIRST, SECOND, EPSILON = 0.9, 0.999, 1e-8


class VectorAdam:
    """Algorithm 1 of Kingma and Ba 2015 on a vector of numbers, with their constants; the steps are those of torch.

    ``weight_decay`` times the point is added to the gradient, as in torch's Adam. Raises ``ValueError`` for a learning
    rate that is not positive.
    """

    def __init__(self, size: int, lr: float, weight_decay: float = 0.0) -> None:
        if lr <= 0:
            raise ValueError(f"lr must be positive, not {lr}")
        self.lr, self.weight_decay = lr, weight_decay
        self.first, self.second, self.steps = np.zeros(size), np.zeros(size), 0

    def step(self, point: Vector, gradient: Vector) -> Vector:
        """The point after one step along ``gradient``."""
        gradient = gradient + self.weight_decay * point
        self.steps += 1
        self.first = FIRST * self.first + (1 - FIRST) * gradient
        self.second = SECOND * self.second + (1 - SECOND) * gradient**2
        deviation = np.sqrt(self.second / (1 - SECOND**self.steps)) + EPSILON
        return point - self.lr * self.first / (1 - FIRST**self.steps) / deviation

    def state_dict(self) -> dict[str, Any]:
        """Both moments and the number of steps."""
        return {"first": self.first.tolist(), "second": self.second.tolist(), "steps": self.steps}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back a state that :meth:`state_dict` gave."""
        self.first, self.second, self.steps = np.array(state["first"]), np.array(state["second"]), state["steps"]
