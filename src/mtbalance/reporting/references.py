"""References: rows of tables for models that share nothing and balance nothing, on the same data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd

from mtbalance.records import RecordError, read_references
from mtbalance.records.run import RunRecord
from mtbalance.reporting import grid
from mtbalance.reporting.formats import decimal
from mtbalance.reporting.identity import identity_of
from mtbalance.reporting.layout import Cell, Row
from mtbalance.reporting.row_errors import ENDING
from mtbalance.reporting.value import Value

PREFIX = "reference_"
"""Prefix of the metrics of references, before the model's name."""
MODELS = {
    "constant": "constant (training rate)",
    "logistic": "logistic regression",
    "boosting": "gradient boosting",
    "mean": "constant (training mean)",
    "ridge": "ridge regression",
    "trees": "gradient boosting",
}
"""Their printed names."""
TRAINED = ("boosting", "trees", "logistic", "ridge")
"""Those that are fitted to features."""
KINDS = {
    "constant": ("constant", "mean"),
    "logistic regression": ("logistic",),
    "ridge regression": ("ridge",),
    "gradient boosting": ("boosting", "trees"),
}
"""Their kinds, with the models of binary tasks and of regressions. The first one has the mean over all tasks."""
AVERAGED = ("auc", "r2")
"""Metrics whose mean over tasks has a column. Both together are the score of tasks with a regression among them."""
CAPTION = (
    "Last rows: logistic regression and gradient boosting (scikit-learn), one model a task on the same rows, tuned on"
    " valid; and the training rate for every row."
)
OF_REGRESSIONS = (
    "Last rows: ridge regression and gradient boosting (scikit-learn), one model a task on the same rows, tuned on"
    " valid; and the training mean for every row, with the loss log1p that of the logarithms."
)


def of_references(path: Path, records: Sequence[RunRecord]) -> Iterator[dict[str, Any]]:
    """The numbers of a reference record, as rows of the first run on its data set: the data's, as ``best_auc`` is.

    Raises :class:`~mtbalance.records.RecordError` if the runs were trained on other data.
    """
    found = read_references(path)
    record = next((record for record in records if record.run.dataset == found.dataset), None)
    if record is None or record.data.sha256 != found.sha256:
        raise RecordError(f"{path} is of other data than the runs on {found.dataset}")
    identity = identity_of(record) | {"task_title": "", "better": 0}
    for name, model in found.models.items():
        for metric, values in model.test.items():
            for task, value in values.items():
                yield identity | Value(None, "test", task, f"{PREFIX}{name}_{metric}", value)._asdict()
            if metric in AVERAGED:
                mean = sum(values.values()) / len(values)
                yield identity | Value(None, "test", "mean", f"{PREFIX}{name}_mean_{metric}", mean)._asdict()
    tasks = {task.name for task in record.tasks if task.metrics.keys() & set(AVERAGED)}
    for names in KINDS.values() if any("r2" in task.metrics for task in record.tasks) else ():
        fitted = [name for name in names if name in found.models]
        tests = [found.models[name].test for name in fitted]
        scores = {task: value for test in tests for metric in AVERAGED for task, value in test.get(metric, {}).items()}
        if scores.keys() == tasks:
            mean = sum(scores.values()) / len(scores)
            yield identity | Value(None, "test", "mean", f"{PREFIX}{fitted[0]}_mean_score", mean)._asdict()


def by_model(frame: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Each reference that was collected, with its rows, whose metrics have their own names."""
    for name in MODELS:
        prefix = f"{PREFIX}{name}_"
        own = frame[frame["metric"].str.startswith(prefix) & ~frame["metric"].str.endswith(ENDING)]
        if len(own):
            yield name, own.assign(metric=own["metric"].str.removeprefix(prefix))


def by_kind(frame: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Each kind that was collected of one data set, the model that has its mean over all tasks, and its rows."""
    models = dict(by_model(frame))
    for kind, names in KINDS.items():
        if fitted := [name for name in names if name in models]:
            yield kind, fitted[0], pd.concat([models[name] for name in fitted])


def rows(
    frame: pd.DataFrame,
    columns: Mapping[str, Sequence[grid.Column]],
    digits: Mapping[grid.Column, int] = MappingProxyType({}),
) -> tuple[Row, ...]:
    """A row of a table for each reference that was collected; ``digits`` are the decimals of its columns, if not 4."""
    wanted = {key for keys in columns.values() for key in keys}
    made = []
    for name, own in by_model(frame):
        values: dict[grid.Column, str] = {
            key: decimal(row.value, digits.get(key, 4))
            for row in own.itertuples()
            if (key := (row.dataset, row.metric, row.task)) in wanted
        }
        if values:
            cells = [[Cell(values.get(key, Cell().text)) for key in keys] for keys in columns.values()]
            made.append(Row(MODELS[name], "", tuple(map(tuple, cells))))
    return tuple(made)


def caption(frame: pd.DataFrame, sentence: str = CAPTION) -> list[str]:
    """The ``sentence`` that says what these rows are; nothing if there are none."""
    return [sentence] if frame["metric"].str.startswith(PREFIX).any() else []
