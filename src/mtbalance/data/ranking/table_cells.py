"""From a table's texts to features and labels."""

from __future__ import annotations

import polars as pl

from mtbalance.config import TableData
from mtbalance.data import DataError
from mtbalance.data.ranking.csv_blocks import Block


def features_and_labels(block: Block, config: TableData, source: str) -> pl.DataFrame:
    """Categories as text (missing: empty), numbers as float32 (missing: NaN), labels as 0 and 1, and the
    group.

    Raises :class:`DataError` with row, column and cell for a number that is none and for a missing label.
    """
    _check_numbers(block, config, source)
    _check_labels(block, config, source)
    categories = [_present(name, config).fill_null("") for name in config.categorical]
    numbers = [_number(name, config).fill_null(float("nan")) for name in config.numerical]
    labels = [
        pl.col(task.column).is_in(task.positive).cast(pl.UInt8).alias(name) for name, task in config.tasks.items()
    ]
    columns = block.frame.select(*categories, *numbers, *labels)
    if config.group is None or config.group in columns.columns:
        return columns
    return columns.with_columns(block.frame.get_column(config.group).fill_null(""))


def _present(name: str, config: TableData) -> pl.Expr:
    return pl.when(pl.col(name).is_in(config.missing).not_()).then(pl.col(name)).alias(name)


def _number(name: str, config: TableData) -> pl.Expr:
    return _present(name, config).cast(pl.Float32, strict=False)


def _check_numbers(block: Block, config: TableData, source: str) -> None:
    for name in config.numerical:
        given, number = _present(name, config), _number(name, config)
        bad = block.frame.select((given.is_not_null() & number.is_finite().fill_null(False).not_()).alias("bad"))
        _refuse(block, bad.to_series(), name, source, "is not a finite number (list it under `missing`?)")


def _check_labels(block: Block, config: TableData, source: str) -> None:
    for task in config.tasks.values():
        missing = pl.col(task.column).is_null() | pl.col(task.column).is_in(config.missing)
        bad = block.frame.select(
            (missing & pl.col(task.column).is_in(task.positive).not_().fill_null(True)).alias("bad")
        )
        _refuse(block, bad.to_series(), task.column, source, "is a missing label; leave such rows out of the file")


def _refuse(block: Block, bad: pl.Series, name: str, source: str, why: str) -> None:
    if bad.any():
        position = int(bad.arg_max() or 0)
        cell = block.frame.get_column(name)[position]
        where = f"{source}: row {block.first_row + position} (the file's first line is row 1), column {name}"
        raise DataError(f"{where}: {cell!r} {why}")
