"""References: a constant, logistic regression and gradient boosting on the rows of a ranking data set.

A reader wants to know them before any comparison of balancers. Each is one model a task, from scikit-learn, on the
inputs that the networks get. What is chosen, is chosen by the log loss on the valid split: the strength of the
regression's penalty, and the number of trees.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import OneHotEncoder, StandardScaler, TargetEncoder

from mtbalance.data.ranking.batches import RankingRows
from mtbalance.data.ranking.schema import SPLITS, RankingSchema
from mtbalance.records.reference import ReferenceModel, ReferenceRecord
from mtbalance.tasks import binary

MOST_ROWS = 1_000_000
"""Training rows that models are fitted to, at most."""
FEW = 255
"""Most values of a column whose categories gradient boosting takes as they are; of others it gets the label rate."""
RARE = 10
"""Categories of fewer training rows are one category in the regression."""
PENALTIES = (0.01, 0.1, 1.0)
"""Inverse strengths C of the regression's penalty, of which the best on valid is taken."""
MOST_TREES, PATIENCE = 500, 20

Vector = NDArray[np.float64]


class Rows(NamedTuple):
    """The inputs of a split [rows, columns], ids first, and the labels of its tasks [rows]."""

    inputs: NDArray[np.float32]
    labels: list[NDArray[np.float32]]


class Fit(NamedTuple):
    """A fitted model: its logits on rows [rows], and what was chosen."""

    logits: Callable[[NDArray[np.float32]], Vector]
    chosen: str


def constant(train: Rows, valid: Rows, task: int, ids: int) -> Fit:
    """The training rate for every row."""
    logit = float(special.logit(train.labels[task].mean(dtype=np.float64)))
    return Fit(lambda inputs: np.full(len(inputs), logit), f"rate {train.labels[task].mean():.4g}")


def logistic(train: Rows, valid: Rows, task: int, ids: int) -> Fit:
    """Logistic regression on one indicator a category and standardized numbers."""
    encode = make_column_transformer(
        (OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=RARE, dtype=np.float32), slice(0, ids)),
        (StandardScaler(), slice(ids, train.inputs.shape[1])),
    )
    inputs, others = encode.fit_transform(train.inputs), encode.transform(valid.inputs)
    fits = [LogisticRegression(C=c, max_iter=300).fit(inputs, train.labels[task]) for c in PENALTIES]
    losses = [float(binary.metrics(_logits(fit, others), _whole(valid.labels[task]))["log_loss"]) for fit in fits]
    best = int(np.argmin(losses))
    return Fit(lambda rows: _logits(fits[best], encode.transform(rows)), f"C = {PENALTIES[best]:g}")


def boosting(train: Rows, valid: Rows, task: int, ids: int) -> Fit:
    """Histogram gradient boosting, stopped early on valid."""
    few = [column for column in range(ids) if train.inputs[:, column].max(initial=0) < FEW]
    many = [column for column in range(ids) if column not in few]
    rest = list(range(ids, train.inputs.shape[1]))
    encode = make_column_transformer(
        ("passthrough", few), (TargetEncoder(target_type="binary", random_state=0), many), ("passthrough", rest)
    )
    inputs = encode.fit_transform(train.inputs, train.labels[task])
    model = HistGradientBoostingClassifier(
        max_iter=MOST_TREES,
        early_stopping=True,
        n_iter_no_change=PATIENCE,
        categorical_features=np.arange(inputs.shape[1]) < len(few),
        random_state=0,
    )
    model.fit(inputs, train.labels[task], X_val=encode.transform(valid.inputs), y_val=valid.labels[task])
    return Fit(lambda rows: _logits(model, encode.transform(rows)), f"{model.n_iter_} trees")


MODELS: dict[str, Callable[[Rows, Rows, int, int], Fit]] = {
    "constant": constant,
    "logistic": logistic,
    "boosting": boosting,
}
"""How each reference is fitted to one task."""


def references(dataset: str, folder: Path) -> ReferenceRecord:
    """Fit every reference to every task of the prepared data set in ``folder``, and score it on the test split."""
    schema = RankingSchema.read(folder)
    ids = len(schema.categorical)
    train, valid, test = (_rows(folder, split) for split in SPLITS)
    models = {}
    for name, fit in MODELS.items():
        began = time.perf_counter()
        found: dict[str, dict[str, float]] = {metric: {} for metric in binary.Binary.metrics}
        chosen = {}
        for position, task in enumerate(schema.tasks):
            fitted = fit(_labelled(train, position), _labelled(valid, position), position, ids)
            scored = _labelled(test, position)
            numbers = binary.metrics(fitted.logits(scored.inputs), _whole(scored.labels[position]))
            chosen[task.name] = fitted.chosen
            for metric, value in numbers.items():
                found[metric][task.name] = value
        seconds = time.perf_counter() - began
        models[name] = ReferenceModel(test=found, chosen=chosen, seconds=seconds)
    return ReferenceRecord(
        dataset=dataset,
        sha256={name: split.sha256 for name, split in schema.splits.items()},
        fitted_rows=len(train.inputs),
        scikit_learn=version("scikit-learn"),
        models=models,
    )


def _rows(folder: Path, split: str) -> Rows:
    """The first rows of a split, at most :data:`MOST_ROWS` of train."""
    source = RankingRows(folder, split)
    size = min(source.rows, MOST_ROWS) if split == "train" else source.rows
    batch = next(source.batches(size, None))
    inputs = np.column_stack([part.numpy().astype(np.float32) for part in batch.inputs])
    return Rows(inputs, [target.numpy() for target in batch.targets])


def _labelled(rows: Rows, task: int) -> Rows:
    """The rows that have a label of the task."""
    known = np.isfinite(rows.labels[task])
    return rows if known.all() else Rows(rows.inputs[known], [labels[known] for labels in rows.labels])


def _whole(labels: NDArray[np.float32]) -> NDArray[np.int8]:
    return labels.astype(np.int8)


def _logits(model: Any, inputs: Any) -> Vector:
    decisions: Vector = np.asarray(model.decision_function(inputs), dtype=np.float64)
    return decisions
