"""First metric of every scene task by epoch, for each method and for a constant prediction that ignores the image."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, ScalarFormatter

from mtbalance.reporting.collect import CONSTANT
from mtbalance.reporting.derived import in_printed_units
from mtbalance.reporting.drawing import GRAY, Look, legend, looks, title
from mtbalance.reporting.names import METRICS, heading_of, method_name

LOGARITHMIC = 3
"""A panel's scale is logarithmic if its largest value, such as an error of the first epoch, is over 3 times its
median."""


def draw(frame: pd.DataFrame, heading: str, baseline: str) -> Figure:
    """Draw a row of panels for each data set, a panel for each task. Lines are means over the seeds in that epoch."""
    names = frame.apply(method_name, axis=1, baseline=baseline)
    frame = in_printed_units(frame).assign(method=names)
    epochs = frame[(frame["better"] != 0) & frame["epoch"].notna()]
    tasks = epochs.drop_duplicates("task")[["task", "task_title", "metric", "better"]]
    datasets = list(dict.fromkeys(frame["dataset"]))
    look = looks(names)
    figure = Figure(figsize=(1.2 + 3.2 * len(tasks), 1.6 + 2.6 * len(datasets)), layout="constrained")
    title(figure, f"{heading}: test metrics by epoch", frame)
    grid = figure.subplots(len(datasets), len(tasks), sharex=True, squeeze=False)
    for dataset, panels in zip(datasets, grid, strict=True):
        part = frame[frame["dataset"] == dataset]
        panels[0].set_ylabel(heading_of(part.iloc[0]).replace(" (", "\n("))
        for axes, task in zip(panels, tasks.itertuples(), strict=True):
            _panel(axes, part[(part["task"] == task.task)], task.metric, look)
            arrow = "higher is better" if task.better > 0 else "lower is better"
            axes.set_title(f"{task.task_title}: {METRICS[task.metric].title}\n({arrow})")
    for bottom in grid[-1]:
        bottom.set_xlabel("epoch")
        bottom.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    entries = [
        Line2D([], [], color=s.color, linestyle=s.dash, marker=s.marker, markersize=4, linewidth=1.2, label=name)
        for name, s in look.items()
    ]
    legend(figure, [*entries, Line2D([], [], color=GRAY, linestyle=":", linewidth=2, label="constant prediction")])
    return figure


def _panel(axes: Axes, rows: pd.DataFrame, metric: str, look: dict[str, Look]) -> None:
    constant = rows.loc[rows["metric"] == f"{CONSTANT}{metric}", "value"]
    if len(constant):
        axes.axhline(constant.iloc[0], color=GRAY, linestyle=":", linewidth=1.2)
    lines = rows[(rows["metric"] == metric) & rows["epoch"].notna()]
    for method, line in lines.groupby("method", sort=False):
        values = line.groupby("epoch")["value"].mean()
        axes.plot(
            values.index.astype(int),
            values,
            look[method].dash,
            color=look[method].color,
            marker=look[method].marker,
            markersize=4,
            linewidth=1.2,
            alpha=0.9,
        )
    if lines["value"].max() > LOGARITHMIC * lines["value"].median() > 0:
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(ScalarFormatter())
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
