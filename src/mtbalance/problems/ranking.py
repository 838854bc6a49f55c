"""Ranking: binary labels from the categorical and numerical columns of a table."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mtbalance.backbones import Backbone, build_backbone
from mtbalance.config import RunConfig
from mtbalance.data.ranking.batches import Split
from mtbalance.data.ranking.schema import Schema
from mtbalance.problems import Problem
from mtbalance.tasks.binary import Binary


class Ranking(Problem):
    """Rows of ids and numbers; the best epoch is that of the highest mean AUC."""

    score = "mean_auc"
    evaluation_batch = 8192

    def __init__(self, config: RunConfig, data: Path) -> None:
        super().__init__(config, data)
        self.schema = Schema.load(data)
        self.tasks = [Binary(task.name, task.title) for task in self.schema.tasks]

    def _open(self, name: str) -> Split:
        return Split(self.data, name)

    def model(self) -> Backbone:
        """The run's backbone for the columns and tasks of its data."""
        options = self.config.backbone.options.model_dump()
        sizes = self.schema.table_sizes, len(self.schema.numerical), len(self.tasks)
        return build_backbone(options.pop("kind"), *sizes, self.config.model, **options)

    def summarise(self, metrics: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
        """The mean AUC over tasks."""
        return {"mean_auc": float(np.mean(list(metrics["auc"].values())))}

    def facts(self) -> dict[str, Any]:
        """As of every problem, with label rates by split, and the best AUC where it is known."""
        rates = {name: part.rates for name, part in self.schema.splits.items()}
        return super().facts() | {"rates": rates, "best_auc": self.schema.best_auc}
