"""What references are fitted to, and what a fit is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.preprocessing import OneHotEncoder, StandardScaler, TargetEncoder

from mtbalance.data.ranking.batches import RankingRows
from mtbalance.tasks._rows import labels_of

MOST_ROWS = 1_000_000
"""Training rows that models are fitted to, at most."""
FEW = 255
"""Most values of a column whose categories gradient boosting takes as they are; of others it gets the mean label."""
RARE = 10
"""Categories of fewer training rows are one category in a linear model."""
MOST_TREES, PATIENCE = 500, 20
"""Trees of gradient boosting, at most, and those without a better loss on valid after which it stops."""

Vector = NDArray[np.float64]


class Rows(NamedTuple):
    """The inputs of a split [rows, columns], ids first, and the labels of its tasks [rows], NaN where there is none."""

    inputs: NDArray[np.float32]
    labels: list[NDArray[np.float32]]

    def labelled(self, task: int) -> Rows:
        """The rows that have a label of the task."""
        known = np.isfinite(self.labels[task])
        return self if known.all() else Rows(self.inputs[known], [labels[known] for labels in self.labels])


class Fit(NamedTuple):
    """A fitted model: its outputs on rows [rows], as a task's loss takes them, and what was chosen."""

    outputs: Callable[[NDArray[np.float32]], Vector]
    chosen: str


Model = Callable[[Rows, Rows, int, int], Fit]
"""Fits a model to the training rows of a task, with the valid rows and the number of columns of ids."""


def read_rows(folder: Path, split: str) -> Rows:
    """The first rows of a split, at most :data:`MOST_ROWS` of train."""
    source = RankingRows(folder, split)
    size = min(source.rows, MOST_ROWS) if split == "train" else source.rows
    batch = next(source.batches(size, None))
    inputs = np.column_stack([part.numpy().astype(np.float32) for part in batch.inputs])
    return Rows(inputs, [labels_of(target).numpy() for target in batch.targets])


def indicators(rows: Rows, ids: int) -> ColumnTransformer:
    """One indicator a category, and standardized numbers."""
    one_hot = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=RARE, dtype=np.float32)
    return _by_column((one_hot, list(range(ids))), (StandardScaler(), list(range(ids, rows.inputs.shape[1]))))


def for_trees(rows: Rows, ids: int, labels: str) -> tuple[ColumnTransformer, int]:
    """Inputs of gradient boosting, and how many of their first columns are categories. ``labels``: their type."""
    few = [column for column in range(ids) if rows.inputs[:, column].max(initial=0) < FEW]
    many = [column for column in range(ids) if column not in few]
    rest = list(range(ids, rows.inputs.shape[1]))
    rates = TargetEncoder(target_type=labels, random_state=0)
    return _by_column(("passthrough", few), (rates, many), ("passthrough", rest)), len(few)


def boosted(
    kind: type[Any], labels: str, train: Rows, valid: Rows, task: int, ids: int
) -> tuple[Any, ColumnTransformer]:
    """Histogram gradient boosting of a ``kind``, stopped early on valid, and what encodes rows for it."""
    encode, categories = for_trees(train, ids, labels)
    inputs = encode.fit_transform(train.inputs, train.labels[task])
    model = kind(
        max_iter=MOST_TREES,
        early_stopping=True,
        n_iter_no_change=PATIENCE,
        categorical_features=np.arange(inputs.shape[1]) < categories,
        random_state=0,
    )
    return model.fit(inputs, train.labels[task], X_val=encode.transform(valid.inputs), y_val=valid.labels[task]), encode


def _by_column(*encoders: tuple[Any, list[int]]) -> ColumnTransformer:
    """Encodes some columns each; an encoder without a column, which scikit-learn refuses, is left out."""
    return make_column_transformer(*((encoder, columns) for encoder, columns in encoders if columns))
