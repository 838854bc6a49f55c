"""CSV in blocks: bounded memory for files of any size, and exact messages for bad cells."""

from __future__ import annotations

import csv
import io
import math
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from typing import BinaryIO, NamedTuple

import polars as pl

from mtbalance.data import DataError
from mtbalance.data.csv_cells import Column, find_fault

BLOCK_BYTES = 4 * 2**20  # measured: larger ones lose time to page faults, smaller ones to overhead
LONGEST_ROW = 64 * 2**20
DTYPES = {"key": pl.Int64, "id": pl.Int32, "label": pl.UInt8, "number": pl.Float32, "text": pl.String}
WHOLE = ("key", "id", "label")


class Block(NamedTuple):
    """Some rows of a file."""

    first_row: int
    """Number of the first of them; the file's first line is row 1, be it a header or not."""
    frame: pl.DataFrame


def read_header(stream: BinaryIO, source: str, separator: str = ",") -> list[str]:
    """The names in the first line. Raises :class:`DataError` if there is none."""
    line = next(whole_lines(stream, source, block_bytes=1), b"").decode("utf-8-sig", errors="replace")
    names = [name.strip() for name in next(csv.reader([line], delimiter=separator), [])]
    if not names:
        raise DataError(f"{source} is empty; it should begin with a line of column names")
    return names


def read_blocks(
    stream: BinaryIO, columns: Sequence[Column], source: str, first_row: int = 1, separator: str = ","
) -> Iterator[Block]:
    """Parse the lines of ``stream`` from where it stands; ``source`` names it in messages.

    Types follow the columns' kinds. Whole numbers may be written ``8``, ``8.0`` or ``8.00``. Raises
    :class:`DataError` with row, column and cell for whatever else is not as it should be: too few or too many
    cells, no value, a number that is not finite, a negative or fractional id, a label above its highest.
    """
    as_decimals, first_line = False, first_row
    for block in whole_lines(stream, source, BLOCK_BYTES):
        frame = None if as_decimals else _parse(block, columns, separator, as_decimals=False)
        if frame is None:
            frame = _parse(block, columns, separator, as_decimals=True)
            as_decimals = frame is not None  # such files are written so throughout
        if frame is None or _suspicious(frame, columns):
            fault = find_fault(block, columns, source, first_row, separator)
            if fault or frame is None:
                raise fault or DataError(f"{source}: rows from {first_row} on are not CSV with {len(columns)} columns")
        yield Block(first_row, frame)
        first_row += frame.height
    if first_row == first_line:
        raise DataError(f"{source} has no rows")


def whole_lines(stream: BinaryIO, source: str, block_bytes: int) -> Iterator[bytes]:
    """Cut a stream into blocks of about ``block_bytes`` that end where a row ends (not in a quoted newline)."""
    try:
        while block := stream.read(block_bytes) + stream.readline():
            while b'"' in block and block.count(b'"') % 2 and (more := stream.readline()):
                block += more
                if len(block) > block_bytes + LONGEST_ROW:
                    raise DataError(f"{source}: a quotation mark is opened and never closed")
            if len(block) < block_bytes:  # the last one: empty lines at a file's end are no rows
                block = block.rstrip(b"\r\n")
            if block:
                yield block
    except (zipfile.BadZipFile, EOFError, zlib.error, OSError) as error:
        raise DataError(f"{source} cannot be read to its end ({error}); it is damaged, fetch it again") from error


def _parse(block: bytes, columns: Sequence[Column], separator: str, as_decimals: bool) -> pl.DataFrame | None:
    dtypes = {column.name: DTYPES[column.kind] for column in columns}
    whole = [column.name for column in columns if column.kind in WHOLE]
    if as_decimals:
        dtypes |= dict.fromkeys(whole, pl.Float64)
    try:
        frame = pl.read_csv(
            io.BytesIO(block),
            has_header=False,
            schema=dtypes,
            separator=separator,
            quote_char='"' if b'"' in block else None,  # faster without
        )
        if not as_decimals:
            return frame
        fractions = frame.select((pl.col(whole) % 1 != 0).any()).row(0)
        return None if any(fractions) else frame.cast({column.name: DTYPES[column.kind] for column in columns})
    except pl.exceptions.PolarsError:
        return None


def _suspicious(frame: pl.DataFrame, columns: Sequence[Column]) -> bool:
    if columns[-1].kind == "text":  # a text may be empty, but a last cell without text can be a row cut short
        return frame.to_series(-1).null_count() > 0
    return any(_bad(frame.get_column(column.name), column) for column in columns)


def _bad(values: pl.Series, column: Column) -> bool:
    if values.null_count():
        return True
    if column.kind == "number":
        return not math.isfinite(values.sum())  # NaN and infinity spread; a sum too large only costs a second look
    return values.min() < 0 or values.max() > column.limit
