"""Delta-m of every run against the single-task models of its experiment, as rows of the collected table."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from mtbalance.reporting.delta_m import delta_m
from mtbalance.reporting.names import backbone_name

DELTAS = ("delta_m", "delta_m_by_task")
"""Mean over all metrics (MTAN, NashMTL, FAMO); mean within each task, then over tasks (PUB)."""
RUN = ["dataset", "backbone", "balancer", "seed"]


def with_delta_m(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame and, where STL was run on a data set, two more rows a finished run: :data:`DELTAS`, in percent.

    The reference is STL's mean over its finished seeds.
    """
    final = frame[frame["epoch"].isna() & (frame["better"] != 0) & (frame["split"] == "test")]
    rows = [row for _, part in final.groupby("dataset", sort=False) for row in _of_dataset(part)]
    return pd.concat([frame, pd.DataFrame(rows, columns=frame.columns).astype(frame.dtypes)], ignore_index=True)


def _of_dataset(final: pd.DataFrame) -> Iterator[pd.Series]:
    finished = final[final["status"] == "finished"]
    single = finished[finished["backbone"].map(backbone_name) == "STL"]
    if single.empty:
        return
    reference = single.groupby(["task", "metric"])["value"].mean()
    better = final.groupby(["task", "metric"])["better"].first()
    for _, run in final.groupby(RUN, sort=False):
        values = run.set_index(["task", "metric"])["value"]
        for name, value in zip(DELTAS, delta_m(values, reference, better), strict=True):
            blank = run.iloc[0].copy()
            blank[["task", "task_title", "metric", "better", "value"]] = ["mean", "All tasks", name, -1, value]
            yield blank
