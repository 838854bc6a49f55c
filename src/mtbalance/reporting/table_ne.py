"""Normalised entropy and throughput relative to the baseline: what the MultiBalance paper reports."""

from __future__ import annotations

import pandas as pd

from mtbalance.reporting import captions, grid
from mtbalance.reporting.comparison import compare
from mtbalance.reporting.formats import decimal, signed
from mtbalance.reporting.layout import Cell, Table
from mtbalance.reporting.names import balancer_name

SPEEDS = {"relative_throughput": "relative QPS", "relative_throughput_with_data": "relative QPS with data"}


def ne_table(frame: pd.DataFrame, title: str, baseline: str, significance: float) -> tuple[Table, pd.DataFrame]:
    """The table to print, and its numbers."""
    entropies = compare(frame, ["ne"], baseline)
    # Throughput is compared, not tested: it must neither earn marks nor count among the tests.
    cells = pd.concat([entropies, _throughput(frame, baseline)], ignore_index=True)
    cells["best"] = grid.best(cells, -1) & (cells["metric"] == "ne")
    cells["change_percent"] = 100 * (cells["ratio"] - 1)

    def fill(row: pd.Series) -> Cell:
        if row["metric"] in SPEEDS:
            return Cell(_ratio(row, frame))
        return Cell(grid.text(row, grid.mark(row, significance, -1)), row["best"], _change(row, baseline))

    table = Table(
        title=f"{title}: normalised entropy and throughput",
        label=f"{frame['experiment'].iloc[0]}-ne",
        caption=_caption(frame, entropies, baseline, significance),
        beside=f"change against {balancer_name(baseline)}",
        groups=grid.groups(cells, lambda row: SPEEDS.get(row["metric"], f"NE {row['task_title']}")),
        rows=grid.rows(cells, baseline, fill),
    )
    return table, cells.drop(columns="best")


def _ratio(row: pd.Series, frame: pd.DataFrame) -> str:
    """The median and the quartiles over blocks."""
    if pd.isna(row["mean"]):
        return Cell().text
    keys = ["dataset", "backbone", "balancer"]
    timed = frame[(frame[keys] == row[keys]).all(axis=1)].set_index("metric")["value"]
    low, high = timed[f"{row['metric']}_low"], timed[f"{row['metric']}_high"]
    return f"{decimal(row['mean'], 2)} [{decimal(low, 2)}, {decimal(high, 2)}]"


def _change(row: pd.Series, baseline: str) -> str:
    compared = row["balancer"] != baseline and row["pairs"]
    return f"{signed(row['change_percent'], 2)} %" if compared else ""


def _throughput(frame: pd.DataFrame, baseline: str) -> pd.DataFrame:
    speeds = compare(frame, list(SPEEDS), baseline)
    return speeds.assign(p=float("nan"), p_holm=float("nan"), untested="throughput is not tested")


def _caption(frame: pd.DataFrame, cells: pd.DataFrame, baseline: str, significance: float) -> tuple[str, ...]:
    name = balancer_name(baseline)
    return (
        *captions.synthetic(frame),
        "NE, normalised entropy: log loss divided by the entropy of the label rate of the evaluated split"
        " (He et al. 2014); lower is better, 1 is the constant prediction.",
        f"Change: NE relative to {name} on the same backbone, mean of the per-seed changes in percent;"
        " negative is better.",
        captions.seeds(frame),
        captions.selection(frame),
        captions.marks(cells, baseline, significance, "lower"),
        *captions.power(cells),
        *captions.untested(cells),
        "Bold: best mean of a column.",
        f"Relative QPS: training samples per second over those of {name} on the same backbone, without and with"
        " the loading of data; median [quartiles] over blocks of steps that all methods took in turn, in one"
        f" process with no other job beside it. {captions.devices(frame)}",
        captions.failures(frame, baseline),
    )
