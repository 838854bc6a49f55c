"""Difference of mean AUC to the baseline by level, a line for each rule: does the level matter?"""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mtbalance.reporting.comparison import by_seed
from mtbalance.reporting.drawing import GRAY, Look, balancer_legend, looks, title
from mtbalance.reporting.names import backbone_name, balancer_name, heading_of
from mtbalance.reporting.statistics import differences, mean, standard_deviation
from mtbalance.reporting.tables.ranking.levels import LEVELS, rules


def draw(frame: pd.DataFrame, heading: str, baseline: str) -> Figure:
    """Draw a panel for each data set and backbone. A difference is of two runs with the same seed."""
    rows = rules(frame[(frame["metric"] == "mean_auc") & frame["epoch"].isna()])
    panels = list(rows.groupby(["dataset", "backbone"], sort=False))
    look = looks(rows["rule"])
    figure = Figure(figsize=(max(7.5, 1.2 + 4.2 * len(panels)), 3.8), layout="constrained")
    title(figure, f"{heading}: difference of mean AUC to {balancer_name(baseline)}, by level", frame)
    axes_of = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axes, ((_, backbone), group) in zip(axes_of, panels, strict=True):
        axes.set_title(f"{heading_of(group.iloc[0])}, {backbone_name(str(backbone))}")
        _panel(axes, group, look, baseline)
    axes_of[0].set_ylabel(f"test mean AUC minus that of {balancer_name(baseline)}\n(mean ± std; dots: seeds)")
    balancer_legend(figure, look)
    return figure


def _panel(axes: Axes, group: pd.DataFrame, look: dict[str, Look], baseline: str) -> None:
    reference = by_seed(group[group["balancer"] == baseline])
    axes.axhline(0, color=GRAY, linewidth=1.2)
    axes.set_xticks(range(len(LEVELS)), LEVELS)
    for offset, (rule, cells) in enumerate(group.groupby("rule", sort=False)):
        points = []
        for _, cell in cells.drop_duplicates(["level", "seed"]).groupby("level", sort=False):
            if found := differences(by_seed(cell), reference):
                place = LEVELS.index(cell["level"].iloc[0]) + 0.07 * (offset - 1.5)
                points.append((place, found))
        _line(axes, sorted(points), look[str(rule)])


def _line(axes: Axes, points: list[tuple[float, list[float]]], look: Look) -> None:
    places = [place for place, _ in points]
    means = [mean(values) for _, values in points]
    spreads = [standard_deviation(values) if len(values) > 1 else 0.0 for _, values in points]
    axes.errorbar(
        places,
        means,
        spreads,
        color=look.color,
        linestyle=look.dash,
        marker=look.marker,
        markersize=5,
        capsize=2,
        lw=1.2,
    )
    for place, values in points:
        axes.plot([place + 0.03] * len(values), values, ".", color=look.color, alpha=0.6, markersize=3)
