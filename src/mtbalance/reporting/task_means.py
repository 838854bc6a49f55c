"""A metric averaged over tasks, as further rows of the collected table."""

from __future__ import annotations

import pandas as pd

from mtbalance.reporting.value import RUN


def with_mean(frame: pd.DataFrame, metric: str) -> pd.DataFrame:
    """The frame with a row ``mean_<metric>`` for each run: the mean of a test metric over tasks, or none."""
    final = frame[(frame["metric"] == metric) & frame["epoch"].isna() & (frame["split"] == "test")]
    runs = final.drop_duplicates(RUN).set_index(RUN, drop=False)
    means = final.groupby(RUN, sort=False)["value"].agg(lambda values: values.mean(skipna=False))
    rows = runs.assign(value=means, metric=f"mean_{metric}", task="mean", task_title="Average").reset_index(drop=True)
    return pd.concat([frame, rows.astype(frame.dtypes)], ignore_index=True)
