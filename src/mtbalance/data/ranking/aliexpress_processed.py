"""The processed AliExpress zip of one country: ``train.csv`` and ``test.csv``, read without unpacking them."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import polars as pl

from mtbalance.data import DataError
from mtbalance.data.files.raw_files import open_member, open_zip
from mtbalance.data.ranking.processed_csv import SIDES, OfficialSplit, read_rows

COUNTRY = re.compile(r"AliExpress_([A-Z]{2})/", re.IGNORECASE)
SYNTHETIC = b"synthetic"
"""The comment of a zip that holds generated rows."""


class ProcessedZip:
    """The zip of a country, with its files in any folder.

    Raises :class:`DataError` unless it has one file of each side, and if their folder names another country.
    """

    def __init__(self, path: Path, country: str) -> None:
        self._path = path
        with open_zip(path, str(path)) as archive:
            self._members = {side: self._member(archive, f"{side}.csv") for side in SIDES}
            for member in self._members.values():
                if (named := COUNTRY.search(member)) and named[1].upper() != country:
                    raise DataError(f"{path} holds {member}, another country than {country}; place the right zip")
            self.synthetic = archive.comment == SYNTHETIC
            """True if its comment says so: its rows are generated."""

    def rows(self) -> Iterator[tuple[OfficialSplit, pl.DataFrame]]:
        """The rows in the order of the files."""
        with open_zip(self._path, str(self._path)) as archive:
            for side, member in self._members.items():
                source = f"{self._path} > {member}"
                with open_member(archive, member, source) as stream:
                    for frame in read_rows(stream, source):
                        yield side, frame

    def _member(self, archive: zipfile.ZipFile, name: str) -> str:
        paths = [PurePosixPath(member) for member in archive.namelist()]
        found = [str(path) for path in paths if path.name == name and "__MACOSX" not in path.parts]
        if len(found) != 1:
            raise DataError(f"{self._path}: expected one {name} in it, found {found or [*map(str, paths)]}")
        return found[0]
