"""The epoch loop: train, evaluate, keep the best epoch, stop early."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mtbalance.backbones import Backbone
from mtbalance.data.batches import Batch, Split
from mtbalance.levels import Level, StepReport
from mtbalance.tasks import binary
from mtbalance.training.evaluation import evaluate


@dataclass
class Progress:
    """How far a run is: all that the loop needs to go on after an interruption, besides model and level."""

    epochs: list[dict[str, Any]] = field(default_factory=list)
    best_epoch: int = 0
    best_score: float = -np.inf
    best_model: dict[str, torch.Tensor] = field(default_factory=dict)

    def finished(self, epochs: int, patience: int) -> bool:
        """Whether the last epoch was the last: by number, or by ``patience`` epochs (0: any) without a better one."""
        done = len(self.epochs)
        return done >= epochs or bool(patience and done - self.best_epoch >= patience)

    def note(self, epoch: dict[str, Any], model: Backbone) -> None:
        """Add an epoch's report; remember the model where it is the best so far."""
        self.epochs.append(epoch)
        if epoch["evaluation"]["mean_auc"] > self.best_score:
            self.best_epoch, self.best_score = len(self.epochs), epoch["evaluation"]["mean_auc"]
            self.best_model = {name: value.detach().clone() for name, value in model.state_dict().items()}


def fit(
    model: Backbone,
    level: Level,
    train: Split,
    selection: Split,
    order: np.random.Generator,
    progress: Progress,
    *,
    epochs: int,
    batch_size: int,
    patience: int,
    device: torch.device,
    after_epoch: Callable[[Progress], None],
    after_step: Callable[[int, float], None],
) -> None:
    """Train until :meth:`Progress.finished`, then give the model its best epoch's parameters.

    ``after_epoch`` is told the progress (to save and to print it), ``after_step`` the epoch
    and the share of its rows that is done.
    """
    while not progress.finished(epochs, patience):
        number = len(progress.epochs) + 1
        batches = train.batches(batch_size, order)
        epoch = train_epoch(model, level, batches, train.rows, device, partial(after_step, number))
        began = time.perf_counter()
        epoch["evaluation"] = evaluate(model, selection, device)
        epoch["seconds"]["evaluation"] = time.perf_counter() - began
        progress.note({"epoch": number, **epoch}, model)
        after_epoch(progress)
    model.load_state_dict(progress.best_model)


def train_epoch(
    model: Backbone,
    level: Level,
    batches: Iterator[Batch],
    total: int,
    device: torch.device,
    after_step: Callable[[float], None],
) -> dict[str, Any]:
    """One pass over the batches, ``total`` rows: mean losses and weights [K], means over searches, seconds."""
    model.train()
    losses, weights, rows = [], [], 0
    diagnostics: dict[str, list[float]] = defaultdict(list)
    seconds = {"data": 0.0, "step": 0.0}
    while True:
        began = time.perf_counter()
        batch = next(batches, None)
        seconds["data"] += time.perf_counter() - began
        if batch is None:
            break
        began = time.perf_counter()
        report = train_step(model, level, batch, device)
        seconds["step"] += time.perf_counter() - began
        rows += len(batch.targets[0])
        losses.append(report.losses * len(batch.targets[0]))
        weights.append(report.weights)
        for name, value in report.diagnostics.items():
            diagnostics[name].append(value)
        after_step(rows / total)
    return {
        "train_loss": (np.sum(losses, axis=0) / rows).tolist(),
        "weights": np.mean(weights, axis=0).tolist(),
        "diagnostics": {name: float(np.mean(values)) for name, values in diagnostics.items()},
        "searches": max(map(len, diagnostics.values()), default=0),
        "samples": rows,
        "seconds": seconds,
    }


def train_step(model: Backbone, level: Level, batch: Batch, device: torch.device) -> StepReport:
    """Encode once, decode each task from its fork of the representation, and let the level do its step."""
    inputs, targets = batch.to(device)

    def losses() -> list[Tensor]:
        outputs = model.decode_all(level.fork(model.encode(inputs)))
        return [binary.loss(output, target) for output, target in zip(outputs, targets, strict=True)]

    def again() -> list[Tensor]:
        with frozen_statistics(model):
            return losses()

    return level.step(losses(), again)


@contextmanager
def frozen_statistics(model: nn.Module) -> Iterator[None]:
    """Batch norm goes on normalising by the batch, but its running statistics stay as they are."""
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm1d)]
    momenta = [module.momentum for module in norms]
    for module in norms:
        module.momentum = 0.0
    try:
        yield
    finally:
        for module, momentum in zip(norms, momenta, strict=True):
            module.momentum = momentum
