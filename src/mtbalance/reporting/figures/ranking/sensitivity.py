"""Mean AUC and NE of a balancer by the value of each option, against the baseline."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from mtbalance.reporting.comparison import compare
from mtbalance.reporting.derived import with_mean
from mtbalance.reporting.drawing import GRAY, PALETTE, legend, nothing, title
from mtbalance.reporting.names import backbone_name, balancer_name, data_named, heading_of
from mtbalance.reporting.variants import METRICS, bases, option_of


def draw(frame: pd.DataFrame, heading: str, baseline: str) -> Figure:
    """Draw a column of panels for each option: the mean AUC's change above, NE's below.

    The line and its band are the balancer as it is in ``params.yaml``. Variants of several options are left out.
    """
    cells = compare(with_mean(frame, "ne"), list(METRICS), baseline)
    cells = cells.assign(base=cells["balancer"].str.partition("@")[0], option=cells["balancer"].map(option_of))
    single = cells[cells["option"].notna() & cells["base"].isin(bases(frame))]
    single = single.assign(path=[option.path for option in single["option"]])
    columns = list(single.groupby(["dataset", "backbone", "base", "path"], sort=False))
    figure = Figure(figsize=(1.6 + 2.6 * max(2, len(columns)), 5.4), layout="constrained")
    title(figure, f"{heading}: against {balancer_name(baseline)}", frame)
    if not columns:
        nothing(figure, f"{data_named(frame)}: no balancer was run with another value of a single option.")
        return figure
    grid = figure.subplots(2, len(columns), sharey="row", sharex="col", squeeze=False)
    for column, ((dataset, backbone, base, path), own) in enumerate(columns):
        plain = cells[(cells["dataset"] == dataset) & (cells["backbone"] == backbone) & (cells["balancer"] == base)]
        grid[0][column].set_title(f"{balancer_name(str(base))}: {path}")
        for axes, metric in zip(grid[:, column], METRICS, strict=True):
            _panel(axes, own[own["metric"] == metric], plain[plain["metric"] == metric])
        where = f"{backbone_name(str(backbone))}\n{heading_of(own.iloc[0])}"
        grid[1][column].set_xlabel(f"{path}\n{where}", fontsize=8)
    grid[0][0].set_ylabel("mean AUC, change in %\n(higher is better)")
    grid[1][0].set_ylabel("mean NE, change in %\n(lower is better)")
    legend(
        figure,
        [
            Line2D([], [], color=PALETTE[0], marker="o", linestyle="", label="mean ± std over seeds"),
            Line2D([], [], color=PALETTE[1], linestyle="--", label="as in params.yaml (band: std)"),
            Line2D([], [], color=GRAY, label=balancer_name(baseline)),
        ],
    )
    return figure


def _panel(axes: Axes, variants: pd.DataFrame, plain: pd.DataFrame) -> None:
    ordered = sorted(
        zip([option.value for option in variants["option"]], variants.index, strict=True), key=_numbers_first
    )
    axes.axhline(0, color=GRAY, linewidth=1.2)
    for _, row in plain.iterrows():
        middle, spread = _change(row)
        axes.axhline(middle, color=PALETTE[1], linestyle="--", linewidth=1.2)
        axes.axhspan(middle - spread, middle + spread, color=PALETTE[1], alpha=0.15, linewidth=0)
    axes.set_xticks(range(len(ordered)), [str(value) for value, _ in ordered])
    for place, (_, index) in enumerate(ordered):
        middle, spread = _change(variants.loc[index])
        axes.errorbar(place, middle, spread, color=PALETTE[0], fmt="o", markersize=5.5, capsize=2.5)
    axes.set_xlim(-0.5, len(ordered) - 0.5)


def _numbers_first(item: tuple[object, int]) -> tuple[bool, float, str]:
    value = item[0]
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return not number, float(value) if number else 0.0, str(value)  # type: ignore[arg-type]


def _change(row: pd.Series) -> tuple[float, float]:
    """The change to the baseline and its spread over seeds, in percent."""
    return 100 * (row["ratio"] - 1), 100 * row["ratio_std"] if row["pairs"] > 1 else 0.0
