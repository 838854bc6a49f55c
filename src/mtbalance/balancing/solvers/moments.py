"""Running means and variances, for rules that follow the losses over time."""

from __future__ import annotations

from typing import Any

import numpy as np

from mtbalance.balancing.arrays import Vector


class Moments:
    """Mean and variance of a sequence of vectors, in which each new vector gets a share of the weight.

    With the share 1/n for the n-th vector they are the mean and the variance (over n, not n - 1) of the n vectors. With
    a constant share they are exponential averages. The variance is that of the same weights about their own mean, as
    E[x^2] - E[x]^2 is, but nothing is canceled: Welford 1962, with shares in place of 1/n.
    """

    def __init__(self, size: int) -> None:
        self.mean, self.variance = np.zeros(size), np.zeros(size)

    def take(self, values: Vector, share: float) -> None:
        """Take one more vector [size], with a share above 0 of the weight; the first has all of it, 1."""
        distance = values - self.mean
        self.mean = self.mean + share * distance
        self.variance = (1 - share) * (self.variance + share * distance**2)

    def state_dict(self) -> dict[str, Any]:
        """Mean and variance."""
        return {"mean": self.mean.tolist(), "variance": self.variance.tolist()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back a state that :meth:`state_dict` gave."""
        self.mean, self.variance = np.array(state["mean"]), np.array(state["variance"])
