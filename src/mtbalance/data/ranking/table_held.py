"""Refusing a cell of a table: the message says which values its column holds."""

from __future__ import annotations

import re

import polars as pl

from mtbalance.data import DataError
from mtbalance.data.ranking.csv_blocks import RowBlock
from mtbalance.errors import quoted

MOST_VALUES, LONGEST = 5, 24
COMMA = r"^([+-]?\d+(?:\.\d{3})*),(\d+)$"
"""A number with a decimal comma, such as ``1.028,25``; of ``1,234`` nobody knows."""


def held(cells: pl.Series) -> str:
    """The most frequent values of a column, at most five, each shortened to 24 characters."""
    counts = cells.value_counts(sort=True)
    values = counts.get_column(cells.name).to_list()
    shown = ", ".join(_shortened(value) for value in values[:MOST_VALUES])
    more = len(values) - MOST_VALUES
    return shown + (f" and {more:,} other values" if more > 0 else "")


def _shortened(value: object) -> str:
    text = "" if value is None else " ".join(str(value).split())
    return repr(text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…")


def refuse_cell(block: RowBlock, bad: pl.Series, column: str, source: str, why: str) -> None:
    """Raise :class:`DataError` with row, column and cell for the first row of ``block`` that is ``bad``."""
    if bad.any():
        position = int(bad.arg_max() or 0)
        cells = block.frame.get_column(column)
        where = f"{source}: row {block.first_row + position} (the file's first line is row 1), column {column}"
        raise DataError(f"{where}: {quoted(cells[position])} {why}; the column holds {held(cells)}")


def refuse_number(block: RowBlock, bad: pl.Series, column: str, source: str) -> None:
    """:func:`refuse_cell` for cells that should be numbers; a decimal comma is named."""
    first = block.frame.get_column(column).filter(bad).first()
    written = None if first is None else with_point(str(first))
    hint = f": decimal commas are not read, write {written}" if written else " (list it under `missing`?)"
    refuse_cell(block, bad, column, source, f"is not a finite number{hint}")


def with_point(text: str) -> str | None:
    """How to write a number that has a decimal comma; None for any other text."""
    found = re.match(COMMA, text)
    if found is None:
        return None
    whole, rest = found[1].replace(".", ""), found[2]
    return f"{whole}.{rest}" + (f" or {whole}{rest}" if len(rest) == 3 else "")
