"""make_record: fills the fields of the run record, which ``records/run.py`` defines, from a session that has ended."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from mtbalance import sources
from mtbalance.records.evaluation import Evaluation, number_in
from mtbalance.records.run import DataFacts, ModelSize, RunName, RunRecord, Speed, TaskFacts
from mtbalance.training.environment import environment, peak_memory
from mtbalance.training.gain import SMALL, gain
from mtbalance.training.history import History, timestamp
from mtbalance.training.loop import evaluated_split
from mtbalance.training.session import Session


def make_record(session: Session, test: Evaluation | None, status: Literal["finished", "diverged"]) -> RunRecord:
    """The record of a session that has ended, with its test metrics (None: it diverged)."""
    config, data = session.config, DataFacts(**session.problem.facts())
    return RunRecord(
        run=RunName.model_validate(config.wildcards),
        config=config.model_dump(mode="json"),
        digest=config.digest(),
        code=sources.checksum(sources.of_run(config)),
        tasks=[TaskFacts(name=task.name, title=task.title, metrics=task.metrics) for task in session.problem.tasks],
        data=data,
        environment=environment(session.device),
        model=model_size(session),
        started=session.history.started,
        ended=timestamp(),
        epochs=session.history.epochs,
        evaluated=evaluated_split(config.training),
        selection=config.training.selection,
        best_epoch=session.history.best_epoch,
        best_epochs={task: best.epoch for task, best in session.history.best.items() if task},
        unconverged=[*_unconverged(session), *_below_constant(session, test, data)] if test else [],
        test=test,
        speed=_speed(session.history),
        peak_memory_mb=peak_memory(session.device),
        rows_mb=session.level.row_bytes / 2**20,
        status=status,
    )


def _unconverged(session: Session) -> Iterator[str]:
    """Signs that training had not converged, in its epochs."""
    training, history = session.config.training, session.history
    if training.selection == "last":
        gained, last = gain(history.epochs, training.last_epochs, session.problem.tasks), training.last_epochs
        if gained > SMALL:
            yield f"the last {last} epochs were better than the {last} before by {gained:.1%}, the mean over metrics"
        elif len(history.epochs) == last:
            yield f"there are no epochs before the last {last} that tell whether these still gained"
    elif history.best_epoch == training.epochs:
        yield f"epoch {history.best_epoch} was chosen, the last one that the training may have"


CONSTANT = {"ne": ("normalized entropy", 1.0), "r2": ("R^2", 0.0)}
"""What a constant prediction has on any data: a metric's title, and the number."""


def _below_constant(session: Session, test: Evaluation, data: DataFacts) -> Iterator[str]:
    """Tasks that are predicted worse than by a constant; of scenes, by the first metric of a task."""
    for task in session.problem.tasks:
        first = next(iter(task.metrics))
        known = data.constant.get(task.name, {})
        constants = CONSTANT | ({first: (first, known[first])} if first in known else {})
        for metric, sign in task.metrics.items():
            title, constant = constants.get(metric, (metric, None))
            value = number_in(test, metric, task.name)
            if constant is not None and sign * (value - constant) < 0:
                yield f"the {title} of {task.name} is {value:.3g}: a constant prediction has {constant:.3g}"


def _speed(history: History) -> Speed:
    if not history.epochs:
        return Speed(samples_per_second=None, samples_per_second_with_data=None)
    samples = sum(epoch.samples for epoch in history.epochs)
    step, data = (sum(getattr(epoch.seconds, part) for epoch in history.epochs) for part in ("step", "data"))
    return Speed(samples_per_second=samples / step, samples_per_second_with_data=samples / (step + data))


def model_size(session: Session) -> ModelSize:
    """Numbers of parameters: all, shared, and of single tasks; read off the graph of one row."""
    found = session.reach()
    return ModelSize(
        parameters=sum(parameter.numel() for parameter in session.model.parameters()),
        shared=sum(parameter.numel() for parameter in found.shared),
        private=sum(parameter.numel() for own in found.own for parameter in own),
    )
