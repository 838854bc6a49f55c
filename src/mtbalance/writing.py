"""Writing of files, whole or not at all: under a temporary name, flushed to the disk, then renamed."""

from __future__ import annotations

import errno
import glob
import json
import os
import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

MACHINE = platform.node().partition(".")[0] or "here"
"""Its name is in the names of temporary files, since several machines can share a folder."""
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""The errors of a disk that is full: for all, for a user, for one file."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside ``path``: what is written there takes the place of ``path`` when the block ends.

    After an error the temporary file is gone and ``path`` is as it was. The error of a full disk names ``path``.
    Folders are made. The temporary name has the process's number, so that of two processes that write one file each
    writes a whole one. What processes of this machine left that were killed is deleted.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    for left in path.parent.glob(f".{glob.escape(path.name)}.{MACHINE}-*.partial"):
        if not _alive(left.suffixes[-2].rpartition("-")[2]):
            left.unlink(missing_ok=True)
    partial = path.with_name(f".{path.name}.{MACHINE}-{os.getpid()}.partial")
    try:
        yield partial
        _flush(partial)
        partial.replace(path)
    except OSError as error:
        if error.errno in NO_ROOM:
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
    finally:
        partial.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file (UTF-8), whole or not at all."""
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8")


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file, whole or not at all. Raises ``ValueError`` for numbers that are not finite."""
    write_text(path, json.dumps(content, indent=1, allow_nan=False) + "\n")


def _alive(process: str) -> bool:
    """True if there is a process of that number."""
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except (PermissionError, ValueError):
        pass
    return True


def _flush(path: Path) -> None:
    """Have the operating system put the file on the disk, so that no power failure leaves an empty one."""
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())
