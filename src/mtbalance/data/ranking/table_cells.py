"""features_and_labels: converts a table's texts to features and labels."""

from __future__ import annotations

import polars as pl

from mtbalance.data.ranking.csv_blocks import RowBlock
from mtbalance.data.ranking.table_form import TableForm
from mtbalance.data.ranking.table_held import refuse_cell
from mtbalance.data.ranking.table_labels import label_columns


def features_and_labels(block: RowBlock, form: TableForm, source: str) -> pl.DataFrame:
    """Categories as text (missing: empty), numbers as float32 (missing: NaN), labels and weights, and the group.

    Raises :class:`DataError` with row, column and cell for a cell that should be a number and is none, and as
    :func:`~mtbalance.data.ranking.table_labels.label_columns`.
    """
    _check_numbers(block, form, source)
    categories = [_present(name, form).fill_null("") for name in form.categorical]
    numbers = [_number(name, form).fill_null(float("nan")) for name in form.numerical]
    columns = block.frame.select(*categories, *numbers).hstack(label_columns(block, form, source))
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
        refuse_cell(block, bad.to_series(), name, source, "is not a finite number (list it under `missing`?)")
