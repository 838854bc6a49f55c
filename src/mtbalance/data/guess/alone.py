"""auc_alone: how well one column by itself tells a label, which is how a leak shows."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from mtbalance.data.guess.look import Column


def auc_alone(column: Column, label: NDArray[np.bool_]) -> float:
    """The AUC of a column as the only feature, from .5 to 1.

    Numbers are taken as they are, missing ones as the mean, in either direction; that they are missing counts as a
    feature, too. A category is the label's rate in it, counted in the even rows and scored in the odd ones; one that
    the even rows do not have gets the rate of all.
    """
    if column.numbers is not None:
        numbers = column.numbers.fill_null(strategy="mean").fill_null(0).to_numpy()
        aucs = [_auc(numbers, label), _auc(column.numbers.is_null().to_numpy(), label)]
        return max(*aucs, *(1 - auc for auc in aucs))
    cells = column.cells.fill_null("")
    even, odd = slice(0, None, 2), slice(1, None, 2)
    seen = (
        pl.DataFrame({"cell": cells.gather_every(2), "label": label[even]}).group_by("cell").agg(pl.col("label").mean())
    )
    rates = cells.gather_every(2, offset=1).replace_strict(
        seen["cell"], seen["label"], default=float(label[even].mean()), return_dtype=pl.Float64
    )
    return _auc(rates.to_numpy(), label[odd])


def _auc(scores: NDArray[np.float64] | NDArray[np.bool_], label: NDArray[np.bool_]) -> float:
    return 0.5 if label.all() or not label.any() else float(roc_auc_score(label, scores))
