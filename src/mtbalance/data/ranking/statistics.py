"""Vocabularies and moments of training rows, collected block by block in float64."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from mtbalance.data import DataError
from mtbalance.data.ranking.schema import Categorical, Numerical

Vector = NDArray[np.float64]


class Vocabularies:
    """Distinct values of each categorical column, without those in fewer rows than ``at_least`` says of the column."""

    def __init__(self, names: Sequence[str], at_least: Mapping[str, int] = MappingProxyType({})) -> None:
        self._values: dict[str, set[Any]] = {name: set() for name in names}
        self._at_least = at_least
        self._counts: dict[str, Counter[Any]] = {name: Counter() for name in at_least}

    def add(self, frame: pl.DataFrame) -> None:
        """Collect the values of a block's rows."""
        for name, values in self._values.items():
            column = frame.get_column(name)
            if name in self._counts:
                self._counts[name].update(dict(column.value_counts().iter_rows()))
            else:
                values.update(column.unique().to_list())

    def result(self) -> list[Categorical]:
        """The columns with their sorted values. Raises :class:`DataError` for a column without a frequent one."""
        for name, least in self._at_least.items():
            self._values[name] = {value for value, count in self._counts[name].items() if count >= least}
            if not self._values[name]:
                raise DataError(
                    f"column {name!r}: no value is in {least} training rows; lower its `at_least` under `categorical`"
                )
        return [Categorical(name=name, vocabulary=sorted(values)) for name, values in self._values.items()]


class Moments:
    """Count, mean, second central moment, minimum and maximum of each numerical column; NaN is no value.

    Blocks are merged by the pairwise formula of Chan, Golub and LeVeque (1979), which keeps digits that a sum of
    squares would lose.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = list(names)
        self._count, self._mean, self._square = np.zeros((3, len(self._names)))
        self._min, self._max = np.full(len(self._names), np.inf), np.full(len(self._names), -np.inf)

    def add(self, frame: pl.DataFrame) -> None:
        """Count the numbers of a block's rows."""
        if self._names and frame.height:
            columns = [_moments(frame.get_column(name).to_numpy()) for name in self._names]
            count, mean, square, low, high = np.array(columns).T
            self._merge(count, mean, square)
            self._min, self._max = np.minimum(self._min, low), np.maximum(self._max, high)

    def _merge(self, count: Vector, mean: Vector, square: Vector) -> None:
        total = self._count + count
        share = count / np.maximum(total, 1)
        shift = mean - self._mean
        self._square += square + shift**2 * self._count * share
        self._mean += shift * share
        self._count = total

    def result(self) -> list[Numerical]:
        """The columns with their statistics. Raises :class:`DataError` for a column without any number."""
        empty = [name for name, count in zip(self._names, self._count, strict=True) if count == 0]
        if empty:
            raise DataError(f"no training row has a number in columns {empty}; leave them out of `numerical`")
        std = np.sqrt(self._square / np.maximum(self._count, 1))
        rows = zip(self._names, self._mean, std, self._min, self._max, strict=True)
        return [Numerical(name=n, mean=m, std=s, min=low, max=high) for n, m, s, low, high in rows]


def _moments(column: NDArray[np.float32]) -> tuple[float, float, float, float, float]:
    values = column.astype(np.float64)
    mean = values.mean()
    if np.isnan(mean):
        values = values[~np.isnan(values)]
        mean = values.mean() if values.size else 0.0
    low, high = values.min(initial=np.inf), values.max(initial=-np.inf)
    values -= mean
    values *= values  # not a dot product: BLAS threads would compete with the parser's
    return values.size, mean, values.sum(), low, high
