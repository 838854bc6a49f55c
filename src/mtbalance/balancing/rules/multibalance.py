"""MultiBalance's rule: a stabilized min-norm, one projected step at a time."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np

from mtbalance.balancing.rules import GramRule, Matrix, Vector
from mtbalance.balancing.solvers.simplex import project_on_simplex
from mtbalance.blocks import Fraction, NonNegative


class MultiBalance(GramRule):
    """One projected step on the simplex toward the min-norm of rows of averaged length, times K.

    Source: MultiBalance (He et al. 2024, arXiv 2411.11871). Only the abstract of the paper was at hand, so algorithm
    and values follow a third party's description of algorithm 3, and are marked as such wherever they are printed.
    With rows z_k (gradients at the shared representation):

        u_k <- (1 - gamma) u_k + gamma ||z_k||,   v_k = u_k z_k / ||z_k||
        lambda <- Pi(lambda - beta V V' (lambda + rho / K)),   joint row = V' lambda

    The length of each row is a moving average; its direction is the batch's. Times K so that equal tasks weigh 1 each.
    A row that is zero leaves its average as it is.
    """

    heads = "own"

    def __init__(
        self,
        tasks: int,
        *,
        rho: Annotated[
            NonNegative, "Offset: the gradient of a step is taken at lambda + rho / K instead of lambda."
        ] = 0.1,
        gamma: Annotated[Fraction, "Rate at which a row's average length follows the batches; above 0."] = 0.01,
        beta: Annotated[NonNegative, "Step size of the weights lambda."] = 1.0,
        inner: Annotated[
            Literal["cosine", "product"],
            "Matrix of the step: the products V V' of the description (``product``), or the cosines of the rows "
            "(``cosine``), with which ``beta`` does not depend on the scale of the losses.",
        ] = "cosine",
        start: Annotated[
            Literal["corrected", "zero"],
            "Start of the moving average: at ``zero``, as in the description, where the first rows are only about "
            "``gamma`` times as long as they should be; or ``corrected`` for it, by division by 1 - (1 - gamma)^t.",
        ] = "corrected",
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
        """Weights [K], non-negative, on the rows as they are: K lambda_k u_k / ||z_k||."""
        norms = np.sqrt(gram.diagonal())
        present = norms > 0
        self.seen = self.seen + present
        self.magnitudes = np.where(present, (1 - self.gamma) * self.magnitudes + self.gamma * norms, self.magnitudes)
        inverse = np.divide(1.0, norms, out=np.zeros(self.tasks), where=present)
        lengths = self._lengths() * inverse
        scales = inverse if self.inner == "cosine" else lengths
        gradient = scales * (gram @ (scales * (self.mixture + self.rho / self.tasks)))
        self.mixture = project_on_simplex(self.mixture - self.beta * gradient)
        return self.tasks * self.mixture * lengths

    def _lengths(self) -> Vector:
        if self.start == "zero":
            return self.magnitudes
        return self.magnitudes / (1 - (1 - self.gamma) ** np.maximum(self.seen, 1))

    def state_dict(self) -> dict[str, Any]:
        """The average lengths, lambda, and the number of steps at which each task had a row."""
        return {name: getattr(self, name).tolist() for name in ("magnitudes", "mixture", "seen")}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back a state that :meth:`state_dict` gave."""
        self.magnitudes, self.mixture = np.array(state["magnitudes"]), np.array(state["mixture"])
        self.seen = np.array(state["seen"], dtype=np.int64)
