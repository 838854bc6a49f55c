"""A metric averaged over tasks, as further rows of the collected table."""

from __future__ import annotations

import pandas as pd

from mtbalance.reporting.value import RUN


def with_mean_ne(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with the mean of the normalized entropy over tasks, as ``mean_ne`` (:func:`with_mean`)."""
    return with_mean(frame, "ne", "mean_ne")


def with_mean(frame: pd.DataFrame, metric: str, name: str) -> pd.DataFrame:
    """The frame with a row ``name`` for each run: the mean of a test metric over tasks; none for a failed run."""
    final = frame[(frame["metric"] == metric) & frame["epoch"].isna() & (frame["split"] == "test")]
    runs = final.drop_duplicates(RUN).set_index(RUN, drop=False)
    means = final.groupby(RUN, sort=False)["value"].agg(lambda values: values.mean(skipna=False))
    rows = runs.assign(value=means, metric=name, task="mean", task_title="Average").reset_index(drop=True)
    return pd.concat([frame, rows.astype(frame.dtypes)], ignore_index=True)
