"""The options of scene backbones."""

from __future__ import annotations

from mtbalance.blocks import Count
from mtbalance.config.models import ModelSizes


class SceneSizes(ModelSizes):
    """Sizes that all scene backbones share."""

    problem: str = "scenes"
    width: Count = 64
    """Channels of the first level; the five levels have 1, 2, 4, 8 and 8 times as many."""
