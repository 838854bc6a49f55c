"""Random weights at every step."""

from __future__ import annotations

from scipy.special import softmax

from mtbalance.rules import LossRule, Vector


class RandomWeights(LossRule):
    """The softmax of K standard normal draws, times K, drawn anew at each step (RLW).

    Source: Lin et al. 2022, with the normal distribution. Departure: the paper's weights sum to 1; times K they
    weigh 1 each on average.
    """

    draws = True

    def weights(self, losses: Vector) -> Vector:
        """Weights [K], positive, with sum K."""
        return self.tasks * softmax(self.generator.standard_normal(self.tasks))
