"""Runs to be logged, and what MLflow then shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import ViewType

from mtbalance import places
from mtbalance.config.run import BackboneChoice, BalancerChoice, RunConfig
from mtbalance.config.training import TrainingConfig
from mtbalance.records import RunRecord, read_run
from mtbalance.tracking.content import Begun
from mtbalance.tracking.process import Message
from mtbalance.tracking.store import Store
from sample_records import epoch_record, run_record, write_run

EPOCHS = 3
TASKS = ("click", "conversion")
STARTED, ENDED = "2026-11-28T12:00:00.000+00:00", "2026-11-28T12:00:10.500+00:00"
BALANCERS = {
    "pub": {"level": "update", "rule": "nash", "every": 10},
    "ls": {"level": "loss", "rule": "equal"},
}
COMMAND = "from mtbalance.cli import main; main()"
LOGS = "mtbalance.tracking.process"


def run_of(seed: int, balancer: str = "pub", dataset: str = "synthetic_a") -> RunConfig:
    return RunConfig(
        experiment="demo",
        dataset=dataset,
        backbone=BackboneChoice(name="mmoe", options={"kind": "mmoe"}),
        balancer=BalancerChoice(name=balancer, options=BALANCERS[balancer]),
        model={"expert": [8, 4]},
        training=TrainingConfig(epochs=EPOCHS),
        seed=seed,
    )


def evaluation(value: float) -> dict[str, Any]:
    both = {"click": value, "conversion": value + 0.1}
    return {"auc": both, "log_loss": both, "ne": both, "mean_auc": value + 0.05}


def record_of(run: RunConfig, status: str = "finished", started: str | None = STARTED) -> RunRecord:
    """A record with round numbers that differ by seed and balancer."""
    finished = status == "finished"
    epochs = [
        epoch_record(
            epoch,
            TASKS,
            evaluation(0.5 + epoch / 10),
            train_loss={"click": run.seed + epoch / 10, "conversion": 0.5},
            weights={"click": 0.8, "conversion": 1.2},
            diagnostics={"cosine": 0.25},
        )
        for epoch in range(1, EPOCHS + 1 if finished else 1)
    ]
    record = run_record(
        run,
        {task: (task, {"auc": 1, "log_loss": -1, "ne": -1}) for task in TASKS},
        epochs,
        evaluation(0.6 + run.seed / 100 + 0.02 * (run.balancer.name == "pub")) if finished else None,
        speed=900.0 if finished else None,
        data={"sha256": {"train": "abc", "valid": "def", "test": "ghi"}},
    )
    return record.model_copy(update={"started": started, "ended": started and ENDED})


def write(folder: Path, record: RunRecord) -> str:
    """Write a record where the workflow has it; returns its path in ``folder``."""
    return write_run(folder, RunConfig.model_validate(record.config), record).relative_to(folder).as_posix()


def placed(record: RunRecord) -> tuple[RunRecord, Path]:
    """A record with the place where the workflow has it."""
    return record, Path(places.RECORD.format(**record.run.model_dump()))


def beginning(record: RunRecord, epochs: int = 0) -> list[str]:
    """What a run tells its logging process until its first epochs are over: a line for each event."""
    messages = [
        Message(begun=Begun.of(*placed(record))),
        *(Message(epochs=[epoch]) for epoch in record.epochs[:epochs]),
    ]
    return [message.model_dump_json(exclude_none=True) + "\n" for message in messages]


def end(path: str) -> list[str]:
    """What a run tells its logging process at its end."""
    return [Message(record=path).model_dump_json(exclude_none=True) + "\n"]


def address(place: Path | str) -> str:
    """The address of a store: of a project's, if the place is its folder."""
    return place if isinstance(place, str) else f"sqlite:///{place}/mlflow.db"


def track(*records: str) -> None:
    """Log records in the working directory, as the command does."""
    store = Store()
    for path in records:
        store.log(read_run(Path(path)), Path(path))


def seen(place: Path | str) -> list[dict[str, Any]]:
    """All runs of a store, deleted ones too."""
    client = MlflowClient(address(place))
    runs = []
    for experiment in client.search_experiments():
        found = client.search_runs([experiment.experiment_id], "", ViewType.ALL, order_by=["attributes.start_time"])
        names = {run.info.run_id: run.info.run_name for run in found}
        for run in found:
            history = {key: client.get_metric_history(run.info.run_id, key) for key in run.data.metrics}
            runs.append(
                {
                    "id": run.info.run_id,
                    "experiment": experiment.name,
                    "name": run.info.run_name,
                    "status": run.info.status,
                    "stage": run.info.lifecycle_stage,
                    "start": run.info.start_time,
                    "end": run.info.end_time,
                    "params": run.data.params,
                    "tags": {key: names.get(value, value) for key, value in run.data.tags.items()},
                    "metrics": {key: [(m.step, m.value, m.timestamp) for m in each] for key, each in history.items()},
                    "inputs": [(each.dataset.name, each.dataset.digest) for each in run.inputs.dataset_inputs],
                    "artifacts": run.info.artifact_uri,
                }
            )
    return runs


def current(place: Path | str, kind: str = "run") -> dict[str, dict[str, Any]]:
    """Runs (or rows of means) that MLflow shows, by name; none may be there twice."""
    found = [run for run in seen(place) if run["stage"] == "active" and run["tags"]["kind"] == kind]
    by_name = {run["name"]: run for run in found}
    assert len(by_name) == len(found), [run["name"] for run in found]
    return by_name
