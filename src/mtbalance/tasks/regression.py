"""Regression: a number for each row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from mtbalance.errors import UserError
from mtbalance.tasks._rows import RowMeter, RowTask, as_doubles

InUnits = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""Scaled numbers, brought to the units of the label."""


def _as_they_are(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return values


class Regression(RowTask):
    """A number for each row: outputs [B] against labels [B] that are scaled to mean 0 and standard deviation 1.

    The loss is of scaled numbers, so that a loss of 1 is that of the training mean, whatever the label's unit. Metrics
    and predictions are in the units of the label, as ``in_units`` brings them there. ``huber`` takes the Huber loss
    (Huber 1964) with the limit 1, one standard deviation, in place of the squared error.
    """

    metrics: ClassVar = {"rmse": -1, "mae": -1, "r2": 1}

    def __init__(
        self, name: str, title: str, *, gaps: bool = False, huber: bool = False, in_units: InUnits = _as_they_are
    ) -> None:
        super().__init__(name, title, gaps=gaps)
        self.huber, self.in_units = huber, in_units

    def losses(self, output: Tensor, label: Tensor, reduction: str) -> Tensor:
        """The squared error, or the Huber loss, of outputs [B] against labels [B]."""
        error = functional.huber_loss if self.huber else functional.mse_loss
        return error(output, label, reduction=reduction)

    def meter(self) -> RegressionMeter:
        """A meter of :func:`metrics`."""
        return RegressionMeter(self.in_units)

    def labels(self, target: Tensor) -> NDArray[Any]:
        """The labels [B] (float64) in their units; NaN where there is none."""
        return self.in_units(super().labels(target))

    def predicted(self, output: Tensor) -> NDArray[Any]:
        """The predictions [B] (float64) in the units of the label."""
        return self.in_units(as_doubles(output))


class RegressionMeter(RowMeter):
    """Keeps all predictions and labels."""

    def __init__(self, in_units: InUnits) -> None:
        super().__init__()
        self.in_units = in_units

    def result(self) -> dict[str, float]:
        """RMSE, MAE and R^2 of all rows that have a label. Raises as :func:`metrics` does."""
        outputs, labels = map(self.in_units, self.all())
        return metrics(outputs, labels)


def metrics(predictions: NDArray[np.float64], labels: NDArray[np.float64]) -> dict[str, float]:
    """Root mean squared error, mean absolute error, and R^2 of predictions [N] against labels [N].

    R^2 is 1 minus the squared error over that of the labels' own mean on the same rows: 1 is best, and a constant
    prediction reaches 0 at most. Raises ``UserError`` if all labels are alike, or there is none: R^2 is undefined then;
    ``FloatingPointError`` for predictions that are not finite in the units of the label.
    """
    if not len(labels) or labels.min() == labels.max():
        raise UserError(
            f"the {len(labels)} labels are all alike: R^2 is undefined"
            if len(labels)
            else "no row has a label: its metrics are undefined"
        )
    errors = predictions - labels
    square = float(np.square(errors).mean())
    if not np.isfinite(square):
        raise FloatingPointError("the predictions are not finite")
    return {"rmse": square**0.5, "mae": float(np.abs(errors).mean()), "r2": 1 - square / float(labels.var())}
