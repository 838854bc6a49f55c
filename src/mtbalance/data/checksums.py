"""SHA-256 of files: of those that are there, and of those being written."""

from __future__ import annotations

import contextlib
import hashlib
import io
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq


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


class HashedParquet:
    """A new Parquet file and its checksum; ``options`` are those of ``pyarrow.parquet.ParquetWriter``."""

    def __init__(self, path: Path, schema: pa.Schema, **options: Any) -> None:
        self._file = HashedFile(path)
        self._writer = pq.ParquetWriter(self._file, schema, **options)

    def write_table(self, table: pa.Table, row_group_size: int | None = None) -> None:
        """Add a table of the file's columns, as one row group or as groups of that size."""
        self._writer.write_table(table, row_group_size)

    @property
    def sha256(self) -> str:
        """SHA-256 of the file, once it is closed."""
        return self._file.sha256

    def close(self) -> None:
        """Write the file's end."""
        with contextlib.closing(self._file):
            self._writer.close()

    def abandon(self) -> None:
        """Give up the file, if it is still open; what of it is on disk is not a Parquet file."""
        with contextlib.suppress(OSError):
            self.close()
