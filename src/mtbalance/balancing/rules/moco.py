"""MoCo: the min-norm of tracked gradients, one projected step at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np

from mtbalance.balancing.rules import RowRule, Vector
from mtbalance.balancing.solvers.simplex import project_on_simplex
from mtbalance.blocks import Fraction, NonNegative

if TYPE_CHECKING:
    from torch import Tensor


class MoCo(RowRule):
    """K Y'lambda, where the rows of Y follow the tasks' rows and lambda follows the min-norm weights of Y.

    Source: Fernando et al. 2023 (MoCo), algorithm 1. At step t, with beta_t = beta / t^decay and gamma_t likewise,

        Y <- Y - beta_t (Y - J),   lambda <- Pi(lambda - gamma_t (Y Y' + rho I) lambda)

    Y starts at zero and lambda at 1/K. Departures: the joint row uses both as just moved, as the authors' code does
    (``Tracking.py`` of github.com/heshandevaka/MoCo), while the paper uses those of the step before; that code has 2 Y
    Y', so its gamma is half of ours; times K, so that equal tasks weigh 1 each. The defaults are LibMTL's. Its
    normalized rows, its factor of the loss and its softmax in place of the projection Pi are not offered; the softmax
    has other fixed points. Y is as large as all rows together. Rows must be comparable from step to step, which
    gradients of a representation are not.

    With ``decay`` above 0 the tracked rows lag further and further behind: at step t they are a mean over roughly the
    last t^decay / beta steps. Training then oscillates with an optimizer whose step hardly depends on the length of the
    gradient (Adam). With ``decay: 0`` the tracked rows follow closely.
    """

    levels: ClassVar[tuple[str, ...]] = ("gradient", "update")
    heads = "own"

    def __init__(
        self,
        tasks: int,
        *,
        beta: Annotated[Fraction, "Rate at which the tracked rows Y follow the rows, at step 1; above 0."] = 0.5,
        gamma: Annotated[NonNegative, "Step size of the weights lambda, at step 1."] = 0.1,
        rho: Annotated[NonNegative, "Regularization of the min-norm problem, which pulls lambda toward 1/K."] = 0.0,
        decay: Annotated[NonNegative, "Power of the step number that beta and gamma are divided by."] = 0.5,
    ) -> None:
        super().__init__(tasks)
        if not 0 < beta <= 1:
            raise ValueError(f"beta must be above 0 and at most 1, not {beta}")
        for name, value in {"gamma": gamma, "rho": rho, "decay": decay}.items():
            if value < 0:
                raise ValueError(f"{name} must not be negative: {value}")
        self.beta, self.gamma, self.rho, self.decay = beta, gamma, rho, decay
        self.tracked: list[Tensor] = []
        self.mixture = np.full(tasks, 1.0 / tasks)
        self.steps = 0

    def combine(self, rows: list[Tensor], losses: Vector) -> tuple[list[Tensor], Vector]:
        """The joint row, tensor by tensor, and weights [K] with sum K."""
        from mtbalance.balancing.rows import combine, gram_matrix  # torch, not needed to check options

        self.steps += 1
        beta, gamma = self.beta / self.steps**self.decay, self.gamma / self.steps**self.decay
        before = self.tracked or [0 * tensor for tensor in rows]
        before = [old.to(new.device) for old, new in zip(before, rows, strict=True)]  # a loaded state may be on another
        self.tracked = [old + beta * (new.detach() - old) for old, new in zip(before, rows, strict=True)]
        slope = gram_matrix(self.tracked) @ self.mixture + self.rho * self.mixture
        self.mixture = project_on_simplex(self.mixture - gamma * slope)
        weights = self.tasks * self.mixture
        return [combine(tensor, weights) for tensor in self.tracked], weights

    def state_dict(self) -> dict[str, Any]:
        """The tracked rows (tensors), lambda and the number of steps."""
        return {"tracked": list(self.tracked), "mixture": self.mixture.tolist(), "steps": self.steps}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back a state that :meth:`state_dict` gave."""
        self.tracked, self.mixture, self.steps = list(state["tracked"]), np.array(state["mixture"]), state["steps"]
