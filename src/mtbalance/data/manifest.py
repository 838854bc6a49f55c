"""Manifest: ``schema.json`` of a prepared data set, with the fields of all kinds of problem, read and written."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from mtbalance.data import DataError
from mtbalance.places import SCHEMA
from mtbalance.writing import write_text


class Facts(BaseModel):
    """A block of the manifest."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TaskTitle(Facts):
    """A task's name, as keys have it, and its title, as tables have it."""

    name: str
    title: str


class StoredSplit(Facts):
    """The Parquet file of one split."""

    rows: int
    sha256: str


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
        """The manifest as readable JSON."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, indent=1, ensure_ascii=False) + "\n"

    def save(self, folder: Path) -> None:
        """Write ``schema.json`` into ``folder``."""
        write_text(folder / SCHEMA, self.text())

    @classmethod
    def read(cls, place: Path) -> Self:
        """Read ``schema.json`` of a folder, or the schema file that a kept model has.

        Raises :class:`DataError` if it is absent or not a schema.
        """
        path = place if place.suffix == ".json" else place / SCHEMA
        try:
            return cls.model_validate_json(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise DataError(f"{path} is missing: this data set is not prepared (`mtbalance prepare`)") from None
        except ValidationError as error:
            raise DataError(f"{path} is not a schema of this version: {error}; prepare the data set again") from error
