"""Difference of mean AUC to the baseline, length of the joint step, and tasks' weights; a line for each method."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

from mtbalance.reporting.comparison import by_seed
from mtbalance.reporting.contrasts import between
from mtbalance.reporting.dissection import LENGTH, numbers
from mtbalance.reporting.drawing import GRAY, Look, legend, looks, mark, title
from mtbalance.reporting.formats import signed
from mtbalance.reporting.names import backbone_name, balancer_name, heading_of
from mtbalance.reporting.statistics import differences, mean, ratios

FAR = 0.02
"""A difference of mean AUC beyond which the others could not be told apart."""
TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 0.8, 1, 1.2, 1.5, 2, 3, 5, 10)


def draw(frame: pd.DataFrame, heading: str, baseline: str) -> Figure:
    """Draw three panels for each data set and backbone: AUC, length, weights. Methods with longer steps are lower."""
    whole = frame[frame["epoch"].isna()]
    cells = numbers(frame, baseline)
    groups = list(cells.groupby(["dataset", "backbone"], sort=False))
    lines = max(group["balancer"].nunique() for _, group in groups)
    figure = Figure(figsize=(11, 1.7 + len(groups) * (0.9 + 0.29 * lines)), layout="constrained")
    title(figure, f"{heading}: what PUB changes; methods with longer joint steps are lower", frame)
    panels = figure.subplots(len(groups), 3, sharey="row", squeeze=False)
    look = looks(whole.loc[whole["metric"] == "weight_mean", "task_title"])
    for row, (key, group) in zip(panels, groups, strict=True):
        lengths = group[group["metric"] == LENGTH].set_index("balancer")["ratio"].sort_values(kind="stable")
        order = list(lengths.index)
        same = whole[(whole["dataset"] == key[0]) & (whole["backbone"] == key[1])]
        place = f"{heading_of(same.iloc[0])}, {backbone_name(key[1])}"
        row[0].set_title(place, loc="left")
        row[0].set_yticks(range(len(order)), [_label(name) for name in order])
        row[0].set_ylim(len(order) - 0.4, -0.6)
        _differences(row[0], same[same["metric"] == "mean_auc"], order, baseline)
        _lengths(row[1], same[same["metric"] == LENGTH], order, baseline)
        _weights(row[2], same, order, look)
    base = balancer_name(baseline)
    far = ";\nnumbers: off the scale" if any(axes.texts for axes in panels[:, 0]) else ""
    marks = f"(dots: seeds; marker and bar:\nmean and 95 % interval{far})"
    panels[-1][0].set_xlabel(f"test mean AUC minus that of {base}\n{marks}")
    panels[-1][1].set_xlabel(f"length of the joint step over {base}'s\n(no unit, logarithmic;\ndots: seeds)")
    panels[-1][2].set_xlabel("weight over the tasks' mean weight\n(no unit; mean of seeds;\nbar: std over steps)")
    legend(figure, [mark(style, task) for task, style in look.items()])
    return figure


def _label(name: str) -> str:
    """The printed name, the options of a variant with several of them on a line of their own."""
    printed = balancer_name(name)
    return printed.replace(" (", "\n(") if "," in printed else printed


def _differences(axes: Axes, rows: pd.DataFrame, order: list[str], baseline: str) -> None:
    """The differences of mean AUC; those beyond :data:`FAR` are numbers at the edge."""
    axes.axvline(0, color=GRAY, linewidth=1.2)
    axes.xaxis.set_major_locator(MaxNLocator(4))
    reference, drawn = by_seed(rows[rows["balancer"] == baseline]), [0.0]
    for place, name in enumerate(order):
        own = by_seed(rows[rows["balancer"] == name])
        values = differences(own, reference)
        if not values:
            continue
        if abs(mean(values)) > FAR:
            edge = 0.02 if mean(values) < 0 else 0.98
            text, side = signed(mean(values), 4), "left" if edge < 0.5 else "right"
            axes.text(edge, place, text, transform=axes.get_yaxis_transform(), ha=side, va="center")
            continue
        found = between(own, reference)
        tested = name != baseline and not found.test.untested
        reach = (found.high - found.low) / 2 if tested else 0.0
        axes.plot(values, [place + 0.25] * len(values), ".", color=GRAY, markersize=3)
        axes.errorbar(mean(values), place, xerr=reach, fmt="o", color="black", markersize=5, capsize=2)
        drawn += values
    margin = 0.3 * max(max(drawn) - min(drawn), 1e-4)  # intervals of few seeds are long, and may end outside
    axes.set_xlim(min(drawn) - margin, max(drawn) + margin)


def _lengths(axes: Axes, rows: pd.DataFrame, order: list[str], baseline: str) -> None:
    axes.set_xscale("log")
    axes.axvline(1, color=GRAY, linewidth=1.2)
    reference = by_seed(rows[rows["balancer"] == baseline])
    for place, name in enumerate(order):
        values = ratios(by_seed(rows[rows["balancer"] == name]), reference)
        axes.plot(values, [place] * len(values), ".", color="black", markersize=6)
    low, high = axes.get_xlim()
    axes.set_xticks([tick for tick in TICKS if low <= tick <= high])
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _weights(axes: Axes, rows: pd.DataFrame, order: list[str], look: dict[str, Look]) -> None:
    axes.axvline(1, color=GRAY, linewidth=1.2)
    table = rows[rows["metric"].isin(["weight_mean", "weight_spread"])].pivot_table(
        index=["balancer", "task_title"], columns="metric", values="value", sort=False
    )
    for place, name in enumerate(order):
        if name not in table.index:
            continue
        found = table.loc[name]
        scaled = found / found["weight_mean"].mean()
        apart = min(0.16, 0.8 / len(scaled))
        for index, (task, weight) in enumerate(scaled.iterrows()):
            axes.errorbar(
                weight["weight_mean"],
                place + apart * (index - (len(scaled) - 1) / 2),
                xerr=weight["weight_spread"],
                color=look[str(task)].color,
                marker=look[str(task)].marker,
                markersize=4,
                elinewidth=1,
                capsize=2,
            )
