"""predict: the predictions for raw rows, and what was unknown in them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import torch
from numpy.typing import NDArray

from mtbalance.data.ranking.decode import encode, indices
from mtbalance.data.ranking.raw_rows import is_text, raw_rows
from mtbalance.data.ranking.schema import Categorical
from mtbalance.errors import UserError
from mtbalance.inference.model import Model
from mtbalance.inference.score import other_way
from mtbalance.writing import replacing

WRITERS = {".parquet": pq.ParquetWriter, ".csv": pa.csv.CSVWriter}
EXAMPLES = 3
"""Unknown values of a column that are named."""


class Unknown:
    """Values of categorical columns that no training row had: how many rows have one, and the first few of them."""

    def __init__(self) -> None:
        self.rows = 0
        self.counts: dict[str, int] = {}
        self.examples: dict[str, list[str]] = {}

    def add(self, table: pa.Table, ids: NDArray[np.int32], names: Iterable[str]) -> None:
        """Count those of a block of rows; 0 stands for them in ``ids`` [rows, F]."""
        self.rows += table.num_rows
        for column, name in zip(ids.T, names, strict=False):
            values = table[name].filter(pa.array(column == 0))
            if len(values):
                self.counts[name] = self.counts.get(name, 0) + len(values)
                seen = [*self.examples.get(name, []), *map(str, values.unique().to_pylist())]
                self.examples[name] = list(dict.fromkeys(seen))[: EXAMPLES + 1]

    def lines(self) -> Iterator[str]:
        """A sentence for each column that has some."""
        for name, count in self.counts.items():
            *shown, last = map(repr, self.examples[name])
            texts = ", ".join([*shown, last if len(shown) < EXAMPLES else "..."])
            if count == self.rows:
                yield (
                    f"warning: {name}: NONE of {self.rows:,} rows has a value that a training row had ({texts}); the"
                    " model takes all as unknown, and this column tells it nothing. Is it written as in training?"
                )
            else:
                yield (
                    f"{name}: {count:,} of {self.rows:,} rows have a value that no training row had ({texts}); the"
                    " model takes it as unknown"
                )


def predictions(model: Model, path: Path, unknown: Unknown) -> Iterator[pa.Table]:
    """The predictions (float32) for the rows of a file, block by block, with the number ``row`` of each from 0."""
    first, size = 0, model.problem.evaluation_batch
    for table in raw_rows(path, model.schema):
        for start in range(0, table.num_rows, size):
            part = table.slice(start, size)
            ids, numbers = encode(part, model.schema)
            _find_other_ways(part, ids, model.schema.categorical)
            unknown.add(part, ids, (column.name for column in model.schema.categorical))
            found = model(torch.from_numpy(ids), torch.from_numpy(numbers))
            columns = {name: answer.numpy() for name, answer in zip(model.columns, found, strict=True)}
            yield pa.table({"row": np.arange(first, first + part.num_rows), **columns})
            first += part.num_rows


def _find_other_ways(table: pa.Table, ids: NDArray[np.int32], columns: Iterable[Categorical]) -> None:
    """Look unknown codes up once more, as they are written in another way; ``ids`` [rows, F] are changed."""
    for place, column in enumerate(columns):
        lost = np.flatnonzero(ids[:, place] == 0)
        if len(lost) and is_text(column):
            texts = table[column.name].take(lost).to_pylist()
            ids[lost, place] = indices(pa.chunked_array([[other_way(text) for text in texts]]), column.vocabulary)


def write_predictions(tables: Iterator[pa.Table], output: Path | None) -> None:
    """Write predictions to a file, Parquet or CSV by its ending, whole or not at all; to standard output as CSV."""
    if output is None:
        _write(tables, pa.csv.CSVWriter, sys.stdout.buffer)
        return
    if output.suffix not in WRITERS:
        raise UserError(f"{output}: predictions are written as {' or '.join(WRITERS)}; give it one of these endings")
    with replacing(output) as partial:
        _write(tables, WRITERS[output.suffix], str(partial))


def _write(tables: Iterator[pa.Table], writer: Callable[..., Any], place: Any) -> None:
    first = next(tables)  # a file without rows is refused when it is read
    with writer(place, first.schema) as opened:
        opened.write_table(first)
        for table in tables:
            opened.write_table(table)
