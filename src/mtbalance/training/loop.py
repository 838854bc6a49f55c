"""The epoch loop: train, evaluate, keep the best epoch, stop early."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import torch

from mtbalance.backbones import Backbone
from mtbalance.config import TrainingConfig
from mtbalance.data.batch import Batch
from mtbalance.levels import Level
from mtbalance.problems import Evaluation, Problem, Rows
from mtbalance.training.evaluation import evaluate
from mtbalance.training.schedule import rate_factor
from mtbalance.training.step import train_step


@dataclass
class Progress:
    """How far a run is: all that the loop needs to go on after an interruption, besides model and level."""

    epochs: list[dict[str, Any]] = field(default_factory=list)
    best_epoch: int = 0
    best_score: float = -np.inf
    best_model: dict[str, torch.Tensor] = field(default_factory=dict)
    """The best epoch's; empty where no epoch is chosen."""

    def finished(self, epochs: int, patience: int) -> bool:
        """Whether the last epoch was the last: by number, or by ``patience`` epochs (0: any) without a better one."""
        done = len(self.epochs)
        return done >= epochs or bool(patience and done - self.best_epoch >= patience)

    def note(self, epoch: dict[str, Any], model: Backbone, score: float | None) -> None:
        """Add an epoch's report; remember the model where its score is the best so far.

        Without a score the last epoch is the one that counts.
        """
        self.epochs.append(epoch)
        if score is None:
            self.best_epoch = len(self.epochs)
        elif score > self.best_score:
            self.best_epoch, self.best_score = len(self.epochs), score
            self.best_model = {name: value.detach().clone() for name, value in model.state_dict().items()}

    def last_evaluations(self, count: int) -> Evaluation:
        """Every number of the evaluations, as its mean over the last ``count`` epochs."""
        return _mean([epoch["evaluation"] for epoch in self.epochs[-count:]])


def fit(
    model: Backbone,
    problem: Problem,
    level: Level,
    order: np.random.Generator,
    progress: Progress,
    *,
    device: torch.device,
    after_epoch: Callable[[Progress], None],
    after_step: Callable[[int, float], None],
) -> None:
    """Train until :meth:`Progress.finished`, then give the model its best epoch's parameters.

    ``after_epoch`` is told the progress (to save and to print it), ``after_step`` the epoch
    and the share of its rows that is done.
    """
    training = problem.config.training
    train, watched = problem.split("train"), problem.split(evaluated_split(training))
    score = None if training.selection == "last" else problem.score
    while not progress.finished(training.epochs, training.patience):
        number = len(progress.epochs) + 1
        epoch = train_epoch(model, problem, level, train, order, device, partial(after_step, number))
        began = time.perf_counter()
        epoch["evaluation"] = evaluate(model, problem, watched, device)
        epoch["seconds"]["evaluation"] = time.perf_counter() - began
        progress.note({"epoch": number, **epoch}, model, score and epoch["evaluation"][score])
        after_epoch(progress)
    if progress.best_model:
        model.load_state_dict(progress.best_model)


def evaluated_split(training: TrainingConfig) -> str:
    """The split that is evaluated after every epoch: test, where nothing is selected on it."""
    return "test" if training.selection == "last" else training.selection


def train_epoch(
    model: Backbone,
    problem: Problem,
    level: Level,
    train: Rows,
    order: np.random.Generator,
    device: torch.device,
    after_step: Callable[[float], None],
) -> dict[str, Any]:
    """One pass over the rows: mean losses and weights [K], means over searches, seconds."""
    model.train()
    training = problem.config.training
    batches = train.batches(training.batch_size, order)
    steps = -(-train.rows // training.batch_size) * training.epochs
    losses, weights, rows = [], [], 0
    diagnostics: dict[str, list[float]] = defaultdict(list)
    seconds = {"data": 0.0, "step": 0.0}
    while (batch := _timed_next(batches, seconds)) is not None:
        began = time.perf_counter()
        level.optimizer.scale_rate(rate_factor(training.schedule, level.steps, steps, training.epochs))
        report = train_step(model, problem.tasks, level, batch, device, training)
        seconds["step"] += time.perf_counter() - began
        rows += len(batch.targets[0])
        losses.append(report.losses * len(batch.targets[0]))
        weights.append(report.weights)
        for name, value in report.diagnostics.items():
            diagnostics[name].append(value)
        after_step(rows / train.rows)
    return {
        "train_loss": (np.sum(losses, axis=0) / rows).tolist(),
        "weights": np.mean(weights, axis=0).tolist(),
        "diagnostics": {name: float(np.mean(values)) for name, values in diagnostics.items()},
        "searches": max(map(len, diagnostics.values()), default=0),
        "samples": rows,
        "seconds": seconds,
    }


def _timed_next(batches: Iterator[Batch], seconds: dict[str, float]) -> Batch | None:
    began = time.perf_counter()
    batch = next(batches, None)
    seconds["data"] += time.perf_counter() - began
    return batch


def _mean(trees: list[Any]) -> Any:
    """Number by number, the mean of trees of one shape."""
    if isinstance(trees[0], Mapping):
        return {key: _mean([tree[key] for tree in trees]) for key in trees[0]}
    return float(np.mean(trees))
