"""Reading any table as blocks of trimmed texts, one column a name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from mtbalance.config import TableData
from mtbalance.data import DataError
from mtbalance.data.ranking.csv_blocks import Block, read_blocks, read_header
from mtbalance.data.ranking.csv_cells import Column
from mtbalance.data.raw_files import open_raw

PARQUET_BLOCK = 65_536


def text_blocks(path: Path, config: TableData) -> Iterator[Block]:
    """All columns as text, without the spaces around; null only where Parquet has no value (or NaN).

    Raises :class:`DataError` for a file that cannot be read, and for a column that it does not have.
    """
    blocks = _parquet(path, config) if path.suffix.lower() == ".parquet" else _csv(path, config)
    for first_row, frame in blocks:
        yield Block(first_row, frame.select(pl.all().str.strip_chars()))


def _csv(path: Path, config: TableData) -> Iterator[Block]:
    with open_raw(path) as stream:
        names, first_row = config.columns, 1
        if names is None:
            names, first_row = read_header(stream, str(path), config.separator), 2
        _check_names(names, config, path)
        columns = [Column(name, "text") for name in names]
        for block in read_blocks(stream, columns, str(path), first_row, config.separator):
            yield Block(block.first_row, block.frame.fill_null(""))


def _parquet(path: Path, config: TableData) -> Iterator[Block]:
    first_row = 1
    try:
        file = pq.ParquetFile(path)
        _check_names(file.schema_arrow.names, config, path)
        for batch in file.iter_batches(PARQUET_BLOCK):
            frame = pl.DataFrame(pa.Table.from_batches([batch]))
            floats = pl.selectors.float()
            yield Block(first_row, frame.with_columns(floats.fill_nan(None)).cast(pl.String))
            first_row += frame.height
    except (pa.ArrowException, OSError, pl.exceptions.PolarsError) as error:
        raise DataError(f"{path} cannot be read as Parquet with plain columns: {error}") from error


def _check_names(names: Sequence[str], config: TableData, path: Path) -> None:
    doubled = sorted({name for name in names if list(names).count(name) > 1})
    if doubled:
        raise DataError(f"{path}: the column names {doubled} occur twice")
    labels = [task.column for task in config.tasks.values()]
    group = [] if config.group is None else [config.group]
    for name in (*config.categorical, *config.numerical, *labels, *group):
        if name not in names:
            raise DataError(f"{path} has no column {name!r}; it has {list(names)}")
