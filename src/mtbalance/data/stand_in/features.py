"""Features of stand-in rows: each column looks like that of AliExpress NL. No row of AliExpress was used.

Only the printed summary of a 10,000-row sample was imitated (distinct values, means, deviations, roughly how often a
number is zero). Columns are drawn independently of each other. The columns of a search are the same in all its rows.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.random import Generator
from numpy.typing import NDArray

CARDINALITIES = (1, 4, 7, 2, 2, 6, 36, 8, 8, 2, 2, 2, 2, 2, 2, 2)
"""Distinct values of each categorical column."""
SEARCH_CATEGORICAL, SEARCH_NUMERICAL = 9, 23
"""Numbers of the first columns of each role, which belong to the search; the others belong to an item."""
# fmt: off
SKEWS = (0., 3.2, 2.3, .3, .3, 3., .9, 1.6, .8, 1.1, 1.3, 1.5, 3., 3., .2, 7.)  # frequency ~ rank**-skew
ZERO_SHARES = (
    .35, .6, .85, .35, .35, .35, .35, .6, .03, .03, .03, .03, .03, .03, .03, .03, .03, .03, .03, .6, .6,
    .03, .6, .35, .6, .35, .03, .03, .03, .03, .03, .35, .35, .03, .03, .03, .35, .35, .35, .35, .6, .85,
    .6, .6, .85, .85, .03, .35, .35, .35, .35, .03, .03, .03, .03, .03, .03, 1, 1, 1, .03, .6, .6,
)
MEANS = (
    .46, .39, .13, .36, .36, .34, .31, .24, .21, .12, .096, .084, .078, .072, .063, .059, .058, .056, .29,
    .18, .12, .43, .12, .095, .054, .16, .15, .61, .26, .4, .5, .016, .072, .53, .46, .049, .016, .19, .29,
    .39, .18, .0016, .0069, .27, .12, .006, .38, .19, .065, .24, .28, .42, .35, .14, .2, .49, .11, 0, 0, 0,
    .38, .16, .18,
)
DEVIATIONS = (
    .48, .46, .31, .42, .4, .39, .39, .37, .14, .062, .05, .046, .043, .042, .04, .04, .053, .048, .19, .22,
    .21, .36, .16, .079, .11, .17, .16, .15, .16, .28, .28, .029, .1, .18, .18, .032, .015, .18, .3, .33,
    .24, .01, .019, .44, .32, .033, .28, .18, .1, .24, .34, .13, .22, .13, .09, .27, .074, 0, 0, 0, .38,
    .21, .23,
)
# fmt: on


def draw_features(rows: int, rows_per_search: float, first_search: int, random: Generator) -> pl.DataFrame:
    """Rows with search_id, 16 categorical and 63 numerical columns; numbers have at most 6 decimals."""
    sizes = 1 + random.poisson(max(0.0, rows_per_search - 1), size=rows)
    search = np.repeat(np.arange(rows), sizes)[:rows]
    identifiers = first_search + np.cumsum(random.integers(1, 4, size=rows))
    searches = int(search[-1]) + 1
    columns: dict[str, NDArray[np.number]] = {"search_id": identifiers[search]}
    for number, (values, skew) in enumerate(zip(CARDINALITIES, SKEWS, strict=True), start=1):
        of_search = number <= SEARCH_CATEGORICAL
        drawn = _categories(values, skew, searches if of_search else rows, random)
        columns[f"categorical_{number}"] = drawn[search] if of_search else drawn
    for number, shape in enumerate(zip(ZERO_SHARES, MEANS, DEVIATIONS, strict=True), start=1):
        of_search = number <= SEARCH_NUMERICAL
        numbers = _numbers(*shape, searches if of_search else rows, random)
        columns[f"numerical_{number}"] = numbers[search] if of_search else numbers
    return pl.DataFrame(columns)


def _categories(values: int, skew: float, size: int, random: Generator) -> NDArray[np.int64]:
    frequencies = np.arange(1, values + 1) ** -skew
    return random.choice(values, size=size, p=frequencies / frequencies.sum())


def _numbers(zeros: float, mean: float, deviation: float, size: int, random: Generator) -> NDArray[np.number]:
    """Zeros in that share, the others from a beta distribution; all of them have about that mean and deviation."""
    if mean == 0:
        return np.zeros(size, dtype=np.int64)
    center = mean / (1 - zeros)
    variance = (deviation**2 + mean**2) / (1 - zeros) - center**2
    weight = max(center * (1 - center) / max(variance, 1e-6) - 1, 0.3)
    drawn = random.beta(center * weight, (1 - center) * weight, size=size)
    return np.round(np.where(random.random(size) < zeros, 0.0, drawn), 6)
