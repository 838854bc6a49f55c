"""Every rule, and the rows and losses that all of them are tried on."""

import numpy as np
import torch

from entries import rule_class
from matrices import J2, J3, J3C, random_rows
from mtbalance.balancing.rows import combine, gram_matrix
from mtbalance.balancing.rules import LossRule, RowRule
from mtbalance.registry import available

RULES = {name: rule_class(name) for name in available("mtbalance.balancing.rules")}
LOSS_RULES = [name for name, rule in RULES.items() if issubclass(rule, LossRule)]
STATELESS = [name for name, rule in RULES.items() if not rule.draws]
SIGNED = {"imtl_g", "aligned_mtl"}
"""Rules whose papers allow negative weights."""

EIGHT = random_rows(8, 0)
TRIANGLE = np.array([[1.0, 0], [-0.5, 3**0.5 / 2], [-0.5, -(3**0.5) / 2]])
HARD = {
    "one task": np.array([[2.0, 1]]),
    "one zero task": np.zeros((1, 2)),
    "two tasks": J2,
    "three in conflict": J3C,
    "eight tasks": EIGHT,
    "one zero row": np.array([[0.0, 0, 0], [1, 2, 3]]),
    "one zero row of three": np.array([[0.0, 0], [1, 2], [-1, 3]]),
    "one zero row of eight": EIGHT * (np.arange(8) != 3)[:, None],
    "all zero": np.zeros((3, 4)),
    "all eight zero": np.zeros((8, 4)),
    "opposed": np.array([[1.0, -2], [-1, 2]]),
    "opposed, of unlike length": np.array([[1.0, -2], [-3, 6]]),
    "opposed pairs of eight": np.vstack([EIGHT[:4], -EIGHT[:4]]),
    "rank one": np.array([[1.0, 1], [2, 2], [3, 3]]),
    "rank one, opposed": np.array([[1.0, 1], [2, 2], [-3, -3]]),
    "rank two of five": random_rows(2, 3).T @ random_rows(2, 4),
    "rank two of eight": np.outer(np.arange(1, 9), [1.0, 0, 2]) + np.outer(np.ones(8), [0.0, 1, 1]),
    "zero in the hull": TRIANGLE,
    "zero in the hull of eight": np.vstack([TRIANGLE, 2 * TRIANGLE, [[1, 1], [0, 1]]]),
    "tiny": J3C * 1e-12,
    "huge": J3C * 1e12,
    "eight tiny": EIGHT * 1e-12,
    "eight huge": EIGHT * 1e12,
    "tiny beside huge": J2 * [[1e-12], [1e12]],
    "spread": random_rows(3, 1, scale=6),
    "widely spread": random_rows(4, 1, scale=12),
}
EXACT = {
    "J2": J2,
    "J3": J3,
    "J3c": J3C,
    "eight": np.round(8 * random_rows(8, 2)),
    "tiny": J3C * 2.0**-40,
    "huge": J3C * 2.0**40,
    "one zero row": J3C * [[1], [0], [1]],
    "opposed": HARD["opposed, of unlike length"],
}
"""Small integers times a power of two: no product and no sum of a Gram matrix is rounded, not in single precision."""

LOSSES = np.random.default_rng(0).uniform(0.5, 2, (60, 8)) * np.linspace(1, 0.3, 60)[:, None]
"""Losses of eight tasks that fall over 60 steps."""


def apply(rule, rows: np.ndarray, losses: np.ndarray, dtype=torch.float64) -> tuple[np.ndarray, np.ndarray]:
    """One step's joint row and weights, for rows [K, p] that are spread over two tensors, as at a level.

    Losses fall by up to 1 % before a second look.
    """
    tensors = [torch.tensor(part, dtype=dtype) for part in np.array_split(rows, 2, axis=1)]
    if isinstance(rule, RowRule):
        joint, weights = rule.combine(tensors, losses)
    else:
        parts = [list(tensor) for tensor in tensors]
        weights = rule.weights(losses) if isinstance(rule, LossRule) else rule.weights(gram_matrix(parts), losses)
        joint = [combine(part, weights) for part in parts]
    if rule.looks_again:
        rule.observe(losses * (1 - 0.01 * losses / losses.max()))
    assert all(tensor.dtype == dtype for tensor in joint)
    return torch.cat(joint).double().numpy(), weights


def direction(rule, rows: list[np.ndarray]) -> np.ndarray:
    """Where the joint row points after a step on each of ``rows`` [3, p], with falling losses."""
    for step, losses in zip(rows, LOSSES[:, :3], strict=True):
        joint, _ = apply(rule, step, losses)
    return joint / np.linalg.norm(joint)


def losses_of(tasks: int) -> np.ndarray:
    return np.random.default_rng(tasks).uniform(0.5, 2, tasks)
