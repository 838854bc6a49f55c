"""Problem: the data, the tasks and the model of one run. There is one folder per kind of problem.

``__init__.py`` of a folder declares what the kind has (:class:`~mtbalance.config.kinds.ProblemKind`). ``problem.py``
has its :class:`Problem`: how a run of that kind loads its data, makes its model and judges it. Everything else, from
the training loop to the balancers, is the same for all kinds.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import numpy as np

from mtbalance.config.kinds import PROBLEMS, ProblemKind, kind
from mtbalance.config.run import RunConfig
from mtbalance.errors import UserError
from mtbalance.records.evaluation import predicted_name
from mtbalance.registry import entry

if TYPE_CHECKING:  # declarations are read without torch
    import torch
    from numpy.random import Generator
    from numpy.typing import NDArray
    from torch import Tensor

    from mtbalance.data.batch import Batch
    from mtbalance.data.manifest import Manifest
    from mtbalance.models.backbone import Backbone
    from mtbalance.tasks import Task

Schema = TypeVar("Schema", bound="Manifest")


class Rows(Protocol):
    """The rows of one split of a prepared data set."""

    @property
    def name(self) -> str:
        """The split's name."""

    @property
    def rows(self) -> int:
        """Number of rows."""

    def batches(self, batch_size: int, generator: Generator | None) -> Iterator[Batch]:
        """All rows once, in file order, or in an order drawn from ``generator``."""


class Problem(ABC, Generic[Schema]):
    """The data, the tasks and the model of one run."""

    schema: Schema
    """The manifest of the prepared data set."""
    tasks: Sequence[Task]
    evaluation_batch: int
    """Rows in a batch of an evaluation."""

    def __init__(self, config: RunConfig, data: Path) -> None:
        self.config, self.data = config, data
        self._splits: dict[str, Rows] = {}

    @property
    def kind(self) -> type[ProblemKind]:
        """The declaration of its kind."""
        return kind(self.config.model.problem)

    @property
    def score(self) -> str | None:
        """The number of an evaluation that chooses the best epoch; None if no single one does."""
        return self.kind.score_of({metric for task in self.tasks for metric in task.metrics})

    def split(self, name: str) -> Rows:
        """The rows of one split, opened once. Those of ``train`` come as they are trained on, augmented for example."""
        if name not in self._splits:
            self._splits[name] = self._open(name)
        return self._splits[name]

    def reside(self, device: torch.device) -> None:
        """Keep rows on the device from now on, if this kind of problem does that; here: nothing."""

    @abstractmethod
    def _open(self, name: str) -> Rows: ...

    @abstractmethod
    def model(self) -> Backbone:
        """A fresh model, its parameters drawn from torch's generator."""

    def backbone(self, shape: Any) -> Backbone:
        """The run's backbone, fresh, for data of that shape: the first argument of its constructor."""
        from mtbalance.models.backbone import Backbone

        chosen = self.config.backbone.options
        build: Callable[..., Backbone] = entry(chosen.package, chosen.kind, Backbone)
        return build(shape, self.config.model, **chosen.arguments())

    def summarize(self, metrics: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
        """Numbers for all tasks together, from {metric: {task: value}}."""
        return {}

    def facts(self) -> dict[str, Any]:
        """Facts about the data for the record: whether they are synthetic, checksums and numbers of rows by split."""
        splits = self.schema.splits
        return {
            "synthetic": self.schema.synthetic,
            "sha256": {name: part.sha256 for name, part in splits.items()},
            "rows": {name: part.rows for name, part in splits.items()},
        }

    def predictions(self, batch: Batch, outputs: Sequence[Tensor]) -> dict[str, NDArray[Any]]:
        """The columns that a run keeps of every test row, in the order of the batch.

        A task with one number per row gives its targets [B] as ``<task>`` and its outputs [B] as ``predicted_<task>``.
        Dense outputs would fill a disk: a task of images gives its metrics on each of them, as ``<task>_<metric>`` (NaN
        where a metric is undefined).
        """
        columns: dict[str, NDArray[Any]] = {}
        for task, output, target in zip(self.tasks, outputs, batch.targets, strict=True):
            if output.ndim == 1:
                columns |= {task.name: target.cpu().numpy(), predicted_name(task.name): output.cpu().numpy()}
            else:
                columns |= _metrics_by_row(task, output, target)
        return columns

    @abstractmethod
    def sample(self, batch: Batch, outputs: Sequence[Tensor]) -> dict[str, NDArray[Any]]:
        """A batch and a model's predictions for it, as named arrays to be kept with the run."""


def _metrics_by_row(task: Task, output: Tensor, target: Tensor) -> dict[str, NDArray[np.float64]]:
    """The task's metrics on each row of a batch."""
    found = np.full((len(target), len(task.metrics)), np.nan)
    for row, pair in enumerate(zip(output, target, strict=True)):
        meter = task.meter()
        meter.add(*(part.unsqueeze(0) for part in pair))
        with suppress(UserError):  # not one pixel of this image has a target
            result = meter.result()
            found[row] = [result[metric] for metric in task.metrics]
    return {f"{task.name}_{metric}": values for metric, values in zip(task.metrics, found.T, strict=True)}


def open_problem(config: RunConfig, data: Path) -> Problem[Any]:
    """The problem of a run, with the prepared data set in the folder ``data``."""
    return entry(f"{PROBLEMS}.{config.model.problem}", "problem", Problem)(config, data)
