"""The tables of an experiment, each as CSV (numbers), Markdown, HTML and LaTeX.

One file per table, one folder per kind of problem.

The file ``tables/ranking/auc.py`` holds the table ``auc`` of ``params.yaml``, as a function

    tabulate(frame, title, baseline, significance) -> the table to print, and its numbers

of collected metrics, the experiment's title, the balancer that the others are compared with, and the largest p that
gets a mark. ``make reproduce`` describes the table by the first line of the file's docstring. Every caption begins with
the data sets that are stand-ins. If a cell has the sign of runs that may not have converged
(:mod:`mtbalance.reporting.convergence`), it ends with what that means.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from mtbalance.reporting import captions, convergence
from mtbalance.reporting.collected import read_collected
from mtbalance.reporting.entries import entry_of
from mtbalance.reporting.formats import write_csv
from mtbalance.reporting.html import document
from mtbalance.reporting.latex import latex
from mtbalance.reporting.markdown import markdown
from mtbalance.writing import write_text


def write_table(
    name: str, metrics: Path, stem: Path, *, title: str, baseline: str = "ls", significance: float = 0.05
) -> None:
    """Write ``stem`` .csv, .md, .html and .tex: table ``name`` from a collected Parquet file."""
    frame = read_collected(metrics)
    table, numbers = entry_of(frame, "tables", name)(frame, title, baseline, significance)
    table = replace(table, caption=(*captions.synthetic(frame), *table.caption))
    table = convergence.explained(table, frame)
    text = markdown(table)
    write_text(stem.with_name(f"{stem.name}.md"), text)
    write_text(stem.with_name(f"{stem.name}.html"), document(text))
    write_text(stem.with_name(f"{stem.name}.tex"), latex(table, f"{frame['experiment'].iloc[0]}-{name}"))
    write_csv(stem.with_name(f"{stem.name}.csv"), numbers)
