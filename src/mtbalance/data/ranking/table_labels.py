"""label_columns: converts a table's texts to the labels of its tasks, and to the weights of its rows."""

from __future__ import annotations

import re
from collections.abc import Sequence

import polars as pl

from mtbalance.data.ranking.csv_blocks import RowBlock
from mtbalance.data.ranking.schema import NO_LABEL
from mtbalance.data.ranking.table_form import TableForm
from mtbalance.data.ranking.table_held import refuse_cell, refuse_number
from mtbalance.data.ranking.table_tasks import TableTask, within_first

WORDS = {True: ("true", "yes", "on"), False: ("false", "no", "off")}
"""Texts that a boolean of YAML stands for; a reader of YAML makes a boolean of each."""
EXACT = 2**53
"""Whole numbers below this are exact as float64."""
CODE = r"^[+-]?0\d"
"""The beginning of a text of digits that is a code and no number, such as ``007``."""


def label_columns(block: RowBlock, form: TableForm, source: str) -> pl.DataFrame:
    """A column for each task, in their order, and the weights.

    Binary labels are 0, 1 and ``NO_LABEL``, numbers are float64 (none: NaN), weights are float32. Raises
    :class:`DataError` with row, column and cell for one that should be a number and is none, for a label that is not
    above -1 with ``loss: log1p``, and for a weight that is missing or negative.
    """
    labels: dict[str, pl.Series] = {}
    for name in within_first(form.tasks):
        task = form.tasks[name]
        label = _label(block, task, form, source)
        labels[name] = _inside(label, labels[task.within], task) if task.within else label
    columns = [labels[name].alias(name) for name in form.tasks]
    return pl.DataFrame(columns if form.weight is None else [*columns, _weights(block, form, source)])


def _label(block: RowBlock, task: TableTask, form: TableForm, source: str) -> pl.Series:
    cells = block.frame.get_column(task.column)
    missing = cells.is_null() | cells.is_in(form.missing)
    if task.positive is not None:
        positive = matches(cells, task.positive)
        return positive.cast(pl.UInt8).set(missing & ~positive, NO_LABEL)
    numbers = _numbers(block, task.column, missing, source)
    if task.kind == "binary":
        return _between(numbers, task).cast(pl.UInt8).set(missing, NO_LABEL)
    if task.loss == "log1p":
        refuse_cell(
            block, (numbers <= -1).fill_null(False), task.column, source, "is not above -1, as loss: log1p needs"
        )
    return numbers.fill_null(float("nan"))


def _inside(label: pl.Series, outer: pl.Series, task: TableTask) -> pl.Series:
    """The label where the outer task's label is 1; elsewhere none, or 0 where that label is known to be 0."""
    if task.kind == "regression":
        return label.set(outer != 1, float("nan"))
    if task.outside == "missing":
        return label.set(outer != 1, NO_LABEL)
    return label.set(outer == NO_LABEL, NO_LABEL).set(outer == 0, 0)


def _between(numbers: pl.Series, task: TableTask) -> pl.Series:
    inside = pl.Series([True]).new_from_index(0, len(numbers))
    if task.above is not None:
        inside &= numbers > task.above
    if task.below is not None:
        inside &= numbers < task.below
    return inside.fill_null(False)


def _numbers(block: RowBlock, column: str, missing: pl.Series, source: str) -> pl.Series:
    """The cells as float64, null where they are missing."""
    numbers = block.frame.get_column(column).cast(pl.Float64, strict=False)
    bad = ~missing & ~numbers.is_finite().fill_null(False)
    refuse_number(block, bad, column, source)
    return numbers.zip_with(~missing, pl.Series([None], dtype=pl.Float64))


def _weights(block: RowBlock, form: TableForm, source: str) -> pl.Series:
    assert form.weight is not None
    weights = block.frame.get_column(form.weight).cast(pl.Float32, strict=False)
    bad = ~(weights.is_finite() & (weights >= 0)).fill_null(False)
    refuse_cell(block, bad, form.weight, source, "is no weight; every row needs a number of at least 0")
    return weights


def matches(cells: pl.Series, values: Sequence[bool | int | float | str]) -> pl.Series:
    """True for the texts that stand for one of the values.

    A text meets itself. A number, or a text of one, meets every way of writing it, and 1 and 0 meet ``true`` and
    ``false``; a text such as ``007`` is no number. A boolean meets its words and its number.
    """
    texts = [value for value in values if isinstance(value, str)]
    words = [word for value in values if isinstance(value, bool) for word in WORDS[value]]
    numbers = {number for value in values if (number := _number(value)) is not None}
    words += [str(bool(number)).lower() for number in sorted(numbers & {0.0, 1.0})]
    found = cells.is_in(texts) | cells.str.to_lowercase().is_in(words)
    if numbers:
        code = cells.str.contains(CODE)
        found |= cells.cast(pl.Float64, strict=False).is_in(sorted(numbers)) & ~code
    return found.fill_null(False)


def _number(value: bool | int | float | str) -> float | None:
    """The number that a value is, or that its text says; a truth value counts as 1 or 0."""
    if isinstance(value, str):
        value = {"true": 1.0, "false": 0.0}.get(value.lower(), "nan" if re.match(CODE, value) else value)
        try:
            value = float(value)
        except ValueError:
            return None
    return float(value) if abs(value) < EXACT else None
