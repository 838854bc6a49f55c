"""The processed CSV of AliExpress: reading its two files of 82 columns, and preparing rows of that form."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

import polars as pl

from mtbalance.config.datasets import HashSplit
from mtbalance.data import DataError
from mtbalance.data.files.raw_files import ByteStream, RawChecksums, open_raw
from mtbalance.data.ranking.aliexpress_layout import LAYOUT
from mtbalance.data.ranking.csv_blocks import read_blocks, read_header
from mtbalance.data.ranking.csv_cells import Column
from mtbalance.data.ranking.hash_split import assign, hash_integers
from mtbalance.data.ranking.layout import Layout
from mtbalance.data.ranking.schema import RankingSchema
from mtbalance.data.ranking.writer import RankingWriter

COLUMNS = [
    Column("search_id", "key"),
    *(Column(name, "id") for name in LAYOUT.categorical),
    *(Column(name, "number") for name in LAYOUT.numerical),
    *(Column(name, "label") for name in LAYOUT.tasks),
]
SPLIT_RULE = "train: the official train rows; valid and test: the official test rows, by a hash of search_id"
OfficialSplit = Literal["train", "test"]
SIDES: tuple[OfficialSplit, ...] = ("train", "test")
OfficialRows = Iterable[tuple[OfficialSplit, pl.DataFrame]]


def prepare_rows(
    name: str,
    rows: OfficialRows,
    split: HashSplit,
    output: Path,
    sums: RawChecksums,
    synthetic: bool = False,
    layout: Layout = LAYOUT,
    **facts: Any,
) -> RankingSchema:
    """Write rows of the official train and test sides; the test side is cut into valid and test by search.

    ``sums`` are the checksums of the raw files, ``facts`` further fields of the schema.
    """
    with RankingWriter(output, layout) as writer:
        for side, frame in rows:
            if side == "train":
                writer.write("train", frame)
            else:
                valid = in_valid(frame.get_column("search_id"), split)
                writer.write("valid", frame.filter(valid))
                writer.write("test", frame.filter(~valid))
        return writer.finish(
            dataset=name,
            synthetic=synthetic,
            normalize="none",  # the numbers come scaled to [0, 1]
            raw=sums.manifest(),
            split_rule=SPLIT_RULE,
            split_seed=split.seed,
            **facts,
        )


def in_valid(search_ids: pl.Series, split: HashSplit) -> pl.Series:
    """A mask of the rows of the official test side: true for valid, false for test."""
    hashes = hash_integers(search_ids.to_numpy(), split.seed)
    return pl.Series(assign(hashes, [split.valid, split.test]) == 0)


def processed_rows(train: Path, test: Path) -> Iterator[tuple[OfficialSplit, pl.DataFrame]]:
    """Rows of two files of the processed form: CSV with a header of exactly the 82 columns."""
    for side, path in zip(SIDES, (train, test), strict=True):
        with open_raw(path) as stream:
            for frame in read_rows(stream, str(path)):
                yield side, frame


def read_rows(stream: ByteStream, source: str) -> Iterator[pl.DataFrame]:
    """Rows of an open file of the processed form; ``source`` names it in messages."""
    _check_header(read_header(stream, source), source)
    for first_row, frame in read_blocks(stream, COLUMNS, source, first_row=2):
        _check_labels(frame, first_row, source)
        yield frame


def _check_header(names: list[str], source: str) -> None:
    if names == LAYOUT.columns:
        return
    missing = [name for name in LAYOUT.columns if name not in names]
    what = f"column {missing[0]} is missing" if missing else "it must name exactly the 82 columns"
    pairs = zip([*names, "nothing"], [*LAYOUT.columns, "nothing"], strict=False)
    found, expected = next(pair for pair in pairs if pair[0] != pair[1])
    raise DataError(f"{source}: the header has {found} where {expected} should be; {what}")


def _check_labels(frame: pl.DataFrame, first_row: int, source: str) -> None:
    wrong = frame.get_column("conversion") > frame.get_column("click")
    if wrong.any():
        row = first_row + int(wrong.arg_max() or 0)
        raise DataError(f"{source}: row {row} (the header is row 1) has conversion 1 and click 0")
