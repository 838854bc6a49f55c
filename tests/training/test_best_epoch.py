"""The best epoch: of one model for all tasks, and of each task's own model where nothing is shared."""

import numpy as np
import pytest
import torch
from torch import nn

from mtbalance.records.run import EpochRecord, EpochSeconds
from mtbalance.reporting.choice import valid_score
from mtbalance.training.history import History
from mtbalance.training.run import train
from watched_runs import Killed, Kills, numbers

TASKS = ("click", "conversion")
SHORT = {"epochs": 12, "patience": 2, "selection": "test", "optimizer": {"lr": 0.03}}


@pytest.fixture
def separate(configure, data):
    return train(configure(backbone="single_task", **SHORT), data)


def of_task(record, task):
    """The task's AUC after each epoch."""
    return [epoch.evaluation["auc"][task] for epoch in record.epochs]


def until_patience_ends(scores, patience):
    """The epoch that a model which is trained alone would have chosen."""
    best = 0
    for epoch, score in enumerate(scores):
        if epoch - best >= patience + 1:
            break
        best = epoch if score > scores[best] else best
    return best + 1


def test_separate_models_have_a_best_epoch_each(separate):
    """Selected on the test split, the reported numbers are those of each task's best epoch."""
    assert len(set(separate.best_epochs.values())) == 2  # else the test says nothing
    for task in TASKS:
        assert separate.best_epochs[task] == until_patience_ends(of_task(separate, task), 2)
        assert separate.test["auc"][task] == of_task(separate, task)[separate.best_epochs[task] - 1]
        assert separate.test["ne"][task] == separate.epochs[separate.best_epochs[task] - 1].evaluation["ne"][task]
    assert separate.best_epoch == max(separate.best_epochs.values())
    assert len(separate.epochs) in (12, separate.best_epoch + 2)
    assert separate.test["mean_auc"] == pytest.approx(np.mean([separate.test["auc"][task] for task in TASKS]))


def test_one_model_has_one_best_epoch(configure, data):
    record = train(configure(**SHORT), data)
    assert record.best_epochs == {}
    assert record.test == record.epochs[record.best_epoch - 1].evaluation


def test_the_score_of_separate_models_is_the_mean_of_their_own(configure, data):
    record = train(configure(backbone="single_task", **SHORT | {"selection": "valid"}), data)
    own = [of_task(record, task)[record.best_epochs[task] - 1] for task in TASKS]
    assert valid_score(record) == pytest.approx(np.mean(own), abs=1e-15)


def test_a_killed_run_of_separate_models_goes_on_bit_for_bit(configure, data, tmp_path, separate):
    config, checkpoint = configure(backbone="single_task", **SHORT), tmp_path / "run.pt"
    with pytest.raises(Killed):
        train(config, data, checkpoint=checkpoint, watcher=Kills(epoch=4, share=0.5))
    assert numbers(train(config, data, checkpoint=checkpoint)) == numbers(separate)


def test_a_model_that_has_ended_stays_as_it_is():
    """After two epochs without a better one a model has ended, even if a later epoch would be better."""
    history, models = History(), {"one": nn.Linear(1, 1, bias=False), "two": nn.Linear(1, 1, bias=False)}
    scores = {"one": [0.5, 0.4, 0.4, 0.9], "two": [0.5, 0.6, 0.7, 0.8]}
    for number in range(4):
        assert not history.finished(9, 2)
        for model in models.values():
            nn.init.constant_(model.weight, number + 1)
        history.add(_epoch(number + 1), models, {name: own[number] for name, own in scores.items()}, 2)
    assert {name: best.epoch for name, best in history.best.items()} == {"one": 1, "two": 4}
    assert history.best_epoch == 4
    history.restore(models)
    assert [model.weight.item() for model in models.values()] == [1, 4]
    history.add(_epoch(5), models, {"one": 1.0, "two": 0.1}, 2)
    history.add(_epoch(6), models, {"one": 1.0, "two": 0.1}, 2)
    assert history.finished(9, 2)


@pytest.mark.parametrize("backbone", ["single_task", "mmoe"])
def test_the_parts_are_the_whole(configure, data, backbone):
    from mtbalance.training.run import open_session

    session = open_session(configure(backbone=backbone), data)
    parts = [value for model in session.models().values() for value in model.state_dict().values()]
    assert sorted(map(torch.Tensor.data_ptr, parts)) == sorted(
        value.data_ptr() for value in session.model.state_dict().values()
    )


def _epoch(number):
    seconds = EpochSeconds(data=0, step=1, evaluation=0)
    return EpochRecord(
        epoch=number, train_loss={}, weights={}, diagnostics={}, searches=0, samples=1, seconds=seconds, evaluation={}
    )
