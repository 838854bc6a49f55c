"""gain: whether a run that chooses no epoch was still getting better when it ended."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mtbalance.records.evaluation import number_in
from mtbalance.records.run import EpochRecord
from mtbalance.tasks import Task

SMALL = 0.01
"""A gain that is no sign of unfinished training: differences between methods of this size are seldom told apart."""


def gain(epochs: Sequence[EpochRecord], last: int, tasks: Sequence[Task]) -> float:
    """The relative change for the better from the ``last`` epochs before the ``last`` ones to those, as a share.

    Metrics are means over both windows. A task counts by the mean over its metrics, and the tasks by their mean, as in
    the PUB paper's delta-m. NaN if there are no epochs before, or a metric has been 0 there.
    """
    before, after = epochs[-2 * last : -last], epochs[-last:]
    changes = [
        np.mean([sign * _change(_mean(before, name, task), _mean(after, name, task)) for name, sign in found.items()])
        for task, found in ((task.name, task.metrics) for task in tasks)
    ]
    return float(np.mean(changes))


def _mean(epochs: Sequence[EpochRecord], metric: str, task: str) -> float:
    values = [number_in(epoch.evaluation, metric, task) for epoch in epochs]
    return float(np.mean(values)) if values else np.nan


def _change(before: float, after: float) -> float:
    return (after - before) / abs(before) if before else np.nan
