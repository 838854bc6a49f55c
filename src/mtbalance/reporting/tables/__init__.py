"""The tables of an experiment, each as CSV (numbers), Markdown and LaTeX. One table a file.

The file ``tables/auc.py`` holds the table ``auc`` of ``params.yaml``, as a function

    tabulate(frame, title, baseline, significance) -> the table to print, and its numbers

of collected metrics, the experiment's title, the balancer that differences and tests refer to, and the largest p that
earns a mark.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from mtbalance.registry import module
from mtbalance.reporting.latex import latex
from mtbalance.reporting.markdown import markdown


def write_table(
    name: str, metrics: Path, stem: Path, *, title: str, baseline: str = "ls", significance: float = 0.05
) -> None:
    """Write ``stem`` .csv, .md and .tex: table ``name`` from a collected Parquet file."""
    table, numbers = module(__name__, name).tabulate(pd.read_parquet(metrics), title, baseline, significance)
    stem.parent.mkdir(parents=True, exist_ok=True)
    stem.with_name(f"{stem.name}.md").write_text(markdown(table))
    stem.with_name(f"{stem.name}.tex").write_text(latex(table))
    numbers.to_csv(stem.with_name(f"{stem.name}.csv"), index=False, float_format="%.6g", lineterminator="\n")
