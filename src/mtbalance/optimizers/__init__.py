"""Optimisers that can propose before they commit.

An ordinary step is the torch optimiser's own. Balancing updates needs more: what the optimiser *would* do with one
task's gradient, from its present state, which stays as it is (``propose``); then any step on the parameter
(``apply``), and only then the moments (``commit``): the order of PUB's algorithm 1.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor
from torch.nn import Parameter

from mtbalance.registry import load


class Optimizer(ABC):
    """A torch optimiser with proposals."""

    def __init__(self, parameters: Iterable[Parameter], lr: float, weight_decay: float, decay: str) -> None:
        self.parameters = list(parameters)
        self.lr, self.weight_decay, self.decoupled = lr, weight_decay, decay == "decoupled"
        self.torch_optimizer = self._torch_optimizer()

    @abstractmethod
    def _torch_optimizer(self) -> torch.optim.Optimizer: ...

    @abstractmethod
    def propose(self, parameter: Parameter, gradients: Tensor) -> Tensor:
        """Updates [K, *shape], before the learning rate: what a step would subtract for each of the gradients
        [K, *shape] alone. Changes nothing."""

    @abstractmethod
    def _commit(self, parameter: Parameter, gradient: Tensor) -> None: ...

    def step(self) -> None:
        """An ordinary step on all parameters that have a gradient; the gradients are then dropped."""
        self.torch_optimizer.step()
        self.torch_optimizer.zero_grad(set_to_none=True)

    @torch.no_grad()
    def apply(self, parameter: Parameter, update: Tensor) -> None:
        """Subtract lr times ``update``; decoupled weight decay is applied here, once."""
        if self.decoupled:
            parameter.mul_(1 - self.lr * self.weight_decay)
        parameter.add_(update, alpha=-self.lr)

    @torch.no_grad()
    def commit(self, parameter: Parameter, gradient: Tensor) -> None:
        """Advance the parameter's step count and moments with ``gradient``; the parameter stays as it is."""
        if not self.decoupled:
            gradient = gradient.add(parameter, alpha=self.weight_decay)
        self._commit(parameter, gradient)

    def state_dict(self) -> dict[str, Any]:
        """The torch optimiser's."""
        return self.torch_optimizer.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what :meth:`state_dict` gave."""
        self.torch_optimizer.load_state_dict(state)


def build_optimizer(parameters: Iterable[Parameter], name: str, **options: Any) -> Optimizer:
    """The optimiser ``name`` with its options (lr, weight_decay, decay)."""
    return load("mtbalance.optimizers", name)(parameters, **options)
