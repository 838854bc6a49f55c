"""Balancer: a rule at a level, around the optimizer of any training loop."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import torch
from pydantic import ValidationError
from torch.nn import Parameter

from mtbalance.balancing.by_name import named
from mtbalance.balancing.checking import balancer_options, level_options, rule_options
from mtbalance.balancing.contradictions import of_optimizer
from mtbalance.balancing.levels import Again, Level, Representation, StepReport, build_level
from mtbalance.balancing.losses import Losses
from mtbalance.balancing.optimizers import build_optimizer
from mtbalance.balancing.options import RULES, BalancerOptions, OptimizerOptions
from mtbalance.balancing.rules import Rule
from mtbalance.balancing.wrappers import refuse_untold
from mtbalance.blocks import refuse
from mtbalance.faults import fault_lines
from mtbalance.registry import entry

if TYPE_CHECKING:
    import torch.distributed as dist


class Balancer:
    """Balances K tasks in a training loop; the model, the optimizer and the scheduler stay the user's own.

    ``level``, ``rule`` and ``options`` are those of ``params.yaml``: PUB is the rule ``nash`` at the level ``update``,
    and ``options`` are whatever the level and the rule know, such as ``every`` or ``rescale``. ``rule`` may also be a
    :class:`~mtbalance.balancing.rules.Rule` that was made elsewhere. ``optimizer`` is any torch optimizer: its groups
    and learning rates are read at every step. ``shared`` lists the parameters that tasks share; by default they are
    told by the tasks' gradients at every step that searches. ``process_group`` are the processes that train together,
    by default all of them.

    In the plain loop, ``step(losses)`` stands where ``loss.backward()`` and ``optimizer.step()`` stood. In any other
    loop, ``backward(losses)`` leaves the joint gradient in ``.grad``; clipping, ``optimizer.step()`` and the scheduler
    are then called as ever. At level ``update`` only :meth:`step` can take the step.

    Raises ``ValueError`` for unknown options and impossible values, for a rule that is not defined at the level, for
    options that contradict each other, for sharded parameters, and for an optimizer that wraps another one.
    """

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        tasks: int,
        *,
        level: str,
        rule: str | Rule,
        shared: Iterable[Parameter] | None = None,
        seed: int = 0,
        process_group: dist.ProcessGroup | None = None,
        **options: Any,
    ) -> None:
        if not isinstance(optimizer, torch.optim.Optimizer):
            raise TypeError(
                f"optimizer must be a torch optimizer, such as torch.optim.AdamW(model.parameters()), not "
                f"{type(optimizer).__name__}"
            )
        refuse_untold(optimizer)
        if not isinstance(tasks, int):
            raise TypeError(f"tasks is the number of tasks, not {tasks!r}")
        if isinstance(rule, type):
            raise TypeError(f"rule is a class: give its name, or an instance such as {rule.__name__}(tasks={tasks})")
        block = {"level": level, "rule": type(rule).__name__ if isinstance(rule, Rule) else rule, **options}
        try:
            checked = level_options(block, rule) if isinstance(rule, Rule) else balancer_options(block)
        except ValidationError as error:
            raise ValueError("\n".join(fault_lines(error, block))) from error
        names = {} if isinstance(rule, Rule) else named(rule, rule_options(checked))
        refuse((option, "tasks have names in params.yaml only; here give numbers") for option in names)
        made = rule if isinstance(rule, Rule) else entry(RULES, rule, Rule)(tasks, **rule_options(checked))
        refuse(of_optimizer(checked, type(optimizer).__name__.lower()))
        if made.tasks != tasks:
            raise ValueError(f"the rule is one for {made.tasks} tasks, not {tasks}")
        made.seed(seed)
        self.level = build_level(checked, made, optimizer, shared=shared, group=process_group)

    def fork(self, representation: Representation) -> list[Representation]:
        """The representation, a tensor or a tuple of tensors, as the head of each of the K tasks must read it.

        Needed at level ``representation``, where each head gets a copy; at the others it is the representation itself.
        """
        return self.level.fork(representation)

    def backward(self, losses: Losses, scaler: torch.amp.GradScaler | None = None) -> StepReport:
        """Add the joint gradient of K losses to ``.grad``; at level ``update``, keep what :meth:`step` needs.

        ``losses`` are K scalars, or a tensor [K]. May be called for the parts of a batch, one after the other, with
        losses that sum to those of the batch. ``scaler`` is the gradient scaler of a float16 loop: give it the losses
        as they are, and step by ``scaler.step(balancer)``. Details and errors: :meth:`Level.backward
        <mtbalance.balancing.levels.Level.backward>`.
        """
        return self.level.backward(losses, scaler)

    def step(self, losses: Losses | None = None, again: Again | None = None) -> StepReport:
        """Take the optimizer's step and clear the gradients; with ``losses``, after a backward pass on them.

        ``again`` computes the losses of the same batch anew, for rules that look at them after the step (FAMO).
        """
        return self.level.step(losses, again)

    def zero_grad(self) -> None:
        """Clear the gradients and give up the step that has begun, as if its batch had not been."""
        self.level.zero_grad()

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """The optimizer's groups, so that a gradient scaler takes a balancer for an optimizer."""
        groups: list[dict[str, Any]] = self.level.optimizer.param_groups
        return groups

    def state_dict(self) -> dict[str, Any]:
        """Everything that the next step depends on, the optimizer's state included, apart from the parameters."""
        return self.level.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back a state that :meth:`state_dict` gave. Raises ``ValueError`` for any other."""
        self.level.load_state_dict(state)


def assemble(
    options: BalancerOptions, optimizer: OptimizerOptions, parameters: Iterable[Parameter], tasks: int, seed: int
) -> Level:
    """The level of a checked balancer with its rule, driving ``optimizer`` on ``parameters``."""
    rule = entry(RULES, options.rule, Rule)(tasks, **rule_options(options))
    rule.seed(seed)
    return build_level(options, rule, build_optimizer(parameters, optimizer))
