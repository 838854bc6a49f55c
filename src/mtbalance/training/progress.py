"""ProgressBar: shows a run as a bar on a terminal, a line after every epoch, and a line at the end.

No number of a run depends on this file, so an edit of it re-runs nothing.
"""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from mtbalance.records.evaluation import Evaluation
from mtbalance.records.headline import headline
from mtbalance.records.run import RunRecord
from mtbalance.training.history import History
from mtbalance.training.session import Session
from mtbalance.training.watcher import Watcher


class ProgressBar(Watcher):
    """Shows one run over its epochs. A context manager."""

    def __init__(self, name: str, epochs: int) -> None:
        self.epochs = epochs
        self.console = Console(highlight=False, soft_wrap=True)
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeRemainingColumn(),
            console=self.console,
            disable=not self.console.is_terminal,
            transient=True,
        )
        self.task = self.progress.add_task(name, total=epochs)

    def __enter__(self) -> ProgressBar:
        self.progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.progress.stop()

    def opened(self, session: Session) -> None:
        """Say that the run goes on where it was cut short."""
        done = len(session.history.epochs)
        if session.passed:
            share = session.passed.rows / session.problem.split("train").rows
            self.console.print(f"goes on in epoch {done + 1} of {self.epochs}, at {share:.0%}, from the checkpoint")
            self.progress.update(self.task, completed=done + share)
        elif done:
            self.console.print(f"goes on after epoch {done} of {self.epochs}, from the checkpoint")
            self.progress.update(self.task, completed=done)

    def after_step(self, epoch: int, share: float) -> None:
        """Move the bar."""
        self.progress.update(self.task, completed=epoch - 1 + share)

    def after_epoch(self, history: History) -> None:
        """Print a line above the bar."""
        self.console.print(epoch_line(history, self.epochs))

    def diverged(self, error: FloatingPointError) -> None:
        """Print a line above the bar."""
        self.console.print(f"diverged: {error}")

    def remark(self, text: str) -> None:
        """Print a line above the bar."""
        self.console.print(text)


def epoch_line(history: History, epochs: int) -> str:
    """The result of the last epoch, in one line."""
    epoch = history.epochs[-1]
    losses = ", ".join(f"{value:.4f}" for value in epoch.train_loss.values())
    weights = ", ".join(f"{value:.3g}" for value in epoch.weights.values())
    rate = epoch.samples / epoch.seconds.step
    gained = [f"{name} best so far".strip() for name, best in history.best.items() if best.epoch == epoch.epoch]
    best = f" ({', '.join(gained)})" if gained else ""
    return (
        f"epoch {epoch.epoch}/{epochs}: {_scores(epoch.evaluation)}{best}; "
        f"train loss {losses}; weights {weights}; {rate:,.0f} samples/s"
    )


def summary_line(record: RunRecord) -> str:
    """The result of a run, in one line."""
    if record.test is None:
        return f"{record.status} after {len(record.epochs)} epochs"
    chosen = "last epochs" if record.selection == "last" else _chosen(record)
    return f"test {_scores(record.test)}, {chosen} of {len(record.epochs)}"


def _chosen(record: RunRecord) -> str:
    own = [f"{epoch} for {task}" for task, epoch in record.best_epochs.items()]
    return f"epoch {', '.join(own) or record.best_epoch}"


def _scores(evaluation: Evaluation) -> str:
    return ", ".join(f"{name} {value:.4f}" for name, value in headline(evaluation).items())
