"""Does the level matter? One rule a row, one level a column, all else fixed."""

from __future__ import annotations

import pandas as pd

from mtbalance.reporting import captions, grid
from mtbalance.reporting.comparison import compare
from mtbalance.reporting.layout import Cell, Table
from mtbalance.reporting.names import balancer_name

LEVELS = ("loss", "representation", "gradient", "update")


def tabulate(frame: pd.DataFrame, title: str, baseline: str, significance: float) -> tuple[Table, pd.DataFrame]:
    """The table to print, and its numbers."""
    cells = by_level(compare(frame, ["mean_auc"], baseline), frame)
    # Rows and columns of the grid are rules and levels.
    arranged = cells.assign(balancer=cells["rule"], metric=cells["level"])
    arranged["best"] = grid.best(arranged.assign(metric="mean_auc"), +1)

    def fill(row: pd.Series) -> Cell:
        return Cell(grid.text(row, grid.mark(row, significance, +1)), row["best"])

    table = Table(
        title=f"{title}: mean AUC by rule and level",
        label=f"{frame['experiment'].iloc[0]}-levels",
        caption=_caption(frame, cells, baseline, significance),
        beside="",
        groups=grid.groups(arranged, lambda row: row["metric"]),
        rows=grid.rows(arranged, "", fill),
    )
    return table, cells


def by_level(cells: pd.DataFrame, frame: pd.DataFrame) -> pd.DataFrame:
    """``cells`` with the level and rule of each balancer, levels in their order; manipulated updates are left out."""
    kinds = frame[["balancer", "level", "rule", "manipulation"]].drop_duplicates("balancer")
    plain = cells.merge(kinds[kinds["manipulation"] == "none"], on="balancer")
    keys = {"dataset": plain["dataset"].unique(), "backbone": plain["backbone"].unique(), "level": LEVELS}
    for column, order in keys.items():
        plain[column] = pd.Categorical(plain[column], order, ordered=True)
    ordered = plain.sort_values(list(keys), kind="stable").astype(dict.fromkeys(keys, str))
    return ordered.drop_duplicates(["dataset", "backbone", "rule", "level"])


def _caption(frame: pd.DataFrame, cells: pd.DataFrame, baseline: str, significance: float) -> tuple[str, ...]:
    return (
        *captions.synthetic(frame),
        "Mean test AUC over tasks. Along a row only the level changes: what the rule's K rows are. –: not defined;"
        " a rule that needs rows has none at the loss level.",
        "All else is what the balancers' lines of params.yaml say: whose gradient a task's own parameters get, and how"
        " long a step of combined updates is.",
        captions.seeds(frame),
        captions.selection(frame),
        *captions.marks(cells, baseline, significance, "higher"),
        *captions.power(cells),
        f"{balancer_name(baseline)} is `equal` at level loss. Bold: best mean of a data set.",
        captions.failures(frame, baseline),
    )
