"""Aligned-MTL: rows made orthogonal and equally long before they are added."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np

from mtbalance.balancing.rules import ROUNDING, GramRule, Matrix, Vector
from mtbalance.balancing.solvers.bargaining import nonzero_rows, unit_diagonal

ALIKE = 1e3
"""Up to this ratio of their norms rows keep their order for ``eigh``, which then costs no more than six digits."""


class AlignedMTL(GramRule):
    """Row sums of B = sigma G^(-1/2): the rows B J are orthogonal, all of length sigma, and nearest to J in direction.

    Source: Senushkin et al. 2023 (Aligned-MTL), algorithm 1. With G = V diag(l) V', the inverse root is taken on the r
    largest eigenvalues l, where r is the rank of G; sigma comes from the same eigenvalues (``scale``). Departure: the
    rank is read off the cosines of the rows, where the size of a rounding error does not depend on the rows' lengths;
    the authors' code reads it off G. Every task has preference 1, so orthogonal rows of one length weigh 1 each. In no
    other case is the sum of weights K, and weights may be negative. Weights are ones if all rows are zero.
    """

    heads = "own"

    def __init__(
        self,
        tasks: int,
        *,
        scale: Annotated[
            Literal["min", "median", "rmse"],
            "Length sigma of the aligned rows, as in the authors' code: the root of the smallest eigenvalue (``min``, "
            "the paper), of their median (``median``; of two the lower), or of their mean (``rmse``).",
        ] = "min",
    ) -> None:
        super().__init__(tasks)
        self.scale = scale

    def weights(self, gram: Matrix, losses: Vector) -> Vector:
        """Weights [K] of either sign."""
        values, vectors = _eigen(gram)
        kept = (np.arange(self.tasks) >= self.tasks - _rank(gram)) & (values > 0)
        self.diagnostics = {"rank": float(kept.sum())}
        if not kept.any():
            return np.ones(self.tasks)
        values, vectors = values[kept], vectors[:, kept]
        squared = {"min": values[0], "median": values[(len(values) - 1) // 2], "rmse": values.mean()}[self.scale]
        weights: Vector = vectors @ (np.sqrt(squared / values) * vectors.sum(axis=0))
        return weights


def _eigen(gram: Matrix) -> tuple[Vector, Matrix]:
    """Eigenvalues, ascending, and eigenvectors. Rows of very unlike norms go longest first: else short ones are lost.

    The reduction to a tridiagonal matrix, by which ``eigh`` begins, is then accurate for each row by itself.
    """
    norms = np.sqrt(gram.diagonal())
    order = np.arange(len(gram)) if norms.max() <= ALIKE * norms.min() else np.argsort(-norms, kind="stable")
    values, vectors = np.linalg.eigh(gram[np.ix_(order, order)])
    return values, vectors[np.argsort(order)]


def _rank(gram: Matrix) -> int:
    """The number of independent rows, up to the rounding of their products."""
    _, inner = nonzero_rows(gram)
    cosines, _ = unit_diagonal(inner)
    return int((np.linalg.eigvalsh(cosines) > len(gram) * ROUNDING).sum())
