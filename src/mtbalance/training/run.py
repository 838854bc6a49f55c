"""One run: from its configuration and its data to its record."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from mtbalance import sources
from mtbalance.backbones import Backbone, build_backbone
from mtbalance.balancer import assemble
from mtbalance.config import RunConfig, task_faults
from mtbalance.data.batches import Split
from mtbalance.errors import UserError
from mtbalance.levels import Level
from mtbalance.training.checkpoint import Checkpoint
from mtbalance.training.evaluation import evaluate
from mtbalance.training.loop import Progress, fit
from mtbalance.training.record import epoch_line, make_record
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
    saved = Checkpoint(checkpoint, _identity(config, train_split))
    progress = saved.load(model, level, order) or Progress()
    status, test = "finished", None

    def after_epoch(progress: Progress) -> None:
        saved.save(progress, model, level, order)
        report(epoch_line(progress, config.training.epochs))

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
    record = make_record(config, train_split, model, progress, test, status, device)
    saved.remove()
    return record


def build_model(config: RunConfig, split: Split) -> Backbone:
    """The run's backbone, for the columns and tasks of its data."""
    schema = split.schema
    options = config.backbone.options.model_dump()
    return build_backbone(
        options.pop("kind"),
        schema.table_sizes,
        len(schema.numerical),
        len(schema.tasks),
        config.model,
        **options,
    )


def build_balancer(config: RunConfig, model: Backbone, tasks: int) -> Level:
    """The run's rule, at its level, with its optimiser, on the parameters of ``model``.

    Raises :class:`UserError` for an option with one value a task that has another number of them.
    """
    faults = task_faults(config.balancer.options, tasks, f"balancers.{config.balancer.name}")
    if faults:
        raise UserError("\n".join(faults))
    optimizer = config.training.optimizer.model_dump()
    return assemble(config.balancer.options, optimizer, model.parameters(), tasks, config.seed)


def choose_device(name: str) -> torch.device:
    """The device of that name; ``auto`` is CUDA where there is one."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)


def _identity(config: RunConfig, data: Split) -> str:
    """What must be the same for a checkpoint to be of this run: settings, code and data."""
    code = sources.checksum(sources.of_run(config))
    return f"{config.digest()}-{code}-{data.schema.splits['train'].sha256}"
