"""new_values: how many test rows have a value that a model has not learned, as after a split by time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from mtbalance.data.ranking.schema import Categorical

MANY = 0.05
"""A share of the test rows that is worth a warning."""


def new_values(test: Path, columns: Sequence[Categorical]) -> dict[str, float]:
    """By categorical column, the share of test rows with a value outside the vocabulary, if it is above ``MANY``."""
    rows = pl.scan_parquet(test)
    shares = rows.select(
        (~pl.col(column.name).is_in(column.vocabulary)).mean().alias(column.name) for column in columns
    )
    found = shares.collect().row(0, named=True) if columns else {}
    return {name: round(share, 4) for name, share in found.items() if share > MANY}
