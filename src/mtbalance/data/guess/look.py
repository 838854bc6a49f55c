"""look: reads the first rows of a table, and says of each column what can be seen in it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import polars as pl

from mtbalance.data import DataError
from mtbalance.data.files.raw_files import open_raw
from mtbalance.data.ranking.csv_blocks import header_line
from mtbalance.data.ranking.table_cut import ISO_DATE
from mtbalance.data.ranking.table_files import SEPARATORS, all_texts, nested_columns
from mtbalance.data.ranking.table_held import COMMA, THOUSANDS, held, misread

MOST_ROWS = 200_000
MISSING = ["", "?", "NA", "N/A", "n/a", "NaN", "nan", "null", "NULL", "None", "<NA>", "#N/A", "\\N", "inf", "-inf"]
"""Texts that mean "no value" in many tables, or a number that no model can take."""
OTHER_DATE = r"^(\d{1,2}[./-]\d{1,2}[./-]\d{4}|\d{4}[./]\d{1,2}[./]\d{1,2})([T ].*)?$"


FEW_OTHERS = 0.1
"""A share of texts that leaves a column one of numbers, as far as a reader is concerned."""


class Column(NamedTuple):
    """A column of a table, and what can be seen in it."""

    name: str
    cells: pl.Series
    """The cells as texts; null where no value is."""
    numbers: pl.Series | None
    """The cells as float64, if all that are there are numbers."""
    distinct: int
    """Number of distinct values, missing ones left out."""
    marks: tuple[str, ...] = ()
    """The texts in it that were taken for "no value"."""
    nested: str = ""
    """Its type, if it has no single value a row, such as lists; its cells are then null."""

    @property
    def missing(self) -> int:
        """Number of rows without a value."""
        return self.cells.null_count()

    @property
    def whole(self) -> bool:
        """True for whole numbers."""
        return self.numbers is not None and bool((self.numbers.drop_nulls() % 1 == 0).all())

    @property
    def alike(self) -> bool:
        """True if all rows have one value."""
        return self.distinct + (self.missing > 0) < 2

    @property
    def a_key(self) -> bool:
        """True if almost every row has a value of its own, and these are no measurements."""
        measured = self.numbers is not None and not self.whole
        return not measured and len(self.cells) >= 50 and self.distinct > 0.9 * len(self.cells)

    @property
    def times(self) -> bool:
        """True for texts that begin with a date, as 2026-11-28 does."""
        return self._all(ISO_DATE)

    @property
    def other_dates(self) -> bool:
        """True for texts that begin with a date in another form, as 28.11.2026 and 11/28/2026 do."""
        return self._all(OTHER_DATE)

    @property
    def commas(self) -> str | None:
        """That its numbers have commas that are not read, and what to do; None if they have none, or are no numbers."""
        present = self.cells.drop_nulls()
        for form in (COMMA, THOUSANDS):
            written = present.str.contains(form)
            if self.numbers is None and written.any() and _numbers(present.filter(~written)).all():
                first = present.filter(written)[0]
                kind, better = misread(first) or ("", "")
                return f"numbers with {kind}: write {better} for {first!r}"
        return None

    @property
    def but_for(self) -> str | None:
        """That almost all of its texts are numbers, and which are not; None for any other column."""
        present = self.cells.drop_nulls()
        others = present.filter(~_numbers(present))
        return f"numbers but for {held(others)}" if 0 < len(others) <= FEW_OTHERS * len(present) else None

    def _all(self, form: str) -> bool:
        """True if all of its texts have that form, and there are some."""
        present = self.cells.drop_nulls()
        return len(present) > 0 and bool(present.str.contains(form).all())

    def within(self, rows: pl.Series) -> Column:
        """The column in the rows [rows] where ``rows`` is true."""
        numbers = None if self.numbers is None else self.numbers.filter(rows)
        return self._replace(cells=self.cells.filter(rows), numbers=numbers)

    def values(self) -> str:
        """Its most frequent values, as messages have them."""
        return f"{self.nested}, not one value a row" if self.nested else held(self.cells.drop_nulls())


class Look(NamedTuple):
    """What can be seen in a table."""

    path: Path
    separator: str
    rows: int
    """Rows that were read."""
    whole: bool
    """True if these are all rows of the file."""
    missing: list[str]
    """Texts that mean "no value" in it."""
    columns: list[Column]


def look(path: Path) -> Look:
    """Read the first 200,000 rows of a CSV (also .gz or .zip) or Parquet file.

    Raises :class:`DataError` for a file that is not there, that cannot be read, or that has less than two columns.
    """
    if not path.is_file():
        raise DataError(f"{path} is no file; name the CSV or Parquet file that holds the table")
    separator = _separator(path)
    frames: list[pl.DataFrame] = []
    whole = True
    for _, frame in all_texts(path, separator):
        if sum(map(len, frames)) >= MOST_ROWS:
            whole = False
            break
        frames.append(frame)
    table = pl.concat(frames)[:MOST_ROWS]
    if table.width < 2:
        raise DataError(f"{path} has one column, {table.columns}; cells are separated by one of , ; | or tabs")
    whole = whole and sum(map(len, frames)) <= MOST_ROWS
    none = pl.Series(dtype=pl.String).extend_constant(None, table.height)
    nested = [Column(name, none, None, 0, nested=kind) for name, kind in nested_columns(path).items()]
    columns = [*(_column(cells) for cells in table), *nested]
    marks = [mark for mark in MISSING[1:] if any(mark in column.marks for column in columns)]
    return Look(path, separator, table.height, whole, ["", *marks], columns)


def _numbers(cells: pl.Series) -> pl.Series:
    """True for the texts that are numbers."""
    return cells.cast(pl.Float64, strict=False).is_finite().fill_null(False)


def _separator(path: Path) -> str:
    if path.suffix.lower() == ".parquet":
        return ","
    with open_raw(path) as stream:
        line = re.sub('"[^"]*"', "", header_line(stream, str(path)))
    return max(SEPARATORS, key=line.count)


def _column(cells: pl.Series) -> Column:
    present = cells.set(cells.is_in(MISSING), None)
    numbers = present.cast(pl.Float64, strict=False)
    numeric = present.null_count() < len(cells) and numbers.is_finite().sum() == present.count()
    marks = tuple(mark for mark in MISSING[1:] if (cells == mark).any())
    return Column(cells.name, present, numbers if numeric else None, present.drop_nulls().n_unique(), marks)
