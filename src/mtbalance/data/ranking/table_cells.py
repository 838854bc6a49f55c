"""features_and_labels: converts a table's texts to features and labels."""

from __future__ import annotations

import polars as pl

from mtbalance.data import DataError
from mtbalance.data.ranking.csv_blocks import RowBlock
from mtbalance.data.ranking.table_form import TableForm


def features_and_labels(block: RowBlock, form: TableForm, source: str) -> pl.DataFrame:
    """Categories as text (missing: empty), numbers as float32 (missing: NaN), labels as 0 and 1, and the group.

    Raises :class:`DataError` with row, column and cell for a cell that should be a number and is none, and for a
    missing label.
    """
    _check_numbers(block, form, source)
    _check_labels(block, form, source)
    categories = [_present(name, form).fill_null("") for name in form.categorical]
    numbers = [_number(name, form).fill_null(float("nan")) for name in form.numerical]
    labels = [pl.col(task.column).is_in(task.positive).cast(pl.UInt8).alias(name) for name, task in form.tasks.items()]
    columns = block.frame.select(*categories, *numbers, *labels)
    if form.group is None or form.group in columns.columns:
        return columns
    return columns.with_columns(block.frame.get_column(form.group).fill_null(""))


def _present(name: str, form: TableForm) -> pl.Expr:
    return pl.when(pl.col(name).is_in(form.missing).not_()).then(pl.col(name)).alias(name)


def _number(name: str, form: TableForm) -> pl.Expr:
    return _present(name, form).cast(pl.Float32, strict=False)


def _check_numbers(block: RowBlock, form: TableForm, source: str) -> None:
    for name in form.numerical:
        given, number = _present(name, form), _number(name, form)
        bad = block.frame.select((given.is_not_null() & number.is_finite().fill_null(False).not_()).alias("bad"))
        _refuse(block, bad.to_series(), name, source, "is not a finite number (list it under `missing`?)")


def _check_labels(block: RowBlock, form: TableForm, source: str) -> None:
    for task in form.tasks.values():
        missing = pl.col(task.column).is_null() | pl.col(task.column).is_in(form.missing)
        bad = block.frame.select(
            (missing & pl.col(task.column).is_in(task.positive).not_().fill_null(True)).alias("bad")
        )
        _refuse(block, bad.to_series(), task.column, source, "is a missing label; leave such rows out of the file")


def _refuse(block: RowBlock, bad: pl.Series, name: str, source: str, why: str) -> None:
    if bad.any():
        position = int(bad.arg_max() or 0)
        cell = block.frame.get_column(name)[position]
        where = f"{source}: row {block.first_row + position} (the file's first line is row 1), column {name}"
        raise DataError(f"{where}: {cell!r} {why}")
