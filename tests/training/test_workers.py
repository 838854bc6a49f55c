"""Several processes train one run as one process does, resume it, and end with it."""

from __future__ import annotations

import os
import signal
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from mtbalance.balancing.processes import Processes
from mtbalance.errors import UserError
from mtbalance.records.run import RunRecord
from mtbalance.training.run import train
from mtbalance.training.seeding import seed_step
from mtbalance.training.stopping import Stopped
from mtbalance.training.synced_norm import SyncedBatchNorm
from mtbalance.training.watcher import Watcher
from mtbalance.training.workers import together
from tiny_problems import configure as scenes
from tiny_problems import prepared

WITHOUT_DROPOUT = {"epochs": 2, "batch_size": 255}
"""Batches of odd sizes, whose parts differ by a row."""


def losses(record: RunRecord) -> np.ndarray:
    """Losses and weights of every epoch."""
    return np.ravel([[*epoch.train_loss.values(), *epoch.weights.values()] for epoch in record.epochs])


def numbers(record: RunRecord) -> np.ndarray:
    """Losses, weights and test metrics."""
    return np.array([*losses(record), record.test["mean_auc"], *record.test["ne"].values()])


class Killer(Watcher):
    """Sends this process a signal after some steps."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def after_step(self, number: int, share: float) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGTERM)


@pytest.fixture
def config(configure):
    def without_dropout(balancer: str, batch_norm: bool):
        # A bias before batch norm has a gradient of nothing but rounding, which Adam would make a whole step of.
        optimizer = {"optimizer": {"name": "sgd", "lr": 0.05}} if batch_norm else {}
        found = configure(balancer, **WITHOUT_DROPOUT, **optimizer)
        sizes = {"dropout": 0.0, "batch_norm": batch_norm}
        return found.model_copy(update={"model": found.model.model_copy(update=sizes)})

    return without_dropout


CASES = [(balancer, norm) for balancer in ("ls", "nashmtl", "pub", "multibalance") for norm in (False, True)]
QUICK = [("pub", True), ("multibalance", False)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("balancer", "batch_norm"),
    [pytest.param(*case, marks=[] if case in QUICK else pytest.mark.long) for case in CASES],
)
def test_two_processes_give_the_record_of_one(config, data, balancer, batch_norm):
    alone = train(config(balancer, batch_norm), data)
    two = train(config(balancer, batch_norm), data, processes=2)
    assert (alone.environment.processes, two.environment.processes) == (1, 2)
    assert [epoch.samples for epoch in two.epochs] == [epoch.samples for epoch in alone.epochs]
    np.testing.assert_allclose(numbers(two), numbers(alone), rtol=2e-5, atol=1e-6)


@pytest.mark.slow
def test_two_processes_train_scenes_as_one_does(tmp_path):
    """Two steps, in float32: the weights of a small network's close updates magnify the rounding of sums."""
    folder = prepared("scenes", tmp_path)
    config = scenes("scenes", "pub", epochs=2, batch_size=10, optimizer={"name": "sgd", "lr": 0.01})
    np.testing.assert_allclose(losses(train(config, folder, processes=2)), losses(train(config, folder)), rtol=1e-3)


def normalized(norm: torch.nn.Module, rows: torch.Tensor, part: slice) -> list[torch.Tensor]:
    """The outputs for a part of the rows, their gradients, those of the norm's parameters, and what it remembers."""
    inputs = rows[part].clone().requires_grad_()
    outputs = norm(inputs)
    weights = torch.arange(rows.numel(), dtype=rows.dtype).view(rows.shape).cos()
    (outputs * weights[part]).sum().backward()
    return [outputs.detach(), inputs.grad, norm.weight.grad, norm.bias.grad, norm.running_mean, norm.running_var]


def normalize_last_part(folder: Path, shape: tuple[int, ...]) -> None:
    """What the second process does: its two of five rows."""
    torch.save(normalized(SyncedBatchNorm(shape[1]).double(), some_rows(shape), slice(3, 5)), folder / "last.pt")


def some_rows(shape: tuple[int, ...]) -> torch.Tensor:
    return torch.linspace(-2, 3, int(np.prod(shape)), dtype=torch.float64).exp().view(shape)


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(5, 3), (5, 3, 4, 2)])
def test_batch_norm_sees_the_whole_batch(tmp_path, shape):
    plain = torch.nn.BatchNorm1d(3) if len(shape) == 2 else torch.nn.BatchNorm2d(3)
    whole = normalized(plain.double(), some_rows(shape), slice(0, 5))
    with together(2, partial(normalize_last_part, tmp_path, shape)):
        first = normalized(SyncedBatchNorm(3).double(), some_rows(shape), slice(0, 3))
    last = torch.load(tmp_path / "last.pt")
    for name, one, other, both in zip(("outputs", "rows"), first, last, whole, strict=False):
        torch.testing.assert_close(torch.cat([one, other]), both, msg=name)
    for one, other, both in zip(first[2:4], last[2:4], whole[2:4], strict=True):
        torch.testing.assert_close(one + other, both)
    for one, other, both in zip(first[4:], last[4:], whole[4:], strict=True):
        torch.testing.assert_close(one, both)
        torch.testing.assert_close(other, both)


@pytest.mark.slow
@pytest.mark.long
def test_a_stopped_run_of_two_goes_on_bit_for_bit(configure, data, tmp_path):
    config, path = configure("pub", epochs=3), tmp_path / "run.pt"
    whole = train(config, data, processes=2)
    with pytest.raises(Stopped):
        train(config, data, processes=2, checkpoint=path, watcher=Killer(9))
    assert path.exists()
    resumed = train(config, data, processes=2, checkpoint=path)
    np.testing.assert_array_equal(numbers(resumed), numbers(whole))


def ends_early() -> None:
    """What another process does that fails."""
    os._exit(3)


def test_processes_that_train_together_draw_apart_and_the_same_again():
    def drawn(step: int, rank: int, size: int = 2) -> float:
        seed_step(3, step, Processes(size=size, rank=rank))
        return float(torch.rand(()))

    assert len({drawn(step, rank) for step in (1, 2) for rank in (0, 1)}) == 4
    assert drawn(1, 0) == drawn(1, 0) != drawn(1, 0, size=1), "a process alone draws on"


@pytest.mark.slow
def test_the_end_of_another_process_is_told():
    with pytest.raises(UserError, match="of 2 processes, 1 ended early"), together(2, ends_early) as among:
        while True:
            among.sum(torch.ones(1))


class Unreadable:
    """Cannot be read in another process, as code that fails to import."""

    def __reduce__(self):
        return ends_early, ()

    def __call__(self) -> None: ...


@pytest.mark.slow
def test_a_process_that_ends_before_it_meets_the_others_is_told():
    with pytest.raises(UserError, match="of 3 processes, 1, 2 ended early"), together(3, Unreadable()):
        pass


def test_one_process_meets_nobody(tmp_path: Path):
    with together(1, partial(ends_early)) as among:
        assert among.size == 1 and not torch.distributed.is_initialized()
