"""Predictions: what a trained model says of every row of a split, as a Parquet file beside the run's record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from torch import Tensor

from mtbalance.data.batch import Batch
from mtbalance.problems import Problem
from mtbalance.records.table import write_table


class Predictions:
    """Gathers the predictions of an evaluation, batch by batch, in the order of the split."""

    def __init__(self, problem: Problem[Any]) -> None:
        self._problem = problem
        self._rows = 0
        self._parts: list[Mapping[str, NDArray[Any]]] = []

    def add(self, batch: Batch, outputs: Sequence[Tensor]) -> None:
        """Keep a batch's predictions; the kind of problem says which columns (:meth:`Problem.predictions`)."""
        columns = self._problem.predictions(batch, outputs)
        rows = len(next(iter(columns.values())))
        numbers = np.arange(self._rows, self._rows + rows)
        self._parts.append({"row": numbers, **columns})
        self._rows += rows

    def table(self) -> pa.Table:
        """All rows: ``row``, the number of the row in the split from 0, and the columns of the kind of problem."""
        if not self._parts:
            return pa.table({"row": pa.array([], pa.int64())})
        names = self._parts[0]
        return pa.table({name: np.concatenate([part[name] for part in self._parts]) for name in names})

    def write(self, path: Path) -> None:
        """Write the table as Parquet, whole or not at all."""
        write_table(path, self.table(), self._problem.config.digest())


@contextmanager
def kept(problem: Problem[Any], path: Path | None) -> Iterator[Predictions | None]:
    """Predictions that are written to ``path`` when the block ends; without a path None, and nothing is gathered.

    A run that diverged has a file without rows, or with those before its outputs stopped being finite.
    """
    if path is None:
        yield None
        return
    predictions = Predictions(problem)
    yield predictions
    predictions.write(path)
