"""Throughput relative to the baseline, as columns of a table."""

from __future__ import annotations

from collections.abc import Hashable

import pandas as pd

from mtbalance.reporting.comparison import compare
from mtbalance.reporting.formats import decimal
from mtbalance.reporting.layout import Cell
from mtbalance.reporting.value import METHOD, QPS

SPEEDS = {QPS: "relative QPS", f"{QPS}_with_data": "relative QPS with data"}
ENDS = ("low", "high")
Quartiles = dict[tuple[Hashable, ...], float]


def throughput(frame: pd.DataFrame, baseline: str) -> pd.DataFrame:
    """The cells of :data:`SPEEDS`; an empty table if nothing was timed.

    They are compared with the baseline but not tested, so they get no marks and do not count as tests.
    """
    if not frame["metric"].isin(SPEEDS).any():
        return pd.DataFrame()
    speeds = compare(frame, list(SPEEDS), baseline)
    return speeds.assign(p=float("nan"), p_holm=float("nan"), untested="throughput is not tested")


def quartiles(frame: pd.DataFrame) -> Quartiles:
    """The quartiles of :data:`SPEEDS` over blocks, by data set, backbone, balancer and metric."""
    found = frame[frame["metric"].isin([f"{metric}_{end}" for metric in SPEEDS for end in ENDS])]
    return dict(zip(found[[*METHOD, "metric"]].itertuples(index=False, name=None), found["value"], strict=True))


def ratio_text(row: pd.Series, quartiles: Quartiles) -> str:
    """The median and the quartiles over blocks."""
    if pd.isna(row["mean"]):
        return Cell().text
    low, high = (quartiles[(*row[METHOD], f"{row['metric']}_{end}")] for end in ENDS)
    return f"{decimal(row['mean'], 2)} [{decimal(low, 2)}, {decimal(high, 2)}]"
