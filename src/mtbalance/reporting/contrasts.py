"""Contrasts: differences of two methods of one experiment, seed by seed, and what may be said of them."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from mtbalance.errors import UserError
from mtbalance.reporting.comparison import by_seed
from mtbalance.reporting.formats import counted, signed
from mtbalance.reporting.statistics import BySeed, PairedTest, paired_interval, paired_test


class Contrast(NamedTuple):
    """The difference of two methods on one backbone and data set, over their common seeds."""

    test: PairedTest
    low: float
    """Lower end of the confidence interval; NaN where nothing was tested."""
    high: float
    """Upper end."""

    def text(self, digits: int = 4) -> str:
        """The difference and its interval."""
        if self.test.untested:
            return signed(self.test.difference, digits)
        return f"{signed(self.test.difference, digits)} [{signed(self.low, digits)}, {signed(self.high, digits)}]"

    def told(self, significance: float) -> bool:
        """True if the difference can be told from chance: tested, with p at most ``significance``."""
        return not self.test.untested and self.test.p <= significance

    def verdict(self, significance: float) -> str:
        """``higher``, ``lower``, or that the methods cannot be told apart with so many seeds."""
        if self.test.untested:
            return f"not tested, {self.test.untested}"
        if not self.told(significance):
            return f"not distinguishable with {counted(self.test.pairs, 'seed')}"
        return "higher" if self.test.difference > 0 else "lower"


def between(values: BySeed, others: BySeed, significance: float = 0.05) -> Contrast:
    """``values`` minus ``others`` over common seeds.

    The interval has level 1 - ``significance``, so it leaves out zero where the test is significant.
    """
    return Contrast(paired_test(values, others), *paired_interval(values, others, 1 - significance))


def contrast(rows: pd.DataFrame, ours: str, theirs: str, significance: float, needed_by: str) -> Contrast:
    """``ours`` minus ``theirs``, two balancers among ``rows``: one number a run, of one data set and one backbone.

    As :func:`between`. Raises ``UserError`` that names a balancer without runs; ``needed_by`` says who wants it.
    """
    first = rows.iloc[0]
    for name in (ours, theirs):
        if not (rows["balancer"] == name).any():
            raise UserError(
                f"{needed_by} compares {ours} with {theirs}, but {name} was not run on {first['backbone']}: add it to"
                f" experiments.{first['experiment']}.grid.{first['backbone']} in params.yaml"
            )
    values, others = (by_seed(rows[rows["balancer"] == name]) for name in (ours, theirs))
    return between(values, others, significance)


def against_baseline(frame: pd.DataFrame, cell: pd.Series, baseline: str, significance: float) -> Contrast:
    """A cell's difference to the baseline on the same backbone and data set; ``frame`` is a collected table."""
    scores = frame[frame["epoch"].isna() & (frame["metric"] == cell["metric"]) & (frame["task"] == cell["task"])]
    here = scores[(scores["dataset"] == cell["dataset"]) & (scores["backbone"] == cell["backbone"])]
    own, theirs = (by_seed(here[here["balancer"] == name]) for name in (cell["balancer"], baseline))
    return between(own, theirs, significance)
