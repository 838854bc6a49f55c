"""Runs in MLflow while they train: from their start, killed, resumed, many at once, and with a store that fails."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pytest

from mtbalance import places
from mtbalance.records import write_record
from mtbalance.tracking.content import Begun
from mtbalance.tracking.live import Tracker
from mtbalance.tracking.process import log
from mtbalance.tracking.store import Store
from mtbalance.training.run import train
from mtbalance.training.watcher import Watcher, Watchers
from tiny_problems import configure, prepared
from tracked_runs import EPOCHS, beginning, current, end, placed, record_of, run_of, seen, track, write

PROCESSES = 8
LATER = "2026-11-28T13:00:00.000+00:00"


def logging_process(**variables: str) -> subprocess.Popen:
    """The process that logs a run, waiting for its messages."""
    command = [sys.executable, "-m", "mtbalance.tracking.process"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(command, text=True, env=os.environ | variables, **pipes)


def until(condition: Callable[[], bool]) -> None:
    """Wait until something is so; a minute at most."""
    for _ in range(600):
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError("a minute went by")


@pytest.mark.slow
def test_a_run_is_there_while_it_trains(project: Path, tmp_path: Path):
    """And in the end it is what its record says."""

    class Looks(Watcher):
        def after_epoch(self, history):
            if len(history.epochs) == 2:
                until(lambda: any("train/loss/click" in each["metrics"] for each in current(project).values()))
                seen_then.update(current(project))

    seen_then = {}
    run, data = configure("ranking"), prepared("ranking", tmp_path)
    path = Path(places.RECORD.format(**run.wildcards))
    tracker = Tracker(path)
    record = train(run, data, watcher=Watchers([tracker, Looks()]))
    write_record(path, record)
    assert tracker.finish() is None
    ((name, then),), ((_, now),) = seen_then.items(), current(project).items()
    assert (name, then["status"], then["end"]) == ("MMOE (LS) seed 0", "RUNNING", None)
    assert (then["id"], now["status"]) == (now["id"], "FINISHED")
    values = [value for _, value, _ in now["metrics"]["train/loss/click"]]
    assert values == [epoch.train_loss["click"] for epoch in record.epochs]
    assert now["end"] - now["start"] >= 1000 * sum(epoch.seconds.step for epoch in record.epochs)


def test_a_killed_run_is_marked_and_goes_on_where_it_was(project: Path):
    record = record_of(run_of(0))
    log(beginning(record, epochs=2))
    killed = current(project)["MMOE+PUB seed 0"]
    assert killed["status"] == "KILLED"
    assert len(killed["metrics"]["train/loss/click"]) == 2
    log(beginning(record, epochs=EPOCHS) + end(write(project, record)))
    resumed = current(project)["MMOE+PUB seed 0"]
    assert (resumed["id"], resumed["status"], resumed["start"]) == (killed["id"], "FINISHED", killed["start"])
    assert [step for step, _, _ in resumed["metrics"]["train/loss/click"]] == [1, 2, 3]


def test_a_killed_run_that_begins_again_is_current_once(project: Path):
    log(beginning(record_of(run_of(0)), epochs=2))
    log(beginning(record_of(run_of(0), started=LATER), epochs=1))
    stages = {run["start"]: (run["stage"], run["status"]) for run in seen(project) if run["tags"]["kind"] == "run"}
    assert [stages[start] for start in sorted(stages)] == [("deleted", "KILLED"), ("active", "KILLED")]
    current(project)


@pytest.mark.slow
def test_a_run_whose_logging_process_was_killed_does_not_go_on_for_ever(project: Path):
    process = logging_process()
    process.stdin.write("".join(beginning(record_of(run_of(0)), epochs=1)))
    process.stdin.flush()
    until(lambda: "MMOE+PUB seed 0" in current(project))
    assert current(project)["MMOE+PUB seed 0"]["status"] == "RUNNING"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    log(beginning(record_of(run_of(1))))
    assert current(project)["MMOE+PUB seed 0"]["status"] == "KILLED"


@pytest.mark.long
def test_processes_that_start_a_store_at_once_lose_nothing(project: Path):
    (project / "mlflow.db").unlink()
    records = [record_of(run_of(seed, name)) for name in ("pub", "ls") for seed in range(PROCESSES // 2)]
    told = ["".join(beginning(record, EPOCHS) + end(write(project, record))) for record in records]
    processes = [logging_process() for _ in records]
    writers = [Thread(target=process.communicate, args=pair) for process, *pair in zip(processes, told, strict=True)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [process.returncode for process in processes] == [0] * PROCESSES
    runs, methods = current(project), ("MMOE+PUB", "MMOE (LS)")
    assert runs.keys() == {f"{name} seed {seed}" for name in methods for seed in range(PROCESSES // 2)}
    for each in runs.values():
        assert each["status"] == "FINISHED"
        assert [step for step, _, _ in each["metrics"]["valid/auc/click"]] == list(range(1, EPOCHS + 1))
    means = current(project, "mean")
    assert {name: row["tags"]["seeds"] for name, row in means.items()} == dict.fromkeys(methods, "0, 1, 2, 3")


@pytest.mark.slow
def test_a_store_that_cannot_be_written_to_is_said_once(project: Path):
    record = record_of(run_of(0))
    path = write(project, record)
    readable = f"sqlite:///file:{project}/mlflow.db?mode=ro&uri=true"
    process = logging_process(MLFLOW_TRACKING_URI=readable)
    said, _ = process.communicate("".join(beginning(record, EPOCHS) + end(path)))
    assert process.returncode == 1 and "readonly database" in said and "\n" not in said
    assert seen(project) == []
    track(path)
    assert current(project)["MMOE+PUB seed 0"]["status"] == "FINISHED"


@pytest.mark.parametrize(("then", "expected"), [("0", ""), ("1 / 0", "ZeroDivisionError: division by zero")])
def test_what_mlflow_prints_is_no_failure(then: str, expected: str):
    script = f"from mtbalance.tracking import process; process.log = lambda lines: (print('View run'), {then})"
    process = subprocess.run([sys.executable, "-c", f"{script}; process.main()"], capture_output=True, text=True)
    assert (process.stdout, process.returncode) == (expected, int(bool(expected)))


@pytest.mark.long
def test_a_locked_store_is_said_once_and_the_run_can_be_logged_later(project: Path):
    record = record_of(run_of(0))
    path = write(project, record)
    process = logging_process()
    process.stdin.write("".join(beginning(record, epochs=1)))
    process.stdin.flush()
    until(lambda: any("train/loss/click" in each["metrics"] for each in current(project).values()))
    with sqlite3.connect(project / "mlflow.db") as other:
        other.execute("BEGIN EXCLUSIVE")
        said, _ = process.communicate("".join(end(path)))
        other.rollback()
    assert process.returncode == 1 and "locked" in said and "\n" not in said
    assert (project / path).exists()
    track(path)
    logged = current(project)["MMOE+PUB seed 0"]
    assert logged["status"] == "FINISHED"
    assert [step for step, _, _ in logged["metrics"]["train/loss/click"]] == [1, 2, 3]


def test_runs_of_another_machine_are_left_alone(project: Path):
    store = Store()
    id = store.begin(Begun.of(*placed(record_of(run_of(0)))))
    store.client.set_tag(id, "mtbalance.process", "another 1")
    store.mark_ended(store.client.get_run(id).info.experiment_id)
    assert current(project)["MMOE+PUB seed 0"]["status"] == "RUNNING"
