"""The balancers whose way through the toy problem is followed, and from where. Without torch: the workflow reads it."""

from __future__ import annotations

from typing import Any

STARTS = ((-8.5, 7.5), (0.0, 0.0), (9.0, 9.0), (-7.5, -0.5), (9.0, -1.0))
"""Where NashMTL, FAMO and PUB begin."""
LOWEST = -21.0
"""A bound below both losses at scale 1, in the FAMO authors' code."""
METHODS: dict[str, dict[str, Any]] = {
    "cagrad": {"level": "gradient", "rule": "cagrad", "c": 0.5},
    "imtl_g": {"level": "gradient", "rule": "imtl_g"},
    "nashmtl": {"level": "gradient", "rule": "nash"},
    "famo": {"level": "loss", "rule": "famo", "gamma": 0.0},
    "multibalance": {"level": "representation", "rule": "multibalance"},
    "pub": {"level": "update", "rule": "nash"},
    "pub_as_solved": {"level": "update", "rule": "nash", "rescale": "none"},
}
"""Options of each balancer; c and gamma are their authors' for this problem. PUB stands here with both scales of its
weights: their sum made K, and as solved. Every method searches at every step."""


def options(method: str, scale: float) -> dict[str, Any]:
    """The options of ``method`` where L_1 is multiplied by ``scale``: FAMO is told how low both losses can be."""
    bounds = {"min_losses": [LOWEST * scale, LOWEST]} if METHODS[method]["rule"] == "famo" else {}
    return METHODS[method] | bounds
