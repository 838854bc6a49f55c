"""Rules: how K tasks become K weights.

A rule is pure mathematics in float64 on K losses or on a K x K Gram matrix. It knows no model, no optimiser and no
level: what the rows of the Gram matrix are (gradients, representation gradients, updates) is the level's business.
One rule a file, and the file's name is the rule's name in ``params.yaml``; its class is that name in CamelCase.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]


class Rule:
    """Turns K tasks into K weights. Options are the constructor's keyword arguments.

    Weights are on the scale of a sum of losses: a rule that treats all tasks alike gives K ones, unless its paper
    says otherwise.
    """

    levels: ClassVar[tuple[str, ...]]
    """The levels at which the rule is defined."""
    heads: ClassVar[Literal["own", "weighted"]] = "weighted"
    """What a task's own parameters get where the configuration does not say: the authors' choice."""

    def __init__(self, tasks: int) -> None:
        if tasks < 1:
            raise ValueError(f"a rule needs at least one task, not {tasks}")
        self.tasks = tasks
        self.diagnostics: dict[str, float] = {}
        """What the last search tells about itself (residual, fallbacks, ...): numbers only."""

    @classmethod
    def check_level(cls, level: str) -> None:
        """Raise ``ValueError`` where the rule is not defined at ``level``."""
        if level not in cls.levels:
            raise ValueError(f"rule {cls.__name__} is not defined at level {level}, only at {', '.join(cls.levels)}")

    def state_dict(self) -> dict[str, Any]:
        """What must be saved for a run to go on bit for bit; empty for a rule without memory."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what :meth:`state_dict` gave."""
        assert not state, f"{type(self).__name__} has no memory to load {sorted(state)} into"


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
