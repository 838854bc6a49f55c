"""PCD: the target task's row, bent as little as the other tasks' progress takes."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from scipy.optimize import nnls

from mtbalance.balancing.rules import ROUNDING, GramRule, Matrix, Vector
from mtbalance.blocks import Fraction, NonNegative


class PCD(GramRule):
    """The row d nearest to the target task's, with n_k . d >= tau |n_k|^2 for the normalized rows n_k of the others.

    Source: priority-constrained descent (arXiv 2606.29521), as TorchJD 0.18 has it; the paper was not at hand. Row k
    is divided by the root of a moving average of its squared norm, with correction for its start at zero. d is then
    scaled to the norm of the target task's row, so that this row alone would weigh 1, and the scale of another loss
    does not matter. d is the target's row if the conditions contradict each other (``fallback`` is then 1 in
    ``diagnostics``), and zero if that row is zero. Departures: no epsilon is added to the averages; the problem is
    solved as a least-distance problem by SciPy's NNLS (Lawson and Hanson 1974, chapter 23); the target need not be the
    first task.
    """

    symmetric = False
    heads = "own"

    def __init__(
        self,
        tasks: int,
        *,
        tau: Annotated[Fraction, "Progress of every other task, relative to that of a step along its own row."] = 0.02,
        beta: Annotated[NonNegative, "Part of the average squared norms that is kept at each step; below 1."] = 0.999,
        target: Annotated[int, "Number of the target task; the first task is 0."] = 0,
    ) -> None:
        super().__init__(tasks)
        if not 0 <= tau <= 1:
            raise ValueError(f"tau must be between 0 and 1, not {tau}")
        if not 0 <= beta < 1:
            raise ValueError(f"beta must be at least 0 and below 1, not {beta}")
        if not 0 <= target < tasks:
            raise ValueError(f"target must be the number of a task, from 0 to {tasks - 1}, not {target}")
        self.tau, self.beta, self.target = tau, beta, target
        self.squares, self.steps = np.zeros(tasks), 0

    def weights(self, gram: Matrix, losses: Vector) -> Vector:
        """Weights [K], non-negative."""
        self.steps += 1
        self.squares = self.beta * self.squares + (1 - self.beta) * gram.diagonal()
        averages = self.squares / (1 - self.beta**self.steps)
        scales = 1 / np.sqrt(np.where(averages > 0, averages, 1.0))
        normalized = gram * np.outer(scales, scales)
        bent = self._bent(normalized)
        squared, size = float(bent @ normalized @ bent), float(bent @ np.sqrt(normalized.diagonal())) ** 2
        if squared <= ROUNDING * size:  # nothing is left of the target's row, or it is zero
            return np.zeros(self.tasks)
        weights: Vector = bent * scales * np.sqrt(gram[self.target, self.target] / squared)
        return weights

    def _bent(self, gram: Matrix) -> Vector:
        """d as a combination [K] of the normalized rows: the target's row, and multiples of the others."""
        others = np.delete(np.arange(self.tasks), self.target)
        combination: Vector = np.eye(self.tasks)[self.target]
        short = self.tau * gram.diagonal()[others] - gram[others, self.target]
        self.diagnostics = {"fallback": 0.0}
        if (short <= 0).all():
            return combination
        values, vectors = np.linalg.eigh(gram[np.ix_(others, others)])
        rows = vectors * np.sqrt(np.maximum(values, 0.0))  # others' rows, in coordinates of their span
        found, residual = nnls(np.vstack([rows.T, short]), np.append(np.zeros(len(others)), 1.0))
        if residual**2 > self.tasks * ROUNDING:
            combination[others] = found / residual**2
        else:
            self.diagnostics["fallback"] = 1.0
        return combination

    def state_dict(self) -> dict[str, Any]:
        """The average squared norms before their correction, and the number of steps."""
        return {"squares": self.squares.tolist(), "steps": self.steps}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back a state that :meth:`state_dict` gave."""
        self.squares, self.steps = np.array(state["squares"]), state["steps"]
