"""to_scene: converts the arrays of raw files to a Scene, and refuses impossible values with the name of the file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtbalance.data import DataError
from mtbalance.data.scenes.scene import Scene
from mtbalance.data.scenes.schema import CLASSES

LONGEST_NORMAL = 1.6
"""Bicubic interpolation in two directions makes unit vectors at most 1.5625 long; bilinear makes none longer than 1.
So an array with longer vectors is no map of normals. Shorter or slightly longer vectors are kept and counted, since the
published set may hold them."""

ROUNDING = 1e-3
"""How far a value may lie outside [0, 1], as rounding in an interpolation leaves it; such values are kept."""


def to_scene(arrays: Mapping[str, NDArray[Any]], sources: Mapping[str, str], height: int, width: int) -> Scene:
    """The scene of the arrays ``image``, ``label``, ``depth`` and ``normal``; ``sources`` name their files in messages.

    Maps of one channel may have it as a third axis. Raises :class:`DataError` for another shape, for values that are
    not finite, and for values that an image, a class, a depth or a normal cannot have.
    """
    for kind, values in arrays.items():
        _check_shape(values, kind, sources[kind], height, width)
    image, label, depth, normal = (arrays[kind] for kind in ("image", "label", "depth", "normal"))
    label, depth = label.reshape(height, width), depth.reshape(height, width)
    _require(np.isin(label, np.arange(-1, len(CLASSES))), label, sources["label"], "a class from -1 (none) to 12")
    in_range = (image >= -ROUNDING) & (image <= 1 + ROUNDING)
    _require(in_range, image, sources["image"], "between 0 and 1 (divide bytes by 255)")
    measured = (depth >= 0) & (depth <= np.finfo(np.float32).max)
    _require(measured, depth, sources["depth"], "a depth in meters (0: none)")
    with np.errstate(over="ignore", invalid="ignore"):
        length = np.linalg.norm(normal.astype(np.float64), axis=-1)
    _require(length <= LONGEST_NORMAL, length, sources["normal"], "the length of a unit vector (0: none)")
    return Scene(*_as_stored(image, label, depth, normal))


def _check_shape(values: NDArray[Any], kind: str, source: str, height: int, width: int) -> None:
    size = (height, width)
    allowed = [(*size, 3)] if kind in ("image", "normal") else [size, (*size, 1)]
    if values.dtype.kind not in "fiu":
        raise DataError(f"{source}: {kind} holds {values.dtype} and no real numbers")
    if values.shape not in allowed:
        shapes = " or ".join(map(str, allowed))
        raise DataError(f"{source}: {kind} has the shape {values.shape}, not {shapes}; height and width are settings")


def _require(right: NDArray[np.bool_], values: NDArray[Any], source: str, expected: str) -> None:
    """Raise :class:`DataError` unless all is right. Comparisons with NaN are false, so NaN is refused too."""
    if not right.all():
        place = tuple(int(index[0]) for index in np.nonzero(~right))
        raise DataError(f"{source}: {values[place]} at {place} is not {expected}; {int((~right).sum())} such values")


def _as_stored(*arrays: NDArray[Any]) -> list[NDArray[Any]]:
    types = (np.float32, np.int8, np.float32, np.float32)
    return [np.ascontiguousarray(array, dtype) for array, dtype in zip(arrays, types, strict=True)]
