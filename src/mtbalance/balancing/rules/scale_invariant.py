"""Scale-invariant weights: the sum of the logarithms of the losses."""

from __future__ import annotations

from mtbalance.balancing.rules import LossRule, Vector


class ScaleInvariant(LossRule):
    """Weights 1 / L_k: the gradient of sum_k log L_k, which no task's scale changes (SI).

    Source: the baseline SI of Navon et al. 2022, with the bare logarithm. Weights are not brought to sum K, because
    that would let the scale of one loss act on all others. Defined for positive losses only.
    """

    def weights(self, losses: Vector) -> Vector:
        """Weights [K], positive. Raises ``FloatingPointError`` for a loss that is not positive."""
        self.need_positive(losses)
        return 1.0 / losses
