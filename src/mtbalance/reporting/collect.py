"""collect: one table of an experiment's records, with a row for each run, epoch, split, task and metric."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from mtbalance.config.run import RunConfig
from mtbalance.config.tuning import Trial
from mtbalance.records.evaluation import Evaluation, numbers_of
from mtbalance.records.run import RunName, RunRecord
from mtbalance.records.timing import BalancerTiming, TimingRecord
from mtbalance.reporting import convergence
from mtbalance.reporting.captions import ALONE, OWN_BEST_EPOCH
from mtbalance.reporting.choice import Place, choose, named, place_of
from mtbalance.reporting.collected import write_collected
from mtbalance.reporting.identity import columns_of, device_of, identity_of
from mtbalance.reporting.names import backbone_rank
from mtbalance.reporting.reading import read_records, read_timings
from mtbalance.reporting.reference_errors import reference_errors
from mtbalance.reporting.references import of_references
from mtbalance.reporting.row_errors import ENDING, row_errors
from mtbalance.reporting.steps import of_steps
from mtbalance.reporting.value import Value

OF_RUN = {
    "experiment": "string",
    "problem": "string",
    "dataset": "string",
    "synthetic": "bool",
    "backbone": "string",
    "balancer": "string",
    "variant": "string",
    "grid": "string",
    "level": "string",
    "rule": "string",
    "manipulation": "string",
    "seed": "int64",
    "digest": "string",
    "shares": "bool",
    "selection": "string",
    "device": "string",
    "status": "string",
    convergence.COLUMN: "int64",
}
"""The columns that say which run a number belongs to. ``problem`` is the kind of problem, and ``shares`` is true if
tasks share parameters. ``unconverged`` counts the signs that a run had not converged; timings have 0.

In a tuned experiment ``balancer`` is the method, ``variant`` its chosen trial, and ``grid`` what it was tuned over, as
JSON; timings are of its first trial, as their ``digest`` says. In others ``variant`` is the balancer, and ``grid`` is
empty."""
TYPES = OF_RUN | {
    "epoch": "Int64",
    "split": "string",
    "task": "string",
    "task_title": "string",
    "metric": "string",
    "better": "int64",
    "value": "float64",
}
"""All columns. ``epoch`` is missing for numbers of the whole run. ``task`` is ``mean`` for the average over tasks, and
empty for numbers of no task. ``better`` is +1 for a task's metric that is better high, -1 for one that is better low,
and 0 for other numbers."""

CONSTANT = "constant_"
"""Prefix of the metrics of constant predictions, which ignore the input."""


def collect(
    records: Sequence[Path],
    expected: Sequence[RunConfig],
    timings: Sequence[Path],
    timed: Sequence[RunConfig],
    output: Path,
    steps: Sequence[Path] = (),
    trials: Mapping[str, Trial] | None = None,
    predictions: Sequence[Path] = (),
    references: Sequence[Path] = (),
    reference_predictions: Sequence[Path] = (),
    baseline: str = "ls",
) -> None:
    """Write the numbers of ``records`` and ``timings`` to one Parquet file, in the order of tables.

    ``expected`` are the runs that have records, and ``timed`` those that the timings are of. ``steps`` are the steps
    files of the ``expected`` runs, in the same order; empty if the experiment measures none. From their
    ``predictions``, in the same order, come the row errors of differences to the ``baseline``
    (:mod:`~mtbalance.reporting.row_errors`). ``references`` are records of models without balancing on the data sets,
    and ``reference_predictions`` what they predict, in the same order
    (:mod:`~mtbalance.reporting.reference_errors`).

    ``trials`` says which method a variant is a trial of; default: nothing is tuned. Only the chosen trials are written
    (:func:`~mtbalance.reporting.choice.choose`), as runs of their method: no table or figure can show another one.
    Raises :class:`~mtbalance.records.RecordError` for records that are stale or do not belong together.
    """
    found, measured = read_records(records, in_order(expected)), read_timings(timings, timed)
    files = dict(zip(map(RunConfig.digest, expected), steps, strict=bool(steps)))
    trials = trials or {config.balancer.name: Trial(config.balancer.name, {}) for config in (*expected, *timed)}
    chosen = choose(found, trials)
    methods = [(place_of(record.run, trials), record) for record in chosen]
    shown = {(*method, record.run.seed): record for method, record in methods}
    rows: list[tuple[Any, ...]] = []

    def add(found: Iterable[Mapping[str, Any]]) -> None:
        rows.extend(tuple(map(named(row, trials).get, TYPES)) for row in found)  # a fifth of a dictionary's memory

    for record in chosen:
        add(_rows(record, files.get(record.digest)))
    if predictions:
        of_run = dict(zip(map(RunConfig.digest, expected), predictions, strict=True))
        add(_row_errors(methods, of_run, baseline))
        for path, of_reference in zip(references, reference_predictions, strict=bool(reference_predictions)):
            add(reference_errors(methods, of_run, baseline, path, of_reference))
    for config in in_order(timed):
        run = RunName.model_validate(config.wildcards)
        of_it = shown.get((*place_of(run, trials), run.seed))
        same = {"status": of_it.status, "balancer": of_it.run.balancer} if of_it else {"status": "finished"}
        add(row | same for timing in measured for row in _timing_rows(timing, config))
    for path in references:
        add(of_references(path, chosen))
    write_collected(output, pd.DataFrame(rows, columns=list(TYPES)).astype(TYPES))


def _row_errors(
    runs: Sequence[tuple[Place, RunRecord]], files: Mapping[str, Path], baseline: str
) -> Iterator[dict[str, Any]]:
    """The row errors of each method, as rows of its first run."""
    first = dict(reversed(runs))
    for method, errors in row_errors(runs, files, baseline).items():
        identity = identity_of(first[method]) | {"task_title": "", "better": 0}
        for (metric, task), value in errors.items():
            yield identity | Value(None, "test", task, f"{metric}{ENDING}", value)._asdict()


def in_order(configs: Sequence[RunConfig]) -> list[RunConfig]:
    """The runs as they are, except for backbones.

    These are keys in ``params.yaml``, whose order is lost in canonical JSON, and so they have a fixed order
    (:func:`~mtbalance.reporting.names.backbone_rank`).
    """
    datasets = list(dict.fromkeys(config.dataset for config in configs))
    return sorted(configs, key=lambda config: (datasets.index(config.dataset), backbone_rank(config.backbone.name)))


def _timing_rows(timing: TimingRecord, config: RunConfig) -> Iterator[dict[str, Any]]:
    """What was measured of a run, as rows of it; none if the timing is of other runs."""
    if timing.digests.get(config.balancer.name) != config.digest():
        return
    identity = columns_of(config, timing.synthetic, timing.model) | {"device": device_of(timing)}
    identity |= {convergence.COLUMN: 0, "task_title": "", "better": 0}
    for metric, value in _measured(timing, timing.balancers[config.balancer.name]).items():
        yield identity | Value(None, "train", "", metric, value)._asdict()


def _measured(timing: TimingRecord, found: BalancerTiming) -> dict[str, float | None]:
    """The numbers of one balancer in a timing, by their metrics."""
    numbers: dict[str, float | None] = {}
    for metric in ("relative_throughput", "relative_throughput_with_data"):
        quartiles = getattr(found, metric.replace("relative_throughput", "quartiles"))
        numbers |= {metric: getattr(found, metric), f"{metric}_low": quartiles[0], f"{metric}_high": quartiles[1]}
    return numbers | {
        "seconds_a_step": found.seconds_a_step,
        "seconds_a_search": found.seconds_a_search,
        "batch_size": timing.batch_size,
        "train_rows": timing.train_rows,
        "shared_parameters": timing.model.shared,
    }


def _rows(record: RunRecord, steps: Path | None) -> Iterator[dict[str, Any]]:
    titles = {task.name: task.title for task in record.tasks} | {"mean": "Average", "": ""}
    measured = of_steps(record, steps) if steps else ()
    better = {(task.name, metric): sign for task in record.tasks for metric, sign in task.metrics.items()}
    identity = identity_of(record)
    for number in (*_of_run(record), *_of_test(record), *_of_epochs(record), *measured):
        sign = better.get((number.task, number.metric), 0)
        yield identity | number._asdict() | {"task_title": titles[number.task], "better": sign}


def _of_run(record: RunRecord) -> Iterator[Value]:
    seconds = [epoch.seconds.data + epoch.seconds.step + epoch.seconds.evaluation for epoch in record.epochs]
    yield Value(None, "", "", "best_epoch", record.best_epoch)
    yield from (Value(None, "", task, OWN_BEST_EPOCH, epoch) for task, epoch in record.best_epochs.items())
    yield Value(None, "train", "", "samples_per_second", record.speed.samples_per_second)
    yield Value(None, "train", "", "samples_per_second_with_data", record.speed.samples_per_second_with_data)
    yield Value(None, "", "", "peak_memory_mb", record.peak_memory_mb)
    yield Value(None, "", "", "seconds", sum(seconds))
    yield Value(None, "", "", "parameters", record.model.parameters)


def _of_test(record: RunRecord) -> Iterator[Value]:
    yield from _undefined(record) if record.test is None else _of_evaluation(None, "test", record.test)
    best = record.data.best_auc["test"] if record.data.best_auc else {}
    known = {task: value for task, value in best.items() if value is not None}
    if known and len(known) == len(best):
        yield from (Value(None, "test", task, "best_auc", value) for task, value in known.items())
        yield Value(None, "test", "mean", "best_auc", sum(known.values()) / len(known))
    for task, found in record.data.leaks.items():
        yield from (Value(None, "train", task, f"{ALONE}{column}", auc) for column, auc in found.items())
    for task, metrics in record.data.constant.items():
        yield from (Value(None, "test", task, f"{CONSTANT}{metric}", value) for metric, value in metrics.items())


def _undefined(record: RunRecord) -> Iterator[Value]:
    """Empty test metrics, so that a diverged run is counted."""
    metrics = dict.fromkeys(metric for task in record.tasks for metric in task.metrics)
    for metric in metrics:
        yield from (Value(None, "test", task.name, metric, None) for task in record.tasks if metric in task.metrics)
    for metric, mean in (("auc", "mean_auc"), ("r2", "mean_score")):
        if metric in metrics:
            yield Value(None, "test", "mean", mean, None)


def _of_epochs(record: RunRecord) -> Iterator[Value]:
    for epoch in record.epochs:
        yield from _of_evaluation(epoch.epoch, record.evaluated, epoch.evaluation)
        for metric, values in (("loss", epoch.train_loss), ("weight", epoch.weights)):
            yield from (Value(epoch.epoch, "train", task, metric, value) for task, value in values.items())
        yield from (Value(epoch.epoch, "train", "", name, value) for name, value in epoch.diagnostics.items())


def _of_evaluation(epoch: int | None, split: str, evaluation: Evaluation) -> Iterator[Value]:
    for metric, task, value in numbers_of(evaluation):
        yield Value(epoch, split, task or "mean", metric, value)
