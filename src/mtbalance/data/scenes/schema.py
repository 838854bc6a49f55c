"""The schema of a scene data set: its classes, its splits, and how many of their pixels are known."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import NonNegativeFloat, PositiveInt

from mtbalance.data.manifest import Manifest, Number, Share, StoredSplit, TaskTitle

SceneSplitName = Literal["train", "test"]
"""No published protocol has a split for validation."""
SPLITS: tuple[SceneSplitName, ...] = ("train", "test")
CLASSES = (
    "bed",
    "books",
    "ceiling",
    "chair",
    "floor",
    "furniture",
    "objects",
    "picture",
    "sofa",
    "table",
    "tv",
    "wall",
    "window",
)
"""NYUv2's 13 classes (Couprie et al. 2013) in the order of the label images, whose value 0 is `unlabeled`."""
TASKS = [
    TaskTitle(name="segmentation", title="Segmentation"),
    TaskTitle(name="depth", title="Depth"),
    TaskTitle(name="normal", title="Surface normal"),
]


class SceneSplitFacts(StoredSplit):
    """One split: counts over all its pixels, and the checksum of its Parquet file."""

    class_pixels: list[Number]
    """Pixels of each class."""
    class_shares: list[Share]
    """Share of each class among the labeled pixels."""
    valid: dict[str, Share]
    """Share of pixels that count, by task."""
    not_unit: Share
    """Share of the normals whose length differs from 1 by more than 0.01, as interpolation leaves them."""


class SceneSchema(Manifest):
    """The manifest of a prepared scene data set."""

    height: PositiveInt
    width: PositiveInt
    classes: list[str]
    splits: dict[SceneSplitName, SceneSplitFacts]
    mean_depth: NonNegativeFloat
    """Mean over the valid pixels of train, in meters: a constant prediction that ignores the image."""
    mean_normal: tuple[float, float, float]
    """Mean direction of the valid normals of train, a unit vector."""

    def lines(self) -> Iterator[str]:
        """Images and valid shares of each split, and the share of normals that are not of unit length."""
        for name, split in self.splits.items():
            shares = ", ".join(f"{task} {share:.1%}" for task, share in split.valid.items())
            yield (
                f"{self.dataset} {name}: {split.rows:,} images of {self.height} x {self.width}; valid pixels: {shares}"
            )
            if split.not_unit:
                yield f"{self.dataset} {name}: {split.not_unit:.1%} of the normals are not of unit length; kept so"
