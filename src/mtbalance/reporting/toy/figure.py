"""The figure of the toy problem: a panel for each method, a line for each start, on contours of the losses' sum."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from mtbalance.reporting.drawing import GRAY, PALETTE
from mtbalance.reporting.names import balancer_name
from mtbalance.reporting.toy.table import POINT, REACHED, ends

Style = dict[str, Any]

COLUMNS = 4
NAMES = {"pub": "PUB, weights sum to K", "pub_as_solved": "PUB, weights as solved"}
CONTOURS: Style = {"levels": 16, "colors": "#93a3b5", "linewidths": 0.4, "linestyles": "solid"}
GROUND = LinearSegmentedColormap.from_list("ground", ["#b9c6d6", "#fbfcfd"])
STAR: Style = {"marker": "*", "markersize": 14, "color": "#F0E442", "markeredgecolor": "black", "markeredgewidth": 0.8}
START: Style = {"marker": "o", "markersize": 5.5, "markerfacecolor": "white", "markeredgewidth": 1.4}
END: Style = {"marker": "D", "markersize": 4.5, "markeredgecolor": "black", "markeredgewidth": 0.7}
FRONT: Style = {"color": "black", "linewidth": 2.8, "solid_capstyle": "round"}


def draw(trajectories: Mapping[str, pd.DataFrame], landscape: pd.DataFrame) -> Figure:
    """Draw a panel for each method of ``trajectories``, in that order, and the legend in the last panel.

    All methods must have the same settings; the heading names those of the first.
    """
    rows = math.ceil((len(trajectories) + 1) / COLUMNS)
    figure = Figure(figsize=(9.6, 0.5 + 3.0 * rows), layout="constrained")
    figure.suptitle(_heading(next(iter(trajectories.values())).attrs))
    table = ends(trajectories, landscape)
    grid = figure.subplots(rows, COLUMNS, sharex=True, sharey=True, squeeze=False)
    for axes, (name, frame) in zip(grid.flat, trajectories.items(), strict=False):
        _ground(axes, landscape)
        _trajectories(axes, frame)
        found = table.loc[table["method"] == name, "reached"]
        axes.set_title(f"{NAMES.get(name, balancer_name(name))}\n{found.sum()} of {len(found)} at the star")
        axes.set_xlabel("$x_1$")
        axes.tick_params(labelbottom=True)
    for axes in grid[:, 0]:
        axes.set_ylabel("$x_2$")
    for axes in grid.flat[len(trajectories) :]:
        axes.set_axis_off()
    _legend(grid.flat[-1])
    return figure


def _heading(settings: dict[str, Any]) -> str:
    steps, lr, scale = (settings[name] for name in ("steps", "lr", "scale"))
    return f"Toy problem, scale {scale:g}: {steps:,} steps of Adam from five starts, learning rate {lr:g}"


def _ground(axes: Axes, landscape: pd.DataFrame) -> None:
    grid = landscape[landscape["part"] == "grid"]
    total = (grid["loss_1"] + grid["loss_2"]).set_axis(pd.MultiIndex.from_frame(grid[["x2", "x1"]])).unstack()
    axes.contourf(total.columns, total.index, total, levels=CONTOURS["levels"], cmap=GROUND, zorder=0)
    axes.contour(total.columns, total.index, total, zorder=0.5, **CONTOURS)
    front, optimum = (landscape[landscape["part"] == part] for part in ("front", "optimum"))
    axes.plot(front["x1"], front["x2"], zorder=1, **FRONT)
    axes.plot(optimum["x1"], optimum["x2"], linestyle="", zorder=4, **STAR)
    axes.grid(False)
    axes.set(aspect="equal", xticks=range(-10, 11, 5), yticks=range(-10, 11, 5))


def _trajectories(axes: Axes, trajectories: pd.DataFrame) -> None:
    for color, (_, trajectory) in zip(PALETTE, trajectories.groupby("start"), strict=False):
        x1, x2 = (trajectory[name].to_numpy() for name in POINT)
        axes.plot(x1, x2, color=color, linewidth=1.5, zorder=2)
        axes.plot(x1[:1], x2[:1], color=color, zorder=3, **START)
        axes.plot(x1[-1:], x2[-1:], color=color, zorder=5, **END)


def _legend(axes: Axes) -> None:
    entries = [
        Line2D([], [], linestyle="", color=GRAY, label="start", **START),
        Line2D([], [], linestyle="", color=GRAY, label="end", **END),
        Line2D([], [], label="Pareto front", **FRONT),
        Line2D([], [], linestyle="", label=f"balanced optimum\n(at it: within {REACHED:g})", **STAR),
        Line2D([], [], color=CONTOURS["colors"], linewidth=0.8, label="contours of $L_1 + L_2$"),
    ]
    axes.legend(handles=entries, loc="center", labelspacing=0.9)
