"""References of regressions: a constant, ridge regression and gradient boosting.

They are fitted to scaled labels by the squared error, whatever loss the networks have. What is chosen, is chosen by the
squared error on the valid split: the strength of the penalty, and the number of trees.
"""

from __future__ import annotations

import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Ridge

from mtbalance.studies.reference_rows import Fit, Model, Rows, boosted, indicators

PENALTIES = (1.0, 100.0, 10_000.0)
"""Strengths of the ridge penalty, of which the best on valid is taken."""


def mean(train: Rows, valid: Rows, task: int, ids: int) -> Fit:
    """The training mean for every row."""
    value = float(train.labels[task].mean(dtype=np.float64))
    return Fit(lambda inputs: np.full(len(inputs), value), "the mean")


def ridge(train: Rows, valid: Rows, task: int, ids: int) -> Fit:
    """Ridge regression on one indicator a category and standardized numbers."""
    encode = indicators(train, ids)
    inputs, others = encode.fit_transform(train.inputs), encode.transform(valid.inputs)
    fits = [Ridge(alpha=alpha).fit(inputs, train.labels[task]) for alpha in PENALTIES]
    errors = [float(np.square(fit.predict(others) - valid.labels[task]).mean()) for fit in fits]
    best = int(np.argmin(errors))
    return Fit(
        lambda rows: fits[best].predict(encode.transform(rows)).astype(np.float64), f"alpha = {PENALTIES[best]:g}"
    )


def trees(train: Rows, valid: Rows, task: int, ids: int) -> Fit:
    """Histogram gradient boosting, stopped early on valid."""
    model, encode = boosted(HistGradientBoostingRegressor, "continuous", train, valid, task, ids)
    return Fit(lambda rows: model.predict(encode.transform(rows)), f"{model.n_iter_} trees")


MODELS: dict[str, Model] = {"mean": mean, "ridge": ridge, "trees": trees}
"""How each reference is fitted to one regression."""
