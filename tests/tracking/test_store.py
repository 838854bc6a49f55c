"""MLflow as a view of the records: what it shows of a run, means over seeds, and the same again from files."""

from __future__ import annotations

import json
import shlex
import shutil
from pathlib import Path
from statistics import stdev

import pytest
from mlflow import MlflowClient
from mlflow.utils.validation import _validate_metric

from mtbalance.config.run import RunConfig
from mtbalance.records.run import TaskFacts
from mtbalance.tracking.content import Begun, accepted, epoch_numbers
from mtbalance.tracking.process import log
from tracked_runs import (
    EPOCHS,
    beginning,
    current,
    end,
    record_of,
    run_of,
    seen,
    track,
    write,
)


def test_a_run_is_logged_completely(project: Path):
    run = run_of(0)
    path = write(project, record_of(run))
    track(path)
    logged = current(project)["MMOE+PUB seed 0"]
    assert (logged["experiment"], logged["status"]) == ("demo/synthetic_a", "FINISHED")
    assert logged["end"] - logged["start"] == 10_500
    assert logged["inputs"] == [("synthetic_a", "abc")]
    expected = {"method": "MMOE+PUB", "backbone": "mmoe", "balancer": "pub", "level": "update", "rule": "nash"}
    expected |= {"seed": "0", "mtbalance.config": run.digest(), "mtbalance.synthetic": "True"}
    expected |= {"mtbalance.record": path, "mlflow.parentRunId": "MMOE+PUB"}
    assert expected.items() <= logged["tags"].items()
    metrics = {name: [(step, value) for step, value, _ in values] for name, values in logged["metrics"].items()}
    steps = range(1, EPOCHS + 1)
    assert metrics["train/loss/click"] == [(epoch, epoch / 10) for epoch in steps]
    assert metrics["valid/auc/click"] == [(epoch, 0.5 + epoch / 10) for epoch in steps]
    assert metrics["train/weight/conversion"] == [(epoch, 1.2) for epoch in steps]
    assert metrics["search/cosine"] == [(epoch, 0.25) for epoch in steps]
    assert metrics["final_test/auc/conversion"] == [(0, pytest.approx(0.72))]
    assert metrics["cost/samples_per_second"] == [(0, 900.0)]
    times = [time - logged["start"] for _, _, time in logged["metrics"]["train/loss/click"]]
    assert times == [3000, 6000, 9000]  # epochs of 3 seconds


def test_parameters_are_those_that_differ_within_an_experiment(project: Path):
    track(*(write(project, record_of(run_of(0, balancer))) for balancer in ("pub", "ls")))
    params = [run["params"] for run in current(project).values()]
    assert {key.partition(".")[0] for each in params for key in each} == {"backbone", "balancer", "seed"}
    assert {each["balancer.rule"] for each in params} == {"nash", "equal"}


def test_the_description_repeats_the_run(project: Path):
    run = run_of(0)
    track(write(project, record_of(run)))
    description = current(project)["MMOE+PUB seed 0"]["tags"]["mlflow.note.content"]
    command = description.split("```shell\n")[1].removesuffix("\n```")
    words = shlex.split(command)
    assert words[:3] == ["mtbalance", "train", "--config"]
    assert RunConfig.model_validate_json(words[3]) == run


def test_a_row_has_the_mean_over_finished_seeds(project: Path):
    records = [record_of(run_of(seed)) for seed in range(3)] + [record_of(run_of(3), "diverged")]
    paths = [write(project, record) for record in records]
    track(paths[1], paths[0], paths[3], paths[2])
    (row,) = current(project, "mean").values()
    assert (row["name"], row["tags"]["seeds"]) == ("MMOE+PUB", "0, 1, 2 (1 diverged)")
    last = {name: max(values, key=lambda value: value[2])[1] for name, values in row["metrics"].items()}
    found = [record.test["auc"]["click"] for record in records[:3]]
    assert last["final_test/auc/click"] == pytest.approx(sum(found) / 3)
    assert last["final_test_sd/auc/click"] == pytest.approx(stdev(found))


def test_seeds_of_another_configuration_are_not_averaged(project: Path):
    old = run_of(0).model_copy(update={"training": run_of(0).training.model_copy(update={"batch_size": 7})})
    paths = [write(project, record_of(old)), write(project, record_of(run_of(1)))]
    track(*paths)
    means = [run for run in seen(project) if run["tags"]["kind"] == "mean"]
    assert sorted(run["tags"]["seeds"] for run in means) == ["0", "1"]


def test_a_run_made_again_hides_the_older_one(project: Path):
    again, other = record_of(run_of(0), started="2026-11-28T12:00:05.000+00:00"), record_of(run_of(1))
    track(write(project, record_of(run_of(0))), write(project, other))
    track(write(project, again))
    stages = [(run["name"], run["stage"]) for run in seen(project) if run["tags"]["kind"] == "run"]
    assert sorted(stages) == [
        ("MMOE+PUB seed 0", "active"),
        ("MMOE+PUB seed 0", "deleted"),
        ("MMOE+PUB seed 1", "active"),
    ]
    (row,) = current(project, "mean").values()
    assert row["tags"]["seeds"] == "0, 1"


def test_a_row_without_seeds_goes_too(project: Path):
    track(write(project, record_of(run_of(0))))
    log(beginning(record_of(run_of(0), started="2026-11-28T13:00:00.000+00:00"), epochs=1))
    (row,) = current(project, "mean").values()
    assert row["metrics"] == {}  # the new run has no result yet


def test_a_record_without_times_can_be_logged_again(project: Path):
    path = write(project, record_of(run_of(0), started=None))
    track(path, path)
    assert current(project)["MMOE+PUB seed 0"]["status"] == "FINISHED"


def test_a_deleted_store_is_made_again_from_the_records(project: Path, empty: Path):
    """The same as was logged while the runs went on."""
    records = [record_of(run_of(0)), record_of(run_of(1), "diverged"), record_of(run_of(0, "ls"))]
    paths = [write(project, record) for record in records]
    for record, path in zip(records, paths, strict=True):
        log(beginning(record, epochs=2) + end(path))
    before = comparable(project)
    assert [run["status"] for run in before] == ["FINISHED", "FINISHED", "FINISHED", "FINISHED", "FAILED"]
    shutil.rmtree("mlartifacts")
    shutil.copy(empty, "mlflow.db")
    track(*paths)
    assert comparable(project) == before


def comparable(folder: Path):
    """All that is the same in every store: without ids, without the logging process, without when means were taken."""
    found = seen(folder)
    for run in found:
        run.pop("id")
        run["artifacts"] = run["artifacts"].split("/")[:3]
        run["tags"].pop("mtbalance.process", None)
        if run["tags"]["kind"] == "mean":
            run["metrics"] = {
                name: max(values, key=lambda value: value[2])[:2] for name, values in run["metrics"].items()
            }
    return sorted(found, key=lambda run: run["name"])


def test_artifacts_are_found_after_the_folder_was_moved(project: Path, monkeypatch):
    path = write(project, record_of(run_of(0)))
    picture = project / "results/figures/demo/predictions/synthetic_a-mmoe-pub-seed-0.png"
    picture.parent.mkdir(parents=True)
    picture.write_bytes(b"a picture")
    track(path)
    moved = project.rename(project.parent / "moved")
    found = current(moved)["MMOE+PUB seed 0"]["artifacts"]
    assert found.startswith("mlflow-artifacts:/")
    place = moved / "mlartifacts" / found.removeprefix("mlflow-artifacts:/")
    assert {file.name for file in place.iterdir()} == {"seed-0.json", picture.name}
    assert (place / "seed-0.json").read_bytes() == (moved / path).read_bytes()


def test_views_are_sorted_by_the_score_that_chooses_epochs(project: Path):
    """Where a regression is among the tasks, that is not the mean AUC."""
    record = record_of(run_of(0))
    flow = TaskFacts(name="flow", title="Flow", metrics={"rmse": -1, "r2": 1})
    test = record.test | {"rmse": {"flow": 0.5}, "r2": {"flow": 0.7}, "mean_score": 0.7}
    track(write(project, record.model_copy(update={"tasks": [*record.tasks, flow], "test": test})))
    tags = MlflowClient().get_experiment_by_name("demo/synthetic_a").tags
    for name in ("methods", "seeds"):
        state = json.loads(json.loads(tags[f"mlflow.sharedViewState.{name}"])["state"])
        assert (state["orderByKey"], state["orderByAsc"]) == ("metrics.`final_test/mean_score`", False)
        columns = [column for column in state["selectedColumns"] if column.startswith("metrics.`final_test/")]
        assert columns[:2] == ["metrics.`final_test/mean_score`", "metrics.`final_test/mean_auc`"]


def test_every_name_of_a_task_has_a_metric_of_its_own(tmp_path):
    tasks = ["spend > 5", "a&b", "a|b", "a/b", "..", "../up", "<b>", "it's $5", "Click", "click", "\u58f2\u4e0a", " x"]
    run = run_of(0)
    record = record_of(run)
    losses = {task: 0.01 * place for place, task in enumerate(tasks)}
    epoch = record.epochs[0].model_copy(update={"train_loss": losses, "weights": losses})
    begun = Begun.of(record, tmp_path / "record.json")
    found = {name: value for name, value, *_ in epoch_numbers(begun, [epoch])}
    for name in found:
        _validate_metric(name, 0.5, 0, 0)
    assert [found[f"train/loss/{accepted(task)}"] for task in tasks] == list(losses.values())
    assert accepted("click rate_2") == "click rate_2"
