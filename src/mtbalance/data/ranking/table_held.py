"""Refusing a cell of a table."""

from __future__ import annotations

import polars as pl

from mtbalance.data import DataError
from mtbalance.data.ranking.csv_blocks import RowBlock


def refuse_cell(block: RowBlock, bad: pl.Series, column: str, source: str, why: str) -> None:
    """Raise :class:`DataError` with row, column and cell for the first row of ``block`` that is ``bad``."""
    if bad.any():
        position = int(bad.arg_max() or 0)
        cell = block.frame.get_column(column)[position]
        where = f"{source}: row {block.first_row + position} (the file's first line is row 1), column {column}"
        raise DataError(f"{where}: {cell!r} {why}")
