"""The cost of training, from a few steps: seconds of a training step and of an evaluation, by the row."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch

from mtbalance.config.run import RunConfig
from mtbalance.config.training import TrainingConfig
from mtbalance.data.batch import Batch
from mtbalance.training.clock import now
from mtbalance.training.environment import processor
from mtbalance.training.run import choose_device, open_session
from mtbalance.training.session import Session
from mtbalance.training.step import predict, train_step

SMALLEST_SHARE = 64
"""The first batch is this part of a whole one, and each further one twice as large."""


class RowSeconds(NamedTuple):
    """Seconds that one row takes."""

    step: float
    """In a training step."""
    evaluation: float
    """In an evaluation."""
    rows: int
    """Rows of the batch that was timed."""


def seconds_a_row(config: RunConfig, data: Path, budget: float) -> RowSeconds:
    """Time training steps of a run on the prepared data set in ``data``, within about ``budget`` seconds.

    Batches grow up to the run's batch size, as long as the budget allows; the last one counts. A smaller one makes a
    row look dearer, never cheaper. The first step, at the smallest size, warms up.
    """
    session = open_session(config, data)
    whole = config.training.batch_size
    rows, began = max(whole // SMALLEST_SHARE, 1), time.perf_counter()
    _timed(session, rows)
    while True:
        seconds = _timed(session, rows)
        left = budget - (time.perf_counter() - began)
        if rows >= whole or left < 3 * seconds:  # twice the rows, and an evaluation
            break
        rows = min(2 * rows, whole)
    batch = _batch(session, rows)
    evaluation = _seconds(session, lambda: predict(session.model, batch.to(session.device).inputs, config.training))
    return RowSeconds(seconds / rows, evaluation / rows, rows)


def device_in_words(training: TrainingConfig) -> str:
    """The device's name; of a CPU, one core."""
    device = choose_device(training.device)
    return torch.cuda.get_device_name(device) if device.type == "cuda" else f"one core ({processor()})"


def _timed(session: Session, rows: int) -> float:
    """Seconds of one training step with so many rows."""
    batch = _batch(session, rows)
    session.model.train()
    arguments = (session.problem.tasks, session.level, batch, session.device, session.config.training)
    return _seconds(session, lambda: train_step(session.model, *arguments))


def _batch(session: Session, rows: int) -> Batch:
    return next(iter(session.problem.split("train").batches(rows, session.order)))


def _seconds(session: Session, work: Callable[[], Any]) -> float:
    """Seconds that the work takes."""
    began = now(session.device)
    work()
    return now(session.device) - began
