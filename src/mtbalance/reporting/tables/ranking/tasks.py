"""Change of NE and of throughput by the number of tasks.

The MultiBalance paper claims that balancing at the representation costs no throughput, and at the parameters most.
"""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from mtbalance.reporting import captions, convergence, grid
from mtbalance.reporting.formats import counted, signed
from mtbalance.reporting.layout import Cell, Table
from mtbalance.reporting.names import balancer_name, method_name
from mtbalance.reporting.task_counts import NE, changes, printed_gain, printed_loss
from mtbalance.reporting.value import QPS


def tabulate(frame: pd.DataFrame, title: str, baseline: str, significance: float) -> tuple[Table, pd.DataFrame]:
    """The table to print, and its numbers."""
    cells = changes(frame, baseline)

    def fill(row: pd.Series) -> Cell:
        mark = grid.mark(row, significance, -1)
        return Cell(convergence.with_sign(_text(row, baseline) + (f" {mark}" if mark else ""), row["flagged"]))

    table = Table(
        title=f"{title}: change by the number of tasks",
        caption=tuple(_caption(frame, cells, baseline, significance)),
        beside="",
        groups=grid.groups(cells, _heading),
        rows=grid.rows(cells, baseline, fill),
    )
    return table, cells


def _heading(row: pd.Series) -> str:
    return f"{counted(row['tasks'], 'task')}: {'QPS' if row['metric'] == QPS else 'NE'} %"


def _text(row: pd.Series, baseline: str) -> str:
    if row["balancer"] == baseline:
        return "0"
    if pd.isna(row["change_percent"]):
        return grid.text(row) if not row["n"] else Cell().text
    if row["metric"] == QPS:
        return f"{signed(row['change_percent'], 1)} [{signed(row['low'], 1)}, {signed(row['high'], 1)}]"
    spread = f" ± {100 * row['ratio_std']:.2f}" if pd.notna(row["ratio_std"]) else ""
    return f"{signed(row['change_percent'], 2)}{spread}"


def _caption(frame: pd.DataFrame, cells: pd.DataFrame, baseline: str, significance: float) -> Iterator[str]:
    name = balancer_name(baseline)
    entropies = cells[cells["metric"] == NE]
    yield (
        f"NE: change in percent of the mean normalized entropy over tasks against {name} on the same backbone, mean"
        " over seeds of the same seed's change; negative is better."
    )
    yield f"QPS: change in percent of the training samples per second against {name}; negative is slower."
    least, most = printed_loss()
    yield (
        "The MultiBalance paper (arXiv 2411.11871; its abstract alone was at hand, and its data are its authors' own)"
        f" prints an NE better by {printed_gain():g} % with neutral QPS, and for earlier methods, which balance at the"
        f" shared parameters, {least:g} to {most:g} % less QPS."
    )
    yield from _reached(cells, baseline, least)
    yield (
        "If a backward pass takes twice a forward pass and the trunk all of the time, K backward passes leave"
        " 3 / (1 + 2 K) of the QPS: 60 % with 2 tasks, 30 % with 4.5, 20 % with 7."
    )
    yield from captions.of_runs(frame)
    yield from captions.tests(entropies, baseline, significance, "lower")
    yield captions.throughput(frame, baseline)
    yield captions.failures(frame, baseline)


def _reached(cells: pd.DataFrame, baseline: str, least: float) -> Iterator[str]:
    """The numbers of tasks with which each method loses that much throughput."""
    timed = cells[(cells["metric"] == QPS) & (cells["balancer"] != baseline)]
    if timed.empty:
        return
    losers = timed[timed["change_percent"] <= -least]
    said = [
        f"{method_name(own.iloc[0], baseline)} with {_listed(own['tasks'])}"
        for _, own in losers.groupby(["backbone", "balancer"], sort=False)
    ]
    yield (
        f"At least {least:g} % of QPS are lost here, of {_listed(timed['tasks'])} tasks, by:"
        f" {'; '.join(said) or 'no method'}."
    )


def _listed(counts: pd.Series) -> str:
    return ", ".join(map(str, sorted(set(counts))))
