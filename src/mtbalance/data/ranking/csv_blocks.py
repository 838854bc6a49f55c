"""CSV in blocks: bounded memory for files of any size, and exact messages for bad cells."""

from __future__ import annotations

import contextlib
import csv
import io
import math
import os
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple, cast

import polars as pl
from polars._typing import PolarsDataType

from mtbalance.data import DataError
from mtbalance.data.files.raw_files import ByteStream
from mtbalance.data.ranking.csv_cells import Column, find_fault, find_stray_quote, no_text
from mtbalance.errors import DAMAGED
from mtbalance.faults import briefly

BLOCK_BYTES = 8 * 2**20  # measured: larger ones lose time to page faults, smaller ones to overhead
PARSERS = min(8, os.cpu_count() or 1)
AHEAD = 2 * PARSERS  # so that they have work while the writer keeps the reader waiting
LONGEST_ROW = 64 * 2**20
DTYPES = {"key": pl.Int64, "id": pl.Int32, "label": pl.UInt8, "number": pl.Float32, "text": pl.String}
WHOLE = ("key", "id", "label")


class RowBlock(NamedTuple):
    """Some rows of a file."""

    first_row: int
    """Number of the first of them. The file's first line is row 1, even if it is a header."""
    frame: pl.DataFrame


def read_header(stream: ByteStream, source: str, separator: str = ",") -> list[str]:
    """The column names in the first line. Raises :class:`DataError` as :func:`header_line`."""
    line = header_line(stream, source)
    try:
        names = [name.strip() for name in next(csv.reader([line], delimiter=separator), [])]
    except csv.Error as error:
        raise DataError(f"{source}: its first line names no columns: {briefly(error)}") from None
    return names


def header_line(stream: ByteStream, source: str) -> str:
    """The first line. Raises :class:`DataError` for an empty file, and for one that is no text in UTF-8."""
    line = next(whole_lines(stream, source, block_bytes=1), b"")
    if not line.strip():
        raise DataError(f"{source} is empty; it should begin with a line of column names")
    if wrong := no_text(line):
        raise DataError(f"{source}: {wrong}")
    return line.decode("utf-8-sig")


def read_blocks(
    stream: ByteStream, columns: Sequence[Column], source: str, first_row: int = 1, separator: str = ","
) -> Iterator[RowBlock]:
    """Parse the lines of ``stream`` from its present position; ``source`` names it in messages.

    Types follow the columns' kinds. Whole numbers may be written ``8``, ``8.0`` or ``8.00``. Raises
    :class:`DataError` with row, column and cell for anything else: too few or too many cells, no value, a number that
    is not finite, a negative or fractional id, a label above its highest.
    """
    first_line = first_row
    for block, frame in _parsed(whole_lines(stream, source, BLOCK_BYTES), columns, separator):
        if frame is None or _suspicious(frame, columns):
            fault = find_fault(block, columns, source, first_row, separator)
            if fault or frame is None:
                raise fault or find_stray_quote(block, source, first_row, separator)
        yield RowBlock(first_row, frame)
        first_row += frame.height
    if first_row == first_line:
        raise DataError(f"{source} has no rows")


def _parsed(
    blocks: Iterator[bytes], columns: Sequence[Column], separator: str
) -> Iterator[tuple[bytes, pl.DataFrame | None]]:
    """Blocks and their rows, in order. A few are parsed at the same time; None: the block cannot be parsed."""
    waiting: deque[tuple[bytes, Future[pl.DataFrame | None]]] = deque()
    with ThreadPoolExecutor(PARSERS) as pool:
        for block in blocks:
            waiting.append((block, pool.submit(_parse, block, columns, separator)))
            if len(waiting) > AHEAD:
                done, frame = waiting.popleft()
                yield done, frame.result()
        for done, frame in waiting:
            yield done, frame.result()


def whole_lines(stream: ByteStream, source: str, block_bytes: int) -> Iterator[bytes]:
    """Cut a stream into blocks of about ``block_bytes`` that end where a row ends, not at a newline in quotes."""
    try:
        while block := _lines(stream, block_bytes, source):
            pieces, size, quotes = [block], len(block), block.count(b'"')
            while quotes % 2 and (more := _line(stream, source)):
                pieces.append(more)
                size, quotes = size + len(more), quotes + more.count(b'"')
                if size > block_bytes + LONGEST_ROW:
                    raise DataError(f"{source}: a quotation mark is opened and never closed")
            block = b"".join(pieces)
            if len(block) < block_bytes:  # the last one: empty lines at a file's end are no rows
                block = block.rstrip(b"\r\n")
            if block:
                yield block
    except DataError:
        raise
    except DAMAGED as error:
        raise DataError(
            f"{source} cannot be read to its end ({briefly(error)}); delete it and fetch it again"
        ) from error


def _lines(stream: ByteStream, size: int, source: str) -> bytes:
    """At least ``size`` bytes and the rest of the line; no bytes at the end of the stream."""
    if not isinstance(stream, io.BufferedReader):
        return stream.read(size) + _line(stream, source)
    start = stream.tell()  # a plain file: find where to stop, then read without a second copy of the block
    stream.seek(start + size)
    _line(stream, source)
    end = stream.tell()
    stream.seek(start)
    return stream.read(end - start)


def _line(stream: ByteStream, source: str) -> bytes:
    """The rest of a line, which can be packed so well that no memory holds it."""
    line = stream.readline(LONGEST_ROW)
    if len(line) == LONGEST_ROW:
        raise DataError(f"{source}: a line has more than {LONGEST_ROW:,} bytes: that is no table in text")
    return line


def _parse(block: bytes, columns: Sequence[Column], separator: str) -> pl.DataFrame | None:
    dtypes = {column.name: DTYPES[column.kind] for column in columns}
    whole = [column.name for column in columns if column.kind in WHOLE]
    with contextlib.suppress(pl.exceptions.PolarsError):
        return _read(block, dtypes, separator)
    with contextlib.suppress(pl.exceptions.PolarsError):  # whole numbers may be written as decimals
        frame = _read(block, dtypes | dict.fromkeys(whole, pl.Float64), separator)
        if not any(frame.select((pl.col(whole) % 1 != 0).any()).row(0)):
            return frame.cast({name: dtypes[name] for name in whole})
    return None


def _read(block: bytes, dtypes: Mapping[str, PolarsDataType], separator: str) -> pl.DataFrame:
    quote = '"' if b'"' in block else None  # faster without
    return pl.read_csv(io.BytesIO(block), has_header=False, schema=dtypes, separator=separator, quote_char=quote)


def _suspicious(frame: pl.DataFrame, columns: Sequence[Column]) -> bool:
    if columns[-1].kind == "text":  # a text may be empty, but a last cell without text can be a row cut short
        return frame.to_series(-1).null_count() > 0
    return any(_bad(frame.get_column(column.name), column) for column in columns)


def _bad(values: pl.Series, column: Column) -> bool:
    if values.null_count():
        return True
    if column.kind == "number":
        total = cast("float", values.sum())
        return not math.isfinite(total)  # NaN and infinity spread; a sum too large only costs a second look
    lowest, highest = cast("int", values.min()), cast("int", values.max())
    return lowest < 0 or highest > column.limit
