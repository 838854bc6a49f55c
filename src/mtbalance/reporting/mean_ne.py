"""Normalized entropy averaged over tasks, as further rows of the collected table."""

from __future__ import annotations

import pandas as pd

RUN = ["dataset", "backbone", "balancer", "seed"]


def with_mean_ne(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with a row ``mean_ne`` for each run: the mean of its test ``ne`` over tasks; none for a failed run."""
    final = frame[(frame["metric"] == "ne") & frame["epoch"].isna() & (frame["split"] == "test")]
    runs = final.drop_duplicates(RUN).set_index(RUN, drop=False)
    means = final.groupby(RUN, sort=False)["value"].agg(lambda values: values.mean(skipna=False))
    rows = runs.assign(value=means, metric="mean_ne", task="mean", task_title="Average").reset_index(drop=True)
    return pd.concat([frame, rows.astype(frame.dtypes)], ignore_index=True)
