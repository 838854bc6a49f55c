"""Numbers of a run's epochs as one number of the run: the mean from the first epoch to the best one."""

from __future__ import annotations

import pandas as pd

from mtbalance.reporting.value import RUN, trained


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
