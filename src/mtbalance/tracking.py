"""MLflow as a view of the run records, written after each run. No other module imports mlflow.

Deleting the database loses nothing: ``mtbalance track`` writes it again from the records.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag, ViewType

from mtbalance.records.run import ByTask, Evaluation, RunRecord

DEFAULT_URI = "sqlite:///mlflow.db"
LOCK = Path("mlflow.db.lock")
METRICS_A_BATCH = 1000
RETRIES = "2"
"""Retries of a request to a tracking server, unless the environment says otherwise; MLflow's 7 take four minutes."""


def log_record(record: RunRecord, path: Path) -> str:
    """Log one run record, and its file as an artifact; return MLflow's run id.

    The run goes to the experiment ``<experiment>/<data set>``, under the name ``<backbone>-<balancer>-s<seed>``;
    earlier runs of that name there are tagged ``mtbalance.superseded``. ``MLFLOW_TRACKING_URI`` overrides the
    database ``mlflow.db`` in the working directory.
    """
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", RETRIES)
    run = record.run
    with _only_one():
        client = MlflowClient(os.environ.get("MLFLOW_TRACKING_URI", DEFAULT_URI))
        experiment = _experiment(client, f"{run.experiment}/{run.dataset}")
    name = f"{run.backbone}-{run.balancer}-s{run.seed}"
    _supersede(client, experiment, name)
    started = client.create_run(experiment, run_name=name).info
    run_id = str(started.run_id)
    metrics = list(_metrics(record, started.start_time))
    for begin in range(0, len(metrics), METRICS_A_BATCH):
        client.log_batch(run_id, metrics=metrics[begin : begin + METRICS_A_BATCH])
    client.log_batch(run_id, params=_params(record), tags=_tags(record, path))
    client.log_artifact(run_id, str(path))
    client.set_terminated(run_id, "FINISHED" if record.status == "finished" else "FAILED")
    return run_id


@contextmanager
def _only_one() -> Iterator[None]:
    """Let one process in at a time: several that create the database or an experiment at once lose runs."""
    with LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _experiment(client: MlflowClient, name: str) -> str:
    found = client.get_experiment_by_name(name)
    return found.experiment_id if found else client.create_experiment(name)


def _supersede(client: MlflowClient, experiment: str, name: str) -> None:
    condition = f"attributes.run_name = '{name}' and tags.mtbalance.superseded = 'false'"
    for old in client.search_runs([experiment], condition, ViewType.ACTIVE_ONLY):
        client.set_tag(old.info.run_id, "mtbalance.superseded", "true")


def _tags(record: RunRecord, path: Path) -> list[RunTag]:
    own = {
        **record.run.model_dump(),
        "config": record.digest,
        "data": record.data.sha256["train"],
        "synthetic": record.data.synthetic,
        "record": path,
        "status": record.status,
        "superseded": "false",
    }
    tags = [RunTag(f"mtbalance.{key}", str(value)) for key, value in own.items()]
    commit = record.environment.commit
    return tags + ([RunTag("mlflow.source.git.commit", commit)] if commit else [])


def _params(record: RunRecord) -> list[Param]:
    return [Param(key, str(value)) for key, value in _flat(record.config)]


def _flat(tree: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _metrics(record: RunRecord, time: int) -> Iterator[Metric]:
    """Epoch values with the epoch as step, final values with the best epoch as step."""
    for epoch in record.epochs:
        values = {
            **_by_task("train/loss", epoch.train_loss),
            **_by_task("train/weight", epoch.weights),
            **{f"search/{name}": value for name, value in epoch.diagnostics.items()},
            **_evaluation(record.evaluated, epoch.evaluation),
        }
        yield from (Metric(key, value, time, epoch.epoch) for key, value in values.items())
    final = {"peak_memory_mb": record.peak_memory_mb, **record.speed.model_dump()}
    final |= _evaluation("final_test", record.test) if record.test else {}
    for key, value in final.items():
        if value is not None:
            yield Metric(key, value, time, record.best_epoch)


def _evaluation(split: str, evaluation: Evaluation) -> dict[str, float]:
    values: dict[str, float] = {}
    for metric, found in evaluation.items():
        values |= _by_task(f"{split}/{metric}", found) if isinstance(found, dict) else {f"{split}/{metric}": found}
    return values


def _by_task(prefix: str, values: ByTask) -> dict[str, float]:
    return {f"{prefix}/{task}": value for task, value in values.items()}
