"""Equal weights, or linear scalarisation."""

from __future__ import annotations

import numpy as np

from mtbalance.rules import GramRule, LossRule, Matrix, Vector


class Equal(LossRule, GramRule):
    """Every task weighs 1: the sum of losses (LS; rows "MMOE" and "PLE" of PUB's Table III)."""

    levels = LossRule.levels + GramRule.levels

    def weights(self, *_: Matrix | Vector) -> Vector:
        """Ones [K], whatever is seen."""
        return np.ones(self.tasks)
