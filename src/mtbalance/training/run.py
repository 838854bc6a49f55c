"""One run: from its configuration and its data to its record."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from mtbalance import sources
from mtbalance.backbones import Backbone
from mtbalance.balancer import assemble
from mtbalance.config import RunConfig, task_faults
from mtbalance.errors import UserError
from mtbalance.levels import Level
from mtbalance.problems import Evaluation, Problem, build_problem
from mtbalance.training.checkpoint import Checkpoint
from mtbalance.training.evaluation import evaluate
from mtbalance.training.loop import Progress, fit
from mtbalance.training.record import epoch_line, make_record
from mtbalance.training.seeding import seed_everything
from mtbalance.training.step import predict

Report = Callable[[str], None]
PICTURED = 3
"""Rows of the test split in a picture of predictions: the first ones."""


def train(
    config: RunConfig,
    data: Path,
    checkpoint: Path | None,
    report: Report,
    after_step: Callable[[int, float], None],
    picture: Path | None = None,
) -> dict[str, Any]:
    """Train one model and return its record.

    ``data`` is the folder of the prepared data set. With a ``checkpoint`` path the run is saved there after every
    epoch, and goes on from there, bit for bit, if it was killed; the file may go once the record is safe. With a
    ``picture`` path what the trained model predicts is drawn there. A run whose losses stop being finite ends with the
    status ``diverged`` and no test metrics.
    Raises :class:`UserError` for a picture of what cannot be looked at.
    """
    order = seed_everything(config.seed)
    device = choose_device(config.training.device)
    problem = build_problem(config, data)
    if picture and not problem.pictured:
        raise UserError(f"{config.model.problem} has no picture of its predictions: leave out --picture")
    model = problem.model().to(device)
    level = build_balancer(config, model, len(problem.tasks))
    saved = Checkpoint(checkpoint, _identity(config, problem))
    progress = saved.load(model, level, order) or Progress()
    status, test = "finished", None

    def after_epoch(progress: Progress) -> None:
        saved.save(progress, model, level, order)
        report(epoch_line(progress, config.training.epochs))

    try:
        fit(model, problem, level, order, progress, device=device, after_epoch=after_epoch, after_step=after_step)
        test = _test(model, problem, progress, device)
    except FloatingPointError as error:
        status = "diverged"
        report(f"diverged: {error}")
    if picture:
        batch = next(problem.split("test").batches(PICTURED, None)).to(device)
        problem.illustrate(batch, predict(model, batch.inputs, config.training), picture)
    return make_record(problem, model, level, progress, test, status, device)


def _test(model: Backbone, problem: Problem, progress: Progress, device: torch.device) -> Evaluation:
    """The test metrics: of the best epoch's model, or the mean over the last epochs."""
    if problem.config.training.selection == "last":
        return progress.last_evaluations(problem.config.training.last_epochs)
    return evaluate(model, problem, problem.split("test"), device)


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


def _identity(config: RunConfig, problem: Problem) -> str:
    """What must be the same for a checkpoint to be of this run: settings, code and data."""
    code = sources.checksum(sources.of_run(config))
    return f"{config.digest()}-{code}-{problem.schema.splits['train'].sha256}"
