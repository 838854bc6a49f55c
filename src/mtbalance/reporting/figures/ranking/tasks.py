"""Change of throughput and of NE by the number of tasks, a line for each method."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from mtbalance.reporting.drawing import GRAY, Look, legend, looks, nothing, title
from mtbalance.reporting.figures.common.speed import MARKERS
from mtbalance.reporting.names import backbone_name, balancer_name, dataset_heading
from mtbalance.reporting.task_counts import NE, QPS, changes, printed_loss


def draw(frame: pd.DataFrame, heading: str, baseline: str) -> Figure:
    """Draw two panels for each backbone: throughput on the left, NE on the right. Markers tell the level."""
    cells = changes(frame, baseline)
    cells = cells[cells["balancer"] != baseline]
    backbones = list(dict.fromkeys(cells["backbone"]))
    figure = Figure(figsize=(9.2, 1.3 + 3.4 * max(1, len(backbones))), layout="constrained")
    title(figure, f"{heading}: change against {balancer_name(baseline)}", frame)
    if not backbones:
        nothing(figure, f"No balancer beside {balancer_name(baseline)} was run.")
        return figure
    look = looks(cells["balancer"])
    grid = figure.subplots(len(backbones), 2, squeeze=False)
    for (left, right), backbone in zip(grid, backbones, strict=True):
        own = cells[cells["backbone"] == backbone]
        for axes, metric in ((left, QPS), (right, NE)):
            axes.set_title(backbone_name(backbone))
            _panel(axes, own[own["metric"] == metric], look)
        _claims(left, sorted(set(own["tasks"])))
        left.set_ylabel(f"QPS against {balancer_name(baseline)}, %\n(median, quartiles over blocks)")
        right.set_ylabel(f"mean NE against {balancer_name(baseline)}, %\n(mean ± std over seeds; lower is better)")
    datasets = cells.drop_duplicates("dataset")
    names = [dataset_heading(str(row["dataset"]), bool(row["synthetic"])) for _, row in datasets.iterrows()]
    figure.supxlabel("\n".join(", ".join(names[start : start + 2]) for start in range(0, len(names), 2)), fontsize=8)
    levels = cells.drop_duplicates("balancer").set_index("balancer")["level"]
    entries = [
        Line2D(
            [],
            [],
            color=look[name].color,
            marker=MARKERS[level],
            linestyle=look[name].dash,
            label=f"{balancer_name(name)} ({level})",
        )
        for name, level in levels.items()
    ]
    least, most = printed_loss()
    claim = f"gray: {least:g} to {most:g} % lost, printed of earlier methods"
    entries.append(Line2D([], [], color="#bbbbbb", linewidth=6, label=claim))
    entries.append(Line2D([], [], color="black", linestyle=":", label="K backward passes: 3 / (1 + 2 K) left"))
    legend(figure, entries)
    return figure


def _panel(axes: Axes, cells: pd.DataFrame, look: dict[str, Look]) -> None:
    axes.axhline(0, color=GRAY, linewidth=1.2)
    counts = sorted(set(cells["tasks"]))
    axes.set_xscale("log", base=2)
    axes.set_xticks(counts, [str(count) for count in counts])
    axes.minorticks_off()
    axes.set_xlabel("number of tasks K")
    for balancer, own in cells.groupby("balancer", sort=False):
        own = own.sort_values("tasks")
        low, high = own["change_percent"] - own["low"], own["high"] - own["change_percent"]
        spread = 100 * own["ratio_std"].fillna(0)
        bars = [spread, spread] if (own["metric"] == NE).all() else [low, high]
        axes.errorbar(
            own["tasks"],
            own["change_percent"],
            np.clip(bars, 0, None),
            color=look[str(balancer)].color,
            linestyle=look[str(balancer)].dash,
            marker=MARKERS[own["level"].iloc[0]],
            markersize=5.5,
            capsize=2.5,
            linewidth=1.2,
        )


def _claims(axes: Axes, counts: list[int]) -> None:
    least, most = printed_loss()
    axes.axhspan(-most, -least, color="#bbbbbb", alpha=0.5, linewidth=0)
    tasks = np.geomspace(counts[0], counts[-1], 50)
    axes.plot(tasks, 100 * (3 / (1 + 2 * tasks) - 1), color="black", linestyle=":", linewidth=1.2)
    axes.set_ylim(-103, max(8, axes.get_ylim()[1]))
