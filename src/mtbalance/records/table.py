"""The tables that a run keeps beside its record, such as predictions, as Parquet that tells what has been damaged."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mtbalance.faults import briefly
from mtbalance.records import RecordError
from mtbalance.writing import replacing

PRODUCTS = ("dot", "gradient", "update")
"""In a table of steps: g.Delta, |g|^2 and |Delta|^2, by the name that the columns of a part of the parameters have."""
RUN, CHECKSUM = b"run", b"checksum"
"""Entries of the metadata: the digest of the run, and SHA-256 of all columns."""


def write_table(path: Path, table: pa.Table, digest: str) -> None:
    """Write the table of numbers of the run with that digest, whole or not at all."""
    said = {RUN: digest, CHECKSUM: _checksum(table)}
    with replacing(path) as partial:
        pq.write_table(table.replace_schema_metadata(said), partial, compression="zstd")


def read_table(path: Path, digest: str, columns: Sequence[str] = ()) -> pa.Table:
    """The run's table, which has these columns.

    Raises :class:`~mtbalance.records.RecordError` for a file that is damaged, that lacks a column, or that is another
    run's. Files of older versions do not say whose they are, and have no checksum.
    """
    try:
        with pq.ParquetFile(path) as file:
            table = file.read()
    except (EOFError, MemoryError, OSError, ValueError, pa.ArrowException) as error:
        raise RecordError(f"{path} cannot be read ({briefly(error)})") from error
    said = {key: value.decode(errors="replace") for key, value in (table.schema.metadata or {}).items()}
    if (found := said.get(RUN, digest)) != digest:
        raise RecordError(f"{path} is of another run, with the digest {found} in place of {digest}")
    if CHECKSUM in said and said[CHECKSUM] != _checksum(table):
        raise RecordError(f"{path} is not as it was written: its checksum is of other content")
    if absent := [name for name in columns if name not in table.column_names]:
        raise RecordError(f"{path} has no column {absent[0]!r}")
    return table


def _checksum(table: pa.Table) -> str:
    """SHA-256 of the names, types and values of the columns."""
    digest = hashlib.sha256()
    for name in table.column_names:
        values = np.ascontiguousarray(table[name].to_numpy())
        digest.update(f"{name} {values.dtype} {len(values)}\n".encode())
        digest.update(values.tobytes())
    return digest.hexdigest()
