"""SDMGrad: MGDA with a pull toward the mean row."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from mtbalance.balancing.rules import GramRule, Matrix, Vector
from mtbalance.balancing.solvers.min_norm import min_norm
from mtbalance.blocks import NonNegative


class SDMGrad(GramRule):
    """K d, with d = (g_w + lambda g_0) / (1 + lambda), where g_0 is the mean row and w on the simplex makes d shortest.

    Source: Xiao et al. 2023 (SDMGrad, arXiv 2305.18409): w minimizes |g_w + lambda g_0|^2 / 2. With ``pull`` (lambda)
    zero this is MGDA; as it grows, d tends to the mean row. Where every w_k is positive, d is MGDA's as well. Times K
    as in the authors' code for NYUv2. Departures: w is the exact minimizer, as in the authors' toy example, while their
    other code takes 20 projected steps from the last w, so long that they need not settle. All rows are of one batch,
    as in their reinforcement learning, while their code for NYUv2 draws three batches, so that the slopes of w are
    unbiased.
    """

    heads = "own"

    def __init__(
        self,
        tasks: int,
        *,
        pull: Annotated[
            NonNegative, "The paper's lambda: weight of the mean row beside the row of least norm (0.3 in their runs)."
        ] = 0.3,
    ) -> None:
        super().__init__(tasks)
        if pull < 0:
            raise ValueError(f"pull must not be negative: {pull}")
        self.pull = pull

    def weights(self, gram: Matrix, losses: Vector) -> Vector:
        """Weights [K], non-negative, with sum K."""
        shift = np.eye(self.tasks) + self.pull / self.tasks  # rows g_k + lambda g_0
        mixture = min_norm(shift @ gram @ shift.T)
        return (self.tasks * mixture + self.pull) / (1 + self.pull)
