"""The size of scenes: bytes of a pixel, and a small stand-in of their layout."""

from __future__ import annotations

from mtbalance.config.sizes import Size, StandIn

PARQUET_BYTES = 14.5
"""Bytes of a prepared pixel: 1.6 MB an image of 288 x 384, measured on real ones."""
ZIP_BYTES = 7.7
"""Bytes of a pixel in the zip of rendered rooms, measured."""
SMALL = (96, 128)
"""Height and width of stand-in images on a slow device: a ninth of NYUv2's pixels."""


def size(train: int, test: int, height: int, width: int, raw: int) -> Size:
    """The size of so many scenes of height x width pixels, whose raw files take ``raw`` bytes."""
    prepared = round(PARQUET_BYTES * (train + test) * height * width)
    return Size({"train": train, "test": test}, raw, prepared, about=True)


def stand_in(height: int, width: int, whole: bool) -> StandIn:
    """Four rooms, of height x width pixels if ``whole``, else of ``SMALL`` if that is less."""
    used = (height, width) if whole or height * width <= SMALL[0] * SMALL[1] else SMALL
    block = {"adapter": "synthetic_scenes", "train_scenes": 4, "test_scenes": 1, "height": used[0], "width": used[1]}
    return StandIn(block, used[0] * used[1] / (height * width))
