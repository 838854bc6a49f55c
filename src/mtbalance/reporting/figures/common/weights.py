"""Share of each task in the weights by epoch, for the balancers that change them."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from mtbalance.reporting.derived import moving_shares
from mtbalance.reporting.drawing import GRAY, Look, legend, looks, nothing, title
from mtbalance.reporting.names import backbone_name, balancer_name, heading_of
from mtbalance.reporting.value import GROUP

PANELS = 7
"""Panels in a line, at most."""


def draw(frame: pd.DataFrame, heading: str, baseline: str) -> Figure:
    """Draw a panel for each data set, backbone and balancer, a line for each task and seed.

    A share is a weight over the sum of the run's weights in that epoch: methods have weights on different scales.
    """
    shares = moving_shares(frame)
    models = [list(model.groupby("balancer", sort=False)) for _, model in shares.groupby(GROUP, sort=False)]
    lines = [panels[start : start + PANELS] for panels in models for start in range(0, len(panels), PANELS)]
    columns = max(map(len, lines), default=2)
    figure = Figure(figsize=(1.4 + 1.75 * max(2, columns), 1.5 + 1.75 * max(1, len(lines))), layout="constrained")
    title(figure, f"{heading}: share of each task in the weights; a line for each seed, gray: equal weights", frame)
    if not lines:
        nothing(figure, "No balancer changed its weights.")
        return figure
    look, ends = looks(shares["task"]), _ends(shares)
    grid = figure.subplots(len(lines), columns, sharex=True, sharey=True, squeeze=False)
    for line, panels in zip(lines, grid, strict=True):
        _label(panels[0], line[0][1].iloc[0])
        for axes, (balancer, runs) in zip(panels, line, strict=False):
            axes.set_title(balancer_name(str(balancer)))
            _panel(axes, runs, look, ends)
        for axes in panels[len(line) :]:
            axes.set_visible(False)
    for axes in grid[-1]:
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    titles = dict(zip(shares["task"], shares["task_title"], strict=True))
    legend(
        figure,
        [
            Line2D([], [], color=color, linestyle=dash, marker=marker, markersize=3, label=titles[task])
            for task, (color, dash, marker) in look.items()
        ],
    )
    return figure


def _label(axes: Axes, row: pd.Series) -> None:
    axes.set_ylabel(f"{backbone_name(str(row['backbone']))}\n{heading_of(row)}".replace(" (", "\n("))


def _ends(shares: pd.DataFrame) -> tuple[float, float]:
    """Where the scale ends: at 0, or the lowest share if weights are negative; and at the largest one.

    That is twice an equal share at least, which is 1 of two tasks.
    """
    fewest = int(shares.groupby("dataset", sort=False)["task"].nunique().min())
    top = max(float(shares["share"].max()), min(1.0, 2 / fewest))
    return min(float(shares["share"].min()), 0.0), top


def _panel(axes: Axes, runs: pd.DataFrame, look: dict[str, Look], ends: tuple[float, float]) -> None:
    axes.axhline(1 / runs["task"].nunique(), color=GRAY, linewidth=0.8)
    for (_, task), line in runs.groupby(["seed", "task"], sort=False):
        epochs, shares = line["epoch"].astype(int).tolist(), line["share"].tolist()
        style = look[str(task)]
        axes.plot(epochs, shares, style.dash, color=style.color, linewidth=1.2, marker=style.marker, markersize=3)
    room = 0.04 * (ends[1] - ends[0])
    axes.set_ylim(ends[0] - room, ends[1] + room)
