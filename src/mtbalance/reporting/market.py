"""Simulated A/B tests: the rows of a market that its table and its figure show, and the names of what is tested."""

from __future__ import annotations

import pandas as pd

from mtbalance.reporting.names import backbone_name, backbone_rank, balancer_name

TEST = ["dataset", "backbone", "balancer", "kind", "seed"]
"""The columns that name an A/B test."""


def part(frame: pd.DataFrame, name: str, **chosen: object) -> pd.DataFrame:
    """The rows of one part with the ``chosen`` values, backbones in the order of tables."""
    rows = frame[frame["part"] == name]
    for column, value in chosen.items():
        rows = rows[rows[column] == value]
    return rows.sort_values("backbone", key=lambda names: names.map(backbone_rank), kind="stable")


def whole(frame: pd.DataFrame, **chosen: object) -> pd.DataFrame:
    """Lifts over all days."""
    return part(frame, "lift", span="to date", day=frame["day"].where(frame["part"] == "lift").max(), **chosen)


def name_of_test(row: pd.Series, baseline: str) -> str:
    """The name of what is compared with the baseline."""
    return {
        "method": balancer_name(row["balancer"]),
        "retrained": f"{balancer_name(baseline)}, another seed",
        "truth": "the true probabilities",
    }[row["kind"]]


def method(row: pd.Series, baseline: str) -> str:
    """The name with its backbone, as tables print it."""
    return f"{backbone_name(row['backbone'])}+{name_of_test(row, baseline)}"


def alarm(days: pd.DataFrame) -> int | None:
    """The first day on which the sequential test finds a lift, from the lifts up to each day; None if it never does."""
    outside = days[(days["sequential_low"] > 0) | (days["sequential_high"] < 0)]
    return int(outside["day"].min()) if len(outside) else None


def false_alarms(frame: pd.DataFrame) -> pd.DataFrame:
    """The rate of false alarms of A/A trials by test and day: ``rate``, over all backbones and data sets."""
    counts = part(frame, "a/a").groupby(["test", "day"], sort=False)[["alarms", "trials"]].sum()
    return counts.assign(rate=counts["alarms"] / counts["trials"]).reset_index()
