"""The original AliExpress zip: headerless search ("user") and item files, joined on the search id."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np
import polars as pl
from numpy.typing import NDArray

from mtbalance.data import DataError
from mtbalance.data.files.raw_files import open_member, open_only_member, open_zip
from mtbalance.data.ranking.aliexpress_layout import LAYOUT
from mtbalance.data.ranking.csv_blocks import RowBlock, read_blocks
from mtbalance.data.ranking.csv_cells import Column
from mtbalance.data.ranking.processed_csv import SIDES, OfficialSplit

COUNTRY = re.compile(r"(?:^|[/_])(NL|ES|FR|US|RU)[/_]", re.IGNORECASE)
"""The country in the name of a member: of its folder, or at the beginning of its own."""
ITEM_CATEGORICAL = (19, 34, 35, 36, 40, 41, 42)
"""Positions of the item file's categorical columns, from 1."""


def _user_columns() -> list[Column]:
    categorical = [Column(name, "id") for name in LAYOUT.categorical[:9]]
    numerical = [Column(name, "number") for name in LAYOUT.numerical[:23]]
    return [Column("search_id", "key"), *categorical[:7], *numerical, *categorical[7:]]


def _item_columns() -> list[Column]:
    categorical, numerical = iter(LAYOUT.categorical[9:]), iter(LAYOUT.numerical[23:])
    features = [
        Column(next(categorical), "id") if position in ITEM_CATEGORICAL else Column(next(numerical), "number")
        for position in range(2, 49)
    ]
    return [Column("search_id", "key"), *features, Column("label", "label", highest=2)]


USER_COLUMNS, ITEM_COLUMNS = _user_columns(), _item_columns()


class Archive:
    """The zip of one country, in either folder layout. It holds inner zips (as published) or CSV files.

    Raises :class:`DataError` if the name of a member has another country.
    """

    def __init__(self, path: Path, country: str) -> None:
        self._path, self._country = path, country
        self.dropped_rows: dict[str, int] = {}
        """Numbers of item rows without a search in the user file, by item file; an inner join leaves them out."""

    def rows(self) -> Iterator[tuple[OfficialSplit, pl.DataFrame]]:
        """Joined rows in the order of the item files. Item files are streamed; searches are held in memory."""
        with open_zip(self._path, str(self._path)) as archive:
            self._refuse_other_country(archive.namelist())
            for side in SIDES:
                with self._open(archive, f"user_{side}") as (stream, source):
                    searches = Searches(read_blocks(stream, USER_COLUMNS, source), source)
                with self._open(archive, f"item_{side}") as (stream, source):
                    for block in read_blocks(stream, ITEM_COLUMNS, source):
                        joined = searches.join(block.frame)
                        lost = block.frame.height - joined.height
                        self.dropped_rows[source] = self.dropped_rows.get(source, 0) + lost
                        yield side, joined

    def _refuse_other_country(self, members: Iterable[str]) -> None:
        for member in members:
            if (named := COUNTRY.search(member)) and named[1].upper() != self._country:
                raise DataError(
                    f"{self._path} holds {member}, another country than {self._country}; place the right zip"
                )

    @contextmanager
    def _open(self, archive: zipfile.ZipFile, role: str) -> Iterator[tuple[IO[bytes], str]]:
        pattern = re.compile(rf"{role}\.(zip|csv)", re.IGNORECASE)
        members = [n for n in archive.namelist() if pattern.search(n) and not n.startswith("__MACOSX")]
        if len(members) != 1:
            raise DataError(f"{self._path}: expected one member named ...{role}.zip, found {members}")
        source = f"{self._path} > {members[0]}"
        with open_member(archive, members[0], source) as member:
            if not members[0].lower().endswith(".zip"):
                yield member, source
                return
            with open_zip(member, source) as inner, open_only_member(inner, source) as stream:
                yield stream, source


class Searches:
    """The searches of one side, from its user file: about 140 bytes each.

    Raises :class:`DataError` if a search id occurs twice: a join would then double its items.
    """

    def __init__(self, blocks: Iterable[RowBlock], source: str) -> None:
        frames = [block.frame for block in blocks]
        columns = []
        for name in frames[0].columns:  # one by one, so that no second copy of the whole table is ever held
            columns.append(pl.concat([frame.get_column(name) for frame in frames], rechunk=True))
            frames = [frame.drop(name) for frame in frames]
        self._features = pl.DataFrame(columns[1:])
        identifiers = columns[0].to_numpy()
        self._order = np.argsort(identifiers, kind="stable")
        self._sorted = identifiers[self._order]
        self._refuse_doubles(source)

    def join(self, items: pl.DataFrame) -> pl.DataFrame:
        """Item rows with their search's columns and the two labels; rows without a search are left out."""
        positions, known = self._find(items.get_column("search_id").to_numpy())
        items = items.filter(pl.Series(known))
        label = items.get_column("label")
        labels = [(label >= 1).cast(pl.UInt8).alias("click"), (label == 2).cast(pl.UInt8).alias("conversion")]
        features = self._features[positions[known]]
        return items.hstack(features).with_columns(labels).select(LAYOUT.columns)

    def _find(self, identifiers: NDArray[np.int64]) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        places = np.minimum(np.searchsorted(self._sorted, identifiers), self._sorted.size - 1)
        return self._order[places], self._sorted[places] == identifiers

    def _refuse_doubles(self, source: str) -> None:
        doubles = np.flatnonzero(self._sorted[1:] == self._sorted[:-1])
        if doubles.size:
            first, second = self._order[doubles[0]] + 1, self._order[doubles[0] + 1] + 1
            search = self._sorted[doubles[0]]
            raise DataError(f"{source}: search id {search} (column 1) occurs in row {first} and again in row {second}")
