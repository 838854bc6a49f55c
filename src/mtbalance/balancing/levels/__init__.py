"""Level: one training step, from K losses to changed parameters. One level per file.

A level takes K scalar losses, asks its rule for weights, and changes the parameters. The losses are separate scalars,
never one stacked vector, so that each backward pass visits the graph of its own task only.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import Parameter

from mtbalance.balancing.arrays import Vector
from mtbalance.balancing.optimizers import Optimizer
from mtbalance.balancing.options import BalancerOptions, JointGradientOptions
from mtbalance.balancing.rules import Rule
from mtbalance.registry import entry

Tensors = tuple[Tensor, ...]
"""A representation: the tensors that the tasks' heads read."""
Again = Callable[[], Sequence[Tensor]]
"""Computes the K losses of the same batch anew."""


@dataclass(frozen=True)
class StepReport:
    """The losses, the weights and the diagnostics of one step."""

    losses: Vector
    """The losses [K] before the step."""
    weights: Vector
    """The weights [K] that were used."""
    diagnostics: dict[str, float] = field(default_factory=dict)
    """Numbers about this step's search (cosines, norm of the joint row, residual, ...); empty if weights were
    kept."""


class Level(ABC):
    """One training step, from losses to changed parameters: the part that all levels have in common."""

    row_bytes: int = 0
    """Memory of the K rows that are balanced; 0 at a level without rows, and until they are known."""

    def __init__(
        self, parameters: Iterable[Parameter], rule: Rule, optimizer: Optimizer, options: BalancerOptions
    ) -> None:
        rule.check_level(options.level)
        self.parameters = [parameter for parameter in parameters if parameter.requires_grad]
        self.rule, self.optimizer, self.options = rule, optimizer, options
        self.max_norm = options.max_norm if isinstance(options, JointGradientOptions) else None
        self.tasks = rule.tasks
        self.steps = 0

    def fork(self, representation: Tensors) -> list[Tensors]:
        """The representation as each of the K tasks' heads must see it, for losses given to :meth:`step`."""
        return [representation] * self.tasks

    def step(self, losses: Sequence[Tensor], again: Again | None = None) -> StepReport:
        """Change the parameters by one step on K scalar losses with their graphs.

        ``again`` computes the losses of the same batch anew. It is called after the step, without gradients, where the
        rule looks again (FAMO). Raises ``ValueError`` for another number of losses than the rule's and if ``again``
        is missing, and ``FloatingPointError`` for losses, or at a search rows, that are not finite.
        """
        if len(losses) != self.tasks:
            raise ValueError(f"{len(losses)} losses for a rule of {self.tasks} tasks")
        values = np.array([float(loss.detach()) for loss in losses])
        if not np.isfinite(values).all():
            raise FloatingPointError(f"losses are not finite at step {self.steps + 1}: {values.tolist()}")
        weights, diagnostics = self._step(list(losses), values)
        self.steps += 1
        if self.rule.looks_again:
            self._look_again(again)
        return StepReport(values, weights.copy(), diagnostics)

    @abstractmethod
    def _step(self, losses: list[Tensor], values: Vector) -> tuple[Vector, dict[str, float]]:
        """Take the step; return the weights [K] and the diagnostics of a search."""

    def _look_again(self, again: Again | None) -> None:
        if again is None:
            raise ValueError(f"rule {type(self.rule).__name__} needs the losses after the step: pass `again`")
        with torch.no_grad():
            self.rule.observe(np.array([float(loss) for loss in again()]))

    def shorten(self) -> dict[str, float]:
        """Shorten the gradients of all parameters together to ``max_norm``; their norm before, as diagnostics.

        Without ``max_norm``, do nothing. This is no part of a rule, so every rule can have it.
        """
        if self.max_norm is None:
            return {}
        return {"gradient_norm": float(torch.nn.utils.clip_grad_norm_(self.parameters, self.max_norm))}

    def state_dict(self) -> dict[str, Any]:
        """Everything that the next step depends on, apart from the parameters."""
        return {"steps": self.steps, "rule": self.rule.state_dict(), "optimizer": self.optimizer.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back a state that :meth:`state_dict` gave."""
        self.steps = state["steps"]
        self.rule.load_state_dict(state["rule"])
        self.optimizer.load_state_dict(state["optimizer"])


def build_level(options: BalancerOptions, rule: Rule, parameters: Iterable[Parameter], optimizer: Optimizer) -> Level:
    """The level ``options.level`` with its options. Raises ``ValueError`` for a rule that is not defined there."""
    return entry("mtbalance.balancing.levels", options.level, Level)(parameters, rule, optimizer, options)
