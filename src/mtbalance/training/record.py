"""The record of a run, and the lines that tell of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from mtbalance import sources
from mtbalance.backbones import Backbone
from mtbalance.config import RunConfig
from mtbalance.data.batches import Split
from mtbalance.sharing import sharing
from mtbalance.training.environment import environment, peak_memory
from mtbalance.training.loop import Progress

FORMAT = 1


def make_record(
    config: RunConfig,
    split: Split,
    model: Backbone,
    progress: Progress,
    test: dict[str, Any] | None,
    status: str,
    device: torch.device,
) -> dict[str, Any]:
    """The record of a run: what it was asked, what it was made with, and what came of it."""
    schema = split.schema
    tasks = [task.name for task in schema.tasks]
    seconds = {part: sum(epoch["seconds"][part] for epoch in progress.epochs) for part in ("data", "step")}
    samples = sum(epoch["samples"] for epoch in progress.epochs)
    return {
        "format": FORMAT,
        "run": {
            "experiment": config.experiment,
            "dataset": config.dataset,
            "backbone": config.backbone.name,
            "balancer": config.balancer.name,
            "seed": config.seed,
        },
        "config": config.model_dump(mode="json"),
        "digest": config.digest(),
        "code": sources.checksum(sources.of_run(config)),
        "tasks": [{"name": task.name, "title": task.title} for task in schema.tasks],
        "data": {
            "synthetic": schema.synthetic,
            "sha256": {name: part.sha256 for name, part in schema.splits.items()},
            "rows": {name: part.rows for name, part in schema.splits.items()},
            "rates": {name: part.rates for name, part in schema.splits.items()},
            "best_auc": schema.best_auc,
        },
        "environment": environment(device),
        "model": _sizes(model, split, device),
        "epochs": [_named(epoch, tasks) for epoch in progress.epochs],
        "selection": config.training.selection,
        "best_epoch": progress.best_epoch,
        "test": test,
        "speed": {
            "samples_per_second": samples / seconds["step"] if samples else None,
            "samples_per_second_with_data": samples / (seconds["step"] + seconds["data"]) if samples else None,
        },
        "peak_memory_mb": peak_memory(device),
        "status": status,
    }


def _named(epoch: dict[str, Any], tasks: list[str]) -> dict[str, Any]:
    """The epoch's report with task names in place of positions."""
    by_task = {key: dict(zip(tasks, epoch[key], strict=True)) for key in ("train_loss", "weights")}
    return epoch | by_task


def _sizes(model: Backbone, split: Split, device: torch.device) -> dict[str, int]:
    """Numbers of parameters: all, shared, of single tasks; read off the graph of one row."""
    batch = next(split.batches(1, None)).to(device)
    model.eval()
    outputs = model(batch.inputs)
    found = sharing([output.sum() for output in outputs], list(model.parameters()))
    return {
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "shared": sum(parameter.numel() for parameter in found.shared),
        "private": sum(parameter.numel() for own in found.own for parameter in own),
    }


def epoch_line(progress: Progress, epochs: int) -> str:
    """How the last epoch went, in one line."""
    epoch = progress.epochs[-1]
    scores = ", ".join(f"{task} {value:.4f}" for task, value in epoch["evaluation"]["auc"].items())
    losses = ", ".join(f"{value:.4f}" for value in epoch["train_loss"])
    weights = ", ".join(f"{value:.3g}" for value in epoch["weights"])
    rate = epoch["samples"] / epoch["seconds"]["step"]
    best = ", best so far" if progress.best_epoch == epoch["epoch"] else ""
    return (
        f"epoch {epoch['epoch']}/{epochs}: AUC {scores} (mean {epoch['evaluation']['mean_auc']:.4f}{best}); "
        f"train loss {losses}; weights {weights}; {rate:,.0f} samples/s"
    )


def summary_line(record: dict[str, Any]) -> str:
    """What a run came to, in one line."""
    if record["test"] is None:
        return f"{record['status']} after {len(record['epochs'])} epochs"
    scores = ", ".join(f"{task} {value:.4f}" for task, value in record["test"]["auc"].items())
    mean = np.mean(list(record["test"]["auc"].values()))
    return f"test AUC {scores} (mean {mean:.4f}) with epoch {record['best_epoch']}"
