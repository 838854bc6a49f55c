"""BanditMTL: an adversary chooses the weights, to make the weighted loss large."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from scipy.optimize import brentq
from scipy.special import log_softmax

from mtbalance.balancing.rules import LossRule, Vector
from mtbalance.blocks import NonNegative, Positive


class Bandit(LossRule):
    """K p, where p is moved on the simplex by mirror ascent on the losses and kept near the uniform distribution.

    Source: Mao et al. 2021 (BanditMTL). The step is taken with p. Then p moves, from the same losses:

        q_k = p_k exp(eta L_k),   p_k proportional to q_k^(1 / (1 + m)),   m >= 0 smallest with KL(p || uniform) <= rho

    p starts uniform. Departures: times K, so that equal tasks weigh 1 each; logarithms throughout, so that nothing
    overflows; m by Brent's method. ``diagnostics`` holds the multiplier m, which is 0 if the constraint does not
    bind.

    The divergence is at most log K (0.69 for two tasks), so 1.2, a third party's value of ``rho``, can never bind with
    K <= 3 tasks, and p then ends on the task of the largest loss. No value of the authors is known for so few tasks.
    The default lets two tasks weigh 1.44 and 0.56 at most.
    """

    def __init__(
        self,
        tasks: int,
        *,
        eta: Annotated[
            NonNegative, "Step size of the mirror ascent. Losses enter unweighted, so it depends on their scale."
        ] = 0.5,
        rho: Annotated[Positive, "Largest divergence KL(p || uniform); for K tasks it cannot exceed log K."] = 0.1,
    ) -> None:
        super().__init__(tasks)
        if eta < 0:
            raise ValueError(f"eta must not be negative: {eta}")
        if rho <= 0:
            raise ValueError(f"rho must be positive, not {rho}")
        self.eta, self.rho = eta, rho
        self.log_mixture = np.full(tasks, -np.log(tasks))

    def weights(self, losses: Vector) -> Vector:
        """Weights [K], non-negative, with sum K."""
        weights: Vector = self.tasks * np.exp(self.log_mixture)
        logits = self.log_mixture + self.eta * losses
        power = self._power(logits)
        self.log_mixture = log_softmax(power * logits)
        self.diagnostics = {"multiplier": 1 / power - 1, "divergence": _divergence(self.log_mixture)}
        return weights

    def _power(self, logits: Vector) -> float:
        """1 / (1 + m): the largest power, at most 1, at which the divergence is within ``rho``."""

        def excess(power: float) -> float:
            return _divergence(log_softmax(power * logits)) - self.rho

        return 1.0 if excess(1.0) <= 0 else float(brentq(excess, 0.0, 1.0, xtol=1e-300, maxiter=2000))

    def state_dict(self) -> dict[str, Any]:
        """The logarithms of p."""
        return {"log_mixture": self.log_mixture.tolist()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back a state that :meth:`state_dict` gave."""
        self.log_mixture = np.array(state["log_mixture"])


def _divergence(log_mixture: Vector) -> float:
    """KL(p || uniform) = sum_k p_k log(K p_k)."""
    return float(np.exp(log_mixture) @ (log_mixture + np.log(len(log_mixture))))
