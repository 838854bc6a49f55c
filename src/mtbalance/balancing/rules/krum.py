"""Krum: the rows that are nearest to others, and none that stands apart."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from mtbalance.balancing.rules import ROUNDING, GramRule, Matrix, Vector
from mtbalance.blocks import Count


class Krum(GramRule):
    """K times the mean of the ``selected`` rows of lowest score, a sum of squared distances to the nearest others.

    Source: Blanchard et al. 2017 (Krum, and Multi-Krum with more than one row), section 4: row k's score is
    sum |g_k - g_j|^2 over its K - f - 2 nearest rows j, where f rows may stand apart. The paper is about workers that
    send gradients of one loss, of which f may be hostile; here the rows are those of tasks. Departures: times K, so
    that equal rows weigh 1 each; rows whose scores differ by rounding share their places, where the paper takes the
    first. With two tasks no row has a neighbor, and both weigh 1.
    """

    heads = "own"

    def __init__(
        self,
        tasks: int,
        *,
        apart: Annotated[int, "The paper's f, at most K - 3: number of rows that may stand apart."] = 0,
        selected: Annotated[Count, "Number of rows that are averaged; more than one is Multi-Krum."] = 1,
    ) -> None:
        super().__init__(tasks)
        if apart and not 0 < apart <= tasks - 3:
            raise ValueError(f"apart must be at least 0 and at most the number of tasks less 3, not {apart} of {tasks}")
        if not 1 <= selected <= max(tasks, 1):
            raise ValueError(f"selected must be at least 1 and at most the number of tasks, not {selected} of {tasks}")
        self.neighbors, self.selected = max(tasks - apart - 2, 0), selected

    def weights(self, gram: Matrix, losses: Vector) -> Vector:
        """Weights [K], non-negative, with sum K."""
        scores, rounding = self._scores(gram)
        last = np.argsort(scores)[self.selected - 1]
        tied = np.abs(scores - scores[last]) <= rounding + rounding[last]
        better = (scores < scores[last]) & ~tied
        chosen = better + tied * (self.selected - better.sum()) / tied.sum()
        weights: Vector = self.tasks * chosen / self.selected
        return weights

    def _scores(self, gram: Matrix) -> tuple[Vector, Vector]:
        """The scores [K], and what of them may be rounding."""
        sizes = np.add.outer(gram.diagonal(), gram.diagonal())
        squares = np.maximum(sizes - 2 * gram, 0.0)
        np.fill_diagonal(squares, np.inf)  # a row is not its own neighbor
        nearest = np.argsort(squares, axis=1)[:, : self.neighbors]
        scores, summed = (np.take_along_axis(values, nearest, axis=1).sum(axis=1) for values in (squares, sizes))
        return scores, ROUNDING * summed
