"""Task weights by epoch of the balancers that change them."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from mtbalance.reporting.drawing import legend, looks, nothing, title
from mtbalance.reporting.names import backbone_name, balancer_name, dataset_heading

RUN = ["dataset", "backbone", "balancer", "seed"]


def weights_figure(frame: pd.DataFrame, heading: str, baseline: str) -> Figure:
    """A row a data set and backbone, a panel a balancer, a line a task and seed.

    Shares are drawn, a weight over the sum of the run's weights in that epoch: the scales of methods differ.
    """
    shares = _varying(_shares(frame))
    rows = list(shares.groupby(["dataset", "backbone"], sort=False))
    balancers = list(dict.fromkeys(shares["balancer"]))
    size = (1.4 + 2.0 * max(2, len(balancers)), 1.5 + 1.7 * max(1, len(rows)))
    figure = Figure(figsize=size, layout="constrained")
    title(figure, f"{heading}: share of each task in the weights", frame)
    if not rows:
        nothing(figure, "No balancer changed its weights.")
        return figure
    look = looks(shares["task"])
    grid = figure.subplots(len(rows), len(balancers), sharex=True, sharey=True, squeeze=False)
    for ((dataset, backbone), group), panels in zip(rows, grid, strict=True):
        name = dataset_heading(str(dataset), bool(group["synthetic"].iloc[0]))
        panels[0].set_ylabel(f"{backbone_name(str(backbone))}\n{name}".replace(" (", "\n("))
        for balancer, axes in zip(balancers, panels, strict=True):
            _panel(axes, group[group["balancer"] == balancer], {task: look[task].color for task in look})
    for balancer, top, bottom in zip(balancers, grid[0], grid[-1], strict=True):
        top.set_title(balancer_name(balancer))
        bottom.set_xlabel("epoch")
        bottom.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    titles = dict(zip(shares["task"], shares["task_title"], strict=True))
    entries = [Line2D([], [], color=look[task].color, linewidth=2, label=titles[task]) for task in look]
    legend(figure, entries)
    return figure


def _shares(frame: pd.DataFrame) -> pd.DataFrame:
    weights = frame[frame["metric"] == "weight"]
    return weights.assign(share=weights["value"] / weights.groupby([*RUN, "epoch"])["value"].transform("sum"))


def _varying(shares: pd.DataFrame) -> pd.DataFrame:
    """Without the balancers whose shares never change: they are constants and no result."""
    spread = shares.groupby([*RUN[:3], "task"])["share"].transform(lambda share: share.max() - share.min())
    moving = spread.groupby([shares[name] for name in RUN[:3]]).transform("max") > 1e-9
    return shares[moving]


def _panel(axes: Axes, runs: pd.DataFrame, colors: dict[str, str]) -> None:
    if runs.empty:
        axes.text(0.5, 0.5, "constant\nor not run", ha="center", va="center", transform=axes.transAxes)
    for (_, task), line in runs.groupby(["seed", "task"], sort=False):
        epochs, shares = line["epoch"].astype(int).tolist(), line["share"].tolist()
        axes.plot(epochs, shares, color=colors[str(task)], linewidth=1.2, alpha=0.85, marker=".", markersize=4)
    axes.set_ylim(-0.04, 1.04)
