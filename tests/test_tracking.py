"""MLflow as a view of the records: complete after a rush, in order after a re-run, and made again from files."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from mtbalance.config.run import BackboneChoice, BalancerChoice, RunConfig
from mtbalance.config.training import TrainingConfig
from mtbalance.records import RunRecord
from sample_records import epoch_record, run_record, write_run

PROCESSES = 8
EPOCHS = 3
TASKS = ("click", "conversion")

LOG_WHEN_ALL_ARE_READY = """
import sys, time
from pathlib import Path
from mtbalance.records import read_run
from mtbalance.tracking import log_record
path = Path(sys.argv[1])
record = read_run(path)
path.with_suffix(".ready").touch()
while not Path("go").exists():
    time.sleep(0.001)
log_record(record, path)
"""

LOGS = """
import sys
from pathlib import Path
from mtbalance.records import read_run
from mtbalance.tracking import log_record
path = Path(sys.argv[1])
log_record(read_run(path), path)
"""

WHAT_A_PLAIN_CLIENT_SEES = """
import json
from mlflow import MlflowClient
client = MlflowClient()
runs = []
for experiment in client.search_experiments():
    for run in client.search_runs([experiment.experiment_id], order_by=["attributes.start_time"]):
        history = {key: [(m.step, m.value) for m in client.get_metric_history(run.info.run_id, key)]
                   for key in run.data.metrics}
        runs.append({"experiment": experiment.name, "name": run.info.run_name, "status": run.info.status,
                     "params": run.data.params, "tags": run.data.tags, "metrics": history,
                     "artifacts": [file.path for file in client.list_artifacts(run.info.run_id)]})
print(json.dumps(runs))
"""


def run_of(dataset: str, seed: int) -> RunConfig:
    return RunConfig(
        experiment="demo",
        dataset=dataset,
        backbone=BackboneChoice(name="bottom", options={"kind": "shared_bottom"}),
        balancer=BalancerChoice(name="pub", options={"level": "update", "rule": "nash", "every": 10}),
        model={"expert": [8, 4]},
        training=TrainingConfig(epochs=EPOCHS),
        seed=seed,
    )


def evaluation(value: float) -> dict[str, Any]:
    both = {"click": value, "conversion": value + 0.1}
    return {"auc": both, "log_loss": both, "ne": both, "mean_auc": value + 0.05}


def record_of(run: RunConfig, status: str = "finished") -> RunRecord:
    """A record with round numbers that differ by seed."""
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
    return run_record(
        run,
        {task: (task, {"auc": 1, "log_loss": -1, "ne": -1}) for task in TASKS},
        epochs,
        evaluation(0.6) if finished else None,
        speed=900.0 if finished else None,
        data={"sha256": {"train": "abc", "valid": "def", "test": "ghi"}},
    )


def write(folder: Path, run: RunConfig, status: str = "finished") -> str:
    """Write a record where the workflow has it; returns its path in ``folder``."""
    return write_run(folder, run, record_of(run, status)).relative_to(folder).as_posix()


def start(folder: Path, *command: str, **variables: str) -> subprocess.Popen:
    """Start a Python process in ``folder``, with these variables and without MLflow settings of its caller."""
    settings = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW")}
    return subprocess.Popen(
        [sys.executable, *command],
        cwd=folder,
        env=settings | variables,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def output(process: subprocess.Popen) -> str:
    printed, errors = process.communicate()
    assert process.returncode == 0, errors
    return printed


def track(folder: Path, *records: str) -> str:
    return output(start(folder, "-c", "from mtbalance.cli import main; main()", "track", *records))


def seen(folder: Path) -> list[dict[str, Any]]:
    """All runs, as a client sees them that was told no address: what `mlflow ui` shows in that folder."""
    return json.loads(output(start(folder, "-c", WHAT_A_PLAIN_CLIENT_SEES)).splitlines()[-1])


def test_processes_that_start_a_store_at_once_lose_nothing(tmp_path: Path):
    runs = [run_of(dataset, seed) for dataset in ("synthetic_a", "synthetic_b") for seed in range(PROCESSES // 2)]
    paths = [write(tmp_path, run) for run in runs]
    processes = [start(tmp_path, "-c", LOG_WHEN_ALL_ARE_READY, path) for path in paths]
    while not all((tmp_path / path).with_suffix(".ready").exists() for path in paths):
        assert all(process.poll() is None for process in processes), [output(process) for process in processes]
        time.sleep(0.01)
    (tmp_path / "go").touch()
    for process in processes:
        output(process)

    found = {(run["experiment"], run["name"]): run for run in seen(tmp_path)}
    assert found.keys() == {(f"demo/{run.dataset}", f"bottom-pub-s{run.seed}") for run in runs}
    for run, path in zip(runs, paths, strict=True):
        logged_completely(found[f"demo/{run.dataset}", f"bottom-pub-s{run.seed}"], run, path)


def logged_completely(logged: dict[str, Any], run: RunConfig, path: str) -> None:
    assert logged["status"] == "FINISHED"
    assert logged["artifacts"] == [Path(path).name]
    params = logged["params"]
    assert params["balancer.options.every"] == "10"
    assert params["model.expert"] == "[8, 4]"
    assert params["training.optimizer.lr"] == "0.001"
    assert params["seed"] == str(run.seed)
    tags = {key.removeprefix("mtbalance."): value for key, value in logged["tags"].items()}
    expected = {"config": run.digest(), "data": "abc", "synthetic": "True", "record": path, "superseded": "false"}
    assert expected.items() <= tags.items()
    metrics = logged["metrics"]
    steps = range(1, EPOCHS + 1)
    assert metrics["train/loss/click"] == [[epoch, run.seed + epoch / 10] for epoch in steps]
    assert metrics["valid/auc/click"] == [[epoch, 0.5 + epoch / 10] for epoch in steps]
    assert metrics["train/weight/conversion"] == [[epoch, 1.2] for epoch in steps]
    assert metrics["search/cosine"] == [[epoch, 0.25] for epoch in steps]
    assert metrics["final_test/auc/conversion"] == [[EPOCHS, pytest.approx(0.7)]]
    assert metrics["samples_per_second"] == [[EPOCHS, 900.0]]


def test_a_run_made_again_supersedes_the_older_one(tmp_path: Path):
    again, other = write(tmp_path, run_of("synthetic_a", 0)), write(tmp_path, run_of("synthetic_a", 1))
    assert "3 runs logged" in track(tmp_path, again, other, again)
    superseded = [(run["name"], run["tags"]["mtbalance.superseded"]) for run in seen(tmp_path)]
    assert superseded == [("bottom-pub-s0", "true"), ("bottom-pub-s1", "false"), ("bottom-pub-s0", "false")]


def test_a_deleted_database_is_made_again_from_the_records(tmp_path: Path):
    paths = [write(tmp_path, run_of("synthetic_a", 0)), write(tmp_path, run_of("synthetic_a", 1), "diverged")]
    track(tmp_path, *paths)
    before = seen(tmp_path)
    assert (tmp_path / "mlflow.db").exists()
    (tmp_path / "mlflow.db").unlink()
    shutil.rmtree(tmp_path / "mlruns")
    track(tmp_path, *paths)
    assert seen(tmp_path) == before
    assert [run["status"] for run in before] == ["FINISHED", "FAILED"]


def test_a_server_that_does_not_serve_is_soon_given_up(tmp_path: Path):
    """A view must not hold up the runs: MLflow alone would ask eight times, for four minutes."""
    asked: list[str] = []

    class OutOfService(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(503)

        def log_message(self, *_: object) -> None:
            pass

    path = write(tmp_path, run_of("synthetic_a", 0))
    with ThreadingHTTPServer(("127.0.0.1", 0), OutOfService) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        process = start(tmp_path, "-c", LOGS, path, MLFLOW_TRACKING_URI=address)
        _, errors = process.communicate()
        server.shutdown()
    assert process.returncode != 0
    assert "503" in errors
    assert 1 <= len(asked) <= 3
