"""A ranking run: its rows, its tasks, its model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from mtbalance.config.run import RunConfig
from mtbalance.data.batch import Batch
from mtbalance.data.ranking.batches import RankingRows
from mtbalance.data.ranking.decode import normalized
from mtbalance.data.ranking.schema import RankingSchema
from mtbalance.models.backbone import Backbone
from mtbalance.models.ranking._options import RankingShape
from mtbalance.problems import Problem
from mtbalance.tasks.binary import Binary


class RankingProblem(Problem[RankingSchema]):
    """Rows of ids and numbers, with one binary label per task."""

    evaluation_batch = 8192

    def __init__(self, config: RunConfig, data: Path) -> None:
        super().__init__(config, data)
        self.schema = RankingSchema.read(data)
        self.tasks = [Binary(task.name, task.title) for task in self.schema.tasks]

    def _open(self, name: str) -> RankingRows:
        return RankingRows(self.data, name)

    def model(self) -> Backbone:
        """The run's backbone for the columns and tasks of its data."""
        schema = self.schema
        knots = [normalized(np.array(column.knots), column, schema.normalize).tolist() for column in schema.numbers]
        return self.backbone(RankingShape(schema.table_sizes, len(schema.numbers), len(self.tasks), knots))

    def summarize(self, metrics: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
        """The mean AUC over tasks."""
        return {"mean_auc": float(np.mean(list(metrics["auc"].values())))}

    def facts(self) -> dict[str, Any]:
        """The facts of every problem, label rates by split, and the best AUC if it is known."""
        rates = {name: part.rates for name, part in self.schema.splits.items()}
        return super().facts() | {"rates": rates, "best_auc": self.schema.best_auc}

    def predictions(self, batch: Batch, outputs: Sequence[Tensor]) -> dict[str, NDArray[Any]]:
        """Labels [B] (int8) as ``<task>``, and their predicted probabilities [B] (float32) as ``predicted_<task>``."""
        columns = super().predictions(batch, [output.sigmoid() for output in outputs])
        return columns | {task.name: columns[task.name].astype(np.int8) for task in self.tasks}

    def sample(self, batch: Batch, outputs: Sequence[Tensor]) -> dict[str, NDArray[Any]]:
        """Under ``<task>`` the labels [B], under ``predicted_<task>`` the logits [B]."""
        names = [task.name for task in self.tasks]
        labels = dict(zip(names, batch.targets, strict=True))
        logits = {f"predicted_{name}": output for name, output in zip(names, outputs, strict=True)}
        return {name: values.cpu().numpy() for name, values in (labels | logits).items()}
