"""MultiBalance's rule: a stabilised min-norm, one projected step at a time."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from mtbalance.rules import GramRule, Matrix, Vector
from mtbalance.solvers.simplex import project_on_simplex


class Multibalance(GramRule):
    """One projected step on the simplex towards the min-norm of rows of averaged length, times K.

    Source: MultiBalance (He et al. 2024, arXiv 2411.11871); the paper's text at hand is its abstract, so algorithm
    and values follow a third party's description of algorithm 3, and are marked as such wherever they are printed.
    With rows z_m (gradients at the shared representation):

        u_m <- (1 - gamma) u_m + gamma ||z_m||,   v_m = u_m z_m / ||z_m||
        lambda <- Pi(lambda - beta V V' (lambda + rho / M)),   joint row = V' lambda

    The length of each row is a moving average, its direction is the batch's. ``inner: cosine`` replaces V V' by the
    cosines of the rows, which makes ``beta`` free of the losses' scale. ``start: corrected`` divides the average by
    1 - (1 - gamma)^t; ``zero`` is the description's, under which the first rows are about gamma times too short.
    Times K so that equal tasks weigh 1 each. A row that is zero leaves its average as it is.
    """

    heads = "own"

    def __init__(
        self,
        tasks: int,
        *,
        rho: float = 0.1,
        gamma: float = 0.01,
        beta: float = 1.0,
        inner: Literal["cosine", "product"] = "cosine",
        start: Literal["corrected", "zero"] = "corrected",
    ) -> None:
        super().__init__(tasks)
        if rho < 0 or beta < 0:
            raise ValueError(f"rho and beta must not be negative: {rho}, {beta}")
        if not 0 < gamma <= 1:
            raise ValueError(f"gamma must be above 0 and at most 1, not {gamma}")
        self.rho, self.gamma, self.beta, self.inner, self.start = rho, gamma, beta, inner, start
        self.magnitudes = np.zeros(tasks)
        self.mixture = np.full(tasks, 1.0 / tasks)
        self.seen = np.zeros(tasks, dtype=np.int64)

    def weights(self, gram: Matrix, losses: Vector) -> Vector:
        """Weights [K], non-negative, on the rows as they are: K lambda_m u_m / ||z_m||."""
        norms = np.sqrt(gram.diagonal())
        present = norms > 0
        self.seen = self.seen + present
        moved = (1 - self.gamma) * self.magnitudes + self.gamma * norms
        self.magnitudes = np.where(present, moved, self.magnitudes)
        lengths = np.where(present, self._lengths() / np.where(present, norms, 1.0), 0.0)
        scales = np.where(present, 1.0 / np.where(present, norms, 1.0), 0.0) if self.inner == "cosine" else lengths
        products = gram * np.outer(scales, scales)
        gradient = products @ (self.mixture + self.rho / self.tasks)
        self.mixture = project_on_simplex(self.mixture - self.beta * gradient)
        return self.tasks * self.mixture * lengths

    def _lengths(self) -> Vector:
        if self.start == "zero":
            return self.magnitudes
        return self.magnitudes / np.where(self.seen > 0, 1 - (1 - self.gamma) ** self.seen, 1.0)

    def state_dict(self) -> dict[str, Any]:
        """Average magnitudes, the mixture and how often each task was seen."""
        return {name: getattr(self, name).tolist() for name in ("magnitudes", "mixture", "seen")}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what :meth:`state_dict` gave."""
        self.magnitudes, self.mixture = np.array(state["magnitudes"]), np.array(state["mixture"])
        self.seen = np.array(state["seen"], dtype=np.int64)
