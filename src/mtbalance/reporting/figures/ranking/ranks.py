"""Critical differences: the methods at their mean ranks over data sets; a bar joins those that no test tells apart."""

from __future__ import annotations

import math

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from mtbalance.reporting.drawing import GRAY, nothing, title
from mtbalance.reporting.formats import counted
from mtbalance.reporting.names import backbone_name, balancer_name, data_named
from mtbalance.reporting.ranks import Ranks, ranks

LEVEL = 0.05
LINE, BAR = 0.3, 0.16
"""Inches between the names of methods, and between bars."""


def draw(frame: pd.DataFrame, heading: str, baseline: str) -> Figure:
    """Draw a panel for each backbone: a line for each method from its mean rank to its name, best at the top."""
    found = ranks(frame, baseline, LEVEL)
    heights = [1.0 + LINE * len(each.methods) + BAR * len(alike(each)) for each in found]
    figure = Figure(figsize=(7.0, 0.8 + max(sum(heights), 1.5)), layout="constrained")
    title(figure, f"{heading}: mean ranks over data sets\n{data_named(frame)}", frame)
    if not found:
        nothing(figure, "No data set has several methods whose runs all finished.")
        return figure
    panels = figure.subplots(len(found), 1, squeeze=False, gridspec_kw={"height_ratios": heights})[:, 0]
    for axes, each in zip(panels, found, strict=True):
        _panel(axes, each)
    return figure


def alike(found: Ranks) -> list[tuple[float, float]]:
    """The longest stretches of mean ranks within one critical difference, of at least two methods."""
    order = found.methods["rank"].tolist()
    if math.isnan(found.critical):
        return []
    stretches = [(low, max(rank for rank in order if rank <= low + found.critical)) for low in order]
    longest = [one for one in stretches if not any(a <= one[0] and one[1] <= b and one != (a, b) for a, b in stretches)]
    return sorted({(low, high) for low, high in longest if high > low})


def _panel(axes: Axes, found: Ranks) -> None:
    methods, bars = found.methods, alike(found)
    worst = len(methods)
    for place, (name, row) in enumerate(methods.iterrows()):
        axes.plot([row["rank"], row["rank"], worst + 0.3], [0, -1 - place, -1 - place], color=GRAY, linewidth=1)
        axes.plot([row["rank"]], [0], "o", color="black", markersize=4)
        axes.text(worst + 0.4, -1 - place, f"{balancer_name(str(name))}  {row['rank']:.2f}", va="center", fontsize=9)
    for height, (low, high) in enumerate(bars, 1):
        axes.plot([low - 0.05, high + 0.05], [BAR / LINE * height] * 2, color="black", linewidth=3)
    said = "one data set: no test" if math.isnan(found.critical) else f"critical difference {found.critical:.2f}"
    axes.set_title(f"{backbone_name(found.backbone)}: {counted(found.datasets, 'data set')}, {said}")
    axes.set(xlim=(0.8, worst + 2.5), ylim=(-worst - 0.7, BAR / LINE * (len(bars) + 1)), xlabel="mean rank (1 is best)")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xticks(range(1, worst + 1))
    axes.yaxis.set_visible(False)
    axes.spines["left"].set_visible(False)
    axes.grid(visible=False)
