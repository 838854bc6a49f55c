"""verified: a file with the checksum that its description has, or a refusal; read again only when it has changed."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

from mtbalance import places
from mtbalance.data import DataError
from mtbalance.data.files.checksums import sha256_of
from mtbalance.writing import write_json

MARK = ".{name}.verified"
"""The side file that remembers a check."""


def verified(path: Path, sha256: str) -> Path:
    """The path of a file whose SHA-256 is ``sha256``.

    A side file remembers which size, times of change and inode were checked, so that the runs of a grid do not read the
    file once more each. A file with others is read again. Where the side file cannot be written, each call reads.

    Raises :class:`DataError` for a file that is missing, cannot be read or has another checksum.
    """
    mark = path.with_name(MARK.format(name=path.name))
    try:
        seen = facts(path) | {"sha256": sha256}
        if remembered(mark) == seen:
            return path
        found = sha256_of(path)
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error}); {remedy(path)}") from error
    if found != sha256:
        raise DataError(
            f"{path} has SHA-256 {found}, but its schema.json says {sha256}: it was changed or damaged since it was "
            f"prepared; {remedy(path)}"
        )
    with suppress(OSError):
        write_json(mark, seen)
    return path


def remedy(path: Path) -> str:
    """What to do about a missing or damaged file of a prepared data set: the command, if it lies in the project."""
    dataset = path.parent.name
    if path.parent == Path(places.PREPARED.format(dataset=dataset)):
        return f"`mtbalance prepare {dataset}` makes it again"
    return "prepare the data set again"


def facts(path: Path) -> dict[str, int]:
    """What tells whether a file was changed since somebody looked at it: its size, inode and times of change."""
    found = path.stat()
    times = {"mtime_ns": found.st_mtime_ns, "ctime_ns": found.st_ctime_ns}  # a copying program can set the first one
    return {"size": found.st_size, "inode": found.st_ino} | times


def remembered(mark: Path) -> object:
    """What a side file says, or None if there is none that can be read."""
    try:
        return json.loads(mark.read_bytes())
    except (OSError, ValueError):
        return None
