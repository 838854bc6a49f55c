"""GradNorm: weighted gradient norms that follow the tasks' training rates."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from scipy.special import softmax

from mtbalance.rules import GramRule, Matrix, Vector
from mtbalance.solvers.adam import Adam


class Gradnorm(GramRule):
    """Learned weights w: minimise sum_k |w_k n_k - mean(w n) r_k^alpha| over w, where n_k is the norm of row k.

    Source: Chen et al. 2018 (GradNorm), equation 2 and algorithm 1. r_k = (L_k / L_k(first step)) over its mean over
    tasks; mean(w n) is held constant; the step is taken with w before w is moved. ``norms``: n_k is the norm in the
    weight of the last shared layer, as in the paper (``last_layer``), or over ``all`` that is balanced; at a
    representation, which has no layers, both are the norm over all of it. Departures: w = K softmax(v) with Adam on v,
    so that w stays positive with sum K, instead of a step on w and a division; K whole backward passes, as the level
    takes them, where passes down to the last layer would do. A loss that starts at zero counts as unchanged.
    ``alpha`` 1.5 is the authors' value for NYUv2.
    """

    def __init__(
        self,
        tasks: int,
        *,
        alpha: float = 1.5,
        lr: float = 0.025,
        norms: Literal["last_layer", "all"] = "last_layer",
    ) -> None:
        super().__init__(tasks)
        self.sees = norms
        if alpha < 0:
            raise ValueError(f"alpha must not be negative: {alpha}")
        self.alpha = alpha
        self.adam = Adam(tasks, lr)
        self.logits = np.zeros(tasks)
        self.first: Vector | None = None

    def weights(self, gram: Matrix, losses: Vector) -> Vector:
        """Weights [K], positive, with sum K. Raises ``FloatingPointError`` where a loss changes its sign."""
        weights = self.tasks * softmax(self.logits)
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
        """v, its optimiser's state and the first losses."""
        first = None if self.first is None else self.first.tolist()
        return {"logits": self.logits.tolist(), "adam": self.adam.state_dict(), "first": first}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what :meth:`state_dict` gave."""
        self.logits = np.array(state["logits"])
        self.first = None if state["first"] is None else np.array(state["first"])
        self.adam.load_state_dict(state["adam"])


def norm_slopes(weights: Vector, norms: Vector, targets: Vector) -> Vector:
    """d/dw of sum_k |w_k n_k - c targets_k| with c = mean(w n) held constant."""
    weighted = weights * norms
    return norms * np.sign(weighted - weighted.mean() * targets)
