"""One run: from its configuration and its data to its record."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mtbalance import sources
from mtbalance.backbones import Backbone, build_backbone
from mtbalance.balancer import assemble
from mtbalance.config import RunConfig
from mtbalance.data.batches import Split
from mtbalance.levels import Level
from mtbalance.sharing import sharing
from mtbalance.training.checkpoint import Checkpoint
from mtbalance.training.environment import environment, peak_memory
from mtbalance.training.evaluation import evaluate
from mtbalance.training.loop import Progress, fit
from mtbalance.training.seeding import seed_everything

Report = Callable[[str], None]


def train(
    config: RunConfig,
    data: Path,
    checkpoint: Path | None,
    report: Report,
    after_step: Callable[[int, float], None],
) -> dict[str, Any]:
    """Train one model and return its record.

    ``data`` is the folder of the prepared data set. With a ``checkpoint`` path the run is saved there after every
    epoch, and goes on from there, bit for bit, if it was killed. A run whose losses stop being finite ends with the
    status ``diverged`` and no test metrics.
    """
    order = seed_everything(config.seed)
    device = choose_device(config.training.device)
    train_split, selection = Split(data, "train"), Split(data, config.training.selection)
    model = build_model(config, train_split).to(device)
    level = build_balancer(config, model, len(train_split.schema.tasks))
    saved = Checkpoint(checkpoint, f"{config.digest()}-{code_checksum(config)}")
    progress = saved.load(model, level, order) or Progress()
    status, test = "finished", None

    def after_epoch(progress: Progress) -> None:
        saved.save(progress, model, level, order)
        report(_line(progress, config.training.epochs))

    try:
        fit(
            model,
            level,
            train_split,
            selection,
            order,
            progress,
            epochs=config.training.epochs,
            batch_size=config.training.batch_size,
            patience=config.training.patience,
            device=device,
            after_epoch=after_epoch,
            after_step=after_step,
        )
        test = evaluate(model, Split(data, "test"), device)
    except FloatingPointError as error:
        status = "diverged"
        report(f"diverged: {error}")
    record = _record(config, train_split, model, progress, test, status, device)
    saved.remove()
    return record


def build_model(config: RunConfig, split: Split) -> Backbone:
    """The run's backbone, for the columns and tasks of its data."""
    schema = split.schema
    options = config.backbone.options.model_dump()
    return build_backbone(
        options.pop("kind"),
        [len(column.vocabulary) + 1 for column in schema.categorical],
        len(schema.numerical),
        len(schema.tasks),
        config.model,
        **options,
    )


def build_balancer(config: RunConfig, model: Backbone, tasks: int) -> Level:
    """The run's rule, at its level, with its optimiser, on the parameters of ``model``."""
    optimizer = config.training.optimizer.model_dump()
    return assemble(config.balancer.options, optimizer, model.parameters(), tasks, config.seed)


def choose_device(name: str) -> torch.device:
    """The device of that name; ``auto`` is CUDA where there is one."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)


def code_checksum(config: RunConfig) -> str:
    """Checksum of the source files that the run depends on."""
    return sources.checksum(sources.of_run(config))


def _record(
    config: RunConfig,
    split: Split,
    model: Backbone,
    progress: Progress,
    test: dict[str, Any] | None,
    status: str,
    device: torch.device,
) -> dict[str, Any]:
    schema = split.schema
    tasks = [task.name for task in schema.tasks]
    seconds = {part: sum(epoch["seconds"][part] for epoch in progress.epochs) for part in ("data", "step")}
    samples = sum(epoch["samples"] for epoch in progress.epochs)
    return {
        "format": 1,
        "run": {
            "experiment": config.experiment,
            "dataset": config.dataset,
            "backbone": config.backbone.name,
            "balancer": config.balancer.name,
            "seed": config.seed,
        },
        "config": config.model_dump(mode="json"),
        "digest": config.digest(),
        "code": code_checksum(config),
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
    batch = next(split.batches(1, None))
    model.eval()
    outputs = model(tuple(tensor.to(device) for tensor in batch.inputs))
    found = sharing([output.sum() for output in outputs], list(model.parameters()))
    return {
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "shared": sum(parameter.numel() for parameter in found.shared),
        "private": sum(parameter.numel() for own in found.own for parameter in own),
    }


def _line(progress: Progress, epochs: int) -> str:
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
