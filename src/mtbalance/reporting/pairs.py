"""Pairs of methods: does the one with the smaller Diff have the higher AUC? The statistics of PUB, section III.

The paper compares every method with every other on the same data set and model, counts how often a smaller Diff goes
with a higher average AUC, and tests the 2 x 2 table of counts with chi-square. That test takes its pairs as
independent, and they are not, for three reasons:

- Each pair is counted twice, as (i, j) and as (j, i). The table is symmetric by construction, and chi-square is twice
  what the comparisons give.
- Four methods make six pairs in a group (a data set with a model), but only four numbers are behind them.
- A method that is good and has a small Diff for reasons of its own shows this in every group. Twelve groups then repeat
  one observation: there are four methods.

So each pair is counted once here, and three tests follow that give up one assumption after the other: the exact
binomial test (pairs independent), the permutation of Diff within groups (groups independent), and the permutation of
methods, the same in all groups (methods independent).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from mtbalance.errors import UserError
from mtbalance.reporting.cosines import diffs
from mtbalance.reporting.value import GROUP

FEW = 12
"""Below so many groups the interval is called too short. With 12, the paper's, it has the share in 93 % of cases."""
READINGS = {"diff": "|cos task − cos shared|", "relative_diff": "|cos task − cos shared| / cos task"}
"""Equation 1 of the paper is lost in print. It says "difference" and "absolute value"; both readings are computed."""
RESAMPLES = 2000
MOST_METHODS = 7
"""Largest number of methods that are permuted exactly."""

Numbers = NDArray[np.float64]


class PairTests(NamedTuple):
    """The tests of one reading of Diff."""

    counts: NDArray[np.int64]
    """Ordered pairs (2 x 2): rows, the AUC of i is below that of j, or not; columns, its Diff is, or not."""
    reverse: int
    """Unordered pairs in which the smaller Diff has the higher AUC."""
    pairs: int
    """Unordered pairs without ties."""
    chi_square: float
    """Pearson's statistic of the ordered pairs, without Yates' correction."""
    chi_square_p: float
    yates: float
    """The same with Yates' correction."""
    yates_p: float
    binomial_p: float
    """Exact two-sided binomial test of the unordered pairs against one half."""
    within_groups_p: float
    """Two-sided exact p of the count when Diff is permuted in each group by itself (seasonal Kendall test)."""
    methods_p: float
    """Two-sided p when the methods are permuted, in all groups alike. NaN with groups of different methods."""
    low: float
    """Bounds of the 95 % interval of the share of reverse pairs: bootstrap of whole groups, percentiles."""
    high: float

    @property
    def share(self) -> float:
        """The share of reverse pairs."""
        return self.reverse / self.pairs if self.pairs else np.nan


def method_means(frame: pd.DataFrame) -> pd.DataFrame:
    """A row for each group and method: means over seeds of ``auc``, both cosines, and both readings of Diff.

    ``frame`` is a collected table of an experiment that measures cosines. Single-task runs share nothing and have no
    Diff: they are left out, and so are runs that diverged. Raises :class:`UserError` for a run that has no cosines, and
    for one that is missing: each method needs each seed wherever its backbone is run.
    """
    _refuse_gaps(frame[frame["shares"]])
    final = frame[frame["epoch"].isna() & frame["shares"] & (frame["status"] == "finished")]
    names = {"mean_auc": "auc", "cosine_shared": "shared", "cosine_task_specific": "task_specific"}
    chosen = final[final["metric"].isin(names) & ((final["split"] == "test") | (final["metric"] != "mean_auc"))]
    runs = chosen.pivot(index=[*GROUP, "balancer", "seed"], columns="metric", values="value")
    runs = runs.reindex(columns=list(names)).rename(columns=names)
    lacking = runs[runs.isna().any(axis=1)]
    if len(lacking):
        run = "/".join(map(str, lacking.index[0]))
        raise UserError(f"the run {run} has no AUC or no cosines: its experiment needs `measure: [cosines]`")
    order = frame[[*GROUP, "balancer"]].drop_duplicates()
    means = order.merge(runs.groupby([*GROUP, "balancer"]).mean().reset_index())
    return means.assign(**diffs(means["task_specific"], means["shared"]))


def _refuse_gaps(frame: pd.DataFrame) -> None:
    """Refuse a frame without the runs of some data set, method or seed that others have."""
    there = set(frame[[*GROUP, "balancer", "seed"]].drop_duplicates().itertuples(index=False, name=None))
    methods = {(backbone, balancer) for _, backbone, balancer, _ in there}
    seeds, datasets = {run[3] for run in there}, {run[0] for run in there}
    wanted = {(dataset, *method, seed) for dataset in datasets for method in methods for seed in seeds}
    if lacking := sorted(wanted - there):
        first = "/".join(map(str, lacking[0]))
        raise UserError(f"{len(lacking)} runs are missing from the pairs, the first is {first}: run the workflow again")


def pair_tests(means: pd.DataFrame, reading: str = "diff") -> PairTests:
    """All tests of one reading of Diff, from :func:`method_means`; seed 0 draws the bootstrap's groups."""
    groups = [
        (group["auc"].to_numpy(), group[reading].to_numpy())
        for _, group in means.groupby(GROUP, sort=False)
        if len(group) > 1
    ]
    if not groups:
        raise UserError("no data set and model has two methods: there is nothing to pair")
    found = np.array([_reverse(*group) for group in groups])
    reverse, pairs = int(found[:, 0].sum()), int(found[:, 1].sum())
    counts = _ordered(groups)
    chi, yates = (_chi_square(counts, correction) for correction in (False, True))
    low, high = _bootstrap(found, np.random.default_rng(0))
    return PairTests(
        counts=counts,
        reverse=reverse,
        pairs=pairs,
        chi_square=chi[0],
        chi_square_p=chi[1],
        yates=yates[0],
        yates_p=yates[1],
        binomial_p=float(stats.binomtest(reverse, pairs).pvalue) if pairs else np.nan,
        within_groups_p=within_groups(reverse, [len(auc) for auc, _ in groups], pairs),
        methods_p=_over_methods(means, reading),
        low=low,
        high=high,
    )


def power(pairs: int, share: float, level: float = 0.05) -> float:
    """Probability that the exact binomial test finds a true ``share`` of reverse pairs among independent ``pairs``.

    Dependent pairs are found less often: this is the most that a count can show.
    """
    if not pairs:
        return 0.0
    outcomes = np.arange(pairs + 1)
    found = np.array([stats.binomtest(int(count), pairs).pvalue <= level for count in outcomes])
    return float(stats.binom.pmf(outcomes, pairs, share)[found].sum())


def _reverse(auc: Numbers, diff: Numbers) -> tuple[int, int]:
    """Reverse pairs of a group, and its pairs without ties."""
    first, second = np.triu_indices(len(auc), 1)
    signs = np.sign(auc[first] - auc[second]) * np.sign(diff[first] - diff[second])
    return int((signs < 0).sum()), int((signs != 0).sum())


def _ordered(groups: Sequence[tuple[Numbers, Numbers]]) -> NDArray[np.int64]:
    """The paper's 2 x 2 table: A_ij (AUC of i below that of j) by B_ij (Diff of i below that of j), all i and j."""
    counts = np.zeros((2, 2), dtype=np.int64)
    for auc, diff in groups:
        for i, j in permutations(range(len(auc)), 2):
            counts[int(auc[i] >= auc[j]), int(diff[i] >= diff[j])] += 1
    return counts


def _chi_square(counts: NDArray[np.int64], correction: bool) -> tuple[float, float]:
    """The statistic and p of independence; NaN if a row or a column of the counts is empty."""
    if not (counts.any(axis=0).all() and counts.any(axis=1).all()):
        return np.nan, np.nan
    found = stats.chi2_contingency(counts, correction=correction)
    return float(found.statistic), float(found.pvalue)


def reversals(methods: Sequence[int]) -> Numbers:
    """Probability of each sum of the groups' inversions, each uniform over the orders of its methods.

    The numbers of orders with so many inversions are Mahonian: the product of (1 + x + ... + x^(m - 1)). The sum over
    groups is a convolution (Kendall 1938; Hirsch and Slack 1984 for the sum).
    """
    distribution: Numbers = np.ones(1)
    for size in methods:
        for length in range(1, size + 1):
            distribution = np.convolve(distribution, np.ones(length) / length)
    return distribution


def within_groups(reverse: int, methods: Sequence[int], pairs: int) -> float:
    """Two-sided p of the number of reverse pairs if Diff is permuted in each group by itself.

    ``methods`` are the groups' numbers of methods. Tied pairs, which are not among ``pairs``, count half a reverse one.
    """
    distribution = reversals(methods)
    total = len(distribution) - 1
    count = reverse + (total - pairs) / 2
    distance = abs(np.arange(total + 1) - total / 2) >= abs(count - total / 2) - 1e-9
    return float(min(1.0, distribution[distance].sum()))


def _over_methods(means: pd.DataFrame, reading: str) -> float:
    """Two-sided p when the methods of Diff are permuted, in all groups alike."""
    auc, diff = (means.pivot(index=GROUP, columns="balancer", values=name) for name in ("auc", reading))
    if auc.isna().any(axis=None) or not 1 < auc.shape[1] <= MOST_METHODS:
        return np.nan
    # The first order is the one that is there.
    scores = np.array(
        [_net(auc.to_numpy(), diff.to_numpy()[:, list(order)]) for order in permutations(range(auc.shape[1]))]
    )
    return float((np.abs(scores) >= abs(scores[0]) - 1e-9).mean())


def _net(auc: Numbers, diff: Numbers) -> float:
    """Reverse minus other pairs, over groups."""
    first, second = np.triu_indices(auc.shape[1], 1)
    return -float((np.sign(auc[:, first] - auc[:, second]) * np.sign(diff[:, first] - diff[:, second])).sum())


def _bootstrap(found: NDArray[np.int64], random: np.random.Generator) -> tuple[float, float]:
    """The 95 % percentile interval of the share of reverse pairs, over groups drawn with replacement."""
    if len(found) < 2:
        return np.nan, np.nan
    drawn = found[random.integers(len(found), size=(RESAMPLES, len(found)))].sum(axis=1)
    low, high = np.percentile(drawn[:, 0] / np.maximum(drawn[:, 1], 1), [2.5, 97.5])
    return float(low), float(high)
