"""The loss level: weigh the losses, one backward pass."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from mtbalance.levels import Level


class Loss(Level):
    """The gradient of sum_k w_k L_k for all parameters, shared and task-specific alike."""

    def _step(self, losses: list[Tensor], values: NDArray[np.float64]) -> tuple[NDArray[np.float64], dict[str, float]]:
        weights = self.ask(values)
        weighted_sum(losses, weights).backward()
        self.optimizer.step()
        return weights, dict(self.rule.diagnostics)


def weighted_sum(losses: list[Tensor], weights: NDArray[np.float64]) -> Tensor:
    """sum_k w_k L_k."""
    return sum(float(weight) * loss for weight, loss in zip(weights, losses, strict=True))
