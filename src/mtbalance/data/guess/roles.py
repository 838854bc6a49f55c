"""roles: which columns of a table could be tasks, and what the others could be."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

import polars as pl

from mtbalance.data.guess.codes import why_code
from mtbalance.data.guess.look import Column, Look
from mtbalance.data.guess.tasks import Candidate, tasks_of

MOST_SHOWN = 5
COMMON = 0.05
"""A share of the rows that is enough to learn from."""
MANY_VALUES = 1000
RARE_ROWS = 5
PERSONS = re.compile(
    r"(user|person|customer|client|member|patient|subject|student|household|visitor|account)"
    r"([\W_]*(unique|id|key|no|nr|nbr|num|number|uuid|hash|name))*$"
    r"|(session|visit)([\W_]*(unique|id|key|uuid|hash))*$|^id$",
    re.IGNORECASE,
)
"""Names of columns whose rows belong together: a split between them would test on persons that training has seen.
``customer_age`` and ``visit_number`` are none."""
MOST_KINDS = 20
"""Values that a column of kinds of persons can have, such as ``member: yes``."""
REPEATED = 0.2
"""A share of the rows whose value another row has, too, that is enough to keep them together."""
HEAVY_TAIL = 5
"""A skewness; that of an exponential distribution is 2."""


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
    group: str | None
    """The column of users or visits, many with several rows: whose name says so, if it is the only one."""
    groups: list[str]
    """Other columns whose values could be users or visits."""


def roles(table: Look, wishes: Sequence[str] = ()) -> Roles:
    """Guesses for every column of a table; its tasks are those that are wished for, or guesses, too.

    Columns that tell a task almost surely are left out. Whole numbers that look like codes are categories. Raises
    :class:`DataError` for a wish that cannot be met (:func:`~mtbalance.data.guess.tasks.wished`).
    """
    tasks, others = tasks_of(table, wishes)
    chosen = [candidate.column.name for candidate in tasks]
    persons = [column.name for column in table.columns if column.name not in chosen and _of_persons(column)]
    group = persons[0] if len(persons) == 1 else None
    features: list[Feature] = []
    ignore: dict[str, str] = {}
    for column in table.columns:
        if column.name in chosen or column.name == group:
            continue
        code = why_code(column) or ""
        column = column._replace(numbers=None) if code else column
        reason = _reason_to_ignore(column) or next(filter(None, (task.leak(column) for task in tasks)), None)
        if reason:
            ignore[column.name] = reason
        else:
            features.append(_feature(column, code))
    times = [column.name for column in table.columns if column.times]
    left = [column for column in table.columns if column.name not in (*ignore, *chosen, group)]
    counts = {column.name: above for column in left if (above := _above_zero(column)) is not None}
    groups = [column.name for column in left if _could_group(column) and column.name not in persons]
    offered = [*(name for name in persons if name != group), *groups]
    shown = dict(islice(counts.items(), MOST_SHOWN))
    return Roles(tasks, others, features, ignore, times, shown, group, offered[:MOST_SHOWN])


def _reason_to_ignore(column: Column) -> str | None:
    if column.nested:
        return column.values()
    if column.alike:
        return "one value in all rows" if column.distinct else "no value at all"
    if column.commas:
        return column.commas
    if column.times:
        return "times; a split by time can use them"
    if column.other_dates:
        return "dates; written as 2026-11-28, a split by time can use them"
    if column.numbers is None and column.distinct > MANY_VALUES and _most_rows(column) < 2 * RARE_ROWS:
        return f"{column.distinct:,} values, of which none has {2 * RARE_ROWS} rows: nothing to learn from"
    if column.a_key:
        hint = column.but_for or ("if these are amounts, move it to `numerical`" if column.whole else None)
        return f"a value of its own in almost every row ({column.distinct:,} values)" + (f"; {hint}" if hint else "")
    return None


def _most_rows(column: Column) -> int:
    """The number of rows with the most frequent value."""
    return int(column.cells.drop_nulls().value_counts().get_column("count").to_numpy().max())


def _above_zero(column: Column) -> float | None:
    """The share of rows above 0 of whole numbers from 0 on, if some rows are above it and some are not."""
    if column.numbers is None or not column.whole or column.missing or column.distinct < 3:
        return None
    numbers = column.numbers.to_numpy()
    above = float((numbers > 0).mean())
    return above if numbers.min() == 0 and COMMON <= above <= 1 - COMMON else None


def _of_persons(column: Column) -> bool:
    """True if the name is that of persons or visits, there are many of them, and many rows share theirs."""
    if not PERSONS.search(column.name) or not (column.numbers is None or column.whole) or column.times:
        return False
    rows = len(column.cells)
    shared = column.cells.is_duplicated() & column.cells.is_not_null()
    return column.distinct > MOST_KINDS and column.missing <= COMMON * rows and shared.sum() >= REPEATED * rows


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
