"""The loss level: weigh the losses, then one backward pass."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from operator import add

import numpy as np
import torch
from torch import Tensor
from torch.nn import Parameter

from mtbalance.balancing.arrays import Vector
from mtbalance.balancing.levels import Level
from mtbalance.balancing.manipulations import build_manipulation
from mtbalance.balancing.optimizers import Optimizer
from mtbalance.balancing.options import LossOptions
from mtbalance.balancing.rules import LossRule


class LossLevel(Level):
    """All parameters, shared and the tasks' own alike, take a step on the gradient of sum_k w_k L_k.

    With equal weights a clipped step is ClippyAdam, and with the optimizer AdaGrad the original Clippy.
    """

    rule: LossRule
    options: LossOptions

    def __init__(
        self, parameters: Iterable[Parameter], rule: LossRule, optimizer: Optimizer, options: LossOptions
    ) -> None:
        super().__init__(parameters, rule, optimizer, options)
        self.manipulation = build_manipulation(optimizer, options)

    def _step(self, losses: list[Tensor], values: Vector) -> tuple[Vector, dict[str, float]]:
        weights = np.ones(1) if self.tasks == 1 else self.rule.weights(values)
        torch.autograd.backward(weighted_sum(losses, weights))
        norm = self.shorten()
        if self.options.manipulation == "none":
            self.optimizer.step()
        else:
            self._manipulated_step()
        return weights, self.rule.diagnostics | self.manipulation.diagnostics() | norm

    def _manipulated_step(self) -> None:
        for parameter in self.parameters:
            if parameter.grad is not None:
                gradient, parameter.grad = parameter.grad.unsqueeze(0), None
                update = self.manipulation.propose(parameter, gradient)[0]
                self.manipulation.commit(parameter, gradient, np.ones(1))
                self.optimizer.apply(parameter, update)


def weighted_sum(losses: Sequence[Tensor], weights: Vector) -> Tensor:
    """sum_k w_k L_k."""
    total: Tensor = reduce(add, (float(weight) * loss for weight, loss in zip(weights, losses, strict=True)))
    return total
