"""The picture of a scene run's predictions: image, three targets and three predictions, a row for each scene."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

COLUMNS = ("image", "class", "depth", "normal", "predicted class", "predicted depth", "predicted normal")
ARRAYS = ("image", "segmentation", "depth", "normal", "predicted_segmentation", "predicted_depth", "predicted_normal")
NOTHING = (0.0, 0.0, 0.0)
"""Color of pixels without a target."""
Colors = NDArray[np.float64]


def draw(sample: Mapping[str, NDArray[Any]], heading: str) -> Figure:
    """Draw a sample: its images [B, 3, H, W], its targets, and the model's predictions, a row of panels for each scene.

    Targets and predictions of depth share one scale in a row, that of the target, which stands beside the row. Pixels
    without a target are black in the targets' panels only.
    """
    classes = [str(name) for name in sample["classes"]]
    scenes = len(sample["image"])
    figure = Figure(figsize=(1.2 + 2.0 * len(COLUMNS), 0.9 + 1.45 * scenes), layout="constrained")
    figure.suptitle(heading, fontsize=11)
    panels = figure.subplots(scenes, len(COLUMNS), squeeze=False)
    for scene, row in enumerate(panels):
        low, high = _range(sample["depth"][scene])
        row[0].text(
            -0.06, 0.5, f"depth\n{low:.1f} m (yellow)\nto {high:.1f} m (violet)", fontsize=8, ha="right", va="center",
            transform=row[0].transAxes,
        )  # fmt: skip
        pictures = _row([sample[name][scene] for name in ARRAYS], len(classes))
        for axes, picture, title in zip(row, pictures, COLUMNS, strict=True):
            axes.imshow(picture, interpolation="nearest")
            axes.set_axis_off()
            axes.set_title(title if scene == 0 else "", fontsize=9)
    entries = [Patch(color=color, label=name) for name, color in zip(classes, _palette(len(classes)), strict=True)]
    figure.legend(handles=entries, loc="outside lower center", ncols=len(classes), fontsize=8, frameon=False)
    return figure


def _row(arrays: Sequence[NDArray[Any]], classes: int) -> list[Colors]:
    """The seven pictures [H, W, 3] of one scene, in the order of :data:`COLUMNS`."""
    image, label, depth, normal, guessed_label, guessed_depth, guessed_normal = arrays
    valid = depth[0] > 0
    low, high = _range(depth)
    return [
        image.transpose(1, 2, 0).clip(0, 1),
        _classes(label, classes),
        np.where(valid[..., None], _depth(depth[0], low, high), NOTHING),
        np.where(np.expand_dims(normal.any(axis=0), -1), _normal(normal), NOTHING),
        _classes(guessed_label, classes),
        _depth(guessed_depth[0], low, high),
        _normal(guessed_normal),
    ]


def _range(depth: NDArray[np.float32]) -> tuple[float, float]:
    """The smallest and the largest true depth of a scene, [1, H, W]; never equal."""
    scale = depth[depth > 0] if (depth > 0).any() else np.ones(1)
    return float(scale.min()), float(max(scale.max(), scale.min() + 1e-6))


def _palette(classes: int) -> Colors:
    return colormaps["tab20"](np.arange(classes) / 20)[:, :3]


def _classes(labels: NDArray[np.int64], classes: int) -> Colors:
    return np.vstack([_palette(classes), NOTHING])[labels]  # -1, no label, is the last row


def _depth(depth: NDArray[np.float32], low: float, high: float) -> Colors:
    colors: Colors = colormaps["viridis_r"](((depth - low) / (high - low)).clip(0, 1))[..., :3]
    return colors


def _normal(normal: NDArray[np.float32]) -> Colors:
    colors: Colors = ((normal.transpose(1, 2, 0) + 1) / 2).clip(0, 1)
    return colors
