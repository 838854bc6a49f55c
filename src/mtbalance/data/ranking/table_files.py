"""The files of a table, read as blocks of trimmed texts with a column for each name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from mtbalance.data import DataError
from mtbalance.data.files.raw_files import open_raw
from mtbalance.data.ranking.csv_blocks import RowBlock, read_blocks, read_header
from mtbalance.data.ranking.csv_cells import Column
from mtbalance.data.ranking.table_form import TableForm

PARQUET_BLOCK = 65_536


def text_blocks(path: Path, form: TableForm) -> Iterator[RowBlock]:
    """All columns as texts without the spaces around them; null only if Parquet has no value (or NaN).

    Raises :class:`DataError` for a file that cannot be read, and for a column that it does not have.
    """
    blocks = _parquet(path, form) if path.suffix.lower() == ".parquet" else _csv(path, form)
    for first_row, frame in blocks:
        yield RowBlock(first_row, frame.select(pl.all().str.strip_chars()))


def _csv(path: Path, form: TableForm) -> Iterator[RowBlock]:
    with open_raw(path) as stream:
        names, first_row = form.columns, 1
        if names is None:
            names, first_row = read_header(stream, str(path), form.separator), 2
        _check_names(names, form, path)
        columns = [Column(name, "text") for name in names]
        for block in read_blocks(stream, columns, str(path), first_row, form.separator):
            yield RowBlock(block.first_row, block.frame.fill_null(""))


def _parquet(path: Path, form: TableForm) -> Iterator[RowBlock]:
    first_row = 1
    try:
        file = pq.ParquetFile(path)
        _check_names(file.schema_arrow.names, form, path)
        for batch in file.iter_batches(PARQUET_BLOCK):
            frame = pl.DataFrame(pa.Table.from_batches([batch]))
            floats = pl.selectors.float()
            yield RowBlock(first_row, frame.with_columns(floats.fill_nan(None)).cast(pl.String))
            first_row += frame.height
    except (pa.ArrowException, OSError, pl.exceptions.PolarsError) as error:
        raise DataError(f"{path} cannot be read as Parquet with plain columns: {error}") from error


def _check_names(names: Sequence[str], form: TableForm, path: Path) -> None:
    doubled = sorted({name for name in names if list(names).count(name) > 1})
    if doubled:
        raise DataError(f"{path}: the column names {doubled} occur twice")
    labels = [task.column for task in form.tasks.values()]
    others = [name for name in (form.group, form.weight) if name is not None]
    for name in (*form.categorical, *form.numerical, *labels, *others):
        if name not in names:
            raise DataError(f"{path} has no column {name!r}; it has {list(names)}")
