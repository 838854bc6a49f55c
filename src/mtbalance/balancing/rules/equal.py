"""Equal weights, or linear scalarization."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from mtbalance.balancing.rules import GramRule, LossRule, Matrix, Vector


class Equal(LossRule, GramRule):
    """Every task weighs 1: the sum of losses (LS).

    Source: PUB, table III, rows "MMOE" and "PLE".
    """

    levels: ClassVar[tuple[str, ...]] = LossRule.levels + GramRule.levels

    def weights(self, *_: Matrix | Vector) -> Vector:
        """Ones [K], whatever the losses and the Gram matrix are."""
        return np.ones(self.tasks)
