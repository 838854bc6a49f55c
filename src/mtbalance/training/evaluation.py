"""Metrics of a model on one split."""

from __future__ import annotations

import numpy as np
import torch

from mtbalance.backbones import Backbone
from mtbalance.data.batches import Split
from mtbalance.errors import UserError
from mtbalance.tasks import binary

EVALUATION_BATCH = 8192


@torch.no_grad()
def evaluate(model: Backbone, split: Split, device: torch.device) -> dict:
    """{"auc" | "log_loss" | "ne": {task: value}, "mean_auc": value} over all rows of the split.

    Raises ``FloatingPointError`` where an output is not finite.
    """
    model.eval()
    logits, targets = [], []
    for batch in split.batches(EVALUATION_BATCH, None):
        outputs = model(batch.to(device).inputs)
        logits.append(torch.stack(outputs).double().cpu().numpy())
        targets.append(torch.stack(batch.targets).numpy().astype(np.int8))
    scores, labels = np.concatenate(logits, axis=1), np.concatenate(targets, axis=1)
    if not np.isfinite(scores).all():
        raise FloatingPointError("the model's outputs are not finite")
    found = {}
    for task, score, label in zip(split.schema.tasks, scores, labels, strict=True):
        try:
            found[task.name] = binary.metrics(score, label)
        except UserError as error:
            raise UserError(f"{split.schema.dataset}, {split.name}, task {task.name}: {error}") from None
    report = {metric: {task: values[metric] for task, values in found.items()} for metric in ("auc", "log_loss", "ne")}
    return report | {"mean_auc": float(np.mean(list(report["auc"].values())))}
