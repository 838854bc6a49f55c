"""Reference errors: how sure the difference between a simple model and the networks is.

A simple model was fitted once. The networks with the baseline vary by their seeds, and the test rows could be drawn
again. The interval has both: the row error of the difference to the mean network (:mod:`.row_errors`), and the standard
error of that mean over seeds, added as independent variances with Welch and Satterthwaite's degrees of freedom.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from mtbalance.records import RunRecord, read_references
from mtbalance.records.reference import ReferenceRecord, prediction_of
from mtbalance.records.table import read_table
from mtbalance.reporting.formats import signed
from mtbalance.reporting.identity import identity_of
from mtbalance.reporting.references import KINDS, PREFIX, TRAINED
from mtbalance.reporting.row_errors import ENDING, Method, Metric, influences_in, influences_of, tasks_with_influences
from mtbalance.reporting.statistics import standard_deviation
from mtbalance.reporting.value import Value


def reference_errors(
    runs: Sequence[tuple[Method, RunRecord]],
    files: Mapping[str, Path],
    baseline: str,
    reference: Path,
    predictions: Path,
) -> Iterator[dict[str, Any]]:
    """The row errors of a data set's references against the mean of the baseline's runs, on each backbone.

    They are collected as numbers of the first of these runs. ``files`` are the predictions of the runs by digest.
    Raises :class:`~mtbalance.records.RecordError` for predictions that are missing or of other data.
    """
    found, by_place = read_references(reference), defaultdict(list)
    for method, record in runs:
        if (method[0], method[2], record.status) == (found.dataset, baseline, "finished"):
            by_place[method].append(record)
    for own in by_place.values():
        same = identity_of(own[0]) | {"task_title": "", "better": 0}
        for name, (metric, task), error in _errors(own, files, found, predictions):
            yield same | Value(None, "test", task, f"{PREFIX}{name}_{metric}{ENDING}", error)._asdict()


def _errors(
    runs: Sequence[RunRecord], files: Mapping[str, Path], reference: ReferenceRecord, predictions: Path
) -> Iterator[tuple[str, Metric, float]]:
    """Names of fitted references, metrics, and the row errors of the differences to the mean of the runs.

    The first model of a kind stands for all of them. A kind that has not all tasks has no error of the score.
    """
    theirs = [influences_of(record, files) for record in runs]
    means = {metric: np.mean([influences[metric] for influences in theirs], axis=0) for metric in theirs[0]}
    fitted: dict[str, dict[str, str]] = {}
    for names in KINDS.values():
        models = [name for name in names if name in reference.models and name in TRAINED]
        columns = {task: prediction_of(name, task) for name in models for task in reference.models[name].chosen}
        fitted |= {models[0]: columns} if models else {}
    wanted = [column for columns in fitted.values() for both in columns.items() for column in both]
    table = read_table(predictions, reference.sha256["test"], list(dict.fromkeys(wanted)))
    for name, columns in fitted.items():
        tasks = [task for task in tasks_with_influences(runs[0]) if task.name in columns]
        whole = len(tasks) == len(tasks_with_influences(runs[0]))
        for metric, ours in influences_in(table, tasks, columns).items():
            if whole or metric[0] != "mean_score":
                yield name, metric, float(np.sqrt(np.sum((ours - means[metric]) ** 2)))


class Against(NamedTuple):
    """The difference of a simple model to the mean of the baseline's runs on one backbone."""

    backbone: str
    difference: float
    low: float
    """Lower end of the interval; NaN for one seed, and where the model's predictions were not kept."""
    high: float
    """Upper end."""

    def text(self, digits: int) -> str:
        """The difference, with its interval if there is one."""
        ends = f" [{signed(self.low, digits)}, {signed(self.high, digits)}]" if math.isfinite(self.low) else ""
        return f"{signed(self.difference, digits)}{ends}"


def against(
    frame: pd.DataFrame, model: str, score: str, baseline: str, significance: float, backbone: str = ""
) -> Against | None:
    """A model's difference in the ``score`` of all tasks, on a ``backbone``; default: that with the most balancers.

    ``frame`` is a collected one, of one data set. The interval has level 1 - ``significance``. None if the model or
    the baseline has no such score.
    """
    named, mean = f"{PREFIX}{model}_{score}", frame[frame["task"] == "mean"]
    value = mean.loc[mean["metric"] == named, "value"]
    runs = mean[mean["epoch"].isna() & (mean["metric"] == score) & (mean["split"] == "test") & mean["value"].notna()]
    most = runs.groupby("backbone", sort=False)["balancer"].nunique()
    place = backbone or (most.idxmax() if len(most) else "")
    own = runs[(runs["backbone"] == place) & (runs["balancer"] == baseline)]
    if not len(value) or not len(own):
        return None
    errors = mean.loc[(mean["metric"] == f"{named}{ENDING}") & (mean["backbone"] == place), "value"]
    reach = _reach(float(errors.iloc[0]) if len(errors) else math.nan, own["value"].tolist(), significance)
    difference = float(value.iloc[0] - own["value"].mean())
    return Against(str(place), difference, difference - reach, difference + reach)


def _reach(row_error: float, values: Sequence[float], significance: float) -> float:
    """Half the width of the interval; ``values`` are the baseline's by seed. NaN if it cannot be told."""
    seeds = len(values)
    of_rows, of_seeds = row_error**2, standard_deviation(values) ** 2 / seeds
    freedom = (of_rows + of_seeds) ** 2 / (of_seeds**2 / (seeds - 1)) if of_seeds > 0 else math.inf
    return float(stats.t.ppf(1 - significance / 2, freedom)) * math.sqrt(of_rows + of_seeds)
