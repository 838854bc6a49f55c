"""A balancer in anybody's training loop: a rule at a level, with the optimiser it drives."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from torch import Tensor
from torch.nn import Parameter

from mtbalance.combinations import of_optimizer, refuse
from mtbalance.config import OptimizerConfig, Strict, balancer_config, rule_options
from mtbalance.levels import Again, Level, Representation, StepReport, build_level
from mtbalance.optimizers import build_optimizer
from mtbalance.registry import load


class Balancer:
    """Takes the place of the optimiser: :meth:`step` takes K losses and changes the parameters.

    ``level`` and ``rule`` are those of ``params.yaml`` (PUB: ``update`` and ``nash``), and so are ``options``: whatever
    the level and the rule know, such as ``every`` or ``rescale``. Which parameters are shared is read off the losses'
    graphs at the first step. Raises ``pydantic.ValidationError`` for unknown options, ``ValueError`` for a rule that is
    not defined at the level and for options that do not go together.
    """

    def __init__(
        self,
        parameters: Iterable[Parameter],
        tasks: int,
        *,
        level: str,
        rule: str,
        optimizer: str = "adam",
        lr: float = 1e-3,
        weight_decay: float = 0.0,
        decay: str = "decoupled",
        seed: int = 0,
        **options: Any,
    ) -> None:
        config = balancer_config({"level": level, "rule": rule, **options})
        refuse(of_optimizer(config, optimizer))
        optimiser = OptimizerConfig(name=optimizer, lr=lr, weight_decay=weight_decay, decay=decay)
        self.level = assemble(config, optimiser.model_dump(), parameters, tasks, seed)

    def fork(self, representation: Representation) -> list[Representation]:
        """The representation, a tuple of tensors, as each task's head must see it; needed at that level."""
        return self.level.fork(representation)

    def step(self, losses: Sequence[Tensor], again: Again | None = None) -> StepReport:
        """One step on K scalar losses; ``again`` computes them anew, for rules that look again (FAMO)."""
        return self.level.step(losses, again)

    def state_dict(self) -> dict[str, Any]:
        """All that a step depends on besides the parameters."""
        return self.level.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what :meth:`state_dict` gave."""
        self.level.load_state_dict(state)


def assemble(
    config: Strict, optimizer: dict[str, Any], parameters: Iterable[Parameter], tasks: int, seed: int
) -> Level:
    """The rule and the level of a checked configuration, driving ``optimizer`` (its name and options)."""
    parameters = list(parameters)
    own = rule_options(config)
    rule = load("mtbalance.rules", config.rule)(tasks, **own)
    rule.seed(seed)
    options = config.model_dump(exclude={"level", "rule", *own})
    return build_level(config.level, rule, parameters, build_optimizer(parameters, **optimizer), **options)
