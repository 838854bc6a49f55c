"""The loss level: weigh the losses, one backward pass."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import Parameter

from mtbalance.levels import Level
from mtbalance.manipulations import build_manipulation
from mtbalance.optimizers import Optimizer
from mtbalance.rules import Rule


class Loss(Level):
    """The gradient of sum_k w_k L_k for all parameters, shared and task-specific alike.

    ``manipulation: clippy`` clips the one joint update of every tensor: with equal weights, ClippyAdam, and with the
    optimiser AdaGrad the original Clippy.
    """

    def __init__(
        self,
        parameters: Iterable[Parameter],
        rule: Rule,
        optimizer: Optimizer,
        *,
        manipulation: str = "none",
        clip: Mapping[str, float | None] | None = None,
        preconditioner: str | None = None,
        max_norm: float | None = None,
    ) -> None:
        super().__init__(parameters, rule, optimizer, max_norm=max_norm)
        self.manipulation = build_manipulation(manipulation, optimizer, clip, preconditioner)
        self.manipulated = manipulation != "none"

    def _step(self, losses: list[Tensor], values: NDArray[np.float64]) -> tuple[NDArray[np.float64], dict[str, float]]:
        weights = self.ask(values)
        weighted_sum(losses, weights).backward()
        norm = self.shorten()
        if self.manipulated:
            self._manipulated_step()
        else:
            self.optimizer.step()
        return weights, self.rule.diagnostics | self.manipulation.diagnostics() | norm

    def _manipulated_step(self) -> None:
        for parameter in self.parameters:
            if parameter.grad is not None:
                gradient, parameter.grad = parameter.grad.unsqueeze(0), None
                update = self.manipulation.propose(parameter, gradient)[0]
                self.manipulation.commit(parameter, gradient, np.ones(1))
                self.optimizer.apply(parameter, update)


def weighted_sum(losses: list[Tensor], weights: NDArray[np.float64]) -> Tensor:
    """sum_k w_k L_k."""
    return sum(float(weight) * loss for weight, loss in zip(weights, losses, strict=True))
