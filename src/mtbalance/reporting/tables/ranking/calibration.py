"""Expected calibration error of every method and task, as trained and after two scalings fitted on the valid split.

``frame`` is a table of calibrations (:mod:`mtbalance.reporting.calibration`), not collected metrics.
"""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from mtbalance.reporting import captions, convergence
from mtbalance.reporting.calibration import BINS
from mtbalance.reporting.formats import decimal, mean_and_spread
from mtbalance.reporting.layout import Cell, Group, Row, Table
from mtbalance.reporting.names import heading_of, method_name
from mtbalance.reporting.statistics import mean, standard_deviation

METHOD = ["dataset", "task", "backbone", "balancer"]
DESCRIPTION = ["experiment", "synthetic", *METHOD, "variant", "grid", "scaling"]
SCALINGS = {"none": "as trained", "temperature": "temperature", "isotonic": "isotonic"}


def tabulate(frame: pd.DataFrame, title: str, baseline: str, significance: float) -> tuple[Table, pd.DataFrame]:
    """The table to print, in points of percent, and its numbers, as shares. ``significance`` is not used."""
    whole = frame[frame["part"] == "whole"]
    columns = list(whole.groupby(["dataset", "task"], sort=False))
    table = Table(
        title=f"{title}: calibration on the test split",
        caption=tuple(_caption(frame, whole, baseline)),
        beside="fitted temperature",
        groups=tuple(Group(_heading(group.iloc[0]), tuple(SCALINGS.values())) for _, group in columns),
        rows=tuple(_rows(whole, [key for key, _ in columns], baseline)),
    )
    return table, pd.DataFrame([_numbers(group) for _, group in whole.groupby([*METHOD, "scaling"], sort=False)])


def _heading(row: pd.Series) -> str:
    return f"{heading_of(row)}, {row['task_title']}: ECE in points of percent"


def _rows(whole: pd.DataFrame, columns: list[tuple[str, str]], baseline: str) -> Iterator[Row]:
    for (backbone, _), method in whole.groupby(["backbone", "balancer"], sort=False):
        cells = (method[(method["dataset"] == dataset) & (method["task"] == task)] for dataset, task in columns)
        yield Row(method_name(method.iloc[0], baseline), str(backbone), tuple(tuple(_cells(rows)) for rows in cells))


def _cells(rows: pd.DataFrame) -> Iterator[Cell]:
    for scaling in SCALINGS:
        scaled = rows[rows["scaling"] == scaling]
        errors, temperatures = ((factor * scaled[name].dropna()).tolist() for name, factor in _PRINTED.items())
        text = mean_and_spread(mean(errors), standard_deviation(errors), 2)
        yield Cell(
            convergence.with_sign(text, convergence.flagged(scaled)),
            beside=decimal(mean(temperatures), 2) if temperatures else "",
        )


_PRINTED = {"error": 100, "temperature": 1}
"""What a cell shows, and its factor."""


def _numbers(group: pd.DataFrame) -> dict[str, object]:
    errors = group["error"].dropna().tolist()
    return {
        **group.iloc[0][DESCRIPTION],
        "n": len(errors),
        "flagged": convergence.flagged(group),
        "error_mean": mean(errors),
        "error_std": standard_deviation(errors),
        "chance": mean(group["chance"].dropna().tolist()),
        "temperature": mean(group["temperature"].dropna().tolist()),
    }


def _caption(frame: pd.DataFrame, whole: pd.DataFrame, baseline: str) -> Iterator[str]:
    yield (
        f"ECE: expected calibration error on the test split. Its rows are cut into {BINS} bins of equally many rows by"
        " their predicted probability; ECE is the mean over rows of the distance between a bin's mean prediction and"
        " its rate of positive labels. Bins are fewer where predictions are equal, as after isotonic scaling."
    )
    yield _chance(whole)
    yield (
        "Temperature: logits are divided by the one number, from 0.05 to 20, that has the lowest log loss on the valid"
        " split (beside the cell); it keeps the order of rows, and cannot mend a rate that is wrong as a whole."
        " Isotonic: the rising step function that fits the labels of the valid split best; it makes predictions equal"
        " that were not, and so it can change the AUC. What was fitted on valid was also used to choose epochs."
    )
    yield from captions.of_runs(frame)
    yield captions.failures(frame, baseline)


def _chance(whole: pd.DataFrame) -> str:
    """The error that no model can be blamed for."""
    trained = whole[whole["scaling"] == "none"]
    by_task = [
        f"{100 * group['chance'].mean():.2f} for {group['task_title'].iloc[0]} on {dataset}"
        for (dataset, _), group in trained.groupby(["dataset", "task"], sort=False)
    ]
    return (
        "By chance alone, about this many points are to be expected of predictions without any error, on as many rows"
        f" with such rates: {'; '.join(by_task)}. An ECE that is no larger says nothing against a model."
    )
