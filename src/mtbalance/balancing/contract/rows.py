"""The rows and losses that every rule is tried on. A matrix [K, p] holds the rows of K tasks."""

from __future__ import annotations

import numpy as np

from mtbalance.balancing.arrays import Matrix, Vector

J2: Matrix = np.array([[-4.0, 1, 1], [6, 1, 1]])
J3: Matrix = np.array([[1.0, 0, 2], [2, 1, 0], [-1, 3, 1]])
J3C: Matrix = np.array([[3.0, 1, 0, 0], [-1, 2, 1, 0], [-1, -1, 0, 2]])
TRIANGLE: Matrix = np.array([[1.0, 0], [-0.5, 3**0.5 / 2], [-0.5, -(3**0.5) / 2]])


def random_rows(tasks: int, seed: int, scale: float = 0.0) -> Matrix:
    """Full-rank rows whose lengths are spread over 10^-scale to 10^scale."""
    generator = np.random.default_rng(seed)
    found: Matrix = generator.normal(size=(tasks, tasks + 3)) * 10 ** generator.uniform(-scale, scale, (tasks, 1))
    return found


def losses_of(tasks: int) -> Vector:
    """Losses [K] between a half and two."""
    return np.random.default_rng(tasks).uniform(0.5, 2, tasks)


EIGHT = random_rows(8, 0)
CASES: dict[str, dict[str, Matrix]] = {
    "ordinary rows": {"two tasks": J2, "three tasks": J3, "three in conflict": J3C, "eight tasks": EIGHT},
    "one task": {"one task": np.array([[2.0, 1]]), "one zero task": np.zeros((1, 2))},
    "zero rows": {
        "one zero row": np.array([[0.0, 0, 0], [1, 2, 3]]),
        "one zero row of three": np.array([[0.0, 0], [1, 2], [-1, 3]]),
        "one zero row of eight": EIGHT * (np.arange(8) != 3)[:, None],
        "all zero": np.zeros((3, 4)),
        "all eight zero": np.zeros((8, 4)),
    },
    "opposed rows": {
        "opposed": np.array([[1.0, -2], [-1, 2]]),
        "opposed, of unlike length": np.array([[1.0, -2], [-3, 6]]),
        "opposed pairs of eight": np.vstack([EIGHT[:4], -EIGHT[:4]]),
        "zero in the hull": TRIANGLE,
        "zero in the hull of eight": np.vstack([TRIANGLE, 2 * TRIANGLE, [[1, 1], [0, 1]]]),
    },
    "dependent rows": {
        "rank one": np.array([[1.0, 1], [2, 2], [3, 3]]),
        "rank one, opposed": np.array([[1.0, 1], [2, 2], [-3, -3]]),
        "rank two of five": random_rows(2, 3).T @ random_rows(2, 4),
        "rank two of eight": np.outer(np.arange(1, 9), [1.0, 0, 2]) + np.outer(np.ones(8), [0.0, 1, 1]),
    },
    "scales": {
        "tiny": J3C * 1e-12,
        "huge": J3C * 1e12,
        "eight tiny": EIGHT * 1e-12,
        "eight huge": EIGHT * 1e12,
        "tiny beside huge": J2 * [[1e-12], [1e12]],
        "spread": random_rows(3, 1, scale=6),
        "widely spread": random_rows(4, 1, scale=12),
    },
}
"""By check, then by name."""
HARD: dict[str, Matrix] = {name: rows for cases in CASES.values() for name, rows in cases.items()}
"""All cases by name."""

LOSSES: Matrix = np.random.default_rng(0).uniform(0.5, 2, (60, 8)) * np.linspace(1, 0.3, 60)[:, None]
"""Losses of eight tasks that fall over 60 steps."""
