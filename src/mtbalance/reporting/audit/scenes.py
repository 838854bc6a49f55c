"""Table VII: m% against both definitions of delta-m, and the order of methods that follows."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from mtbalance.reporting.audit.finding import Finding
from mtbalance.reporting.delta_m import Values, delta_m, delta_m_by_task, relative_changes
from mtbalance.reporting.names import BALANCERS, METRICS
from mtbalance.reporting.printed import SCENE_COLUMNS, Printed

LOWER_IS_BETTER = {"abs_error", "rel_error", "mean_angle", "median_angle"}
DIRECTIONS = {
    task: {metric: -1 if metric in LOWER_IS_BETTER else 1 for metric in metrics}
    for task, metrics in SCENE_COLUMNS.items()
}
LAST_DIGIT = 0.01


def findings(printed: Printed) -> Iterator[Finding]:
    """The printed m% of each method, PUB's rank by either definition, and the row STL against its source."""
    single = values_of(printed.table7, "stl")
    names = list(printed.table7_delta_m.index)
    standard = {name: delta_m(values_of(printed.table7, name), single, DIRECTIONS) for name in names}
    own = {name: delta_m_by_task(values_of(printed.table7, name), single, DIRECTIONS) for name in names}
    third = [name for name in names if abs(printed.table7_delta_m[name] - own[name] / 3) <= LAST_DIGIT]
    yield Finding(
        "Table VII, column m%",
        "the mean within each task, then over tasks",
        f"a third of it, in {len(third)} of {len(names)} rows",
        f"by the formula of the text, PUB has {own['pub']:.2f} and not {printed.table7_delta_m['pub']:.2f}: as if "
        "divided by the number of tasks twice",
        not third,
    )
    for name in names:
        says = printed.table7_delta_m[name]
        yield Finding(
            f"Table VII, {BALANCERS[name]}, m% on the scale of the column",
            f"{says:.2f}",
            f"{own[name] / 3:.2f}",
            f"a third of {own[name]:.2f}; the field's delta-m over nine metrics is {standard[name]:.2f}",
            name in third,
        )
    others = [name for name in names if not name.startswith("pub")]
    ahead = [name for name in others if standard[name] < standard["pub"]]
    yield Finding(
        "Section VI-E, PUB is ahead of all earlier methods",
        "by m%",
        f"behind {', '.join(BALANCERS[name] for name in ahead) or 'none'} by delta-m over nine metrics",
        "; ".join(f"{BALANCERS[name]} {standard[name]:.2f}" for name in [*ahead, "pub"]),
        not ahead,
    )
    yield _better(printed, "pub_adatask", "stl", 9, "Section VI-E, PUB+AdaTask is better than STL")
    yield _better(printed, "pub_clippy", "pub", 7, "Section VI-E, Clippy makes PUB better")
    source = values_of(printed.nashmtl_stl, "stl")
    for task, metrics in SCENE_COLUMNS.items():
        for metric in metrics:
            one, two = single[task][metric], source[task][metric]
            yield Finding(
                f"Table VII, STL, {METRICS[metric].title}",
                f"{one:g}",
                f"{two:g}",
                "the NashMTL paper's Table 2",
                one == two,
            )


def _better(printed: Printed, one: str, other: str, says: int, place: str) -> Finding:
    """A method against another: the number of metrics in which it is better."""
    changes = relative_changes(values_of(printed.table7, one), values_of(printed.table7, other), DIRECTIONS)
    better = [change < 0 for metrics in changes.values() for change in metrics.values()]
    return Finding(
        place, f"{says} of 9 metrics", f"{sum(better)} of {len(better)}", "the cells of both rows", sum(better) == says
    )


def values_of(table: pd.DataFrame, name: str) -> Values:
    """The printed values of a balancer, from a table of the form of ``Printed.table7``."""
    rows = table[table["balancer"] == name]
    return {task: part.set_index("metric")["published"].to_dict() for task, part in rows.groupby("task")}
