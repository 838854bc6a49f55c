"""A run that is ended at any step, in any way, goes on bit for bit; a damaged checkpoint changes no number."""

import errno
import os
import shutil
import signal

import pytest
import torch

from mtbalance.data.ranking.schema import RankingSchema
from mtbalance.errors import UserError
from mtbalance.training.checkpoint import files
from mtbalance.training.lock import alone
from mtbalance.training.run import train
from mtbalance.training.stopping import Stopped
from mtbalance.training.watcher import Watcher
from watched_runs import Killed, Kills, numbers


class Tells(Watcher):
    """Keeps the steps and the remarks; sends itself a signal at a step."""

    def __init__(self, number=None, at=None):
        self.number, self.at = number, at
        self.steps, self.remarks = [], []

    def after_step(self, epoch, share):
        self.steps.append((epoch, share))
        if self.at and (epoch, share) >= self.at:
            self.at = None
            os.kill(os.getpid(), self.number)

    def remark(self, text):
        self.remarks.append(text)


@pytest.fixture
def whole(configure, data):
    return numbers(train(configure(), data))


@pytest.mark.parametrize("balancer", ["ls", "nashmtl", "pub", "multibalance"])
def test_a_run_killed_within_an_epoch_goes_on_at_the_very_step(configure, data, tmp_path, balancer):
    run, path = configure(balancer), tmp_path / "run.pt"
    with pytest.raises(Killed):
        train(run, data, checkpoint=path, minutes=0, watcher=Kills(epoch=3, share=0.5))
    seen = Tells()
    resumed = train(run, data, checkpoint=path, watcher=seen)
    epoch, share = seen.steps[0]
    assert epoch == 3 and share >= 0.5, "the steps before were not trained again"
    assert numbers(resumed) == numbers(train(run, data))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_run_between_two_steps_and_nothing_is_lost(configure, data, tmp_path, whole, number):
    path, before = tmp_path / "run.pt", signal.getsignal(number)
    first = Tells(number, (2, 0.3))
    with pytest.raises(Stopped) as stopped:
        train(configure(), data, checkpoint=path, watcher=first)
    assert stopped.value.code == 128 + number and signal.getsignal(number) is before
    assert first.remarks[-1].startswith("ended by a signal")
    second = Tells()
    assert numbers(train(configure(), data, checkpoint=path, watcher=second)) == whole
    assert len({*first.steps, *second.steps}) == len(first.steps) + len(second.steps), "no step was taken twice"


def test_a_signal_in_an_evaluation_is_noticed_there(configure, data, tmp_path, whole):
    path = tmp_path / "run.pt"
    first, second = Tells(signal.SIGTERM, (2, 1.0)), Tells()
    with pytest.raises(Stopped):
        train(configure(), data, checkpoint=path, watcher=first)
    assert numbers(train(configure(), data, checkpoint=path, watcher=second)) == whole
    assert second.steps[0][0] == 3, "epoch 2 was evaluated again, and not trained"


def flipped(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def cut(path):
    path.write_bytes(path.read_bytes()[:-1000])


def emptied(path):
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [flipped, cut, emptied])
def test_a_damaged_checkpoint_is_told_and_the_one_before_is_taken(configure, data, tmp_path, whole, damage):
    path, seen = tmp_path / "run.pt", Tells()
    with pytest.raises(Killed):
        train(configure(), data, checkpoint=path, watcher=Kills(epoch=4, share=0.5))
    damage(path)
    assert numbers(train(configure(), data, checkpoint=path, watcher=seen)) == whole
    assert seen.remarks == [f"{path} is passed over: it is damaged: its checksum is of other content"]
    assert seen.steps[0][0] == 3, "the checkpoint before the last one was made after epoch 2"


def test_with_both_damaged_the_run_begins_again(configure, data, tmp_path, whole):
    path, seen = tmp_path / "run.pt", Tells()
    with pytest.raises(Killed):
        train(configure(), data, checkpoint=path, watcher=Kills(epoch=4, share=0.5))
    for file in files(path):
        flipped(file)
    assert numbers(train(configure(), data, checkpoint=path, watcher=seen)) == whole
    assert len(seen.remarks) == 2 and seen.steps[0][0] == 1


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), RuntimeError("failed writing")])
def test_a_full_disk_costs_the_checkpoint_and_not_the_run(configure, data, tmp_path, whole, monkeypatch, error):
    def fails(*_):
        raise error

    monkeypatch.setattr(torch, "save", fails)
    seen = Tells()
    assert numbers(train(configure(), data, checkpoint=tmp_path / "run.pt", watcher=seen)) == whole
    assert len(seen.remarks) == 4 and "training goes on without it" in seen.remarks[0]
    assert not list(tmp_path.iterdir())


def test_one_process_at_a_time_trains_a_run(configure, data, tmp_path):
    path = tmp_path / "run.pt"
    with alone(path), pytest.raises(UserError, match=rf"process {os.getpid()} is training this run already"):
        train(configure(), data, checkpoint=path)
    train(configure(), data, checkpoint=path)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["run.before.pt", "run.pt"]


def test_a_checkpoint_of_another_manifest_is_passed_over(configure, data, tmp_path):
    """A valid split of its own, for example: the record would mix two evaluations."""
    other = shutil.copytree(data, tmp_path / "other")
    RankingSchema.read(data).model_copy(update={"split_rule": "another"}).save(other)
    path, seen = tmp_path / "run.pt", Tells()
    with pytest.raises(Killed):
        train(configure(), data, checkpoint=path, watcher=Kills(epoch=3, share=0.5))
    train(configure(), other, checkpoint=path, watcher=seen)
    assert seen.steps[0][0] == 1
