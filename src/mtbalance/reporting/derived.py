"""Derived: rows of the collected table that are computed from its others, and its numbers in other units."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from mtbalance.reporting.collect import CONSTANT
from mtbalance.reporting.delta_m import delta_m, delta_m_by_task
from mtbalance.reporting.names import METRICS, is_single_task
from mtbalance.reporting.value import METHOD, RUN, trained

DELTAS = {"delta_m": delta_m, "delta_m_by_task": delta_m_by_task}
Nested = dict[str, dict[str, Any]]


def with_mean(frame: pd.DataFrame, metric: str) -> pd.DataFrame:
    """The frame with a row ``mean_<metric>`` for each run: the mean of a test metric over tasks, or none."""
    final = frame[(frame["metric"] == metric) & frame["epoch"].isna() & (frame["split"] == "test")]
    runs = final.drop_duplicates(RUN).set_index(RUN, drop=False)
    means = final.groupby(RUN, sort=False)["value"].agg(lambda values: values.mean(skipna=False))
    rows = runs.assign(value=means, metric=f"mean_{metric}", task="mean", task_title="Average").reset_index(drop=True)
    return pd.concat([frame, rows.astype(frame.dtypes)], ignore_index=True)


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


def until_best(frame: pd.DataFrame, metric: str) -> pd.DataFrame:
    """A row for each run that has ``metric`` in its epochs, with the mean up to its best epoch and no epoch.

    ``frame`` is a collected table (:mod:`mtbalance.reporting.collect`), and ``metric`` a number of training that
    belongs to no task, such as a diagnostic of the searches.
    """
    best = trained(frame).set_index(RUN)["value"].rename("best")
    epochs = frame[(frame["metric"] == metric) & (frame["task"] == "") & frame["epoch"].notna()].join(best, on=RUN)
    counted = epochs[epochs["epoch"] <= epochs["best"]].drop(columns="best")
    means = counted.groupby(RUN, sort=False)["value"].mean()
    rows = counted.drop_duplicates(RUN).set_index(RUN).assign(value=means, epoch=pd.NA).reset_index()
    return rows[frame.columns].astype(frame.dtypes)


def moving_shares(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame's weights by epoch, with ``share``: a weight over the sum of the run's weights in that epoch.

    Balancers whose shares are constant are left out: these are no result.
    """
    weights = frame[frame["metric"] == "weight"]
    shares = weights.assign(share=weights["value"] / weights.groupby([*RUN, "epoch"])["value"].transform("sum"))
    spread = shares.groupby([*METHOD, "task"])["share"].transform(lambda share: share.max() - share.min())
    moving = spread.groupby([shares[name] for name in METHOD]).transform("max") > 1e-9
    return shares[moving]


def in_printed_units(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with metrics as papers print them: shares in percent."""
    names = frame["metric"].str.removeprefix(CONSTANT)
    return frame.assign(value=frame["value"] * [METRICS[name].factor if name in METRICS else 1.0 for name in names])
