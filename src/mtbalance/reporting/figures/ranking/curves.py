"""The score on the selection split by epoch: a line for each run, a dot at its chosen epoch, a cross at failure."""

from __future__ import annotations

from typing import Any, NamedTuple

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from mtbalance.reporting.captions import OWN_BEST_EPOCH
from mtbalance.reporting.drawing import GRAY, LEVELS, PALETTE, Look, balancer_legend, looks, title
from mtbalance.reporting.names import backbone_name, heading_of
from mtbalance.reporting.score import score_of, score_titles
from mtbalance.reporting.value import RUN, trained


class Row(NamedTuple):
    """A row of panels: methods on one data set."""

    dataset: str
    label: str
    balancers: set[str]


def draw(frame: pd.DataFrame, heading: str, baseline: str) -> Figure:
    """Draw a row of panels for each data set, a panel for each backbone. Panels of one data set share their scale.

    More than seven methods have a row for each level at which they balance, with the baseline in each. A backbone
    without a method of that level has no panel there. Backbones with more methods come first.
    """
    scores = [own[own["metric"] == score_of(own)] for _, own in frame.groupby("dataset", sort=False)]
    epochs = pd.concat(scores).query("epoch.notna() and value.notna()")
    separate = set(frame.loc[frame["metric"] == OWN_BEST_EPOCH, RUN].itertuples(index=False, name=None))
    chosen = {key: epoch for key, epoch in trained(frame).set_index(RUN)["value"].items() if key not in separate}
    rows = [row for dataset, own in frame.groupby("dataset", sort=False) for row in _rows(str(dataset), own, baseline)]
    methods = frame.groupby("backbone", sort=False)["balancer"].nunique()
    backbones = list(methods.sort_values(ascending=False, kind="stable").index)
    look = looks(frame["balancer"], baseline)
    bottoms = {dataset: _bottom(own) for dataset, own in epochs.groupby("dataset", sort=False)}
    size = (1.2 + 2.9 * max(2, len(backbones)), 1.5 + 2.4 * len(rows))
    figure = Figure(figsize=size, layout="constrained")
    splits = " and ".join(sorted(set(epochs["split"])))
    cut = "" if all(bottom is None for bottom in bottoms.values()) else "\nlow values of a few epochs are cut off"
    title(figure, f"{heading}: {score_titles(frame)} by epoch, {splits} split{cut}", frame)
    grid = figure.subplots(len(rows), len(backbones), sharex=True, sharey="row", squeeze=False)
    drawn: set[str] = set()
    for row, panels in zip(rows, grid, strict=True):
        of_dataset = epochs[epochs["dataset"] == row.dataset]
        panels[0].set_ylabel(row.label)
        for backbone, axes in zip(backbones, panels, strict=True):
            shown = of_dataset["balancer"].isin(row.balancers) & (of_dataset["backbone"] == backbone)
            _panel(axes, of_dataset[shown], chosen, look)
            repeated = row.dataset in drawn and set(of_dataset.loc[shown, "balancer"]) <= {baseline}
            axes.set_visible(not repeated)
        drawn.add(row.dataset)
        panels[0].set_ylim(bottom=bottoms.get(row.dataset))
    for backbone, column in zip(backbones, grid.T, strict=True):
        column[0].set_title(backbone_name(backbone))
        lowest = [axes for axes in column if axes.get_visible()][-1]
        lowest.set_xlabel("epoch")
        lowest.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        lowest.xaxis.set_tick_params(labelbottom=True)
    failed = [_entry("X", "failed run")] if (frame["status"] != "finished").any() else []
    apart = " (STL: one for each task, no dot)" if separate else ""
    balancer_legend(figure, look, [_entry("o", f"chosen epoch{apart}"), *failed])
    return figure


def _rows(dataset: str, frame: pd.DataFrame, baseline: str) -> list[Row]:
    """One row, or one a level if the methods are more than the colors."""
    label = f"{score_titles(frame)}\n{heading_of(frame.iloc[0])}".replace(" (", "\n(")
    methods = frame.drop_duplicates("balancer")
    if len(methods) <= len(PALETTE):
        return [Row(dataset, label, set(methods["balancer"]))]
    at = {level: set(methods.loc[methods["level"] == level, "balancer"]) - {baseline} for level in LEVELS}
    return [Row(dataset, f"{label}\nlevel {level}", {baseline, *names}) for level, names in at.items() if names]


def _bottom(epochs: pd.DataFrame) -> float | None:
    """Where the scale begins: a single run that breaks down must not flatten the others. None: at the lowest value."""
    if epochs.empty:
        return None
    low, quantile, high = epochs["value"].quantile([0, 0.02, 1])
    return None if quantile - low < 0.1 * (high - quantile) else quantile - 0.05 * (high - quantile)


def _panel(axes: Axes, runs: pd.DataFrame, chosen: dict[Any, float], look: dict[str, Look]) -> None:
    for key, run in runs.groupby(RUN, sort=False):
        style = look[str(key[2])]
        epochs, values = run["epoch"].astype(int).tolist(), run["value"].tolist()
        axes.plot(epochs, values, style.dash, color=style.color, linewidth=1.1, alpha=0.85)
        failed = run["status"].iloc[0] != "finished"
        end = epochs[-1] if failed else chosen.get(key, 0)
        if end in epochs:
            axes.plot([end], [values[epochs.index(end)]], "X" if failed else "o", color=style.color, markersize=5)


def _entry(marker: str, label: str) -> Line2D:
    return Line2D([], [], color=GRAY, marker=marker, markersize=5, linestyle="", label=label)
