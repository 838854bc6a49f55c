"""RMSE, MAE and R^2 of the tasks that are regressions, with their differences to the baseline."""

from __future__ import annotations

import pandas as pd

from mtbalance.reporting import captions, grid, references
from mtbalance.reporting.comparison import compare
from mtbalance.reporting.derived import with_mean
from mtbalance.reporting.formats import error_digits
from mtbalance.reporting.layout import Cell, Table
from mtbalance.reporting.names import METRICS, balancer_name

COLUMN = ["dataset", "metric", "task"]
SHOWN = ["rmse", "mae", "r2", "mean_r2"]


def tabulate(frame: pd.DataFrame, title: str, baseline: str, significance: float) -> tuple[Table, pd.DataFrame]:
    """The table to print, and its numbers."""
    several = frame.loc[frame["metric"] == "r2", "task"].nunique() > 1
    cells = compare(with_mean(frame, "r2") if several else frame, SHOWN, baseline)
    tasks = list(dict.fromkeys(cells["task"]))
    cells = cells.sort_values("task", key=lambda names: names.map(tasks.index), kind="stable", ignore_index=True)
    cells["digits"] = cells["metric"].map(lambda metric: METRICS[metric].digits)
    for _, column in cells[cells["better"] < 0].groupby(COLUMN):
        cells.loc[column.index, "digits"] = error_digits(column["mean"].max())
    best = [
        grid.best(column, int(column["better"].iloc[0]), int(column["digits"].iloc[0]))
        for _, column in cells.groupby(COLUMN)
    ]
    cells["best"] = pd.concat(best)

    columns = grid.columns_of(cells)
    digits = {tuple(column[COLUMN]): int(column["digits"]) for _, column in cells.drop_duplicates(COLUMN).iterrows()}

    def fill(row: pd.Series) -> Cell:
        text = grid.text(row, grid.mark(row, significance, row["better"]), row["digits"])
        return Cell(text, row["best"], grid.change(row, baseline))

    table = Table(
        title=f"{title}: regressions",
        caption=_caption(frame, cells, baseline, significance),
        beside=f"change against {balancer_name(baseline)}",
        groups=grid.groups(cells, _heading),
        rows=grid.rows(cells, baseline, fill) + references.rows(frame, columns, digits),
    )
    return table, cells.drop(columns=["best", "digits"])


def _heading(row: pd.Series) -> str:
    return f"{METRICS[row['metric']].title} {row['task_title']} {'↑' if row['better'] > 0 else '↓'}"


def _caption(frame: pd.DataFrame, cells: pd.DataFrame, baseline: str, significance: float) -> tuple[str, ...]:
    name = balancer_name(baseline)
    return (
        "RMSE and MAE: root mean squared and mean absolute error, in the units of the label. R²: 1 minus the squared"
        " error over that of the mean label of the evaluated split; 1 is best, and a constant prediction reaches 0 at"
        " most. Rows without a label do not count.",
        f"Change: against {name} on the same backbone, mean over seeds of the change in percent; of R² the difference.",
        *captions.of_runs(frame),
        *captions.tests(cells, baseline, significance, "better"),
        "Bold: best mean of a column.",
        *references.caption(frame, references.OF_REGRESSIONS),
        captions.failures(frame, baseline),
    )
