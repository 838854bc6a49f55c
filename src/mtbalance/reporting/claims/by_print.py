"""Checks on a paper's own printed numbers: do its tables say what its text says?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import pandas as pd

from mtbalance.reporting.audit.finding import Finding
from mtbalance.reporting.audit.scenes import DIRECTIONS
from mtbalance.reporting.claims.claim import Outcome, PrintedCheck, Verdict
from mtbalance.reporting.formats import decimal, signed
from mtbalance.reporting.names import METRICS, backbone_name, balancer_name
from mtbalance.reporting.printed import Printed


def printed(table: str, holds: bool, evidence: str) -> Outcome:
    """What printed numbers say; ``table`` names their file."""
    verdict = Verdict.HELD if holds else Verdict.FAILED
    return Outcome(verdict, evidence, trace=({"file": f"published/{table}.csv"},))


def audited(finding: Callable[[Printed], Finding], table: str) -> PrintedCheck:
    """What the audit finds: held where the printed numbers fit together. ``table`` names their file."""

    def check(numbers: Printed) -> Outcome:
        found = finding(numbers)
        text = f"printed {found.printed}; recomputed {found.recomputed}: {found.arithmetic}"
        return printed(table, bool(found.fits), text)

    return check


def gains(table: pd.DataFrame, method: str, other: str, column: str) -> pd.Series:
    """Printed AUC of ``method`` minus that of ``other``, by data set and backbone, to the last printed digit."""
    keys = [name for name in ("dataset", "backbone") if name in table]
    own, theirs = (table[table["balancer"] == name].set_index(keys)[column] for name in (method, other))
    return (own - theirs).dropna().round(4)


def all_above(table: str, pairs: Iterable[tuple[str, str]], columns: Sequence[str], least: float = 0.0) -> PrintedCheck:
    """In every printed cell the first of each pair is above the second by more than ``least`` (AUC)."""
    chosen = list(pairs)

    def check(numbers: Printed) -> Outcome:
        frame = getattr(numbers, table)
        found = {
            (*_key(at), method, other, column): gain
            for method, other in chosen
            for column in columns
            for at, gain in gains(frame, method, other, column).items()
        }
        return printed(f"pub_{table}", min(found.values()) > least, _extremes(found, least))

    return check


def above_alone(numbers: Printed) -> Outcome:
    """In every printed average of Table III a plain backbone is above single-task learning."""
    plain = numbers.table3[numbers.table3["balancer"] == "ls"]
    alone = plain[plain["backbone"] == "single_task"].set_index("dataset")["average"]
    found = {
        (row["dataset"], row["backbone"], "ls", "stl", "average"): round(row["average"] - alone[row["dataset"]], 4)
        for _, row in plain[plain["backbone"] != "single_task"].iterrows()
    }
    return printed("pub_table3", min(found.values()) > 0, _extremes(found, 0.0))


def scene_values(numbers: Printed) -> pd.DataFrame:
    """Table VII with a row for each balancer and a column for each metric, as numbers of which higher is better."""
    table = numbers.table7.pivot(index="balancer", columns="metric", values="published")
    signs = pd.Series({metric: sign for metrics in DIRECTIONS.values() for metric, sign in metrics.items()})
    return table[signs.index] * signs


def scenes_above(method: str, others: Sequence[str], metrics: Sequence[str], least: int) -> PrintedCheck:
    """``method`` is better than all ``others`` in at least ``least`` of the metrics."""

    def check(numbers: Printed) -> Outcome:
        values = scene_values(numbers)[list(metrics)]
        ahead = values.loc[method] > values.loc[list(others)].max()
        behind = [METRICS[metric].title for metric in metrics if not ahead[metric]]
        text = f"{balancer_name(method)} is ahead in {ahead.sum()} of {len(metrics)} metrics"
        text += f"; not in {', '.join(behind)}" if behind else ""
        return printed("pub_table7", bool(ahead.sum() >= least), text)

    return check


def _key(at: object) -> tuple[str, str]:
    dataset, backbone = at if isinstance(at, tuple) else ("aliexpress_es", at)
    return str(dataset), str(backbone)


def _extremes(found: dict[tuple[str, str, str, str, str], float], least: float) -> str:
    above = sum(gain > least for gain in found.values())
    low, high = min(found, key=lambda key: found[key]), max(found, key=lambda key: found[key])
    wanted = f" by more than {decimal(least, 4)}" if least else ""
    return f"{above} of {len(found)} cells above{wanted}; from {_cell(low, found)} to {_cell(high, found)}"


def _cell(key: tuple[str, str, str, str, str], found: dict[tuple[str, str, str, str, str], float]) -> str:
    dataset, backbone, method, other, column = key
    country = dataset.removeprefix("aliexpress_").upper()
    against = "STL" if other == "stl" else balancer_name(other)
    task = column if column == "average" else column.upper()
    where = f"{country} {backbone_name(backbone)} {task}, {balancer_name(method)} − {against}"
    return f"{signed(found[key], 4)} ({where})"
