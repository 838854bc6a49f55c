"""The checkpoint of a run, saved after every epoch, so that a killed run goes on where it was."""

from __future__ import annotations

from pathlib import Path

import torch

from mtbalance.training.session import Session
from mtbalance.writing import replacing


class Checkpoint:
    """A file with the state of a run; without a path nothing is saved.

    ``identity`` stands for the configuration, the code and the data: a file of another identity is passed over.
    """

    def __init__(self, path: Path | None, identity: str) -> None:
        self.path, self.identity = path, identity

    def save(self, session: Session) -> None:
        """Write the state in place of the last one, whole or not at all."""
        if self.path is None:
            return
        with replacing(self.path) as partial:
            torch.save({"identity": self.identity} | session.state_dict(), partial)

    def restore(self, session: Session) -> None:
        """Bring the session to the saved state, if there is one of the same identity."""
        if self.path is None or not self.path.exists():
            return
        state = torch.load(self.path, map_location="cpu", weights_only=True)
        if state["identity"] == self.identity:
            session.load_state_dict(state)
