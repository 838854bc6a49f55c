"""Delta-m: one number for how much better or worse a method is than single-task learning."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mtbalance.errors import UserError

Values = Mapping[str, Mapping[str, float]]
"""A value for each metric of each task."""
Directions = Mapping[str, Mapping[str, int]]
"""For each metric of each task, 1 if higher is better, -1 if lower is. Only the metrics named here count."""


def relative_changes(values: Values, baseline: Values, directions: Directions) -> dict[str, dict[str, float]]:
    """Change of each metric in percent of the baseline's value; negative is better.

    Raises ``UserError`` if a metric is missing, or is 0 in the baseline.
    """
    return {
        task: {
            metric: -100 * direction * _relative(_value(values, task, metric), _value(baseline, task, metric))
            for metric, direction in metrics.items()
        }
        for task, metrics in directions.items()
    }


def delta_m(values: Values, baseline: Values, directions: Directions) -> float:
    """Delta-m as MTAN, CAGrad, NashMTL and FAMO define it: the mean relative change over all metrics of all tasks.

    In percent; negative is better. Raises as :func:`relative_changes` does.
    """
    changes = relative_changes(values, baseline, directions)
    return float(np.mean([change for metrics in changes.values() for change in metrics.values()]))


def delta_m_by_task(values: Values, baseline: Values, directions: Directions) -> float:
    """Delta-m as the PUB paper defines it: the mean within each task first, then the mean over tasks.

    In percent; negative is better. On NYUv2 a metric of segmentation or depth then weighs 1/6 and one of normals 1/15;
    in :func:`delta_m` each weighs 1/9. Raises as :func:`relative_changes` does.
    """
    changes = relative_changes(values, baseline, directions)
    return float(np.mean([np.mean(list(metrics.values())) for metrics in changes.values()]))


def _value(values: Values, task: str, metric: str) -> float:
    try:
        return values[task][metric]
    except KeyError:
        raise UserError(f"delta-m needs metric {metric} of task {task}, which is missing") from None


def _relative(value: float, baseline: float) -> float:
    if baseline == 0:
        raise UserError("delta-m is undefined, because a metric of the baseline is 0")
    return (value - baseline) / baseline
