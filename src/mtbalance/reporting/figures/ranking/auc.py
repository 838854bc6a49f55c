"""Differences of mean AUC to the baseline, not AUC itself: dots for seeds, a marker and bar for mean and interval."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

from mtbalance.reporting.comparison import by_seed
from mtbalance.reporting.contrasts import between
from mtbalance.reporting.drawing import GRAY, Look, legend, level_entries, level_looks, nothing, title
from mtbalance.reporting.figures.ranking._beside import LEVEL, beside
from mtbalance.reporting.formats import signed
from mtbalance.reporting.method_lines import Method, interval, label_lines, method_lines
from mtbalance.reporting.names import balancer_name, heading_of
from mtbalance.reporting.references import MODELS
from mtbalance.reporting.statistics import differences, mean
from mtbalance.reporting.value import METHOD

LINEAR = 0.005
"""Where some methods are far from the others, the scale is logarithmic beyond this difference."""
FAR_TICKS = (0.05, 0.5)
"""Ticks there, on both sides."""
PLAIN = Look(GRAY, "-", "D")
"""The look of models that balance nothing."""


def draw(frame: pd.DataFrame, heading: str, baseline: str) -> Figure:
    """Draw a panel for each data set, a line for each method, on each backbone the best one first.

    A difference is of two runs with the same backbone and the same seed. Color and marker tell the level at which a
    method balances. The last lines are models that balance nothing (:mod:`._beside`).
    """
    rows = frame[(frame["metric"] == "mean_auc") & frame["epoch"].isna()]
    lines = method_lines(_sorted(rows), baseline)
    if lines:
        others = beside(frame, rows, lines, baseline)
        rows, lines = pd.concat([rows, others]), [*lines, *method_lines(_sorted(others), baseline)]
    datasets = list(rows.groupby("dataset", sort=False))
    figure = Figure(figsize=(2.2 + 3.4 * len(datasets), 1.9 + 0.27 * len(lines)), layout="constrained")
    title(figure, f"{heading}: difference of mean AUC to {balancer_name(baseline)}", frame)
    if not lines:
        nothing(figure, f"No balancer beside {balancer_name(baseline)} was run.")
        return figure
    panels = figure.subplots(1, len(datasets), sharey=True, squeeze=False)[0]
    label_lines(panels, lines)
    for axes, (_, group) in zip(panels, datasets, strict=True):
        axes.set_title(heading_of(group.iloc[0]))
        _panel(axes, group, lines, baseline)
    legend(figure, level_entries(rows.loc[rows["balancer"] != baseline, "level"]))
    if outliers := has_outliers(rows, baseline):
        for axes in panels:
            axes.set_xscale("symlog", linthresh=LINEAR, linscale=2)
            low, high = axes.get_xlim()
            ticks = [*(-far for far in FAR_TICKS), -LINEAR, 0, LINEAR, *FAR_TICKS]
            axes.set_xticks([tick for tick in ticks if low <= tick <= high])
            axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}".replace("-", "\N{MINUS SIGN}")))
            axes.xaxis.set_minor_locator(NullLocator())
            for end in (-LINEAR, LINEAR):
                axes.axvline(end, color=GRAY, linewidth=0.8, linestyle=":")
    scale = f"\nbeyond the dotted lines (±{LINEAR}) the scale is logarithmic" if outliers else ""
    simple = rows["balancer"].isin(MODELS.values()).any()
    fitted = f"\n(simple models, fitted once:\nover test rows and {balancer_name(baseline)}'s seeds)" if simple else ""
    for axes in panels:
        axes.set_xlabel(
            f"test mean AUC minus that of {balancer_name(baseline)}\n(same backbone, same seed); small dots: seeds\n"
            f"marker and bar: mean and 95 % interval{fitted}{scale}"
        )
    return figure


def has_outliers(rows: pd.DataFrame, baseline: str) -> bool:
    """True if some methods are so far from the baseline that the others could not be told apart."""
    rows = rows[~rows["balancer"].isin(MODELS.values())]
    means = rows.groupby(METHOD)["value"].mean().unstack("balancer")
    if baseline not in means:
        return False
    sizes = means.drop(columns=baseline).sub(means[baseline], axis=0).abs().stack()
    return bool(len(sizes) and sizes.max() > LINEAR and sizes.max() > 10 * sizes.median())


def _sorted(rows: pd.DataFrame) -> list[Method]:
    """The methods of each backbone, by their mean AUC over data sets and seeds."""
    means = rows.groupby(["backbone", "balancer"])["value"].mean().fillna(0)  # without a finished run: last
    methods = list(dict.fromkeys(zip(rows["backbone"], rows["balancer"], strict=True)))
    order = {backbone: place for place, backbone in enumerate(dict.fromkeys(rows["backbone"]))}
    return sorted(methods, key=lambda method: (order[method[0]], -means[method]))


def _panel(axes: Axes, group: pd.DataFrame, lines: list[Method], baseline: str) -> None:
    cells, look = dict(list(group.groupby(["backbone", "balancer"], sort=False))), level_looks() | {LEVEL: PLAIN}
    axes.axvline(0, color=GRAY, linewidth=1.2)
    axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
    drawn, simple = [0.0], []
    for height, method in enumerate(lines):
        reference = cells.get((method[0], baseline))
        if method in cells and reference is not None:
            found = _method(axes, height, cells[method], reference, look[cells[method]["level"].iloc[0]])
            if method[1] in MODELS.values():
                simple.append((height, mean(found)))
            else:
                drawn += found
    margin = 0.15 * max(max(drawn) - min(drawn), 1e-4)  # intervals of few seeds are long, and may end outside
    edges = min(drawn) - margin, max(drawn) + margin
    axes.set_xlim(*edges)
    for bar in axes.containers:
        if isinstance(bar, ErrorbarContainer):
            _arrows(axes, bar, edges)
    for height, difference in simple:
        if not edges[0] < difference < edges[1]:
            _off_scale(axes, height, difference)


def _method(axes: Axes, height: int, cell: pd.DataFrame, reference: pd.DataFrame, look: Look) -> list[float]:
    """Draw one method. Returns its differences."""
    values, simple = (by_seed(cell), by_seed(reference)), cell["balancer"].iloc[0] in MODELS.values()
    found, drawn = between(*values), differences(*values)
    failed = int((cell["status"] != "finished").sum())
    if failed:
        _note(axes, height, f"{failed} of {len(cell)} runs failed")
    if not drawn:
        return []
    low, high = (cell["low"].iloc[0], cell["high"].iloc[0]) if simple else (found.low, found.high)
    axes.plot(drawn, [height + 0.22] * len(drawn), ".", color=look.color, alpha=0.6, markersize=4)
    interval(axes, height - 0.08, mean(drawn), low, high, look)
    return drawn


def _arrows(axes: Axes, bar: ErrorbarContainer, edges: tuple[float, float]) -> None:
    """Arrows where a bar goes on beyond the panel's edges."""
    middle, _, (reach,) = bar.lines
    (low, height), (high, _) = reach.get_segments()[0]
    for out, edge, marker in ((low < edges[0], edges[0], "<"), (high > edges[1], edges[1], ">")):
        if out:
            axes.plot(edge, height, marker, color=middle.get_color(), markersize=4, clip_on=False)


def _off_scale(axes: Axes, height: int, difference: float) -> None:
    """The number, above its bar, where a simple model is so far away that methods could not be told apart beside it."""
    if difference < 0:
        place, side, told = 0.01, "left", f"\N{LEFTWARDS ARROW} {signed(difference, 4)}"
    else:
        place, side, told = 0.99, "right", f"{signed(difference, 4)} \N{RIGHTWARDS ARROW}"
    _text(axes, place, height - 0.16, told, ha=side, va="bottom")


def _note(axes: Axes, height: int, text: str) -> None:
    _text(axes, 0.99, height, text, ha="right", va="center")


def _text(axes: Axes, place: float, height: float, text: str, **aligned: Any) -> None:
    """A text on white at a part of the panel's width."""
    box, across = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}, axes.get_yaxis_transform()
    axes.text(place, height, text, fontsize=8, color=GRAY, transform=across, bbox=box, **aligned)
