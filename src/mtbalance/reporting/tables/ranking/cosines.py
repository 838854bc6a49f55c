"""Cosines of gradient and update on both kinds of parameters: Table I of the PUB paper, with controls."""

from __future__ import annotations

import pandas as pd

from mtbalance.reporting import captions
from mtbalance.reporting.cosines import STL, against_baseline, by_run
from mtbalance.reporting.formats import counted, decimal, mean_and_spread
from mtbalance.reporting.layout import Cell, Group, Row, Table
from mtbalance.reporting.names import backbone_name, balancer_name
from mtbalance.reporting.printed import everything
from mtbalance.reporting.statistics import holm

HEADINGS = {
    "task_specific": "cos, task-specific",
    "shared": "cos, shared",
    "diff": "Diff",
    "relative_diff": "Diff / cos task",
    "halves_diff": "Diff of random halves",
}
DIGITS = 3


def tabulate(frame: pd.DataFrame, title: str, baseline: str, significance: float) -> tuple[Table, pd.DataFrame]:
    """The table to print, and its numbers."""
    runs = by_run(frame)
    numbers = _beside_printed(against_baseline(runs, baseline))
    rows = []
    for balancer, found in numbers.groupby("balancer", sort=False):
        cells = {row["measure"]: _cell(row) for _, row in found.iterrows()}
        name = "STL (control)" if balancer == STL else f"{balancer_name(str(balancer))}{_only(runs, str(balancer))}"
        rows.append(Row(name, "", (tuple(cells.get(measure, Cell()) for measure in HEADINGS),)))
    table = Table(
        title=f"{title}: cosine of gradient and update",
        caption=_caption(frame, runs, numbers, baseline),
        beside="printed",
        groups=(Group("means over data sets, backbones and seeds", tuple(HEADINGS.values())),),
        rows=tuple(rows),
    )
    return table, numbers


def _only(runs: pd.DataFrame, balancer: str) -> str:
    """The backbones of a balancer that was not run on all of them, in brackets."""
    backbones = runs[runs["balancer"] != STL].groupby("balancer")["backbone"].unique()
    own, every = list(backbones[balancer]), set().union(*backbones)
    return "" if set(own) == every else f" ({', '.join(map(backbone_name, own))} only)"


def _beside_printed(numbers: pd.DataFrame) -> pd.DataFrame:
    """The numbers with ``published`` and ``published_p``, where Table I has them."""
    printed = everything().table1
    parts = [
        printed[["balancer"]].assign(
            measure=measure, published=printed[f"{name}_cosine"], published_p=printed[f"{name}_p"]
        )
        for measure, name in (("task_specific", "task"), ("shared", "shared"))
    ]
    return numbers.merge(pd.concat(parts), how="left", on=["balancer", "measure"])


def _cell(row: pd.Series) -> Cell:
    text = mean_and_spread(row["mean"], row["std"], DIGITS)
    if not pd.isna(row["p"]):
        groups = "" if pd.isna(row["p_groups"]) else f", groups {row['p_groups']:.2g}"
        text = f"{text} (p {row['p']:.2g}{groups})"
    if pd.isna(row["published"]):
        return Cell(text)
    p = "" if pd.isna(row["published_p"]) else f" (p {row['published_p']:.2g})"
    return Cell(text, beside=f"{decimal(row['published'], DIGITS)}{p}")


def _caption(frame: pd.DataFrame, runs: pd.DataFrame, numbers: pd.DataFrame, baseline: str) -> tuple[str, ...]:
    tests = int(numbers["p"].notna().sum())
    kept = int((numbers["p_holm"] <= 0.05).sum())
    single = runs[runs["balancer"] == STL]["task_specific"].mean()
    control = "" if pd.isna(single) else f" Single-task runs, which balance nothing, have {decimal(single, DIGITS)}."
    return (
        "Cosine: mean over training steps, from the first to the end of the best epoch, of the cosine between the joint"
        " gradient and the negative update, so that plain gradient descent has 1. Adam's are small for any method:"
        " momentum, the scale of coordinates and the noise of batches decide them." + control,
        "Diff: the distance between the two cosines, in both readings of an equation that is lost in print. Diff of"
        " random halves: the same between two random halves of the shared parameters; what it reaches, any two parts"
        " of a model differ by.",
        f"p: paired t-tests against {balancer_name(baseline)} over runs on the same data set, backbone and seed, so not"
        " against its row where a method was run on some backbones only; as printed, not corrected. groups: over the"
        " means of data set and backbone, since seeds of one group are no independent evidence."
        f" {counted(tests, 'test')}; after Holm's correction {kept} of them stay below .05.",
        "Printed: Table I of the PUB paper (arXiv 2410.05806), whose data and sizes are others than these."
        + _printed(),
        f"{counted(len(runs), 'run')}. {captions.seeds(frame)}",
        captions.failures(frame, baseline),
    )


def _printed() -> str:
    """What is left of the printed p-values after a correction for all of them."""
    table = everything().table1
    found = [p for name in ("task_p", "shared_p") for p in table[name].dropna()]
    below, kept = (sum(p <= 0.05 for p in values) for values in (found, holm(found)))
    return f" Of its {len(found)} p-values {below} are below .05, and {kept} after Holm's correction for all of them."
