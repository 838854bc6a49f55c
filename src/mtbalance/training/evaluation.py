"""Metrics of a model on one split."""

from __future__ import annotations

import torch

from mtbalance.backbones import Backbone
from mtbalance.errors import UserError
from mtbalance.problems import Evaluation, Problem, Rows
from mtbalance.training.step import predict


def evaluate(model: Backbone, problem: Problem, split: Rows, device: torch.device) -> Evaluation:
    """Every metric of every task over all rows of the split: {metric: {task: value}}, and the problem's summary.

    Raises ``FloatingPointError`` where an output is not finite, ``UserError`` where a metric is not defined.
    """
    meters = [task.meter() for task in problem.tasks]
    for batch in split.batches(problem.evaluation_batch, None):
        inputs, targets = batch.to(device)
        outputs = predict(model, inputs, problem.config.training)
        if not all(torch.isfinite(output).all() for output in outputs):
            raise FloatingPointError("the model's outputs are not finite")
        for meter, output, target in zip(meters, outputs, targets, strict=True):
            meter.add(output, target)
    report: Evaluation = {}
    for task, meter in zip(problem.tasks, meters, strict=True):
        try:
            found = meter.result()
        except UserError as error:
            raise UserError(f"{problem.config.dataset}, {split.name}, task {task.name}: {error}") from None
        for metric, value in found.items():
            report.setdefault(metric, {})[task.name] = value
    return report | problem.summarise(report)
