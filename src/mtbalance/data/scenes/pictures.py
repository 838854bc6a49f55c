"""Image files of NYUv2's official pieces, and what the numbers in them mean."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mtbalance.data import DataError
from mtbalance.data.scenes.schema import CLASSES

NO_NORMAL = 127
"""All three bytes of a pixel without a normal."""


def read_picture(path: Path) -> NDArray[Any]:
    """The numbers of an image file. Raises :class:`DataError` where it is none or cut short."""
    try:
        with Image.open(path) as picture:
            return np.asarray(picture)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(f"{path}: not a whole image file ({error}); fetch or copy it again") from error


def image_of(picture: NDArray[Any], source: str) -> NDArray[np.float32]:
    """[H, W, 3] from 0 to 1, of bytes."""
    _require(picture, np.uint8, 3, "a photograph: three bytes a pixel", source)
    return picture.astype(np.float32) / 255


def label_of(picture: NDArray[Any], source: str) -> NDArray[np.int8]:
    """[H, W] classes: the picture's value minus 1, so that its 0, unlabelled, is -1."""
    _require(picture, np.uint8, 2, "a label image: a byte a pixel", source)
    if picture.max() > len(CLASSES):
        raise DataError(f"{source}: value {picture.max()} where 0 (unlabelled) to {len(CLASSES)} should be")
    return picture.astype(np.int8) - np.int8(1)


def depth_of(picture: NDArray[Any], source: str) -> NDArray[np.float64]:
    """[H, W] steps of depth; 0: none."""
    _require(picture, np.uint16, 2, "a depth image: two bytes a pixel", source)
    return picture.astype(np.float64)


def normal_of(picture: NDArray[Any], source: str) -> NDArray[np.float32]:
    """[H, W, 3] unit vectors x to the right, y down, z away from the camera; the zero vector: none.

    Value v of a byte is v / 127 - 1. The bytes are x, then z, then height (upwards): turned and signed so, a real
    image's normals are those of its depth.
    """
    _require(picture, np.uint8, 3, "an image of normals: three bytes a pixel", source)
    x, z, height = np.moveaxis(picture.astype(np.float32) / 127 - 1, -1, 0)
    normal = np.stack([x, -height, z], axis=-1)
    normal[(picture == NO_NORMAL).all(axis=-1)] = 0
    length = np.linalg.norm(normal, axis=-1, keepdims=True)
    return normal / np.where(length > 0, length, 1)


def _require(picture: NDArray[Any], dtype: type, axes: int, what: str, source: str) -> None:
    if picture.dtype != dtype or picture.ndim != axes or (axes == 3 and picture.shape[2] != 3):
        raise DataError(f"{source}: {picture.dtype} of shape {picture.shape}, not {what}")


DECODERS: dict[str, Callable[[NDArray[Any], str], NDArray[Any]]] = {
    "image": image_of,
    "label": label_of,
    "depth": depth_of,
    "normal": normal_of,
}
