"""Resizing images and maps so that unknown pixels do not spread into known ones.

Pixels are squares whose centers are compared: row i of H' lies at (i + 1/2) H / H' - 1/2 of H. Images and normals are
interpolated bilinearly there. Labels and depths take the value of the nearest pixel, so that no class and no depth
appears that nobody measured. A normal is known where the nearest one is. Unknown neighbors are zero vectors, which add
nothing to the interpolated sum; the sum is made a unit vector again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import interpolate


def resize(maps: Mapping[str, NDArray[Any]], height: int, width: int) -> dict[str, NDArray[Any]]:
    """The maps ``image``, ``label``, ``depth`` and ``normal`` (zero vector: none) at the given height and width."""
    size = (height, width)
    return {
        "image": _bilinear(maps["image"], size),
        "label": nearest(maps["label"], size),
        "depth": nearest(maps["depth"], size),
        "normal": _normals(maps["normal"], size),
    }


def nearest(values: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    """Values [H, W, ...] of the nearest pixels."""
    rows, columns = (
        np.floor((np.arange(new) + 0.5) * old / new).astype(int)
        for old, new in zip(values.shape[:2], size, strict=True)
    )
    chosen: NDArray[Any] = values[rows[:, None], columns]
    return chosen


def _bilinear(values: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    channels_first = torch.from_numpy(np.ascontiguousarray(np.moveaxis(values, -1, 0)))[None]
    resized = interpolate(channels_first, size, mode="bilinear", align_corners=False)[0]
    return np.moveaxis(resized.numpy(), 0, -1).clip(values.min(), values.max())


def _normals(normal: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    closest, mixed = nearest(normal, size), _bilinear(normal, size)
    length = np.linalg.norm(mixed, axis=-1, keepdims=True)
    opposed = length < 1e-3  # neighbors that cancel have no mean direction
    unit = np.where(opposed, closest, mixed / np.where(opposed, 1, length))
    return np.where(closest.any(axis=-1, keepdims=True), unit, np.float32(0))
