"""Differences of mean AUC to the baseline, not AUC itself: dots for seeds, a marker and bar for mean and spread."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from mtbalance.reporting.comparison import by_seed
from mtbalance.reporting.drawing import GRAY, Look, looks, nothing, title
from mtbalance.reporting.method_lines import Method, label_lines, method_lines
from mtbalance.reporting.names import balancer_name, dataset_heading
from mtbalance.reporting.statistics import mean, pairs, standard_deviation

LINEAR = 0.005
"""Where some methods are far from the others, the scale is logarithmic beyond this difference."""


def draw(frame: pd.DataFrame, heading: str, baseline: str) -> Figure:
    """Draw a panel for each data set, a line for each method.

    A difference is of two runs with the same backbone and the same seed.
    """
    rows = frame[(frame["metric"] == "mean_auc") & frame["epoch"].isna()]
    methods = list(dict.fromkeys(zip(rows["backbone"], rows["balancer"], strict=True)))
    lines = method_lines(methods, baseline)
    datasets = list(rows.groupby("dataset", sort=False))
    figure = Figure(figsize=(2.2 + 3.4 * len(datasets), 1.9 + 0.27 * len(lines)), layout="constrained")
    title(figure, f"{heading}: difference of mean AUC to {balancer_name(baseline)}", frame)
    if not lines:
        nothing(figure, f"No balancer beside {balancer_name(baseline)} was run.")
        return figure
    look = looks((balancer for _, balancer in methods), baseline)
    panels = figure.subplots(1, len(datasets), sharey=True, squeeze=False)[0]
    label_lines(panels, lines)
    for axes, (dataset, group) in zip(panels, datasets, strict=True):
        axes.set_title(dataset_heading(str(dataset), bool(group["synthetic"].iloc[0])))
        _panel(axes, group, lines, look, baseline)
    if outliers := has_outliers(rows, baseline):
        for axes in panels:
            axes.set_xscale("symlog", linthresh=LINEAR)
    scale = f"\nbeyond ±{LINEAR} the scale is logarithmic" if outliers else ""
    figure.supxlabel(
        f"test mean AUC minus that of {balancer_name(baseline)} (same backbone, same seed)\n"
        f"small dots: seeds; marker and bar: mean ± standard deviation{scale}",
        fontsize=9,
    )
    return figure


def has_outliers(rows: pd.DataFrame, baseline: str) -> bool:
    """True if some methods are so far from the baseline that the others could not be told apart."""
    means = rows.groupby(["dataset", "backbone", "balancer"])["value"].mean().unstack("balancer")
    if baseline not in means:
        return False
    sizes = means.drop(columns=baseline).sub(means[baseline], axis=0).abs().stack()
    return bool(len(sizes) and sizes.max() > LINEAR and sizes.max() > 10 * sizes.median())


def _panel(axes: Axes, group: pd.DataFrame, lines: list[Method], look: dict[str, Look], baseline: str) -> None:
    cells = dict(list(group.groupby(["backbone", "balancer"], sort=False)))
    axes.axvline(0, color=GRAY, linewidth=1.2)
    axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
    for height, method in enumerate(lines):
        reference = cells.get((method[0], baseline))
        if method in cells and reference is not None:
            _method(axes, height, cells[method], reference, look[method[1]])


def _method(axes: Axes, height: int, cell: pd.DataFrame, reference: pd.DataFrame, look: Look) -> None:
    ours, theirs = pairs(by_seed(cell), by_seed(reference))
    differences = [value - other for value, other in zip(ours, theirs, strict=True)]
    failed = int((cell["status"] != "finished").sum())
    if failed:
        _note(axes, height, f"{failed} of {len(cell)} runs failed")
    if not differences:
        return
    spread = standard_deviation(differences) if len(differences) > 1 else 0.0
    axes.plot(differences, [height + 0.22] * len(differences), ".", color=look.color, alpha=0.6, markersize=4)
    axes.errorbar(
        mean(differences),
        height - 0.08,
        xerr=spread,
        color=look.color,
        fmt=look.marker,
        markersize=5.5,
        capsize=2.5,
    )


def _note(axes: Axes, height: int, text: str) -> None:
    place = axes.get_yaxis_transform()
    box = {"facecolor": "white", "edgecolor": "none", "pad": 1}
    axes.text(0.99, height, text, ha="right", va="center", fontsize=8, color=GRAY, transform=place, bbox=box)
