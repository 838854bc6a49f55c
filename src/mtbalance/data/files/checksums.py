"""SHA-256 of files: of finished ones, and of files while they are written."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer  # Python 3.12: collections.abc.Buffer


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


class HashedFile(io.BufferedWriter):
    """A file whose checksum is known as soon as its last byte is written: a new one, or one that is continued."""

    def __init__(self, path: Path, append: bool = False) -> None:
        self._digest = hashlib.sha256()
        if append:
            with path.open("rb") as there:
                self._digest = hashlib.file_digest(there, "sha256")
        super().__init__(io.FileIO(path, "ab" if append else "wb"))

    def write(self, data: ReadableBuffer, /) -> int:
        """Append bytes."""
        self._digest.update(data)
        return super().write(data)

    @property
    def sha256(self) -> str:
        """SHA-256 of the bytes written so far, in hexadecimal."""
        return self._digest.hexdigest()
