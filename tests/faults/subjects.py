"""Subject: files of a project that can be damaged, and the command that reads them; and how a damaged one is judged."""

from __future__ import annotations

import json
import random
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from injuries import BYTES, TEXT
from processes import Ended, command

from mtbalance.data.files.checksums import sha256_of

SEED = 20261129
MOST_SECONDS = 10
"""Processor time of a command on a damaged file."""
MOST_MEGABYTES = 1000
LONGEST = 4200
"""Signs of a message."""
REFUSED, RIGHT, ANOTHER = "refused in a line", "the right numbers", "another file, by its checksum"
"""How a damage may end. A raw file whose checksum nobody knows may be another one: its schema then says which."""


@dataclass
class Subject:
    """Files in a folder, and the command that reads them."""

    folder: Path
    files: Sequence[str]
    """Those that are damaged, one at a time."""
    arguments: Sequence[str]
    """Of `mtbalance`."""
    numbers: Callable[[Path], Any]
    """What comes out, as something that is equal only to itself."""
    made: Sequence[str] = ()
    """Files that are there only if the command has succeeded."""
    text: bool = False
    """Whether the files are tables in text."""
    placed: bool = False
    """Whether they are raw files that somebody places: without a checksum, damaged ones are other ones."""
    known_by: Callable[[Path], None] | None = None
    """Writes down what the files should be, as fetching does. Every other damage is done where that is known."""
    right: Any = field(init=False)
    """What comes out of the files as they are."""

    def __post_init__(self) -> None:
        with tempfile.TemporaryDirectory() as name:
            project = Path(shutil.copytree(self.folder, Path(name, "project")))
            ended = command(project, *self.arguments)
            assert ended.status == 0, ended.said
            self.right = self.numbers(project)


def damaged(subject: Subject, name: str, number: int) -> str:
    """Damage a file in a copy of the subject's folder, run its command, and say how it ended.

    The draws depend on the names and numbers alone. Raises ``AssertionError`` that says what was damaged, and how, if
    it ended in any way that it must not.
    """
    draw = random.Random(f"{SEED} {name} {number}")
    with tempfile.TemporaryDirectory() as root:
        project = Path(shutil.copytree(subject.folder, Path(root, "project")))
        known = subject.known_by is not None and number % 2 == 0
        if known:
            subject.known_by(project)
        file = draw.choice(subject.files)
        injury = _injure(project, file, subject, draw)
        before = _there(Path(root))
        ended = command(project, *subject.arguments)
        case = f"{name}, number {number}: {file}, {injury}{', whose checksum is known' if known else ''}"
        fault = _fault(ended, Path(file), subject, project, _there(Path(root)) - before)
        assert not fault, f"{case}: {fault}"
        if ended.status:
            return REFUSED
        found = subject.numbers(project)
        if found == subject.right:
            return RIGHT
        assert subject.placed and not known, f"{case}: other numbers, and nothing was said: {ended.said}"
        return ANOTHER


def _injure(project: Path, file: str, subject: Subject, draw: random.Random) -> str:
    """Damage a file, and say how."""
    path = project / file
    kinds = [*BYTES, "swapped", *(6 * list(TEXT) if subject.text else [])]
    kind = draw.choice(kinds)
    others = [other for other in subject.files if other != file]
    if kind == "swapped" and others:
        other = draw.choice(others)
        path.write_bytes((project / other).read_bytes())
        return f"has the content of {other}"
    content = path.read_bytes()
    path.write_bytes((BYTES | TEXT).get(kind, BYTES["noise"])(content, draw))
    return kind


def _fault(ended: Ended, file: Path, subject: Subject, project: Path, new: set[str]) -> str | None:
    """What is wrong with the way that a command ended, if anything is."""
    if ended.status not in (0, 1):
        return f"ended with {ended.status}: {ended.said[-3000:]}"
    if ended.seconds > MOST_SECONDS or ended.megabytes > MOST_MEGABYTES:
        return f"took {ended.seconds:.1f} s and {ended.megabytes:.0f} MB"
    if left := [path for path in new if "partial" in path or not path.startswith("project/")]:
        return f"left {left}"
    if ended.status == 0:
        return None
    if len(ended.lines) != 1 or len(ended.said) > LONGEST or not ended.said.startswith("mtbalance: "):
        return f"did not say it in a line: {ended.said[:3000]}"
    if file.name not in ended.said:
        return f"does not name the file: {ended.said[:1000]}"
    if there := [path for path in subject.made if (project / path).exists()]:
        return f"left {there}, and said {ended.said[:1000]}"
    return None


def _there(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*")}


def checksums(folder: Path) -> Mapping[str, str]:
    """What a prepared data set is: the checksums of its tables, and its schema but for the raw files' own checksums."""
    found = {path.name: sha256_of(path) for path in sorted(folder.glob("*.parquet"))}
    schema = json.loads((folder / "schema.json").read_text())
    schema = {key: value for key, value in schema.items() if key not in ("raw", "checksum")}
    return found | {"schema.json": json.dumps(schema, sort_keys=True)}
