"""``schema.json``: what a prepared data set is, what was fitted on its training rows, and its checksums."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from mtbalance.data import DataError

FILE_NAME = "schema.json"
SplitName = Literal["train", "valid", "test"]


class Facts(BaseModel):
    """A block of the schema."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Categorical(Facts):
    """A categorical column."""

    name: str
    vocabulary: list[int] | list[str]
    """Sorted distinct training values. A value's model index is its position plus one; 0: not among them."""


class Numerical(Facts):
    """A numerical column, with float64 statistics of its training values (missing ones left out)."""

    name: str
    mean: float
    std: float
    """Population standard deviation."""
    min: float
    max: float


class Task(Facts):
    """A binary task; its label is the column of that name."""

    name: str
    title: str


class SplitFacts(Facts):
    """One split: counts, label rates and the checksum of its Parquet file."""

    rows: int
    groups: int | None
    positives: dict[str, int]
    rates: dict[str, float]
    sha256: str


class Schema(Facts):
    """The manifest of a prepared data set."""

    dataset: str
    synthetic: bool
    categorical: list[Categorical]
    numerical: list[Numerical]
    normalize: Literal["none", "standard"]
    tasks: list[Task]
    group: str | None
    splits: dict[SplitName, SplitFacts]
    split_rule: str
    split_seed: int
    raw: dict[str, str]
    """SHA-256 of each raw file, by file name."""
    dropped_rows: dict[str, int] = {}
    """Raw rows that were left out, by their file."""
    best_auc: dict[Literal["valid", "test"], dict[str, float | None]] | None = None
    """AUC of the true probabilities by split and task, known for synthetic data only."""

    @property
    def table_sizes(self) -> list[int]:
        """Rows an embedding table needs, by categorical column: the vocabulary and the unknown value."""
        return [len(column.vocabulary) + 1 for column in self.categorical]

    def save(self, folder: Path) -> None:
        """Write ``schema.json`` into ``folder``."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True, indent=1, ensure_ascii=False)
        (folder / FILE_NAME).write_text(text + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Schema:
        """Read ``schema.json`` of ``folder``. Raises :class:`DataError` if it is absent or not a schema."""
        path = folder / FILE_NAME
        try:
            return cls.model_validate_json(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise DataError(f"{path} is missing: this data set is not prepared (`mtbalance prepare`)") from None
        except ValidationError as error:
            raise DataError(f"{path} is not a schema of this version: {error}; prepare the data set again") from error
