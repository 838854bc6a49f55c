"""Normalized entropy and throughput, relative to the baseline.

The MultiBalance paper reports these.
"""

from __future__ import annotations

import pandas as pd

from mtbalance.reporting import captions, grid, references
from mtbalance.reporting.comparison import compare
from mtbalance.reporting.layout import Cell, Table
from mtbalance.reporting.names import balancer_name
from mtbalance.reporting.throughput import SPEEDS, quartiles, ratio_text, throughput


def tabulate(frame: pd.DataFrame, title: str, baseline: str, significance: float) -> tuple[Table, pd.DataFrame]:
    """The table to print, and its numbers."""
    entropies = compare(frame, ["ne"], baseline)
    cells = pd.concat([entropies, throughput(frame, baseline)], ignore_index=True)
    cells["best"] = grid.best(cells, -1) & (cells["metric"] == "ne")
    cells["change_percent"] = 100 * (cells["ratio"] - 1)
    blocks = quartiles(frame)

    def fill(row: pd.Series) -> Cell:
        if row["metric"] in SPEEDS:
            return Cell(ratio_text(row, blocks))
        return Cell(grid.text(row, grid.mark(row, significance, -1)), row["best"], grid.change(row, baseline))

    table = Table(
        title=f"{title}: normalized entropy and throughput",
        caption=_caption(frame, entropies, baseline, significance),
        beside=f"change against {balancer_name(baseline)}",
        groups=grid.groups(cells, lambda row: SPEEDS.get(row["metric"], f"NE {row['task_title']}")),
        rows=grid.rows(cells, baseline, fill) + references.rows(frame, grid.columns_of(cells)),
    )
    return table, cells.drop(columns="best")


def _caption(frame: pd.DataFrame, cells: pd.DataFrame, baseline: str, significance: float) -> tuple[str, ...]:
    name = balancer_name(baseline)
    return (
        "NE, normalized entropy: log loss divided by the entropy of the label rate of the evaluated split"
        " (He et al. 2014); lower is better, 1 is the constant prediction.",
        f"Change: NE relative to {name} on the same backbone, mean of the per-seed changes in percent;"
        " negative is better.",
        *captions.of_runs(frame),
        *captions.tests(cells, baseline, significance, "lower"),
        "Bold: best mean of a balancer in a column.",
        *references.caption(frame),
        captions.throughput(frame, baseline),
        captions.failures(frame, baseline),
    )
