"""Mean AUC by rule and level: does the level matter?

A row is a rule and a column a level, with all else fixed.
"""

from __future__ import annotations

import pandas as pd

from mtbalance.reporting import captions, grid
from mtbalance.reporting.comparison import compare
from mtbalance.reporting.layout import Cell, Table
from mtbalance.reporting.names import balancer_name
from mtbalance.reporting.statistics import holm

LEVELS = ("loss", "representation", "gradient", "update")


def tabulate(frame: pd.DataFrame, title: str, baseline: str, significance: float) -> tuple[Table, pd.DataFrame]:
    """The table to print, and its numbers."""
    cells = by_level(compare(frame, ["mean_auc"], baseline))
    cells["p_holm"] = holm(list(cells["p"]))  # of the cells that are shown
    # Rows and columns of the grid are rules and levels.
    arranged = cells.assign(balancer=cells["rule"], metric=cells["level"])
    arranged["best"] = grid.best(arranged.assign(metric="mean_auc"), +1)

    def fill(row: pd.Series) -> Cell:
        return Cell(grid.text(row, grid.mark(row, significance, +1)), row["best"])

    table = Table(
        title=f"{title}: mean AUC by rule and level",
        caption=_caption(frame, cells, baseline, significance),
        beside="",
        groups=grid.groups(arranged, lambda row: row["metric"]),
        rows=grid.rows(arranged, "", fill),
    )
    return table, cells


def rules(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of rules to be compared: without manipulated updates, and without fixed preferences, which are many."""
    return rows[(rows["manipulation"] == "none") & (rows["rule"] != "fixed")]


def by_level(cells: pd.DataFrame) -> pd.DataFrame:
    """The cells with levels in their order, of :func:`rules`."""
    plain = rules(cells).copy()
    keys = {"dataset": plain["dataset"].unique(), "backbone": plain["backbone"].unique(), "level": LEVELS}
    for column, order in keys.items():
        plain[column] = pd.Categorical(plain[column], order, ordered=True)
    ordered = plain.sort_values(list(keys), kind="stable").astype(dict.fromkeys(keys, str))
    return ordered.drop_duplicates(["dataset", "backbone", "rule", "level"])


def _caption(frame: pd.DataFrame, cells: pd.DataFrame, baseline: str, significance: float) -> tuple[str, ...]:
    return (
        "Mean test AUC over tasks. Within a table row only the level changes, i.e. which task vectors the rule"
        " combines. –: not defined; the loss level has no task vectors for a rule that needs them.",
        "All other options are as params.yaml sets them for each balancer, such as which gradient a task's own"
        " parameters get and how long a step of combined updates is.",
        *captions.of_runs(frame),
        *captions.marks(cells, baseline, significance, "higher"),
        *captions.power(cells, significance),
        f"{balancer_name(baseline)} is `equal` at level loss. Bold: best mean of a data set.",
        captions.failures(frame, baseline),
    )
