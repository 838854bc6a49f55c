"""The arrangement that all tables share: a row for each method, a group of columns for each data set."""

from __future__ import annotations

from collections.abc import Callable, Hashable

import pandas as pd

from mtbalance.reporting import convergence
from mtbalance.reporting.formats import counted, decimal, mean_and_spread, signed
from mtbalance.reporting.layout import Cell, Group, Row
from mtbalance.reporting.names import heading_of, method_name

Column = tuple[Hashable, ...]
"""Data set, metric and task."""


def columns_of(cells: pd.DataFrame) -> dict[str, list[Column]]:
    """The columns of each data set, in the order of the records."""
    columns: dict[str, list[Column]] = {}
    for column in dict.fromkeys(zip(cells["dataset"], cells["metric"], cells["task"], strict=True)):
        columns.setdefault(str(column[0]), []).append(column)
    return columns


def groups(cells: pd.DataFrame, heading: Callable[[pd.Series], str]) -> tuple[Group, ...]:
    """A group of columns for each data set; ``heading`` names a column from one of its cells."""
    made = []
    for _, group in cells.groupby("dataset", sort=False):
        first = group.drop_duplicates(["metric", "task"])
        made.append(Group(heading_of(first.iloc[0]), tuple(heading(row) for _, row in first.iterrows())))
    return tuple(made)


def rows(cells: pd.DataFrame, baseline: str, fill: Callable[[pd.Series], Cell]) -> tuple[Row, ...]:
    """A row for each method; ``fill`` makes a cell. A method that was not run on a data set has empty cells there."""
    columns = columns_of(cells)
    made = []
    for (backbone, _), group in cells.groupby(["backbone", "balancer"], sort=False):
        filled: dict[Column, Cell] = {
            (row["dataset"], row["metric"], row["task"]): fill(row) for _, row in group.iterrows()
        }
        texts = tuple(tuple(filled.get(key, Cell()) for key in keys) for keys in columns.values())
        made.append(Row(method_name(group.iloc[0], baseline), str(backbone), texts))
    return tuple(made)


def text(row: pd.Series, mark: str = "", digits: int = 4) -> str:
    """Mean, spread and mark of a cell, the sign of flagged runs, and the number of failed ones."""
    if not row["n"]:
        return f"failed ({row['failed']} of {row['failed']})" if row["failed"] else Cell().text
    number = f"{mean_and_spread(row['mean'], row['std'], digits)}{' ' if mark else ''}{mark}"
    number = convergence.with_sign(number, row["flagged"])
    return f"{number} ({counted(row['failed'], 'run')} failed)" if row["failed"] else number


def mark(row: pd.Series, significance: float, sign: int) -> str:
    """``‡`` for a significant difference with the wanted ``sign``, ``‡‡`` if it stays significant after Holm.

    It must be significant over seeds, and over test rows where that is known.
    """
    if not row["difference"] * sign > 0 or not row["p"] <= significance or row.get("p_rows", 0) > significance:
        return ""
    return "‡‡" if row["p_holm"] <= significance else "‡"


def printed(row: pd.Series, digits: int = 4) -> str:
    """The number that a paper prints for a cell, its mark, and ours minus it; empty if it prints none."""
    if pd.isna(row["published"]):
        return ""
    published_mark = " ‡" if row.get("published_mark") else ""
    return f"{decimal(row['published'], digits)}{published_mark} ({signed(row['difference_to_published'], digits)})"


def change(row: pd.Series, baseline: str) -> str:
    """The mean change to the baseline: the difference of what is better high, in percent of all else; empty if none."""
    if row["balancer"] == baseline or not row["pairs"]:
        return ""
    return signed(row["difference"], 4) if row["better"] > 0 else f"{signed(100 * (row['ratio'] - 1), 2)} %"


def best(cells: pd.DataFrame, sign: int, digits: int = 4) -> pd.Series:
    """True for the cells with the best mean of their column, as printed: equal digits are equally good."""
    printed = (cells["mean"] * sign).round(digits)
    return printed.eq(printed.groupby([cells["dataset"], cells["metric"], cells["task"]]).transform("max"))
