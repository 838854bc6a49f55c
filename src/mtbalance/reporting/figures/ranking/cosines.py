"""The cosine of gradient and update over training, on task-specific and on shared parameters."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from mtbalance.reporting.drawing import GRAY, Dash, Look, balancer_legend, looks, nothing, title
from mtbalance.reporting.names import backbone_name, data_named

FIRST = ("mgda", "imtl_g", "nashmtl", "pub", "adatask", "multibalance")
"""The balancers that are shown beside the baseline, if there are more than a figure can hold."""
MOST = 7
STYLES: dict[str, Dash] = {"cosine_task_specific": "-", "cosine_shared": "--"}


def draw(frame: pd.DataFrame, heading: str, baseline: str) -> Figure:
    """Draw a panel for each backbone, two lines a balancer: means over data sets and seeds, with their spread."""
    lines = frame[frame["epoch"].notna() & frame["metric"].isin(STYLES)]
    figure = Figure(layout="constrained")
    if lines.empty:
        nothing(figure, "No run has cosines.")
        return figure
    names, left_out = list(dict.fromkeys(lines["balancer"])), ""
    if len(names) > MOST:
        left_out = f" ({len({baseline, *FIRST} & set(names))} of {len(names)} methods; the others are in the table)"
        names = [name for name in names if name in (baseline, *FIRST)]
    shown = lines[lines["balancer"].isin(names)]
    backbones = list(dict.fromkeys(shown["backbone"]))
    look = looks(names, baseline)
    figure.set_size_inches(1.2 + 3.0 * max(2, len(backbones)), 4.4)
    heading = f"{heading}: cosine of gradient and update; bands: ± standard deviation"
    title(figure, f"{heading}\n{data_named(frame)}{left_out}", frame)
    for axes, backbone in zip(
        figure.subplots(1, len(backbones), sharey=True, squeeze=False)[0], backbones, strict=True
    ):
        _panel(axes, shown[shown["backbone"] == backbone], look)
        axes.set_title(backbone_name(backbone))
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        if backbone == backbones[0]:
            axes.set_ylabel("mean cosine of −gradient and update")
    kinds = [
        Line2D([], [], color=GRAY, linestyle=style, label=name)
        for name, style in zip(("task-specific parameters", "shared parameters"), STYLES.values(), strict=True)
    ]
    balancer_legend(figure, look, kinds, markers=True)
    return figure


def _panel(axes: Axes, lines: pd.DataFrame, look: dict[str, Look]) -> None:
    for (balancer, metric), line in lines.groupby(["balancer", "metric"], sort=False):
        style = look[str(balancer)]
        by_epoch = line.groupby("epoch")["value"].agg(["mean", "std"]).fillna(0.0)
        epochs = by_epoch.index.astype(int)
        axes.plot(epochs, by_epoch["mean"], STYLES[str(metric)], color=style.color, marker=style.marker, markersize=3)
        low, high = by_epoch["mean"] - by_epoch["std"], by_epoch["mean"] + by_epoch["std"]
        axes.fill_between(epochs, low, high, color=style.color, alpha=0.08, linewidth=0)
