"""Paired comparisons: a method against another with the same seeds, wherever both were run."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from mtbalance import places
from mtbalance.reporting.claims.evidence import Cell, Evidence, Place
from mtbalance.reporting.formats import signed
from mtbalance.reporting.names import METRICS, backbone_name, balancer_name
from mtbalance.reporting.statistics import BySeed, PairedTest, paired_test, ratios, standard_deviation

ALONE = "alone"
"""The opponent that is no balancer: models that share nothing, each trained on its own loss (STL)."""


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

    def text(self, experiment: bool = False) -> str:
        """``MMOE, AUC of PUB − LS: +0.0012 ± .0010 (n = 2, p = 0.3)``; with ``experiment``, its name goes first."""
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
        where = f"{self.experiment}, {where}" if experiment and self.backbone else where
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

    Runs that another experiment repeats are no further evidence, and are compared once. ``sign`` 0 takes the direction
    of the metric, 1 or -1 says that a claim calls higher or lower. With ``relative`` differences are in percent of the
    other's value. Empty if there is no such pair.
    """
    found: dict[Hashable, Comparison] = {}
    places = evidence.cells.get(metric, {})
    for place, methods in places.items():
        own = methods.get(method)
        if own is None or (tasks and place.task not in tasks) or (backbones and place.backbone not in backbones):
            continue
        direction = sign or own.better or 1
        for other in others:
            theirs = _alone(places, place) if other == ALONE else methods.get(other)
            if theirs is not None and not (other == ALONE and own.alone):
                differences = _differences(own.values, theirs.values, direction, offset, relative)
                made = comparison(place, method, other, metric, own, differences, direction, offset, relative)
                found.setdefault((other, runs_at(place, own, theirs)), made)
    return list(found.values())


def runs_at(place: Place, *cells: Cell) -> Hashable:
    """Which runs the cells are of: the same of an experiment that repeats them, but for cells without a number."""
    return (
        place._replace(experiment="") if all(cell.values for cell in cells) else place,
        *(cell.numbers for cell in cells),
    )


def comparison(
    place: Place,
    method: str,
    other: str,
    metric: str,
    own: Cell,
    differences: BySeed,
    sign: int,
    offset: float = 0.0,
    relative: bool = False,
) -> Comparison:
    """The comparison with these ``differences`` by seed, which are above 0 where they are as the claim has it."""
    return Comparison(
        experiment=place.experiment,
        dataset=place.dataset,
        synthetic=own.synthetic,
        backbone=place.backbone,
        method=method,
        other=other,
        metric=metric,
        task=place.task,
        test=paired_test(differences, dict.fromkeys(differences, 0.0)),
        spread=standard_deviation(list(differences.values())),
        sign=sign,
        offset=offset,
        relative=relative,
        failed=own.failed,
    )


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


def _alone(places: Mapping[Place, Mapping[str, Cell]], place: Place) -> Cell | None:
    """Single-task learning in the task and on the data set of a place."""
    same = (methods for at, methods in places.items() if at._replace(backbone=place.backbone) == place)
    return next((cell for methods in same for cell in methods.values() if cell.alone), None)


def _differences(own: BySeed, theirs: BySeed, sign: int, offset: float, relative: bool) -> dict[int, float]:
    seeds = sorted(own.keys() & theirs.keys())
    if relative:
        return {seed: 100 * sign * (ratio - 1) - offset for seed, ratio in zip(seeds, ratios(own, theirs), strict=True)}
    return {seed: sign * (own[seed] - theirs[seed]) - offset for seed in seeds}
