"""Every rule, and rows of which single precision rounds nothing; the contract has the other rows and losses."""

import numpy as np

from entries import rule_class
from mtbalance.balancing.contract.rows import HARD, J2, J3, J3C, LOSSES, losses_of, random_rows
from mtbalance.balancing.contract.steps import apply
from mtbalance.balancing.rules import LossRule
from mtbalance.registry import available

__all__ = ["EXACT", "HARD", "LOSSES", "LOSS_RULES", "RULES", "SIGNED", "apply", "direction", "losses_of"]

RULES = {name: rule_class(name) for name in available("mtbalance.balancing.rules")}
LOSS_RULES = [name for name, rule in RULES.items() if issubclass(rule, LossRule)]
SIGNED = {"imtl_g", "aligned_mtl", "conflict_free", "gradcraft", "torchjd", "pbi", "cosmos"}
"""Rules whose papers allow negative weights."""

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


def direction(rule, rows: list[np.ndarray]) -> np.ndarray:
    """Where the joint row points after a step on each of ``rows`` [3, p], with falling losses."""
    for step, losses in zip(rows, LOSSES[:, :3], strict=True):
        joint, _ = apply(rule, step, losses)
    return joint / np.linalg.norm(joint)
