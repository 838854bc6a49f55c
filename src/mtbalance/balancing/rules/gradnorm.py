"""GradNorm: weighted gradient norms that follow the tasks' training rates."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from scipy.special import softmax

from mtbalance.balancing.rules import GramRule, Matrix, Vector
from mtbalance.balancing.solvers.vector_adam import VectorAdam
from mtbalance.blocks import NonNegative, Positive


class GradNorm(GramRule):
    """Learned weights w: minimize sum_k |w_k n_k - mean(w n) r_k^alpha| over w, where n_k is the norm of row k.

    Source: Chen et al. 2018 (GradNorm), equation 2 and algorithm 1. r_k is L_k / L_k(first step) over the mean of that
    ratio over tasks, and mean(w n) is held constant. The step is taken with the w from before the move. Departures:
    w = K softmax(v) with Adam on v, so that w stays positive with sum K, instead of a step on w and a division; K whole
    backward passes, as the level takes them, although passes down to the last layer would be enough. A loss that starts
    at zero counts as unchanged.
    """

    def __init__(
        self,
        tasks: int,
        *,
        alpha: Annotated[
            NonNegative,
            "Strength of the pull toward equal training rates; 0 makes the weighted norms equal. 1.5 is the authors' "
            "value for NYUv2.",
        ] = 1.5,
        lr: Annotated[Positive, "Learning rate of Adam on the logits v of the weights."] = 0.025,
        norms: Annotated[
            Literal["last_layer", "all"],
            "Part of a row that its norm is taken of: the weight of the last shared layer (``last_layer``, the paper), "
            "or ``all`` of the row. At a representation, which has no layers, both are all of it.",
        ] = "last_layer",
    ) -> None:
        super().__init__(tasks)
        self.sees = norms
        if alpha < 0:
            raise ValueError(f"alpha must not be negative: {alpha}")
        self.alpha = alpha
        self.adam = VectorAdam(tasks, lr)
        self.logits = np.zeros(tasks)
        self.first: Vector | None = None

    def weights(self, gram: Matrix, losses: Vector) -> Vector:
        """Weights [K], positive, with sum K. Raises ``FloatingPointError`` if a loss changes its sign."""
        weights: Vector = self.tasks * softmax(self.logits)
        slopes = norm_slopes(weights, np.sqrt(gram.diagonal()), self._rates(losses) ** self.alpha)
        self.logits = self.adam.step(self.logits, weights * (slopes - weights @ slopes / self.tasks))
        return weights

    def _rates(self, losses: Vector) -> Vector:
        """r_k: each loss relative to its first value, over the mean over tasks."""
        if self.first is None:
            self.first = losses.copy()
        left = np.divide(losses, self.first, out=np.ones(self.tasks), where=self.first != 0)
        if (left < 0).any():
            raise FloatingPointError(f"gradnorm needs losses of one sign: {self.first.tolist()}, {losses.tolist()}")
        return left / left.mean() if left.any() else np.ones(self.tasks)

    def state_dict(self) -> dict[str, Any]:
        """v, the state of its Adam and the first losses."""
        first = None if self.first is None else self.first.tolist()
        return {"logits": self.logits.tolist(), "adam": self.adam.state_dict(), "first": first}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back a state that :meth:`state_dict` gave."""
        self.logits = np.array(state["logits"])
        self.first = None if state["first"] is None else np.array(state["first"])
        self.adam.load_state_dict(state["adam"])


def norm_slopes(weights: Vector, norms: Vector, targets: Vector) -> Vector:
    """Slopes [K] of sum_k |w_k n_k - c targets_k| along w, with c = mean(w n) held constant."""
    weighted = weights * norms
    slopes: Vector = norms * np.sign(weighted - weighted.mean() * targets)
    return slopes
