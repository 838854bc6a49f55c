"""Partial: the part of a file that has come so far, beside its place, so that the next try continues it."""

from __future__ import annotations

import json
from pathlib import Path
from types import TracebackType
from typing import Self

from filelock import FileLock, Timeout

from mtbalance.config.addresses import shown
from mtbalance.data import DataError
from mtbalance.writing import write_json


class Partial:
    """The part of one file that has come so far; a context manager that keeps other processes away from it.

    It survives errors, and the end of the process. A small file beside it says which version of which address it is a
    part of. Raises :class:`DataError` if another process is downloading the file.
    """

    def __init__(self, target: Path) -> None:
        self.target = target
        self.path = target.with_name(f".{target.name}.partial")
        self._origin = target.with_name(f".{target.name}.partial.json")
        self._lock_path = target.with_name(f".{target.name}.partial.lock")

    def __enter__(self) -> Self:
        self.target.parent.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(self._lock_path)
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise DataError(f"{self.target} is being downloaded by another process; wait for it") from None
        return self

    def version(self, address: str) -> str | None:
        """The version of the file that the part is of, if it came from this address and can be continued."""
        try:
            origin = json.loads(self._origin.read_text(encoding="utf-8"))
            found = origin["version"] if origin["address"] == shown(address) and self.path.stat().st_size else None
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None
        return found if isinstance(found, str) else None

    def begin(self, address: str, version: str | None) -> None:
        """Start over with this version of the file (its ETag, or its date); one without a version is not continued."""
        self.discard()
        if version is not None:
            write_json(self._origin, {"address": shown(address), "version": version})

    def publish(self) -> None:
        """Give the complete file its name."""
        self.path.replace(self.target)
        self.discard()

    def discard(self) -> None:
        """Remove what has come so far."""
        for path in (self.path, self._origin):
            path.unlink(missing_ok=True)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._origin.exists():  # nothing that the next call could continue
            self.discard()
            self._lock_path.unlink(missing_ok=True)
        self._lock.release()
