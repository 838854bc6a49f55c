"""GradDrop: each coordinate keeps the rows of one sign, drawn at random."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from mtbalance.rules import RowRule, Vector


class Graddrop(RowRule):
    """At each coordinate, the sum of the positive entries with probability P, else the sum of the negative ones.

    Source: Chen et al. 2020 (GradDrop), algorithm 1, with P = (1 + sum_k g_k / sum_k |g_k|) / 2, so that the expected
    joint row is the sum of rows. Departures: rows are taken as they are at every level, without the paper's factor
    sign(h) at a representation h; a sum, as the NashMTL code's mean times K. ``leak`` is the part of each row that
    passes in any case (0 in all references); the paper has one a task. Uniform numbers are drawn on the CPU, so that
    a seed means the same on every device.
    """

    heads = "own"
    draws = True

    def __init__(self, tasks: int, *, leak: float = 0.0) -> None:
        super().__init__(tasks)
        if not 0 <= leak <= 1:
            raise ValueError(f"leak must be between 0 and 1, not {leak}")
        self.leak = leak

    def seed(self, seed: int) -> None:
        """Start the rule's random numbers anew."""
        self.generator = torch.Generator().manual_seed(seed)

    def combine(self, rows: list[Tensor], losses: Vector) -> tuple[list[Tensor], Vector]:
        """The joint row, tensor by tensor, and ones [K]."""
        return [self._drop(tensor) for tensor in rows], np.ones(self.tasks)

    def _drop(self, rows: Tensor) -> Tensor:
        total, size = rows.sum(dim=0), rows.abs().sum(dim=0)
        share = torch.where(size > 0, total / torch.where(size > 0, size, 1), 0)
        drawn = torch.rand(total.shape, generator=self.generator, dtype=rows.dtype).to(rows.device)
        kept = torch.where((1 + share) / 2 > drawn, rows.clamp(min=0).sum(dim=0), rows.clamp(max=0).sum(dim=0))
        return self.leak * total + (1 - self.leak) * kept

    def state_dict(self) -> dict[str, Any]:
        """The generator's state."""
        return {"generator": self.generator.get_state()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what :meth:`state_dict` gave."""
        self.generator.set_state(state["generator"])
