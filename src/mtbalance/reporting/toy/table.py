"""Where the ways through the toy problem end: losses, and distances to the Pareto front and the balanced optimum."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

POINT = ["x1", "x2"]
REACHED = 0.5
"""An end no farther than this from the balanced optimum has reached it. The front is 14 long; steps that do not become
shorter, as those of bargaining, stray along it."""

Points = NDArray[np.float64]


def ends(ways: Mapping[str, pd.DataFrame], landscape: pd.DataFrame) -> pd.DataFrame:
    """A row a method and start: the last point of its way, with ``to_front``, ``to_optimum`` and ``reached``."""
    last = pd.concat([frame.groupby("start").tail(1).assign(method=name) for name, frame in ways.items()])
    points = last[POINT].to_numpy()
    front, optimum = (landscape.loc[landscape["part"] == part, POINT].to_numpy() for part in ("front", "optimum"))
    distance = np.linalg.norm(points - optimum, axis=1)
    table = last.assign(to_front=to_line(points, front), to_optimum=distance, reached=distance <= REACHED)
    return table[["method", "start", *last.columns.drop(["method", "start"]), "to_front", "to_optimum", "reached"]]


def to_line(points: Points, line: Points) -> Points:
    """Distances [n] of ``points`` [n, 2] to the line through the points ``line`` [m, 2]."""
    begin, along = line[:-1], np.diff(line, axis=0)
    offsets = points[:, None] - begin
    shares = np.clip((offsets * along).sum(-1) / (along**2).sum(-1), 0, 1)
    return np.linalg.norm(offsets - shares[..., None] * along, axis=-1).min(axis=1)
