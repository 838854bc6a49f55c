"""The proposer of any torch optimizer: one that knows its update, or else one that runs a copy of it."""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.nn import Parameter

from mtbalance.balancing.layout import fitting, laid_out
from mtbalance.balancing.optimizers import Group, MomentProposer, Proposer
from mtbalance.balancing.options import OPTIMIZERS
from mtbalance.balancing.wrappers import refuse_wrapper
from mtbalance.registry import available, entry

DECOUPLED = ("Muon", "Adafactor")
"""Torch optimizers whose weight decay is decoupled without a flag that says so."""


def build_proposer(optimizer: torch.optim.Optimizer) -> Proposer:
    """The proposer of a torch optimizer. Raises ``ValueError`` for one that needs a closure or wraps another one."""
    refuse_wrapper(optimizer)
    return _kind(optimizer)(optimizer)


def refreshed(proposer: Proposer) -> Proposer:
    """The proposer of the same optimizer, with the groups and options that it has by now; call it before a step.

    A scheduler, a loaded state or a group that was added may have brought options that its formula does not know.
    """
    kind = _kind(proposer.optimizer)
    if type(proposer) is not kind:
        return kind(proposer.optimizer)
    proposer.refresh()
    return proposer


def _kind(optimizer: torch.optim.Optimizer) -> type[Proposer]:
    """The class that knows the optimizer's update, with its present options, or else runs a copy.

    Its file is named as the optimizer's class begins: ``adam`` for Adam and AdamW. No other file is read. Torch's
    formulas take complex parameters for pairs of real ones, which ours do not.
    """
    if any(parameter.is_complex() for group in optimizer.param_groups for parameter in group["params"]):
        return RunningProposer
    known = _known(type(optimizer).__name__.lower())
    return next((found for found in known if found.covers(optimizer)), RunningProposer)


@cache
def _known(kind: str) -> list[type[MomentProposer]]:
    names = sorted(filter(kind.startswith, available(OPTIMIZERS)), key=len, reverse=True)
    return [entry(OPTIMIZERS, name, MomentProposer) for name in names]


class RunningProposer(Proposer):
    """The updates that a copy of the optimizer makes, started from the optimizer's own state, once for each task.

    Exact by construction for every optimizer whose step needs no closure, and as many times slower as there are tasks.
    An optimizer that couples parameters, such as by one norm of all gradients, sees the shared ones alone here.
    An optimizer of unknown kind decays weights as part of its step, so its decay is in every task's update. Decay that
    is known to be decoupled is left out of the updates and applied once.
    """

    def __init__(self, optimizer: torch.optim.Optimizer) -> None:
        super().__init__(optimizer)
        if isinstance(optimizer, torch.optim.LBFGS):
            raise ValueError(
                "LBFGS evaluates the loss within its step; updates of it cannot be balanced: use level "
                "loss, representation or gradient"
            )

    @torch.no_grad()
    def propose(
        self, parameters: Sequence[Parameter], gradients: Sequence[Tensor], *, delayed: bool = False
    ) -> list[Tensor]:
        """As every proposer does. Never ``delayed``, since the optimizer's divisor is unknown."""
        assert not delayed, "options are refused where they need a formula"
        tasks = len(gradients[0]) if gradients else 0
        found = [self._run(parameters, [gradient[task] for gradient in gradients]) for task in range(tasks)]
        return [torch.stack(updates) for updates in zip(*found, strict=True)]

    def _run(self, parameters: Sequence[Parameter], gradients: Sequence[Tensor]) -> list[Tensor]:
        """The updates of one step of a copy."""
        clones = {parameter: Parameter(parameter.detach().clone()) for parameter in parameters}
        for parameter, gradient in zip(parameters, gradients, strict=True):
            clones[parameter].grad = laid_out(gradient, parameter)
        try:
            twin = self._copy(clones)
        except (TypeError, AttributeError) as error:  # such as a process group, or groups that are a property
            name = type(self.optimizer).__name__
            raise ValueError(
                f"{name} cannot be copied for each task ({error}): balance at another level, or give the balancer one "
                "of the optimizers that it is made of, and let the others step after the balancer"
            ) from error
        with torch.enable_grad():
            twin.step()
        return [(parameter - clones[parameter]).div_(self.unit or 1.0) for parameter in parameters]

    def _copy(self, clones: dict[Parameter, Parameter]) -> torch.optim.Optimizer:
        """The optimizer with its state, on clones of some of its parameters."""
        original = self.optimizer
        twin: torch.optim.Optimizer = copy.copy(original)
        known = {id(parameter): clone for parameter, clone in clones.items()}
        others = {name: value for name, value in vars(original).items() if name not in vars(twin) and name != "step"}
        vars(twin).update({name: copy.deepcopy(value, dict(known)) for name, value in others.items()})
        twin.param_groups = [self._group(group, clones) for group in original.param_groups]
        kept = {key: state for key, state in original.state.items() if not isinstance(key, Tensor)}  # such as a count
        states = kept | {
            clone: original.state[parameter] for parameter, clone in clones.items() if parameter in original.state
        }
        twin.state = defaultdict(dict, {key: copy.deepcopy(state, dict(known)) for key, state in states.items()})
        return twin

    def _group(self, group: Group, clones: dict[Parameter, Parameter]) -> Group:
        options = {name: copy.deepcopy(value) for name, value in group.items() if name != "params"}
        if not self.unit:  # all rates are 0, as a warm-up may begin: updates are those of rate 1
            options["lr"] = torch.ones_like(group["lr"]) if isinstance(group["lr"], Tensor) else 1.0
        if self._decay(group):
            options["weight_decay"] = 0.0
        return options | {"params": [clones[parameter] for parameter in group["params"] if parameter in clones]}

    def _decay(self, group: Group) -> float:
        """The strength of decay that is known to be decoupled."""
        known = group.get("decoupled_weight_decay") or type(self.optimizer).__name__ in DECOUPLED
        return float(group.get("weight_decay", 0.0)) if known else 0.0

    @torch.no_grad()
    def take(
        self, parameters: Sequence[Parameter], updates: Sequence[Tensor], commit: Callable[[Parameter], Tensor | None]
    ) -> None:
        """As every proposer does: the optimizer steps, so its state is its own work; the updates replace its move."""
        before = [parameter.detach().clone() for parameter in parameters]
        for parameter in parameters:
            gradient = commit(parameter)
            parameter.grad = None if gradient is None else fitting(gradient, parameter)

        def replace(*_: Any) -> None:
            for parameter, old, update in zip(parameters, before, updates, strict=True):
                group: dict[str, Any] = self.groups[parameter]
                shrunk = old.mul_(1 - float(group["lr"]) * self._decay(group)) if self._decay(group) else old
                parameter.copy_(shrunk.sub_(update, alpha=self.unit))
                parameter.grad = None

        last = self.optimizer.register_step_post_hook(replace)
        hooks: Any = self.optimizer._optimizer_step_post_hooks
        hooks.move_to_end(last.id, last=False)  # the user's hooks see the real move
        try:
            self.optimizer.step()
        finally:
            last.remove()
