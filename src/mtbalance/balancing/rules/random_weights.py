"""Random weights at every step."""

from __future__ import annotations

from scipy.special import softmax

from mtbalance.balancing.rules import LossRule, Vector


class RandomWeights(LossRule):
    """The softmax of K standard normal draws, times K, drawn anew at each step (RLW).

    Source: Lin et al. 2022, with the normal distribution. Departure: times K, so that weights are 1 on average; the
    paper's sum to 1.
    """

    draws = True

    def weights(self, losses: Vector) -> Vector:
        """Weights [K], positive, with sum K."""
        shares: Vector = softmax(self.generator.standard_normal(self.tasks))
        return self.tasks * shares
