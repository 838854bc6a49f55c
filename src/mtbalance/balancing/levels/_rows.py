"""The common part of the levels that balance K rows: gradients of the representation or of parameters, or updates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from torch import Tensor
from torch.nn import Parameter

from mtbalance.balancing.arrays import Matrix, Vector
from mtbalance.balancing.levels import Level
from mtbalance.balancing.optimizers import Optimizer
from mtbalance.balancing.options import RowOptions
from mtbalance.balancing.rows import Parts, combine, describe, gram_matrix, norm_of, size_of, stacked
from mtbalance.balancing.rules import GramRule, RowRule


class RowLevel(Level):
    """A level with one row for each task; its rule sees their Gram matrix, or the rows themselves.

    A task's own parameters are reached by no other loss, so the gradient of the task's loss (``heads: own``) is also
    the gradient of the sum of losses.
    """

    rule: GramRule | RowRule

    def __init__(
        self, parameters: Iterable[Parameter], rule: GramRule | RowRule, optimizer: Optimizer, options: RowOptions
    ) -> None:
        super().__init__(parameters, rule, optimizer, options)
        self.heads = options.heads or rule.heads

    def balance(self, rows: Sequence[Parts], values: Vector) -> tuple[Iterable[Tensor], Vector, dict[str, float]]:
        """The joint row of K rows, tensor by tensor; the weights [K]; and the diagnostics of the search.

        ``values`` are the losses [K]. Raises ``FloatingPointError`` for rows that are not finite.
        """
        self.row_bytes = self.row_bytes or sum(map(size_of, rows))
        gram, rule = self.gram(rows), self.rule
        if not np.isfinite(gram).all():
            raise FloatingPointError(f"the tasks' rows are not finite at step {self.steps + 1}")
        if self.tasks == 1:
            solved = np.ones(1)  # a single task has nothing to be balanced against
        elif isinstance(rule, RowRule):
            joint, weights = rule.combine([stacked(parts) for parts in rows], values)
            return joint, weights, describe(gram, weights) | {"joint_norm": norm_of(joint)} | rule.diagnostics
        else:
            seen = gram_matrix(self.last_layer(rows)) if rule.sees == "last_layer" else gram
            solved = rule.weights(seen, values)
        weights = self.rescaled(solved, gram)
        return self.combined(rows, weights), weights, describe(gram, weights) | rule.diagnostics

    def gram(self, rows: Sequence[Parts]) -> Matrix:
        """The Gram matrix [K, K] of K rows."""
        return gram_matrix(rows)

    def last_layer(self, rows: Sequence[Parts]) -> Sequence[Parts]:
        """The part of the rows in the last shared layer's weight; all of them if rows are not of parameters."""
        return rows

    def rescaled(self, weights: Vector, gram: Matrix) -> Vector:
        """The rule's weights [K] on the scale of this level: here, as they are."""
        return weights

    def combined(self, rows: Sequence[Parts], weights: Vector) -> Iterable[Tensor]:
        """The weighted sum of K rows, tensor by tensor."""
        return (combine(parts, weights) for parts in rows)

    def state_dict(self) -> dict[str, Any]:
        """As every level's, and the memory of the rows."""
        return super().state_dict() | {"row_bytes": self.row_bytes}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back a state that :meth:`state_dict` gave."""
        super().load_state_dict(state)
        self.row_bytes = state["row_bytes"]


def weigh_gradients(parameters: Iterable[Parameter], weight: float) -> None:
    """Multiply the gradients of the parameters that have one by ``weight``."""
    for parameter in parameters:
        if parameter.grad is not None:
            parameter.grad.mul_(float(weight))
