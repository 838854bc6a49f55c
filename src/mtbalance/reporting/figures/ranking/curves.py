"""The score on the selection split by epoch: a line for each run, a dot at its chosen epoch, a cross at failure."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from mtbalance.reporting.drawing import GRAY, Look, balancer_legend, looks, title
from mtbalance.reporting.names import backbone_name, dataset_heading
from mtbalance.reporting.score import score_of, score_titles
from mtbalance.reporting.value import RUN, trained


def draw(frame: pd.DataFrame, heading: str, baseline: str) -> Figure:
    """Draw a row of panels for each data set, a panel for each backbone. Panels of one data set share their scale."""
    scores = [own[own["metric"] == score_of(own)] for _, own in frame.groupby("dataset", sort=False)]
    epochs = pd.concat(scores).query("epoch.notna() and value.notna()")
    chosen = trained(frame).set_index(RUN)["value"]
    datasets = list(dict.fromkeys(frame["dataset"]))
    backbones = list(dict.fromkeys(frame["backbone"]))
    look = looks(frame["balancer"], baseline)
    size = (1.2 + 2.9 * max(2, len(backbones)), 1.5 + 2.4 * len(datasets))
    figure = Figure(figsize=size, layout="constrained")
    title(
        figure, f"{heading}: {score_titles(frame)} by epoch, {' and '.join(sorted(set(epochs['split'])))} split", frame
    )
    grid = figure.subplots(len(datasets), len(backbones), sharex=True, sharey="row", squeeze=False)
    for dataset, panels in zip(datasets, grid, strict=True):
        of_dataset = epochs[epochs["dataset"] == dataset]
        synthetic = bool(frame.loc[frame["dataset"] == dataset, "synthetic"].iloc[0])
        panels[0].set_ylabel(
            f"{score_titles(frame[frame['dataset'] == dataset])}\n{dataset_heading(dataset, synthetic)}".replace(
                " (", "\n("
            )
        )
        for backbone, axes in zip(backbones, panels, strict=True):
            _panel(axes, of_dataset[of_dataset["backbone"] == backbone], chosen, look)
        panels[0].set_ylim(bottom=_bottom(of_dataset))
    for backbone, top, bottom in zip(backbones, grid[0], grid[-1], strict=True):
        top.set_title(backbone_name(backbone))
        bottom.set_xlabel("epoch")
        bottom.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    failed = [_entry("X", "failed run")] if (frame["status"] != "finished").any() else []
    balancer_legend(figure, look, [_entry("o", "chosen epoch"), *failed])
    return figure


def _bottom(epochs: pd.DataFrame) -> float | None:
    """Where the scale begins: a single run that breaks down must not flatten the others. None: at the lowest value."""
    if epochs.empty:
        return None
    low, quantile, high = epochs["value"].quantile([0, 0.02, 1])
    return None if quantile - low < 0.1 * (high - quantile) else quantile - 0.05 * (high - quantile)


def _panel(axes: Axes, runs: pd.DataFrame, chosen: pd.Series, look: dict[str, Look]) -> None:
    for key, run in runs.groupby(["dataset", "backbone", "balancer", "seed"], sort=False):
        style = look[str(key[2])]
        epochs, values = run["epoch"].astype(int).tolist(), run["value"].tolist()
        axes.plot(epochs, values, style.dash, color=style.color, linewidth=1.1, alpha=0.85)
        failed = run["status"].iloc[0] != "finished"
        end = epochs[-1] if failed else chosen[key]
        height = dict(zip(epochs, values, strict=True)).get(end)
        if height is not None:
            axes.plot([end], [height], "X" if failed else "o", color=style.color, markersize=5)


def _entry(marker: str, label: str) -> Line2D:
    return Line2D([], [], color=GRAY, marker=marker, markersize=5, linestyle="", label=label)
