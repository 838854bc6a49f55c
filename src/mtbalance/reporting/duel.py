"""A duel: one method against another, seed by seed."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import pandas as pd
from rich import box
from rich.table import Table

from mtbalance.errors import UserError
from mtbalance.registry import unknown
from mtbalance.reporting.answer import SIGNIFICANT, ranking_score
from mtbalance.reporting.comparison import by_seed
from mtbalance.reporting.contrasts import between
from mtbalance.reporting.derived import with_scores
from mtbalance.reporting.formats import counted, decimal, error_digits, signed
from mtbalance.reporting.names import METRICS, backbone_name, balancer_name, heading_of
from mtbalance.reporting.statistics import BySeed
from mtbalance.reporting.value import QPS, trained

DIGITS, ERRORS = 4, ("rmse", "mae")


def duel(frame: pd.DataFrame, method: str, other: str, metric: str | None = None) -> Iterator[Table | str]:
    """A table and a line for each data set; methods are ``backbone/balancer``, the metric ``name`` or ``name/task``.

    Without a metric it is the score of the data set, by which the answer ranks methods.

    ``frame`` is a collected table (:mod:`mtbalance.reporting.collect`). Raises ``UserError`` for a method or a metric
    that it does not have.
    """
    frame = with_scores(frame)
    final = frame[frame["epoch"].isna()]
    found = {name: _runs(final, name) for name in (method, other)}
    for dataset, runs in final.groupby("dataset", sort=False):
        shown = metric or ranking_score(runs) or "delta_m"
        sides = [_values(found[name][found[name]["dataset"] == dataset], shown) for name in (method, other)]
        digits = _digits(shown, sides)
        yield _table(heading_of(runs.iloc[0]), shown, (method, other), sides, digits)
        yield _verdict(sides[0], sides[1], digits)
        costs = [_values(found[name][found[name]["dataset"] == dataset], QPS) for name in (method, other)]
        if method.partition("/")[0] == other.partition("/")[0] and all(costs):
            own, theirs = (next(iter(cost.values())) for cost in costs)
            ratio = decimal(theirs / own, 2)
            yield f"A step of {_name(method)} takes {ratio} times as much time as one of {_name(other)}."


def outdated(frame: pd.DataFrame, methods: Collection[str], digests: Collection[str]) -> str:
    """A sentence about the runs of ``methods`` whose configuration is none of ``digests``; empty if there is none."""
    runs = trained(frame)
    old = runs[(runs["backbone"] + "/" + runs["balancer"]).isin(methods) & ~runs["digest"].isin(digests)]
    if old.empty:
        return ""
    number = f"{counted(len(old), 'run')} of {', '.join(dict.fromkeys(old['backbone'] + '/' + old['balancer']))}"
    return f"{number} had other settings than params.yaml has now: these numbers are old until the workflow runs again"


def _runs(final: pd.DataFrame, method: str) -> pd.DataFrame:
    names = final["backbone"] + "/" + final["balancer"]
    if not (names == method).any():
        raise UserError(unknown("method", method, list(dict.fromkeys(names))))
    return final[names == method]


def _values(runs: pd.DataFrame, metric: str) -> BySeed:
    """A metric by seed; those of a task are ``name/task``."""
    names = runs["metric"].where(runs["task"].isin(["", "mean"]), runs["metric"] + "/" + runs["task"])
    if metric != QPS and not (names == metric).any():
        raise UserError(unknown("metric", metric, list(dict.fromkeys(names[runs["metric"].isin(METRICS)]))))
    return by_seed(runs[names == metric])


def _digits(metric: str, sides: list[BySeed]) -> int:
    """Decimals of the numbers: errors have the unit of their label, all other metrics a scale of their own."""
    if metric.partition("/")[0] not in ERRORS:
        return DIGITS
    return error_digits(max((value for side in sides for value in side.values()), default=0.0))


def _table(title: str, metric: str, names: tuple[str, str], sides: list[BySeed], digits: int) -> Table:
    table = Table(title=f"{title}: {metric}", title_justify="left", box=box.SIMPLE)
    table.add_column("seed")
    for heading in (*map(_name, names), "difference"):
        table.add_column(heading, justify="right")
    own, theirs = sides
    for seed in sorted(own.keys() | theirs.keys()):
        values = [side.get(seed, float("nan")) for side in sides]
        texts = [decimal(value, digits) for value in values]
        table.add_row(str(seed), *texts, signed(values[0] - values[1], digits))
    return table


def _verdict(own: BySeed, theirs: BySeed, digits: int) -> str:
    found = between(own, theirs, SIGNIFICANT)
    seeds = counted(found.test.pairs, "common seed")
    if found.test.untested:
        return f"Difference {found.text(digits)} over {seeds}; not tested: {found.test.untested}."
    verdict = f"distinguishable at the {SIGNIFICANT:.0%} level" if found.told(SIGNIFICANT) else "not distinguishable"
    bounds = ", ".join(signed(bound, digits) for bound in (found.low, found.high))
    return (
        f"Difference {signed(found.test.difference, digits)}, {1 - SIGNIFICANT:.0%} interval [{bounds}],"
        f" paired t-test p = {found.test.p:.2g} over {seeds}: {verdict}."
    )


def _name(method: str) -> str:
    backbone, _, balancer = method.partition("/")
    return f"{backbone_name(backbone)}+{balancer_name(balancer)}"
