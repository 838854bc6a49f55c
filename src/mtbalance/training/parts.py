"""Parts of a batch: how much each counts in the whole batch's losses, and the part of one of several processes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mtbalance.balancing.processes import Processes
from mtbalance.data.batch import Batch
from mtbalance.tasks import Task


def sizes_of(tasks: Sequence[Task], batch: Batch) -> NDArray[np.float64]:
    """How much the loss [K] of each task counts in a mean over batches: by its rows."""
    return np.array([task.size(target) for task, target in zip(tasks, batch.targets, strict=True)], dtype=float)


def shares_of(tasks: Sequence[Task], parts: Sequence[Batch]) -> NDArray[np.float64]:
    """Each task's shares [K, parts] of the parts in its loss, by their rows or pixels; zeros where none has a label."""
    pairs = [zip(tasks, part.targets, strict=True) for part in parts]
    terms = np.array([[task.terms(target) for task, target in pair] for pair in pairs], dtype=float).T
    totals = terms.sum(axis=1, keepdims=True)
    shares: NDArray[np.float64] = np.divide(terms, totals, out=np.zeros_like(terms), where=totals > 0)
    return shares


def own_part(tasks: Sequence[Task], batch: Batch, among: Processes) -> tuple[Batch, NDArray[np.float64]]:
    """This process's part of a batch, and the factors [K] that make a mean over processes the whole batch's loss.

    Parts have equally many rows, or one more. A factor is the share of the part in the task's loss, times the number of
    processes. Where there are fewer rows than processes, some get a row of another one, which counts 0.
    """
    if among.size == 1:
        return batch, np.ones(len(tasks))
    parts = batch.parts(among.size)
    if among.rank >= len(parts):
        return parts[0], np.zeros(len(tasks))
    return parts[among.rank], among.size * shares_of(tasks, parts)[:, among.rank]
