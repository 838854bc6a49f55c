"""Watcher: the interface through which training reports its progress. No number of a run depends on it."""

from __future__ import annotations

from collections.abc import Sequence

from mtbalance.training.history import History
from mtbalance.training.session import Session


class Watcher:
    """Receives the events of a run. This one ignores them; a class that shows a run overrides its methods."""

    def opened(self, session: Session) -> None:
        """The run begins, or goes on after the last epoch of the session's history."""

    def after_step(self, epoch: int, share: float) -> None:
        """A step is done. ``share`` (0 to 1) of the rows of epoch number ``epoch`` have been trained on."""

    def after_epoch(self, history: History) -> None:
        """An epoch is finished and saved: the last of ``history``."""

    def diverged(self, error: FloatingPointError) -> None:
        """Losses or outputs stopped being finite, and training ended."""

    def remark(self, text: str) -> None:
        """Something happened that changes no number, and that a person should know."""


class Watchers(Watcher):
    """Passes every event on to several watchers."""

    def __init__(self, watchers: Sequence[Watcher]) -> None:
        self.watchers = watchers

    def opened(self, session: Session) -> None:
        """Tell all."""
        for watcher in self.watchers:
            watcher.opened(session)

    def after_step(self, epoch: int, share: float) -> None:
        """Tell all."""
        for watcher in self.watchers:
            watcher.after_step(epoch, share)

    def after_epoch(self, history: History) -> None:
        """Tell all."""
        for watcher in self.watchers:
            watcher.after_epoch(history)

    def diverged(self, error: FloatingPointError) -> None:
        """Tell all."""
        for watcher in self.watchers:
            watcher.diverged(error)

    def remark(self, text: str) -> None:
        """Tell all."""
        for watcher in self.watchers:
            watcher.remark(text)


SILENT = Watcher()
