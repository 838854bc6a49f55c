"""A disk of a few megabytes that gets full while a command writes."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from processes import command

MEGABYTES = 64
PAGE = 4096


class Place(NamedTuple):
    """What is written where."""

    arguments: Sequence[str]
    """Of the command that writes it."""
    made: Sequence[str]
    """Patterns of the files that it makes."""
    needs: bool = True
    """Whether the command fails without them."""
    alike: bool = True
    """Whether the files are the same, byte for byte, each time."""


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A folder that is a disk of its own. Raises ``CalledProcessError`` where this process may not mount one."""
    folder.mkdir()
    options = f"size={MEGABYTES}m"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=True, capture_output=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def filled(place: Place, project: Path, disk: Path, rooms: Callable[[int], Sequence[int]]) -> Mapping[int, str]:
    """Run a command where the disk gets full at several points, and again when there is room.

    ``rooms`` are the bytes that are left, of those that the command needs. Returns what was said, by them. Raises
    ``AssertionError`` if it was not one line, if a file is there in part, or if the second run does not make the files.
    """
    whole = Path(shutil.copytree(project, disk.parent / "whole"))
    ended = command(whole, *place.arguments)
    assert ended.status == 0, ended.said
    right = _made(place, whole)
    assert right
    said = {}
    for room in rooms(sum(map(len, right.values()))):
        copy = Path(shutil.copytree(project, disk / "project"))
        before = _names(copy)
        _fill(disk, room)
        ended = command(copy, *place.arguments)
        case = f"{' '.join(place.arguments)[:60]} with room for {room} bytes: {ended.status} {ended.said[-2000:]}"
        assert ended.status == 1 or (ended.status == 0 and not place.needs), case
        if ended.status:
            own = [line for line in ended.lines if " INFO mlflow" not in line]
            assert len(own) == 1 and own[0].startswith("mtbalance: "), case
        new = _names(copy) - before
        assert not [name for name in new if "partial" in name], f"{case}: left {sorted(new)}"
        if place.alike:
            there = _made(place, copy)
            assert all(right[name] == content for name, content in there.items()), f"{case}: left {sorted(there)}"
        (disk / "filler").unlink()
        again = command(copy, *place.arguments)
        assert again.status == 0, f"{case}; again: {again.said}"
        found = _made(place, copy)
        assert found.keys() == right.keys() and (found == right or not place.alike), f"{case}; again: other files"
        said[room] = ended.said.strip()
        shutil.rmtree(copy)
    return said


def _fill(disk: Path, room: int) -> None:
    """Leave room for so many bytes."""
    facts = os.statvfs(disk)
    with (disk / "filler").open("wb") as stream:
        os.posix_fallocate(stream.fileno(), 0, max(PAGE, facts.f_bavail * facts.f_frsize - room // PAGE * PAGE))


def _made(place: Place, project: Path) -> dict[str, bytes]:
    paths = (path for pattern in place.made for path in project.glob(pattern) if path.is_file())
    return {str(path.relative_to(project)): path.read_bytes() for path in sorted(paths)}


def _names(project: Path) -> set[str]:
    return {str(path.relative_to(project)) for path in project.rglob("*")}
