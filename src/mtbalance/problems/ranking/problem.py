"""A ranking run: its rows, its tasks, its model."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mtbalance.config.run import RunConfig
from mtbalance.data.batch import Batch
from mtbalance.data.ranking.batches import RankingRows
from mtbalance.data.ranking.decode import normalized
from mtbalance.data.ranking.schema import RankingSchema, RankingTask, SplitFacts
from mtbalance.errors import UserError, quoted
from mtbalance.models.backbone import Backbone
from mtbalance.models.ranking._layers import start_at
from mtbalance.models.ranking._options import RankingShape, RankingSizes
from mtbalance.problems import Problem
from mtbalance.records.evaluation import predicted_name
from mtbalance.tasks._rows import RowTask, labels_of
from mtbalance.tasks.binary import Binary
from mtbalance.tasks.regression import Regression


class RankingProblem(Problem[RankingSchema]):
    """Rows of ids and numbers, with one binary label or one number per task."""

    evaluation_batch = 8192
    tasks: Sequence[RowTask]

    def __init__(self, config: RunConfig, data: Path) -> None:
        super().__init__(config, data)
        self.schema = RankingSchema.read(data)
        self.tasks = [self._task(task) for task in self.schema.tasks]
        for split, facts in self.schema.splits.items():
            if split in ("test", config.training.selection):
                self._refuse_alike(split, facts)

    def _refuse_alike(self, split: str, facts: SplitFacts) -> None:
        """Raise :class:`UserError` if a binary task has one label only in a split that is to be evaluated."""
        for task, positives in facts.positives.items():
            if positives in (0, facts.labelled(task)):
                every = f"task {quoted(task)}: every label of split {split!r} is {int(positives > 0)}"
                raise UserError(f"{self.data}: {every}, so AUC is not defined; prepare the data with another `split`")

    def _task(self, task: RankingTask) -> RowTask:
        train = self.schema.splits["train"]
        gaps = train.labelled(task.name) < train.rows
        if task.loss is None:
            return Binary(task.name, task.title, gaps=gaps)
        return Regression(task.name, task.title, gaps=gaps, huber=task.loss == "huber", in_units=task.in_units)

    def _open(self, name: str) -> RankingRows:
        return RankingRows(self.data, name)

    def reside(self, device: torch.device) -> None:
        """Keep each split's rows on a CUDA device, if they have room there."""
        if device.type == "cuda":
            for name in self.schema.splits:
                rows = self.split(name)
                if isinstance(rows, RankingRows):
                    rows.reside(device)

    def model(self) -> Backbone:
        """The run's backbone for the columns and tasks of its data."""
        schema = self.schema
        knots = [normalized(np.array(column.knots), column, schema.normalize).tolist() for column in schema.numbers]
        model = self.backbone(RankingShape(schema.table_sizes, len(schema.numbers), len(self.tasks), knots))
        if isinstance(self.config.model, RankingSizes) and self.config.model.head_bias == "rate":
            start_at(model, [self._start(task.name) for task in self.tasks])
        return model

    def _start(self, task: str) -> float:
        """The output that is best for all rows alike: the log-odds of the training rate, or a regression's mean."""
        rate = self.schema.splits["train"].rates.get(task)
        return 0.0 if rate is None else math.log(rate / (1 - rate))

    def summarize(self, metrics: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
        """The mean AUC over binary tasks; and with regressions, the mean over tasks of AUC and R^2."""
        found = {}
        if "auc" in metrics:
            found["mean_auc"] = float(np.mean(list(metrics["auc"].values())))
        if "r2" in metrics:
            scores = {**metrics.get("auc", {}), **metrics["r2"]}
            found["mean_score"] = float(np.mean([scores[task.name] for task in self.tasks]))
        return found

    def facts(self) -> dict[str, Any]:
        """The facts of every problem, labels and label rates by split, and the best AUC if it is known."""
        splits = self.schema.splits
        labels = {name: {task.name: part.labelled(task.name) for task in self.tasks} for name, part in splits.items()}
        rates, best = {name: part.rates for name, part in splits.items()}, self.schema.best_auc
        return super().facts() | {"labels": labels, "rates": rates, "best_auc": best, "leaks": self.schema.leaks}

    def answers(self, outputs: Sequence[Tensor]) -> list[Tensor]:
        """What each task's outputs [B] stand for (float32): probabilities [B], or numbers in the units of the label."""
        return [
            output.sigmoid() if isinstance(task, Binary) else torch.from_numpy(task.predicted(output)).float()
            for task, output in zip(self.tasks, outputs, strict=True)
        ]

    def predictions(self, batch: Batch, outputs: Sequence[Tensor]) -> dict[str, NDArray[Any]]:
        """Labels [B] as ``<task>``, and their predictions [B] as ``predicted_<task>``.

        Binary: labels (int8; float32 with NaN where some are missing) and probabilities (float32). A regression: both
        float64 in the units of the label, a missing label NaN.
        """
        columns: dict[str, NDArray[Any]] = {}
        for task, output, target in zip(self.tasks, outputs, batch.targets, strict=True):
            columns |= {task.name: task.labels(target), predicted_name(task.name): task.predicted(output)}
        return columns

    def sample(self, batch: Batch, outputs: Sequence[Tensor]) -> dict[str, NDArray[Any]]:
        """Under ``<task>`` the labels [B], under ``predicted_<task>`` the outputs [B], both as the loss takes them."""
        names = [task.name for task in self.tasks]
        labels = dict(zip(names, map(labels_of, batch.targets), strict=True))
        found = {predicted_name(name): output for name, output in zip(names, outputs, strict=True)}
        return {name: values.cpu().numpy() for name, values in (labels | found).items()}
