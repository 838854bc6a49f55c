"""BOUNDS: what the metrics of this package can be. A record with another number was damaged or made by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import inf

from mtbalance.records.evaluation import numbers_of

BOUNDS = {
    **dict.fromkeys(("auc", "mean_auc"), (0.0, 1.0)),
    **dict.fromkeys(("r2", "mean_score"), (-inf, 1.0)),
    **dict.fromkeys(("log_loss", "ne", "rmse", "mae", "abs_error", "rel_error"), (0.0, inf)),
    **dict.fromkeys(("mean_angle", "median_angle"), (0.0, 180.0)),
    **dict.fromkeys(("miou", "pixel_accuracy", "within_11_25", "within_22_5", "within_30"), (0.0, 100.0)),
}
"""The least and the largest value of a metric, by name. Metrics of a kind of problem of one's own have none."""


def faults(evaluation: Mapping[str, Mapping[str, float] | float]) -> Iterator[str]:
    """A sentence for each number that its metric cannot be."""
    for metric, task, value in numbers_of(evaluation):
        low, high = BOUNDS.get(metric, (-inf, inf))
        if not low <= value <= high:
            yield f"{metric} of {task} is {value:g}" if task else f"{metric} is {value:g}"
