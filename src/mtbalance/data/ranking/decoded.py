"""DecodedRows: a split's rows as a model takes them, in memory or in a file that all runs on a machine share."""

from __future__ import annotations

import mmap
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtbalance.data.files.checksums import sha256_of
from mtbalance.data.files.verified import facts, remembered
from mtbalance.data.ranking.decode import Array, Cells, decode, ends
from mtbalance.data.ranking.schema import ROWS_IN_MEMORY, RankingSchema
from mtbalance.places import SCHEMA
from mtbalance.writing import replacing, write_json

GROUPS_AT_ONCE = 16
"""Row groups that are decoded before they are written: about a million rows."""
LAYOUT = 1
"""Goes up with every change of what a row's cells are."""


class DecodedRows:
    """Rows one after another: the ids of a row, its numbers, its labels, its weight, in cells of 4 bytes each.

    A row that is drawn at random is so one place in memory.
    """

    def __init__(self, cells: Cells, schema: RankingSchema, mapped: mmap.mmap | None = None) -> None:
        self._cells, self._mapped = cells, mapped
        self._numbers, self._labels, self._width = ends(schema)

    def take(self, places: slice | NDArray[np.int64]) -> list[Array]:
        """Copies of some rows: ids [rows, F] int32, numbers [rows, N] float32, labels and weights [rows] float32."""
        # numpy's take and not torch's: one thread is enough, and does not wait for another when cores are busy
        cells = self._cells[places] if isinstance(places, slice) else np.take(self._cells, places, axis=0)
        floats = cells.view(np.float32)
        others = [floats[:, column].copy() for column in range(self._labels, self._width)]
        return [cells[:, : self._numbers].copy(), floats[:, self._numbers : self._labels].copy(), *others]

    def expect(self, first: int, last: int) -> None:
        """Have the operating system read rows ahead that are soon drawn, if they are in a file."""
        if self._mapped is not None and hasattr(self._mapped, "madvise"):
            width = self._cells.strides[0]
            start = first * width // mmap.PAGESIZE * mmap.PAGESIZE
            self._mapped.madvise(mmap.MADV_WILLNEED, start, last * width - start)


def open_decoded(path: Path, schema: RankingSchema, group_rows: list[int]) -> DecodedRows:
    """The rows of a split's Parquet file, whose row groups have ``group_rows``.

    Up to half a million rows are decoded into memory. More are decoded into a file beside the Parquet file
    (``.train.decoded``), by the first run that needs it while others wait, and mapped, so that the runs of a machine
    have one copy in memory together. The file is made anew when the data are, or when it was touched; it can be deleted
    at any time. Where it cannot be written, the rows are decoded into this process's memory, with a warning.
    """
    if sum(group_rows) > ROWS_IN_MEMORY:
        try:
            return _mapped(_file(path, schema, len(group_rows)), schema)
        except OSError as error:
            warnings.warn(
                f"{path.parent}: {path.name}'s decoded rows cannot be written there ({error}), so each run has a copy "
                "in its own memory; free disk space or fix the permissions to share one",
                stacklevel=2,
            )
    return DecodedRows(decode(path, np.arange(len(group_rows)), schema), schema)


def bytes_to_come(folder: Path) -> int:
    """Bytes of the decoded files that the runs of a prepared data set will yet write into its folder."""
    schema = RankingSchema.read(folder)
    large = {split: found.rows for split, found in schema.splits.items() if found.rows > ROWS_IN_MEMORY}
    rows = sum(count for split, count in large.items() if not _place(folder / f"{split}.parquet").exists())
    return rows * ends(schema)[-1] * np.dtype(np.int32).itemsize


def _place(path: Path) -> Path:
    """Where the decoded rows of a split's Parquet file go."""
    return path.with_name(f".{path.stem}.decoded")


def _mapped(file: Path, schema: RankingSchema) -> DecodedRows:
    with file.open("rb") as stream:
        mapped = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    cells: NDArray[Any] = np.frombuffer(mapped, dtype=np.int32).reshape(-1, ends(schema)[-1])
    return DecodedRows(cells, schema, mapped)


def _file(path: Path, schema: RankingSchema, groups: int) -> Path:
    """The file of decoded rows, made if there is none of this schema."""
    from filelock import FileLock

    file = _place(path)
    mark = file.with_name(f"{file.name}.json")
    of = {"layout": LAYOUT, "schema": sha256_of(path.with_name(SCHEMA))}
    with FileLock(file.with_name(f"{file.name}.lock")):
        if not file.exists() or remembered(mark) != of | facts(file):
            mark.unlink(missing_ok=True)
            with replacing(file) as partial, partial.open("wb") as stream:
                for some in _portions(groups):
                    stream.write(decode(path, some, schema).data)
            write_json(mark, of | facts(file))
    return file


def _portions(groups: int) -> Iterator[NDArray[np.int64]]:
    for first in range(0, groups, GROUPS_AT_ONCE):
        yield np.arange(first, min(first + GROUPS_AT_ONCE, groups))
