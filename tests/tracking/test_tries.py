"""Tries by hand in MLflow: runs of their own, beside the workflow's, which stay as they are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from mtbalance.config.by_name import record_of_try
from mtbalance.records import RunRecord, write_record
from mtbalance.tracking.content import Begun
from mtbalance.tracking.process import Message, log
from tracked_runs import STARTED, current, end, record_of, run_of, seen, track, write

LATER = "2026-11-28T13:00:00.000+00:00"
CHANGED = "MMOE+PUB (try balancer.every=5) seed 0"


def tried(every: int = 10, changes: Sequence[str] = (), started: str = STARTED) -> tuple[RunRecord, str]:
    """The record of a try, and where it has been written."""
    run = run_of(0)
    options = run.balancer.options.model_copy(update={"every": every})
    run = run.model_copy(update={"balancer": run.balancer.model_copy(update={"options": options})})
    record, path = record_of(run, started=started), record_of_try(run, changes)
    write_record(path, record.model_copy(update={"test": {**record.test, "mean_auc": 0.99}}))
    return record, str(path)


@pytest.fixture
def before(project: Path):
    """What MLflow shows of two seeds of the workflow."""
    track(*(write(project, record_of(run_of(seed))) for seed in (0, 1)))
    return workflow(project)


def workflow(project: Path):
    """All but the tries, deleted ones too."""
    return [run for run in seen(project) if run["tags"]["kind"] != "try"]


@pytest.mark.parametrize(
    ("every", "changes", "name", "tag"),
    [(5, ["balancer.every=5"], CHANGED, "balancer.every=5"), (10, [], "MMOE+PUB (try) seed 0", "")],
)
def test_a_try_is_a_run_of_its_own_beside_the_workflows(project: Path, before, every, changes, name, tag):
    record, path = tried(every, changes, LATER)
    log([Message(begun=Begun.of(record, Path(path))).model_dump_json() + "\n", *end(path)])
    assert workflow(project) == before
    ((found, run),) = current(project, "try").items()
    assert (found, run["status"], run["tags"]["changes"]) == (name, "FINISHED", tag)
    assert "mlflow.parentRunId" not in run["tags"] and run["tags"]["method"] != "MMOE+PUB"


def test_only_an_equal_try_is_replaced(project: Path, before):
    track(tried(5, ["balancer.every=5"])[1], tried(2, ["balancer.every=2"])[1])
    track(tried(5, ["balancer.every=5"], LATER)[1])
    assert workflow(project) == before
    tries = current(project, "try")
    assert tries.keys() == {CHANGED, CHANGED.replace("5", "2")}
    assert sum(run["stage"] == "deleted" for run in seen(project)) == 1


def test_a_run_of_the_workflow_replaces_no_try(project: Path):
    track(tried()[1])
    again = record_of(run_of(0), started=LATER)
    track(write(project, record_of(run_of(0))), write(project, again))
    assert len(current(project, "try")) == 1
    (row,) = current(project, "mean").values()
    assert row["tags"]["seeds"] == "0"


def test_the_same_configuration_with_another_place_of_its_record_is_a_try(project: Path, before):
    """As the command in a run's description trains it."""
    record = record_of(run_of(0), started=LATER)
    write_record(Path("again.json"), record)
    track("again.json")
    assert workflow(project) == before
    assert current(project, "try").keys() == {"MMOE+PUB (try again) seed 0"}


def test_a_killed_try_is_marked(project: Path):
    record, path = tried()
    log([Message(begun=Begun.of(record, Path(path))).model_dump_json() + "\n"])
    assert current(project, "try")["MMOE+PUB (try) seed 0"]["status"] == "KILLED"
