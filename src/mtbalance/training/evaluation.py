"""Metrics of a model on one split."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from mtbalance.data.batch import Batch
from mtbalance.errors import UserError
from mtbalance.problems import Rows
from mtbalance.records.evaluation import ByTask, Evaluation
from mtbalance.training.predictions import Predictions
from mtbalance.training.session import Session
from mtbalance.training.step import predict


def evaluate(session: Session, split: Rows, predictions: Predictions | None = None) -> Evaluation:
    """Every metric of every task over all rows of the split, and the problem's numbers for all tasks together.

    ``predictions`` gathers the outputs. Raises ``FloatingPointError`` if an output is not finite, ``UserError`` if a
    metric is not defined.
    """
    problem = session.problem
    meters = [task.meter() for task in problem.tasks]
    for batch, outputs in outputs_of(session, split):
        if not all(torch.isfinite(output).all() for output in outputs):
            raise FloatingPointError("the model's outputs are not finite")
        for meter, output, target in zip(meters, outputs, batch.targets, strict=True):
            meter.add(output, target)
        if predictions is not None:
            predictions.add(batch, outputs)
    metrics: dict[str, ByTask] = {}
    for task, meter in zip(problem.tasks, meters, strict=True):
        try:
            found = meter.result()
        except UserError as error:
            raise UserError(f"{session.config.dataset}, {split.name}, task {task.name}: {error}") from None
        for metric, value in found.items():
            metrics.setdefault(metric, {})[task.name] = value
    return {**metrics, **problem.summarize(metrics)}


def outputs_of(session: Session, split: Rows) -> Iterator[tuple[Batch, list[Tensor]]]:
    """The rows of the split in batches, in file order, each with the outputs of every task.

    Raises :class:`~mtbalance.training.stopping.Stopped` if the run was asked to end.
    """
    for batch in split.batches(session.problem.evaluation_batch, None):
        session.stopping.check()
        batch = batch.to(session.device)
        yield batch, predict(session.model, batch.inputs, session.config.training)
