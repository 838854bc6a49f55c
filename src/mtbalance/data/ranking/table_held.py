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
THOUSANDS = r"^[+-]?\d{1,3}(,\d{3})+(\.\d+)?$"
"""A number with commas between its thousands, such as ``1,028.25``."""


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
    """:func:`refuse_cell` for cells that should be numbers; commas in a number are named."""
    first = block.frame.get_column(column).filter(bad).first()
    found = None if first is None else misread(str(first))
    hint = f": {found[0]} are not read, write {found[1]}" if found else " (list it under `missing`?)"
    refuse_cell(block, bad, column, source, f"is not a finite number{hint}")


def misread(text: str) -> tuple[str, str] | None:
    """What a number has that is not read, and how to write it; None for any other text."""
    if found := re.match(COMMA, text):
        whole, rest = found[1].replace(".", ""), found[2]
        return "decimal commas", f"{whole}.{rest}" + (f" or {whole}{rest}" if len(rest) == 3 else "")
    return ("commas between thousands", text.replace(",", "")) if re.match(THOUSANDS, text) else None
