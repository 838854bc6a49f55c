"""Writing of files, whole or not at all: under a temporary name, flushed to the disk, then renamed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside ``path``: what is written there takes the place of ``path`` when the block ends.

    After an error the temporary file is gone and ``path`` is as it was. Folders are made. A temporary file that a
    killed process left is replaced: two processes must not write one file at a time.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    try:
        yield partial
        _flush(partial)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file (UTF-8), whole or not at all."""
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8")


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file, whole or not at all. Raises ``ValueError`` for numbers that are not finite."""
    write_text(path, json.dumps(content, indent=1, allow_nan=False) + "\n")


def _flush(path: Path) -> None:
    """Have the operating system put the file on the disk, so that no power failure leaves an empty one."""
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())
