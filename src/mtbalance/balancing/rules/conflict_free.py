"""ConFIG: the direction that has the same cosine with the rows of all tasks."""

from __future__ import annotations

import numpy as np

from mtbalance.balancing.rules import ROUNDING, GramRule, Matrix, Vector
from mtbalance.balancing.solvers.bargaining import nonzero_rows, unit_diagonal


class ConFIG(GramRule):
    """(sum_k g_k . u) u, where the unit vector u has equal, positive cosines with all rows g_k.

    Source: Liu et al. 2024 (ConFIG, arXiv 2408.11104), equation 2, with equal preferences: u points along
    U^+ 1, where U^+ is the pseudoinverse of the matrix U of unit rows. Departure: U^+ 1 = U' C^+ 1 is a combination of
    the rows, so it is found on their cosines C = U U' alone; eigenvalues of C that are rounding count as zero.
    If the rows are independent, u is the direction of IMTL-G; only the length is another. Orthogonal rows of one length
    weigh 1 each; weights may be negative.

    Rows that depend on each other may have no such u. The cosines are then equal in the sense of least squares, and the
    joint row is zero where that leaves no direction, as for opposed rows. A zero row has no direction and weighs
    nothing. Weights are ones if all rows are zero.
    """

    heads = "own"

    def weights(self, gram: Matrix, losses: Vector) -> Vector:
        """Weights [K] of either sign."""
        present, inner = nonzero_rows(gram)
        self.diagnostics = {"rank": 0.0}
        if not len(present):
            return np.ones(self.tasks)
        cosines, norms = unit_diagonal(inner)
        values, vectors = np.linalg.eigh(cosines)
        kept = values > len(present) * ROUNDING
        self.diagnostics["rank"] = float(kept.sum())
        ones = vectors[:, kept].sum(axis=0)  # the part of 1 in each eigenvector
        ones[np.abs(ones) <= len(present) * ROUNDING] = 0.0
        direction = vectors[:, kept] @ (ones / values[kept])
        squared = float(ones @ (ones / values[kept]))  # the squared length of U' direction
        weights = np.zeros(self.tasks)
        if squared > 0:
            length = float(norms @ (vectors[:, kept] @ ones)) / squared
            weights[present] = length * direction / norms
        return weights
