"""The association between Diff and AUC (PUB, section III): do methods with a lower Diff have a higher mean AUC?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy import stats

from mtbalance import places
from mtbalance.config.variants import SIGN
from mtbalance.reporting.claims.claim import Check, Outcome, Verdict
from mtbalance.reporting.claims.evidence import Evidence
from mtbalance.reporting.formats import counted
from mtbalance.reporting.names import heading_of
from mtbalance.reporting.pairs import method_means, pair_tests, reversals
from mtbalance.reporting.power import WANTED
from mtbalance.reporting.value import GROUP


def share_seen(methods: Sequence[int], level: float) -> float:
    """The true share of reverse pairs that is found with a power of 80 %, by the normal approximation.

    ``methods`` are the groups' numbers of methods; the test is the permutation within groups.
    """
    law = reversals(methods)
    pairs = len(law) - 1
    spread = math.sqrt(float(law @ (np.arange(len(law)) - pairs / 2) ** 2))
    return 0.5 + float(stats.norm.ppf(1 - level / 2) + stats.norm.ppf(WANTED)) * spread / pairs


def reverse_association(share: float = 0.5) -> Check:
    """More pairs of methods are in reverse order than chance explains, and at least ``share`` of all.

    Balancers as params.yaml has them, without variants. Groups of methods (experiment, data set and backbone) count as
    independent.
    """

    def check(evidence: Evidence) -> Outcome | None:
        frames = _measured(evidence.metrics)
        if not frames:
            return None
        means = _each_once(frames)
        methods = means.groupby(GROUP, sort=False).size().tolist()
        if not methods:
            return None
        found = pair_tests(means)
        if found.within_groups_p > evidence.level:
            verdict = Verdict.OPEN
        elif found.share < 0.5:
            verdict = Verdict.FAILED
        else:
            verdict = Verdict.HELD if found.share >= share else Verdict.OPEN
        seen = share_seen(methods, evidence.level)
        names = list(dict.fromkeys(means["experiment"]))
        rows = evidence.metrics[evidence.metrics["experiment"].isin(names)].drop_duplicates("dataset")
        of = f" (of {', '.join(names)})" if len(names) > 1 else ""
        strict = "" if math.isnan(found.methods_p) else f"; {found.methods_p:.2g} if only methods are independent"
        return Outcome(
            verdict,
            f"{found.reverse} of {found.pairs} pairs in reverse order ({found.share:.1%}), in"
            f" {counted(len(methods), 'group')} of methods on one backbone and data set{of}:"
            f" p = {found.within_groups_p:.2g} if groups are independent{strict}",
            f"{seen:.0%} of the pairs" if seen < 1 else "nothing: too few pairs",
            tuple(heading_of(row) for _, row in rows.iterrows()),
            bool(rows["synthetic"].any()),
            tuple({"file": places.METRICS.format(experiment=name), "metrics": "mean_auc, diff"} for name in names),
        )

    return check


def _each_once(frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The groups of all experiments that have two methods; runs that another experiment repeats are in one of them."""
    means = pd.concat([means.assign(experiment=name) for name, means in frames.items()], ignore_index=True)
    means = means.drop_duplicates([*GROUP, "balancer", "auc", "shared", "task_specific"])
    means = means.assign(dataset=means["experiment"] + "/" + means["dataset"])
    return means[means.groupby(GROUP)["balancer"].transform("size") > 1]


def _measured(metrics: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The means of each experiment that measured cosines and has a mean AUC."""
    found = {}
    for name, frame in metrics.groupby("experiment", sort=False):
        plain = frame[~frame["balancer"].str.contains(SIGN, regex=False)]
        shared = plain[plain["shares"]]
        if {"mean_auc", "cosine_shared"} <= set(shared["metric"]):
            found[str(name)] = method_means(plain)
    return found
