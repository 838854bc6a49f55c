"""A Parquet file whose checksum is taken while it is written."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from mtbalance.data.files.checksums import HashedFile


class HashedParquet:
    """A new Parquet file and its checksum; ``options`` are those of ``pyarrow.parquet.ParquetWriter``."""

    def __init__(self, path: Path, schema: pa.Schema, **options: Any) -> None:
        self._file = HashedFile(path)
        self._writer = pq.ParquetWriter(self._file, schema, **options)

    def write_table(self, table: pa.Table, row_group_size: int | None = None) -> None:
        """Add a table with the file's columns, as one row group or as row groups of that size."""
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
        """Close the file if it is still open. What is on the disk is then no complete Parquet file."""
        with contextlib.suppress(OSError):
            self.close()
