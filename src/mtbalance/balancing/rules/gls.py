"""GLS: the geometric mean of the losses."""

from __future__ import annotations

import numpy as np

from mtbalance.balancing.rules import LossRule, Vector


class GLS(LossRule):
    """Weights (prod_j L_j)^(1/K) / L_k: the gradient of K times the geometric mean of the losses.

    Source: Chennupati et al. 2019 (MultiNet++), the geometric loss strategy. The direction is that of the rule
    ``scale_invariant``, the gradient of the sum of logarithms; the length is that of the losses. Departure: times K, so
    that equal losses weigh 1 each. Every weighted loss w_k L_k is the geometric mean. Defined for positive losses only.
    """

    def weights(self, losses: Vector) -> Vector:
        """Weights [K], positive, with product 1. Raises ``FloatingPointError`` for a loss that is not positive."""
        self.need_positive(losses)
        logarithms = np.log(losses)
        weights: Vector = np.exp(logarithms.mean() - logarithms)
        return weights
