"""cutter: cuts the rows of a table's file into splits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from mtbalance.data.ranking.csv_blocks import RowBlock
from mtbalance.data.ranking.hash_split import assign, hash_texts
from mtbalance.data.ranking.schema import SplitName
from mtbalance.data.ranking.table_files import text_blocks
from mtbalance.data.ranking.table_form import TableForm
from mtbalance.data.ranking.table_held import refuse_cell
from mtbalance.data.ranking.table_plain import plain

CELL_END = "\x1f"  # the unit separator: keeps ("ab", "c") and ("a", "bc") apart
ISO_DATE = r"^\d{4}-\d{2}-\d{2}([T ].*)?$"
MOMENT = r"^(.{10} \d{2}:\d{2})(.*?) ?(Z|[+-]\d{2}(?::?\d{2})?)$"
"""A time with its zone: the minute, what follows it, and the zone."""
Positions = NDArray[np.intp]
Cutter = Callable[[RowBlock], Positions]
"""Gives the position of each row's split among those that a file is cut into."""


def cutter(path: Path, form: TableForm, parts: Sequence[SplitName]) -> Cutter:
    """How the rows of the file ``path`` are cut into ``parts``. By time or order, it is read once to find the cuts.

    Raises :class:`DataError` for a time that cannot be ordered. The cutter raises it for a value that is in no list.
    """
    split = form.split
    if split is None or len(parts) == 1:
        return lambda block: np.zeros(block.frame.height, dtype=np.intp)
    if split.time is not None:
        return _by_time(path, form, split.time, split.shares(parts))
    if split.in_order:
        return _in_order(path, form, split.shares(parts))
    if split.column is not None:
        return _by_values(path, split.column, split.values(parts))
    return lambda block: assign(hash_texts(_hashed(block.frame, form), split.seed), split.shares(parts))


def _hashed(frame: pl.DataFrame, form: TableForm) -> pl.Series:
    """What is hashed of each row: plain texts, so that CSV and Parquet give the same splits.

    It is the whole row, or its group; rows without one are no group together.
    """
    groups = None if form.group is None else plain(frame.get_column(form.group), form.missing)
    if groups is not None and (groups != "").all():
        return groups
    cells = pl.DataFrame([plain(column, form.missing) for column in frame])
    rows = cells.select(pl.concat_str(pl.all(), separator=CELL_END)).to_series()
    return rows if groups is None else groups.zip_with(groups != "", rows)


def _by_values(path: Path, column: str, values: dict[str, int]) -> Cutter:
    listed = plain(pl.Series(list(values)))

    def cut(block: RowBlock) -> Positions:
        cells = plain(block.frame.get_column(column))
        found = cells.replace_strict(listed, list(values.values()), default=-1, return_dtype=pl.Int64)
        refuse_cell(block, found < 0, column, str(path), "is in no list of `split`")
        return found.to_numpy()

    return cut


def _by_time(path: Path, form: TableForm, column: str, shares: Sequence[float]) -> Cutter:
    blocks = [RowBlock(block.first_row, block.frame.select(column)) for block in text_blocks(path, form)]
    numeric = all(_number(block.frame.get_column(column)).is_finite().all(ignore_nulls=False) for block in blocks)

    def keys(block: RowBlock) -> NDArray[np.generic]:
        texts = block.frame.get_column(column)
        if numeric:
            return _number(texts).to_numpy()
        bad = texts.str.contains(ISO_DATE).fill_null(False).not_()
        refuse_cell(block, bad, column, str(path), "is no time: times are numbers, or begin as 2026-11-28 does")
        return _in_utc(texts).to_numpy()

    ordered = np.sort(np.concatenate([keys(block) for block in blocks]))
    cuts = ordered[np.minimum(_firsts(shares, len(ordered)), len(ordered) - 1)]
    return lambda block: np.searchsorted(cuts, keys(block), side="right")


def _in_utc(texts: pl.Series) -> pl.Series:
    """Times as texts that sort by time: a blank between day and hour, and UTC for those with a zone."""
    spaced = texts.str.replace(r"^(.{10})T", "$1 ")
    minute, rest, zone = spaced.str.extract_groups(MOMENT).struct.unnest()
    zone = zone.str.replace("Z", "+0000").str.replace(":", "").str.pad_end(5, "0")
    utc = (minute + zone).str.to_datetime("%Y-%m-%d %H:%M%z", strict=False).dt.to_string("%Y-%m-%d %H:%M") + rest
    return utc.zip_with(utc.is_not_null(), spaced)


def _in_order(path: Path, form: TableForm, shares: Sequence[float]) -> Cutter:
    blocks = [(block.first_row, block.frame.height) for block in text_blocks(path, form)]
    cuts = blocks[0][0] + _firsts(shares, sum(height for _, height in blocks))
    return lambda block: np.searchsorted(cuts, block.first_row + np.arange(block.frame.height), side="right")


def _firsts(shares: Sequence[float], count: int) -> Positions:
    """How many of ``count`` rows in order stand before each split but the first."""
    return np.array([round(share * count) for share in np.cumsum(shares)[:-1]], dtype=np.intp)


def _number(texts: pl.Series) -> pl.Series:
    return texts.cast(pl.Float64, strict=False)
