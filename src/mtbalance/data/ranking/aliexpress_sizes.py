"""The size of AliExpress: rows by country, as far as they are published, and bytes of a row."""

from __future__ import annotations

from typing import NamedTuple

from mtbalance.config.datasets import HashSplit
from mtbalance.config.sizes import Size, StandIn
from mtbalance.data.ranking.schema import ROWS_IN_MEMORY, KnownRows

PARQUET_BYTES = 263
"""Bytes of a prepared row, measured on 40,000 synthetic rows, whose numbers hardly compress."""
DECODED_BYTES = 324
"""Bytes of a decoded row: 79 features and 2 labels, in 4 bytes each."""
CSV_BYTES = 500
"""Bytes of a row of the synthetic CSV files, measured likewise."""

STAND_IN = StandIn(
    {"adapter": "synthetic", "train_rows": 4096, "test_rows": 256, "click_rate": 0.3, "conversion_rate": 0.1}
)
"""Synthetic rows of the same 82 columns, with rates at which few rows have both labels of each task."""


class Country(NamedTuple):
    """The official rows of a country, and its zip."""

    train: int | None
    """Training rows that somebody has counted in public."""
    test: int | None
    """Test rows, likewise."""
    source: str
    """Who counted them."""
    total: int
    """Training and test rows; for all but NL from memory."""
    zip_bytes: int
    """Bytes of the original zip, as Tianchi's page rounds them; those of the processed zip are not published."""


NL_SOURCE = "a notebook of 2catycm/Multitask-Recommendation-Library, and line counts in deepsklearn"
COUNTRIES = {
    "NL": Country(12_157_894, 5_559_301, NL_SOURCE, 12_157_894 + 5_559_301, 1_490_000_000),
    "ES": Country(22_326_719, None, "the PUB paper, section VI-C", 31_668_583, 2_600_000_000),
    "FR": Country(None, None, "", 27_000_000, 2_250_000_000),
    "US": Country(None, None, "", 27_400_000, 2_250_000_000),
}


def known_rows(country: str) -> KnownRows | None:
    """The numbers of rows that somebody has counted in public; None for a country that nobody has counted."""
    found = COUNTRIES[country]
    return KnownRows(train=found.train, test=found.test, source=found.source) if found.source else None


def size(country: str, split: HashSplit) -> Size:
    """The size of a country. Where only the sum of rows is known, the training rows have the share of NL and ES."""
    found = COUNTRIES[country]
    counted = [(each.train, each.total) for each in COUNTRIES.values() if each.train is not None]
    share = sum(train for train, _ in counted) / sum(total for _, total in counted)
    train = round(share * found.total) if found.train is None else found.train
    return of_rows(train, found.total - train, split, found.zip_bytes, about=True)


def of_rows(train: int, test: int, split: HashSplit, raw: int, about: bool) -> Size:
    """The size of so many official rows, whose test side is cut into valid and test."""
    valid = round(test * split.valid / (split.valid + split.test))
    rows = {"train": train, "valid": valid, "test": test - valid}
    shared = sum(count for count in rows.values() if count > ROWS_IN_MEMORY)
    return Size(rows, raw, PARQUET_BYTES * (train + test) + DECODED_BYTES * shared, about)
