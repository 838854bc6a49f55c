"""Optimisers that can propose before they commit.

An ordinary step is the torch optimiser's own. Balancing updates needs more: what the optimiser *would* do with one
task's gradient, from its present state, which stays as it is (``propose``); then any step on the parameter
(``apply``), and only then the moments (``commit``): the order of PUB's algorithm 1.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import Parameter

from mtbalance.registry import load

Moments = dict[str, Tensor]


class Optimizer(ABC):
    """A torch optimiser with proposals, and one meaning of weight decay.

    ``decay: decoupled`` shrinks a parameter by lr times weight_decay in every step, apart from its gradient;
    ``coupled`` adds weight_decay times the parameter to the gradient, and so to the moments.
    """

    decays_itself: ClassVar[bool] = False
    """Whether the torch optimiser has decoupled decay of its own."""
    accumulator: ClassVar[str | None] = None
    """The moment that sums all squared gradients, in an optimiser that has one (AdaGrad)."""

    def __init__(self, parameters: Iterable[Parameter], lr: float, weight_decay: float, decay: str) -> None:
        self.parameters = list(parameters)
        self.lr = self.full_rate = lr
        self.weight_decay, self.decoupled = weight_decay, decay == "decoupled"
        self.torch_optimizer = self._torch_optimizer()

    @abstractmethod
    def _torch_optimizer(self) -> torch.optim.Optimizer: ...

    @abstractmethod
    def fresh(self, like: Tensor) -> Moments:
        """The moments with which a parameter of that shape begins."""

    @abstractmethod
    def updates(self, moments: Moments, gradients: Tensor, delayed: bool = False) -> Tensor:
        """What a step subtracts, before the learning rate, for gradients that the moments have not seen.

        Element by element, so that gradients [K, *shape] meet moments [*shape] or [K, *shape]. Where ``delayed``, the
        divisor is the one before the gradients (:func:`divisor`). Changes nothing.
        """

    @abstractmethod
    def advance(self, moments: Moments, gradient: Tensor) -> None:
        """Let the moments see a gradient of their shape."""

    def scale_rate(self, factor: float) -> None:
        """Make the learning rate ``factor`` times what it was made with."""
        self.lr = factor * self.full_rate
        for group in self.torch_optimizer.param_groups:
            group["lr"] = self.lr

    @torch.no_grad()
    def propose(
        self, parameter: Parameter, gradients: Tensor, moments: Moments | None = None, *, delayed: bool = False
    ) -> Tensor:
        """Updates [K, *shape] that each of the gradients [K, *shape] alone would lead to, before the learning rate.

        From the parameter's own moments, or from ``moments``. Changes nothing.
        """
        seen = self.moments(parameter) if moments is None else moments
        return self.updates(seen, self._decay(parameter, gradients), delayed)

    @torch.no_grad()
    def apply(self, parameter: Parameter, update: Tensor) -> None:
        """Subtract lr times ``update``; decoupled weight decay is applied here, once."""
        if self.decoupled:
            parameter.mul_(1 - self.lr * self.weight_decay)
        parameter.add_(update, alpha=-self.lr)

    @torch.no_grad()
    def commit(self, parameter: Parameter, gradient: Tensor, moments: Moments | None = None) -> None:
        """Let the parameter's moments, or ``moments``, see a gradient; before :meth:`apply` changes the parameter."""
        self.advance(self.moments(parameter) if moments is None else moments, self._decay(parameter, gradient))

    @torch.no_grad()
    def step(self) -> None:
        """An ordinary step on all parameters that have a gradient; the gradients are then dropped."""
        if self.decoupled and not self.decays_itself:
            for parameter in self.parameters:
                if parameter.grad is not None:
                    parameter.mul_(1 - self.lr * self.weight_decay)
        self.torch_optimizer.step()
        self.torch_optimizer.zero_grad(set_to_none=True)

    def moments(self, parameter: Parameter) -> Moments:
        """The torch optimiser's state of ``parameter``, begun as it would begin it."""
        state = self.torch_optimizer.state[parameter]
        if not state:
            state.update(self.fresh(parameter.detach()))
        return state

    def _decay(self, parameter: Parameter, gradients: Tensor) -> Tensor:
        return gradients if self.decoupled else gradients.add(parameter, alpha=self.weight_decay)

    def state_dict(self) -> dict[str, Any]:
        """The torch optimiser's."""
        return self.torch_optimizer.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what :meth:`state_dict` gave."""
        self.torch_optimizer.load_state_dict(state)
        self.lr = self.torch_optimizer.param_groups[0]["lr"]


def divisor(present: Tensor, before: Tensor) -> Tensor:
    """Of the roots of second moments with and without the present gradient, the latter: a delayed preconditioner.

    An element that has had no gradient before has nothing to be divided by: it keeps ``present``.
    """
    return torch.where(before > 0, before, present)


def build_optimizer(parameters: Iterable[Parameter], name: str, **options: Any) -> Optimizer:
    """The optimiser ``name`` with its options (lr, weight_decay, decay)."""
    return load("mtbalance.optimizers", name)(parameters, **options)
