"""DB-MTL: gradients of the logarithms of the losses, averaged over steps and brought to one length."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from mtbalance.balancing.rules import RowRule, Vector
from mtbalance.blocks import Fraction, NonNegative

if TYPE_CHECKING:
    from torch import Tensor

EPSILON = 1e-8
"""Added to every loss, as in the authors' code."""


class DBMTL(RowRule):
    """The sum of the rows of M, each scaled to the length of the longest, where M follows the rows over their losses.

    Source: Lin et al. 2023 (DB-MTL), as its first author's library LibMTL has it. At step t, with R_k = g_k / L_k (the
    gradient of log L_k) and beta_t = beta / t^decay,

        M <- R + beta_t (M - R),   joint row = sum_k max_j |M_j| / |M_k| M_k

    M starts at zero. The weights are 1 / L_k: a task's own parameters follow the logarithm of its loss
    (``heads: weighted``). Departures: nothing is added to a norm, so that the scale of the rows does not matter; a zero
    row of M stays zero. The defaults are LibMTL's. M is as large as all rows together. Rows must be comparable from
    step to step, which gradients of a representation are not. Losses must not be negative.

    At level ``update``, where rows do not depend on the scale of the losses, division by the losses makes steps longer
    as the losses fall.
    """

    levels: ClassVar[tuple[str, ...]] = ("gradient", "update")

    def __init__(
        self,
        tasks: int,
        *,
        beta: Annotated[Fraction, "Part of M that stays at step 1; below 1. With 0, M is the rows over losses."] = 0.9,
        decay: Annotated[NonNegative, "Power of the step number that beta is divided by."] = 0.0,
    ) -> None:
        super().__init__(tasks)
        if not 0 <= beta < 1:
            raise ValueError(f"beta must be at least 0 and below 1, not {beta}")
        if decay < 0:
            raise ValueError(f"decay must not be negative: {decay}")
        self.beta, self.decay = beta, decay
        self.averages: list[Tensor] = []
        self.steps = 0

    def combine(self, rows: list[Tensor], losses: Vector) -> tuple[list[Tensor], Vector]:
        """The joint row, tensor by tensor, and 1 / L [K]. Raises ``FloatingPointError`` for a negative loss."""
        if (losses < 0).any():
            raise FloatingPointError(f"db_mtl needs losses that are not negative: {losses.tolist()}")
        weights: Vector = 1 / (losses + EPSILON)
        self.steps += 1
        self.averages = self._averaged(rows, weights)
        return [part.to(row.dtype) for part, row in zip(self._leveled(rows), rows, strict=True)], weights

    def _averaged(self, rows: list[Tensor], weights: Vector) -> list[Tensor]:
        """M, after this step's rows; in float32 at least."""
        from mtbalance.balancing.rows import at_least_float32  # torch, not needed to check options

        beta = self.beta / self.steps**self.decay
        scaled = [_each(at_least_float32(tensor.detach()), weights) for tensor in rows]
        before = self.averages or [0 * tensor for tensor in scaled]
        before = [
            old.to(new.device) for old, new in zip(before, scaled, strict=True)
        ]  # a loaded state may be on another
        return [new + beta * (old - new) for old, new in zip(before, scaled, strict=True)]

    def _leveled(self, rows: list[Tensor]) -> list[Tensor]:
        """The joint row; norms and factors stay where the rows are."""
        import torch

        from mtbalance.balancing.losses import together, widest
        from mtbalance.balancing.rows import flattened

        device = rows[0].device
        parts = [
            torch.linalg.vector_norm(flattened(tensor), dim=1, dtype=widest(device)).square()
            for tensor in self.averages
        ]
        norms = self.total(together(parts).sum(dim=0)).sqrt()
        factors = torch.where(norms > 0, norms.max() / norms.where(norms > 0, 1), 0)
        return [(factors.to(tensor) @ flattened(tensor)).view(tensor.shape[1:]) for tensor in self.averages]

    def state_dict(self) -> dict[str, Any]:
        """M (tensors) and the number of steps."""
        return {"averages": list(self.averages), "steps": self.steps}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back a state that :meth:`state_dict` gave."""
        self.averages, self.steps = list(state["averages"]), state["steps"]


def _each(rows: Tensor, weights: Vector) -> Tensor:
    """Rows [K, *shape] times their weights [K]."""
    return rows * rows.new_tensor(weights).view(-1, *[1] * (rows.dim() - 1))
