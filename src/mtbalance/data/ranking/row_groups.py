"""Row groups of one size from blocks of any size."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

ROW_GROUP = 65_536


class RowGroups:
    """Collects rows until they fill a row group."""

    def __init__(self) -> None:
        self._waiting: list[pl.DataFrame] = []
        self._rows = 0

    def add(self, frame: pl.DataFrame) -> Iterator[pl.DataFrame]:
        """Take some rows. Gives the row groups of 65,536 rows that they complete."""
        self._waiting.append(frame)
        self._rows += frame.height
        while self._rows >= ROW_GROUP:
            rows = pl.concat(self._waiting)
            self._waiting, self._rows = [rows[ROW_GROUP:]], self._rows - ROW_GROUP
            yield rows[:ROW_GROUP]

    def rest(self) -> Iterator[pl.DataFrame]:
        """The last row group, if any rows are left."""
        if self._rows:
            yield pl.concat(self._waiting)
