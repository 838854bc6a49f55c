"""Ranks of methods over data sets: mean ranks, the Friedman test, the critical difference, and wins over the baseline.

Demsar (JMLR 2006) describes these tests. A data set is one independent sample, however many seeds it has; so they are
made on each backbone alone, and see little with few data sets.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Mapping
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from mtbalance.reporting import convergence
from mtbalance.reporting.names import backbone_name, balancer_name
from mtbalance.reporting.score import SCORES, of_scores
from mtbalance.reporting.statistics import BySeed, pairs

LEVEL = 0.95
"""Level of the intervals."""


class Ranks(NamedTuple):
    """The methods of one backbone, over the data sets on which all of them finished."""

    backbone: str
    datasets: int
    methods: pd.DataFrame
    """By balancer, the best mean rank first: ``rank`` (1 is best; equal scores share a rank), ``low`` and ``high`` (its
    interval over data sets, from Student's t; NaN for one data set), ``flagged`` (runs that may not have converged),
    ``wins`` and ``runs`` (of the runs that the baseline has, too: those with a higher score; equal ones count half),
    ``wins_low`` and ``wins_high`` (Wilson)."""
    critical: float
    """Smallest difference of two mean ranks that the Nemenyi test calls significant; NaN for one data set."""
    friedman: float
    """p of the Friedman test that all methods are equal; NaN for fewer than three methods or two data sets."""


def told_apart(found: Ranks, level: float) -> str:
    """Whose mean ranks differ, the better one first: by Nemenyi's test, if Friedman's finds a difference."""
    order = found.methods["rank"]
    pairs_told = [
        f"{balancer_name(str(better))} from {balancer_name(str(worse))}"
        for better, worse in combinations(order.index, 2)
        if order[worse] - order[better] > found.critical and found.friedman <= level
    ]
    return f"told apart: {', '.join(pairs_told)}" if pairs_told else "no two methods are told apart"


def sentences(frame: pd.DataFrame, baseline: str, level: float) -> Iterator[str]:
    """For each backbone with several data sets, its best mean rank and the baseline's, and what tests say."""
    for found in ranks(frame, baseline, level):
        if math.isnan(found.friedman):
            continue
        best = found.methods.index[0]
        named = {name: f"{balancer_name(str(name))} {found.methods['rank'][name]:.2f}" for name in found.methods.index}
        beside = f", and {named[baseline]}" if baseline in named and baseline != best else ""
        yield (
            f"Mean ranks over {found.datasets} data sets on {backbone_name(found.backbone)} (1 is best): {named[best]}"
            f"{beside}; {told_apart(found, level)} (Friedman p = {found.friedman:.2g}, critical difference"
            f" {found.critical:.2f})."
        )


def ranks(frame: pd.DataFrame, baseline: str, level: float) -> list[Ranks]:
    """The ranks of each backbone with several methods, by the mean of each data set's score over finished seeds."""
    own = of_scores(frame)
    rows = own[own["metric"].isin(SCORES) & own["epoch"].isna() & (own["status"] == "finished")]
    found = []
    for backbone, group in rows.groupby("backbone", sort=False):
        scores = group.pivot_table(index="dataset", columns="balancer", values="value", aggfunc="mean", sort=False)
        scores = scores.dropna()
        if scores.shape[1] > 1 and len(scores):
            found.append(_ranks(str(backbone), scores, group, baseline, level))
    return found


def _ranks(backbone: str, scores: pd.DataFrame, runs: pd.DataFrame, baseline: str, level: float) -> Ranks:
    datasets, methods = scores.shape
    by_dataset = scores.rank(axis=1, ascending=False)
    table = pd.DataFrame({"rank": by_dataset.mean()})
    reach = stats.t.ppf((1 + LEVEL) / 2, datasets - 1) * by_dataset.std() / math.sqrt(datasets)
    table["low"], table["high"] = (table["rank"] - reach).clip(lower=1), (table["rank"] + reach).clip(upper=methods)
    table["flagged"] = runs.groupby("balancer").apply(convergence.flagged)
    by_run = {key: group.set_index(["dataset", "seed"])["value"].to_dict() for key, group in runs.groupby("balancer")}
    wins = pd.DataFrame([_wins(by_run, str(name), baseline) for name in table.index], index=table.index)
    table = table.join(wins).sort_values("rank", kind="stable")
    several = datasets > 1
    quantile = stats.studentized_range.isf(level, methods, np.inf) / math.sqrt(2)
    return Ranks(
        backbone=backbone,
        datasets=datasets,
        methods=table,
        critical=quantile * math.sqrt(methods * (methods + 1) / (6 * datasets)) if several else math.nan,
        friedman=float(stats.friedmanchisquare(*scores.to_numpy().T).pvalue) if several and methods > 2 else math.nan,
    )


def _wins(by_run: Mapping[Hashable, BySeed], name: str, baseline: str) -> dict[str, float]:
    """How often a method is ahead of the baseline, over data sets and seeds; ``by_run`` has the methods' scores."""
    ours, theirs = pairs(by_run[name], by_run.get(baseline, {})) if name != baseline else ([], [])
    if not ours:
        return dict.fromkeys(("wins", "wins_low", "wins_high"), math.nan) | {"runs": 0}
    wins = sum((one > other) + 0.5 * (one == other) for one, other in zip(ours, theirs, strict=True))
    interval = stats.binomtest(round(wins), len(ours)).proportion_ci(LEVEL, method="wilson")
    return {"wins": wins, "wins_low": interval.low, "wins_high": interval.high, "runs": len(ours)}
