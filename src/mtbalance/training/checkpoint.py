"""The checkpoint of a run: its whole state, saved every few minutes, so that a killed run goes on where it was."""

from __future__ import annotations

import hashlib
import io
import time
from pathlib import Path
from typing import Any

import torch

from mtbalance.data.files.checksums import HashedFile
from mtbalance.training.session import Session
from mtbalance.training.watcher import SILENT, Watcher
from mtbalance.writing import replacing

MINUTES = 10.0
"""Between two checkpoints within an epoch; there is one after every epoch, too."""
DIGITS = 64
"""A file ends with so many hexadecimal digits, the SHA-256 of what is before them."""


class Checkpoint:
    """A file with the state of a run, and the one before it; without a path nothing is saved.

    ``identity`` stands for the configuration, the code, the data and the software: a file of another identity is passed
    over. So is a damaged one, which the ``watcher`` is told.
    """

    def __init__(self, path: Path | None, identity: str, watcher: Watcher = SILENT, minutes: float = MINUTES) -> None:
        self.path, self.identity, self.watcher, self.minutes = path, identity, watcher, minutes
        self._saved = time.monotonic()

    def save(self, session: Session) -> None:
        """Write the state, whole or not at all, and keep the last one. A full disk is told, and training goes on."""
        if self.path is None:
            return
        try:
            with replacing(self.path) as partial:
                with HashedFile(partial) as file:
                    torch.save({"identity": self.identity} | session.state_dict(), file)
                    file.write(file.sha256.encode())
                if self.path.exists():
                    self.path.replace(_before(self.path))
        except (OSError, RuntimeError) as error:  # torch tells of a failed write by the latter
            self.watcher.remark(f"{self.path} cannot be written, training goes on without it: {error}")
        self._saved = time.monotonic()

    def save_if_due(self, session: Session) -> None:
        """Save if the last time was longer ago than the minutes between two checkpoints."""
        if self.path is not None and time.monotonic() - self._saved >= 60 * self.minutes:
            self.save(session)

    def restore(self, session: Session) -> None:
        """Bring the session to the last saved state of the same identity, if there is one."""
        for path in files(self.path) if self.path else ():
            try:
                state = _read(path)
            except FileNotFoundError:
                continue
            except (OSError, ValueError) as error:
                self.watcher.remark(f"{path} is passed over: {error}")
                continue
            if state["identity"] == self.identity:
                session.load_state_dict(state)
                return


def files(path: Path) -> tuple[Path, Path]:
    """The files of a checkpoint: the last one, and the one before it."""
    return path, _before(path)


def _before(path: Path) -> Path:
    return path.with_name(f"{path.stem}.before{path.suffix}")


def _read(path: Path) -> dict[str, Any]:
    """The state in a file. Raises ``ValueError`` if it is damaged."""
    content = memoryview(path.read_bytes())
    payload, digits = content[:-DIGITS], content[-DIGITS:]
    if hashlib.sha256(payload).hexdigest().encode() != digits:
        raise ValueError("it is damaged: its checksum is of other content")
    state: dict[str, Any] = torch.load(io.BytesIO(payload), map_location="cpu", weights_only=True)
    return state
