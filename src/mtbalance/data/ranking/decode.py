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

from mtbalance.data.ranking.schema import NO_LABEL, Numerical, RankingSchema, RankingTask

Array = NDArray[np.number[Any]]
Cells = NDArray[np.int32]
"""Rows [rows, width] whose first cells are integers, and whose others hold the bits of float32 numbers."""


def decode(path: Path, groups: NDArray[np.integer], schema: RankingSchema) -> Cells:
    """The rows of some row groups as cells [rows, F + N + K]: ids int32, and the bits of float32 numbers and labels.

    F is the number of categorical and of binned columns, in this order. Labels that are missing are NaN, and those of a
    regression are scaled for its loss. Where rows have weights, they come last.
    """
    file = pq.ParquetFile(path)
    rows = sum(file.metadata.row_group(int(group)).num_rows for group in groups)
    numbers, labels, width = ends(schema)
    cells = np.empty((rows, width), dtype=np.int32)
    floats = cells.view(np.float32)
    columns = (schema.categorical, schema.numerical, schema.tasks)
    weight = [] if schema.weight is None else [schema.weight]
    names = [column.name for some in columns for column in some] + weight
    start = 0
    for group in groups:
        table = file.read_row_group(int(group), columns=names)
        part = slice(start, start + table.num_rows)
        cells[part, :numbers], floats[part, numbers:labels] = encode(table, schema)
        for place, task in enumerate(schema.tasks, start=labels):
            floats[part, place] = target(table[task.name].to_numpy(), task)
        for name in weight:
            floats[part, -1] = table[name].to_numpy()
        start = part.stop
    return cells


def ends(schema: RankingSchema) -> tuple[int, int, int]:
    """Where a row's ids, its numbers, and its labels with its weight end among its cells."""
    ids = len(schema.table_sizes)
    numbers = ids + len(schema.numbers)
    return ids, numbers, numbers + len(schema.tasks) + (schema.weight is not None)


def target(values: Array, task: RankingTask) -> Array:
    """A task's labels as its loss takes them; NaN for missing ones."""
    if task.loss is not None:
        return task.scaled(values.astype(np.float64))
    return np.where(values == NO_LABEL, np.nan, values)


def encode(table: pa.Table, schema: RankingSchema) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The inputs of a model from columns of raw values: ids [rows, F] (0: not in training), numbers [rows, N].

    ``table`` has the feature columns of the schema, with the types that a split's Parquet file has. F is the number of
    categorical and of binned columns, in this order.
    """
    ids = np.empty((table.num_rows, len(schema.table_sizes)), dtype=np.int32)
    numbers = np.empty((table.num_rows, len(schema.numbers)), dtype=np.float32)
    for position, column in enumerate(schema.categorical):
        ids[:, position] = indices(table[column.name], column.vocabulary)
    for position, number in enumerate(schema.binned, start=len(schema.categorical)):
        ids[:, position] = bins(table[number.name].to_numpy(), number.knots)
    for position, number in enumerate(schema.numbers):
        numbers[:, position] = normalized(table[number.name].to_numpy(), number, schema.normalize)
    return ids, numbers


def indices(values: pa.ChunkedArray, vocabulary: Sequence[int] | Sequence[str]) -> NDArray[np.int32]:
    """Model indices of raw values: the position in the vocabulary plus one, and 0 for values not in it."""
    found = pc.index_in(values, value_set=pa.array(vocabulary, type=values.type))
    positions: NDArray[np.int32] = pc.add(pc.fill_null(found, -1), 1).to_numpy()
    return positions


def bins(values: NDArray[np.float32], knots: Sequence[float]) -> NDArray[np.int32]:
    """Model indices of numbers: 1 below the second knot, 2 from it on, and so on; 0 for NaN, a missing number."""
    places = np.searchsorted(np.asarray(knots, dtype=np.float32), values, side="right").clip(1)
    return np.where(np.isnan(values), 0, places).astype(np.int32)


def normalized(values: NDArray[np.float32], column: Numerical, normalize: str) -> NDArray[np.floating]:
    """Numbers as a model takes them. NaN, a missing number, becomes the training mean.

    A column of the form ``quantile`` becomes its place among the knots, linear between two of them: -1 is the first and
    1 the last. Of other columns, ``standard`` subtracts the training mean and divides by the training standard
    deviation; a column that is constant in training is not divided. ``none`` leaves the numbers as they are.
    """
    values = np.where(np.isnan(values), column.mean, values.astype(np.float64))
    if column.form == "quantile":
        return np.interp(values, column.knots, np.linspace(-1, 1, len(column.knots)))
    return values if normalize == "none" else (values - column.mean) / (column.std or 1.0)
