"""GradVac: rows turned toward the other tasks' rows until their cosines reach those that are usual."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np

from mtbalance.balancing.rules import ROUNDING, GramRule, Matrix, Vector
from mtbalance.blocks import Fraction


class GradVac(GramRule):
    """The sum of the rows after each is turned, in random order, toward every other row that it is too far from.

    Source: Wang et al. 2021 (Gradient Vaccine), algorithm 1, on whole rows. With phi the cosine of the
    running row r_i and the original row g_j, and phi* its moving average, r_i becomes, where phi < phi*,

        r_i + |r_i| (phi* sqrt(1 - phi^2) - phi sqrt(1 - phi*^2)) / (|g_j| sqrt(1 - phi*^2)) g_j,

    whose cosine with g_j is phi*. Then phi* <- (1 - beta) phi* + beta phi. Averages start at zero, where the rule is
    PCGrad. Departures: the joint row is a combination of the rows, so its coefficients are found on the Gram matrix
    alone; an average counts as at most 1 minus rounding, so that no weight is infinite. A zero row turns no other, and
    leaves the averages as they are. Weights are at least 1.
    """

    heads = "own"
    draws = True

    def __init__(
        self,
        tasks: int,
        *,
        beta: Annotated[
            Fraction, "Rate at which the average cosines follow the batches (0.01 in the paper, 0.5 in LibMTL)."
        ] = 0.01,
    ) -> None:
        super().__init__(tasks)
        if not 0 <= beta <= 1:
            raise ValueError(f"beta must be between 0 and 1, not {beta}")
        self.beta = beta
        self.targets = np.zeros((tasks, tasks))

    def weights(self, gram: Matrix, losses: Vector) -> Vector:
        """Weights [K], at least 1; an order is drawn for each task."""
        total = np.zeros(self.tasks)
        for task in range(self.tasks):
            order = self.generator.permutation(np.delete(np.arange(self.tasks), task))
            total += self._turned(gram, task, order.tolist())
        return total

    def _turned(self, gram: Matrix, task: int, order: list[int]) -> Vector:
        """The coefficients [K] of the row of ``task`` after it has met the others; the averages move."""
        norms = np.sqrt(gram.diagonal())
        coefficients: Vector = np.eye(self.tasks)[task]
        for other in order:
            squared = float(coefficients @ gram @ coefficients)
            if norms[other] == 0 or squared <= self.tasks * ROUNDING * float(coefficients @ norms) ** 2:
                continue
            norm, target = np.sqrt(squared), min(self.targets[task, other], 1 - ROUNDING)
            cosine = np.clip(gram[other] @ coefficients / norm / norms[other], -1, 1)
            if cosine < target:
                turn = target * np.sqrt((1 - cosine**2) / (1 - target**2)) - cosine
                coefficients[other] += norm * turn / norms[other]
            self.targets[task, other] += self.beta * (cosine - self.targets[task, other])
        return coefficients

    def state_dict(self) -> dict[str, Any]:
        """The average cosines, and the generator's state."""
        return super().state_dict() | {"targets": self.targets.tolist()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back a state that :meth:`state_dict` gave."""
        super().load_state_dict(state)
        self.targets = np.array(state["targets"])
