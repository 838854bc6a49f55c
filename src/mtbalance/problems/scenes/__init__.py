"""Scenes: the class, the depth and the surface normal of every pixel of an image."""

from __future__ import annotations

from mtbalance.config.kinds import ProblemKind
from mtbalance.data.scenes.schema import SPLITS
from mtbalance.models.scenes._options import SceneSizes


class Scenes(ProblemKind):
    """Images with three dense targets. No single score chooses an epoch: the last epochs are reported."""

    splits = SPLITS
    sizes = SceneSizes
    models = "mtbalance.models.scenes"
    training = {"selection": "last", "patience": 0}
    images = True
    pictured = True
    tables = ("mtbalance.reporting.tables.common", "mtbalance.reporting.tables.scenes")
    figures = ("mtbalance.reporting.figures.common", "mtbalance.reporting.figures.scenes")
    default_tables = ("scenes",)
    default_figures = ("scenes", "weights", "speed")
