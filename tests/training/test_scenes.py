"""Runs on scenes: images, three dense tasks, no single score."""

import numpy as np
import pytest

from mtbalance.training.run import train
from mtbalance.training.watcher import Watcher
from tiny_problems import configure, prepared
from watched_runs import numbers


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return prepared("scenes", tmp_path_factory.mktemp("scenes"))


class Killed(Exception):
    """Stands for the end of the process."""


class Kills(Watcher):
    """Ends the process in the second half of the second epoch."""

    def after_step(self, epoch, share):
        if epoch == 2 and share > 0.5:
            raise Killed


@pytest.mark.parametrize("balancer", ["ls", "pub", "multibalance", "famo"])
def test_a_killed_run_goes_on_bit_for_bit(data, tmp_path, balancer):
    run = configure("scenes", balancer)
    with pytest.raises(Killed):
        train(run, data, checkpoint=tmp_path / "run.pt", watcher=Kills())
    resumed = train(run, data, checkpoint=tmp_path / "run.pt")
    assert numbers(resumed) == numbers(train(run, data))


def test_the_record_holds_every_metric_exact_and_by_batch(data):
    record = train(configure("scenes", "pub"), data)
    assert record.status == "finished" and record.evaluated == "test"
    metrics = {task.name: set(task.metrics) for task in record.tasks}
    assert metrics["segmentation"] == {"miou", "pixel_accuracy"} and len(metrics["normal"]) == 5
    for task, names in metrics.items():
        by_batch = {f"{name}_batch_mean" for name in names} if task != "segmentation" else set()
        assert {name for name, values in record.test.items() if task in values} == names | by_batch
    last = [epoch.evaluation["abs_error"]["depth"] for epoch in record.epochs[-2:]]
    assert record.test["abs_error"]["depth"] == pytest.approx(np.mean(last))
    # K float32 rows of the shared parameters
    assert record.rows_mb == pytest.approx(3 * record.model.shared * 4 / 2**20)


def test_training_lowers_every_loss(data):
    epochs = train(configure("scenes", epochs=10, batch_size=2, optimizer={"lr": 0.01}), data).epochs
    for task in ("segmentation", "depth", "normal"):
        assert epochs[-1].train_loss[task] < 0.9 * epochs[0].train_loss[task]


def test_tasks_that_are_predicted_worse_than_by_a_constant_are_named(data):
    record = train(configure("scenes", epochs=2, optimizer={"lr": 1e-9}), data)
    first = {"segmentation": ("miou", 1), "depth": ("abs_error", -1), "normal": ("mean_angle", -1)}
    constant = {task: record.data.constant[task][metric] for task, (metric, _) in first.items()}
    gains = {task: sign * (record.test[metric][task] - constant[task]) for task, (metric, sign) in first.items()}
    worse = [task for task, gain in gains.items() if gain < 0]
    named = [sign for sign in record.unconverged if "a constant prediction has" in sign]
    assert worse and [sign.split()[3] for sign in named] == worse
    assert all(f"has {constant[task]:.3g}" in sign for task, sign in zip(worse, named, strict=True))


def test_single_task_networks_share_nothing(data):
    record = train(configure("scenes", backbone="segnet", epochs=2), data)
    assert record.model.shared == 0 and record.rows_mb == 0


def test_micro_batches_train_scenes_too(data):
    record = train(configure("scenes", "pub", micro_batches=2, epochs=2), data)
    assert record.status == "finished" and record.epochs[0].samples == 10
