"""Store: MLflow's database, with a run for every seed under a row that has their mean.

Of every seed of a method only one run is current. An older one is deleted, which MLflow hides and can restore. A try
by hand stands beside them: it is part of no mean, and takes the place of nothing but an equal try.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import statistics
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, Run, RunTag

from mtbalance import places
from mtbalance.records.run import EpochRecord, RunRecord
from mtbalance.tracking import content, home, view
from mtbalance.tracking.content import Begun, Number

METRICS_A_BATCH = 1000
PROCESS = "mtbalance.process"
"""The tag with the machine and the process that logs a run."""
PARENT = "mlflow.parentRunId"
"""The tag of a run with the row of its mean."""
MODEL = "model"
"""The folder of a run's artifacts that `mlflow models serve` serves."""
SERVED = "ranking"
"""The kind of problem whose models read rows of a table."""
DIGEST_LENGTH = 36
"""The longest digest of a data set that MLflow keeps."""


class Store:
    """The store that ``MLFLOW_TRACKING_URI`` names, by default ``mlflow.db`` in the project."""

    def __init__(self) -> None:
        with _only_one():
            home.make()
            self.client = MlflowClient(home.database())

    def begin(self, begun: Begun) -> str:
        """The MLflow run of a run that begins, goes on, or is logged again: the same one each time.

        A run of the same seed that began at another time, or with another configuration, is deleted; if this is a try,
        only an equal one is.
        """
        with _only_one():
            experiment = self._experiment(begun.experiment)
            self.mark_ended(experiment)
            same, others = self._earlier(experiment, begun)
            self._delete(others)
            tags = {PROCESS: _process()}
            if begun.changes is None:
                tags[PARENT] = self._cell(experiment, begun)
            if same:
                self.client.update_run(same, status="RUNNING")
                self.client.log_batch(same, tags=_tags(tags))
                return same
            return self._create(experiment, begun, tags)

    def log(self, record: RunRecord, path: Path) -> None:
        """Log a run that has ended, whose record is in the file ``path``."""
        self.finish(self.begin(Begun.of(record, path)), record, path)

    def log_epochs(self, run: str, begun: Begun, epochs: Sequence[EpochRecord], logged: int) -> None:
        """Log all epochs but the first ones that are ``logged``; those that are there already stay as they are."""
        self._log(run, (number for number in content.epoch_numbers(begun, epochs) if number[3] > logged))

    def finish(self, run: str, record: RunRecord, path: Path, logged: int = 0) -> None:
        """Log the record, but for the epochs that are ``logged``, end the run, and renew the mean over seeds."""
        begun = Begun.of(record, path)
        self.log_epochs(run, begun, record.epochs, logged)
        self._log(run, content.final_numbers(record))
        self.client.log_batch(run, tags=_tags(content.last_tags(record, path)))
        for file in content.artifacts(begun, path):
            self._keep(run, file)
        ended = content.milliseconds(record.ended)
        self.client.set_terminated(run, "FINISHED" if record.status == "finished" else "FAILED", end_time=ended)
        with _only_one():
            found = self.client.get_run(run)
            self._average(found)
            if record.test and begun.changes is None:
                for tag, state in view.views(record, found.info.start_time).items():
                    self.client.set_experiment_tag(found.info.experiment_id, tag, state)
        self._keep_model(run, record, places.model_beside(path))

    def abandon(self, run: str) -> None:
        """Mark a run as killed: its process ended without a record. It may go on later."""
        self.client.set_terminated(run, "KILLED")

    def mark_ended(self, experiment: str) -> None:
        """Mark runs as killed that say that they are running, but whose process on this machine is no more."""
        for run in self._search(experiment, {}, "RUNNING"):
            host, _, process = run.data.tags.get(PROCESS, "").partition(" ")
            if host == socket.gethostname() and not psutil.pid_exists(int(process)):
                self.abandon(run.info.run_id)

    def _experiment(self, name: str) -> str:
        if found := self.client.get_experiment_by_name(name):
            return str(found.experiment_id)
        place = f"mlflow-artifacts:/{name}" if self._is_local() else None
        return str(self.client.create_experiment(name, artifact_location=place, tags=view.EXPERIMENT))

    def _is_local(self) -> bool:
        return str(self.client.tracking_uri).startswith("sqlite:")

    def _earlier(self, experiment: str, begun: Begun) -> tuple[str | None, list[Run]]:
        """The id of the same run, if it has been logged before, and the current runs whose place it takes."""
        own = content.tags(begun)
        place = ("kind", "backbone", "balancer", "seed") if begun.changes is None else ("kind", "mtbalance.config")
        found = self._search(experiment, {key: own[key] for key in place})
        began = content.milliseconds(begun.started)
        same = [
            run for run in found if run.info.start_time == began and run.data.tags["mtbalance.config"] == begun.digest
        ][:1]
        return (same[0].info.run_id if same else None), [run for run in found if run not in same]

    def _delete(self, runs: Iterable[Run]) -> None:
        """Delete runs, and take them out of the means that they are in."""
        for run in runs:
            if run.info.status == "RUNNING":
                self.abandon(run.info.run_id)
            self.client.delete_run(run.info.run_id)
            self._average(run)

    def _cell(self, experiment: str, begun: Begun) -> str:
        """The row for the mean over seeds."""
        shared = content.cell_tags(begun) | {"kind": content.MEAN}
        found = self._search(experiment, {key: shared[key] for key in ("kind", "mtbalance.cell")})
        if found:
            return str(found[0].info.run_id)
        began = content.milliseconds(begun.started)
        created = self.client.create_run(experiment, start_time=began, tags=shared, run_name=begun.method)
        self.client.set_terminated(created.info.run_id, end_time=began)
        return str(created.info.run_id)

    def _create(self, experiment: str, begun: Begun, more: dict[str, str]) -> str:
        name = f"{begun.method} seed {begun.config['seed']}"
        tags = content.tags(begun) | more
        began = content.milliseconds(begun.started)
        run = str(self.client.create_run(experiment, start_time=began, tags=tags, run_name=name).info.run_id)
        self.client.log_batch(run, params=[Param(*pair) for pair in content.parameters(begun).items()])
        self.client.log_inputs(run, [_input(begun)])
        return run

    def _average(self, changed: Run) -> None:
        """Renew the row that a run belongs to, if any: the mean and the standard deviation over its finished seeds.

        A row without any seed is deleted.
        """
        if (cell := changed.data.tags.get(PARENT)) is None:
            return None
        row = self.client.get_run(cell)
        runs = self._search(row.info.experiment_id, {PARENT: cell})
        finished = [run for run in runs if run.info.status == "FINISHED"]
        finished.sort(key=lambda run: int(run.data.tags["seed"]))
        if not finished:
            return None if runs or row.info.lifecycle_stage == "deleted" else self.client.delete_run(cell)
        values = {key: [run.data.metrics[key] for run in finished] for key in _final(finished)}
        mean = {key: statistics.fmean(each) for key, each in values.items()}
        spread = {
            key.replace(content.FINAL, content.DEVIATION): statistics.stdev(each)
            for key, each in values.items()
            if len(each) > 1 and key.startswith(content.FINAL)
        }
        now = time.time_ns() // 10**6
        self._log(cell, ((key, value, now, 0) for key, value in (mean | spread).items()))
        seeds = ", ".join(run.data.tags["seed"] for run in finished)
        failed = sum(run.info.status == "FAILED" for run in runs)
        seeds += f" ({failed} diverged)" if failed else ""
        self.client.set_tag(cell, "seeds", seeds)
        self.client.set_tag(cell, "mlflow.note.content", f"Mean over seeds {seeds} of {row.data.tags['method']}.")
        return self.client.set_terminated(cell, end_time=max(run.info.end_time for run in finished))

    def _search(self, experiment: str, tags: dict[str, str], status: str | None = None) -> list[Run]:
        conditions = [f"tags.`{key}` = '{value}'" for key, value in tags.items()]
        condition = " and ".join(conditions + ([f"attributes.status = '{status}'"] if status else []))
        return list(self.client.search_runs([experiment], condition, order_by=["attributes.start_time DESC"]))

    def _log(self, run: str, numbers: Iterable[Number]) -> None:
        metrics = [Metric(*number) for number in numbers]
        for begin in range(0, len(metrics), METRICS_A_BATCH):
            self.client.log_batch(run, metrics=metrics[begin : begin + METRICS_A_BATCH])

    def _keep_model(self, run: str, record: RunRecord, path: Path) -> None:
        """Keep the model of a run that kept it, as an artifact that MLflow can serve."""
        if record.status == "finished" and record.config["model"]["problem"] == SERVED and path.is_file():
            from mtbalance.tracking.served import save_served

            with tempfile.TemporaryDirectory() as folder:
                save_served(path, Path(folder, MODEL))
                self._keep(run, Path(folder, MODEL))

    def _keep(self, run: str, file: Path) -> None:
        """Keep a file or a folder as an artifact.

        Beside a local store the address is relative, so that the project can be moved.
        """
        address = str(self.client.get_run(run).info.artifact_uri)
        if self._is_local() and address.startswith("mlflow-artifacts:/"):
            place = home.artifacts() / address.removeprefix("mlflow-artifacts:/")
            place.mkdir(parents=True, exist_ok=True)
            if file.is_dir():
                shutil.copytree(file, place / file.name, dirs_exist_ok=True)
            else:
                shutil.copyfile(file, place / file.name)
        elif file.is_dir():
            self.client.log_artifacts(run, str(file), file.name)
        else:
            self.client.log_artifact(run, str(file))


@contextmanager
def _only_one() -> Iterator[None]:
    """Let one process in at a time: several that create the database or an experiment at once lose runs."""
    with home.lock().open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _process() -> str:
    return f"{socket.gethostname()} {os.getpid()}"


def _final(runs: Sequence[Run]) -> set[str]:
    """Names of final metrics that all of the runs have."""
    names = set.intersection(*(set(run.data.metrics) for run in runs))
    return {name for name in names if name.startswith((f"{content.FINAL}/", "cost/"))}


def _tags(tags: dict[str, str]) -> list[RunTag]:
    return [RunTag(*pair) for pair in tags.items()]


def _input(begun: Begun) -> DatasetInput:
    name = begun.config["dataset"]
    place = f'{{"uri": "{places.PREPARED.format(dataset=name)}"}}'
    digest = begun.sha256["train"][:DIGEST_LENGTH]
    dataset = Dataset(name, digest, "local", place, profile=begun.model_dump_json(include={"rows", "synthetic"}))
    return DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])
