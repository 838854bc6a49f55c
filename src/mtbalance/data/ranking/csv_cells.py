"""The bad cell of a block of CSV that fast parsing refused, found row by row."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

from mtbalance.data import DataError
from mtbalance.errors import quoted
from mtbalance.faults import briefly

NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
LARGEST_FLOAT32 = 3.4028235677973366e38  # half a step above the largest one: from here on numbers round to infinity
HIGHEST = {"key": 2**53 - 1, "id": 2**31 - 1, "label": 1}  # a key may be written as a decimal: exact in float64


Kind = Literal["key", "id", "label", "number", "text"]


class Column(NamedTuple):
    """A column of a CSV file and the kind of its cells."""

    name: str
    kind: Kind
    """``key`` (int64), ``id`` (int32) and ``label`` are whole numbers from 0; ``number`` (float32) is finite."""
    highest: int | None = None
    """The largest value allowed, if it differs from the kind's."""

    @property
    def limit(self) -> int:
        """The largest value allowed for an identifier or label."""
        return HIGHEST[self.kind] if self.highest is None else self.highest


def find_fault(
    block: bytes, columns: Sequence[Column], source: str, first_row: int, separator: str = ","
) -> DataError | None:
    """The error for the first bad row or cell of ``block``; None if there is none."""
    text = io.TextIOWrapper(io.BytesIO(block), encoding="utf-8", errors="replace", newline="")
    row = first_row
    try:
        for row, cells in enumerate(csv.reader(text, delimiter=separator), start=first_row):
            if wrong := _wrong_row(cells, columns):
                return DataError(f"{source}: row {row} (the file's first line is row 1){wrong}")
    except csv.Error as error:
        return DataError(
            f"{source}: row {row} (the file's first line is row 1) or the next one is not CSV: {briefly(error)}"
        )
    return None


def _wrong_row(cells: Sequence[str], columns: Sequence[Column]) -> str | None:
    """The end of a sentence about the first thing that is wrong with a row."""
    if len(cells) != len(columns):
        return f" has {len(cells)} cells instead of {len(columns)}"
    for position, (column, cell) in enumerate(zip(columns, cells, strict=True), start=1):
        if wrong := _wrong(column, cell):
            return f", column {position} ({column.name}): {quoted(cell)} {wrong}"
    return None


def _wrong(column: Column, cell: str) -> str | None:
    if column.kind == "text":
        return "is not UTF-8 text" if "\ufffd" in cell else None
    if not cell:
        return "is empty; in this data set every cell needs a value"
    if not NUMBER.fullmatch(cell):
        return "is not a number"
    if column.kind == "number":
        return None if abs(float(cell)) < LARGEST_FLOAT32 else "is not a finite float32 number"
    return _wrong_whole(cell, column.limit)


def _wrong_whole(cell: str, highest: int) -> str | None:
    if not float(cell).is_integer():
        return "is not a whole number"
    if float(cell) < 0:
        return "is negative"
    return f"is above {highest}" if float(cell) > highest else None
