"""History: the finished epochs of a run, and the best of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
from torch import Tensor, nn

from mtbalance.records.evaluation import Evaluation
from mtbalance.records.run import EpochRecord


def timestamp() -> str:
    """The time as ISO 8601 in UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


@dataclass
class Best:
    """The best epoch of a model so far."""

    epoch: int = 0
    score: float = -np.inf
    state: dict[str, Tensor] = field(default_factory=dict)
    """Parameters and buffers after that epoch."""


@dataclass
class History:
    """Everything that the training loop remembers from one epoch to the next, besides model, level and generators."""

    started: str = field(default_factory=timestamp)
    """When the run began; a resumed run keeps the time of its first beginning."""
    epochs: list[EpochRecord] = field(default_factory=list)
    best: dict[str, Best] = field(default_factory=dict)
    """The best epochs by the names of the models: one without a name, or one for each task if nothing is shared. Empty
    if no epoch is chosen."""

    @property
    def best_epoch(self) -> int:
        """The epoch that counts: the best one, of several models the last of theirs; the last one if none is chosen."""
        return max((best.epoch for best in self.best.values()), default=len(self.epochs))

    def finished(self, epochs: int, patience: int) -> bool:
        """True after ``epochs`` epochs, and when every model has had ``patience`` in a row without a better one."""
        if len(self.epochs) >= epochs:
            return True
        return bool(self.best) and all(self._ended(best, patience) for best in self.best.values())

    def add(
        self, epoch: EpochRecord, models: Mapping[str, nn.Module], scores: Mapping[str, float], patience: int
    ) -> None:
        """Add an epoch, and keep a copy of each model whose score is its best so far.

        A model that has had ``patience`` epochs without a better one (0: never) has ended, whatever the others do, as
        if it was trained alone. Without scores no epoch is chosen: the last one counts.
        """
        going_on = {name for name in scores if not self._ended(self.best.setdefault(name, Best()), patience)}
        self.epochs.append(epoch)
        for name in going_on:
            if scores[name] > self.best[name].score:
                state = {key: value.detach().clone() for key, value in models[name].state_dict().items()}
                self.best[name] = Best(len(self.epochs), scores[name], state)

    def restore(self, models: Mapping[str, nn.Module]) -> None:
        """Give each model the parameters and buffers of its best epoch; nothing if no epoch is chosen."""
        for name, best in self.best.items():
            if best.epoch:
                models[name].load_state_dict(best.state)

    def _ended(self, best: Best, patience: int) -> bool:
        return bool(patience and len(self.epochs) - best.epoch >= patience)

    def last_evaluations(self, count: int) -> Evaluation:
        """The mean over the last ``count`` epochs of every number of their evaluations."""
        mean: Evaluation = _mean([epoch.evaluation for epoch in self.epochs[-count:]])
        return mean

    def state_dict(self) -> dict[str, Any]:
        """The history in plain containers, for a checkpoint."""
        best = {name: vars(best) for name, best in self.best.items()}
        return vars(self) | {"epochs": [epoch.model_dump() for epoch in self.epochs], "best": best}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> History:
        """The history that :meth:`state_dict` gave."""
        epochs = [EpochRecord.model_validate(epoch) for epoch in state["epochs"]]
        return cls(**state | {"epochs": epochs, "best": {name: Best(**best) for name, best in state["best"].items()}})


def _mean(trees: list[Any]) -> Any:
    """The mean of nested mappings that have the same keys, number by number."""
    if isinstance(trees[0], Mapping):
        return {key: _mean([tree[key] for tree in trees]) for key in trees[0]}
    return float(np.mean(trees))
