"""train: one training run, from its configuration and its data to its record."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import torch

from mtbalance import sources
from mtbalance.balancing.balancer import assemble
from mtbalance.balancing.checking import placed, task_faults
from mtbalance.balancing.levels import Level
from mtbalance.config.run import RunConfig
from mtbalance.errors import UserError
from mtbalance.models.backbone import Backbone
from mtbalance.models.kept import keep_model
from mtbalance.problems import open_problem
from mtbalance.records.run import Evaluation, RunRecord
from mtbalance.training.checkpoint import Checkpoint
from mtbalance.training.evaluation import evaluate, outputs_of
from mtbalance.training.loop import fit
from mtbalance.training.predictions import Predictions, kept
from mtbalance.training.record import make_record
from mtbalance.training.sample import keep_sample
from mtbalance.training.seeding import seed_everything
from mtbalance.training.session import Session
from mtbalance.training.steps import StepLog
from mtbalance.training.watcher import SILENT, Watcher


def train(
    config: RunConfig,
    data: Path,
    *,
    checkpoint: Path | None = None,
    sample: Path | None = None,
    predictions: Path | None = None,
    valid_predictions: Path | None = None,
    model: Path | None = None,
    steps: Path | None = None,
    watcher: Watcher = SILENT,
) -> RunRecord:
    """Train one model and return its record.

    ``data`` is the folder of the prepared data set. With a ``checkpoint`` path the run is saved there after every
    epoch, and goes on from there, bit for bit, if it was killed; the file can be deleted once the record is written.
    With a ``sample`` path the trained model's predictions for the first test rows are kept there (npz), with a
    ``predictions`` path those for all of them (Parquet), with a ``valid_predictions`` path those for all valid rows.
    With a ``model`` path its weights are kept there (:mod:`mtbalance.models.kept`). With a ``steps`` path gradient and
    update of every training step are measured, and the numbers are kept there (Parquet). ``watcher`` receives the
    events of the run. A run whose losses stop being finite ends with the status ``diverged`` and no test metrics.
    """
    session = open_session(config, data)
    if steps:
        session.log = StepLog(session.level, session.reach(), [t.name for t in session.problem.tasks], config.seed)
    saved = Checkpoint(checkpoint, _identity(session))
    saved.restore(session)
    watcher.opened(session)
    with kept(session.problem, predictions) as rows:
        try:
            fit(session, saved, watcher)
            test = _test(session, rows)
        except FloatingPointError as error:
            watcher.diverged(error)
            test = None
    if sample:
        keep_sample(session, sample)
    if valid_predictions:
        _predictions(session, ["valid"] if test else []).write(valid_predictions)
    if model:
        keep_model(model, config, session.problem.schema.text(), session.model.state_dict() if test else {})
    if session.log and steps:
        session.log.write(steps)
    return make_record(session, test, "diverged" if test is None else "finished")


def open_session(config: RunConfig, data: Path) -> Session:
    """The run at its beginning: generators seeded, data opened, model drawn."""
    order = seed_everything(config.seed)
    device = choose_device(config.training.device)
    problem = open_problem(config, data)
    model = problem.model().to(device)
    level = build_balancer(config, model, [task.name for task in problem.tasks])
    return Session(problem, model, level, order, device)


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
    """The device of that name; ``auto`` is CUDA if there is one."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)


def _identity(session: Session) -> str:
    """The settings, the code, the data, and whether steps are measured: a checkpoint of this run has the same."""
    code = sources.checksum(sources.of_run(session.config))
    measured = "-measured" if session.log else ""
    return f"{session.config.digest()}-{code}-{session.problem.schema.splits['train'].sha256}{measured}"
