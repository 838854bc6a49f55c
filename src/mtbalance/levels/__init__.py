"""Levels: where in a training step the tasks are balanced.

A level takes K scalar losses (separate scalars, never one stacked vector: each backward pass then visits its own
task's graph only), asks its rule for weights, and writes the parameters. One level a file.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import Parameter

from mtbalance.gram import Parts, combine, describe, gram_matrix, norm_of, size_of, stacked
from mtbalance.optimizers import Optimizer
from mtbalance.registry import load
from mtbalance.rules import RowRule, Rule

Representation = tuple[Tensor, ...]
Again = Callable[[], Sequence[Tensor]]
Weights = NDArray[np.float64]


@dataclass(frozen=True)
class StepReport:
    """What a step did."""

    losses: Weights
    """The losses [K] before the step."""
    weights: Weights
    """The weights [K] that were used."""
    diagnostics: dict[str, float] = field(default_factory=dict)
    """Of this step's search: cosines, norm of the joint row, residual, ...; empty where weights were kept."""


class Level(ABC):
    """One training step, from losses to changed parameters.

    ``heads``: a task's own parameters get the gradient of its loss (``own``; as they are reached by no other loss, this
    is the gradient of the sum of losses too) or of its weighted loss (``weighted``). ``max_norm``: the gradients of all
    parameters, once joint, are shortened together to that norm before the optimiser sees them, as in the NashMTL code
    (1.0 on NYUv2); it is no part of a rule, and any can have it.
    """

    def __init__(
        self,
        parameters: Iterable[Parameter],
        rule: Rule,
        optimizer: Optimizer,
        *,
        heads: str | None = None,
        max_norm: float | None = None,
    ) -> None:
        rule.check_level(type(self).__name__.lower())
        self.parameters = [parameter for parameter in parameters if parameter.requires_grad]
        self.rule, self.optimizer = rule, optimizer
        self.heads = heads or self.default_heads()
        self.max_norm = max_norm
        self.tasks = rule.tasks
        self.steps = 0
        self.row_bytes = 0
        """Memory of the K rows that are balanced, once they are known."""

    def default_heads(self) -> str:
        """What a task's own parameters get where nothing is said: the rule's authors' choice."""
        return self.rule.heads

    def fork(self, representation: Representation) -> list[Representation]:
        """The representation as each of the K tasks' heads must see it, for losses given to :meth:`step`."""
        return [representation] * self.tasks

    def step(self, losses: Sequence[Tensor], again: Again | None = None) -> StepReport:
        """Change the parameters by one step on K scalar losses with their graphs.

        ``again`` computes the losses of the same batch anew; it is called, without gradients, after the step where the
        rule looks again (FAMO). Raises ``FloatingPointError`` for losses, and at a search for rows, that are
        not finite.
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

    def _look_again(self, again: Again | None) -> None:
        if again is None:
            raise ValueError(f"rule {type(self.rule).__name__} needs the losses after the step: pass `again`")
        with torch.no_grad():
            self.rule.observe(np.array([float(loss) for loss in again()]))

    def ask(self, *seen: Weights) -> Weights:
        """The rule's weights [K] for what it sees; a single task has nothing to be balanced against and weighs 1."""
        return np.ones(1) if self.tasks == 1 else self.rule.weights(*seen)

    def gram(self, rows: list[Parts]) -> Weights:
        """What the rule sees of K rows: their Gram matrix [K, K]."""
        return gram_matrix(rows)

    def balance(self, rows: list[Parts], values: Weights) -> tuple[Iterable[Tensor], Weights, dict[str, float]]:
        """The joint row, tensor by tensor, of K rows; the weights [K]; and the search's diagnostics."""
        self.row_bytes = self.row_bytes or sum(map(size_of, rows))
        gram = self.gram(rows)
        if not np.isfinite(gram).all():
            raise FloatingPointError(f"the tasks' rows are not finite at step {self.steps + 1}")
        if isinstance(self.rule, RowRule) and self.tasks > 1:
            joint, weights = self.rule.combine([stacked(parts) for parts in rows], values)
            geometry = describe(gram, weights) | {"joint_norm": norm_of(joint)}
        else:
            seen = gram_matrix(self.last_layer(rows)) if self.rule.sees == "last_layer" else gram
            weights = self.rescaled(self.ask(seen, values), gram)
            joint, geometry = self.combined(rows, weights), describe(gram, weights)
        return joint, weights, geometry | self.rule.diagnostics

    def combined(self, rows: list[Parts], weights: Weights) -> Iterable[Tensor]:
        """The weighted sum of K rows, tensor by tensor."""
        return (combine(parts, weights) for parts in rows)

    def last_layer(self, rows: list[Parts]) -> list[Parts]:
        """The rows' part in the last shared layer's weight: all of them where rows are not parameters'."""
        return rows

    def rescaled(self, weights: Weights, gram: Weights) -> Weights:
        """The weights on the scale of this level: the rule's own."""
        return weights

    def shorten(self) -> dict[str, float]:
        """Bring the gradients of all parameters to ``max_norm``, where it is set; their norm before, as diagnostics."""
        if self.max_norm is None:
            return {}
        return {"gradient_norm": float(torch.nn.utils.clip_grad_norm_(self.parameters, self.max_norm))}

    @abstractmethod
    def _step(self, losses: list[Tensor], values: Weights) -> tuple[Weights, dict[str, float]]:
        """Do the step; return weights [K] and the diagnostics of a search."""

    def state_dict(self) -> dict[str, Any]:
        """All that a step depends on, besides parameters: steps, the rule's memory, the optimiser's state."""
        counts = {"steps": self.steps, "row_bytes": self.row_bytes}
        return counts | {"rule": self.rule.state_dict(), "optimizer": self.optimizer.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what :meth:`state_dict` gave."""
        self.steps, self.row_bytes = state["steps"], state["row_bytes"]
        self.rule.load_state_dict(state["rule"])
        self.optimizer.load_state_dict(state["optimizer"])


def build_level(level: str, rule: Rule, parameters: Iterable[Parameter], optimizer: Optimizer, **options: Any) -> Level:
    """The level ``level`` with its options."""
    return load("mtbalance.levels", level)(parameters, rule, optimizer, **options)
