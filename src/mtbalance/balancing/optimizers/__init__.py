"""Proposer: knows what a torch optimizer would do with a gradient, before it does it. One kind of optimizer per file.

Balancing updates needs an optimizer's step in two parts, in the order of PUB's algorithm 1. ``propose`` returns the
updates that the optimizer *would* make for each task's gradient, and leaves its state as it is. ``take`` then moves the
parameters by any combination of them, and lets the state see a gradient. The optimizer is the user's own: its groups,
learning rates and state are read where they are, at every step.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import Parameter

from mtbalance.balancing.options import OPTIMIZERS, OptimizerOptions
from mtbalance.balancing.pieces import in_pieces, pieces
from mtbalance.registry import entry

Moments = dict[str, Any]
Group = dict[str, Any]
DECAY = "decay_once"
"""Key of a group: decoupled weight decay of an optimizer whose torch class knows only the coupled one."""


class Proposer(ABC):
    """The proposals of one torch optimizer.

    Updates are measured in units of :attr:`unit`, the largest learning rate of all groups, and a step subtracts them.
    So they do not depend on a schedule that scales all rates alike, and groups keep their relative rates.
    """

    accumulator: ClassVar[str | None] = None
    """Name of the moment that sums all squared gradients, in an optimizer that has one (AdaGrad)."""

    def __init__(self, optimizer: torch.optim.Optimizer) -> None:
        self.optimizer = optimizer
        self.groups: dict[Parameter, Group] = {}
        self.unit = 0.0
        self.refresh()

    def refresh(self) -> None:
        """Read the groups and their learning rates; call it before the proposals of a step."""
        groups = self.optimizer.param_groups
        self.groups = {parameter: group for group in groups for parameter in group["params"]}
        self.unit = max(float(group.get("lr", 1.0)) for group in groups)

    @abstractmethod
    def propose(
        self, parameters: Sequence[Parameter], gradients: Sequence[Tensor], *, delayed: bool = False
    ) -> list[Tensor]:
        """Updates [K, *shape] of each parameter: the one that each gradient of [K, *shape] alone would lead to.

        With ``delayed`` the divisor has not seen the gradient (:func:`divisor`). Changes nothing.
        """

    @abstractmethod
    def take(
        self, parameters: Sequence[Parameter], updates: Sequence[Tensor], commit: Callable[[Parameter], Tensor | None]
    ) -> None:
        """Move ``parameters`` by ``updates``, and all others by the optimizer's own step on their ``.grad``.

        ``commit`` gives the gradient that a parameter's moments see, or sees to that by itself and returns None.
        """


class MomentProposer(Proposer):
    """An optimizer whose update is known, element by element, from moments of the parameter's shape."""

    @staticmethod
    @abstractmethod
    def build(parameters: Iterable[Parameter], options: OptimizerOptions) -> torch.optim.Optimizer:
        """The torch optimizer for options of ``params.yaml``."""

    @staticmethod
    @abstractmethod
    def covers(optimizer: torch.optim.Optimizer) -> bool:
        """True for a torch optimizer whose proposals this class knows, with its present options."""

    @abstractmethod
    def fresh(self, like: Tensor, group: Group) -> Moments:
        """Moments of a parameter of that shape before its first step."""

    @abstractmethod
    def updates(
        self, moments: Moments, gradients: Tensor, group: Group, *, delayed: bool = False, total: float = 1.0
    ) -> Tensor:
        """Updates, before the learning rate, for gradients that the moments have not seen.

        Works element by element, so gradients [K, *shape] meet moments [*shape] or [K, *shape]. With ``delayed``,
        sum_k a_k d_k is the update of the gradient sum_k a_k g_k where first moments count ``total`` = sum_k a_k times.
        Changes nothing.
        """

    @abstractmethod
    def advance(self, moments: Moments, gradient: Tensor, group: Group) -> None:
        """Let the moments see a gradient of their shape, element by element; large ones come in pieces."""

    @abstractmethod
    def count(self, moments: Moments) -> None:
        """Count the step whose gradient the moments have seen."""

    @torch.no_grad()
    def propose(
        self, parameters: Sequence[Parameter], gradients: Sequence[Tensor], *, delayed: bool = False
    ) -> list[Tensor]:
        """As every proposer does."""
        moments = [self.moments(parameter) for parameter in parameters]
        self.prepare(moments)
        triples = zip(moments, parameters, gradients, strict=True)
        return [self.propose_from(*triple, delayed=delayed) for triple in triples]

    def prepare(self, moments: Sequence[Moments]) -> None:
        """Get ready for the updates of many parameters."""

    def propose_from(
        self, moments: Moments, parameter: Parameter, gradients: Tensor, *, delayed: bool = False, total: float = 1.0
    ) -> Tensor:
        """Updates [K, *shape] of one parameter, from moments that need not be its own. Call it without gradients."""
        shaped = _shaped(moments)

        def work(own: Tensor, given: Tensor, *seen: Tensor) -> Tensor:
            state = moments | dict(zip(shaped, seen, strict=True))
            return self._proposed(state, own, given, self.groups[parameter], delayed, total)

        return in_pieces(work, parameter, gradients, *shaped.values())

    def _proposed(
        self, moments: Moments, own: Tensor, gradients: Tensor, group: Group, delayed: bool, total: float
    ) -> Tensor:
        decayed = self._decay(own, gradients, group, total)
        updates = self.updates(moments, decayed, group, delayed=delayed, total=total)
        rate = group["lr"] / self.unit if self.unit else 1.0
        return updates if rate == 1.0 else updates.mul_(rate)

    @torch.no_grad()
    def take(
        self, parameters: Sequence[Parameter], updates: Sequence[Tensor], commit: Callable[[Parameter], Tensor | None]
    ) -> None:
        """As every proposer does; decoupled weight decay is applied once."""
        for parameter, update in zip(parameters, updates, strict=True):
            gradient = commit(parameter)
            if gradient is not None:
                self.commit(self.moments(parameter), parameter, gradient)
            self._move(parameter, update, self.groups[parameter])
            parameter.grad = None
        self.optimizer.step()

    @torch.no_grad()
    def take_joint(self, gradients: Mapping[Parameter, Tensor], total: float) -> None:
        """Move parameters by the delayed update of their joint gradients, and all others as :meth:`take` does.

        An update is proposed, taken and seen by the moments piece by piece: one pass over memory in place of three.
        """
        self.prepare([self.moments(parameter) for parameter in gradients])
        for parameter, gradient in gradients.items():
            group, moments = self.groups[parameter], self.moments(parameter)
            shaped = _shaped(moments)
            parts = pieces(parameter, gradient, *shaped.values()) if shaped else [(parameter, gradient)]
            for own, given, *seen in parts:
                state = moments | dict(zip(shaped, seen, strict=True)) if shaped else moments  # which may get its first
                update = self._proposed(state, own, given, group, delayed=True, total=total)
                self.advance(state, self._decay(own, given, group), group)
                self._move(own, update, group)
            self.count(moments)
            parameter.grad = None
        self.optimizer.step()

    def _move(self, parameter: Tensor, update: Tensor, group: Group) -> None:
        decay = decoupled_decay(group)
        if decay:
            parameter.mul_(1 - group["lr"] * decay)
        parameter.add_(update, alpha=-self.unit)

    def commit(self, moments: Moments, parameter: Parameter, gradient: Tensor) -> None:
        """Let moments see a gradient; call it before the parameter moves, on which coupled weight decay depends, and
        without gradients.
        """
        group = self.groups[parameter]
        self.advance(moments, self._decay(parameter, gradient, group), group)
        self.count(moments)

    def moments(self, parameter: Parameter) -> Moments:
        """The torch optimizer's state of ``parameter``, created as torch would create it."""
        state: Moments = self.optimizer.state[parameter]
        if not state:
            state.update(self.fresh(parameter.detach(), self.groups[parameter]))
        return state

    @staticmethod
    def _decay(parameter: Tensor, gradients: Tensor, group: Group, total: float = 1.0) -> Tensor:
        """Gradients with coupled weight decay."""
        strength = 0.0 if group.get("decoupled_weight_decay") else group["weight_decay"]
        return gradients.add(parameter, alpha=strength * total) if strength else gradients


def _shaped(moments: Moments) -> dict[str, Tensor]:
    """The moments that are as the parameter is, which a count of steps is not."""
    return {name: value for name, value in moments.items() if isinstance(value, Tensor) and value.dim()}


def decoupled_decay(group: Group) -> float:
    """The strength of a group's decoupled weight decay; 0 if it is coupled, or none."""
    strength: float = group["weight_decay"] if group.get("decoupled_weight_decay") else group.get(DECAY, 0.0)
    return strength


def divisor(before: Tensor, present: Callable[[], Tensor]) -> Tensor:
    """The divisor of a delayed preconditioner: ``before``, or ``present`` in elements where ``before`` is zero.

    Both are roots of the second moment: ``before`` without the present gradient, ``present`` with it. ``before`` is
    zero in elements that have had no gradient yet. If there are none, ``present`` is not computed; that is looked up on
    the CPU alone, since on a device it would be a reading.
    """
    looked_up = before.device.type == "cpu" and before.dtype in (torch.float32, torch.float64) and before.numel()
    if looked_up and before.numpy().min() > 0:
        return before
    return torch.where(before > 0, before, present())


def build_optimizer(parameters: Iterable[Parameter], options: OptimizerOptions) -> torch.optim.Optimizer:
    """The torch optimizer ``options.name`` for ``parameters``, each of them once.

    Decoupled weight decay that the torch class does not know is applied by a hook before every step.
    """
    optimizer = entry(OPTIMIZERS, options.name, MomentProposer).build(dict.fromkeys(parameters), options)
    known = optimizer.param_groups[0].get("decoupled_weight_decay")
    if options.decay == "decoupled" and options.weight_decay and not known:
        for group in optimizer.param_groups:
            group[DECAY], group["weight_decay"] = options.weight_decay, 0.0
        optimizer.register_step_pre_hook(_shrink)
    return optimizer


@torch.no_grad()
def _shrink(optimizer: torch.optim.Optimizer, *_: Any) -> None:
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            if parameter.grad is not None:
                parameter.mul_(1 - group["lr"] * group[DECAY])
