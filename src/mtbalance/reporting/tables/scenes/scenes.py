"""Segmentation, depth and surface normals of every method.

It has the form of the PUB paper's Table VII, for the methods that were run, with printed values beside ours.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from mtbalance.reporting import captions, grid
from mtbalance.reporting.collect import CONSTANT
from mtbalance.reporting.comparison import compare
from mtbalance.reporting.derived import DELTAS, in_printed_units, with_delta_m
from mtbalance.reporting.formats import decimal
from mtbalance.reporting.layout import Cell, Row, Table
from mtbalance.reporting.names import METRICS
from mtbalance.reporting.printed import beside_table7
from mtbalance.reporting.throughput import SPEEDS, quartiles, ratio_text, throughput

CONSTANT_ROW = "constant prediction"


def tabulate(frame: pd.DataFrame, title: str, baseline: str, significance: float) -> tuple[Table, pd.DataFrame]:
    """The table to print, and its numbers in the units of print."""
    frame = in_printed_units(frame)
    metrics = list(dict.fromkeys(frame.loc[frame["better"] != 0, "metric"]))
    tested = beside_table7(compare(with_delta_m(frame), [*metrics, *DELTAS], baseline))
    cells = pd.concat([tested, throughput(frame, baseline)], ignore_index=True)
    cells["best"] = _best(cells)
    blocks = quartiles(frame)

    def fill(row: pd.Series) -> Cell:
        if row["metric"] in SPEEDS:
            return Cell(ratio_text(row, blocks))
        digits = METRICS[row["metric"]].digits
        text = grid.text(row, grid.mark(row, significance, row["better"]), digits)
        return Cell(text, row["best"], grid.printed(row, digits))

    table = Table(
        title=f"{title}: segmentation, depth and surface normals",
        caption=_caption(frame, tested, baseline, significance),
        beside="printed (ours − printed)",
        groups=grid.groups(cells, _heading),
        rows=grid.rows(cells, baseline, fill) + _constant(frame, cells),
    )
    return table, cells.drop(columns=["best", "ratio", "ratio_std"])


def _best(cells: pd.DataFrame) -> pd.Series:
    best = pd.Series(False, index=cells.index)
    for (metric, better), column in cells[~cells["metric"].isin(SPEEDS)].groupby(["metric", "better"]):
        best.loc[column.index] = grid.best(column, better, METRICS[metric].digits)
    return best


def _heading(row: pd.Series) -> str:
    if row["metric"] in SPEEDS:
        return SPEEDS[row["metric"]]
    return f"{METRICS[row['metric']].title} {'↑' if row['better'] > 0 else '↓'}"


def _constant(frame: pd.DataFrame, cells: pd.DataFrame) -> tuple[Row, ...]:
    """The row of the constant predictions, which ignore the image."""
    known = frame[frame["metric"].str.startswith(CONSTANT)].drop_duplicates(["dataset", "task", "metric"])
    values: dict[Any, Cell] = {
        (row.dataset, metric, row.task): Cell(decimal(row.value, METRICS[metric].digits))
        for row in known.itertuples()
        if (metric := row.metric.removeprefix(CONSTANT)) in METRICS
    }
    columns = grid.columns_of(cells).values()
    return (Row(CONSTANT_ROW, "", tuple(tuple(values.get(key, Cell()) for key in keys) for keys in columns)),)


def _caption(frame: pd.DataFrame, cells: pd.DataFrame, baseline: str, significance: float) -> tuple[str, ...]:
    sentences = [
        *captions.of_runs(frame),
        *captions.tests(cells, baseline, significance, "better"),
        "Bold: best mean of a column.",
        "Metrics are over all valid pixels of the split, not means of batches (those are in the run records).",
        "Δm: mean change against this experiment's own STL in percent, negative is better; over the nine metrics, and"
        " as PUB defines it, first within a task and then over tasks.",
        f"{CONSTANT_ROW.capitalize()}: the commonest class, the mean depth and the mean normal of the training pixels.",
    ]
    if cells["published"].notna().any():
        sentences.append(
            "Printed: Table VII of the PUB paper (arXiv 2410.05806), uncorrected: its Δm values (except FAMO's) are one"
            " third of what its own definition gives, computed against its printed STL row. In brackets: ours minus"
            " printed."
        )
    return (*sentences, captions.throughput(frame, baseline), captions.failures(frame, baseline))
