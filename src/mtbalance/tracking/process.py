"""The process that logs one run: it reads messages line by line, and writes to MLflow what they say.

It prints nothing but what went wrong, in one line, and ends at the first failure: a store that cannot be written to
now is written to later, from the record. Only a tracking server is waited for, since it may be restarted. A run whose
messages end before its record came is marked as killed.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable
from contextlib import suppress

from mtbalance.errors import masked
from mtbalance.records.parts import Part
from mtbalance.records.run import EpochRecord
from mtbalance.tracking import home
from mtbalance.tracking.content import Begun

SETTINGS = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2", "MLFLOW_DISABLE_TELEMETRY": "true"}
"""Unless the environment says otherwise: MLflow's own 7 retries of a request to a server take four minutes."""
NICENESS = 10
PATIENCE = 60
"""Longest wait (seconds) for a server at the end of a run; less than training's own for this process."""
PAUSE = 2
"""Seconds between two attempts."""


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
    said = sys.stdout
    sys.stdout = sys.stderr  # MLflow prints a link to every run that a server keeps
    try:
        log(sys.stdin)
    except Exception as error:  # noqa: BLE001  nothing depends on the store
        said.write(f"{type(error).__name__}: {' '.join(masked(str(error)).split())}")
        sys.exit(1)


def log(messages: Iterable[str]) -> None:
    """Log the run that ``messages`` tell of, each the JSON of a :class:`Message`.

    A store that a server keeps may be away for a while: what it did not take goes with the next message, and at the
    end it is asked again for ``PATIENCE`` seconds.
    """
    from mlflow.exceptions import MlflowException

    from mtbalance.tracking.shown import Shown

    away = (MlflowException, OSError) if home.database().startswith("http") else ()
    shown = Shown()
    for line in messages:
        message = Message.model_validate_json(line)
        shown.take(message.begun, message.epochs, message.record)
        with suppress(*away):
            shown.catch_up()
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return shown.end()
        except away:
            if time.monotonic() > until:
                raise
        time.sleep(PAUSE)


if __name__ == "__main__":
    main()
