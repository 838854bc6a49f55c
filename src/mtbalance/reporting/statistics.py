"""Statistics over seeds: mean, spread, the paired test, and its correction for many cells."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

BySeed = Mapping[int, float]
"""One number per seed."""


class PairedTest(NamedTuple):
    """A two-sided paired t-test, or the reason why there was none."""

    pairs: int
    difference: float
    """Mean over the common seeds of method minus baseline; NaN without a common seed."""
    p: float
    """NaN if nothing was tested."""
    untested: str
    """The reason for a missing p; empty if there is one."""


def mean(values: Sequence[float]) -> float:
    """Arithmetic mean; NaN of nothing."""
    return float(np.mean(values)) if len(values) else math.nan


def standard_deviation(values: Sequence[float]) -> float:
    """Standard deviation with n - 1 in the denominator; NaN of fewer than two values."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else math.nan


def pairs(values: BySeed, baseline: BySeed) -> tuple[list[float], list[float]]:
    """The values and the baseline's values of the seeds that both have, in the order of the seeds."""
    seeds = sorted(values.keys() & baseline.keys())
    return [values[seed] for seed in seeds], [baseline[seed] for seed in seeds]


def differences(values: BySeed, baseline: BySeed) -> list[float]:
    """Value minus baseline, seed by seed, for the seeds that both have."""
    return [value - reference for value, reference in zip(*pairs(values, baseline), strict=True)]


def ratios(values: BySeed, baseline: BySeed) -> list[float]:
    """Value over baseline, seed by seed, for the seeds that both have; NaN over a baseline of zero."""
    both = zip(*pairs(values, baseline), strict=True)
    return [value / reference if reference else math.nan for value, reference in both]


def paired_test(values: BySeed, baseline: BySeed) -> PairedTest:
    """Paired t-test of ``values`` against ``baseline`` over their common seeds (``scipy.stats.ttest_rel``).

    Fewer than two pairs cannot be tested, nor differences that do not vary: the result then says so, instead of giving
    a p of 0 or 1.
    """
    ours, theirs = pairs(values, baseline)
    differences: NDArray[np.float64] = np.subtract(ours, theirs)
    difference = mean(differences.tolist())
    if len(differences) < 2:
        return PairedTest(len(differences), difference, math.nan, "fewer than two common seeds")
    # A smaller range is the rounding of equal differences; t would be nonsense.
    if np.ptp(differences) < 1e-12:
        return PairedTest(len(differences), difference, math.nan, "differences without variance")
    return PairedTest(len(differences), difference, float(stats.ttest_rel(ours, theirs).pvalue), "")


def paired_interval(values: BySeed, baseline: BySeed, level: float) -> tuple[float, float]:
    """Confidence interval of the mean difference over common seeds, from Student's t; NaN where nothing was tested."""
    if paired_test(values, baseline).untested:
        return math.nan, math.nan
    ours, theirs = pairs(values, baseline)
    low, high = stats.ttest_rel(ours, theirs).confidence_interval(level)
    return float(low), float(high)


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values of one table after Holm's step-down adjustment (Holm 1979). NaN stays NaN and is not counted."""
    adjusted = [math.nan] * len(p_values)
    order = sorted((p, index) for index, p in enumerate(p_values) if not math.isnan(p))
    largest = 0.0
    for rank, (p, index) in enumerate(order):
        largest = max(largest, min(1.0, (len(order) - rank) * p))
        adjusted[index] = largest
    return adjusted
