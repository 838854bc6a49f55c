"""Trimmed mean: at each coordinate, the mean without the largest and the smallest entries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import numpy as np

from mtbalance.balancing.rules import RowRule, Vector
from mtbalance.blocks import Count

if TYPE_CHECKING:
    from torch import Tensor


class TrimmedMean(RowRule):
    """At each coordinate, K times the mean of the K entries without the ``trim`` largest and the ``trim`` smallest.

    Source: Yin et al. 2018 (Byzantine-robust distributed learning), definition 2, with ``trim`` as a number of rows
    where the paper has a part of them. With all but one or two entries dropped it is their definition 1, the median.
    The paper is about workers that send gradients of one loss, of which some may be hostile; here the rows are those of
    tasks. Departure: times K, so that equal rows weigh 1 each. The joint row is no combination of the rows, and the
    weights are ones.
    """

    heads = "own"

    def __init__(
        self,
        tasks: int,
        *,
        trim: Annotated[
            Count | None,
            "Entries dropped at each end, fewer than half of K; by default 1, or none with one or two tasks.",
        ] = None,
    ) -> None:
        super().__init__(tasks)
        if trim is not None and not 1 <= trim < tasks / 2:
            raise ValueError(f"trim must be at least 1 and below half the number of tasks, not {trim} of {tasks}")
        self.trim = min(1, (tasks - 1) // 2) if trim is None else trim

    def combine(self, rows: list[Tensor], losses: Vector) -> tuple[list[Tensor], Vector]:
        """The joint row, tensor by tensor, and ones [K]."""
        return [self._trimmed(tensor.detach()) for tensor in rows], np.ones(self.tasks)

    def _trimmed(self, rows: Tensor) -> Tensor:
        import torch

        wide = torch.promote_types(rows.dtype, torch.float32)
        kept = rows.sort(dim=0).values[self.trim : self.tasks - self.trim]
        return (self.tasks / len(kept) * kept.sum(dim=0, dtype=wide)).to(rows.dtype)
