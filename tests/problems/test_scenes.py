"""Scenes as a problem: a run from its data to its record and its picture."""

import copy

import numpy as np
import pytest
from PIL import Image

from mtbalance.config import SyntheticScenesData
from mtbalance.data import prepare
from mtbalance.data.synthetic_scenes import generate
from mtbalance.params import parse
from mtbalance.problems import build_problem
from mtbalance.training.run import train
from workflow_tree import numbers

SMALL = {"adapter": "synthetic_scenes", "train_scenes": 10, "test_scenes": 5, "height": 32, "width": 64}
TRAINING = {"epochs": 3, "batch_size": 4, "selection": "last", "last_epochs": 2, "patience": 0, "augment": True}
PARAMETERS = {
    "preset": "tiny",
    "presets": {"tiny": ["tiny"]},
    "experiments": {
        "tiny": {
            "title": "Tiny scenes",
            "datasets": ["synthetic_tiny"],
            "grid": {"segnet": ["ls"], "mtan": ["ls", "pub", "multibalance", "famo"]},
            "seeds": [0],
            "model": {"problem": "scenes", "width": 2},
            "training": TRAINING | {"schedule": {"warmup": 0.2}, "channels_last": True},
            "tables": ["scenes"],
            "figures": ["scenes"],
        }
    },
    "datasets": {"synthetic_tiny": SMALL},
    "backbones": {"segnet": {"kind": "segnet"}, "mtan": {"kind": "mtan"}},
    "balancers": {
        "ls": {"level": "loss", "rule": "equal"},
        "pub": {"level": "update", "rule": "nash", "every": 2},
        "multibalance": {"level": "representation", "rule": "multibalance"},
        "famo": {"level": "loss", "rule": "famo"},
    },
}


def configure(balancer="ls", backbone="mtan", **training):
    raw = copy.deepcopy(PARAMETERS)
    raw["experiments"]["tiny"]["training"] |= training
    raw["experiments"]["tiny"]["grid"] = {backbone: [balancer]}
    return parse(raw).run("tiny", "synthetic_tiny", backbone, balancer, 0)


def quiet(*_):
    """No progress."""


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scenes")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mtbalance.data.synthetic_scenes.RAW", folder / "raw")
        generate(SyntheticScenesData(**SMALL), folder / "raw" / "synthetic_tiny")
        prepare("synthetic_tiny", SyntheticScenesData(**SMALL), folder / "prepared")
    return folder / "prepared"


class Killed(Exception):
    """Stands for the end of the process."""


@pytest.mark.parametrize("balancer", ["ls", "pub", "multibalance", "famo"])
def test_a_killed_run_goes_on_bit_for_bit(data, tmp_path, balancer):
    def kill(epoch, share):
        if epoch == 2 and share > 0.5:
            raise Killed

    with pytest.raises(Killed):
        train(configure(balancer), data, tmp_path / "run.pt", quiet, kill)
    resumed = train(configure(balancer), data, tmp_path / "run.pt", quiet, quiet)
    assert numbers(resumed) == numbers(train(configure(balancer), data, None, quiet, quiet))


def test_the_record_holds_every_metric_exact_and_by_batch(data):
    record = train(configure("pub"), data, None, quiet, quiet)
    assert record["status"] == "finished" and record["evaluated"] == "test"
    metrics = {task["name"]: set(task["metrics"]) for task in record["tasks"]}
    assert metrics["segmentation"] == {"miou", "pixel_accuracy"} and len(metrics["normal"]) == 5
    for task, names in metrics.items():
        by_batch = {f"{name}_batch_mean" for name in names} if task != "segmentation" else set()
        assert {name for name, values in record["test"].items() if task in values} == names | by_batch
    last = [epoch["evaluation"]["abs_error"]["depth"] for epoch in record["epochs"][-2:]]
    assert record["test"]["abs_error"]["depth"] == pytest.approx(np.mean(last))
    shared = record["model"]["shared"]
    assert record["rows_mb"] == pytest.approx(3 * shared * 4 / 2**20)  # K float32 rows of the shared parameters


def test_the_constant_prediction_is_that_of_the_training_pixels(data):
    problem = build_problem(configure(), data)
    facts = problem.facts()["constant"]
    classes, depths = [], []
    for batch in problem.split("test").batches(5, None):
        classes.append(batch.targets[0].numpy())
        depths.append(batch.targets[1].numpy())
    train_pixels = problem.schema.splits["train"].class_pixels
    valid = np.concatenate(classes) != -1
    share = (np.concatenate(classes)[valid] == np.argmax(train_pixels)).mean()
    assert facts["segmentation"]["pixel_accuracy"] == pytest.approx(share)
    known = np.concatenate(depths)
    known = known[known > 0].astype(np.float64)
    assert facts["depth"]["abs_error"] == pytest.approx(np.abs(known - problem.schema.mean_depth).mean(), rel=1e-5)


def test_training_lowers_every_loss(data):
    epochs = train(configure(epochs=10, batch_size=2, optimizer={"lr": 0.01}), data, None, quiet, quiet)["epochs"]
    for task in ("segmentation", "depth", "normal"):
        assert epochs[-1]["train_loss"][task] < 0.9 * epochs[0]["train_loss"][task]


def test_a_picture_shows_images_targets_and_predictions(data, tmp_path):
    train(configure(epochs=2), data, None, quiet, quiet, tmp_path / "picture.png")
    with Image.open(tmp_path / "picture.png") as picture:
        colours = picture.convert("RGB").getcolors(maxcolors=2**24)
        assert picture.format == "PNG" and picture.width > picture.height and len(colours) > 500
    assert [path.name for path in tmp_path.iterdir()] == ["picture.png"]


def test_single_task_networks_share_nothing(data):
    record = train(configure(backbone="segnet", epochs=2), data, None, quiet, quiet)
    assert record["model"]["shared"] == 0 and record["rows_mb"] == 0


def test_micro_batches_train_scenes_too(data):
    record = train(configure("pub", micro_batches=2, epochs=2), data, None, quiet, quiet)
    assert record["status"] == "finished" and record["epochs"][0]["samples"] == 10
