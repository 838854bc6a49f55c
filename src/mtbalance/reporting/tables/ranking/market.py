"""Simulated A/B tests on synthetic data: lift of revenue and clicks by day, and the expected lift (Table VI)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import pandas as pd
from scipy import stats

from mtbalance.reporting import captions
from mtbalance.reporting.formats import MISSING, mean_and_spread, signed
from mtbalance.reporting.layout import Cell, Group, Row, Table
from mtbalance.reporting.market import TEST, alarm, false_alarms, method, part, whole
from mtbalance.reporting.names import balancer_name, heading_of
from mtbalance.reporting.printed import everything
from mtbalance.reporting.statistics import mean, standard_deviation

PRINTED = "PUB paper, Table VI (real traffic)"
NUMBERS = ["metric", "share", "day", "span", "lift", "low", "high", "sequential_low", "sequential_high", "expected"]


def tabulate(frame: pd.DataFrame, title: str, baseline: str, significance: float) -> tuple[Table, pd.DataFrame]:
    """The table to print, and its numbers: lifts and expected lifts as shares, by test.

    ``frame`` is a market, not collected metrics. ``significance`` is not used: a market has a level of its own.
    """
    datasets = list(frame["dataset"].unique())
    groups = [group for dataset in datasets for group in _groups(frame[frame["dataset"] == dataset])]

    def padded(cells: Iterable[tuple[Cell, ...]]) -> tuple[tuple[Cell, ...], ...]:
        """The cells of a row, with an empty one where it has none."""
        return tuple(
            (*some, *(Cell() for _ in group.columns[len(some) :])) for some, group in zip(cells, groups, strict=True)
        )

    tests = part(frame, "expected").drop_duplicates(["backbone", "balancer", "kind"])
    rows = [Row(PRINTED, "printed", padded(cells for _ in datasets for cells in _printed()))]
    for _, test in tests.iterrows():
        cells = padded(cells for dataset in datasets for cells in _cells(frame, test, dataset))
        rows.append(Row(method(test, baseline), test["backbone"], cells))
    table = Table(
        title=f"{title}: simulated A/B test on synthetic data",
        caption=tuple(_caption(frame, baseline)),
        beside="95 % interval",
        groups=tuple(groups),
        rows=tuple(rows),
    )
    numbers = pd.concat([part(frame, "lift", span="day"), whole(frame), part(frame, "expected")])
    return table, numbers[["part", *TEST, "control_seed", *NUMBERS, "needed"]]


def _groups(frame: pd.DataFrame) -> Iterator[Group]:
    name = heading_of(frame.iloc[0])
    lifts = part(frame, "lift")
    shares = sorted(lifts["share"].unique())
    days = tuple(f"day {day:.0f}" for day in sorted(lifts["day"].unique()))
    yield Group(f"{name}: change of RPM in %, {shares[-1]:.0%} of the visitors in each arm", (*days, "all days"))
    smaller = tuple(f"RPM, {share:.0%}" for share in shares[:-1])
    yield Group(f"{name}: all days, change in % by share of the visitors", (*smaller, f"CTR, {shares[-1]:.0%}"))
    exact = ("RPM", "RPM, over seeds", "CTR", "visitors needed in each arm", "alarm on day")
    yield Group(f"{name}: expected change in %, and what it takes to see it", exact)


def _of_table6() -> tuple[pd.Series, float]:
    """The printed gains by day, and the printed average, which is not that of the days."""
    table = everything().table6.set_index("day")["gain_percent"]
    return table.drop("average"), float(table["average"])


def _printed() -> Iterator[tuple[Cell, ...]]:
    days, average = _of_table6()
    margin = stats.t.ppf(0.975, len(days) - 1) * standard_deviation(days.tolist()) / math.sqrt(len(days))
    interval = f"[{signed(days.mean() - margin, 2)}, {signed(days.mean() + margin, 2)}]"
    yield (*(Cell(signed(day, 2)) for day in days), Cell(signed(average, 2), beside=interval))
    yield ()
    yield ()


def _cells(frame: pd.DataFrame, test: pd.Series, dataset: str) -> Iterator[tuple[Cell, ...]]:
    names = {"dataset": dataset} | {name: test[name] for name in ("backbone", "balancer", "kind")}
    largest = part(frame, "lift")["share"].max()
    days = part(frame, "lift", span="day", metric="rpm", share=largest, **names)
    total = whole(frame, **names)
    chosen = {metric: total[total["metric"] == metric].sort_values("share") for metric in ("rpm", "ctr")}
    yield (*(Cell(_percent(lift)) for lift in days["lift"]), *map(_lift, _rows(chosen["rpm"].tail(1))))
    yield (*map(_lift, _rows(chosen["rpm"].iloc[:-1])), *map(_lift, _rows(chosen["ctr"].tail(1))))
    exact = part(frame, "expected", **names)
    rpm, ctr = exact[exact["metric"] == "rpm"], exact[exact["metric"] == "ctr"]
    if rpm.empty:
        yield ()
        return
    values = (100 * rpm["expected"]).tolist()
    when = alarm(part(frame, "lift", span="to date", metric="rpm", share=largest, **names))
    yield (
        Cell(_percent(rpm["expected"].iloc[0])),
        Cell(mean_and_spread(mean(values), standard_deviation(values), 2)),
        Cell(_percent(ctr["expected"].iloc[0])),
        Cell(_visitors(rpm["needed"].iloc[0])),
        Cell(MISSING if when is None else str(when)),
    )


def _rows(frame: pd.DataFrame) -> Iterator[pd.Series]:
    return (row for _, row in frame.iterrows())


def _lift(row: pd.Series) -> Cell:
    return Cell(_percent(row["lift"]), beside=f"[{_percent(row['low'])}, {_percent(row['high'])}]")


def _percent(share: float) -> str:
    return signed(100 * share, 2) if math.isfinite(share) else MISSING


def _visitors(number: float) -> str:
    """Three significant digits: 84,000 or 1,080,000; a dash if no number is enough."""
    return f"{float(f'{number:.3g}'):,.0f}" if math.isfinite(number) else MISSING


def _caption(frame: pd.DataFrame, baseline: str) -> Iterator[str]:
    name, level = balancer_name(baseline), frame["level"].iloc[0]
    counts = part(frame, "arm")
    in_arm = counts[counts["share"] == counts["share"].max()]["visitors"].max()
    yield (
        f"SIMULATION: no person took part. About {in_arm:,.0f} visitors in each arm come with the searches of the test"
        " split, once a day on average. A visit shows one candidate: that of the highest predicted conversion"
        " probability times price, in the one arm as the method predicts it, in the other as"
        f" {name} on the same backbone does. Clicks and conversions are drawn from the true probabilities; prices are"
        " log-normal. A salted hash of the visitor decides about the arm."
    )
    yield (
        "RPM: revenue per thousand impressions, which the paper calls eCPM; CTR: clicks per impression. Intervals:"
        " delta method over visitors. A/B tests are of the first seed's models."
    )
    yield (
        "Printed: gains on real traffic over another baseline, not to be compared in size. All days: the average as"
        f" printed; that of its days is {signed(_of_table6()[0].mean(), 2)}. The interval beside it is a t-interval"
        " over days, as if days were independent; the paper prints none."
    )
    yield (
        "Expected: computed exactly from the true probabilities, so without any luck of visitors; over seeds: mean ±"
        f" standard deviation. {name}, another seed: the baseline trained again, against itself. A method's lift means"
        " little where it is no larger than that. The true probabilities: no model can do better."
    )
    yield (
        f"Visitors needed: in each arm for all days, for a two-sided test at level {level:g} to find the expected lift"
        " of RPM with a power of 80 %. Alarm: the first day on which the sequential test (mixture sequential"
        f" probability ratio test, level {level:g}) finds a change of RPM, up or down, if somebody looks every day."
    )
    yield _trials(frame, name, level)
    yield captions.selection(frame)


def _trials(frame: pd.DataFrame, name: str, level: float) -> str:
    rates = false_alarms(frame)
    last = rates[rates["day"] == rates["day"].max()].set_index("test")
    often, once, sequential = (f"{last.loc[test, 'rate']:.1%}" for test in ("daily looks", "one look", "sequential"))
    return (
        f"A/A: {last['trials'].max():,.0f} simulated trials of {rates['day'].max():.0f} days over all data sets and"
        f" backbones, both arms with {name}."
        f" False alarms: {often} with a test at level {level:g} every day, {once} with one on the last day alone,"
        f" {sequential} with the sequential test every day."
    )
