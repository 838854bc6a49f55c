"""Jacobians that rules and solvers are tested on: rows are tasks."""

import numpy as np

from mtbalance.balancing.contract.rows import J2, J3, J3C, random_rows

__all__ = ["J2", "J3", "J3C", "ORTHOGONAL", "gram", "random_rows"]

ORTHOGONAL = np.diag([1.0, 2.0, 4.0])


def gram(rows: np.ndarray) -> np.ndarray:
    return rows @ rows.T
