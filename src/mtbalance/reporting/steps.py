"""Numbers of a run's training steps, over an epoch and up to the best one: cosines, lengths and weights."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from mtbalance.records import RERUN, RecordError, RunRecord
from mtbalance.records.table import read_table
from mtbalance.reporting.value import Value

PRODUCTS = ("dot", "gradient", "update")
"""g.Delta, |g|^2 and |Delta|^2, by the name that the columns of a part have in a steps file."""
PARTS = ("shared", "task_specific", "half")


def of_steps(record: RunRecord, path: Path) -> Iterator[Value]:
    """The numbers of each finished epoch; and, without an epoch, those from the first step to the end of the best one.

    A cosine is the mean over steps of cos(-g, Delta), between the joint gradient and the change of the parameters
    (PUB, section III): 1 for gradient descent. Steps where either is zero have no cosine and are left out. A length is
    the root mean square of |Delta|. A part without parameters has no numbers. Numbers over no step are missing.

    Raises :class:`~mtbalance.records.RecordError` if the file is missing or has other epochs than the record.
    """
    steps = _read(record, path)
    for epoch in record.epochs:
        yield from _of(steps[steps["epoch"] == epoch.epoch], epoch.epoch)
    yield from _of(steps[steps["epoch"] <= record.best_epoch], None)


def _read(record: RunRecord, path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise RecordError(f"{path} is missing, but the experiment measures cosines", RERUN)
    steps = read_table(path, record.digest).to_pandas()
    lost = [epoch.epoch for epoch in record.epochs if epoch.epoch not in set(steps["epoch"])]
    if lost:
        raise RecordError(f"{path} has no steps of epoch {lost[0]}, which the run's record has")
    return steps


def _of(steps: pd.DataFrame, epoch: int | None) -> Iterator[Value]:
    """The numbers of some of a run's steps."""
    products = {part: steps[[f"{part}_{name}" for name in PRODUCTS]] for part in PARTS if f"{part}_dot" in steps}
    found = {part: columns.to_numpy().T for part, columns in products.items()}
    if {"shared", "half"} <= found.keys():
        found["other_half"] = found["shared"] - found["half"]
    for part, (dot, gradient, update) in found.items():
        lengths = np.sqrt(np.where((gradient > 0) & (update > 0), gradient * update, np.nan))
        yield Value(epoch, "train", "", f"cosine_{part}", float(pd.Series(-dot / lengths).mean()))
        if part in ("shared", "task_specific"):
            yield Value(epoch, "train", "", f"length_{part}", float(np.sqrt(pd.Series(update).mean())))
    for column in steps.filter(regex="^weight_"):
        task, weights = column.removeprefix("weight_"), steps[column]
        yield Value(epoch, "train", task, "weight_mean", float(weights.mean()))
        yield Value(epoch, "train", task, "weight_spread", float(weights.std(ddof=0)))
