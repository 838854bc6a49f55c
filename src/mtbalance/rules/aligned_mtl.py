"""Aligned-MTL: rows made orthogonal and equally long before they are added."""

from __future__ import annotations

from typing import Literal

import numpy as np

from mtbalance.rules import ROUNDING, GramRule, Matrix, Vector
from mtbalance.solvers.bargaining import unit_diagonal


class AlignedMtl(GramRule):
    """Row sums of B = sigma G^(-1/2): the rows B J are orthogonal, all of length sigma, and nearest to J in direction.

    Source: Senushkin et al. 2023 (Aligned-MTL), algorithm 1. With G = V diag(l) V', the inverse root is taken on the
    largest eigenvalues l, as many as G has rank. Departure: the rank is read off the rows' cosines, where what is
    rounding does not depend on their lengths; the authors' code reads it off G. ``scale`` is sigma: the root of the
    smallest of these eigenvalues (``min``, the paper), of their median (``median``, the lower of two), or of their mean
    (``rmse``), as in the authors' code. Every task has preference 1, so orthogonal rows of one length weigh 1 each; the
    sum of weights is K in no other case, and weights may be negative. Weights are ones where all rows are zero.
    """

    heads = "own"

    def __init__(self, tasks: int, *, scale: Literal["min", "median", "rmse"] = "min") -> None:
        super().__init__(tasks)
        self.scale = scale

    def weights(self, gram: Matrix, losses: Vector) -> Vector:
        """Weights [K] of either sign."""
        values, vectors = np.linalg.eigh(gram)
        kept = (np.arange(self.tasks) >= self.tasks - _rank(gram)) & (values > 0)
        self.diagnostics = {"rank": float(kept.sum())}
        if not kept.any():
            return np.ones(self.tasks)
        values, vectors = values[kept], vectors[:, kept]
        squared = {"min": values[0], "median": values[(len(values) - 1) // 2], "rmse": values.mean()}[self.scale]
        return vectors @ (np.sqrt(squared / values) * vectors.sum(axis=0))


def _rank(gram: Matrix) -> int:
    """How many rows are independent, up to the rounding of their products."""
    present = np.nonzero(gram.diagonal() > 0)[0]
    cosines, _ = unit_diagonal(gram[np.ix_(present, present)])
    return int((np.linalg.eigvalsh(cosines) > len(gram) * ROUNDING).sum())
