"""told_alone: how well single columns of prepared training rows tell a label, by which a leak shows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from mtbalance.data.guess.alone import auc_alone
from mtbalance.data.guess.look import Column
from mtbalance.data.ranking.schema import LEAK, NO_LABEL

ROWS = 50_000
"""Training rows that are looked at, the first ones of the file."""
SHOWN = 3
"""Features that are named for each task, at least; all that are suspected leaks are."""


def told_alone(
    train: Path, categorical: Sequence[str], numerical: Sequence[str], tasks: Sequence[str]
) -> dict[str, dict[str, float]]:
    """The AUC of the features that alone tell each binary task best, by task and column, the best one first."""
    frame = pl.read_parquet(train, columns=[*categorical, *numerical, *tasks], n_rows=ROWS)
    found: dict[str, dict[str, float]] = {}
    for task in tasks:
        rows = frame.filter(pl.col(task) != NO_LABEL)
        label = rows[task].to_numpy() == 1
        aucs = {}
        for name in (*categorical, *numerical):
            cells = rows[name]
            numbers = cells.cast(pl.Float64).fill_nan(None) if name in numerical else None
            aucs[name] = round(auc_alone(Column(name, cells, numbers, cells.n_unique()), label), 4)
        best = sorted(aucs, key=lambda name: -aucs[name])
        found[task] = {name: aucs[name] for place, name in enumerate(best) if place < SHOWN or aucs[name] > LEAK}
    return found
