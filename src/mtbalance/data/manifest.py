"""``schema.json`` of a prepared data set: what all kinds of data sets say in it, and how it is kept."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from mtbalance.data import DataError

FILE_NAME = "schema.json"


class Facts(BaseModel):
    """A block of the manifest."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Task(Facts):
    """A task by its name, as keys have it, and its title, as tables have it."""

    name: str
    title: str


class StoredSplit(Facts):
    """A split's Parquet file."""

    rows: int
    sha256: str


class Manifest(Facts):
    """What a prepared data set is, what was fitted on its training rows, and its checksums."""

    dataset: str
    synthetic: bool
    tasks: list[Task]
    raw: dict[str, str]
    """SHA-256 of what it was prepared from, by name."""

    @abstractmethod
    def lines(self) -> Iterator[str]:
        """What a person wants to know of each split, a line each."""

    def save(self, folder: Path) -> None:
        """Write ``schema.json`` into ``folder``."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True, indent=1, ensure_ascii=False)
        (folder / FILE_NAME).write_text(text + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read ``schema.json`` of ``folder``. Raises :class:`DataError` if it is absent or not a schema."""
        path = folder / FILE_NAME
        try:
            return cls.model_validate_json(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise DataError(f"{path} is missing: this data set is not prepared (`mtbalance prepare`)") from None
        except ValidationError as error:
            raise DataError(f"{path} is not a schema of this version: {error}; prepare the data set again") from error
