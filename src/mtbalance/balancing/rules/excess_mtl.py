"""ExcessMTL: more weight to the tasks that are further from their own optimum."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np
from scipy.special import softmax

from mtbalance.balancing.rules import RowRule, Vector
from mtbalance.blocks import Count, Positive

if TYPE_CHECKING:
    from torch import Tensor


class ExcessMTL(RowRule):
    """K softmax(v), where v_k grows at each step by step_size E_k / E_k(start), with E_k the estimated excess risk.

    Source: He et al. 2024 (ExcessMTL), equations 6, 7 and 9: E_k = sum_i g_ki^2 / sqrt(S_ki), where S sums the squared
    gradients of all steps (AdaGrad's diagonal in place of the Hessian), and the weights take exponentiated steps. The
    excess risk at the start is its mean over the first ``warmup`` steps, during which all tasks weigh the same: three
    epochs in appendix C.1, one step in the authors' code and in LibMTL. Departures: times K, so that weights sum to K,
    not 1; no 1e-7 is added to S, so that the scale of a loss does not matter. A task without gradient at the start
    counts as unchanged. S is as large as all rows together. Rows must be comparable from step to step, which gradients
    of a representation are not.
    """

    levels: ClassVar[tuple[str, ...]] = ("gradient", "update")

    def __init__(
        self,
        tasks: int,
        *,
        step_size: Annotated[Positive, "Step size of the exponentiated steps (LibMTL's default)."] = 0.01,
        warmup: Annotated[Count, "Steps that the excess risks at the start are averaged over."] = 1,
    ) -> None:
        super().__init__(tasks)
        if step_size <= 0:
            raise ValueError(f"step_size must be positive, not {step_size}")
        if warmup < 1:
            raise ValueError(f"warmup must be at least 1, not {warmup}")
        self.step_size, self.warmup = step_size, warmup
        self.squares: list[Tensor] = []
        self.logits, self.start, self.steps = np.zeros(tasks), np.zeros(tasks), 0

    def combine(self, rows: list[Tensor], losses: Vector) -> tuple[list[Tensor], Vector]:
        """The joint row, tensor by tensor, and weights [K], positive, with sum K."""
        from mtbalance.balancing.rows import combine  # torch, not needed to check options

        excess = self._excess(rows)
        self.steps += 1
        if self.steps <= self.warmup:
            self.start = self.start + excess / self.warmup
        else:
            ratios = np.divide(excess, self.start, out=np.ones(self.tasks), where=self.start > 0)
            moved = self.logits + self.step_size * ratios
            self.logits = moved - moved.max()
        weights: Vector = self.tasks * softmax(self.logits)
        return [combine(tensor, weights) for tensor in rows], weights

    def _excess(self, rows: list[Tensor]) -> Vector:
        """E [K], after this step's squares have been added to S."""
        from mtbalance.balancing.losses import together

        squares = [tensor.detach().square() for tensor in rows]
        if self.squares:  # a loaded state may be on another device
            squares = [old.to(new.device) + new for old, new in zip(self.squares, squares, strict=True)]
        self.squares = squares
        parts = [_excess_in(row, summed) for row, summed in zip(rows, squares, strict=True)]
        found: Vector = self.total(together(parts).sum(dim=0)).cpu().double().numpy()
        return found

    def state_dict(self) -> dict[str, Any]:
        """S (tensors), the logits v, the excess risks at the start and the number of steps."""
        numbers = {"logits": self.logits.tolist(), "start": self.start.tolist(), "steps": self.steps}
        return numbers | {"squares": list(self.squares)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back a state that :meth:`state_dict` gave."""
        self.squares, self.steps = list(state["squares"]), state["steps"]
        self.logits, self.start = np.array(state["logits"]), np.array(state["start"])


def _excess_in(rows: Tensor, squares: Tensor) -> Tensor:
    """sum_i g_ki^2 / sqrt(S_ki) [K] over one tensor's coordinates, in float64 if its device has it; 0 / 0 is 0."""
    from mtbalance.balancing.losses import widest
    from mtbalance.balancing.rows import flattened

    wide, summed = (flattened(tensor.detach()).to(widest(tensor.device)) for tensor in (rows, squares))
    return (wide.square() / summed.where(summed > 0, 1).sqrt()).sum(dim=1)
