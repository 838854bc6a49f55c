"""GradDrop: each coordinate keeps the rows of one sign, drawn at random."""

from __future__ import annotations

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
    ``leak``, while the paper has one for each. Uniform numbers are drawn where the rows are, in float32 or better. A
    seed thus means other numbers on another kind of device, and a run resumed there begins its numbers anew.
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
        self.uniform: torch.Generator | None = None
        self.loaded: dict[str, Any] = {}

    def _source(self, device: torch.device) -> torch.Generator:
        """The source of the uniform numbers, made at the first step: until then the rows' device is not known."""
        import torch

        if self.uniform is None:
            self.uniform = torch.Generator(device).manual_seed(self.start)
            if self.loaded.get("device") == device.type:
                self.uniform.set_state(self.loaded["generator"].cpu())
        return self.uniform

    def combine(self, rows: list[Tensor], losses: Vector) -> tuple[list[Tensor], Vector]:
        """The joint row, tensor by tensor, and ones [K]."""
        source = self._source(rows[0].device)
        return [self._drop(tensor, source) for tensor in rows], np.ones(self.tasks)

    def _drop(self, rows: Tensor, source: torch.Generator) -> Tensor:
        import torch

        wide = torch.promote_types(rows.dtype, torch.float32)
        total, size = rows.sum(dim=0, dtype=wide), rows.abs().sum(dim=0, dtype=wide)
        share = torch.where(size > 0, total / torch.where(size > 0, size, 1), 0)
        drawn = self._draw(total.shape, source, wide).to(rows.device)
        positive, negative = rows.clamp(min=0).sum(dim=0, dtype=wide), rows.clamp(max=0).sum(dim=0, dtype=wide)
        kept = torch.where((1 + share) / 2 > drawn, positive, negative)
        return (self.leak * total + (1 - self.leak) * kept).to(rows.dtype)

    def _draw(self, shape: torch.Size, source: torch.Generator, dtype: torch.dtype) -> Tensor:
        """Uniform numbers; of those for the rows of all processes, this one's."""
        import torch

        if self.processes is None:
            return torch.rand(shape, generator=source, dtype=dtype, device=source.device)
        everyone = (self.processes.size, *shape)
        return torch.rand(everyone, generator=source, dtype=dtype, device=source.device)[self.processes.rank]

    def state_dict(self) -> dict[str, Any]:
        """The seed; and from the first step on the generator's state and kind of device."""
        if self.uniform is None:
            return self.loaded | {"seed": self.start}
        return {"seed": self.start, "generator": self.uniform.get_state(), "device": self.uniform.device.type}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back a state that :meth:`state_dict` gave."""
        self.start, self.uniform, self.loaded = state["seed"], None, dict(state)
