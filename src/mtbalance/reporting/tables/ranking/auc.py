"""AUC of every method, printed values beside ours.

It has the form of the PUB paper's Table III, for the methods and data sets that were run.
"""

from __future__ import annotations

import pandas as pd

from mtbalance.reporting import captions, grid, references
from mtbalance.reporting.comparison import compare
from mtbalance.reporting.formats import decimal
from mtbalance.reporting.layout import Cell, Row, Table
from mtbalance.reporting.printed import beside_printed, pub_table3

REACHABLE = "best reachable (true probabilities)"


def tabulate(frame: pd.DataFrame, title: str, baseline: str, significance: float) -> tuple[Table, pd.DataFrame]:
    """The table to print, and its numbers."""
    cells = beside_printed(compare(frame, ["auc", "mean_auc"], baseline), pub_table3())
    cells["best"] = grid.best(cells, +1)
    columns = grid.columns_of(cells)

    def fill(row: pd.Series) -> Cell:
        return Cell(grid.text(row, grid.mark(row, significance, +1)), row["best"], grid.printed(row))

    table = Table(
        title=f"{title}: AUC",
        caption=_caption(frame, cells, baseline, significance),
        beside="printed (ours − printed)",
        groups=grid.groups(cells, lambda row: row["task_title"]),
        rows=grid.rows(cells, baseline, fill) + references.rows(frame, columns) + _reachable(frame, columns),
    )
    return table, cells.drop(columns=["best", "ratio", "ratio_std"])


def _reachable(frame: pd.DataFrame, columns: dict[str, list[grid.Column]]) -> tuple[Row, ...]:
    known = frame[frame["metric"] == "best_auc"].drop_duplicates(["dataset", "task"])
    values = {(row.dataset, row.task): decimal(row.value, 4) for row in known.itertuples()}
    if not values:
        return ()
    cells = [[Cell(values.get((key[0], key[2]), Cell().text)) for key in keys] for keys in columns.values()]
    return (Row(REACHABLE, "", tuple(map(tuple, cells))),)


def _caption(frame: pd.DataFrame, cells: pd.DataFrame, baseline: str, significance: float) -> tuple[str, ...]:
    sentences = [*captions.leaks(frame), *captions.words(frame), *captions.of_runs(frame)]
    sentences += captions.tests(cells, baseline, significance, "higher")
    sentences += ["Bold: best mean of a balancer in a column.", *references.caption(frame)]
    if (frame["metric"] == "best_auc").any():
        sentences.append(f"{REACHABLE.capitalize()}: AUC of the generator's own probabilities on the test rows.")
    if cells["published"].notna().any():
        sentences.append(
            "Printed: Table III of the PUB paper (arXiv 2410.05806), as printed with its misprints and its"
            " own mark ‡; 5 seeds, no spread given, nor on which rows epochs are chosen and scored. In brackets:"
            " ours minus printed."
        )
    return (*sentences, captions.failures(frame, baseline))
