import copy

import numpy as np
import pytest
import torch

from mtbalance.config import RunConfig
from mtbalance.errors import UserError
from mtbalance.tasks import binary
from mtbalance.training.run import train


def quiet(*_):
    """No progress."""


def numbers(record):
    """What must be the same whenever the run is the same: everything but timings and memory."""
    record = copy.deepcopy(record)
    for key in ("speed", "peak_memory_mb", "environment"):
        del record[key]
    for epoch in record["epochs"]:
        del epoch["seconds"]
    return record


@pytest.mark.parametrize("balancer", ["ls", "nashmtl", "pub", "multibalance"])
def test_the_same_seed_gives_the_same_numbers(configure, data, balancer):
    first = train(configure(balancer), data, None, quiet, quiet)
    assert numbers(train(configure(balancer), data, None, quiet, quiet)) == numbers(first)
    assert first["status"] == "finished" and len(first["epochs"]) == 4


def test_another_seed_gives_other_numbers(configure, data):
    one, two = (train(configure(seed=seed), data, None, quiet, quiet) for seed in (0, 1))
    assert one["test"] != two["test"]


def test_values_for_another_number_of_tasks_are_refused_at_the_start(configure, data):
    famo = {"name": "famo", "options": {"level": "loss", "rule": "famo", "min_losses": [0.0, 0.0, 0.0]}}
    config = RunConfig.model_validate(configure().model_dump() | {"balancer": famo})
    with pytest.raises(UserError, match=r"^balancers\.famo\.min_losses: 3 values, not 2$"):
        train(config, data, None, quiet, quiet)


class Killed(Exception):
    """Stands for the end of the process."""


@pytest.mark.parametrize("balancer", ["ls", "nashmtl", "pub", "multibalance"])
def test_a_killed_run_goes_on_bit_for_bit(configure, data, tmp_path, balancer):
    checkpoint = tmp_path / "run.pt"

    def kill_in_epoch_three(epoch, share):
        if epoch == 3 and share > 0.5:
            raise Killed

    with pytest.raises(Killed):
        train(configure(balancer), data, checkpoint, quiet, kill_in_epoch_three)
    assert checkpoint.exists()
    lines = []
    resumed = train(configure(balancer), data, checkpoint, lines.append, quiet)
    assert len(lines) == 2, "only the last two epochs were trained"
    assert numbers(resumed) == numbers(train(configure(balancer), data, None, quiet, quiet))
    assert checkpoint.exists()  # until the record is safe


def test_a_checkpoint_of_other_settings_is_passed_over(configure, data, tmp_path):
    checkpoint = tmp_path / "run.pt"
    with pytest.raises(Killed):
        train(configure(epochs=5), data, checkpoint, quiet, lambda epoch, share: kill(epoch))
    fresh = train(configure(), data, checkpoint, quiet, quiet)
    assert numbers(fresh) == numbers(train(configure(), data, None, quiet, quiet))


def kill(epoch):
    if epoch == 2:
        raise Killed


def test_early_stopping_returns_the_best_epoch(configure, data):
    record = train(configure(epochs=30, patience=2), data, None, quiet, quiet)
    scores = [epoch["evaluation"]["mean_auc"] for epoch in record["epochs"]]
    assert record["best_epoch"] == int(np.argmax(scores)) + 1
    assert len(scores) == 30 or len(scores) == record["best_epoch"] + 2


def test_the_best_epochs_model_is_the_one_tested(configure, data):
    """Selected on the test split, the reported test metrics are those of the best epoch."""
    record = train(configure(epochs=6, selection="test"), data, None, quiet, quiet)
    assert record["test"] == record["epochs"][record["best_epoch"] - 1]["evaluation"]
    assert record["selection"] == "test"


def test_without_a_selection_the_last_epochs_are_averaged(configure, data):
    record = train(configure(selection="last", last_epochs=3), data, None, quiet, quiet)
    evaluations = [epoch["evaluation"] for epoch in record["epochs"]]
    expected = np.mean([evaluation["ne"]["click"] for evaluation in evaluations[-3:]])
    assert record["test"]["ne"]["click"] == pytest.approx(expected, abs=1e-15)
    assert record["test"]["mean_auc"] != evaluations[-1]["mean_auc"]
    assert record["evaluated"] == "test" and record["best_epoch"] == 4


def test_bfloat16_is_near_float32_and_not_the_same(configure, data):
    exact, rough = (
        train(configure(precision=precision), data, None, quiet, quiet) for precision in ("float32", "bfloat16")
    )
    losses = [record["epochs"][0]["train_loss"]["click"] for record in (exact, rough)]
    assert losses[0] != losses[1] and losses[0] == pytest.approx(losses[1], rel=0.02)


def test_a_diverged_run_says_so(configure, data, monkeypatch):
    def broken(logits, targets):
        return (logits * torch.inf).mean()

    monkeypatch.setattr(binary, "loss", broken)
    lines = []
    record = train(configure(), data, None, lines.append, quiet)
    assert record["status"] == "diverged" and record["test"] is None
    assert "not finite at step 1" in lines[-1]


def test_the_record_holds_what_a_reader_needs(configure, data):
    record = train(configure("pub"), data, None, quiet, quiet)
    assert record["digest"] == configure("pub").digest()
    assert record["data"]["synthetic"] is True and set(record["data"]["best_auc"]["test"]) == {"click", "conversion"}
    assert record["environment"]["threads"] == 1 and record["environment"]["torch"] == torch.__version__
    sizes = record["model"]
    assert sizes["parameters"] == sizes["shared"] + sizes["private"]
    first = record["epochs"][0]
    assert first["searches"] == 2 and first["samples"] == 1500  # steps 1 and 4 of 6
    assert {"cosine", "joint_norm", "weight_sum", "residual", "fallback"} <= set(first["diagnostics"])
    assert first["diagnostics"]["residual"] < 1e-10


def test_progress_reaches_the_end_of_every_epoch(configure, data):
    seen = []
    train(configure(epochs=2), data, None, quiet, lambda epoch, share: seen.append((epoch, share)))
    assert [share for epoch, share in seen if epoch == 2][-1] == 1.0 and seen == sorted(seen)


def test_a_picture_of_what_cannot_be_looked_at_is_refused_before_training(configure, data, tmp_path):
    seen = []
    with pytest.raises(UserError, match="ranking has no picture"):
        train(configure(), data, None, quiet, lambda *step: seen.append(step), tmp_path / "picture.png")
    assert not seen
