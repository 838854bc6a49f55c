"""Watcher: the interface through which training reports its progress. No number of a run depends on it."""

from __future__ import annotations

from mtbalance.training.history import History


class Watcher:
    """Receives the events of a run. This one ignores them; a class that shows a run overrides its methods."""

    def after_step(self, epoch: int, share: float) -> None:
        """A step is done. ``share`` (0 to 1) of the rows of epoch number ``epoch`` have been trained on."""

    def after_epoch(self, history: History) -> None:
        """An epoch is finished and saved: the last of ``history``."""

    def diverged(self, error: FloatingPointError) -> None:
        """Losses or outputs stopped being finite, and training ended."""


SILENT = Watcher()
