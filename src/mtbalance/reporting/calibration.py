"""Calibration: how far predicted probabilities are from the rates of positive labels, before and after scaling.

Source: Guo et al. 2017, "On Calibration of Modern Neural Networks", sections 2 to 4, for the expected calibration error
(ECE) and temperature scaling. Bins have equally many rows here, not equal widths: rates of a few percent would fill one
bin of equal width, and leave the others empty.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import expit, logit
from sklearn.calibration import calibration_curve
from sklearn.isotonic import IsotonicRegression

from mtbalance.config.run import RunConfig
from mtbalance.config.tuning import Trial
from mtbalance.records.evaluation import predicted_name
from mtbalance.records.run import RunRecord, TaskFacts
from mtbalance.records.table import read_table
from mtbalance.reporting.choice import choose, named, score_name
from mtbalance.reporting.collect import OF_RUN, in_order
from mtbalance.reporting.collected import write_collected
from mtbalance.reporting.identity import identity_of
from mtbalance.reporting.reading import read_records

Array = NDArray[np.float64]

BINS = 10
SMALLEST = 1e-7
"""Probabilities nearer to 0 or 1 than this count as this near when logits are taken: float32 has no nearer one to 1."""
TEMPERATURES = (0.05, 20.0)
"""The range in which the temperature is searched."""
TASK = {"task": "string", "task_title": "string", "score": "string"}
OWN = {"scaling": "string", "temperature": "float64", "part": "string"}
OWN |= {"error": "float64", "chance": "float64", "predicted": "float64", "observed": "float64", "rows": "Int64"}
"""``score`` is the number that chose the run's epochs. ``scaling``: ``none``, ``temperature`` or ``isotonic``. A row
of part ``whole`` has the ECE as ``error``, and as ``chance`` the one that is to be expected of predictions without any
error, on these rows. A row of part ``bin`` has a bin's mean prediction, its rate of positive labels, and its rows."""


class Rows(NamedTuple):
    """The rows of one split, for one task."""

    predicted: Array
    """Predicted probabilities [rows]."""
    labels: Array
    """Labels [rows], 0 or 1."""


class Files(NamedTuple):
    """The predictions that one run kept."""

    valid: Path
    test: Path


def collect_calibration(
    records: Sequence[Path],
    expected: Sequence[RunConfig],
    kept: Mapping[str, Files],
    trials: Mapping[str, Trial],
    output: Path,
) -> None:
    """Write the calibration on test of every chosen run and binary task to a Parquet file, in the order of tables.

    ``kept`` has the files of the ``expected`` runs, by their digests. Scalings are fitted on the valid rows. Raises
    :class:`~mtbalance.records.RecordError` for records that are stale or do not belong together, and for predictions
    that do not have a task.
    """
    rows: list[dict[str, Any]] = []
    for record in choose(read_records(records, in_order(expected)), trials):
        identity = named(identity_of(record), trials)
        rows += [identity | row for row in _of_run(record, kept[record.digest])]
    types = OF_RUN | TASK | OWN
    write_collected(output, pd.DataFrame(rows, columns=list(types)).astype(types))


def _of_run(record: RunRecord, kept: Files) -> Iterator[dict[str, Any]]:
    for task in record.tasks:
        if "auc" in task.metrics:
            facts = {"task": task.name, "task_title": task.title, "score": score_name(record)}
            found: list[dict[str, Any]] = [{"scaling": "none", "part": "whole"}]
            if record.status == "finished":
                found = list(_of_task(*(read_rows(path, record.digest, task) for path in (kept.valid, kept.test))))
            yield from (facts | row for row in found)


def read_rows(path: Path, digest: str, task: TaskFacts) -> Rows:
    """The rows of a kept file that have a label of the task. Raises :class:`~mtbalance.records.RecordError`."""
    names = [task.name, predicted_name(task.name)]
    frame = read_table(path, digest, names).to_pandas().dropna()
    return Rows(frame[names[1]].to_numpy(np.float64), frame[names[0]].to_numpy(np.float64))


def _of_task(valid: Rows, test: Rows) -> Iterator[dict[str, Any]]:
    temperature = fitted_temperature(valid)
    scaled = {
        "none": test.predicted,
        "temperature": expit(_logits(test.predicted) / temperature),
        "isotonic": fitted_isotonic(valid).predict(test.predicted),
    }
    for name, predicted in scaled.items():
        bins = reliability(Rows(predicted, test.labels))
        facts = {"scaling": name, "temperature": temperature if name == "temperature" else math.nan}
        yield facts | {"part": "whole", "error": bins.error(), "chance": bins.chance(), "rows": len(predicted)}
        for mean, rate, rows in zip(bins.predicted, bins.observed, bins.rows, strict=True):
            yield facts | {"part": "bin", "predicted": mean, "observed": rate, "rows": rows}


class Reliability(NamedTuple):
    """The bins of a reliability diagram, by rising prediction."""

    predicted: Array
    """Mean predicted probability [bins]."""
    observed: Array
    """Rate of positive labels [bins]."""
    rows: NDArray[np.int64]
    """Numbers of rows [bins]."""

    def error(self) -> float:
        """The expected calibration error: the mean over rows of a bin's distance between prediction and rate."""
        return float(np.average(abs(self.predicted - self.observed), weights=self.rows))

    def chance(self) -> float:
        """The error to be expected by chance of predictions that hit the rates: the mean of a half-normal variable.

        The rates are the predictions, scaled to the number of positive labels. The bins' own rates would be too low:
        bins of rare labels often have none.
        """
        total = np.average(self.predicted, weights=self.rows)
        scale = np.average(self.observed, weights=self.rows) / total if total else 0.0
        rates = np.clip(scale * self.predicted, 0, 1)
        spread = np.sqrt(rates * (1 - rates) / self.rows)
        return float(np.average(spread * math.sqrt(2 / math.pi), weights=self.rows))


def reliability(rows: Rows) -> Reliability:
    """The bins of predictions: :data:`BINS` with equally many rows, fewer where predictions are equal."""
    observed, predicted = calibration_curve(rows.labels, rows.predicted, n_bins=BINS, strategy="quantile")
    edges = np.percentile(rows.predicted, np.linspace(0, 1, BINS + 1) * 100)
    places = np.searchsorted(edges[1:-1], rows.predicted)  # as calibration_curve has them, which does not say so
    counts = np.bincount(places, minlength=BINS)
    return Reliability(predicted, observed, counts[counts > 0])


def fitted_temperature(valid: Rows) -> float:
    """The number that logits are divided by for the lowest log loss on the valid rows."""
    logits = _logits(valid.predicted)

    def loss(logarithm: float) -> float:
        scaled = logits / math.exp(logarithm)
        return float(np.mean(np.logaddexp(0, scaled) - valid.labels * scaled))

    low, high = map(math.log, TEMPERATURES)
    return math.exp(minimize_scalar(loss, bounds=(low, high), method="bounded", options={"xatol": 1e-6}).x)


def fitted_isotonic(valid: Rows) -> IsotonicRegression:
    """The rising step function of predictions that is nearest to the labels of the valid rows, by squares."""
    return IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(valid.predicted, valid.labels)


def _logits(probabilities: Array) -> Array:
    logits: Array = logit(np.clip(probabilities, SMALLEST, 1 - SMALLEST))
    return logits
