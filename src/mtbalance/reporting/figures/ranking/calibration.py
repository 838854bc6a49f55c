"""Reliability diagrams: rate of positive labels against predicted probability, as trained and after two scalings.

``frame`` is a table of calibrations (:mod:`mtbalance.reporting.calibration`), not collected metrics.
"""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from mtbalance.reporting.calibration import BINS
from mtbalance.reporting.drawing import GRAY, Look, balancer_legend, looks, nothing, title, wrapped
from mtbalance.reporting.names import backbone_name, heading_of

SCALINGS = {"none": "as trained", "temperature": "after temperature scaling", "isotonic": "after isotonic scaling"}
WIDTH = 3.2
"""Inches of a panel, at least."""


def draw(frame: pd.DataFrame, heading: str, baseline: str) -> Figure:
    """Draw a row of three panels for each data set, task and backbone; a line is a method, over all of its seeds."""
    bins = frame[frame["part"] == "bin"]
    panels = list(bins.groupby(["dataset", "task", "backbone"], sort=False))
    figure = Figure(figsize=(11.0, 1.2 + 3.4 * max(len(panels), 1)), layout="constrained")
    said = f"{BINS} bins of equally many test rows, on logarithmic axes; on the gray line rates are as predicted"
    title(figure, f"{heading}: reliability of predicted probabilities\n{said}", frame)
    if not panels:
        nothing(figure, "No run was finished.")
        return figure
    look = looks(bins["balancer"], baseline)
    rows = figure.subplots(len(panels), len(SCALINGS), squeeze=False, sharex="row", sharey="row")
    for row, (_, group) in zip(rows, panels, strict=True):
        for axes, (scaling, name) in zip(row, SCALINGS.items(), strict=True):
            _panel(axes, group[group["scaling"] == scaling], look)
            axes.set_title(f"{wrapped(_named(group.iloc[0]), WIDTH)}\n{name}")
            axes.set_xlabel("predicted probability")
        row[0].set_ylabel("rate of positive labels")
    balancer_legend(figure, look, [Line2D([], [], color=GRAY, linewidth=0.8, label="perfectly calibrated")])
    return figure


def _named(row: pd.Series) -> str:
    return f"{heading_of(row)}, {row['task_title']}, {backbone_name(row['backbone'])}"


def _panel(axes: Axes, bins: pd.DataFrame, look: dict[str, Look]) -> None:
    shown = bins[(bins["predicted"] > 0) & (bins["observed"] > 0)]  # a logarithmic axis has no zero
    axes.set(xscale="log", yscale="log")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g}%"))
        axis.set_minor_formatter(NullFormatter())
    if len(shown):
        ends = [min(shown["predicted"].min(), shown["observed"].min()), shown[["predicted", "observed"]].max().max()]
        axes.plot(ends, ends, color=GRAY, linewidth=0.8, zorder=1)
    for name, method in shown.groupby("balancer", sort=False):
        style = look[str(name)]
        for _, run in method.groupby("seed", sort=False):
            axes.plot(
                run["predicted"],
                run["observed"],
                color=style.color,
                linestyle=style.dash,
                marker=style.marker,
                markersize=3,
                linewidth=1,
                alpha=0.8,
            )
