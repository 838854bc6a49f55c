"""The common part of the levels that balance K rows: gradients of the representation or of parameters, or updates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import count
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mtbalance.balancing.arrays import Matrix, Vector
from mtbalance.balancing.levels import Level
from mtbalance.balancing.levels._passes import LOOKS_EVERY
from mtbalance.balancing.options import RowOptions
from mtbalance.balancing.processes import ALONE, Processes
from mtbalance.balancing.rows import Parts, combine, describe, measure, size_of, squared_norms, stacked
from mtbalance.balancing.rules import GramRule, RowRule


class RowLevel(Level):
    """A level with one row for each task; its rule sees their Gram matrix, or the rows themselves.

    Of K - 1 rows that are zero and one that is not, a rule makes what it makes of them: a task without a labelled row
    in a batch is such a zero row.
    """

    rule: GramRule | RowRule
    options: RowOptions

    def __init__(
        self, optimizer: torch.optim.Optimizer, rule: GramRule | RowRule, options: RowOptions, **others: Any
    ) -> None:
        super().__init__(optimizer, rule, options, **others)
        self.heads = options.heads or rule.heads
        self._looks = count()

    def _looks_closely(self) -> bool:
        """True at the first backward pass, and at every hundredth after it: the losses' graphs are then walked."""
        return next(self._looks) % LOOKS_EVERY == 0

    def balance(
        self,
        rows: Sequence[Parts],
        values: Vector,
        *,
        scale: Tensor | None = None,
        apart: Processes = ALONE,
    ) -> tuple[Iterable[Tensor], Vector, dict[str, float]]:
        """The joint row of K rows, tensor by tensor; the weights [K]; and the diagnostics of the search.

        ``values`` are the losses [K]. ``scale`` is the factor of a gradient scaler in the rows: the rule sees rows
        without it, the joint row has it. ``apart`` are the processes that hold parts of the rows each. Raises
        ``FloatingPointError`` for rows that are not finite, unless they are scaled: then the joint row is their sum,
        for the scaler to find.
        """
        self.row_bytes = self.row_bytes or sum(map(size_of, rows))
        values = self._shown(values)
        rule = self.rule
        if isinstance(rule, RowRule) and self.tasks > 1:
            return self._joint_of_rows(rule, rows, values, scale, apart)
        (gram, seen), finite = self.measure(rows, scale, apart)
        if not finite:
            return self.combined(rows, np.ones(self.tasks)), np.ones(self.tasks), {}
        solved = np.ones(1)  # a single task has nothing to be balanced against
        if isinstance(rule, GramRule) and self.tasks > 1:
            solved = self._smoothed(rule.weights(seen, values))
        weights = self.rescaled(solved, gram)
        return self.combined(rows, weights), weights, describe(gram, weights) | rule.diagnostics

    def _joint_of_rows(
        self, rule: RowRule, rows: Sequence[Parts], values: Vector, scale: Tensor | None, apart: Processes
    ) -> tuple[Iterable[Tensor], Vector, dict[str, float]]:
        """As :meth:`balance`, for a rule that combines the rows itself."""
        given = [stacked(parts) if scale is None else stacked(parts) / scale for parts in rows]
        if any(part.is_complex() for part in given):
            raise ValueError(f"rule {type(rule).__name__} combines rows number by number: no complex parameters")
        rule.processes = apart if apart.size > 1 else None
        try:
            joint, weights = rule.combine(given, values)
            (gram,), squares = measure([given], [squared_norms(joint, apart)], apart)
        except Exception:
            (gram,), _ = measure([given], (), apart)
            if np.isfinite(gram).all():
                raise  # it is not because of rows that are not finite
        if not self._finite(gram, scale):
            return self.combined(rows, np.ones(self.tasks)), np.ones(self.tasks), {}
        told = describe(gram, weights) | {"joint_norm": float(sum(squares.tolist())) ** 0.5} | rule.diagnostics
        return joint if scale is None else [part * scale for part in joint], weights, told

    def measure(
        self, rows: Sequence[Parts], scale: Tensor | None, apart: Processes
    ) -> tuple[tuple[Matrix, Matrix], bool]:
        """The Gram matrix [K, K] of K rows and that of what the rule sees, without ``scale``; and if all is finite."""
        groups, others = self.groups(rows)
        grams, numbers = measure(groups, [*others, *([] if scale is None else [scale])], apart)
        finite = self._finite(grams[0], scale)
        if scale is not None:
            grams = [gram / numbers[-1] ** 2 for gram in grams]
        self.read_along(numbers[: len(others)])
        return (grams[0], grams[-1]), finite

    def _finite(self, gram: Matrix, scale: Tensor | None) -> bool:
        finite = bool(np.isfinite(gram).all())
        if not finite and scale is None:
            raise FloatingPointError(f"the tasks' rows are not finite at step {self.steps + 1}")
        return finite

    def groups(self, rows: Sequence[Parts]) -> tuple[list[Sequence[Parts]], list[Tensor]]:
        """The rows, and after them the part that the rule sees if that is another; and numbers to read along."""
        return [rows], []

    def read_along(self, numbers: Vector) -> None:
        """Take the numbers that :meth:`groups` wanted to be read along."""

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
