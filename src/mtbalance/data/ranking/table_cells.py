"""features_and_labels: converts a table's texts to features and labels."""

from __future__ import annotations

import polars as pl

from mtbalance.data.ranking.csv_blocks import RowBlock
from mtbalance.data.ranking.hash_split import hash_texts
from mtbalance.data.ranking.table_features import CategoricalColumn, NumericalColumn
from mtbalance.data.ranking.table_form import TableForm
from mtbalance.data.ranking.table_held import refuse_number
from mtbalance.data.ranking.table_labels import label_columns


def features_and_labels(block: RowBlock, form: TableForm, source: str) -> pl.DataFrame:
    """Categories as text (missing: empty), numbers as float32 (missing: NaN), labels and weights, and the group.

    Raises :class:`DataError` with row, column and cell for a cell that should be a number and is none, and as
    :func:`~mtbalance.data.ranking.table_labels.label_columns`.
    """
    _check_numbers(block, form, source)
    categories = [_category(feature, form).alias(name) for name, feature in form.category_columns().items()]
    marks = [_mark(column, form).alias(name) for name, column in form.marks().items()]
    numbers = [_formed(feature, form).fill_null(float("nan")) for feature in form.numerical]
    columns = block.frame.select(*categories, *marks, *numbers).hstack(label_columns(block, form, source))
    if form.group is None or form.group in columns.columns:
        return columns
    return columns.with_columns(block.frame.get_column(form.group).fill_null(""))


def _category(feature: CategoricalColumn, form: TableForm) -> pl.Expr:
    values, buckets = _present(feature.column, form).fill_null(""), feature.buckets
    return values if buckets is None else values.map_batches(lambda texts: _buckets(texts, buckets))


def _buckets(texts: pl.Series, buckets: int) -> pl.Series:
    """The number of each text's bucket, as text; the missing one, an empty text, has no bucket."""
    distinct = texts.unique()
    numbers = [str(number) for number in (hash_texts(distinct, 0) % buckets).tolist()]
    named = pl.Series([number if text else "" for text, number in zip(distinct, numbers, strict=True)])
    return texts.replace_strict(distinct, named)


def _mark(column: str, form: TableForm) -> pl.Expr:
    return pl.when(_present(column, form).is_null()).then(pl.lit("missing")).otherwise(pl.lit("given"))


def _present(name: str, form: TableForm) -> pl.Expr:
    return pl.when(pl.col(name).is_in(form.missing).not_()).then(pl.col(name)).alias(name)


def _number(name: str, form: TableForm) -> pl.Expr:
    return _present(name, form).cast(pl.Float32, strict=False)


def _formed(feature: NumericalColumn, form: TableForm) -> pl.Expr:
    number = _number(feature.column, form)
    return number.sign() * number.abs().log1p() if feature.form == "log1p" else number


def _check_numbers(block: RowBlock, form: TableForm, source: str) -> None:
    for name in (feature.column for feature in form.numerical):
        given, number = _present(name, form), _number(name, form)
        bad = block.frame.select((given.is_not_null() & number.is_finite().fill_null(False).not_()).alias("bad"))
        refuse_number(block, bad.to_series(), name, source)
