"""Save a run between epochs, so that a killed one goes on where it was."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

from mtbalance.backbones import Backbone
from mtbalance.levels import Level
from mtbalance.training.loop import Progress
from mtbalance.training.seeding import random_state, restore_random_state


class Checkpoint:
    """A file with the state of a run; without a path nothing is saved.

    ``identity`` stands for the configuration and the code: a file of another identity is passed over.
    """

    def __init__(self, path: Path | None, identity: str) -> None:
        self.path, self.identity = path, identity

    def save(self, progress: Progress, model: Backbone, level: Level, order: np.random.Generator) -> None:
        """Write the state, replacing the last one in a single step."""
        if self.path is None:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        partial = self.path.with_suffix(".partial")
        state = {
            "identity": self.identity,
            "progress": asdict(progress),
            "model": model.state_dict(),
            "level": level.state_dict(),
            "random": random_state(order),
        }
        torch.save(state, partial)
        partial.replace(self.path)

    def load(self, model: Backbone, level: Level, order: np.random.Generator) -> Progress | None:
        """Bring model, level and generators to the saved state; None where there is no such state."""
        if self.path is None or not self.path.exists():
            return None
        state = torch.load(self.path, map_location="cpu", weights_only=True)
        if state["identity"] != self.identity:
            return None
        model.load_state_dict(state["model"])
        level.load_state_dict(state["level"])
        restore_random_state(state["random"], order)
        return Progress(**state["progress"])
