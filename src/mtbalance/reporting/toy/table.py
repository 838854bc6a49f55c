"""The table of the toy problem: where trajectories end, and how far from the Pareto front and the balanced optimum."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

POINT = ["x1", "x2"]
REACHED = 0.5
"""Largest distance from the balanced optimum at which a trajectory counts as having reached it. (The front is 14 long.)
Methods whose steps do not get shorter, such as bargaining, keep moving along the front."""

Points = NDArray[np.float64]


def ends(trajectories: Mapping[str, pd.DataFrame], landscape: pd.DataFrame) -> pd.DataFrame:
    """A row for each method and start: the last point of the trajectory, with its losses and its distances.

    ``to_front`` and ``to_optimum`` are distances to the Pareto front and to the balanced optimum; ``reached`` is true
    within :data:`REACHED` of the optimum.
    """
    last = pd.concat([frame.groupby("start").tail(1).assign(method=name) for name, frame in trajectories.items()])
    points = last[POINT].to_numpy()
    front, optimum = (landscape.loc[landscape["part"] == part, POINT].to_numpy() for part in ("front", "optimum"))
    distance = np.linalg.norm(points - optimum, axis=1)
    table = last.assign(to_front=to_line(points, front), to_optimum=distance, reached=distance <= REACHED)
    return table[["method", "start", *last.columns.drop(["method", "start"]), "to_front", "to_optimum", "reached"]]


def to_line(points: Points, line: Points) -> Points:
    """Distances [n] of ``points`` [n, 2] to the polygonal line through the points ``line`` [m, 2]."""
    begin, along = line[:-1], np.diff(line, axis=0)
    offsets = points[:, None] - begin
    shares = np.clip((offsets * along).sum(-1) / (along**2).sum(-1), 0, 1)
    distances: Points = np.linalg.norm(offsets - shares[..., None] * along, axis=-1).min(axis=1)
    return distances
