"""References: simple models on the rows of a ranking data set, which share nothing and balance nothing.

A reader wants to know them before any comparison of balancers. Each is one model a task, from scikit-learn, on the
inputs that the networks get: a constant, logistic regression and gradient boosting of a binary task, and their like of
a regression (:mod:`mtbalance.studies.regression_references`). What is chosen, is chosen by the log loss on the valid
split: the strength of the regression's penalty, and the number of trees. Weights of rows do not count.
"""

from __future__ import annotations

import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import special
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from mtbalance.data.ranking.schema import SPLITS, RankingSchema, RankingTask
from mtbalance.records.reference import ReferenceModel, ReferenceRecord, prediction_of
from mtbalance.records.table import write_table
from mtbalance.studies import regression_references
from mtbalance.studies.reference_rows import Fit, Model, Rows, Vector, boosted, indicators, read_rows
from mtbalance.tasks import binary, regression

PENALTIES = (0.01, 0.1, 1.0)
"""Inverse strengths C of the regression's penalty, of which the best on valid is taken."""


def constant(train: Rows, valid: Rows, task: int, ids: int) -> Fit:
    """The training rate for every row."""
    logit = float(special.logit(train.labels[task].mean(dtype=np.float64)))
    return Fit(lambda inputs: np.full(len(inputs), logit), f"rate {train.labels[task].mean():.4g}")


def logistic(train: Rows, valid: Rows, task: int, ids: int) -> Fit:
    """Logistic regression on one indicator a category and standardized numbers."""
    encode = indicators(train, ids)
    inputs, others = encode.fit_transform(train.inputs), encode.transform(valid.inputs)
    fits = [LogisticRegression(C=c, max_iter=300).fit(inputs, train.labels[task]) for c in PENALTIES]
    losses = [float(binary.metrics(_logits(fit, others), _whole(valid.labels[task]))["log_loss"]) for fit in fits]
    best = int(np.argmin(losses))
    return Fit(lambda rows: _logits(fits[best], encode.transform(rows)), f"C = {PENALTIES[best]:g}")


def boosting(train: Rows, valid: Rows, task: int, ids: int) -> Fit:
    """Histogram gradient boosting, stopped early on valid."""
    model, encode = boosted(HistGradientBoostingClassifier, "binary", train, valid, task, ids)
    return Fit(lambda rows: _logits(model, encode.transform(rows)), f"{model.n_iter_} trees")


MODELS: dict[str, Model] = {
    "constant": constant,
    "logistic": logistic,
    "boosting": boosting,
}
"""How each reference is fitted to one binary task."""


def references(dataset: str, folder: Path, predictions: Path | None = None) -> ReferenceRecord:
    """Fit every reference to every task of its kind of the prepared data set in ``folder``, and score it on test.

    With a ``predictions`` path, what they predict for all test rows is kept there (Parquet): a column for each task
    with its labels, and one for each model and task.
    """
    schema = RankingSchema.read(folder)
    train, valid, test = (read_rows(folder, split) for split in SPLITS)
    models = {}
    kept = {task.name: _in_units(task, test.labels[place]) for place, task in enumerate(schema.tasks)}
    for fits, regressions in ((MODELS, False), (regression_references.MODELS, True)):
        places = [place for place, task in enumerate(schema.tasks) if (task.loss is not None) == regressions]
        for name, fit in fits.items() if places else ():
            began = time.perf_counter()
            found: dict[str, dict[str, float]] = {}
            chosen = {}
            for place in places:
                task, scored = schema.tasks[place], test.labelled(place)
                fitted = fit(train.labelled(place), valid.labelled(place), place, len(schema.categorical))
                chosen[task.name] = fitted.chosen
                kept[prediction_of(name, task.name)] = _predicted(task, fitted.outputs(test.inputs))
                for metric, value in _metrics(task, fitted.outputs(scored.inputs), scored.labels[place]).items():
                    found.setdefault(metric, {})[task.name] = value
            models[name] = ReferenceModel(test=found, chosen=chosen, seconds=time.perf_counter() - began)
    if predictions:
        write_table(predictions, pa.table(kept), schema.splits["test"].sha256)
    return ReferenceRecord(
        dataset=dataset,
        sha256={name: split.sha256 for name, split in schema.splits.items()},
        fitted_rows=len(train.inputs),
        scikit_learn=version("scikit-learn"),
        models=models,
    )


def _metrics(task: RankingTask, outputs: Vector, labels: NDArray[np.float32]) -> dict[str, float]:
    if task.loss is None:
        return binary.metrics(outputs, _whole(labels))
    return regression.metrics(task.in_units(outputs), task.in_units(labels.astype(np.float64)))


def _predicted(task: RankingTask, outputs: Vector) -> NDArray[np.float32]:
    """Probabilities of a binary task, numbers of a regression in its units."""
    found = special.expit(outputs) if task.loss is None else task.in_units(outputs)
    return np.asarray(found, dtype=np.float32)


def _in_units(task: RankingTask, labels: NDArray[np.float32]) -> NDArray[np.float32]:
    return labels if task.loss is None else np.asarray(task.in_units(labels.astype(np.float64)), dtype=np.float32)


def _whole(labels: NDArray[np.float32]) -> NDArray[np.int8]:
    return labels.astype(np.int8)


def _logits(model: Any, inputs: Any) -> Vector:
    decisions: Vector = np.asarray(model.decision_function(inputs), dtype=np.float64)
    return decisions
