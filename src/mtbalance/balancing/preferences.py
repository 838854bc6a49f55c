"""Numbers that a user gives for the tasks, one each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mtbalance.balancing.arrays import Vector


def per_task(tasks: int, given: Sequence[float] | None, name: str = "preference", *, zeros: bool = True) -> Vector:
    """The preferences [K] of K tasks; ones if none are given.

    Raises ``ValueError`` that names the option unless there are K finite numbers, none of them negative and one of them
    positive; all of them positive if there may be no ``zeros``.
    """
    chosen = np.ones(tasks) if given is None else np.array(given, dtype=float)
    if chosen.shape != (tasks,):
        raise ValueError(f"{name} must be a list with one number for each of {tasks} tasks, not {given}")
    if not np.isfinite(chosen).all() or (chosen < 0).any() or not chosen.any() or not (zeros or chosen.all()):
        wanted = "none of them negative and one of them positive" if zeros else "all of them positive"
        raise ValueError(f"{name} must be finite numbers, {wanted}: {given}")
    return chosen
