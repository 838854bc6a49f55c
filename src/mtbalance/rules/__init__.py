"""Rules: how K tasks become K weights.

A rule is pure mathematics in float64 on K losses, on a K x K Gram matrix, or (rarely) on the rows themselves. It knows
no model, no optimiser and no level: what the rows are (gradients, representation gradients, updates) is the level's
business. One rule a file, and the file's name is the rule's name in ``params.yaml``; its class is that name in
CamelCase.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]
ROUNDING = float(np.finfo(np.float32).eps)
"""Relative error of the products of rows that are in float32: smaller eigenvalues than K times this are rounding."""
SMALLEST_SUM = 1e-10
"""A sum of weights below this part of their absolute sum is taken for zero."""


class Rule:
    """Turns K tasks into K weights. Options are the constructor's keyword arguments; a list has one value a task.

    Weights are on the scale of a sum of losses: a rule that treats all tasks alike gives K ones, unless its paper
    says otherwise.
    """

    levels: ClassVar[tuple[str, ...]]
    """The levels at which the rule is defined."""
    heads: ClassVar[Literal["own", "weighted"]] = "weighted"
    """What a task's own parameters get where the configuration does not say: the authors' choice."""
    draws: ClassVar[bool] = False
    """Whether the rule draws random numbers, from ``generator``."""
    looks_again: ClassVar[bool] = False
    """Whether the rule wants the losses of the same batch after the step, in :meth:`observe`."""
    sees: Literal["all", "last_layer"] = "all"
    """The part of the rows that a Gram matrix is of: all, or the part in the last shared layer's weight (where rows are
    not parameters', as at a representation, they have no parts)."""

    def __init__(self, tasks: int) -> None:
        if tasks < 1:
            raise ValueError(f"a rule needs at least one task, not {tasks}")
        self.tasks = tasks
        self.diagnostics: dict[str, float] = {}
        """What the last search tells about itself (residual, fallback, ...): numbers only."""
        self.seed(0)

    def seed(self, seed: int) -> None:
        """Start the rule's random numbers anew."""
        self.generator = np.random.default_rng(seed)

    def observe(self, losses: Vector) -> None:
        """Take the losses [K] of the same batch after the step; called where ``looks_again``."""

    @classmethod
    def check_level(cls, level: str) -> None:
        """Raise ``ValueError`` where the rule is not defined at ``level``."""
        if level not in cls.levels:
            raise ValueError(f"rule {cls.__name__} is not defined at level {level}, only at {', '.join(cls.levels)}")

    def state_dict(self) -> dict[str, Any]:
        """What must be saved for a run to go on bit for bit: numbers, lists and dictionaries only."""
        return {"generator": self.generator.bit_generator.state} if self.draws else {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what :meth:`state_dict` gave."""
        if self.draws:
            self.generator.bit_generator.state = state["generator"]


def has_positive_sum(weights: Vector) -> bool:
    """Whether signed weights can be brought to a given sum without turning them round."""
    return bool(weights.sum() > SMALLEST_SUM * np.abs(weights).sum())


class LossRule(Rule, ABC):
    """A rule that sees the K loss values only."""

    levels = ("loss",)

    @abstractmethod
    def weights(self, losses: Vector) -> Vector:
        """Weights [K] for the losses [K] of this step."""


class GramRule(Rule, ABC):
    """A rule that sees the K x K Gram matrix of the tasks' rows; at the loss level there are no rows."""

    levels = ("representation", "gradient", "update")

    @abstractmethod
    def weights(self, gram: Matrix, losses: Vector) -> Vector:
        """Weights [K] for the Gram matrix [K, K] of this step; ``losses`` [K] for rules that scale by them."""


class RowRule(Rule, ABC):
    """A rule that needs the rows themselves; its joint row need not be a combination of them."""

    levels = ("representation", "gradient", "update")

    @abstractmethod
    def combine(self, rows: list[Tensor], losses: Vector) -> tuple[list[Tensor], Vector]:
        """The joint row, tensor by tensor [*shape], of K rows given as tensors [K, *shape], and weights [K].

        The weights are what a task's own parameters get where heads are weighted, and what is reported.
        """
