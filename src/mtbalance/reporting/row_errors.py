"""Row errors: how far a difference to the baseline would move if the test rows were drawn again.

Seeds tell how much a difference depends on the training; their paired test takes the test rows as given. Here it is the
other way round. Both are needed before a difference is told from chance.

Each test row has an influence on a metric, and the standard error of a difference is the root of the sum of the squared
differences of influences. For AUC that is DeLong, DeLong and Clarke-Pearson (Biometrics 1988), but for factors of
n / (n - 1), and it also covers the mean AUC of several tasks on the same rows. For the normalized entropy, the entropy
of the labels is taken as known. Errors of regressions are means over rows, and R^2 is linearized (the delta method).
All of them take rows to be independent: of rows that follow each other in time the row errors are too small.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import special

from mtbalance.records import RunRecord
from mtbalance.records.evaluation import predicted_name
from mtbalance.records.run import TaskFacts
from mtbalance.records.table import read_table

ENDING = "_row_error"
"""The ending of the metric that has another metric's row error."""
Vector = NDArray[np.float64]
Metric = tuple[str, str]
"""A metric and its task."""
Influences = dict[Metric, Vector]
"""The influence of each test row on the metrics of a run, [rows] each."""
MEANS = {"auc": "mean_auc", "r2": "mean_r2"}
"""The metric that a kind of task has, and the name of its mean over tasks."""
Method = tuple[str, str, str]
"""Data set, backbone and balancer."""


def row_errors(
    runs: Sequence[tuple[Method, RunRecord]], files: Mapping[str, Path], baseline: str
) -> dict[Method, dict[Metric, float]]:
    """Standard errors over test rows of each method's difference to the baseline, both means over the common seeds.

    ``files`` are the predictions of the runs, by their digest. The baseline has no row errors.
    Raises :class:`~mtbalance.records.RecordError` for predictions that are missing or of other tasks.
    """
    methods: dict[Method, dict[int, RunRecord]] = defaultdict(dict)
    for method, record in runs:
        if record.status == "finished":
            methods[method][record.run.seed] = record
    found = {}
    for place in dict.fromkeys(method[:2] for method in methods):
        others = {method: own for method, own in methods.items() if method[:2] == place and method[2] != baseline}
        reference = methods.get((*place, baseline), {}) if others else {}
        theirs = {seed: influences_of(record, files) for seed, record in reference.items()}
        for method, records in others.items():
            seeds = sorted(records.keys() & theirs.keys())
            if seeds:
                pairs = ((influences_of(records[seed], files), theirs[seed]) for seed in seeds)
                found[method] = _errors(pairs, len(seeds))
    return found


def _errors(pairs: Iterable[tuple[Influences, Influences]], seeds: int) -> dict[Metric, float]:
    total: dict[Metric, Any] = defaultdict(float)
    for ours, theirs in pairs:
        for metric in ours:
            total[metric] = total[metric] + (ours[metric] - theirs[metric]) / seeds
    return {metric: float(np.sqrt(np.sum(values**2))) for metric, values in total.items()}


def influences_of(record: RunRecord, files: Mapping[str, Path]) -> Influences:
    """The influence of each test row on the metrics of a run, [rows] each."""
    columns = {task.name: predicted_name(task.name) for task in tasks_with_influences(record)}
    table = read_table(files[record.digest], record.digest, [*columns, *columns.values()])
    return influences_in(table, tasks_with_influences(record), columns)


def tasks_with_influences(record: RunRecord) -> list[TaskFacts]:
    """The tasks of a run whose metrics have influences."""
    return [task for task in record.tasks if task.metrics.keys() & MEANS.keys()]


def influences_in(table: pa.Table, tasks: Iterable[TaskFacts], columns: Mapping[str, str]) -> Influences:
    """The influences by a table's labels and predictions; ``columns`` are those of predictions, by the tasks' names."""
    found: Influences = {}
    for task in tasks:
        names = (task.name, columns[task.name])
        labels, predicted = (table[name].to_numpy().astype(np.float64) for name in names)
        known = np.isfinite(labels)
        influences = binary_influences if "auc" in task.metrics else regression_influences
        for metric, values in influences(predicted[known], labels[known]).items():
            found[metric, task.name] = np.zeros(len(labels))
            found[metric, task.name][known] = values
    for metric, mean in MEANS.items():
        if of_tasks := [values for (name, _), values in found.items() if name == metric]:
            found[mean, "mean"] = np.mean(of_tasks, axis=0)
    if any(metric == "r2" for metric, _ in found):
        found["mean_score", "mean"] = np.mean([found[key] for key in found if key[0] in MEANS], axis=0)
    return found


def binary_influences(predicted: Vector, labels: Vector) -> dict[str, Vector]:
    """Each row's influence on the AUC and the normalized entropy of predicted probabilities, [rows] each."""
    positive = labels > 0
    return {"auc": auc_influences(predicted, positive), "ne": entropy_influences(predicted, positive)}


def regression_influences(predicted: Vector, labels: Vector) -> dict[str, Vector]:
    """Each row's influence on RMSE, MAE and R^2, [rows] each."""
    errors = predicted - labels
    squared, absolute, spread = errors**2, np.abs(errors), (labels - labels.mean()) ** 2
    share = squared.mean() / spread.mean()
    of_squared = squared - squared.mean()
    influences = {
        "rmse": of_squared / max(2 * np.sqrt(squared.mean()), np.finfo(np.float64).tiny),
        "mae": absolute - absolute.mean(),
        "r2": (share * (spread - spread.mean()) - of_squared) / spread.mean(),
    }
    return {metric: values / len(labels) for metric, values in influences.items()}


def auc_influences(scores: Vector, positive: NDArray[np.bool_]) -> Vector:
    """Each row's influence on the AUC, [rows]: its share of pairs in the right order, minus the AUC, over its kind.

    One sort tells all: of test rows there are millions.
    """
    order = np.argsort(scores)
    ordered, kinds = scores[order], positive[order]
    first = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))  # of rows with equal scores
    sizes = np.diff(first, append=len(scores))
    ours = np.add.reduceat(kinds, first, dtype=np.int64)
    positives, negatives = int(ours.sum()), len(scores) - int(ours.sum())
    above, below = _ranked_below(sizes - ours) / negatives, 1 - _ranked_below(ours) / positives
    shares = np.empty(len(scores))
    shares[order] = np.where(kinds, np.repeat(above, sizes), np.repeat(below, sizes))
    auc = shares[positive].mean()
    influences: Vector = (shares - auc) / np.where(positive, positives, negatives)
    return influences


def _ranked_below(counts: NDArray[np.int64]) -> Vector:
    """Rows below each score, those with the same score by half; ``counts`` are the rows with each score."""
    found: Vector = np.cumsum(counts) - counts / 2
    return found


def entropy_influences(predicted: Vector, positive: NDArray[np.bool_]) -> Vector:
    """Each row's influence on the normalized entropy of predicted probabilities, [rows]."""
    losses = -np.log(np.clip(np.where(positive, predicted, 1 - predicted), np.finfo(np.float32).tiny, 1))
    rate = positive.mean()
    entropy = float(special.entr(rate) + special.entr(1 - rate))
    influences: Vector = (losses - losses.mean()) / (len(losses) * entropy)
    return influences
