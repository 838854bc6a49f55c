"""The schema of a ranking data set: its columns with what was fitted on its training rows, and its splits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from mtbalance.data.manifest import Facts, Manifest, StoredSplit

SplitName = Literal["train", "valid", "test"]
SPLITS: tuple[SplitName, ...] = ("train", "valid", "test")
NumberForm = Literal["number", "quantile", "bins"]


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
    form: NumberForm = "number"
    """``number``; ``quantile``: its place among the knots, from -1 to 1; ``bins``: a category for each knot."""
    knots: list[float] = Field(default_factory=list)
    """Ascending training values (:func:`~mtbalance.data.ranking.knots.knots_of`)."""


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
    dropped_rows: dict[str, int] = Field(default_factory=dict)
    """Numbers of raw rows that were left out, by their file."""
    known_rows: KnownRows | None = None
    """The numbers of rows that the raw files should have. Another number is no error, and is said."""
    unused_columns: list[str] = Field(default_factory=list)
    """Columns of the raw files that are nothing and that nobody said to ignore."""
    best_auc: dict[Literal["valid", "test"], dict[str, float | None]] | None = None
    """AUC of the true probabilities by split and task, known for synthetic data only."""

    @property
    def table_sizes(self) -> list[int]:
        """Rows an embedding table needs, by column of ids: the vocabulary (or the bins) and the unknown value."""
        vocabularies = [column.vocabulary for column in self.categorical]
        return [len(values) + 1 for values in (*vocabularies, *(column.knots for column in self.binned))]

    @property
    def numbers(self) -> list[Numerical]:
        """The numerical columns that a model gets as numbers."""
        return [column for column in self.numerical if column.form != "bins"]

    @property
    def binned(self) -> list[Numerical]:
        """The numerical columns that a model gets as ids, behind those of the categorical columns."""
        return [column for column in self.numerical if column.form == "bins"]

    def lines(self) -> Iterator[str]:
        """Rows and label rates of each split, and each number of rows that differs from the known one."""
        for name, split in self.splits.items():
            rates = ", ".join(f"{task} {rate:.4%}" for task, rate in split.rates.items())
            yield f"{self.dataset} {name}: {split.rows:,} rows; {rates}"
        if self.known_rows is not None:
            yield from self._differences(self.known_rows)
        if self.unused_columns:
            yield (
                f"{self.dataset}: warning: nothing uses the columns {', '.join(self.unused_columns)}; make them "
                "features, or give each a reason under `ignore`"
            )

    def _differences(self, known: KnownRows) -> Iterator[str]:
        train, valid, test = (self.splits[split].rows for split in SPLITS)
        for side, found, expected in (("training", train, known.train), ("test", valid + test, known.test)):
            if expected not in (None, found):
                yield (
                    f"{self.dataset}: warning: {found:,} official {side} rows, but {expected:,} are known "
                    f"({known.source}); look whether the raw files are whole"
                )
