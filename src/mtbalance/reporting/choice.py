"""The choice among the trials of a method: by the mean score on the valid split, never on the test split."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from mtbalance.config.kinds import ProblemKind, kind
from mtbalance.config.tuning import Trial
from mtbalance.records import RecordError, RunRecord
from mtbalance.records.evaluation import Evaluation, number_in
from mtbalance.records.run import RunName, TaskFacts
from mtbalance.reporting.statistics import mean

Place = tuple[str, str, str]
"""Data set, backbone and method."""
Variants = dict[str, list[RunRecord]]
"""The records of each trial of a method, one for each seed, by the name of the variant."""


def choose(records: Sequence[RunRecord], trials: Mapping[str, Trial]) -> list[RunRecord]:
    """The records of the chosen trials, in their order; ``trials`` says which method a variant is a trial of.

    On each data set and backbone, that trial of a method is chosen whose score on the valid split, at the best epoch of
    each run, has the highest mean over seeds; of equal ones the first. A trial with a diverged run is never chosen,
    unless every trial of the method has one: then the fewest diverged runs go before the score.

    The valid score of what is chosen is the largest of several, at the best of several epochs, and so it is too high.
    The score on the test split is not: nothing is chosen by it.
    """
    found: dict[Place, Variants] = {}
    for record in records:
        found.setdefault(place_of(record.run, trials), {}).setdefault(record.run.balancer, []).append(record)
    best = {place: _best(variants) for place, variants in found.items()}
    return [record for record in records if record.run.balancer == best[place_of(record.run, trials)]]


def place_of(run: RunName, trials: Mapping[str, Trial]) -> Place:
    """The data set, the backbone and the method of a run."""
    return run.dataset, run.backbone, trials[run.balancer].method


def named(row: Mapping[str, Any], trials: Mapping[str, Trial]) -> dict[str, Any]:
    """A row of a run, with the method as ``balancer``, and with the columns ``variant`` and ``grid``."""
    trial = trials[row["balancer"]]
    return {**row, "balancer": trial.method, "variant": row["balancer"], "grid": trial.written()}


def _best(variants: Variants) -> str:
    if len(variants) == 1:
        return next(iter(variants))
    return max(variants, key=lambda name: _rank(variants[name]))


def _rank(records: Sequence[RunRecord]) -> tuple[int, float]:
    """Finished runs, then the mean score on the valid split: the larger, the better."""
    scores = [score for score in map(valid_score, records) if not math.isnan(score)]
    return len(scores), mean(scores) if scores else -math.inf


def valid_score(record: RunRecord) -> float:
    """The score on the valid split at the best epoch, of separate models at the best of each; NaN for a diverged run.

    Raises :class:`~mtbalance.records.RecordError` if the run was evaluated on another split.
    """
    if record.evaluated != "valid":
        raise RecordError(
            f"{record.run.balancer} on {record.run.dataset} was evaluated on the {record.evaluated} split after its"
            " epochs, but a trial can be chosen on the valid split alone"
        )
    if record.status != "finished":
        return math.nan
    if record.best_epochs:
        return mean([_own_score(record, task) for task in record.tasks])
    return _score(record, record.epochs[record.best_epoch - 1].evaluation)


def held_out_score(record: RunRecord) -> float:
    """The same score on the test split; NaN for a diverged run."""
    return _score(record, record.test)


def score_name(record: RunRecord) -> str | None:
    """The number of an evaluation that chooses the record's best epoch; None if no single one does."""
    metrics = {metric for task in record.tasks for metric in task.metrics}
    return _kind(record).score_of(metrics)


def _score(record: RunRecord, evaluation: Evaluation | None) -> float:
    name = score_name(record)
    return number_in(evaluation, name) if evaluation and name else math.nan


def _own_score(record: RunRecord, task: TaskFacts) -> float:
    """The task's part of the score, at the best epoch of its own model."""
    evaluation = record.epochs[record.best_epochs[task.name] - 1].evaluation
    return number_in(evaluation, str(_kind(record).own_score_of(task.metrics)), task.name)


def _kind(record: RunRecord) -> type[ProblemKind]:
    return kind(record.config["model"]["problem"])
