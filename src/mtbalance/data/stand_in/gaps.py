"""Gaps in a scene: unlabeled pixels, and holes in depth and normals, in shares like those of the real set."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, gaussian_filter

from mtbalance.data.scenes.scene import Scene
from mtbalance.data.scenes.schema import CLASSES

UNLABELED = (0.11, 0.23)
"""Least and greatest share of an image; NYUv2's test labels: 17.1 % of all pixels."""
NO_DEPTH = (0.08, 0.24)
"""The same for pixels without depth. Two raw depth images had 34 % and 37 %; the published set is partly filled in."""
SHINY = [CLASSES.index(name) for name in ("tv", "window")]


def with_gaps(scene: Scene, surfaces: NDArray[np.intp], random: Generator) -> Scene:
    """The scene with gaps.

    Borders between classes, and patches, are unlabeled. Depth is missing in patches, first on screens and panes, and
    at edges. Normals are missing one pixel further, since they need the depth of their neighbors.
    """
    outline, edge, shiny = borders(scene.label), borders(surfaces), np.isin(scene.label, SHINY)
    label, depth, normal = scene.label.copy(), scene.depth.copy(), scene.normal.copy()
    label[_lowest(_patches(edge.shape, random) - 2.0 * outline, random.uniform(*UNLABELED))] = -1
    holes = _lowest(_patches(edge.shape, random) - 1.5 * shiny - 0.5 * edge, random.uniform(*NO_DEPTH))
    depth[holes] = 0
    normal[binary_dilation(holes)] = 0
    return Scene(scene.image, label, depth, normal)


def borders(values: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Pixels one of whose four neighbors has another value."""
    border = np.zeros(values.shape, bool)
    for axis in (0, 1):
        differs = np.diff(values, axis=axis) != 0
        for side in ((0, 1), (1, 0)):
            border |= np.pad(differs, [side if a == axis else (0, 0) for a in (0, 1)])
    return border


def _patches(shape: tuple[int, ...], random: Generator) -> NDArray[np.float64]:
    """Smooth noise with standard deviation 1."""
    noise = gaussian_filter(random.normal(size=shape), sigma=shape[0] / 12)
    scaled: NDArray[np.float64] = noise / noise.std()
    return scaled


def _lowest(values: NDArray[np.float64], share: float) -> NDArray[np.bool_]:
    """A mask of the lowest values, which are that share of all."""
    return values <= np.quantile(values, share)
