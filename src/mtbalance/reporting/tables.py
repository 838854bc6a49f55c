"""The tables of an experiment, each as CSV (numbers), Markdown and LaTeX."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from mtbalance.reporting.latex import latex
from mtbalance.reporting.layout import Table
from mtbalance.reporting.markdown import markdown
from mtbalance.reporting.table_auc import auc_table
from mtbalance.reporting.table_levels import levels_table
from mtbalance.reporting.table_ne import ne_table
from mtbalance.reporting.table_scenes import scenes_table

TABLES: dict[str, Callable[..., tuple[Table, pd.DataFrame]]] = {
    "auc": auc_table,
    "ne": ne_table,
    "levels": levels_table,
    "scenes": scenes_table,
}
"""``auc``: the PUB paper's Table III; ``ne``: normalised entropy and throughput, as MultiBalance reports;
``levels``: mean AUC by rule and level; ``scenes``: the PUB paper's Table VII."""


def write_table(
    name: str, metrics: Path, stem: Path, *, title: str, baseline: str = "ls", significance: float = 0.05
) -> None:
    """Write ``stem`` .csv, .md and .tex: table ``name`` of :data:`TABLES` from a collected Parquet file.

    ``title`` is the experiment's, ``baseline`` the balancer that differences and tests refer to,
    ``significance`` the largest p that earns a mark.
    """
    table, numbers = TABLES[name](pd.read_parquet(metrics), title, baseline, significance)
    stem.parent.mkdir(parents=True, exist_ok=True)
    stem.with_name(f"{stem.name}.md").write_text(markdown(table))
    stem.with_name(f"{stem.name}.tex").write_text(latex(table))
    numbers.to_csv(stem.with_name(f"{stem.name}.csv"), index=False, float_format="%.6g", lineterminator="\n")
