"""The files of a table, read as blocks of trimmed texts with a column for each name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from mtbalance.data import DataError
from mtbalance.data.files.raw_files import open_raw, refuse_folder
from mtbalance.data.ranking.csv_blocks import RowBlock, read_blocks, read_header
from mtbalance.data.ranking.csv_cells import Column
from mtbalance.data.ranking.table_form import TableForm
from mtbalance.faults import briefly
from mtbalance.registry import suggestion

PARQUET_BLOCK = 65_536
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
"""Characters that tables have between cells, and their names."""


def text_blocks(path: Path, form: TableForm) -> Iterator[RowBlock]:
    """The rows of a file that has the columns of ``form``, as :func:`all_texts` gives them."""
    refuse_missing_columns(path, form)
    return all_texts(path, form.separator, form.columns)


def refuse_missing_columns(path: Path, form: TableForm) -> None:
    """Raise :class:`DataError` for a column of ``form`` that the file does not have."""
    names = column_names(path, form.separator, form.columns)
    for name in (*form.named_columns(), *form.ignore):
        if name not in names:
            hint = other_separator(names, form.separator)
            raise DataError(f"{path} has no column {name!r}; it has {suggestion(name, list(names))}{hint}")
    nested = nested_columns(path)
    for name in form.named_columns():
        if name in nested:
            raise DataError(
                f"{path}: column {name!r} holds {nested[name]}, and a feature or a label is one value a row; write its "
                "parts into columns of their own, or name it below `ignore`"
            )


def nested_columns(path: Path) -> dict[str, str]:
    """The types of the columns that have no single value a row, such as lists: by name, and only Parquet has some."""
    if not _is_parquet(path):
        return {}
    with _parquet_errors(path):
        schema = pq.read_schema(path)
    return {field.name: str(field.type) for field in schema if pa.types.is_nested(field.type)}


def other_separator(names: Sequence[str], separator: str = ",") -> str:
    """The end of a message on missing columns: that the header has one name with separators of another kind in it."""
    if len(names) > 1:
        return ""
    found = max((mark for mark in SEPARATORS if mark != separator), key=names[0].count)
    return f"; its cells seem to be separated by {SEPARATORS[found]}, not by {separator!r}" if found in names[0] else ""


def all_texts(path: Path, separator: str = ",", columns: list[str] | None = None) -> Iterator[RowBlock]:
    """All columns as texts without the spaces around them; null only if Parquet has no value (or NaN).

    Columns of :func:`nested_columns` are passed over. ``columns`` are the names in a CSV file without a header line.
    Raises :class:`DataError` for a file that cannot be read.
    """
    names = column_names(path, separator, columns)
    blocks = _parquet(path) if _is_parquet(path) else _csv(path, names, columns is None, separator)
    for first_row, frame in blocks:
        yield RowBlock(first_row, frame.select(pl.all().str.strip_chars()))


def column_names(path: Path, separator: str = ",", columns: list[str] | None = None) -> list[str]:
    """The names of all columns of a file. Raises :class:`DataError` for a folder and for names that occur twice."""
    refuse_folder(path)
    if _is_parquet(path):
        with _parquet_errors(path):
            names = list(pq.read_schema(path).names)
    elif columns is not None:
        names = columns
    else:
        with open_raw(path) as stream:
            names = read_header(stream, str(path), separator)
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise DataError(f"{path}: the column names {doubled} occur twice; give each column a name of its own")
    return names


def _csv(path: Path, names: Sequence[str], header: bool, separator: str) -> Iterator[RowBlock]:
    with open_raw(path) as stream:
        if header:
            read_header(stream, str(path), separator)
        columns = [Column(name, "text") for name in names]
        for block in read_blocks(stream, columns, str(path), 2 if header else 1, separator):
            yield RowBlock(block.first_row, block.frame.fill_null(""))


def _parquet(path: Path) -> Iterator[RowBlock]:
    first_row = 1
    nested = nested_columns(path)
    with _parquet_errors(path):
        file = pq.ParquetFile(path)
        plain = [name for name in file.schema_arrow.names if name not in nested]
        for batch in file.iter_batches(PARQUET_BLOCK, columns=plain):
            frame = pl.DataFrame(pa.Table.from_batches([batch]))
            floats = pl.selectors.float().fill_nan(None)
            times = pl.selectors.datetime().dt.to_string("%Y-%m-%d %H:%M:%S%.f")
            yield RowBlock(first_row, frame.with_columns(floats, times).cast(pl.String))
            first_row += frame.height


def _is_parquet(path: Path) -> bool:
    return path.suffix.lower() == ".parquet"


@contextmanager
def _parquet_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError, pl.exceptions.PolarsError) as error:
        raise DataError(f"{path} cannot be read as Parquet with plain columns: {briefly(error)}") from error
