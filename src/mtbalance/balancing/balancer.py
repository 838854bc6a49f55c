"""Balancer: a rule at a level, with the optimizer that it drives, for any training loop."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from torch import Tensor
from torch.nn import Parameter

from mtbalance.balancing.checking import balancer_options, rule_options
from mtbalance.balancing.contradictions import of_optimizer
from mtbalance.balancing.levels import Again, Level, StepReport, Tensors, build_level
from mtbalance.balancing.optimizers import build_optimizer
from mtbalance.balancing.options import RULES, BalancerOptions, OptimizerOptions
from mtbalance.balancing.rules import Rule
from mtbalance.blocks import refuse
from mtbalance.registry import entry

DEFAULT = OptimizerOptions()


class Balancer:
    """Takes the optimizer's place: :meth:`step` takes K losses and changes the parameters.

    ``level``, ``rule`` and ``options`` are those of ``params.yaml``: PUB is the rule ``nash`` at the level ``update``,
    and ``options`` are whatever the level and the rule know, such as ``every`` or ``rescale``. ``optimizer``, ``lr``,
    ``weight_decay`` and ``decay`` are the fields of :class:`~mtbalance.balancing.options.OptimizerOptions`. The shared
    parameters are found at the first step, from the graphs of the losses.

    Raises ``pydantic.ValidationError`` for unknown options and impossible values, and ``ValueError`` for a rule that is
    not defined at the level and for options that contradict each other.
    """

    def __init__(
        self,
        parameters: Iterable[Parameter],
        tasks: int,
        *,
        level: str,
        rule: str,
        optimizer: str = DEFAULT.name,
        lr: float = DEFAULT.lr,
        weight_decay: float = DEFAULT.weight_decay,
        decay: str = DEFAULT.decay,
        seed: int = 0,
        **options: Any,
    ) -> None:
        checked = balancer_options({"level": level, "rule": rule, **options})
        refuse(of_optimizer(checked, optimizer))
        driven = OptimizerOptions.model_validate(
            {"name": optimizer, "lr": lr, "weight_decay": weight_decay, "decay": decay}
        )
        self.level = assemble(checked, driven, parameters, tasks, seed)

    def fork(self, representation: Tensors) -> list[Tensors]:
        """The representation, a tuple of tensors, as each task's head must see it; needed at that level only."""
        return self.level.fork(representation)

    def step(self, losses: Sequence[Tensor], again: Again | None = None) -> StepReport:
        """Take one step on K scalar losses.

        ``again`` computes the losses of the same batch anew, for rules that look at them after the step (FAMO).
        """
        return self.level.step(losses, again)

    def state_dict(self) -> dict[str, Any]:
        """Everything that the next step depends on, apart from the parameters."""
        return self.level.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back a state that :meth:`state_dict` gave."""
        self.level.load_state_dict(state)


def assemble(
    options: BalancerOptions, optimizer: OptimizerOptions, parameters: Iterable[Parameter], tasks: int, seed: int
) -> Level:
    """The level of a checked balancer with its rule, driving ``optimizer`` on ``parameters``."""
    parameters = list(parameters)
    rule = entry(RULES, options.rule, Rule)(tasks, **rule_options(options))
    rule.seed(seed)
    return build_level(options, rule, parameters, build_optimizer(parameters, optimizer))
