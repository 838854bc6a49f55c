"""Mean ranks of the methods over data sets, and how often each is ahead of the baseline."""

from __future__ import annotations

import math

import pandas as pd

from mtbalance.reporting import captions, convergence
from mtbalance.reporting.formats import counted, decimal
from mtbalance.reporting.layout import Cell, Group, Row, Table
from mtbalance.reporting.names import backbone_name, balancer_name
from mtbalance.reporting.ranks import Ranks, ranks, told_apart
from mtbalance.reporting.score import score_titles


def tabulate(frame: pd.DataFrame, title: str, baseline: str, significance: float) -> tuple[Table, pd.DataFrame]:
    """The table to print, and its numbers."""
    found = ranks(frame, baseline, significance)
    names = list(dict.fromkeys(name for each in found for name in each.methods.index))
    columns = ("mean rank [95 %]", f"ahead of {balancer_name(baseline)} [95 %]")
    table = Table(
        title=f"{title}: ranks over data sets",
        caption=_caption(frame, found, baseline, significance),
        beside="",
        groups=tuple(Group(backbone_name(each.backbone), columns) for each in found),
        rows=tuple(Row(balancer_name(name), "", tuple(_cells(each, name) for each in found)) for name in names),
    )
    numbers = [each.methods.rename_axis("balancer").reset_index().assign(backbone=each.backbone) for each in found]
    return table, pd.concat(numbers, ignore_index=True) if numbers else pd.DataFrame()


def _cells(found: Ranks, name: str) -> tuple[Cell, ...]:
    if name not in found.methods.index:
        return Cell(), Cell()
    row = found.methods.loc[name]
    rank = decimal(row["rank"], 2)
    if not math.isnan(row["low"]):
        rank += f" [{decimal(row['low'], 2)}, {decimal(row['high'], 2)}]"
    wins = f"{row['wins']:g} of {row['runs']:g} [{row['wins_low']:.0%}, {row['wins_high']:.0%}]" if row["runs"] else ""
    best = row["rank"] == found.methods["rank"].min()
    return Cell(convergence.with_sign(rank, row["flagged"]), best), Cell(wins) if wins else Cell()


def _caption(frame: pd.DataFrame, found: list[Ranks], baseline: str, significance: float) -> tuple[str, ...]:
    tests = []
    for each in found:
        text = f"{backbone_name(each.backbone)} ({counted(each.datasets, 'data set')}): "
        text += "one data set has no test" if math.isnan(each.critical) else f"{each.critical:.2f}"
        if not math.isnan(each.friedman):
            text += f"; Friedman p = {each.friedman:.2g}; {told_apart(each, significance)}"
        tests.append(text)
    return (
        f"Mean rank by {score_titles(frame)} over finished seeds, 1 is best, with the interval over data sets from"
        " Student's t. Only data sets on which every method of the backbone finished count.",
        f"Ahead: runs with a higher {score_titles(frame)} than {balancer_name(baseline)}'s with the same seed and data;"
        " Wilson's interval takes them as independent, which seeds on one data set are not.",
        f"Critical difference of two mean ranks (Nemenyi, level {significance:g}): {'. '.join(tests)}.",
        "Bold: best mean rank.",
        captions.failures(frame, baseline),
    )
