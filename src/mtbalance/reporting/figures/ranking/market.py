"""Simulated A/B tests on synthetic data: lift by day, lift of every method, and false alarms of A/A trials."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from mtbalance.reporting.drawing import GRAY, PALETTE, title
from mtbalance.reporting.market import false_alarms, name_of_test, part, whole
from mtbalance.reporting.names import backbone_name, balancer_name, heading_of

FIRST = "pub"
"""The method whose days are drawn: the paper's, or the first one if it was not run."""
BLUE, ORANGE, GREEN = PALETTE[:3]


def draw(frame: pd.DataFrame, heading: str, baseline: str) -> Figure:
    """Draw a row of two panels for each data set and backbone of a market, and one panel of A/A trials."""
    lifts = part(frame, "lift", metric="rpm")
    lifts = lifts[lifts["share"] == lifts["share"].max()]
    groups = list(lifts.groupby(["dataset", "backbone"], sort=False))
    tests = [group["balancer"].nunique() for _, group in groups]
    heights = [max(4.2, 2.2 + 0.2 * number) for number in tests]
    figure = Figure(figsize=(10.0, 0.8 + sum(heights)), layout="constrained")
    title(figure, f"{heading}: simulated A/B tests on synthetic data, revenue per thousand impressions (RPM)", frame)
    panels = figure.subplots(len(groups), 3, squeeze=False, gridspec_kw={"height_ratios": heights})
    for (by_day, by_method, trials), ((dataset, backbone), group) in zip(panels, groups, strict=True):
        name = f"{heading_of(group.iloc[0])}, {backbone_name(str(backbone))}"
        _days(by_day, group, name, baseline)
        _methods(by_method, whole(group), name, baseline)
        _trials(trials, frame[(frame["dataset"] == dataset) & (frame["backbone"] == backbone)])
    return figure


def _days(axes: Axes, group: pd.DataFrame, name: str, baseline: str) -> None:
    methods = list(group.loc[group["kind"] == "method", "balancer"].unique())
    chosen = group[group["balancer"] == (FIRST if FIRST in methods else methods[0])]
    days, to_date = (chosen[chosen["span"] == span] for span in ("day", "to date"))
    axes.fill_between(
        to_date["day"],
        100 * to_date["sequential_low"],
        100 * to_date["sequential_high"],
        color=ORANGE,
        alpha=0.18,
        linewidth=0,
        label="all days so far: valid at every look",
    )
    axes.plot(to_date["day"], 100 * to_date["lift"], color=ORANGE, label="all days so far: lift")
    _errorbar(axes, days["day"], days, label="each day: lift, 95 % interval")
    axes.plot(days["day"], 100 * days["expected"], color="black", linestyle="--", label="expected lift (exact)")
    axes.axhline(0, color=GRAY, linewidth=0.8)
    axes.set_title(f"{name}\n{name_of_test(chosen.iloc[0], baseline)} against {balancer_name(baseline)}, by day")
    axes.set(xlabel="day of the test", ylabel="change of RPM [%]")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    _legend(axes)


def _methods(axes: Axes, total: pd.DataFrame, name: str, baseline: str) -> None:
    order = total[total["kind"] != "truth"].sort_values("expected")
    best = total.loc[total["kind"] == "truth", "expected"].iloc[0]
    places = range(len(order))
    lows, highs = (100 * (order["lift"] - order["low"]), 100 * (order["high"] - order["lift"]))
    axes.errorbar(
        100 * order["lift"], places, xerr=[lows, highs], color=BLUE, fmt="o", markersize=4, label="lift, 95 % interval"
    )
    axes.plot(100 * order["expected"], places, color="black", linestyle="", marker="|", markersize=11, label="expected")
    axes.axvline(0, color=GRAY, linewidth=0.8)
    axes.set_yticks(list(places), [name_of_test(row, baseline) for _, row in order.iterrows()])
    axes.set_title(f"{name}\nall days, against {balancer_name(baseline)} (best possible: {best:+.1%})")
    axes.set(xlabel="change of RPM [%]")
    _legend(axes)


def _errorbar(axes: Axes, places: pd.Series, rows: pd.DataFrame, label: str) -> None:
    below, above = 100 * (rows["lift"] - rows["low"]), 100 * (rows["high"] - rows["lift"])
    axes.errorbar(places, 100 * rows["lift"], yerr=[below, above], color=BLUE, fmt="o", markersize=5, label=label)


def _trials(axes: Axes, frame: pd.DataFrame) -> None:
    looks = {"daily looks": (BLUE, "-", "a look every day"), "one look": (GREEN, ":", "one look, on that day")}
    looks["sequential"] = (ORANGE, "-.", "sequential test, a look every day")
    rates = false_alarms(frame)
    for test, (color, dash, label) in looks.items():
        rows = rates[rates["test"] == test]
        axes.plot(rows["day"], rows["rate"], color=color, linestyle=dash, linewidth=2, label=label)
    level = frame["level"].iloc[0]
    axes.axhline(level, color="black", linewidth=0.8, linestyle="--", label=f"level {level:g}")
    axes.set_title(f"A/A: {rates['trials'].max():,.0f} simulated trials\nof two arms with the same model")
    axes.set(xlabel="day of the trial", ylabel="share of trials with a false alarm")
    axes.yaxis.set_major_locator(MaxNLocator(steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.set_ylim(bottom=0)
    _legend(axes)


def _legend(axes: Axes) -> None:
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=1)
