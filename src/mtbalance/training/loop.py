"""The epoch loop: train, evaluate, keep the best epoch, stop early."""

from __future__ import annotations

import time

from mtbalance.config.training import TrainingConfig
from mtbalance.training.checkpoint import Checkpoint
from mtbalance.training.epoch_pass import Pass
from mtbalance.training.evaluation import evaluate
from mtbalance.training.parts import sizes_of
from mtbalance.training.schedule import rate_factor, set_rate
from mtbalance.training.seeding import seed_step
from mtbalance.training.session import Session
from mtbalance.training.step import train_step
from mtbalance.training.watcher import Watcher


def fit(session: Session, checkpoint: Checkpoint, watcher: Watcher) -> None:
    """Train until the history says that it is finished, then give each model its best epoch's parameters.

    After every epoch the session is saved, and every few minutes within one. Raises ``FloatingPointError`` if losses or
    outputs stop being finite, and :class:`~mtbalance.training.stopping.Stopped` if the run was asked to end.
    """
    training, history = session.config.training, session.history
    watched, models = session.problem.split(evaluated_split(training)), session.models()
    while not history.finished(training.epochs, training.patience):
        passed = train_epoch(session, checkpoint, watcher)
        began = time.perf_counter()
        evaluation = evaluate(session, watched)
        epoch = passed.record(len(history.epochs) + 1, evaluation, time.perf_counter() - began)
        session.passed = None
        scores = {} if training.selection == "last" else session.scores(evaluation)
        history.add(epoch, models, scores, training.patience)
        checkpoint.save(session)
        watcher.after_epoch(history)
    history.restore(models)


def evaluated_split(training: TrainingConfig) -> str:
    """The split that is evaluated after every epoch: the one that selects, or test if none does."""
    return "test" if training.selection == "last" else training.selection


def train_epoch(session: Session, checkpoint: Checkpoint, watcher: Watcher) -> Pass:
    """Train on every row once, in an order drawn from the session's generator; or on those that are left."""
    session.model.train()
    training, level, tasks = session.config.training, session.level, session.problem.tasks
    train = session.problem.split("train")
    steps = -(-train.rows // training.batch_size) * training.epochs
    number = len(session.history.epochs) + 1
    passed = session.passed or Pass([task.name for task in tasks], session.order.bit_generator.state)
    session.passed = passed
    for batch in passed.batches(train, training.batch_size, session.order):
        began = time.perf_counter()
        rate = training.optimizer.lr * rate_factor(training.schedule, level.steps, steps, training.epochs)
        set_rate(level.optimizer, rate)
        seed_step(session.config.seed, level.steps, level.processes())
        report = train_step(session.model, tasks, level, batch, session.device, training)
        passed.add(report, len(batch.targets[0]), sizes_of(tasks, batch), time.perf_counter() - began)
        if session.log:
            session.log.add(number, report.weights)
        watcher.after_step(number, passed.rows / train.rows)
        checkpoint.save_if_due(session)
        session.stopping.check()
    if session.log:
        session.log.read()
    return passed
