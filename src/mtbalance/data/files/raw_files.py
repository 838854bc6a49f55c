"""Raw files: finding them, checking them, opening them."""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from mtbalance.config.addresses import shown
from mtbalance.config.datasets import RawFile
from mtbalance.data import DataError
from mtbalance.data.files.checksums import sha256_of
from mtbalance.data.files.sources_lock import expected
from mtbalance.errors import DAMAGED
from mtbalance.faults import briefly

ByteStream = IO[bytes] | gzip.GzipFile
"""A file that is open for reading bytes."""


def located(file: RawFile) -> Path:
    """The place of a raw file. Raises :class:`DataError` if it is not there, is a folder or is empty."""
    path = Path(file.path)
    refuse_folder(path)
    if not path.is_file():
        how = f"fetch it from {shown(file.urls[0])}" if file.urls else "place it there, or give its urls and sha256"
        raise DataError(f"{path} is missing; {how}")
    if not path.stat().st_size:
        raise DataError(f"{path} is empty; fetch or copy it again")
    return path


def refuse_folder(path: Path) -> None:
    """Raise :class:`DataError` for a folder."""
    if path.is_dir():
        raise DataError(f"{path} is a folder; name one file, and join the rows of several into it")


def checked_sha256(file: RawFile) -> str:
    """The SHA-256 of a raw file. Raises :class:`DataError` if another one, or another size, was expected.

    What is expected stands in ``params.yaml``, or else in ``data/sources.lock.json``.
    """
    path, wanted = located(file), expected(file)
    what_to_do = f"damaged or another version; delete it and fetch it again{wanted.how_to_accept}"
    size = path.stat().st_size
    if wanted.bytes not in (None, size):
        raise DataError(f"{path} has {size} bytes, not {wanted.bytes}: {what_to_do}")
    found = sha256_of(path)
    if wanted.sha256 not in (None, found):
        raise DataError(f"{path} has SHA-256 {found}, not {wanted.sha256}: {what_to_do}")
    return found


class RawChecksums:
    """Checksums of raw files, taken in a thread while their rows are read; a context manager.

    Raises :class:`DataError` at once for a file that is missing or empty. :meth:`manifest` raises it for a wrong
    checksum. The end of the ``with`` block raises it, too, if reading a row failed: the error then names the damaged
    file instead of the row.
    """

    def __init__(self, files: Iterable[RawFile]) -> None:
        self._files = {located(file): file for file in files}

    def __enter__(self) -> Self:
        self._thread = ThreadPoolExecutor(1)
        self._found = {path: self._thread.submit(checked_sha256, file) for path, file in self._files.items()}
        return self

    def manifest(self) -> dict[str, str]:
        """Checksums by file name, or by path if two files have the same name."""
        names = [path.name for path in self._found]
        return {
            str(path) if names.count(path.name) > 1 else path.name: found.result()
            for path, found in self._found.items()
        }

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if isinstance(error, DataError):
                self.manifest()
        finally:
            self._thread.shutdown(cancel_futures=True)


def open_raw(path: Path) -> ByteStream:
    """Open a file to read its bytes: unpacked from ``.gz``, the only file of a ``.zip``, or any other as it is."""
    if path.suffix.lower() == ".gz":
        return gzip.open(path, "rb")
    if path.suffix.lower() == ".zip":
        return open_only_member(open_zip(path, str(path)), str(path))
    return path.open("rb")


def open_zip(file: Path | IO[bytes], source: str) -> zipfile.ZipFile:
    """Open a zip. Raises :class:`DataError` that names ``source`` for a file that is no zip or is cut short."""
    try:
        return zipfile.ZipFile(file)
    except DAMAGED as error:
        raise DataError(
            f"{source}: not a complete zip file ({briefly(error)}); delete it and fetch it again"
        ) from error


def open_only_member(archive: zipfile.ZipFile, source: str) -> IO[bytes]:
    """Open the one file in a zip. Raises :class:`DataError` if it holds none or several."""
    members = [name for name in archive.namelist() if not name.endswith("/") and "__MACOSX" not in name]
    if len(members) != 1:
        raise DataError(f"{source}: expected one file in it, found {members}")
    return open_member(archive, members[0], source)


def open_member(archive: zipfile.ZipFile, member: str, source: str) -> IO[bytes]:
    """Open a file in a zip. Raises :class:`DataError` that names ``source`` for one that is damaged or locked."""
    try:
        return archive.open(member)
    except DAMAGED as error:
        raise DataError(f"{source} cannot be opened ({briefly(error)}); fetch or make the zip again") from error
