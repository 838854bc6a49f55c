"""GradDrop: each coordinate keeps the rows of one sign, drawn at random."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from mtbalance.balancing.rules import RowRule, Vector
from mtbalance.blocks import Fraction

if TYPE_CHECKING:
    import torch
    from torch import Tensor


class GradDrop(RowRule):
    """At each coordinate, the sum of the positive entries with probability P, else the sum of the negative ones.

    Source: Chen et al. 2020 (GradDrop), algorithm 1, with P = (1 + sum_k g_k / sum_k |g_k|) / 2, so that the expected
    joint row is the sum of rows. Departures: rows are taken as they are at every level, without the paper's factor
    sign(h) at a representation h; the joint row is a sum, which is K times the NashMTL code's mean; all tasks have one
    ``leak``, while the paper has one for each. Uniform numbers are drawn on the CPU, so that a seed means the same on
    every device.
    """

    heads = "own"
    draws = True

    def __init__(
        self,
        tasks: int,
        *,
        leak: Annotated[Fraction, "Part of each row that always passes (0 in all references)."] = 0.0,
    ) -> None:
        super().__init__(tasks)
        if not 0 <= leak <= 1:
            raise ValueError(f"leak must be between 0 and 1, not {leak}")
        self.leak = leak

    def seed(self, seed: int) -> None:
        """Restart the rule's random numbers."""
        self.start = seed
        self.__dict__.pop("uniform", None)

    @cached_property
    def uniform(self) -> torch.Generator:
        """The source of the uniform numbers; made on demand, so that options are checked without torch."""
        import torch

        return torch.Generator().manual_seed(self.start)

    def combine(self, rows: list[Tensor], losses: Vector) -> tuple[list[Tensor], Vector]:
        """The joint row, tensor by tensor, and ones [K]."""
        return [self._drop(tensor) for tensor in rows], np.ones(self.tasks)

    def _drop(self, rows: Tensor) -> Tensor:
        import torch

        total, size = rows.sum(dim=0), rows.abs().sum(dim=0)
        share = torch.where(size > 0, total / torch.where(size > 0, size, 1), 0)
        drawn = torch.rand(total.shape, generator=self.uniform, dtype=rows.dtype).to(rows.device)
        kept = torch.where((1 + share) / 2 > drawn, rows.clamp(min=0).sum(dim=0), rows.clamp(max=0).sum(dim=0))
        return self.leak * total + (1 - self.leak) * kept

    def state_dict(self) -> dict[str, Any]:
        """The generator's state."""
        return {"generator": self.uniform.get_state()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back a state that :meth:`state_dict` gave."""
        self.uniform.set_state(state["generator"])
