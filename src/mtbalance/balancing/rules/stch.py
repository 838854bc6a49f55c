"""STCH: a smooth maximum of the losses, each relative to what it was early in training."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from scipy.special import softmax

from mtbalance.balancing.preferences import per_task
from mtbalance.balancing.rules import LossRule, Vector
from mtbalance.blocks import Count, Positive


class STCH(LossRule):
    """Weights K df/dL_k of the smooth maximum f = mu log sum_k exp(p_k log(L_k / z_k) / mu).

    Source: Lin et al. 2024 (smooth Tchebycheff scalarization, arXiv 2402.19078), with the logarithm of a loss over its
    nadir z_k in place of the loss less its ideal value, as in the authors' code for multi-task learning. z is the mean
    of the losses in a window of steps, at the end of the warm-up. Until then the weights are p_k / L_k, those of a sum
    of logarithms, to which K f tends as mu grows, but for a constant. Departures: the warm-up is counted in steps, not
    in epochs; preferences, which that code does not have, are scaled to sum K; nothing is added to the losses, so that
    they must be positive. Weights are on the scale of a sum of logarithms: losses of 1 weigh 1 each.
    """

    def __init__(
        self,
        tasks: int,
        *,
        mu: Annotated[
            Positive, "Smoothness: as it becomes smaller, the worst task gets all the weight (1 in LibMTL)."
        ] = 1.0,
        preference: Annotated[
            list[Positive] | None, "Preferences p, one for each task, of any scale; without them, all alike."
        ] = None,
        warmup: Annotated[
            Count, "Steps with the sum of logarithms. The authors' code has 5 epochs of them, by its default."
        ] = 25,
        window: Annotated[
            Count | None,
            "Steps at the end of the warm-up whose losses give the nadir (an epoch in the authors' code); without it, "
            "the whole warm-up.",
        ] = None,
    ) -> None:
        super().__init__(tasks)
        if not mu > 0:
            raise ValueError(f"mu must be positive, not {mu}")
        given = per_task(tasks, preference, zeros=False)
        if warmup < 1:
            raise ValueError(f"warmup must be at least 1, not {warmup}")
        if window is not None and not 1 <= window <= warmup:
            raise ValueError(f"window must be between 1 and warmup, which is {warmup}, not {window}")
        self.mu, self.warmup, self.window = mu, warmup, window or warmup
        self.preference = tasks * given / given.sum()
        self.steps, self.nadir = 0, np.zeros(tasks)

    def weights(self, losses: Vector) -> Vector:
        """Weights [K], not negative. Raises ``FloatingPointError`` for a loss that is not positive."""
        self.need_positive(losses)
        shares = np.ones(self.tasks)
        if self.steps < self.warmup:
            if self.steps >= self.warmup - self.window:
                self.nadir = self.nadir + losses / self.window
            self.steps += 1
        else:
            shares = self.tasks * softmax(self.preference * (np.log(losses) - np.log(self.nadir)) / self.mu)
        weights: Vector = shares * self.preference / losses
        return weights

    def state_dict(self) -> dict[str, Any]:
        """The steps of the warm-up so far, and the nadir."""
        return {"steps": self.steps, "nadir": self.nadir.tolist()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back a state that :meth:`state_dict` gave."""
        self.steps, self.nadir = state["steps"], np.array(state["nadir"])
