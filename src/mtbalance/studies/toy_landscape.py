"""The landscape of the toy problem: its losses on a grid, its Pareto front and its balanced optimum."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.optimize import minimize

from mtbalance.studies.toy import Numbers, evaluate

EXTENT, GRID = 11.0, 441
FRONT = 141
SEED = (0.0, -8.0)
"""The start of every search for a point of the front: all of them lie in the one smooth bowl around it."""


def landscape(scale: float) -> pd.DataFrame:
    """Points x1, x2 with loss_1 and loss_2, of three kinds (``part``): ``grid``, ``front`` and ``optimum``."""
    axis = np.linspace(-EXTENT, EXTENT, GRID)
    grid = np.stack([axes.ravel() for axes in np.meshgrid(axis, axis)])
    front = np.stack([minimum(share) for share in np.linspace(0, 1, FRONT)], axis=1)
    parts = {"grid": grid, "front": front, "optimum": minimum(0.5)[:, None]}
    frame = pd.concat([_losses(points, scale).assign(part=part) for part, points in parts.items()], ignore_index=True)
    frame.attrs = {"scale": scale}
    return frame


def minimum(share: float) -> Numbers:
    """The point [2] that minimizes ``share`` L_1 + (1 - ``share``) L_2 at scale 1; half and half: the balanced optimum.

    The scale does not move the front, nor this optimum: it changes which weights lead to a point.
    """

    def objective(point: Numbers) -> tuple[Numbers, Numbers]:
        (first, first_gradient), (second, second_gradient) = evaluate(point, 0), evaluate(point, 1)
        return share * first + (1 - share) * second, share * first_gradient + (1 - share) * second_gradient

    found: Numbers = minimize(objective, SEED, jac=True, method="BFGS", options={"gtol": 1e-9}).x
    return found


def _losses(points: Numbers, scale: float) -> pd.DataFrame:
    columns = {f"loss_{task + 1}": evaluate(points, task, scale)[0] for task in (0, 1)}
    return pd.DataFrame({"x1": points[0], "x2": points[1]} | columns)
