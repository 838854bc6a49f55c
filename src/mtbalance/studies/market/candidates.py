"""Candidates: the rows of a test split with their true probabilities and prices, and what a model shows of them."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.random import default_rng
from numpy.typing import NDArray

from mtbalance.config.datasets import TRUTH, HashSplit
from mtbalance.data import DataError
from mtbalance.data.files.verified import verified
from mtbalance.data.ranking.processed_csv import in_valid
from mtbalance.data.ranking.schema import RankingSchema
from mtbalance.records.evaluation import predicted_name

Array = NDArray[np.float64]
Rows = NDArray[np.intp]

TEST = "test.parquet"
LABELS = ("click", "conversion")
PRICE_SPREAD, PRICE_SEED = 0.5, 0
"""Prices are log-normal with median 1 and this standard deviation of the logarithm: two of three are in [0.6, 1.65]."""


class Candidates(NamedTuple):
    """The rows of a test split, in its order. A search's rows are what can be shown to it."""

    search: NDArray[np.int64]
    """The search of each row [rows]."""
    labels: NDArray[np.int8]
    """Click and conversion [rows, 2], as the test split has them."""
    click: Array
    """True probability [rows]."""
    conversion: Array
    """True probability of click and conversion together [rows]."""
    price: Array
    """Revenue of a conversion [rows], in a unit of its own. It is known to every model."""

    def shown(self, predicted: Array) -> Rows:
        """The row that is shown to each search [searches], in the order of their numbers.

        It is the one of the highest ``predicted`` conversion probability [rows] times price, the first of equals.
        """
        order = np.lexsort((-predicted * self.price, self.search))
        return order[np.unique(self.search[order], return_index=True)[1]]


def read_candidates(raw: Path, prepared: Path, split: HashSplit) -> Candidates:
    """The candidates of a stand-in data set, from the folders of its raw files and of its prepared ones.

    Raises :class:`DataError` if the true probabilities are not those of the prepared test split.
    """
    truth = pl.read_csv(raw / TRUTH)
    truth = truth.filter(~in_valid(truth.get_column("search_id"), split))
    sha256 = RankingSchema.read(prepared).splits["test"].sha256
    test = pl.read_parquet(verified(prepared / TEST, sha256), columns=["search_id", *LABELS])
    search = test.get_column("search_id").to_numpy()
    if not np.array_equal(search, truth.get_column("search_id").to_numpy()):
        raise DataError(
            f"{raw / TRUTH} does not have the {test.height:,} searches of {prepared / TEST}; prepare the data set again"
        )
    return Candidates(
        search=search,
        labels=test.select(LABELS).to_numpy().astype(np.int8),
        click=truth.get_column("click").to_numpy(),
        conversion=truth.get_column("conversion").to_numpy(),
        price=default_rng(PRICE_SEED).lognormal(0.0, PRICE_SPREAD, test.height),
    )


def read_predictions(path: Path, candidates: Candidates) -> Array:
    """A run's predicted probabilities [rows] of a conversion, from the file that it kept.

    Raises :class:`DataError`, which names the file, unless its rows are those of the test split in their order.
    """
    column = predicted_name("conversion")
    wanted = ["row", *LABELS, column]
    try:
        frame = pl.read_parquet(path, columns=wanted)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise DataError(f"{path} has no predictions with the columns {', '.join(wanted)} ({error})") from error
    rows = len(candidates.search)
    if frame.height != rows:
        raise DataError(f"{path} has {frame.height:,} rows, but the test split has {rows:,}; train the run again")
    if not np.array_equal(frame.get_column("row").to_numpy(), np.arange(rows)):
        raise DataError(f"{path}: column `row` does not count from 0 to {rows - 1}; train the run again")
    differing = np.flatnonzero((frame.select(LABELS).to_numpy() != candidates.labels).any(axis=1))
    if differing.size:
        raise DataError(
            f"{path}: row {differing[0]} and {differing.size - 1} more have other labels than the test split: these are"
            " predictions for another split or data set; train the run again"
        )
    predicted = frame.get_column(column).cast(pl.Float64).to_numpy()
    if not np.isfinite(predicted).all():
        row = np.flatnonzero(~np.isfinite(predicted))[0]
        raise DataError(f"{path}: {column} of row {row} is not finite")
    return predicted
