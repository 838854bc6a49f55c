"""The epoch loop: train, evaluate, keep the best epoch, stop early."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from mtbalance.balancing.levels import StepReport
from mtbalance.config.training import TrainingConfig
from mtbalance.data.batch import Batch
from mtbalance.records.run import ByTask, EpochRecord, EpochSeconds, Evaluation
from mtbalance.training.checkpoint import Checkpoint
from mtbalance.training.evaluation import evaluate
from mtbalance.training.schedule import rate_factor, set_rate
from mtbalance.training.session import Session
from mtbalance.training.step import sizes_of, train_step
from mtbalance.training.watcher import Watcher


def fit(session: Session, checkpoint: Checkpoint, watcher: Watcher) -> None:
    """Train until the history says that it is finished, then give the model its best epoch's parameters.

    After every epoch the session is saved. Raises ``FloatingPointError`` if losses or outputs stop being finite.
    """
    training, history = session.config.training, session.history
    watched = session.problem.split(evaluated_split(training))
    score = None if training.selection == "last" else session.problem.score
    while not history.finished(training.epochs, training.patience):
        passed = train_epoch(session, watcher)
        began = time.perf_counter()
        evaluation = evaluate(session, watched)
        epoch = passed.record(len(history.epochs) + 1, evaluation, time.perf_counter() - began)
        history.add(epoch, session.model, _number(evaluation, score) if score else None)
        checkpoint.save(session)
        watcher.after_epoch(history)
    if history.best_model:
        session.model.load_state_dict(history.best_model)


def evaluated_split(training: TrainingConfig) -> str:
    """The split that is evaluated after every epoch: the one that selects, or test if none does."""
    return "test" if training.selection == "last" else training.selection


def train_epoch(session: Session, watcher: Watcher) -> Pass:
    """Train on every row once, in an order drawn from the session's generator."""
    session.model.train()
    training, level, tasks = session.config.training, session.level, session.problem.tasks
    train = session.problem.split("train")
    batches = train.batches(training.batch_size, session.order)
    steps = -(-train.rows // training.batch_size) * training.epochs
    number = len(session.history.epochs) + 1
    passed = Pass([task.name for task in tasks])
    while (batch := passed.next_of(batches)) is not None:
        began = time.perf_counter()
        rate = training.optimizer.lr * rate_factor(training.schedule, level.steps, steps, training.epochs)
        set_rate(level.optimizer, rate)
        report = train_step(session.model, tasks, level, batch, session.device, training)
        passed.add(report, len(batch.targets[0]), sizes_of(tasks, batch), time.perf_counter() - began)
        if session.log:
            session.log.add(number, report.weights)
        watcher.after_step(number, passed.rows / train.rows)
    if session.log:
        session.log.read()
    return passed


class Pass:
    """The steps of one pass over the training rows, added up."""

    def __init__(self, tasks: Sequence[str]) -> None:
        self.tasks = tasks
        self.rows = 0
        self.data_seconds = self.step_seconds = 0.0
        self.losses: list[NDArray[np.float64]] = []
        self.sizes: list[NDArray[np.float64]] = []
        self.weights: list[NDArray[np.float64]] = []
        self.diagnostics: dict[str, list[float]] = defaultdict(list)

    def next_of(self, batches: Iterator[Batch]) -> Batch | None:
        """The next batch, or None at the end. The wait for it counts as time for data."""
        began = time.perf_counter()
        batch = next(batches, None)
        self.data_seconds += time.perf_counter() - began
        return batch

    def add(self, report: StepReport, rows: int, sizes: NDArray[np.float64], seconds: float) -> None:
        """Add a step on so many rows, whose losses [K] count by ``sizes`` [K]."""
        self.step_seconds += seconds
        self.rows += rows
        self.losses.append(report.losses * sizes)
        self.sizes.append(sizes)
        self.weights.append(report.weights)
        for name, value in report.diagnostics.items():
            self.diagnostics[name].append(value)

    def record(self, number: int, evaluation: Evaluation, seconds: float) -> EpochRecord:
        """The pass as epoch ``number``, with the evaluation after it, which took so many seconds."""
        return EpochRecord(
            epoch=number,
            train_loss=self._by_task(np.sum(self.losses, axis=0) / np.sum(self.sizes, axis=0)),
            weights=self._by_task(np.mean(self.weights, axis=0)),
            diagnostics={name: float(np.mean(values)) for name, values in self.diagnostics.items()},
            searches=max(map(len, self.diagnostics.values()), default=0),
            samples=self.rows,
            seconds=EpochSeconds(data=self.data_seconds, step=self.step_seconds, evaluation=seconds),
            evaluation=evaluation,
        )

    def _by_task(self, values: NDArray[np.float64]) -> ByTask:
        return dict(zip(self.tasks, values.tolist(), strict=True))


def _number(evaluation: Evaluation, name: str) -> float:
    """The number for all tasks together of that name."""
    value = evaluation[name]
    assert isinstance(value, float), f"{name} is a metric of single tasks"
    return value
