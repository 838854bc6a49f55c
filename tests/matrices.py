"""Jacobians that rules and solvers are tested on: rows are tasks."""

import numpy as np

J2 = np.array([[-4.0, 1, 1], [6, 1, 1]])
J3 = np.array([[1.0, 0, 2], [2, 1, 0], [-1, 3, 1]])
J3C = np.array([[3.0, 1, 0, 0], [-1, 2, 1, 0], [-1, -1, 0, 2]])
ORTHOGONAL = np.diag([1.0, 2.0, 4.0])


def gram(rows: np.ndarray) -> np.ndarray:
    return rows @ rows.T


def random_rows(tasks: int, seed: int, scale: float = 0.0) -> np.ndarray:
    """Full-rank rows whose lengths are spread over 10^-scale to 10^scale."""
    generator = np.random.default_rng(seed)
    return generator.normal(size=(tasks, tasks + 3)) * 10 ** generator.uniform(-scale, scale, (tasks, 1))
