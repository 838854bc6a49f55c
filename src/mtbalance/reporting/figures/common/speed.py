"""Relative QPS and seconds an epoch by method: what each balancer costs."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mtbalance.reporting.costs import costs
from mtbalance.reporting.drawing import GRAY, Look, legend, level_entries, level_looks, nothing, title
from mtbalance.reporting.formats import decimal
from mtbalance.reporting.method_lines import Method, interval, label_lines, method_lines
from mtbalance.reporting.names import balancer_name, heading_of


def draw(frame: pd.DataFrame, heading: str, baseline: str) -> Figure:
    """Draw a panel for each data set, a line for each method. The marker tells the level at which a method balances."""
    found = costs(frame, baseline)
    ratios = found[found["metric"] == "relative_time"]
    epochs = found[found["metric"] == "seconds_an_epoch"]
    lines = method_lines(dict.fromkeys(zip(ratios["backbone"], ratios["balancer"], strict=True)), baseline)
    datasets = list(ratios.groupby("dataset", sort=False))
    figure = Figure(figsize=(2.4 + 4.2 * max(1, len(datasets)), 2.2 + 0.24 * len(lines)), layout="constrained")
    title(figure, f"{heading}: relative QPS", frame)
    if not lines:
        nothing(figure, f"Nothing was timed: no backbone has {balancer_name(baseline)} and another balancer.")
        return figure
    look = level_looks()
    panels = figure.subplots(1, len(datasets), sharey=True, squeeze=False)[0]
    label_lines(panels, lines)
    for axes, (dataset, group) in zip(panels, datasets, strict=True):
        axes.set_title(heading_of(group.iloc[0]))
        _panel(axes, group, epochs[epochs["dataset"] == dataset], lines, look)
        _base(axes, epochs[(epochs["dataset"] == dataset) & (epochs["balancer"] == baseline)], lines, baseline)
        axes.set_xlabel(
            f"training samples a second (QPS)\nover those of {balancer_name(baseline)} on the same backbone\n"
            "(marker and bar: median and quartiles\nover blocks of steps)"
        )
    legend(figure, level_entries(ratios.loc[ratios["balancer"] != baseline, "level"]))
    return figure


def _panel(axes: Axes, group: pd.DataFrame, epochs: pd.DataFrame, lines: list[Method], look: dict[str, Look]) -> None:
    axes.axvline(1, color=GRAY, linewidth=1.2)
    seconds = epochs.set_index(["backbone", "balancer"])["value"]
    for _, row in group.iterrows():
        method = (row["backbone"], row["balancer"])
        if method not in lines:
            continue
        middle, low, high = 1 / row["value"], 1 / row["high"], 1 / row["low"]
        interval(axes, lines.index(method), middle, low, high, look[row["level"]])
        _beside(axes, lines.index(method), f"{decimal(seconds[method], 1)} s")
    axes.set_xlim(0, max(1.1, 1.05 / group["low"].min()))


def _base(axes: Axes, epochs: pd.DataFrame, lines: list[Method], baseline: str) -> None:
    """The baseline's seconds, beside each backbone's name, and what they are of above them."""
    for _, row in epochs.iterrows():
        if (row["backbone"], "") in lines:
            _beside(
                axes, lines.index((row["backbone"], "")), f"{balancer_name(baseline)}: {decimal(row['value'], 1)} s"
            )
    _beside(axes, -1, f"an epoch of {epochs['epoch_rows'].iloc[0]:,} rows\nwould take:")


def _beside(axes: Axes, height: int, text: str) -> None:
    axes.annotate(
        text,
        (1, height),
        xytext=(4, 0),
        xycoords=axes.get_yaxis_transform(),
        textcoords="offset points",
        va="center",
        fontsize=8,
        color=GRAY,
        annotation_clip=False,
    )
