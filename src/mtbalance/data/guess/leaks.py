"""leaks: columns of prepared training rows that alone tell a label almost surely."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from mtbalance.data.guess.alone import LEAK, auc_alone
from mtbalance.data.guess.look import Column
from mtbalance.data.ranking.schema import NO_LABEL

ROWS = 50_000
"""Training rows that are looked at, the first ones of the file."""


def leaks(
    train: Path, categorical: Sequence[str], numerical: Sequence[str], tasks: Sequence[str]
) -> dict[str, dict[str, float]]:
    """The AUC of each feature that alone gives a binary task more than :data:`LEAK`, by task and column."""
    frame = pl.read_parquet(train, columns=[*categorical, *numerical, *tasks], n_rows=ROWS)
    found: dict[str, dict[str, float]] = {}
    for task in tasks:
        rows = frame.filter(pl.col(task) != NO_LABEL)
        label = rows[task].to_numpy() == 1
        for name in (*categorical, *numerical):
            cells = rows[name]
            numbers = cells.cast(pl.Float64).fill_nan(None) if name in numerical else None
            auc = auc_alone(Column(name, cells, numbers, cells.n_unique()), label)
            if auc > LEAK:
                found.setdefault(task, {})[name] = round(auc, 4)
    return found
