"""FAMO: equal rates of improvement, from losses before and after the step."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from scipy.special import softmax

from mtbalance.balancing.rules import LossRule, Vector
from mtbalance.balancing.solvers.vector_adam import VectorAdam
from mtbalance.blocks import NonNegative, Positive

EPSILON = 1e-8
"""Added to every margin, as in the authors' code."""


class FAMO(LossRule):
    """Weights proportional to z_k / (L_k - b_k), where z = softmax(xi) follows how fast each logarithm falls.

    Source: Liu et al. 2023 (FAMO), algorithm 1. After the step the same batch is seen again (:meth:`observe`): with
    delta_k = log(L_k - b_k) - log(L'_k - b_k), Adam takes a step on xi along (diag z - z z') delta. Departure: times K,
    so that weights sum to K, not 1.
    """

    looks_again = True

    def __init__(
        self,
        tasks: int,
        *,
        gamma: Annotated[NonNegative, "Weight decay of Adam on xi (0.001 in the authors' NYUv2 script)."] = 1e-3,
        lr: Annotated[Positive, "Learning rate of Adam on xi."] = 0.025,
        min_losses: Annotated[
            float | list[float], "Lower bounds b of the losses: one number, or a list with one for each task."
        ] = 0.0,
    ) -> None:
        super().__init__(tasks)
        if gamma < 0:
            raise ValueError(f"gamma must not be negative: {gamma}")
        if isinstance(min_losses, list) and len(min_losses) != tasks:
            raise ValueError(f"min_losses must be one number or one for each of {tasks} tasks, not {min_losses}")
        self.min_losses = np.broadcast_to(np.asarray(min_losses, dtype=float), tasks)
        self.adam = VectorAdam(tasks, lr, weight_decay=gamma)
        self.logits = np.zeros(tasks)
        self.margins = np.ones(tasks)

    def weights(self, losses: Vector) -> Vector:
        """Weights [K], positive, with sum K. Raises ``FloatingPointError`` for a loss below its smallest value."""
        self.margins = self._margins(losses)
        parts: Vector = softmax(self.logits) / self.margins
        return self.tasks * parts / float(parts.sum())

    def observe(self, losses: Vector) -> None:
        """Move xi by the losses [K] of the batch that :meth:`weights` saw, after the step."""
        mixture = softmax(self.logits)
        change = np.log(self.margins) - np.log(self._margins(losses))
        self.logits = self.adam.step(self.logits, mixture * (change - mixture @ change))

    def _margins(self, losses: Vector) -> Vector:
        margins: Vector = losses - self.min_losses + EPSILON
        if (margins <= 0).any():
            raise FloatingPointError(f"famo needs losses above min_losses: {losses.tolist()}")
        return margins

    def state_dict(self) -> dict[str, Any]:
        """xi, the state of its Adam, and the margins L - b that wait for the second look."""
        return {"logits": self.logits.tolist(), "adam": self.adam.state_dict(), "margins": self.margins.tolist()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back a state that :meth:`state_dict` gave."""
        self.logits, self.margins = np.array(state["logits"]), np.array(state["margins"])
        self.adam.load_state_dict(state["adam"])
