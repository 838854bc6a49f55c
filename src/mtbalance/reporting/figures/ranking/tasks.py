"""Change of throughput and of NE by the number of tasks, a line for each method."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from mtbalance.reporting.drawing import DASHES, GRAY, LEVELS, Look, legend, looks, nothing, title
from mtbalance.reporting.names import backbone_name, balancer_name, data_named
from mtbalance.reporting.task_counts import NE, changes, printed_loss
from mtbalance.reporting.value import QPS

BAND = "#d0d0d0"


def draw(frame: pd.DataFrame, heading: str, baseline: str) -> Figure:
    """Draw two panels for each backbone: throughput on the left, NE on the right. Markers tell the level."""
    cells = changes(frame, baseline)
    cells = cells[cells["balancer"] != baseline]
    backbones = list(dict.fromkeys(cells["backbone"]))
    figure = Figure(figsize=(9.2, 2.1 + 3.2 * max(1, len(backbones))), layout="constrained")
    title(figure, f"{heading}: change against {balancer_name(baseline)}\n{data_named(frame)}", frame)
    if not backbones:
        nothing(figure, f"No balancer beside {balancer_name(baseline)} was run.")
        return figure
    look = _looks(cells)
    grid = figure.subplots(len(backbones), 2, squeeze=False)
    for (left, right), backbone in zip(grid, backbones, strict=True):
        own = cells[cells["backbone"] == backbone]
        for axes, metric in ((left, QPS), (right, NE)):
            axes.set_title(backbone_name(backbone))
            _panel(axes, own[own["metric"] == metric], look)
        _claims(left, sorted(set(own["tasks"])))
        left.set_ylabel(f"QPS against {balancer_name(baseline)}, %\n(median, quartiles over blocks)")
        right.set_ylabel(f"mean NE against {balancer_name(baseline)}, %\n(mean ± std over seeds; lower is better)")
    levels = dict(zip(cells["balancer"], cells["level"], strict=True))
    entries = [
        Line2D([], [], color=color, linestyle=dash, marker=marker, label=f"{balancer_name(name)} ({levels[name]})")
        for name, (color, dash, marker) in look.items()
    ]
    least, most = printed_loss()
    entries.append(Line2D([], [], color=BAND, linewidth=6, label=f"printed: {least:g} to {most:g} % lost"))
    entries.append(Line2D([], [], color="black", linestyle=":", label="3 / (1 + 2 K) left"))
    legend(figure, entries)
    return figure


def _looks(cells: pd.DataFrame) -> dict[str, Look]:
    """A color for each balancer, a marker for each level, and dashes to tell the balancers of a level apart."""
    found = looks(cells["balancer"])
    for level, own in cells.groupby("level", sort=False):
        for turn, name in enumerate(dict.fromkeys(own["balancer"])):
            found[name] = Look(found[name].color, DASHES[turn % len(DASHES)], LEVELS[str(level)])
    return found


def _panel(axes: Axes, cells: pd.DataFrame, look: dict[str, Look]) -> None:
    axes.axhline(0, color=GRAY, linewidth=1.2)
    counts = sorted(set(cells["tasks"]))
    axes.set_xscale("log", base=2)
    axes.set_xticks(counts, [str(count) for count in counts])
    axes.minorticks_off()
    axes.set_xlabel("number of tasks K")
    methods = list(cells.groupby("balancer", sort=False))
    for place, (balancer, own) in enumerate(methods):
        own = own.sort_values("tasks")
        if (own["metric"] == QPS).all():
            aside, bars = 1.0, [own["change_percent"] - own["low"], own["high"] - own["change_percent"]]
        else:  # side by side, since the bars would cover each other
            aside, bars = 2 ** (0.07 * (place - (len(methods) - 1) / 2)), [100 * own["ratio_std"].fillna(0)] * 2
        color, dash, marker = look[str(balancer)]
        axes.errorbar(
            own["tasks"] * aside,
            own["change_percent"],
            np.clip(bars, 0, None),
            color=color,
            linestyle=dash,
            marker=marker,
            markersize=5.5,
            capsize=2.5,
            linewidth=1.2,
        )


def _claims(axes: Axes, counts: list[int]) -> None:
    least, most = printed_loss()
    axes.axhspan(-most, -least, color=BAND, linewidth=0)
    tasks = np.geomspace(counts[0], counts[-1], 50)
    axes.plot(tasks, 100 * (3 / (1 + 2 * tasks) - 1), color="black", linestyle=":", linewidth=1.2)
    axes.set_ylim(-103, max(8, axes.get_ylim()[1]))
