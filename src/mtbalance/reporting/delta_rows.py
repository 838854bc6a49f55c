"""Rows of the collected table with delta-m: every run against the single-task models of its experiment."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from mtbalance.reporting.delta_m import delta_m, delta_m_by_task
from mtbalance.reporting.names import is_single_task
from mtbalance.reporting.value import RUN

DELTAS = {"delta_m": delta_m, "delta_m_by_task": delta_m_by_task}
Nested = dict[str, dict[str, Any]]


def with_delta_m(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with a further row for each run and each of :data:`DELTAS`, in percent.

    Only data sets on which STL was run get them. The reference is STL's mean over its finished seeds. A failed run has
    no value, and no run has one if a metric of the reference is zero.
    """
    final = frame[frame["epoch"].isna() & (frame["better"] != 0) & (frame["split"] == "test")]
    rows = [row for _, part in final.groupby("dataset", sort=False) for row in _of_dataset(part)]
    return pd.concat([frame, pd.DataFrame(rows, columns=frame.columns).astype(frame.dtypes)], ignore_index=True)


def with_scores(frame: pd.DataFrame) -> pd.DataFrame:
    """The collected table of an experiment; that of scenes with delta-m, which is their score."""
    return with_delta_m(frame) if frame["problem"].iloc[0] == "scenes" else frame


def _of_dataset(final: pd.DataFrame) -> Iterator[dict[str, Any]]:
    single = final[(final["status"] == "finished") & final.apply(is_single_task, axis=1)]
    if single.empty:
        return
    reference, directions = _nested(single, "value"), _nested(single, "better")
    defined = all(value for metrics in reference.values() for value in metrics.values())
    for _, run in final.groupby(RUN, sort=False):
        finished = run["status"].iloc[0] == "finished"
        for name, delta in DELTAS.items():
            value = delta(_nested(run, "value"), reference, directions) if finished and defined else None
            yield run.iloc[0].to_dict() | {
                "task": "mean",
                "task_title": "All tasks",
                "metric": name,
                "better": -1,
                "value": value,
            }


def _nested(rows: pd.DataFrame, column: str) -> Nested:
    """{task: {metric: mean of the column}}."""
    tree: Nested = {}
    for (task, metric), values in rows.groupby(["task", "metric"], sort=False)[column]:
        tree.setdefault(task, {})[metric] = values.mean()
    return tree
