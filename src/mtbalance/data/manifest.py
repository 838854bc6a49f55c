"""Manifest: ``schema.json`` of a prepared data set, with the fields of all kinds of problem, read and written."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from mtbalance.canonical import checksum_of
from mtbalance.data import DataError
from mtbalance.data.files.verified import remedy, verified
from mtbalance.faults import briefly
from mtbalance.places import SCHEMA
from mtbalance.writing import write_text

CHECKSUM = "checksum"
"""The key of ``schema.json`` that has the checksum of all the others."""
Number = Annotated[int, Field(ge=0)]
"""A number of things that are counted."""
Share = Annotated[float, Field(ge=0, le=1)]
Checksum = Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]


class Facts(BaseModel):
    """A block of the manifest, with finite numbers only."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class TaskTitle(Facts):
    """A task's name, as keys have it, and its title, as tables have it."""

    name: str
    title: str


class StoredSplit(Facts):
    """The Parquet file of one split."""

    rows: Number
    sha256: Checksum


class Manifest(Facts):
    """The description of a prepared data set: its tasks, its splits, statistics of its training rows, checksums."""

    dataset: str
    synthetic: bool
    tasks: Sequence[TaskTitle]
    splits: Mapping[Any, StoredSplit]
    """The Parquet files, by the names of the splits that the kind of problem has."""
    raw: dict[str, str]
    """SHA-256 of the raw files that it was prepared from, by name."""

    @abstractmethod
    def lines(self) -> Iterator[str]:
        """A summary of each split as readable text, one line each."""

    def text(self) -> str:
        """The manifest as readable JSON, with a checksum of all the rest."""
        content = self.model_dump(mode="json")
        content[CHECKSUM] = checksum_of(content)
        return json.dumps(content, sort_keys=True, indent=1, ensure_ascii=False) + "\n"

    def save(self, folder: Path) -> None:
        """Write ``schema.json`` into ``folder``."""
        write_text(folder / SCHEMA, self.text())

    @classmethod
    def read(cls, place: Path) -> Self:
        """Read ``schema.json`` of a folder, or the schema file that a kept model has.

        Raises :class:`DataError` if it is absent, not a schema, or not as it was written.
        """
        path = place if place.suffix == ".json" else place / SCHEMA
        content: Any = None
        try:
            content = json.loads(path.read_bytes())
            checksum = content.pop(CHECKSUM, None) if isinstance(content, dict) else None
            found = cls.model_validate(content)
        except FileNotFoundError:
            raise DataError(f"{path} is missing: this data set is not prepared (`mtbalance prepare`)") from None
        except (OSError, RecursionError, ValidationError, ValueError) as error:
            raise DataError(
                f"{path} is not a schema of this version: {briefly(error, content)}; {remedy(path)}"
            ) from error
        if checksum != checksum_of(content):
            raise DataError(f"{path} is not as it was written: its checksum is of other content; {remedy(path)}")
        return found


def refuse_damaged(folder: Path) -> None:
    """Raise :class:`DataError` unless all files of a prepared data set are as its manifest says.

    The manifest is that of any kind of problem. Of the other files those are read that have changed.
    """
    path = folder / SCHEMA
    try:
        content = json.loads(path.read_bytes())
        whole = content.pop(CHECKSUM) == checksum_of(content)
        checksums = {split: stored["sha256"] for split, stored in content["splits"].items()}
    except (OSError, RecursionError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise DataError(f"{path} cannot be read ({briefly(error)}); {remedy(path)}") from error
    if not whole:
        raise DataError(f"{path} is not as it was written: its checksum is of other content; {remedy(path)}")
    for split, checksum in checksums.items():
        verified(folder / f"{split}.parquet", checksum)
