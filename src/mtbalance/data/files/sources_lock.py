"""``data/sources.lock.json``: which file came from an address whose checksum nobody publishes, and must come again."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from mtbalance.config.addresses import shown
from mtbalance.config.datasets import RawFile
from mtbalance.data import DataError
from mtbalance.places import SOURCES_LOCK
from mtbalance.writing import write_json


class Entry(BaseModel):
    """What came first for one raw file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    address: str
    """Where it came from, without secrets."""
    bytes: int
    """Its size."""
    date: str
    """The day on which it came (UTC)."""
    sha256: str
    """Its checksum."""


Entries = TypeAdapter(dict[str, Entry])


class Expected(NamedTuple):
    """What a raw file must be, as far as that is known."""

    sha256: str | None
    bytes: int | None
    how_to_accept: str = ""
    """What to do to accept another file, as the end of a message."""

    def or_else(self, sha256: str | None, size: int | None) -> Expected:
        """The same, with a checksum and a size that fill what is not known."""
        return self._replace(sha256=self.sha256 or sha256, bytes=self.bytes or size)


def expected(file: RawFile) -> Expected:
    """Checksum and size from ``params.yaml``; where it has no checksum, those of what came first."""
    if file.sha256 is not None:
        return Expected(file.sha256.lower(), file.bytes)
    entry = read().get(file.path)
    if entry is None:
        return Expected(None, file.bytes)
    accept = f"; to accept another file than that of {entry.date}, remove its entry in {SOURCES_LOCK}"
    return Expected(entry.sha256, file.bytes or entry.bytes, accept)


def read() -> dict[str, Entry]:
    """The entries by path of the raw file. Raises :class:`DataError` if the file is damaged."""
    try:
        return Entries.validate_json(Path(SOURCES_LOCK).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (ValidationError, UnicodeDecodeError) as error:
        why = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        raise DataError(
            f"{SOURCES_LOCK} is damaged ({why}); take it back from git, or delete it, and what comes next is recorded"
        ) from None


def record(file: RawFile, address: str, sha256: str, size: int) -> None:
    """Remember what came for a file of the project, unless ``params.yaml`` has its checksum.

    Processes that finish at the same time wait for each other, and the file is written whole.
    """
    if file.sha256 is not None or Path(file.path).is_absolute():
        return
    from filelock import FileLock

    path, today = Path(SOURCES_LOCK), datetime.datetime.now(datetime.UTC).date().isoformat()
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_name(f".{path.name}.lock")):
        entries = read()
        if file.path not in entries:
            entries[file.path] = Entry(address=shown(address), bytes=size, date=today, sha256=sha256)
            write_json(path, {name: entries[name].model_dump() for name in sorted(entries)})
