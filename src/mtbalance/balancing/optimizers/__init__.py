"""Optimizer: a torch optimizer that can propose a step before it commits to it. One optimizer per file.

An ordinary step is the torch optimizer's own. Balancing updates needs three separate parts, in the order of PUB's
algorithm 1. ``propose`` returns the update that the optimizer *would* make for one task's gradient, and leaves its
state as it is. ``commit`` lets the moments see a gradient. ``apply`` takes any step on the parameter.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import Parameter

from mtbalance.balancing.options import OPTIMIZERS, OptimizerOptions
from mtbalance.registry import entry

Moments = dict[str, Tensor]


class Optimizer(ABC):
    """A torch optimizer with proposals, and with one meaning of weight decay for all (``OptimizerOptions.decay``)."""

    decays_itself: ClassVar[bool] = False
    """True for a torch optimizer with decoupled decay of its own."""
    accumulator: ClassVar[str | None] = None
    """Name of the moment that sums all squared gradients, in an optimizer that has one (AdaGrad)."""

    def __init__(self, parameters: Iterable[Parameter], options: OptimizerOptions) -> None:
        self.parameters = list(parameters)
        self.lr = self.full_rate = options.lr
        self.weight_decay, self.decoupled = options.weight_decay, options.decay == "decoupled"
        self.torch_optimizer = self._torch_optimizer()

    @abstractmethod
    def _torch_optimizer(self) -> torch.optim.Optimizer: ...

    @abstractmethod
    def fresh(self, like: Tensor) -> Moments:
        """Moments of a parameter of that shape before its first step."""

    @abstractmethod
    def updates(self, moments: Moments, gradients: Tensor, delayed: bool = False) -> Tensor:
        """Updates, before the learning rate, for gradients that the moments have not seen; a step subtracts them.

        Works element by element, so gradients [K, *shape] meet moments [*shape] or [K, *shape]. With ``delayed`` the
        divisor has not seen the gradients either (:func:`divisor`). Changes nothing.
        """

    @abstractmethod
    def advance(self, moments: Moments, gradient: Tensor) -> None:
        """Let the moments see a gradient of their shape."""

    def scale_rate(self, factor: float) -> None:
        """Set the learning rate to ``factor`` times the one that the optimizer was made with."""
        self.lr = factor * self.full_rate
        for group in self.torch_optimizer.param_groups:
            group["lr"] = self.lr

    @torch.no_grad()
    def propose(
        self, parameter: Parameter, gradients: Tensor, moments: Moments | None = None, *, delayed: bool = False
    ) -> Tensor:
        """Updates [K, *shape], before the learning rate: the one that each gradient of [K, *shape] alone would lead to.

        They start from the parameter's own moments, or from ``moments``. Changes nothing.
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
        """Let the parameter's moments, or ``moments``, see a gradient; call it before :meth:`apply`.

        Coupled weight decay, which is part of a gradient, depends on the parameter that :meth:`apply` changes.
        """
        self.advance(self.moments(parameter) if moments is None else moments, self._decay(parameter, gradient))

    @torch.no_grad()
    def step(self) -> None:
        """Take an ordinary step on all parameters that have a gradient, and drop the gradients."""
        if self.decoupled and not self.decays_itself:
            for parameter in self.parameters:
                if parameter.grad is not None:
                    parameter.mul_(1 - self.lr * self.weight_decay)
        self.torch_optimizer.step()
        self.torch_optimizer.zero_grad(set_to_none=True)

    def moments(self, parameter: Parameter) -> Moments:
        """The torch optimizer's state of ``parameter``, created as torch would create it."""
        state: Moments = self.torch_optimizer.state[parameter]
        if not state:
            state.update(self.fresh(parameter.detach()))
        return state

    def _decay(self, parameter: Parameter, gradients: Tensor) -> Tensor:
        return gradients if self.decoupled else gradients.add(parameter, alpha=self.weight_decay)

    def state_dict(self) -> dict[str, Any]:
        """The torch optimizer's state."""
        return self.torch_optimizer.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back a state that :meth:`state_dict` gave."""
        self.torch_optimizer.load_state_dict(state)
        self.lr = self.torch_optimizer.param_groups[0]["lr"]


def divisor(present: Tensor, before: Tensor) -> Tensor:
    """The divisor of a delayed preconditioner: ``before``, or ``present`` in elements where ``before`` is zero.

    Both are roots of the second moment: ``before`` without the present gradient, ``present`` with it. ``before`` is
    zero in elements that have had no gradient yet.
    """
    return torch.where(before > 0, before, present)


def build_optimizer(parameters: Iterable[Parameter], options: OptimizerOptions) -> Optimizer:
    """The optimizer ``options.name`` for ``parameters``."""
    return entry(OPTIMIZERS, options.name, Optimizer)(parameters, options)
