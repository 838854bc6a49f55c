"""The toy problem: two losses of two numbers, whose gradients differ widely in size, and whose Pareto front is known.

Source: Liu et al. 2021 (CAGrad), figure 1; Navon et al. 2022 (NashMTL) with these starts and a scale on task 1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Numbers = NDArray[np.float64]

SMALLEST = 5e-6
"""Arguments of the logarithm below this are cut off, and their gradient with them."""


def loss(theta: Tensor, task: int, scale: float = 1.0) -> Tensor:
    """L_1 (``task`` 0) or L_2 (``task`` 1) at theta = (x1, x2); ``scale`` multiplies L_1. See :func:`evaluate`."""
    apply: Callable[[Tensor, int, float], Tensor] = _Loss.apply
    return apply(theta, task, scale)


class _Loss(torch.autograd.Function):
    """:func:`evaluate` with its gradient: a quarter of the time of thirty torch operations, in a million steps."""

    @staticmethod
    def forward(ctx: Any, theta: Tensor, task: int, scale: float) -> Tensor:
        value, gradient = evaluate(theta.detach().numpy(), task, scale)
        ctx.gradient = torch.from_numpy(gradient)
        return theta.new_tensor(value)

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, None, None]:
        return upstream * ctx.gradient, None, None


def evaluate(point: Numbers, task: int, scale: float = 1.0) -> tuple[Numbers, Numbers]:
    """The loss of ``task`` (0 or 1) and its gradient [2, ...] at ``point`` = (x1, x2), of shape [2, ...].

    L_1 = s (f_1 c_1 + q_1 c_2) with s = ``scale``, L_2 = f_2 c_1 + q_2 c_2, where c_1 = max(tanh(x2 / 2), 0),
    c_2 = max(tanh(-x2 / 2), 0), and

        f_1 = log max(|(-x1 - 7) / 2 - tanh(-x2)|, 5e-6) + 6,       q_1 = ((-x1 + 7)^2 + (-x2 - 8)^2 / 10) / 10 - 20,
        f_2 = log max(|(-x1 + 3) / 2 + tanh(-x2) + 2|, 5e-6) + 6,   q_2 = ((-x1 - 7)^2 + (-x2 - 8)^2 / 10) / 10 - 20:

    mirror images of each other. Two gradients do not exist. At the kink x2 = 0 the sum of the two one-sided ones is
    taken, as in the authors' code (both clamps let it pass), so that trajectories leave (0, 0) downwards. The gradient
    of a cut logarithm is taken as zero.
    """
    x1, x2 = point
    side = (-1.0, 1.0)[task]
    bend, slope = np.tanh(x2), np.tanh(x2 / 2)
    argument = (7 * side - x1) / 2 - side * bend
    size = np.maximum(np.abs(argument), SMALLEST)
    logarithm = np.log(size) + 6
    bowl = ((x1 + 7 * side) ** 2 + (x2 + 8) ** 2 / 10) / 10 - 20
    above, below = np.maximum(slope, 0), np.maximum(-slope, 0)

    steepness = (np.abs(argument) >= SMALLEST) * np.sign(argument) / size
    steering = (1 - slope**2) / 2 * ((x2 >= 0) * logarithm - (x2 <= 0) * bowl)
    along_x1 = -steepness / 2 * above + (x1 + 7 * side) / 5 * below
    along_x2 = -side * (1 - bend**2) * steepness * above + (x2 + 8) / 50 * below + steering
    factor = scale if task == 0 else 1.0
    return factor * (logarithm * above + bowl * below), factor * np.array([along_x1, along_x2])
