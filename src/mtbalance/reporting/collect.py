"""Run records to one tidy table an experiment: a row a run, scope, task and metric."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from mtbalance.config import RunConfig
from mtbalance.reporting.names import backbone_rank
from mtbalance.reporting.records import Record, read_records, read_timings

TYPES = {
    "experiment": "string",
    "dataset": "string",
    "synthetic": "bool",
    "backbone": "string",
    "balancer": "string",
    "level": "string",
    "rule": "string",
    "manipulation": "string",
    "seed": "int64",
    "digest": "string",
    "selection": "string",
    "device": "string",
    "status": "string",
    "epoch": "Int64",
    "split": "string",
    "task": "string",
    "task_title": "string",
    "metric": "string",
    "better": "int64",
    "value": "float64",
}
"""The columns. ``epoch`` is missing for what belongs to the finished run; ``task`` is ``mean`` for the
average of tasks and empty for what has no task; ``better`` is +1 for a task's metrics that are better high, -1 for
those that are better low, and 0 for other numbers."""


CONSTANT = "constant_"
"""Begins the metrics of predictions that look at no input."""


class Value(NamedTuple):
    """One number of a run."""

    epoch: int | None
    split: str
    task: str
    metric: str
    value: float | None


def collect(records: Sequence[Path], expected: Sequence[RunConfig], timings: Sequence[Path], output: Path) -> None:
    """Write the numbers of all ``records`` and ``timings`` to one Parquet file, in the order of tables.

    That is the order of ``expected``, except for backbones: they are keys in ``params.yaml``, whose order is lost
    in canonical JSON, and so have one of their own.
    Raises :class:`~mtbalance.reporting.records.RecordError` for records that are stale or do not belong
    together.
    """
    datasets = list(dict.fromkeys(config.dataset for config in expected))
    ordered = sorted(expected, key=lambda config: (datasets.index(config.dataset), backbone_rank(config.backbone.name)))
    found = read_records(records, ordered)
    rows = [row for record in found for row in _rows(record)]
    rows += [row for timing in read_timings(timings, expected) for row in _timing_rows(timing, found)]
    output.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows, columns=list(TYPES)).astype(TYPES).to_parquet(output, index=False)


def _timing_rows(timing: Record, records: Sequence[Record]) -> Iterator[dict[str, Any]]:
    """Relative throughput, as rows of the run whose configuration was timed."""
    for record in records:
        balancer = record["run"]["balancer"]
        if record["digest"] != timing["digests"].get(balancer):
            continue
        numbers = timing["balancers"][balancer]
        for metric in ("relative_throughput", "relative_throughput_with_data"):
            low, high = numbers[metric.replace("relative_throughput", "quartiles")]
            for name, value in ((metric, numbers[metric]), (f"{metric}_low", low), (f"{metric}_high", high)):
                yield (
                    _identity(record)
                    | Value(None, "train", "", name, value)._asdict()
                    | {"task_title": "", "better": 0, "device": _device(timing)}
                )


def _rows(record: Record) -> Iterator[dict[str, Any]]:
    titles = {task["name"]: task["title"] for task in record["tasks"]} | {"mean": "Average", "": ""}
    better = {(task["name"], metric): sign for task in record["tasks"] for metric, sign in task["metrics"].items()}
    for number in (*_of_run(record), *_of_test(record), *_of_epochs(record)):
        sign = better.get((number.task, number.metric), 0)
        yield _identity(record) | number._asdict() | {"task_title": titles[number.task], "better": sign}


def _identity(record: Record) -> dict[str, Any]:
    """The columns that say which run a number belongs to."""
    balancer = record["config"]["balancer"]["options"]
    return record["run"] | {
        "level": balancer["level"],
        "rule": balancer["rule"],
        "manipulation": balancer.get("manipulation", "none"),
        "synthetic": record["data"]["synthetic"],
        "digest": record["digest"],
        "selection": _selection(record),
        "device": _device(record),
        "status": record["status"],
    }


def _device(record: Record) -> str:
    """Where a run or a timing took place."""
    return f"{record['environment']['device']}, {record['environment']['threads']} thread(s)"


def _selection(record: Record) -> str:
    """``valid``, ``test`` or ``last 10``: how the epochs that count were found."""
    selection = record["selection"]
    return f"last {record['config']['training']['last_epochs']}" if selection == "last" else selection


def _of_run(record: Record) -> Iterator[Value]:
    seconds = [sum(epoch["seconds"].values()) for epoch in record["epochs"]]
    speed = record["speed"] or {}
    yield Value(None, "", "", "best_epoch", record["best_epoch"])
    yield Value(None, "train", "", "samples_per_second", speed.get("samples_per_second"))
    yield Value(None, "train", "", "samples_per_second_with_data", speed.get("samples_per_second_with_data"))
    yield Value(None, "", "", "peak_memory_mb", record["peak_memory_mb"])
    yield Value(None, "", "", "seconds", sum(seconds))
    yield Value(None, "", "", "parameters", record["model"]["parameters"])


def _of_test(record: Record) -> Iterator[Value]:
    # A diverged run has no test metrics; its empty rows make it countable.
    yield from _of_evaluation(None, "test", record["test"] or _undefined(record))
    best = (record["data"].get("best_auc") or {}).get("test")
    if best and None not in best.values():
        yield from (Value(None, "test", task, "best_auc", value) for task, value in best.items())
        yield Value(None, "test", "mean", "best_auc", sum(best.values()) / len(best))
    for task, metrics in record["data"].get("constant", {}).items():
        yield from (Value(None, "test", task, f"{CONSTANT}{metric}", value) for metric, value in metrics.items())


def _undefined(record: Record) -> Record:
    """An evaluation of the shape that the run's others have, without its numbers."""
    by_task: Record = {}
    for task in record["tasks"]:
        for metric in task["metrics"]:
            by_task.setdefault(metric, {})[task["name"]] = None
    return by_task | ({"mean_auc": None} if "auc" in by_task else {})


def _of_epochs(record: Record) -> Iterator[Value]:
    for epoch in record["epochs"]:
        number = epoch["epoch"]
        yield from _of_evaluation(number, record["evaluated"], epoch["evaluation"] or {})
        for metric, key in (("loss", "train_loss"), ("weight", "weights")):
            yield from (Value(number, "train", task, metric, value) for task, value in (epoch[key] or {}).items())
        for name, value in (epoch["diagnostics"] or {}).items():
            if isinstance(value, int | float):
                yield Value(number, "train", "", name, value)


def _of_evaluation(epoch: int | None, split: str, evaluation: Record) -> Iterator[Value]:
    for metric, found in evaluation.items():
        values = found.items() if isinstance(found, dict) else [("mean", found)]
        yield from (Value(epoch, split, task, metric, value) for task, value in values)
