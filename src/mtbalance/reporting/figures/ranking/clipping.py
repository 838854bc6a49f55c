"""AUC and clip rate against Clippy's limit."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, NullFormatter

from mtbalance.config.variants import parsed
from mtbalance.errors import UserError
from mtbalance.reporting.derived import until_best
from mtbalance.reporting.drawing import GRAY, MARKERS, PALETTE, Look, legend, title
from mtbalance.reporting.names import backbone_name, balancer_name, heading_of

LIMIT, RELATIVE = "clip.absolute", "clip.relative"
PLAIN = {"clippy_adam": "ls", "pub_clippy": "pub"}
"""The method without Clippy, whose AUC is a line across."""


def draw(frame: pd.DataFrame, heading: str, baseline: str) -> Figure:
    """Draw two panels for each data set and backbone, and a line for each method and relative limit.

    The absolute limits are those that the names of variants say. Raises ``UserError`` if none says one.
    """
    final = frame[frame["epoch"].isna() & (frame["metric"] == "mean_auc") & (frame["task"] == "mean")]
    rates = until_best(frame, "clip_rate")
    clipped = _with_limits(pd.concat([final, rates]))
    if clipped.empty:
        name = frame["experiment"].iloc[0]
        raise UserError(f"clipping shows variants such as clippy_adam@{LIMIT}=0.001, and experiments.{name} has none")
    look = {
        line: Look(PALETTE[index % len(PALETTE)], "-", MARKERS[index % len(MARKERS)])
        for index, line in enumerate(clipped["line"].unique())
    }
    groups = list(clipped.groupby(["dataset", "backbone"], sort=False))
    figure = Figure(figsize=(max(7.5, 4.4 * len(groups)), 6), layout="constrained")
    title(figure, f"{heading}: AUC and clip rate", frame)
    panels = figure.subplots(2, len(groups), sharex=True, sharey="row", squeeze=False)
    for (above, below), ((dataset, backbone), group) in zip(panels.T, groups, strict=True):
        above.set_title(f"{heading_of(group.iloc[0])}, {backbone_name(backbone)}")
        same = final[(final["dataset"] == dataset) & (final["backbone"] == backbone)]
        _panel(above, group[group["metric"] == "mean_auc"], look)
        _plain(above, same, look)
        _panel(below, group[group["metric"] == "clip_rate"], look)
        above.set_xscale("log")
        above.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        above.xaxis.set_minor_formatter(NullFormatter())
        below.set_ylim(-0.04, 1.04)
        below.set_xlabel("absolute limit on the move of a coordinate\n(parameter units, logarithmic)")
    panels[0][0].set_ylabel("test mean AUC\n(dots: seeds; mean ± std)")
    panels[1][0].set_ylabel("clip rate: share of updates\nscaled down (up to the best epoch)")
    entries = [
        Line2D([], [], color=shown.color, linestyle=shown.dash, marker=shown.marker, label=line)
        for line, shown in look.items()
    ]
    legend(figure, [*entries, Line2D([], [], color=GRAY, linestyle="--", label="dashed: mean without Clippy")])
    return figure


def _with_limits(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of variants that say their limit, with ``limit`` and the name of their ``line``."""
    names = rows["balancer"].map(parsed)
    rows = rows.assign(
        limit=[variant.options.get(LIMIT) for variant in names],
        line=[_line(variant.balancer, variant.options.get(RELATIVE)) for variant in names],
    )
    return rows[rows["limit"].notna()].astype({"limit": float})


def _line(balancer: str, relative: float | None) -> str:
    name = balancer_name(balancer)
    return name if relative is None else f"{name} (relative {relative})"


def _panel(axes: Axes, rows: pd.DataFrame, look: dict[str, Look]) -> None:
    for line, group in rows.groupby("line", sort=False):
        shown = look[str(line)]
        points = group.groupby("limit")["value"].agg(["mean", "std"])
        axes.plot(group["limit"], group["value"], ".", color=shown.color, alpha=0.6, markersize=3)
        axes.errorbar(
            points.index,
            points["mean"],
            points["std"].fillna(0.0),
            color=shown.color,
            linestyle=shown.dash,
            marker=shown.marker,
            markersize=5,
            capsize=2,
            lw=1.2,
        )


def _plain(axes: Axes, rows: pd.DataFrame, look: dict[str, Look]) -> None:
    """A line across for each method without Clippy, in the color of the method with it."""
    for clipped, plain in PLAIN.items():
        values, line = rows.loc[rows["balancer"] == plain, "value"], balancer_name(clipped)
        if len(values) and line in look:
            axes.axhline(values.mean(), color=look[line].color, linestyle="--", linewidth=1)
            axes.annotate(balancer_name(plain), (1, values.mean()), xycoords=("axes fraction", "data"), fontsize=8)
