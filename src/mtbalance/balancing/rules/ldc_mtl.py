"""LDC-MTL: learned weights, and a penalty on the differences between the weighted losses."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from scipy.special import expit

from mtbalance.balancing.rules import ROUNDING, LossRule, Vector
from mtbalance.balancing.solvers.vector_adam import VectorAdam
from mtbalance.blocks import NonNegative, Positive


class LDCMTL(LossRule):
    """Weights K df/dL_k of f = sum_k s_k l_k / sum_k s_k + penalty sum_k |s_k l_k - s_(k+1) l_(k+1)|.

    Source: Xiao et al. 2025 (LDC-MTL, arXiv 2502.08585): the paper's bilevel problem becomes one loss f with a penalty,
    and each step is one step of the model and of the s_k. The form is that of the authors' code for CelebA:
    s = sigmoid(v) has one free number v_k a task, which starts at 1 and is learned by Adam along df/dv; the sum of s is
    held constant. l_k is the normalized loss. Neighbors are compared in the order of the tasks, so that the order
    matters. Departures: times K, so that equal losses weigh 1 each; v has an Adam of its own, while the code gives it
    to the model's. The code for NYUv2 and Cityscapes has a small network that computes s from the features, Cityscapes
    compares unweighted losses, and QM9 takes their logarithms; none of these is offered. Where 2 K penalty is above 1,
    weights may be negative.
    """

    symmetric = False

    def __init__(
        self,
        tasks: int,
        *,
        penalty: Annotated[
            NonNegative, "Weight of the differences (0.01 for CelebA, 0.05 for NYUv2, 0.1 for Cityscapes in the code)."
        ] = 0.05,
        lr: Annotated[Positive, "Learning rate of Adam on v."] = 1e-3,
        normalize: Annotated[
            Literal["none", "first"],
            "Divisor of each loss: 1 (``none``, CelebA and Cityscapes), or its first value over the smallest of the "
            "first values (``first``, NYUv2).",
        ] = "first",
    ) -> None:
        super().__init__(tasks)
        if penalty < 0:
            raise ValueError(f"penalty must not be negative: {penalty}")
        self.penalty, self.normalize = penalty, normalize
        self.adam = VectorAdam(tasks, lr)
        self.logits = np.ones(tasks)
        self.divisors: Vector | None = None

    def weights(self, losses: Vector) -> Vector:
        """Weights [K]; negative ones only where 2 K penalty is above 1."""
        if self.divisors is None:
            self.divisors = self._first(losses)
        shares = expit(self.logits)
        weighted = shares * losses / self.divisors
        slopes = 1 / shares.sum() + self.penalty * _slopes_of_differences(weighted)  # of f, along each s_k l_k
        weights: Vector = self.tasks * slopes * shares / self.divisors
        self.logits = self.adam.step(self.logits, slopes * weighted * (1 - shares))
        return weights

    def _first(self, losses: Vector) -> Vector:
        """The divisors [K], at the first step; 1 for a loss that is not positive."""
        positive = losses > 0
        if self.normalize == "none" or not positive.any():
            return np.ones(self.tasks)
        smallest = losses[positive].min()
        divisors: Vector = np.where(positive, losses, smallest) / smallest
        return divisors

    def state_dict(self) -> dict[str, Any]:
        """v, the state of its Adam and the divisors."""
        divisors = None if self.divisors is None else self.divisors.tolist()
        return {"logits": self.logits.tolist(), "adam": self.adam.state_dict(), "divisors": divisors}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back a state that :meth:`state_dict` gave."""
        self.logits = np.array(state["logits"])
        self.divisors = None if state["divisors"] is None else np.array(state["divisors"])
        self.adam.load_state_dict(state["adam"])


def _slopes_of_differences(values: Vector) -> Vector:
    """Slopes [K] of sum_k |x_k - x_(k+1)|; a difference that is rounding, as of normalized first losses, is none."""
    differences = np.diff(values)
    signs = np.where(np.abs(differences) > ROUNDING * np.abs(values).max(), np.sign(differences), 0.0)
    slopes: Vector = np.append(0.0, signs) - np.append(signs, 0.0)
    return slopes
