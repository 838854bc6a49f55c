"""SHA-256 of files: of those that are there, and of those being written."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


class HashedFile(io.BufferedWriter):
    """A new file, whose checksum is known as soon as its last byte is written."""

    def __init__(self, path: Path) -> None:
        super().__init__(io.FileIO(path, "wb"))
        self._digest = hashlib.sha256()

    def write(self, data: bytes, /) -> int:
        """Write bytes after those that are written already."""
        self._digest.update(data)
        return super().write(data)

    @property
    def sha256(self) -> str:
        """SHA-256 of the bytes written so far, in hexadecimal."""
        return self._digest.hexdigest()
