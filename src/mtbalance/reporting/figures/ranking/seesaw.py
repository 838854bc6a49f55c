"""The seesaw: one task's AUC against another's, a numbered point for each method, the baseline at a dotted cross."""

from __future__ import annotations

from itertools import combinations

import pandas as pd
from adjustText import adjust_text  # type: ignore[import-untyped]
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import MaxNLocator

from mtbalance.reporting.comparison import by_seed
from mtbalance.reporting.drawing import GRAY, legend, level_entries, level_looks, mark, nothing, title, wrapped
from mtbalance.reporting.names import backbone_name, balancer_name, data_named, heading_of
from mtbalance.reporting.statistics import mean, standard_deviation

FIXED = "fixed"
"""The rule of fixed weights."""
MOST_TASKS = 3
"""Tasks that are set against each other, at most."""
PANELS = 4
"""Panels in a line, at most."""
SIDE = 3.2
"""Inches of an axis, at least."""
FAR = 4.0
"""A method this many times as far from the baseline as the median method is named in the panel, not drawn, unless it
lies near the others."""
ROOM = 3.0
"""The factor by which such a method may widen what the others need."""
ITERATIONS = 300
"""Rounds in which numbers move away from points and from each other. A limit of time would not be repeatable."""
Point = tuple[float, float]
Pair = tuple[tuple[str, str], tuple[str, str]]
"""Two tasks, each with its title."""


def draw(frame: pd.DataFrame, heading: str, baseline: str) -> Figure:
    """Draw a panel for each data set and backbone, with two tasks on its axes; a row for each pair of the first three,
    or several rows if there are many panels. Data sets of other tasks have rows of their own.

    Points are means over the finished seeds, bars their standard deviations. Color and marker tell the level at which a
    method balances, the number its name. Where weights were fixed, a line joins the methods with fixed weights, equal
    ones among them, in the order of the first task's AUC; of more than two tasks those alone that no other one beats in
    both.
    """
    rows = frame[(frame["metric"] == "auc") & frame["epoch"].isna()]
    groups = [group for _, group in rows.groupby(["dataset", "backbone"], sort=False)]
    alike: dict[tuple[Pair, ...], list[pd.DataFrame]] = {}
    for group in groups:
        if group["balancer"].nunique() > 1:
            alike.setdefault(_pairs(group), []).append(group)
    parts = [
        (own[start : start + PANELS], pairs) for pairs, own in alike.items() for start in range(0, len(own), PANELS)
    ]
    lines = [(part, pair) for part, pairs in parts for pair in pairs]
    columns = max((len(part) for part, _ in lines), default=1)
    figure = Figure(figsize=(1.6 + 4.2 * columns, 1.4 + 4.2 * max(len(lines), 1)), layout="constrained")
    said = f"dotted: {balancer_name(baseline)}; up and to the right is better"
    said += "; bars: standard deviation over seeds" if rows["seed"].nunique() > 1 else ""
    others = frame.loc[frame["metric"] == "r2", "task_title"].unique()
    counts = {group["task"].nunique() for group in groups}
    up_to = "up to " if len(counts) > 1 else ""
    said += f"\nthe first {MOST_TASKS} of {up_to}{max(counts)} tasks" if max(counts, default=0) > MOST_TASKS else ""
    said += f"\nwithout regressions: {', '.join(others)}" if len(others) else ""
    line = "\nline: the front of fixed weights, equal ones among them" if (rows["rule"] == FIXED).any() else ""
    title(figure, f"{heading}: the tasks against each other\n{said}{line}", frame)
    if not lines:
        nothing(figure, f"There are no two tasks and two methods to compare ({data_named(rows)}).")
        return figure
    levels = rows.drop_duplicates("balancer").set_index("balancer")["level"]
    panels = figure.subplots(len(lines), columns, squeeze=False)
    for row, (part, pair) in zip(panels, lines, strict=True):
        for axes in row[len(part) :]:
            axes.set_visible(False)
        for axes, group in zip(row, part, strict=False):
            axes.set_title(f"{heading_of(group.iloc[0])}\n{backbone_name(group['backbone'].iloc[0])}")
            axes.set_xlabel(wrapped(f"{pair[0][1]}: AUC", SIDE))
            axes.set_ylabel(wrapped(f"{pair[1][1]}: AUC", SIDE))
            _panel(axes, group, [task for task, _ in pair], levels, baseline)
    look = level_looks()
    names = [
        mark(look[level], f"{number} {balancer_name(str(name))}", 4)
        for number, (name, level) in enumerate(levels.items(), start=1)
    ]
    legend(figure, [*names, *level_entries(levels)])
    return figure


def _pairs(group: pd.DataFrame) -> tuple[Pair, ...]:
    """The pairs of the first tasks of a data set."""
    titles = group.drop_duplicates("task").set_index("task")["task_title"]
    return tuple(combinations([(str(task), str(title)) for task, title in titles.items()][:MOST_TASKS], 2))


def _panel(axes: Axes, group: pd.DataFrame, tasks: list[str], levels: pd.Series, baseline: str) -> None:
    axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    points, spreads = _points(group, tasks)
    start, look = points.get(baseline), level_looks()
    apart, numbers, drawn = _far(points, start), list[Text](), dict[str, Point]()
    numbered = {str(name): number for number, name in enumerate(levels.index, start=1) if name in points}
    for name in sorted(numbered, key=lambda name: name in apart):  # near ones first: they set the limits
        if name in apart and not axes.viewLim.expanded(ROOM, ROOM).contains(*points[name]):
            continue
        drawn[name] = points[name]
        level, number = levels[name], numbered[name]
        (x_spread, y_spread), style = spreads[name], look[level]
        axes.errorbar(
            *points[name],
            xerr=x_spread,
            yerr=y_spread,
            color=style.color,
            fmt=style.marker,
            markersize=5,
            elinewidth=0.4,
            alpha=0.8,
        )
        numbers.append(axes.text(*points[name], str(number), fontsize=8, color=style.color))
    if start is not None:
        axes.axvline(start[0], color=GRAY, linewidth=0.8, linestyle=":")
        axes.axhline(start[1], color=GRAY, linewidth=0.8, linestyle=":")
    weighed = group[(group["level"] == "loss") & group["rule"].isin([FIXED, "equal"])]
    names = weighed["balancer"].unique() if (weighed["rule"] == FIXED).any() else ()
    fixed = sorted(points[name] for name in names if name in points)
    fixed = fixed if group["task"].nunique() == 2 else _front(fixed)
    if len(fixed) > 1:
        axes.plot([x for x, _ in fixed], [y for _, y in fixed], color=GRAY, linewidth=1.2, zorder=1)
    if far := [name for name in numbered if name not in drawn]:
        said = "\n".join(f"{balancer_name(name)} ({points[name][0]:.4f}, {points[name][1]:.4f})" for name in far)
        axes.text(0.02, 0.02, f"far outside, at (x, y):\n{said}", fontsize=7, color=GRAY, transform=axes.transAxes)
    adjust_text(
        numbers,
        x=[x for x, _ in drawn.values()],
        y=[y for _, y in drawn.values()],
        ax=axes,
        iter_lim=ITERATIONS,
        arrowprops={"arrowstyle": "-", "color": GRAY, "linewidth": 0.4},
    )


def _front(points: list[Point]) -> list[Point]:
    """The points that no other one beats in both tasks. Of more than two tasks the others are good at a third one."""
    return [one for one in points if not any(other[0] > one[0] and other[1] > one[1] for other in points)]


def _points(group: pd.DataFrame, tasks: list[str]) -> tuple[dict[str, Point], dict[str, Point]]:
    """Means and standard deviations of both tasks, by balancer; without balancers that no seed has finished."""
    points: dict[str, Point] = {}
    spreads: dict[str, Point] = {}
    for name, cell in group.groupby("balancer", sort=False):
        values = [list(by_seed(cell[cell["task"] == task]).values()) for task in tasks]
        if all(values):
            points[str(name)] = (mean(values[0]), mean(values[1]))
            spreads[str(name)] = (_spread(values[0]), _spread(values[1]))
    return points, spreads


def _spread(values: list[float]) -> float:
    return standard_deviation(values) if len(values) > 1 else 0.0


def _far(points: dict[str, Point], start: Point | None) -> list[str]:
    """The methods that could leave no room for the others."""
    if start is None:
        return []
    distances = {name: max(abs(x - start[0]), abs(y - start[1])) for name, (x, y) in points.items()}
    usual = pd.Series(distances).replace(0.0, float("nan")).quantile(interpolation="lower")
    return [name for name, distance in distances.items() if distance > FAR * usual]
