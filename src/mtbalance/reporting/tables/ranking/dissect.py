"""PUB taken apart: AUC beside weights, cosines of the tasks' updates and lengths of steps, with controls.

Its caption says what comes from the search, from the step's length, and from separate updates.
"""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from mtbalance.reporting import captions, grid
from mtbalance.reporting.contrasts import contrast
from mtbalance.reporting.dissection import COSINE, DEVIATION, LENGTH, SPREAD, controls, numbers
from mtbalance.reporting.formats import counted, mean_and_spread
from mtbalance.reporting.layout import Cell, Table
from mtbalance.reporting.names import backbone_name, balancer_name, dataset_heading

DIGITS = {DEVIATION: 2, SPREAD: 2, COSINE: 3, LENGTH: 2}


def tabulate(frame: pd.DataFrame, title: str, baseline: str, significance: float) -> tuple[Table, pd.DataFrame]:
    """The table to print, and its numbers."""
    cells = numbers(frame, baseline)
    rows = frame[frame["epoch"].isna() & (frame["metric"] == "mean_auc")]
    base = balancer_name(baseline)
    headings = {
        "mean_auc": "AUC",
        DEVIATION: "weights from equal, %",
        SPREAD: "spread of weights, %",
        COSINE: "cosine of updates",
        LENGTH: f"length of step over {base}'s",
    }

    def fill(row: pd.Series) -> Cell:
        if row["metric"] != "mean_auc":
            column = ("ratio", "ratio_std") if row["metric"] == LENGTH else ("mean", "std")
            return Cell(mean_and_spread(row[column[0]], row[column[1]], DIGITS[row["metric"]]))
        found = _contrast_to_baseline(rows, row, baseline, significance)
        return Cell(grid.text(row, grid.mark(row, significance, +1)), beside=found)

    table = Table(
        title=f"{title}: search, length of steps, separate updates",
        caption=tuple(_caption(frame, cells, rows, baseline, significance)),
        beside=f"difference to {base} [{1 - significance:.0%} interval]",
        groups=grid.groups(cells, lambda row: headings[row["metric"]]),
        rows=grid.rows(cells, baseline, fill),
    )
    return table, cells


def _contrast_to_baseline(rows: pd.DataFrame, row: pd.Series, baseline: str, significance: float) -> str:
    if row["balancer"] == baseline or not row["pairs"]:
        return ""
    same = rows[(rows["dataset"] == row["dataset"]) & (rows["backbone"] == row["backbone"])]
    return contrast(same, row["balancer"], baseline, significance, "the table dissect").text()


def _caption(
    frame: pd.DataFrame, cells: pd.DataFrame, rows: pd.DataFrame, baseline: str, significance: float
) -> Iterator[str]:
    for (dataset, backbone), group in rows.groupby(["dataset", "backbone"], sort=False):
        several = rows[["dataset", "backbone"]].drop_duplicates()
        place = f"{dataset_heading(dataset, False)}, {backbone_name(backbone)}. " if len(several) > 1 else ""
        yield from (f"{place}{sentence}" for sentence in _answers(group, baseline, significance))
    yield (
        f"Differences are of mean test AUC, seed by seed, with the {1 - significance:.0%} interval of a paired t-test,"
        " not corrected for their number. With two tasks the Nash rule's weights are in inverse proportion to the"
        " lengths of the updates, whatever their cosine: a search makes them equally long, and does no more. With equal"
        " weights, `match_norm` and `none` are the same as `sum_to_K`."
    )
    yield (
        "The scale of the weights sets more than the length. Moments see the gradients with those weights, and an"
        " update adds a task's gradient to them without: with `sum_to_1` it counts more against momentum, and the"
        " updates' cosine is lower. `sum_to_1` with moment_weights `ones` halves the step of equal weights that sum to"
        " K, and changes nothing else. A higher rate also moves the tasks' own parameters faster."
    )
    yield (
        "Weights from equal: the largest distance of a task's mean weight from equal weights; spread: standard"
        " deviation over steps; both in percent of the mean weight, up to the best epoch. Cosine: between the tasks'"
        " updates, mean over searches. Length: root mean square over steps of the shared parameters' change, seed by"
        " seed."
    )
    yield from captions.of_runs(frame)
    tested = cells[cells["metric"] == "mean_auc"]
    yield from captions.marks(tested, baseline, significance, "higher")
    yield from captions.power(tested, significance)
    yield captions.failures(frame, baseline)


def _answers(rows: pd.DataFrame, baseline: str, significance: float) -> Iterator[str]:
    """A sentence for each part: what it changes, and whether that can be told from chance."""
    for part, pairs in controls(rows, baseline).items():
        found = [contrast(rows, pair.ours, pair.theirs, significance, "the table dissect") for pair in pairs]
        seen = sum(one.told(significance) for one in found)
        differences = (
            f"{balancer_name(pair.ours)} minus {balancer_name(pair.theirs)} {one.text()}, {one.verdict(significance)}"
            for pair, one in zip(pairs, found, strict=True)
        )
        yield (
            f"From the {part}: {seen} of {counted(len(pairs), 'difference')} can be told from chance."
            f" {'; '.join(differences)}."
        )
