"""roles: which columns of a table could be tasks, and what the others could be."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from mtbalance.data.guess.alone import auc_alone
from mtbalance.data.guess.codes import why_code
from mtbalance.data.guess.look import Column, Look
from mtbalance.data.ranking.schema import LEAK

LABELS = re.compile(
    r"label|target|class|outcome|response|income|click|buy|bought|purchase|order|convert|conversion|churn|default|fraud"
    r"|like|return|cancel|surviv|diagnos|disease|died|death|success|accept|approved|^y$|^is_|^has_",
    re.IGNORECASE,
)
"""Names that columns of labels often have."""
YES = ("1", "1.0", "yes", "y", "true", "t", "positive", "pos", "won")
"""Values that often are the positive one, in lower case."""
MOST_TASKS = 2
MOST_SHOWN = 5
COMMON = 0.05
"""A share of the rows that is enough to learn from."""
FEW_VALUES = 20
MANY_VALUES = 1000
RARE_ROWS = 5
HEAVY_TAIL = 5
"""A skewness; that of an exponential distribution is 2."""


class Candidate(NamedTuple):
    """A column that could be a task."""

    column: Column
    positive: str
    """The value that makes the label 1."""

    @property
    def label(self) -> NDArray[np.bool_]:
        """The label of each row."""
        return (self.column.cells == self.positive).fill_null(False).to_numpy()


class Feature(NamedTuple):
    """A column that could be a feature."""

    column: Column
    numerical: bool
    options: dict[str, str | int | bool]
    """Options of its block, beside the name."""
    reason: str
    """Why it is no number although its cells are; empty otherwise."""


class Roles(NamedTuple):
    """What the columns of a table could be."""

    tasks: list[Candidate]
    others: list[Candidate]
    """Columns that could be tasks as well."""
    features: list[Feature]
    ignore: dict[str, str]
    """Columns that had better be left out, and why."""
    times: list[str]
    """Columns of times."""
    counts: dict[str, float]
    """Columns of counts, and the share of rows above 0: a task could be that there is one at all."""
    groups: list[str]
    """Columns whose values could be users or visits, each with several rows."""


def roles(table: Look) -> Roles:
    """Guesses for every column of a table.

    Tasks are columns of two values without a missing one, those with the name of a label first, then the last ones. If
    there is none, columns of few values stand in, with the most frequent value as the positive one. Columns that tell
    a task almost surely are left out. Whole numbers that look like codes are categories.
    """
    tasks, others = _tasks(_candidates(table.columns))
    chosen = [candidate.column.name for candidate in tasks]
    features: list[Feature] = []
    ignore: dict[str, str] = {}
    for column in table.columns:
        if column.name in chosen:
            continue
        code = why_code(column) or ""
        column = column._replace(numbers=None) if code else column
        reason = _reason_to_ignore(column) or _leak(column, tasks)
        if reason:
            ignore[column.name] = reason
        else:
            features.append(_feature(column, code))
    names = [column.name for column in table.columns]
    times = [column.name for column in table.columns if column.times]
    left = [column for column in table.columns if column.name not in ignore]
    counts = {column.name: above for column in left if (above := _above_zero(column)) is not None}
    groups = [column.name for column in left if _could_group(column)]
    tasks.sort(key=lambda task: names.index(task.column.name))
    return Roles(tasks, others, features, ignore, times, dict(islice(counts.items(), MOST_SHOWN)), groups[:MOST_SHOWN])


def _candidates(columns: Sequence[Column]) -> list[Candidate]:
    """The columns that could be tasks, the likeliest first."""
    complete = [(place, column) for place, column in enumerate(columns) if not column.missing]
    two = [(place, column) for place, column in complete if column.distinct == 2]
    few = [(place, column) for place, column in complete if 2 < column.distinct <= FEW_VALUES]
    ranked = sorted(two or few, key=lambda found: (LABELS.search(found[1].name) is None, -found[0]))
    return [Candidate(column, _positive(column)) for _, column in ranked]


def _tasks(candidates: Sequence[Candidate]) -> tuple[list[Candidate], list[Candidate]]:
    """The first candidates that are not one and the same label, and the others."""
    tasks: list[Candidate] = []
    for candidate in candidates:
        if len(tasks) < MOST_TASKS and not any(_same(candidate, task) for task in tasks):
            tasks.append(candidate)
    return tasks, [candidate for candidate in candidates if all(candidate is not task for task in tasks)]


def _same(one: Candidate, other: Candidate) -> bool:
    """True if each of two labels tells the other almost surely."""
    return min(auc_alone(one.column, other.label), auc_alone(other.column, one.label)) > LEAK


def _positive(column: Column) -> str:
    """A value that says yes; else the rarer of two, or the most frequent of several."""
    values = column.cells.value_counts(sort=True).get_column(column.name).to_list()
    yes = next((value for value in values if value.lower() in YES), None)
    return str(yes or values[-1 if len(values) == 2 else 0])


def _reason_to_ignore(column: Column) -> str | None:
    if column.alike:
        return "one value in all rows"
    if column.times:
        return "times; a split by time can use them"
    if column.a_key:
        return f"a value of its own in almost every row ({column.distinct:,} values)"
    return None


def _leak(column: Column, tasks: Sequence[Candidate]) -> str | None:
    for task in tasks:
        auc = auc_alone(column, task.label)
        if auc > LEAK:
            return f"suspected leak: alone it gives {task.column.name} an AUC of {auc:.3f}"
    return None


def _above_zero(column: Column) -> float | None:
    """The share of rows above 0 of whole numbers from 0 on, if some rows are above it and some are not."""
    if column.numbers is None or not column.whole or column.missing or column.distinct < 3:
        return None
    numbers = column.numbers.to_numpy()
    above = float((numbers > 0).mean())
    return above if numbers.min() == 0 and COMMON <= above <= 1 - COMMON else None


def _could_group(column: Column) -> bool:
    """True for whole numbers or texts of very many values, most of them with several rows."""
    whole = column.numbers is None or column.whole
    return whole and not column.missing and column.distinct > MANY_VALUES and 2 * column.distinct < len(column.cells)


def _feature(column: Column, code: str) -> Feature:
    if column.numbers is None:
        return Feature(column, False, {"at_least": RARE_ROWS} if column.distinct > MANY_VALUES else {}, code)
    options: dict[str, str | int | bool] = {"form": "log1p"} if _heavy_tailed(column.numbers) else {}
    return Feature(column, True, options | ({"mark_missing": True} if column.missing else {}), "")


def _heavy_tailed(numbers: pl.Series) -> bool:
    """True if a few numbers are far above the others, and none is negative."""
    return not bool((numbers < 0).any()) and float(numbers.skew() or 0) > HEAVY_TAIL
