"""The schema of a ranking data set: its columns with what was fitted on its training rows, and its splits."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Field, NonNegativeFloat

from mtbalance.data.manifest import Facts, Manifest, Number, Share, StoredSplit, TaskTitle

SplitName = Literal["train", "valid", "test"]
SPLITS: tuple[SplitName, ...] = ("train", "valid", "test")
NumberForm = Literal["number", "quantile", "bins"]
RegressionLoss = Literal["squared", "huber", "log1p"]
LEAK = 0.98
"""A feature that alone reaches this AUC is suspected to be written after the label was known."""
FEW = 200
"""Rows of the rarer label below which the AUC of a split is mostly chance."""
NO_LABEL = 255
"""Stands in a Parquet file for a binary label that is missing; a number that is missing is NaN."""
ROWS_IN_MEMORY = 500_000
"""A split with more rows than that is decoded into a file, which runs share (:mod:`mtbalance.data.ranking.decoded`)."""


def _ascending(values: list[Any]) -> list[Any]:
    if any(one >= other for one, other in pairwise(values)):
        raise ValueError("its values must ascend")
    return values


Ascending = AfterValidator(_ascending)


class Categorical(Facts):
    """A categorical column."""

    name: str
    vocabulary: Annotated[list[int] | list[str], Ascending]
    """Sorted distinct training values. A value's model index is its position plus one; 0: not among them."""


class Numerical(Facts):
    """A numerical column, with float64 statistics of its training values (missing ones left out)."""

    name: str
    mean: float
    std: NonNegativeFloat
    """Population standard deviation."""
    min: float
    max: float
    form: NumberForm = "number"
    """``number``; ``quantile``: its place among the knots, from -1 to 1; ``bins``: a category for each knot."""
    knots: Annotated[list[float], Ascending] = Field(default_factory=list)
    """Ascending training values (:func:`~mtbalance.data.ranking.knots.knots_of`)."""


class RankingTask(TaskTitle):
    """A task, and how the labels of a regression are scaled for its loss."""

    loss: RegressionLoss | None = None
    """None for a binary task."""
    mean: float = 0.0
    """Mean of a regression's training labels, of log(1 + label) with the loss ``log1p``."""
    std: Annotated[float, Field(gt=0)] = 1.0
    """Population standard deviation of the same."""

    def scaled(self, labels: NDArray[np.float64]) -> NDArray[np.float64]:
        """A regression's labels as its loss takes them."""
        values = np.log1p(labels) if self.loss == "log1p" else labels
        return (values - self.mean) / self.std

    def in_units(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The inverse of :meth:`scaled`: predictions in the units of the label."""
        numbers = values * self.std + self.mean
        return np.expm1(numbers) if self.loss == "log1p" else numbers


class SplitFacts(StoredSplit):
    """One split: counts, label rates and the checksum of its Parquet file."""

    groups: Number | None
    labels: dict[str, Number] = Field(default_factory=dict)
    """Rows that have a label, by task. A task without an entry has one in all rows."""
    positives: dict[str, Number]
    """Rows whose label is 1, by binary task."""
    rates: dict[str, Share]
    """Share of them in the rows that have a label."""
    means: dict[str, float] = Field(default_factory=dict)
    """Mean label, by regression."""

    def labelled(self, task: str) -> int:
        """Number of rows that have a label of the task."""
        return self.labels.get(task, self.rows)

    def described(self, task: str) -> str:
        """A task's labels as text: ``click 2.1000%``, ``flow mean 17.3``; and their number if some are missing."""
        value = f"{self.rates[task]:.4%}" if task in self.rates else f"mean {self.means[task]:.6g}"
        count = self.labelled(task)
        return f"{task} {value}" + (f" of {count:,} labels" if count < self.rows else "")


class KnownRows(Facts):
    """Numbers of rows that a data set is known to have, where they are known."""

    train: int | None = None
    test: int | None = None
    """Rows of the official test side, of which valid is a part."""
    source: str
    """Who counted them."""


class RankingSchema(Manifest):
    """The manifest of a prepared ranking data set. A task's label is the column of its name."""

    tasks: list[RankingTask]
    categorical: list[Categorical]
    numerical: list[Numerical]
    normalize: Literal["none", "standard"]
    group: str | None
    weight: str | None = None
    """Column of the rows' weights in the loss."""
    splits: dict[SplitName, SplitFacts]
    split_rule: str
    split_seed: int
    form: dict[str, Any] | None = None
    """What a table of one's own says of the cells of features, as in its block of ``params.yaml``
    (:mod:`mtbalance.data.ranking.raw_rows`). None: raw rows have the columns of the Parquet files."""
    dropped_rows: dict[str, Number] = Field(default_factory=dict)
    """Numbers of raw rows that were left out, by their file."""
    known_rows: KnownRows | None = None
    """The numbers of rows that the raw files should have. Another number is no error, and is said."""
    unused_columns: list[str] = Field(default_factory=list)
    """Columns of the raw files that are nothing and that nobody said to ignore."""
    alone: dict[str, dict[str, Share]] = Field(default_factory=dict)
    """Features of a table of one's own that alone tell a label best: their AUC, by task and column, the best first."""
    new_values: dict[str, Share] = Field(default_factory=dict)
    """Categorical columns of a table of one's own: the share of test rows with a value that the vocabulary lacks, where
    it is large."""
    unmet: dict[str, list[str]] = Field(default_factory=dict)
    """Values of a task's ``positive`` that no row has, by task."""
    best_auc: dict[Literal["valid", "test"], dict[str, Share | None]] | None = None
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

    @property
    def leaks(self) -> dict[str, dict[str, float]]:
        """The features that alone tell a label almost surely: their AUC, by task and column."""
        found = {task: {name: auc for name, auc in best.items() if auc > LEAK} for task, best in self.alone.items()}
        return {task: best for task, best in found.items() if best}

    def lines(self) -> Iterator[str]:
        """Rows and label rates of each split, and each number of rows that differs from the known one."""
        for name, split in self.splits.items():
            labels = ", ".join(split.described(task.name) for task in self.tasks)
            yield f"{self.dataset} {name}: {split.rows:,} rows; {labels}"
        if self.known_rows is not None:
            yield from self._differences(self.known_rows)
        if self.form is not None:  # the labels of published data are known
            yield from self._few()
        for task, best in self.alone.items():
            told = ", ".join(f"{column} {auc:.3f}" for column, auc in best.items())
            yield f"{self.dataset}: the features that alone tell {task} best, by AUC: {told}"
        for task, values in self.unmet.items():
            yield f"{self.dataset}: warning: no row has {', '.join(values)}, which tasks.{task}.positive names"
        for task, column, auc in ((task, *alone) for task, found in self.leaks.items() for alone in found.items()):
            yield (
                f"{self.dataset}: warning: the feature {column!r} alone gives {task} an AUC of {auc:.3f}: was it "
                "written after the label was known? If so, move it to `ignore`"
            )
        for column, share in self.new_values.items():
            yield (
                f"{self.dataset}: warning: {share:.1%} of the test rows have a value of {column!r} that too few "
                "training rows have, or none: a model takes all of them for one value"
            )
        if self.unused_columns:
            yield (
                f"{self.dataset}: warning: nothing uses the columns {', '.join(self.unused_columns)}; make them "
                "features, or give each a reason under `ignore`"
            )

    def _few(self) -> Iterator[str]:
        """A warning for each binary task whose AUC on valid or test is known badly.

        The standard error is that of Hanley and McNeil (Radiology 1982) for an AUC of one half and many rows of the
        other label, which is about the largest one.
        """
        for task in (task.name for task in self.tasks if task.loss is None):
            facts = {name: self.splits[name] for name in SPLITS[1:]}
            rare = {
                name: min(one.positives[task], one.labelled(task) - one.positives[task]) for name, one in facts.items()
            }
            if (fewest := min(rare.values())) < FEW:
                found = " and ".join(f"{number:,} in {name}" for name, number in rare.items())
                error = (12 * max(fewest, 1)) ** -0.5
                yield (
                    f"{self.dataset}: warning: the rarer label of {task} has few rows, {found}: its AUC there has a "
                    f"standard error of up to {error:.2f}, and the choice of an epoch follows chance"
                )

    def _differences(self, known: KnownRows) -> Iterator[str]:
        train, valid, test = (self.splits[split].rows for split in SPLITS)
        for side, found, expected in (("training", train, known.train), ("test", valid + test, known.test)):
            if expected not in (None, found):
                yield (
                    f"{self.dataset}: warning: {found:,} official {side} rows, but {expected:,} are known "
                    f"({known.source}); look whether the raw files are whole"
                )
