"""knots_of: the knots of a number, which piecewise linear encodings, quantiles and bins are made of."""

from __future__ import annotations

from math import isqrt
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

MOST_KNOTS = 256
ROW_GROUPS_READ = 8
"""Row groups that knots are fitted on, spread evenly over a file: half a million rows."""


def knots_of(values: NDArray[np.float32]) -> list[float]:
    """Ascending knots of a number's training values; NaN is no value.

    There are at most as many as the square root of the number of values, and at most 256. If the distinct values are
    no more than that, each of them is a knot. Else one half are quantiles of the values, and the other half quantiles
    of the distinct values: they tell rare values apart where one value, such as 0, is most of the rows.
    """
    values = np.sort(values[~np.isnan(values)])  # quantiles of what is sorted take a seventh of the time
    first = np.ones(values.size, dtype=bool)
    first[1:] = values[1:] != values[:-1]
    distinct = values[first]
    most = max(2, min(MOST_KNOTS, isqrt(values.size)))
    if distinct.size > most:
        shares = np.linspace(0, 1, max(2, most // 2))
        found = [np.quantile(some, shares, method="closest_observation") for some in (values, distinct)]
        distinct = np.unique(np.concatenate(found))
    return [float(value) for value in distinct]


def fitted_knots(path: Path, names: list[str]) -> dict[str, list[float]]:
    """The knots of some columns of a Parquet file of training rows, read column by column."""
    if not names:
        return {}
    file = pq.ParquetFile(path)
    chosen = np.unique(np.linspace(0, file.num_row_groups - 1, ROW_GROUPS_READ).round().astype(int)).tolist()
    return {name: knots_of(file.read_row_groups(chosen, columns=[name])[name].to_numpy()) for name in names}
