"""History: the finished epochs of a run, and the best model among them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
from torch import Tensor

from mtbalance.models.backbone import Backbone
from mtbalance.records.run import EpochRecord, Evaluation


def now() -> str:
    """The time as ISO 8601 in UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


@dataclass
class History:
    """Everything that the training loop remembers from one epoch to the next, besides model, level and generators."""

    started: str = field(default_factory=now)
    """When the run began; a resumed run keeps the time of its first beginning."""
    epochs: list[EpochRecord] = field(default_factory=list)
    best_epoch: int = 0
    """The epoch that counts: the one of the best score, or the last one if no epoch is chosen."""
    best_score: float = -np.inf
    best_model: dict[str, Tensor] = field(default_factory=dict)
    """Parameters and buffers after the best epoch; empty if no epoch is chosen."""

    def finished(self, epochs: int, patience: int) -> bool:
        """True after ``epochs`` epochs, and after ``patience`` epochs in a row without a better one (0: never)."""
        done = len(self.epochs)
        return done >= epochs or bool(patience and done - self.best_epoch >= patience)

    def add(self, epoch: EpochRecord, model: Backbone, score: float | None) -> None:
        """Add an epoch, and keep a copy of the model if its score is the best so far.

        Without a score no epoch is chosen: the last one counts.
        """
        self.epochs.append(epoch)
        if score is None:
            self.best_epoch = len(self.epochs)
        elif score > self.best_score:
            self.best_epoch, self.best_score = len(self.epochs), score
            self.best_model = {name: value.detach().clone() for name, value in model.state_dict().items()}

    def last_evaluations(self, count: int) -> Evaluation:
        """The mean over the last ``count`` epochs of every number of their evaluations."""
        mean: Evaluation = _mean([epoch.evaluation for epoch in self.epochs[-count:]])
        return mean

    def state_dict(self) -> dict[str, Any]:
        """The history in plain containers, for a checkpoint."""
        return vars(self) | {"epochs": [epoch.model_dump() for epoch in self.epochs]}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> History:
        """The history that :meth:`state_dict` gave."""
        return cls(**state | {"epochs": [EpochRecord.model_validate(epoch) for epoch in state["epochs"]]})


def _mean(trees: list[Any]) -> Any:
    """The mean of nested mappings that have the same keys, number by number."""
    if isinstance(trees[0], Mapping):
        return {key: _mean([tree[key] for tree in trees]) for key in trees[0]}
    return float(np.mean(trees))
