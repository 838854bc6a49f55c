"""Image files of NYUv2's official pieces, and the meaning of the numbers in them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mtbalance.data import DataError
from mtbalance.data.scenes.schema import CLASSES
from mtbalance.errors import DAMAGED
from mtbalance.faults import briefly

NO_NORMAL = 127
"""All three bytes of a pixel without a normal."""


def read_picture(path: Path) -> NDArray[Any]:
    """The numbers of an image file. Raises :class:`DataError` for a file that is no image or is cut short."""
    try:
        with Image.open(path) as picture:
            return np.asarray(picture)
    except (*DAMAGED, SyntaxError, Image.DecompressionBombError) as error:
        raise DataError(f"{path}: not a whole image file ({briefly(error)}); fetch or copy it again") from error


def image_of(picture: NDArray[Any], source: str) -> NDArray[np.float32]:
    """The image [H, W, 3] from 0 to 1."""
    _require(picture, np.uint8, 3, "a photograph: three bytes per pixel", source)
    return picture.astype(np.float32) / np.float32(255)


def label_of(picture: NDArray[Any], source: str) -> NDArray[np.int8]:
    """The classes [H, W]: the picture's values minus 1. Its 0, unlabeled, becomes -1."""
    _require(picture, np.uint8, 2, "a label image: one byte per pixel", source)
    if picture.max() > len(CLASSES):
        raise DataError(f"{source}: value {picture.max()} instead of 0 (unlabeled) to {len(CLASSES)}")
    return picture.astype(np.int8) - np.int8(1)


def depth_of(picture: NDArray[Any], source: str) -> NDArray[np.float64]:
    """The depths [H, W] in steps of the picture; 0: none."""
    _require(picture, np.uint16, 2, "a depth image: two bytes per pixel", source)
    return picture.astype(np.float64)


def normal_of(picture: NDArray[Any], source: str) -> NDArray[np.float32]:
    """The normals [H, W, 3]: unit vectors with x to the right, y down, z away from the camera; the zero vector: none.

    A byte v is the number v / 127 - 1. The bytes of a pixel are x, then z, then height (upwards). With these axes and
    signs the normals of a real image agree with those of its depth.
    """
    _require(picture, np.uint8, 3, "an image of normals: three bytes per pixel", source)
    x, z, height = np.moveaxis(picture.astype(np.float32) / 127 - 1, -1, 0)
    normal = np.stack([x, -height, z], axis=-1)
    normal[(picture == NO_NORMAL).all(axis=-1)] = 0
    length = np.linalg.norm(normal, axis=-1, keepdims=True)
    return (normal / np.where(length > 0, length, 1)).astype(np.float32, copy=False)


def _require(picture: NDArray[Any], dtype: type, axes: int, what: str, source: str) -> None:
    if picture.dtype != dtype or picture.ndim != axes or (axes == 3 and picture.shape[2] != 3):
        raise DataError(f"{source}: {picture.dtype} of shape {picture.shape}, not {what}")


DECODERS: dict[str, Callable[[NDArray[Any], str], NDArray[Any]]] = {
    "image": image_of,
    "label": label_of,
    "depth": depth_of,
    "normal": normal_of,
}
