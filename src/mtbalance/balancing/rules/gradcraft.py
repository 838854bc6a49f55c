"""GradCraft: rows of nearly one length, each freed from all its conflicts at once."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from mtbalance.balancing.rules import ROUNDING, GramRule, Matrix, Vector
from mtbalance.balancing.solvers.bargaining import nonzero_rows, unit_diagonal
from mtbalance.blocks import Fraction, NonNegative


class GradCraft(GramRule):
    """The sum of the rows after their lengths are moved to the longest one and each is projected off all its conflicts.

    Source: Bai et al. 2024 (GradCraft, arXiv 2407.19682), as in the authors' code. Lengths: row g_k becomes
    (tau max_j |g_j| / |g_k| + 1 - tau) g_k. Directions: to row k a combination of the rows j that oppose it is added,
    by solving one linear system, such that its inner product with each of them is epsilon |g_k| |g_j|. Departures: the
    joint row is the sum of these rows, where the code takes their mean; it is a combination of the rows, so that its
    coefficients are found on the cosines alone; rows j that depend on each other are combined in the sense of least
    squares, where the code inverts a singular matrix. A zero row stays zero and weighs 1. Weights may be negative.
    """

    heads = "own"

    def __init__(
        self,
        tasks: int,
        *,
        tau: Annotated[
            Fraction, "Part of the way from its own length to the longest row's that each row is moved."
        ] = 1.0,
        epsilon: Annotated[
            NonNegative, "Cosine, relative to a row's length before its projection, with the rows that opposed it."
        ] = 0.0,
    ) -> None:
        super().__init__(tasks)
        if not 0 <= tau <= 1:
            raise ValueError(f"tau must be between 0 and 1, not {tau}")
        if epsilon < 0:
            raise ValueError(f"epsilon must not be negative: {epsilon}")
        self.tau, self.epsilon = tau, epsilon

    def weights(self, gram: Matrix, losses: Vector) -> Vector:
        """Weights [K] of either sign."""
        present, inner = nonzero_rows(gram)
        weights = np.ones(self.tasks)
        if len(present):
            cosines, norms = unit_diagonal(inner)
            lengths = self.tau * norms.max() + (1 - self.tau) * norms
            weights[present] = (lengths @ self._deconflicted(cosines)) / norms
        return weights

    def _deconflicted(self, cosines: Matrix) -> Matrix:
        """Coefficients [K, K]: row k is unit row k without its conflicts, as a combination of the unit rows."""
        coefficients = np.eye(len(cosines))
        for task, row in enumerate(cosines):
            against = np.nonzero(row < 0)[0]
            if len(against):
                wanted = self.epsilon - row[against]
                among = cosines[np.ix_(against, against)]
                coefficients[task, against] = np.linalg.lstsq(among, wanted, rcond=len(cosines) * ROUNDING)[0]
        return coefficients
