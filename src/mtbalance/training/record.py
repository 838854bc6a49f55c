"""The record of a run, and the lines that tell of it."""

from __future__ import annotations

from typing import Any

import torch

from mtbalance import sources
from mtbalance.backbones import Backbone
from mtbalance.levels import Level
from mtbalance.problems import Evaluation, Problem
from mtbalance.sharing import sharing
from mtbalance.training.environment import environment, peak_memory
from mtbalance.training.loop import Progress, evaluated_split

FORMAT = 2


def make_record(
    problem: Problem,
    model: Backbone,
    level: Level,
    progress: Progress,
    test: Evaluation | None,
    status: str,
    device: torch.device,
) -> dict[str, Any]:
    """The record of a run: what it was asked, what it was made with, and what came of it."""
    config = problem.config
    tasks = [task.name for task in problem.tasks]
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
        "tasks": [{"name": task.name, "title": task.title, "metrics": task.metrics} for task in problem.tasks],
        "data": problem.facts(),
        "environment": environment(device),
        "model": _sizes(model, problem, device),
        "epochs": [_named(epoch, tasks) for epoch in progress.epochs],
        "evaluated": evaluated_split(config.training),
        "selection": config.training.selection,
        "best_epoch": progress.best_epoch,
        "test": test,
        "speed": {
            "samples_per_second": samples / seconds["step"] if samples else None,
            "samples_per_second_with_data": samples / (seconds["step"] + seconds["data"]) if samples else None,
        },
        "peak_memory_mb": peak_memory(device),
        "rows_mb": level.row_bytes / 2**20,
        "status": status,
    }


def _named(epoch: dict[str, Any], tasks: list[str]) -> dict[str, Any]:
    """The epoch's report with task names in place of positions."""
    by_task = {key: dict(zip(tasks, epoch[key], strict=True)) for key in ("train_loss", "weights")}
    return epoch | by_task


def _sizes(model: Backbone, problem: Problem, device: torch.device) -> dict[str, int]:
    """Numbers of parameters: all, shared, of single tasks; read off the graph of one row."""
    batch = next(problem.split("test").batches(1, None)).to(device)
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
    losses = ", ".join(f"{value:.4f}" for value in epoch["train_loss"])
    weights = ", ".join(f"{value:.3g}" for value in epoch["weights"])
    rate = epoch["samples"] / epoch["seconds"]["step"]
    best = " (best so far)" if progress.best_model and progress.best_epoch == epoch["epoch"] else ""
    return (
        f"epoch {epoch['epoch']}/{epochs}: {_scores(epoch['evaluation'])}{best}; "
        f"train loss {losses}; weights {weights}; {rate:,.0f} samples/s"
    )


def summary_line(record: dict[str, Any]) -> str:
    """What a run came to, in one line."""
    if record["test"] is None:
        return f"{record['status']} after {len(record['epochs'])} epochs"
    chosen = "last epochs" if record["selection"] == "last" else f"epoch {record['best_epoch']}"
    return f"test {_scores(record['test'])}, {chosen} of {len(record['epochs'])}"


def _scores(evaluation: Evaluation) -> str:
    """The first metric of every task, by name."""
    first: dict[str, str] = {}
    for metric, values in evaluation.items():
        for task, value in values.items() if isinstance(values, dict) else [("", values)]:
            first.setdefault(task, f"{task} {metric} {value:.4f}".strip())
    return ", ".join(first.values())
