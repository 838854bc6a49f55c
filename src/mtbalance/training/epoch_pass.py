"""Pass: the steps of one pass over the training rows, added up; it can be saved in the middle."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from mtbalance.balancing.levels import StepReport
from mtbalance.data.batch import Batch
from mtbalance.problems import Rows
from mtbalance.records.evaluation import ByTask, Evaluation
from mtbalance.records.run import EpochRecord, EpochSeconds

ARRAYS = ("losses", "sizes", "weights")


@dataclass
class Pass:
    """What an epoch has come to so far."""

    tasks: Sequence[str]
    order: Mapping[str, Any]
    """The state of the order's generator when the pass began."""
    rows: int = 0
    data_seconds: float = 0.0
    step_seconds: float = 0.0
    losses: list[NDArray[np.float64]] = field(default_factory=list)
    """By step: the losses [K], each times its size."""
    sizes: list[NDArray[np.float64]] = field(default_factory=list)
    weights: list[NDArray[np.float64]] = field(default_factory=list)
    diagnostics: dict[str, list[float]] = field(default_factory=dict)

    def batches(self, train: Rows, batch_size: int, order: np.random.Generator) -> Iterator[Batch]:
        """The batches that are left, in an order drawn from the generator.

        A pass that goes on draws its order anew and passes over the batches that it had, so that nothing but the
        generator's state needs to be saved.
        """
        order.bit_generator.state = self.order
        batches = islice(train.batches(batch_size, order), len(self.losses), None)
        while (batch := self._next_of(batches)) is not None:
            yield batch

    def _next_of(self, batches: Iterator[Batch]) -> Batch | None:
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
            self.diagnostics.setdefault(name, []).append(value)

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

    def state_dict(self) -> dict[str, Any]:
        """The pass in plain containers, for a checkpoint."""
        arrays = {name: torch.from_numpy(np.array(getattr(self, name))) for name in ARRAYS}
        return {**vars(self), "tasks": list(self.tasks), "order": dict(self.order), **arrays}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Pass:
        """The pass that :meth:`state_dict` gave."""
        return cls(**state | {name: list(state[name].numpy()) for name in ARRAYS})

    def _by_task(self, values: NDArray[np.float64]) -> ByTask:
        return dict(zip(self.tasks, values.tolist(), strict=True))
