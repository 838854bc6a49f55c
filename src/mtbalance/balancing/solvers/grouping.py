"""K-means of a few numbers, solved exactly."""

from __future__ import annotations

import numpy as np

from mtbalance.balancing.arrays import Vector


def group_means(values: Vector, groups: int) -> Vector:
    """For each of the values [K] the mean of its group, where groups have the least sum of squares about their means.

    The best groups of numbers are runs of the sorted numbers, so that dynamic programming over their ends finds them
    (Fisher 1958). With as many groups as values, or more, each value is a group.
    """
    if groups >= len(values):
        return values
    order = np.argsort(values)
    ordered = values[order]
    centered = ordered - ordered.mean()
    sums, squares = (np.concatenate([[0.0], np.cumsum(each)]) for each in (centered, centered**2))
    sizes = np.arange(len(sums)) - np.arange(len(sums))[:, None]
    within = squares - squares[:, None] - (sums - sums[:, None]) ** 2 / np.where(sizes > 0, sizes, 1)
    within[sizes <= 0] = np.inf  # [i, j]: the sum of squares in a group of the sorted values i to j - 1
    best, begins = within[0], []
    for _ in range(groups - 1):  # best [j]: the least sum for the first j sorted values in so many groups
        totals = best[:, None] + within
        begins.append(totals.argmin(axis=0))
        best = totals.min(axis=0)
    cuts = [len(values)]
    for begin in reversed(begins):
        cuts.insert(0, int(begin[cuts[0]]))
    means = np.empty(len(values))
    means[order] = np.concatenate([np.full(len(part), part.mean()) for part in np.split(ordered, cuts[:-1])])
    return means
