"""The records of runs, timings and references: JSON files that training writes, and that reporting and tracking read.

A record is the only thing that the two sides share. ``run.py``, ``timing.py`` and ``reference.py`` define the fields,
with one class per block.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from mtbalance.canonical import checksum_of
from mtbalance.errors import UserError, quoted, shortened
from mtbalance.faults import briefly
from mtbalance.records.parts import FORMAT
from mtbalance.records.reference import ReferenceRecord
from mtbalance.records.run import RunRecord
from mtbalance.records.timing import TimingRecord
from mtbalance.writing import write_json

__all__ = [
    "FORMAT",
    "RERUN",
    "RecordError",
    "ReferenceRecord",
    "RunRecord",
    "TimingRecord",
    "read_references",
    "read_run",
    "read_timing",
    "write_record",
]

RERUN = "run the workflow again"
"""What to do about a file that is missing."""
CHECKSUM = "checksum"
"""The key of a record that has the checksum of all the others. Older records have none."""
Record = TypeVar("Record", RunRecord, TimingRecord, ReferenceRecord)


class RecordError(UserError):
    """A record that cannot be used: of another version, broken, stale, foreign or missing.

    Its message is the ``fault`` and the remedy, which is right for the files that the workflow makes.
    """

    def __init__(self, fault: str, remedy: str = f"delete the file and {RERUN}") -> None:
        super().__init__(f"{fault}; {remedy}")
        self.fault = fault


def read_run(path: Path) -> RunRecord:
    """The run record in a file. Raises :class:`RecordError` for a file that is missing or no such record."""
    return _read(path, RunRecord)


def read_timing(path: Path) -> TimingRecord:
    """The timing record in a file. Raises :class:`RecordError` for a file that is missing or no such record."""
    return _read(path, TimingRecord)


def read_references(path: Path) -> ReferenceRecord:
    """The reference record in a file. Raises :class:`RecordError` for a file that is missing or no such record."""
    return _read(path, ReferenceRecord)


def write_record(path: Path, record: RunRecord | TimingRecord | ReferenceRecord) -> None:
    """Write a record and its checksum as JSON, whole or not at all.

    Raises ``ValueError`` for numbers that are not finite.
    """
    content = record.model_dump()
    write_json(path, content | {CHECKSUM: checksum_of(content)})


def _read(path: Path, kind: type[Record]) -> Record:
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise RecordError(f"{path} is missing", RERUN) from None
    except (OSError, RecursionError, ValueError) as error:
        raise RecordError(f"{path} is not JSON ({shortened(str(error))})") from None
    found = content.get("format") if isinstance(content, dict) else None
    if found != FORMAT:
        raise RecordError(f"{path} has format {quoted(found)}, not {FORMAT}")
    checksum = content.pop(CHECKSUM, None)
    try:
        record = kind.model_validate_json(json.dumps(content), strict=True)
    except ValidationError as error:
        faults = briefly(error, content)
        raise RecordError(f"{path} is not a {kind.__name__} of format {FORMAT} ({faults})") from None
    if checksum not in (None, checksum_of(content)):
        raise RecordError(f"{path} is not as it was written: its checksum is of other content")
    return record
