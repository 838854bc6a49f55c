"""Numbers of a run's training steps, over an epoch and up to the best one: cosines, lengths and weights."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mtbalance.records import RERUN, RecordError, RunRecord
from mtbalance.records.table import PRODUCTS, read_table
from mtbalance.reporting.value import Value

PARTS = ("shared", "task_specific", "half")
Columns = dict[str, NDArray[Any]]
"""The columns of a steps file, [steps] each. Data frames would take most of the time: runs have few steps an epoch."""


def of_steps(record: RunRecord, path: Path) -> Iterator[Value]:
    """The numbers of each finished epoch; and, without an epoch, those from the first step to the end of the best one.

    A cosine is the mean over steps of cos(-g, Delta), between the joint gradient and the change of the parameters
    (PUB, section III): 1 for gradient descent. Steps where either is zero have no cosine and are left out. A length is
    the root mean square of |Delta|. A part without parameters has no numbers. Numbers over no step are missing.

    Raises :class:`~mtbalance.records.RecordError` if the file is missing or has other epochs than the record.
    """
    steps = _read(record, path)
    epochs = steps["epoch"]
    for epoch in record.epochs:
        yield from _of(_where(epochs == epoch.epoch, steps), epoch.epoch)
    yield from _of(_where(epochs <= record.best_epoch, steps), None)


def _read(record: RunRecord, path: Path) -> Columns:
    if not path.is_file():
        raise RecordError(f"{path} is missing, but the experiment measures cosines", RERUN)
    table = read_table(path, record.digest, ["epoch"])
    steps = {name: table[name].to_numpy() for name in table.column_names}
    there = set(steps["epoch"].tolist())
    lost = [epoch.epoch for epoch in record.epochs if epoch.epoch not in there]
    if lost:
        raise RecordError(f"{path} has no steps of epoch {lost[0]}, which the run's record has")
    return steps


def _where(chosen: NDArray[np.bool_], steps: Columns) -> Columns:
    return {name: column[chosen] for name, column in steps.items()}


def _of(steps: Columns, epoch: int | None) -> Iterator[Value]:
    """The numbers of some of a run's steps."""
    found = {part: np.stack([steps[f"{part}_{name}"] for name in PRODUCTS]) for part in PARTS if f"{part}_dot" in steps}
    if {"shared", "half"} <= found.keys():
        found["other_half"] = found["shared"] - found["half"]
    for part, (dot, gradient, update) in found.items():
        lengths = np.sqrt(np.where((gradient > 0) & (update > 0), gradient * update, np.nan))
        yield Value(epoch, "train", "", f"cosine_{part}", float(pd.Series(-dot / lengths).mean()))
        if part in ("shared", "task_specific"):
            yield Value(epoch, "train", "", f"length_{part}", float(np.sqrt(pd.Series(update).mean())))
    for column in (name for name in steps if name.startswith("weight_")):
        task, weights = column.removeprefix("weight_"), pd.Series(steps[column])
        yield Value(epoch, "train", task, "weight_mean", float(weights.mean()))
        yield Value(epoch, "train", task, "weight_spread", float(weights.std(ddof=0)))
