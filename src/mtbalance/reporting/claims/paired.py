"""Paired comparisons: a method against another with the same seeds, wherever both were run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import pandas as pd

from mtbalance import places
from mtbalance.reporting.claims.evidence import Evidence
from mtbalance.reporting.comparison import by_seed
from mtbalance.reporting.formats import signed
from mtbalance.reporting.names import METRICS, backbone_name, balancer_name, is_single_task
from mtbalance.reporting.statistics import BySeed, PairedTest, paired_test, ratios, standard_deviation

GROUP = ["experiment", "dataset", "backbone"]
ALONE = "alone"
"""The opponent that is no balancer: models that share nothing, each trained on its own loss (STL)."""
SETTINGS = "_nyuv2"
"""A balancer of this ending is the one without it, with its authors' settings for NYUv2."""


class Comparison(NamedTuple):
    """A method against another in one metric; the test's positive differences are as the claim has it."""

    experiment: str
    dataset: str
    synthetic: bool
    backbone: str
    method: str
    other: str
    metric: str
    task: str
    test: PairedTest
    """Of the differences minus ``offset``."""
    spread: float
    """Standard deviation of the differences."""
    sign: int
    """1 if the claim calls higher, -1 if it calls lower."""
    offset: float
    """What the difference must exceed in that direction."""
    relative: bool
    """True if differences are in percent of the other's value."""
    failed: int
    """Runs of the method that did not finish."""

    @property
    def difference(self) -> float:
        """Mean of method minus other over common seeds, as the metric has it."""
        return self.sign * (self.test.difference + self.offset)

    def text(self) -> str:
        """``MMOE, AUC of PUB − LS: +0.0012 ± .0010 (n = 2, p = 0.3)``."""
        against = "STL" if self.other == ALONE else balancer_name(self.other)
        named = METRICS.get(self.metric)
        factor, digits = (1.0, 2) if self.relative else (named.factor, named.digits) if named else (1.0, 4)
        task = f" {self.task}" if self.task not in ("", "mean") else ""
        what = f"{named.title.removesuffix(' %') if named else self.metric.replace('_', ' ')}{task}"
        unit = " %" if self.relative or factor != 1 or (named and named.title.endswith("%")) else ""
        number = signed(factor * self.difference, digits) + unit
        spread = "" if pd.isna(self.spread) else f" ± {factor * self.spread:.{digits}f}"
        why = self.test.untested or f"p = {self.test.p:.2g}"
        where = f"{backbone_name(self.backbone)}, " if self.backbone else ""
        pair = f"{balancer_name(self.method)} − {against}"
        return f"{where}{what} of {pair}: {number}{spread} (n = {self.test.pairs}, {why})"

    def record(self, adjusted: float) -> dict[str, Any]:
        """The numbers and cells, for JSON."""
        return {
            "file": places.METRICS.format(experiment=self.experiment),
            "dataset": self.dataset,
            "backbone": self.backbone,
            "method": self.method,
            "other": self.other,
            "metric": self.metric,
            "task": self.task,
            "difference": self.difference,
            "sign": self.sign,
            "relative": self.relative,
            "offset": self.offset,
            "spread": self.spread,
            "pairs": self.test.pairs,
            "p": self.test.p,
            "p_holm": adjusted,
            "untested": self.test.untested,
            "failed": self.failed,
        }


def compare(
    evidence: Evidence,
    method: str,
    others: Sequence[str],
    metric: str,
    *,
    tasks: Sequence[str] = (),
    backbones: Sequence[str] = (),
    sign: int = 0,
    offset: float = 0.0,
    relative: bool = False,
) -> list[Comparison]:
    """``method`` against each of ``others`` in every experiment, data set, backbone and task that has both.

    ``sign`` 0 takes the direction of the metric, 1 or -1 says that a claim calls higher or lower. With ``relative``
    differences are in percent of the other's value. Empty if there is no such pair.
    """
    rows = evidence.final[evidence.final["metric"] == metric]
    rows = rows[rows["task"].isin(list(tasks))] if tasks else rows
    rows = rows[rows["backbone"].isin(list(backbones))] if backbones else rows
    found = []
    for (experiment, dataset, backbone, task), part in rows.groupby([*GROUP, "task"], sort=False):
        own = part[_is(part, method)]
        for other in others:
            alone = other == ALONE
            theirs = _alone(evidence, experiment, dataset, metric, task) if alone else part[_is(part, other)]
            if len(own) and len(theirs) and (own["shares"].all() or not alone):
                direction = sign or int(own["better"].iloc[0]) or 1
                differences = _differences(by_seed(own), by_seed(theirs), direction, offset, relative)
                found.append(
                    Comparison(
                        experiment, dataset, bool(own["synthetic"].iloc[0]), backbone, method, other, metric, task,
                        paired_test(differences, dict.fromkeys(differences, 0.0)),
                        standard_deviation(list(differences.values())),
                        direction, offset, relative, int((own["status"] != "finished").sum()),
                    )
                )  # fmt: skip
    return found


def over_groups(
    evidence: Evidence, method: str, others: Sequence[str], metric: str, sign: int, offset: float = 0.0
) -> list[Comparison]:
    """As :func:`compare`, with the groups (experiment, data set and backbone) as pairs, each the mean over its seeds.

    That is how the PUB paper's section III compares methods; its seeds of one group are no independent experiments.
    """
    found = []
    for other in others:
        parts = compare(evidence, method, [other], metric, sign=sign, offset=offset)
        parts = [part for part in parts if part.test.pairs]
        if parts:
            means = {index: part.test.difference for index, part in enumerate(parts)}
            found.append(
                parts[0]._replace(
                    dataset=", ".join(dict.fromkeys(part.dataset for part in parts)),
                    synthetic=any(part.synthetic for part in parts),
                    backbone="",
                    test=_called_groups(paired_test(means, dict.fromkeys(means, 0.0))),
                    spread=standard_deviation(list(means.values())),
                    failed=sum(part.failed for part in parts),
                )
            )
    return found


def _called_groups(test: PairedTest) -> PairedTest:
    return test._replace(untested=test.untested.replace("seeds", "groups"))


def _is(rows: pd.DataFrame, balancer: str) -> pd.Series:
    return rows["balancer"].str.removesuffix(SETTINGS) == balancer


def _alone(evidence: Evidence, experiment: str, dataset: str, metric: str, task: str) -> pd.DataFrame:
    frame = evidence.final
    names = {"experiment": experiment, "dataset": dataset, "metric": metric, "task": task}
    for column, name in names.items():
        frame = frame[frame[column] == name]
    return frame[frame.apply(is_single_task, axis=1)] if len(frame) else frame


def _differences(own: BySeed, theirs: BySeed, sign: int, offset: float, relative: bool) -> dict[int, float]:
    seeds = sorted(own.keys() & theirs.keys())
    if relative:
        return {seed: 100 * sign * (ratio - 1) - offset for seed, ratio in zip(seeds, ratios(own, theirs), strict=True)}
    return {seed: sign * (own[seed] - theirs[seed]) - offset for seed in seeds}
