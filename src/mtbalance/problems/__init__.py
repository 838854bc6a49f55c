"""Problems: what is learnt from what. One kind a module: its data, its tasks, its models.

Everything else, from the training loop to the balancers, is the same for all of them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Protocol

from numpy.random import Generator
from torch import Tensor

from mtbalance.backbones import Backbone
from mtbalance.config import RunConfig
from mtbalance.data.batch import Batch
from mtbalance.data.manifest import Manifest
from mtbalance.registry import load
from mtbalance.tasks import Task

Evaluation = dict[str, Any]
"""{metric: {task: value}} over all rows of a split, and numbers for all tasks together: {"mean_auc": value}."""


class Rows(Protocol):
    """One split of a prepared data set."""

    name: str
    rows: int

    def batches(self, batch_size: int, generator: Generator | None) -> Iterator[Batch]:
        """All rows once, in file order, or in an order drawn from ``generator``."""


class Problem(ABC):
    """The data, the tasks and the model of one run."""

    score: ClassVar[str | None] = None
    """The number of an :data:`Evaluation` that chooses the best epoch; None where no single one does."""
    pictured: ClassVar[bool] = False
    """Whether rows and predictions can be looked at (:meth:`illustrate`)."""
    schema: Manifest
    tasks: Sequence[Task]
    evaluation_batch: int
    """Rows a batch of an evaluation."""

    def __init__(self, config: RunConfig, data: Path) -> None:
        self.config, self.data = config, data
        self._splits: dict[str, Rows] = {}

    def split(self, name: str) -> Rows:
        """The rows of one split, opened once; those of ``train`` as they are trained on."""
        if name not in self._splits:
            self._splits[name] = self._open(name)
        return self._splits[name]

    @abstractmethod
    def _open(self, name: str) -> Rows: ...

    @abstractmethod
    def model(self) -> Backbone:
        """A fresh model, its parameters drawn from torch's generator."""

    def summarise(self, metrics: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
        """Numbers for all tasks together."""
        return {}

    def facts(self) -> dict[str, Any]:
        """What a record tells of the data: whether they are synthetic, checksums and counts by split."""
        splits = self.schema.splits
        return {
            "synthetic": self.schema.synthetic,
            "sha256": {name: part.sha256 for name, part in splits.items()},
            "rows": {name: part.rows for name, part in splits.items()},
        }

    def illustrate(self, batch: Batch, outputs: Sequence[Tensor], path: Path) -> None:
        """Draw what a model gives for a batch; of problems that are ``pictured``."""
        raise NotImplementedError(f"{type(self).__name__} has no picture")


def build_problem(config: RunConfig, data: Path) -> Problem:
    """The problem of a run, with the prepared data set in the folder ``data``."""
    return load("mtbalance.problems", config.model.problem)(config, data)
