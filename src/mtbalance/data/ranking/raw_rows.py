"""raw_rows: the features of rows that a model has not seen, from a file in the form of its data set."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from mtbalance.data import DataError
from mtbalance.data.files.raw_files import open_raw
from mtbalance.data.ranking.csv_blocks import read_blocks, read_header
from mtbalance.data.ranking.csv_cells import Column, Kind
from mtbalance.data.ranking.schema import Categorical, RankingSchema
from mtbalance.data.ranking.table_cells import features_and_labels
from mtbalance.data.ranking.table_files import PARQUET_BLOCK, other_separator, text_blocks
from mtbalance.data.ranking.table_form import TableForm
from mtbalance.faults import briefly

KINDS: dict[pa.DataType, Kind] = {pa.int32(): "id", pa.float32(): "number", pa.string(): "text"}
WITHOUT_LABELS: dict[str, Any] = {"tasks": {}, "group": None, "weight": None, "split": None, "ignore": {}}
"""What a form says where rows have no labels, and no split to be in."""


def form_of_features(form: TableForm) -> dict[str, Any]:
    """What a table's block says of its features, for a schema: without labels and groups."""
    kept = set(TableForm.model_fields) - set(WITHOUT_LABELS)
    return form.model_dump(mode="json", include=kept) | WITHOUT_LABELS


def raw_rows(path: Path, schema: RankingSchema) -> Iterator[pa.Table]:
    """The feature columns of a file, block by block, as the Parquet files of the data set have them.

    The file is CSV (also .gz or .zip) or Parquet. For a table of one's own it has the columns of the raw table; for
    other data sets those of the prepared one. Labels, groups and any other columns may be absent. Raises
    :class:`DataError` as the adapter does: for a column that is missing, and for a cell that should be a number and is
    none.
    """
    if not path.is_file():
        raise DataError(f"{path} is not here")
    types = _types(schema)
    if schema.form is not None:
        form = TableForm.model_validate(schema.form)
        frames: Iterator[pl.DataFrame] = (
            features_and_labels(block, form, str(path)) for block in text_blocks(path, form)
        )
    else:
        frames = _parquet(path, types) if path.suffix.lower() == ".parquet" else _csv(path, types)
    yield from (frame.select(types.names).to_arrow().cast(types) for frame in frames)


def _types(schema: RankingSchema) -> pa.Schema:
    """The feature columns with their types in the data set's Parquet files."""
    categories = [
        pa.field(column.name, pa.string() if is_text(column) else pa.int32()) for column in schema.categorical
    ]
    return pa.schema([*categories, *(pa.field(column.name, pa.float32()) for column in schema.numerical)])


def is_text(column: Categorical) -> bool:
    """Whether the categories of a column are texts; else they are whole numbers."""
    return not column.vocabulary or isinstance(column.vocabulary[0], str)


def _csv(path: Path, types: pa.Schema) -> Iterator[pl.DataFrame]:
    with open_raw(path) as stream:
        names = read_header(stream, str(path))
        _require(types.names, names, path)
        columns = [Column(name, KINDS[types.field(name).type] if name in types.names else "text") for name in names]
        for block in read_blocks(stream, columns, str(path), first_row=2):
            yield block.frame


def _parquet(path: Path, types: pa.Schema) -> Iterator[pl.DataFrame]:
    try:
        file = pq.ParquetFile(path)
        _require(types.names, file.schema_arrow.names, path)
        for batch in file.iter_batches(PARQUET_BLOCK, columns=types.names):
            yield pl.DataFrame(pa.Table.from_batches([batch]).select(types.names).cast(types))
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path} cannot be read as Parquet with the data set's columns: {briefly(error)}") from error


def _require(wanted: Sequence[str], found: Sequence[str], path: Path) -> None:
    for name in wanted:
        if name not in found:
            raise DataError(f"{path} has no column {name!r}; it has {list(found)}{other_separator(found)}")
