"""The page of the benchmarks: tables of ratios in Markdown, and two figures, from the CSV files of the others.

python bench/report.py results/bench
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from mtbalance.reporting.drawing import balancer_legend, looks, save
from mtbalance.reporting.markdown import line
from mtbalance.reporting.names import BALANCERS
from mtbalance.writing import replacing

TITLES = {
    "steps": "A step of the papers' MMOE, over LS (8 experts of 512-256, {rows} rows, {tasks} tasks)",
    "rules": "A step with a search, over LS, and TorchJD's with the same rule (the same model and rows)",
    "tasks": "A step over LS with the same tasks, by the number of tasks (MMOE of 8 experts of 64-32, 512 rows)",
    "sizes": "A step over LS of the same size, by the number of parameters (256 rows)",
    "together": "A step of {processes} processes, over the same step of one (the papers' MMOE, {rows} rows in all)",
}
AXES = {"tasks": "tasks", "sizes": "parameters"}


def main() -> None:
    folder = Path(sys.argv[1])
    frames = {name: pd.read_csv(folder / f"{name}.csv") for name in TITLES}
    lines = ["# Benchmarks: training steps as ratios", ""]
    for name, frame in frames.items():
        facts = frame.iloc[0]
        lines += [f"## {TITLES[name].format(**facts)}", ""]
        lines += [f"{facts['cpu']}, {facts['instruction_set']}, {facts['threads']} thread, torch {facts['torch']}.", ""]
        lines += [*(swept(frame, AXES[name]) if name in AXES else listed(frame)), ""]
        if name in AXES:
            draw(frame, AXES[name], TITLES[name], folder / name)
    with replacing(folder / "report.md") as partial:
        partial.write_text("\n".join(lines), encoding="utf-8")


def listed(frame: pd.DataFrame) -> list[str]:
    """A row for each kind of step."""
    rows = [[named(row["step"]), f"{1000 * row['seconds']:.4g}", said(row)] for _, row in frame.iterrows()]
    return table(["step", "milliseconds", "ratio [quartiles]"], rows)


def swept(frame: pd.DataFrame, axis: str) -> list[str]:
    """A row for each kind of step, a column for each size; for tasks also what one more task adds."""
    values = sorted(frame[axis].unique())
    rows = []
    for name, own in frame.groupby("step", sort=False):
        own = own.set_index(axis).loc[values]
        slope = [f"{np.polyfit(values, own['ratio'], 1)[0]:+z.3f}"] if axis == "tasks" else []
        rows.append([named(str(name)), *(said(row) for _, row in own.iterrows()), *slope])
    added = ["one task more (line fitted)"] if axis == "tasks" else []
    return table(["step", *(f"{value:,} {axis}" for value in values), *added], rows)


def table(headings: list[str], rows: list[list[str]]) -> list[str]:
    """The lines of a table."""
    return [line(headings), "|:---" + "|---:" * (len(headings) - 1) + "|", *map(line, rows)]


def draw(frame: pd.DataFrame, axis: str, title: str, stem: Path) -> None:
    """Ratios with their quartiles, a line for each kind of step."""
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes, look = figure.subplots(), looks(frame["step"], "ls")
    figure.suptitle(title.replace(" (", "\n("), fontsize="medium")
    for name, own in frame.groupby("step", sort=False):
        style, middle = look[str(name)], own["ratio"]
        reach = [middle - own["low"], own["high"] - middle]
        axes.errorbar(
            own[axis], middle, yerr=reach, color=style.color, linestyle=style.dash, marker=style.marker, markersize=4
        )
    axes.set_xscale("log", base=2 if axis == "tasks" else 10)
    if axis == "tasks":
        axes.set_xticks(*[sorted(frame[axis].unique())] * 2)
    axes.set_xlabel(axis)
    axes.set_ylabel("seconds of a step over LS's")
    balancer_legend(figure, look)
    save(figure, stem)


def named(step: str) -> str:
    """The printed name of a step."""
    balancer, comma, rest = step.partition(",")
    return BALANCERS.get(balancer, balancer) + comma + rest


def said(row: pd.Series) -> str:
    """A ratio with its quartiles."""
    return f"{row['ratio']:.3f} [{row['low']:.3f}, {row['high']:.3f}]"


if __name__ == "__main__":
    main()
