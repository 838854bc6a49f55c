"""differences: test metrics of a record against those that scikit-learn finds in the kept predictions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray
from sklearn import metrics

from mtbalance.records import RunRecord
from mtbalance.records.evaluation import predicted_name

Vector = NDArray[np.float64]
TOLERANCE = 1e-4
"""Largest difference, relative to the metric or to 1: probabilities are kept in float32."""


def _entropy(labels: Vector) -> float:
    return float(metrics.log_loss(labels, np.full(len(labels), labels.mean())))


METRICS: dict[str, Callable[[Vector, Vector], Any]] = {
    "auc": metrics.roc_auc_score,
    "log_loss": metrics.log_loss,
    "ne": lambda labels, predicted: metrics.log_loss(labels, predicted) / _entropy(labels),
    "rmse": metrics.root_mean_squared_error,
    "mae": metrics.mean_absolute_error,
    "r2": metrics.r2_score,
}
"""From labels [rows] and predictions [rows]. Tasks with other metrics, as those of scenes, keep no predictions."""


def differences(record: RunRecord, path: Path) -> Iterator[str]:
    """What of the record's test metrics is not in the predictions, a sentence each.

    The predictions are those of one model: means over the last epochs are not in them, and are not compared.
    """
    if record.test is None or record.selection == "last":
        return
    table = pq.read_table(path)
    for task in record.tasks:
        names = (task.name, predicted_name(task.name))
        if not {*names} <= set(table.column_names):
            continue
        labels, predicted = (table[name].to_numpy().astype(float) for name in names)
        known = np.isfinite(labels)
        for metric, value in _metrics(record, task.name):
            found = float(METRICS[metric](labels[known], predicted[known]))
            if not abs(found - value) <= TOLERANCE * max(1.0, abs(value)):
                yield f"{metric} of {task.name} is {found:.6g} in them, but {value:.6g} in the record"


def _metrics(record: RunRecord, task: str) -> Iterator[tuple[str, float]]:
    """The test metrics of a task that can be found again."""
    for metric, values in (record.test or {}).items():
        if metric in METRICS and isinstance(values, dict) and task in values:
            yield metric, values[task]
