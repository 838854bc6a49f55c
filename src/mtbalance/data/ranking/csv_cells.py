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
AS_UTF8 = "write the file as UTF-8, such as with `iconv -f latin1 -t utf-8`"
OTHER_FORMS = {
    b"PAR1": "this is Parquet: its name must end in .parquet",
    b"\x1f\x8b": "this is packed by gzip: its name must end in .gz",
    b"PK\x03\x04": "this is a zip, whose name must end in .zip, or a workbook of Excel: save that as CSV",
    b"BZh": "this is packed by bzip2: unpack it, or pack it by gzip",
    b"\x28\xb5\x2f\xfd": "this is packed by zstd: unpack it, or pack it by gzip",
    b"\xff\xfe": "this is text in UTF-16; write the file as UTF-8, such as with `iconv -f utf-16 -t utf-8`",
    b"\xfe\xff": "this is text in UTF-16; write the file as UTF-8, such as with `iconv -f utf-16 -t utf-8`",
    b"sep=": "its first line is for Excel alone: delete it",
}
"""What to do with files that are no CSV, by their first bytes."""


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


def find_stray_quote(block: bytes, source: str, first_row: int, separator: str) -> DataError:
    """The error for a block that cannot be parsed: the row with a quotation mark inside a cell, if there is one."""
    text, mark = block.decode("utf-8", errors="replace"), re.escape(separator)
    cell = re.compile(rf'(?:"(?:[^"]|"")*"|[^"\r\n{mark}]*)({mark}|\r?\n|$)')
    row, place = first_row, 0
    while place < len(text) and (found := cell.match(text, place)):
        row, place = row + found[1].endswith("\n"), found.end()
    if place == len(text):
        return DataError(f"{source}: row {first_row} or a later one is not CSV")
    return DataError(
        f"{source}: row {row} (the file's first line is row 1) has a quotation mark inside a cell: put the cell in"
        ' quotation marks, and write those inside of it twice, as in "5"" pipe"'
    )


def no_text(line: bytes) -> str | None:
    """Why the first line of a file is none of a CSV file, and what to do; None if nothing is wrong."""
    for begins, wrong in OTHER_FORMS.items():
        if line.startswith(begins):
            return wrong
    if b"\0" in line:
        return f"its first line has bytes of zero, as text in UTF-16 has; {AS_UTF8.replace('latin1', 'utf-16le')}"
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return f"its first line is not UTF-8 text; {AS_UTF8}"
    return "its lines end with \\r alone: write \\n" if b"\r" in line.rstrip(b"\r\n") and b'"' not in line else None


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
        return f"is not UTF-8 text; {AS_UTF8}" if "\ufffd" in cell else None
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
