"""Tracker: shows a run in MLflow while it trains, from a process of its own.

Training waits for nothing: it writes lines to a pipe, which :mod:`mtbalance.tracking.process` reads. MLflow's import,
its database and its failures are that process's. If training is killed, the end of the pipe says so.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from mtbalance import sources
from mtbalance.config.by_name import changes_of_try
from mtbalance.tracking.content import Begun
from mtbalance.tracking.process import Message
from mtbalance.training.history import History
from mtbalance.training.loop import evaluated_split
from mtbalance.training.session import Session
from mtbalance.training.watcher import Watcher

PATIENCE = 120
"""Longest wait (seconds) for the store after training."""


class Tracker(Watcher):
    """Passes the events of a run to the process that logs it; its record will be in the file ``record``."""

    def __init__(self, record: Path) -> None:
        self.record = record
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mtbalance.forkserver", "mtbalance.tracking.process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for training; the pipe's end tells the process of it
        )
        assert self.process.stdin is not None  # it is a pipe
        self.pipe = self.process.stdin.fileno()
        os.set_blocking(self.pipe, False)
        self.waiting = b""

    def opened(self, session: Session) -> None:
        """Tell where the run begins or goes on."""
        config = session.config
        splits = session.problem.schema.splits
        begun = Begun(
            config=config.model_dump(mode="json"),
            digest=config.digest(),
            code=sources.checksum(sources.of_run(config)),
            synthetic=session.problem.schema.synthetic,
            sha256={name: part.sha256 for name, part in splits.items()},
            rows={name: part.rows for name, part in splits.items()},
            started=session.history.started,
            evaluated=evaluated_split(config.training),
            changes=changes_of_try(self.record, config.wildcards),
        )
        self._send(Message(begun=begun, epochs=session.history.epochs))

    def after_epoch(self, history: History) -> None:
        """Tell what the epoch came to."""
        self._send(Message(epochs=history.epochs[-1:]))

    def finish(self) -> str | None:
        """Wait until the run is logged as its record has it. Returns what went wrong, or None."""
        self._send(Message(record=str(self.record)))
        os.set_blocking(self.pipe, True)
        try:
            said, _ = self.process.communicate(self.waiting, timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            return f"no answer within {PATIENCE} seconds"
        return said.decode() or None if self.process.returncode == 0 else said.decode() or "its process was ended"

    def _send(self, message: Message) -> None:
        """Write as much as the pipe takes; the rest goes with the next message."""
        self.waiting += message.model_dump_json(exclude_none=True).encode() + b"\n"
        try:
            while self.waiting:
                self.waiting = self.waiting[os.write(self.pipe, self.waiting) :]
        except BlockingIOError:
            pass
        except BrokenPipeError:  # the process has failed, and says why at the end
            self.waiting = b""
