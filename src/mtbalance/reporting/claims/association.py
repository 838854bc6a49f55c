"""The association between Diff and AUC (PUB, section III): do methods with a lower Diff have a higher mean AUC?"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from mtbalance.reporting.claims.claim import Check, Outcome, Verdict
from mtbalance.reporting.claims.evidence import GROUP, Evidence
from mtbalance.reporting.names import dataset_heading


def discordant_law(sizes: list[int]) -> NDArray[np.float64]:
    """Probability of each number of pairs in reverse order, summed over groups, if any order is equally likely.

    ``sizes`` are the numbers of methods in the groups. In a group the number is that of inversions of a random
    permutation: a sum of independent uniform numbers from 0 to k, for k below its size. Pairs of one group depend on
    each other, and this law knows it, unlike the chi-square test of the paper, which also counts each pair twice.
    """
    law = np.ones(1)
    for size in sizes:
        for k in range(1, size):
            law = np.convolve(law, np.full(k + 1, 1 / (k + 1)))
    return law


def p_of(reverse: int, law: NDArray[np.float64]) -> float:
    """Two-sided p of a number of reverse pairs."""
    numbers = np.arange(len(law))
    middle = (len(law) - 1) / 2
    return min(1.0, float(law[np.abs(numbers - middle) >= abs(reverse - middle) - 1e-9].sum()))


def share_seen(law: NDArray[np.float64], level: float) -> float:
    """The true share of reverse pairs that is found with a power of 80 %, by the normal approximation."""
    numbers, pairs = np.arange(len(law)), len(law) - 1
    spread = math.sqrt(float(law @ (numbers - pairs / 2) ** 2))
    return 0.5 + float(stats.norm.ppf(1 - level / 2) + stats.norm.ppf(0.8)) * spread / pairs


def reverse_association(share: float | None = None) -> Check:
    """More pairs are in reverse order than chance explains; with ``share``, at least that share of them."""

    def check(evidence: Evidence) -> Outcome | None:
        rows = evidence.final[evidence.final["metric"].isin(["mean_auc", "diff"]) & evidence.final["shares"]]
        keys = [*GROUP, "balancer"]
        means = rows.groupby([*keys, "metric"], sort=False)["value"].mean().unstack("metric")
        if not {"mean_auc", "diff"} <= set(means.columns):
            return None
        groups = [part for _, part in means.dropna().groupby(level=GROUP, sort=False) if len(part) > 1]
        if not groups:
            return None
        law = discordant_law([len(part) for part in groups])
        pairs, reverse = len(law) - 1, sum(map(_reverse, groups))
        p, seen = p_of(reverse, law), share_seen(law, evidence.level)
        found = reverse / pairs
        verdict = Verdict.OPEN if p > evidence.level else Verdict.HELD if found > 0.5 else Verdict.FAILED
        if share is not None and verdict is Verdict.HELD and found < share:
            verdict = Verdict.OPEN
        used = rows.drop_duplicates("dataset")
        data = [dataset_heading(str(row.dataset), bool(row.synthetic)) for row in used.itertuples()]
        return Outcome(
            verdict,
            f"{reverse} of {pairs} pairs in reverse order ({found:.1%}), in {len(groups)} groups of methods on one"
            f" backbone and data set; p = {p:.2g}, exact, each pair once. A trait that a method has in all groups"
            " counts in each of them.",
            f"{seen:.0%} of the pairs" if seen < 1 else "nothing: too few pairs",
            tuple(data),
            bool(rows["synthetic"].any()),
            tuple(
                {"group": list(part.index[0][:3]), "methods": len(part), "reverse": _reverse(part)} for part in groups
            ),
        )

    return check


def _reverse(part: pd.DataFrame) -> int:
    auc, diff = part["mean_auc"].to_numpy(), part["diff"].to_numpy()
    first, second = np.triu_indices(len(part), 1)
    return int(((auc[first] - auc[second]) * (diff[first] - diff[second]) < 0).sum())
