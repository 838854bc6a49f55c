"""Shown: a run as far as it is known, and as far as the store has it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from mlflow.environment_variables import MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING
from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

from mtbalance.records import read_run
from mtbalance.records.run import EpochRecord
from mtbalance.tracking.content import Begun
from mtbalance.tracking.store import Store


class Shown:
    """One run. What the store did not take waits here, and goes with the next call."""

    def __init__(self) -> None:
        self.begun: Begun | None = None
        self.epochs: list[EpochRecord] = []
        self.record: Path | None = None
        self.store: Store | None = None
        self.run: str | None = None
        """Its id in MLflow, once it is there."""
        self.logged = 0
        """So many of the epochs are there."""
        self.monitor: SystemMetricsMonitor | None = None

    def take(self, begun: Begun | None, epochs: Iterable[EpochRecord], record: str | None) -> None:
        """Take what is new about the run; nothing is told to the store yet."""
        self.begun = begun or self.begun
        self.epochs += epochs
        self.record = Path(record) if record else None

    def catch_up(self) -> None:
        """Tell the store what it does not have."""
        if not self.begun:
            return
        if not self.store:
            self.store = Store()
        if not self.run:
            self.run = self.store.begin(self.begun)
            self._monitor(self.run)
        if self.logged < len(self.epochs):
            self.store.log_epochs(self.run, self.begun, self.epochs, self.logged)
            self.logged = len(self.epochs)

    def end(self) -> None:
        """Tell the rest, and how the run ended: as its record has it, or killed if there is none."""
        self.catch_up()
        if self.monitor:
            self.monitor.finish()
            self.monitor = None
        if self.store and self.run:
            if self.record:
                self.store.finish(self.run, read_run(self.record), self.record, self.logged)
            else:
                self.store.abandon(self.run)

    def _monitor(self, run: str) -> None:
        """Show the use of processor and memory with the run, if the environment asks MLflow for that."""
        if self.store and MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING.get():
            self.monitor = SystemMetricsMonitor(run, tracking_uri=self.store.client.tracking_uri)
            self.monitor.start()
