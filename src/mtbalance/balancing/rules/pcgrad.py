"""PCGrad: project conflicting rows onto each other's normal planes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mtbalance.balancing.rules import GramRule, Matrix, Vector


class PCGrad(GramRule):
    """The sum of the rows after each is freed, in random order, from its parts that oppose the other rows.

    Source: Yu et al. 2020 (PCGrad), algorithm 1: the running row is projected, and the rows that it is projected on are
    the original ones. The joint row is the sum, as in the paper. Departure: it is a combination of the rows, so its
    coefficients are found on the Gram matrix alone. Weights are at least 1, and exactly 1 if no rows conflict.
    """

    heads = "own"
    draws = True

    def weights(self, gram: Matrix, losses: Vector) -> Vector:
        """Weights [K], at least 1; an order is drawn for each task."""
        others = [np.delete(np.arange(self.tasks), task) for task in range(self.tasks)]
        return project_conflicts(gram, [self.generator.permutation(order).tolist() for order in others])


def project_conflicts(gram: Matrix, orders: Sequence[Sequence[int]]) -> Vector:
    """Coefficients [K] of the sum of projected rows; row k meets the other rows in the order ``orders[k]``."""
    total = np.zeros(len(gram))
    for task, order in enumerate(orders):
        coefficients = np.eye(len(gram))[task]
        for other in order:
            product = gram[other] @ coefficients
            if product < 0 < gram[other, other]:
                coefficients[other] -= product / gram[other, other]
        total += coefficients
    return total
