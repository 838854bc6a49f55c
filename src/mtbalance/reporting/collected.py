"""read_collected and write_collected: files of collected numbers, as Parquet that tells what has been damaged."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from mtbalance.faults import briefly
from mtbalance.records import RERUN, RecordError
from mtbalance.writing import replacing

CHECKSUM = b"checksum"
"""The entry of the metadata with the SHA-256 of all columns. Files of older versions have none."""


def write_collected(path: Path, frame: pd.DataFrame) -> None:
    """Write collected numbers, whole or not at all."""
    table = pa.Table.from_pandas(frame, preserve_index=False)
    with replacing(path) as partial:
        pq.write_table(table.replace_schema_metadata(table.schema.metadata | {CHECKSUM: _checksum(frame)}), partial)


def read_collected(path: Path) -> pd.DataFrame:
    """Read collected numbers. Raises :class:`~mtbalance.records.RecordError` for a file that is missing or damaged."""
    try:
        with pq.ParquetFile(path) as file:
            table = file.read()
        frame = table.to_pandas()
    except FileNotFoundError:
        raise RecordError(f"{path} is missing", RERUN) from None
    except (AttributeError, EOFError, LookupError, MemoryError, OSError, TypeError, ValueError) as error:
        raise RecordError(f"{path} cannot be read ({briefly(error)})") from error
    checksum = (table.schema.metadata or {}).get(CHECKSUM)
    if checksum is not None and checksum.decode(errors="replace") != _checksum(frame):
        raise RecordError(f"{path} is not as it was written: its checksum is of other content")
    return frame


def _checksum(frame: pd.DataFrame) -> str:
    """SHA-256 of the names, types and values of the columns."""
    digest = hashlib.sha256(repr([*zip(frame.columns, map(str, frame.dtypes), strict=True)]).encode())
    digest.update(pd.util.hash_pandas_object(frame, index=False).to_numpy())
    return digest.hexdigest()
