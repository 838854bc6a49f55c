"""Throughput relative to the baseline, as columns of a table."""

from __future__ import annotations

import pandas as pd

from mtbalance.reporting.comparison import compare
from mtbalance.reporting.formats import decimal
from mtbalance.reporting.layout import Cell
from mtbalance.reporting.value import METHOD

SPEEDS = {"relative_throughput": "relative QPS", "relative_throughput_with_data": "relative QPS with data"}


def throughput(frame: pd.DataFrame, baseline: str) -> pd.DataFrame:
    """The cells of :data:`SPEEDS`; an empty table if nothing was timed.

    They are compared with the baseline but not tested, so they get no marks and do not count as tests.
    """
    if not frame["metric"].isin(SPEEDS).any():
        return pd.DataFrame()
    speeds = compare(frame, list(SPEEDS), baseline)
    return speeds.assign(p=float("nan"), p_holm=float("nan"), untested="throughput is not tested")


def ratio_text(row: pd.Series, frame: pd.DataFrame) -> str:
    """The median and the quartiles over blocks."""
    if pd.isna(row["mean"]):
        return Cell().text
    timed = frame[(frame[METHOD] == row[METHOD]).all(axis=1)].set_index("metric")["value"]
    low, high = timed[f"{row['metric']}_low"], timed[f"{row['metric']}_high"]
    return f"{decimal(row['mean'], 2)} [{decimal(low, 2)}, {decimal(high, 2)}]"
