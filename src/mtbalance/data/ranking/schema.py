"""The schema of a ranking data set: its columns with what was fitted on its training rows, and its splits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import Field

from mtbalance.data.manifest import Facts, Manifest, StoredSplit

SplitName = Literal["train", "valid", "test"]
SPLITS: tuple[SplitName, ...] = ("train", "valid", "test")


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


class SplitFacts(StoredSplit):
    """One split: counts, label rates and the checksum of its Parquet file."""

    groups: int | None
    positives: dict[str, int]
    rates: dict[str, float]


class KnownRows(Facts):
    """Numbers of rows that a data set is known to have, where they are known."""

    train: int | None = None
    test: int | None = None
    """Rows of the official test side, of which valid is a part."""
    source: str
    """Who counted them."""


class RankingSchema(Manifest):
    """The manifest of a prepared ranking data set. A task's label is the column of its name."""

    categorical: list[Categorical]
    numerical: list[Numerical]
    normalize: Literal["none", "standard"]
    group: str | None
    splits: dict[SplitName, SplitFacts]
    split_rule: str
    split_seed: int
    form: dict[str, Any] | None = None
    """What a table of one's own says of the cells of features, as in its block of ``params.yaml``
    (:mod:`mtbalance.data.ranking.raw_rows`). None: raw rows have the columns of the Parquet files."""
    dropped_rows: dict[str, int] = Field(default_factory=dict)
    """Numbers of raw rows that were left out, by their file."""
    known_rows: KnownRows | None = None
    """The numbers of rows that the raw files should have. Another number is no error, and is said."""
    best_auc: dict[Literal["valid", "test"], dict[str, float | None]] | None = None
    """AUC of the true probabilities by split and task, known for synthetic data only."""

    @property
    def table_sizes(self) -> list[int]:
        """Rows an embedding table needs, by categorical column: the vocabulary and the unknown value."""
        return [len(column.vocabulary) + 1 for column in self.categorical]

    def lines(self) -> Iterator[str]:
        """Rows and label rates of each split, and each number of rows that differs from the known one."""
        for name, split in self.splits.items():
            rates = ", ".join(f"{task} {rate:.4%}" for task, rate in split.rates.items())
            yield f"{self.dataset} {name}: {split.rows:,} rows; {rates}"
        if self.known_rows is not None:
            yield from self._differences(self.known_rows)

    def _differences(self, known: KnownRows) -> Iterator[str]:
        train, valid, test = (self.splits[split].rows for split in SPLITS)
        for side, found, expected in (("training", train, known.train), ("test", valid + test, known.test)):
            if expected not in (None, found):
                yield (
                    f"{self.dataset}: warning: {found:,} official {side} rows, but {expected:,} are known "
                    f"({known.source}); look whether the raw files are whole"
                )
