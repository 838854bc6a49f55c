"""The balancers and the starts of the toy problem's trajectories. Free of torch: the workflow reads it."""

from __future__ import annotations

from typing import Any

STARTS = ((-8.5, 7.5), (0.0, 0.0), (9.0, 9.0), (-7.5, -0.5), (9.0, -1.0))
"""The points (x1, x2) where NashMTL, FAMO and PUB begin."""
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
"""Options of each balancer; c and gamma are their authors' for this problem. PUB is listed with two scales of its
weights: with sum K, and as solved. Every method searches at every step."""


def options(method: str, scale: float) -> dict[str, Any]:
    """The options of ``method`` with L_1 multiplied by ``scale``; FAMO's include lower bounds of both losses."""
    bounds = {"min_losses": [LOWEST * scale, LOWEST]} if METHODS[method]["rule"] == "famo" else {}
    return METHODS[method] | bounds
