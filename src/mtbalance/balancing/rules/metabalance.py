"""MetaBalance: the rows of auxiliary tasks on the scale of the target task's, tensor by tensor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np

from mtbalance.balancing.rules import RowRule, Vector
from mtbalance.blocks import Fraction, NonNegative

if TYPE_CHECKING:
    from torch import Tensor


class MetaBalance(RowRule):
    """The sum of the rows, after the part of row k in each tensor is multiplied by relax m_target / m_k + 1 - relax.

    Source: He et al. 2022 (MetaBalance), as in the authors' code: m_k is a moving average
    of the norm of row k in that tensor, m_k <- beta m_k + (1 - beta) |g_k|. It starts at zero, which cancels in the
    ratio. The target task's own row stays as it is. Departure: a tensor that the target task has not reached leaves the
    rows as they are. The weights that are reported are the factors by which the whole rows have become longer.
    """

    symmetric = False
    levels: ClassVar[tuple[str, ...]] = ("representation", "gradient", "update")
    heads = "own"

    def __init__(
        self,
        tasks: int,
        *,
        target: Annotated[int, "Number of the target task; the first task is 0."] = 0,
        relax: Annotated[
            Fraction, "Part of the way to the target task's magnitude that the others are moved (0.7 in the code)."
        ] = 0.7,
        beta: Annotated[NonNegative, "Part of the average magnitudes that is kept at each step; below 1."] = 0.9,
    ) -> None:
        super().__init__(tasks)
        if not 0 <= target < tasks:
            raise ValueError(f"target must be the number of a task, from 0 to {tasks - 1}, not {target}")
        if not 0 <= relax <= 1:
            raise ValueError(f"relax must be between 0 and 1, not {relax}")
        if not 0 <= beta < 1:
            raise ValueError(f"beta must be at least 0 and below 1, not {beta}")
        self.target, self.relax, self.beta = target, relax, beta
        self.magnitudes = np.zeros((0, tasks))
        """Average norms, one line for each tensor."""

    def combine(self, rows: list[Tensor], losses: Vector) -> tuple[list[Tensor], Vector]:
        """The joint row, tensor by tensor, and weights [K]."""
        from mtbalance.balancing.rows import combine  # torch, not needed to check options

        squares = self._squares(rows)
        before = self.magnitudes if len(self.magnitudes) else np.zeros_like(squares)
        self.magnitudes = self.beta * before + (1 - self.beta) * np.sqrt(squares)
        wanted = self.magnitudes[:, [self.target]]
        reached = (self.magnitudes > 0) & (wanted > 0)
        factors = self.relax * np.divide(wanted, self.magnitudes, out=np.ones_like(squares), where=reached)
        factors = factors + 1 - self.relax
        joint = [combine(tensor, factor) for tensor, factor in zip(rows, factors, strict=True)]
        return joint, _lengthening(squares, factors)

    def _squares(self, rows: list[Tensor]) -> Vector:
        """The squared norms [tensors, K] of the rows' parts, read from the device once."""
        from mtbalance.balancing.losses import together, widest
        from mtbalance.balancing.rows import flattened

        wide = (flattened(tensor.detach()).to(widest(tensor.device)) for tensor in rows)
        parts = [tensor.square().sum(dim=1) for tensor in wide]
        found: Vector = self.total(together(parts)).cpu().double().numpy()
        return found

    def state_dict(self) -> dict[str, Any]:
        """The average norms."""
        return {"magnitudes": self.magnitudes.tolist()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back a state that :meth:`state_dict` gave."""
        self.magnitudes = np.array(state["magnitudes"]).reshape(-1, self.tasks)


def _lengthening(squares: Vector, factors: Vector) -> Vector:
    """The factors [K] by which the norms of the whole rows grow; 1 for a zero row."""
    norms = np.sqrt(squares.sum(axis=0))
    longer = np.sqrt((factors**2 * squares).sum(axis=0))
    growth: Vector = np.divide(longer, norms, out=np.ones_like(norms), where=norms > 0)
    return growth
