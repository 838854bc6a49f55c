"""alone: one process at a time trains a run."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mtbalance.errors import UserError


@contextmanager
def alone(path: Path | None) -> Iterator[None]:
    """Within the block no other process trains the run whose checkpoint is at ``path``; None: nothing is asked.

    A file beside the checkpoint is locked, with the number of the process in it; the end of the process frees it, too.
    Where a file system has no locks, nothing is asked. Raises :class:`UserError` if the run is another process's.
    """
    if path is None:
        yield
        return
    place = path.with_suffix(".lock")
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise UserError(
                f"{path}: process {file.read() or 'unknown'} is training this run already; wait for it, or end it"
            ) from None
        except OSError:
            pass
        with suppress(OSError):  # a full disk has no room for the number
            file.truncate(0)
            os.write(file.fileno(), str(os.getpid()).encode())
        try:
            yield
        finally:
            with suppress(OSError):
                place.unlink()
