"""The process that logs one run: it reads messages line by line, and writes to MLflow what they say.

It prints nothing but what went wrong, in one line, and ends at the first failure: a store that cannot be written to
now is written to later, from the record. A run whose messages end before its record came is marked as killed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path

from mtbalance.errors import masked
from mtbalance.records import read_run
from mtbalance.records.parts import Part
from mtbalance.records.run import EpochRecord
from mtbalance.tracking.content import Begun

SETTINGS = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2", "MLFLOW_DISABLE_TELEMETRY": "true"}
"""Unless the environment says otherwise: MLflow's own 7 retries of a request to a server take four minutes."""
NICENESS = 10


class Message(Part):
    """An event of a run, as far as MLflow shows it."""

    begun: Begun | None = None
    """The run begins, or goes on."""
    epochs: list[EpochRecord] = []
    """Epochs that are finished."""
    record: str | None = None
    """The run has ended, and this file has its record."""


def main() -> None:
    """Log the run that standard input tells of."""
    os.nice(NICENESS)
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    try:
        log(sys.stdin)
    except Exception as error:  # noqa: BLE001  nothing depends on the store
        sys.stdout.write(f"{type(error).__name__}: {' '.join(masked(str(error)).split())}")
        sys.exit(1)


def log(messages: Iterable[str]) -> None:
    """Log the run that ``messages`` tell of, each the JSON of a :class:`Message`."""
    from mlflow.environment_variables import MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING

    from mtbalance.tracking.store import Store

    store, run, begun, monitor = Store(), None, None, None
    epochs: list[EpochRecord] = []
    for line in messages:
        message = Message.model_validate_json(line)
        if message.begun:
            begun = message.begun
            run = store.begin(begun)
            if MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING.get():
                from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

                monitor = SystemMetricsMonitor(run, tracking_uri=store.client.tracking_uri)
                monitor.start()
        if run and begun and message.epochs:
            epochs += message.epochs
            store.log_epochs(run, begun, epochs, len(message.epochs))
        if run and message.record:
            path = Path(message.record)
            store.finish(run, read_run(path), path, len(epochs))
            run = None
    if monitor:
        monitor.finish()
    if run:
        store.abandon(run)


if __name__ == "__main__":
    main()
