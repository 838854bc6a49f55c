"""train: one training run, from its configuration and its data to its record."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from contextlib import nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import Any

import torch

from mtbalance import sources
from mtbalance.balancing.balancer import assemble
from mtbalance.balancing.checking import placed, task_faults
from mtbalance.balancing.levels import Level
from mtbalance.balancing.processes import processes as processes_of
from mtbalance.config.run import RunConfig, canonical
from mtbalance.errors import UserError
from mtbalance.models.backbone import Backbone
from mtbalance.models.kept import keep_model
from mtbalance.problems import Problem, open_problem
from mtbalance.records.evaluation import Evaluation
from mtbalance.records.run import RunRecord
from mtbalance.training.checkpoint import MINUTES, Checkpoint
from mtbalance.training.evaluation import evaluate, outputs_of
from mtbalance.training.lock import alone
from mtbalance.training.loop import fit
from mtbalance.training.memory import keep_freed_memory
from mtbalance.training.predictions import Predictions, kept
from mtbalance.training.record import make_record
from mtbalance.training.sample import keep_sample
from mtbalance.training.seeding import seed_everything
from mtbalance.training.session import Session
from mtbalance.training.steps import StepLog
from mtbalance.training.stopping import Stopped
from mtbalance.training.synced_norm import synchronized
from mtbalance.training.watcher import SILENT, Watcher
from mtbalance.training.workers import together


def train(
    config: RunConfig,
    data: Path,
    *,
    checkpoint: Path | None = None,
    minutes: float = MINUTES,
    sample: Path | None = None,
    predictions: Path | None = None,
    valid_predictions: Path | None = None,
    model: Path | None = None,
    steps: Path | None = None,
    processes: int = 1,
    watcher: Watcher = SILENT,
) -> RunRecord:
    """Train one model and return its record.

    ``data`` is the folder of the prepared data set. With a ``checkpoint`` path the run is saved there after every
    epoch, every ``minutes`` within one, and on SIGTERM or Ctrl-C, which then end it between two steps
    (:class:`~mtbalance.training.stopping.Stopped`). If it was killed, it goes on from there, bit for bit. The files can
    be deleted once the record is written (:func:`~mtbalance.training.checkpoint.files`). Raises :class:`UserError` if
    another process trains the run with that path.
    With a ``sample`` path the trained model's predictions for the first test rows are kept there (npz), with a
    ``predictions`` path those for all of them (Parquet), with a ``valid_predictions`` path those for all valid rows.
    With a ``model`` path its weights are kept there (:mod:`mtbalance.models.kept`). With a ``steps`` path gradient and
    update of every training step are measured, and the numbers are kept there (Parquet). ``watcher`` receives the
    events of the run. A run whose losses stop being finite ends with the status ``diverged`` and no test metrics.

    With ``processes`` above 1, so many train together, each on its part of every batch
    (:mod:`mtbalance.training.workers`).
    """
    measured = steps is not None
    with alone(checkpoint), together(processes, partial(_follow, canonical(config), data, checkpoint, measured)):
        session = open_session(config, data, measured=measured)
        saved = Checkpoint(checkpoint, _identity(session), watcher, minutes)
        saved.restore(session)
        watcher.opened(session)
        try:
            with session.stopping.noticed() if checkpoint else nullcontext():
                test = _trained(session, saved, predictions, watcher)
                if sample:
                    keep_sample(session, sample)
                if valid_predictions:
                    _predictions(session, ["valid"] if test else []).write(valid_predictions)
        except Stopped:
            saved.save(session)
            watcher.remark("ended by a signal; the checkpoint has everything, and starting it again goes on from here")
            raise
        if model:
            keep_model(model, config, session.problem.schema.text(), session.model.state_dict() if test else {})
        if session.log and steps:
            session.log.write(steps, config.digest())
        return make_record(session, test, "diverged" if test is None else "finished")


def _follow(config: str, data: Path, checkpoint: Path | None, measured: bool) -> None:
    """Train as one of the processes after the first: from the same state, and without a file of its own."""
    session = open_session(RunConfig.model_validate_json(config), data, measured=measured)
    Checkpoint(checkpoint, _identity(session)).restore(session)
    with suppress(FloatingPointError):
        fit(session, Checkpoint(None, ""), SILENT)


def _trained(session: Session, saved: Checkpoint, predictions: Path | None, watcher: Watcher) -> Evaluation | None:
    """Train the session's model to the end. The test metrics; None if the run diverged."""
    with kept(session.problem, predictions) as rows:
        try:
            fit(session, saved, watcher)
            return _test(session, rows)
        except FloatingPointError as error:
            watcher.diverged(error)
            return None


def open_session(config: RunConfig, data: Path, *, measured: bool = False) -> Session:
    """The run at its beginning: generators seeded, data opened, model drawn; ``measured``: with a log of its steps."""
    keep_freed_memory()
    order = seed_everything(config.seed)
    device = choose_device(config.training.device)
    problem = open_problem(config, data)
    for split in problem.schema.splits:  # a damaged file is found now, and not after training
        problem.split(split)
    problem.reside(device)
    model = build_model(problem, device)
    if processes_of().size > 1:
        synchronized(model)
    level = build_balancer(config, model, [task.name for task in problem.tasks])
    session = Session(problem, model, level, order, device)
    if measured:
        session.log = StepLog(level, session.reach(), [task.name for task in problem.tasks], config.seed)
    return session


def _test(session: Session, predictions: Predictions | None) -> Evaluation:
    """The test metrics: of the best epoch's model, or the mean over the last epochs.

    The predictions are those of the best epoch's model, or of the last one's, which has been evaluated already.
    """
    training, test = session.config.training, session.problem.split("test")
    if training.selection != "last":
        return evaluate(session, test, predictions)
    if predictions is not None:
        evaluate(session, test, predictions)
    return session.history.last_evaluations(training.last_epochs)


def _predictions(session: Session, splits: Iterable[str]) -> Predictions:
    """The model's predictions for all rows of the splits."""
    predictions = Predictions(session.problem)
    for split in splits:
        for batch, outputs in outputs_of(session, session.problem.split(split)):
            predictions.add(batch, outputs)
    return predictions


def build_model(problem: Problem[Any], device: torch.device) -> Backbone:
    """A new model of the run on a device, its parameters in the run's precision."""
    double = problem.config.training.precision == "float64"
    return problem.model().to(device, torch.float64 if double else None)


def build_balancer(config: RunConfig, model: Backbone, tasks: Sequence[str]) -> Level:
    """The run's rule, at its level, with its optimizer, on the parameters of ``model``.

    Raises :class:`UserError` for an option with one value per task that does not fit the names of the ``tasks``.
    """
    faults = task_faults(config.balancer.options, tasks, f"balancers.{config.balancer.name}")
    if faults:
        raise UserError("\n".join(faults))
    options = placed(config.balancer.options, tasks)
    return assemble(options, config.training.optimizer, model.parameters(), len(tasks), config.seed)


def choose_device(name: str) -> torch.device:
    """The device of that name; ``auto`` is CUDA if there is one. Processes that train together have one each.

    Raises :class:`UserError` if there is no CUDA device, or fewer of them than processes.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and not torch.cuda.is_available():
        raise UserError("training.device is cuda, and torch finds no CUDA device here: set it to auto or cpu")
    among = processes_of()
    if name == "cpu" or among.size == 1:
        return torch.device(name)
    if among.size > torch.cuda.device_count():
        raise UserError(f"{among.size} processes need a CUDA device each, and there are {torch.cuda.device_count()}")
    return torch.device(name, among.rank)


def _identity(session: Session) -> str:
    """What a checkpoint of this run has in common with it: settings, code, data, torch, device, what is measured."""
    parts = (
        session.config.digest(),
        sources.checksum(sources.of_run(session.config)),
        session.problem.schema.text(),
        torch.__version__,
        session.device.type,
        str(session.log is not None),
        str(session.level.processes().size),
    )
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
