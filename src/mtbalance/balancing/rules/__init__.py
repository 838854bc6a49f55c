"""Rule: turns K tasks into K weights. One rule per file.

A rule is pure mathematics in float64: on K losses, on a K x K Gram matrix, or (rarely) on the rows themselves. It knows
no model, no optimizer and no level. The level decides what the rows are: gradients, gradients of a representation, or
updates.

A rule's options are the keyword-only arguments of its constructor, each with its sentence in its type; a list has one
value per task.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from mtbalance.balancing.arrays import ROUNDING, Matrix, Vector

if TYPE_CHECKING:
    from torch import Tensor

    from mtbalance.balancing.processes import Processes

__all__ = ["ROUNDING", "GramRule", "LossRule", "Matrix", "RowRule", "Rule", "Vector", "has_positive_sum"]

SMALLEST_SUM = 1e-10
"""A sum of weights below this part of the sum of their absolute values is taken for zero."""


class Rule:
    """Turns K tasks into K weights.

    Weights are on the scale of a sum of losses: a rule that treats all tasks alike gives K ones, unless its paper
    says otherwise.
    """

    levels: ClassVar[tuple[str, ...]]
    """The levels at which the rule is defined."""
    heads: ClassVar[Literal["own", "weighted"]] = "weighted"
    """Default of the level's option ``heads``: the choice of the rule's authors."""
    draws: ClassVar[bool] = False
    """True for a rule that draws random numbers, from ``generator``."""
    symmetric: ClassVar[bool] = True
    """False for a rule in which a task's place has a meaning, as where the first task is the main one."""
    looks_again: ClassVar[bool] = False
    """True for a rule that wants the losses of the same batch after the step, in :meth:`observe`."""
    sees: Literal["all", "last_layer"] = "all"
    """Part of the rows that the Gram matrix is of: all of them, or their part in the last shared layer's weight. Rows
    at a representation are not of parameters and have no such part: there it is all."""

    def __init__(self, tasks: int) -> None:
        if tasks < 1:
            raise ValueError(f"a rule needs at least one task, not {tasks}")
        self.tasks = tasks
        self.diagnostics: dict[str, float] = {}
        """Numbers about the last search (residual, fallback, ...)."""
        self.seed(0)

    def seed(self, seed: int) -> None:
        """Restart the rule's random numbers."""
        self.generator = np.random.default_rng(seed)

    def observe(self, losses: Vector) -> None:
        """Take the losses [K] of the same batch after the step; called if ``looks_again``."""

    @classmethod
    def check_level(cls, level: str) -> None:
        """Raise ``ValueError`` if the rule is not defined at ``level``."""
        if level not in cls.levels:
            raise ValueError(f"rule {cls.__name__} is not defined at level {level}, only at {', '.join(cls.levels)}")

    def state_dict(self) -> dict[str, Any]:
        """All that a run needs to go on bit for bit: numbers, lists and dictionaries, and a RowRule's tensors."""
        return {"generator": self.generator.bit_generator.state} if self.draws else {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back a state that :meth:`state_dict` gave."""
        if self.draws:
            self.generator.bit_generator.state = state["generator"]


def has_positive_sum(weights: Vector) -> bool:
    """True if signed weights can be scaled to a given positive sum without a change of sign."""
    return bool(weights.sum() > SMALLEST_SUM * np.abs(weights).sum())


class LossRule(Rule, ABC):
    """A rule that sees the K losses only."""

    levels: ClassVar[tuple[str, ...]] = ("loss",)

    @abstractmethod
    def weights(self, losses: Vector) -> Vector:
        """Weights [K] for the losses [K] of this step."""

    def need_positive(self, losses: Vector) -> None:
        """Raise ``FloatingPointError``, which names the rule, for a loss that is not positive."""
        if (losses <= 0).any():
            name = type(self).__module__.rpartition(".")[2]
            raise FloatingPointError(f"{name} needs positive losses, not {losses.tolist()}")


class GramRule(Rule, ABC):
    """A rule that sees the K x K Gram matrix of the tasks' rows. At the loss level there are no rows."""

    levels: ClassVar[tuple[str, ...]] = ("representation", "gradient", "update")

    @abstractmethod
    def weights(self, gram: Matrix, losses: Vector) -> Vector:
        """Weights [K] for the Gram matrix [K, K] of this step; ``losses`` [K] are for rules that scale by them."""


class RowRule(Rule, ABC):
    """A rule that needs the rows themselves. Its joint row need not be a combination of them."""

    levels: ClassVar[tuple[str, ...]] = ("representation", "gradient", "update")
    processes: Processes | None = None
    """The processes that hold parts of the rows each, set by the level; None if this one holds all of them."""

    def total(self, tensor: Tensor) -> Tensor:
        """A sum over the rows' coordinates, added up over the processes that hold parts of the rows."""
        return tensor if self.processes is None else self.processes.sum(tensor)

    @abstractmethod
    def combine(self, rows: list[Tensor], losses: Vector) -> tuple[list[Tensor], Vector]:
        """The joint row, tensor by tensor [*shape], of K rows given as tensors [K, *shape]; and weights [K].

        The weights are reported, and multiply the gradients of the tasks' own parameters if heads are weighted.
        """
