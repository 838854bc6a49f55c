"""plain: one way to write each value, whichever file its cell comes from."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

EXACT = 2.0**53
"""Below this, every whole number is a float64."""


def plain(cells: pl.Series, missing: Sequence[str] = ()) -> pl.Series:
    """Texts with numbers and booleans written in one way; no value, or a ``missing`` text, becomes the empty text.

    ``1``, ``1.0`` and ``1e0`` are all ``1``; ``0.50`` is ``0.5``; ``True`` is ``true``. Other texts stay as they are.
    """
    distinct = cells.unique()
    written = pl.select(_written(pl.lit(distinct.set(distinct.is_in(list(missing)), None)))).to_series()
    return cells.replace_strict(distinct, written)


def _written(cells: pl.Expr) -> pl.Expr:
    number, lower = cells.cast(pl.Float64, strict=False), cells.str.to_lowercase()
    finite = number.is_finite()
    whole = finite & (number % 1 == 0) & (number.abs() < EXACT)
    return (
        pl.when(whole)
        .then(number.cast(pl.Int64, strict=False).cast(pl.String))
        .when(finite)
        .then(number.cast(pl.String))
        .when(lower.is_in(["true", "false"]))
        .then(lower)
        .otherwise(cells)
        .fill_null("")
    )
