"""What is not known of a scene: unlabelled pixels and holes in depth and normals, in shares like the real set's."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, gaussian_filter

from mtbalance.data.scenes.scene import Scene
from mtbalance.data.scenes.schema import CLASSES

UNLABELLED = (0.11, 0.23)
"""Least and greatest share of an image; NYUv2's test labels: 17.1 % of all pixels."""
NO_DEPTH = (0.08, 0.24)
"""The same; the two raw depth images at hand have more, 34 % and 37 %, the published set is partly filled in."""
SHINY = [CLASSES.index(name) for name in ("tv", "window")]


def with_gaps(scene: Scene, surfaces: NDArray[np.intp], random: Generator) -> Scene:
    """The scene with gaps: borders between classes and patches are unlabelled; depth is missing in patches, first on
    screens and panes, and at edges; normals, which need their neighbours' depth, a pixel further."""
    outline, edge, shiny = borders(scene.label), borders(surfaces), np.isin(scene.label, SHINY)
    label, depth, normal = scene.label.copy(), scene.depth.copy(), scene.normal.copy()
    label[_lowest(_patches(edge.shape, random) - 2.0 * outline, random.uniform(*UNLABELLED))] = -1
    holes = _lowest(_patches(edge.shape, random) - 1.5 * shiny - 0.5 * edge, random.uniform(*NO_DEPTH))
    depth[holes] = 0
    normal[binary_dilation(holes)] = 0
    return Scene(scene.image, label, depth, normal)


def borders(values: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Pixels one of whose four neighbours has another value."""
    border = np.zeros(values.shape, bool)
    for axis in (0, 1):
        differs = np.diff(values, axis=axis) != 0
        for side in ((0, 1), (1, 0)):
            border |= np.pad(differs, [side if a == axis else (0, 0) for a in (0, 1)])
    return border


def _patches(shape: tuple[int, ...], random: Generator) -> NDArray[np.float64]:
    """Smooth noise with standard deviation 1."""
    noise = gaussian_filter(random.normal(size=shape), sigma=shape[0] / 12)
    return noise / noise.std()


def _lowest(values: NDArray[np.float64], share: float) -> NDArray[np.bool_]:
    """Where the lowest values are: a share of all."""
    return values <= np.quantile(values, share)
