"""encode: converts raw values to a model's inputs: vocabulary indices, normalized numbers; decode: Parquet's, too."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from mtbalance.data.ranking.schema import Numerical, RankingSchema

Array = NDArray[np.number[Any]]


def decode(path: Path, groups: NDArray[np.integer], schema: RankingSchema) -> list[Array]:
    """The rows of some row groups: ids [rows, F] int32, numbers [rows, N] float32, labels [rows] float32 by task."""
    file = pq.ParquetFile(path)
    rows = sum(file.metadata.row_group(int(group)).num_rows for group in groups)
    ids = np.empty((rows, len(schema.categorical)), dtype=np.int32)
    numbers = np.empty((rows, len(schema.numerical)), dtype=np.float32)
    labels = [np.empty(rows, dtype=np.float32) for _ in schema.tasks]
    columns = (schema.categorical, schema.numerical, schema.tasks)
    names = [column.name for some in columns for column in some]
    start = 0
    for group in groups:
        table = file.read_row_group(int(group), columns=names)
        part = slice(start, start + table.num_rows)
        ids[part], numbers[part] = encode(table, schema)
        for label, task in zip(labels, schema.tasks, strict=True):
            label[part] = table[task.name].to_numpy()
        start = part.stop
    return [ids, numbers, *labels]


def encode(table: pa.Table, schema: RankingSchema) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The inputs of a model from columns of raw values: ids [rows, F] (0: not in training), numbers [rows, N].

    ``table`` has the feature columns of the schema, with the types that a split's Parquet file has.
    """
    ids = np.empty((table.num_rows, len(schema.categorical)), dtype=np.int32)
    numbers = np.empty((table.num_rows, len(schema.numerical)), dtype=np.float32)
    for position, column in enumerate(schema.categorical):
        ids[:, position] = indices(table[column.name], column.vocabulary)
    for position, number in enumerate(schema.numerical):
        numbers[:, position] = normalized(table[number.name].to_numpy(), number, schema.normalize)
    return ids, numbers


def indices(values: pa.ChunkedArray, vocabulary: Sequence[int] | Sequence[str]) -> NDArray[np.int32]:
    """Model indices of raw values: the position in the vocabulary plus one, and 0 for values not in it."""
    found = pc.index_in(values, value_set=pa.array(vocabulary, type=values.type))
    positions: NDArray[np.int32] = pc.add(pc.fill_null(found, -1), 1).to_numpy()
    return positions


def normalized(values: NDArray[np.float32], column: Numerical, normalize: str) -> NDArray[np.floating]:
    """Numbers as a model takes them. NaN, a missing number, becomes the training mean.

    ``standard`` subtracts the training mean and divides by the training standard deviation; a column that is constant
    in training is not divided. ``none`` leaves the numbers as they are.
    """
    values = np.where(np.isnan(values), column.mean, values.astype(np.float64))
    return values if normalize == "none" else (values - column.mean) / (column.std or 1.0)
