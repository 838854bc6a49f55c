"""Raw files: finding them, checking them, opening them."""

from __future__ import annotations

import gzip
import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from mtbalance.config import RawFile
from mtbalance.data import DataError


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def checked(file: RawFile) -> tuple[Path, str]:
    """The place and the SHA-256 of a raw file.

    Raises :class:`DataError` if it is not there, is empty, or does not have the checksum that it should have.
    """
    path = Path(file.path)
    if not path.is_file():
        how = f"fetch it from {file.urls[0]}" if file.urls else "place it there, or give its urls and sha256"
        raise DataError(f"{path} is missing; {how}")
    if not path.stat().st_size:
        raise DataError(f"{path} is empty; fetch or copy it again")
    found = sha256_of(path)
    if file.sha256 is not None and found != file.sha256.lower():
        raise DataError(f"{path} has SHA-256 {found}, not {file.sha256}: damaged or another version; fetch it again")
    return path, found


def manifest(files: Mapping[Path, str]) -> dict[str, str]:
    """Checksums by file name; by path, where two files have one name."""
    names = [path.name for path in files]
    return {str(path) if names.count(path.name) > 1 else path.name: files[path] for path in files}


def open_raw(path: Path) -> BinaryIO:
    """Open a file for reading its bytes: as it is, unpacked from ``.gz``, or the only file in a ``.zip``."""
    if path.suffix.lower() == ".gz":
        return gzip.open(path, "rb")
    if path.suffix.lower() == ".zip":
        return open_only_member(open_zip(path, str(path)), str(path))
    return path.open("rb")


def open_zip(file: Path | BinaryIO, source: str) -> zipfile.ZipFile:
    """Open a zip; raises :class:`DataError` naming ``source`` if it is none, or is cut short."""
    try:
        return zipfile.ZipFile(file)
    except (zipfile.BadZipFile, EOFError, OSError) as error:
        raise DataError(f"{source}: not a complete zip file ({error}); fetch it again") from error


def open_only_member(archive: zipfile.ZipFile, source: str) -> BinaryIO:
    """Open the one file that a zip holds; raises :class:`DataError` if there are none or several."""
    members = [name for name in archive.namelist() if not name.endswith("/") and "__MACOSX" not in name]
    if len(members) != 1:
        raise DataError(f"{source}: expected one file in it, found {members}")
    return archive.open(members[0])
