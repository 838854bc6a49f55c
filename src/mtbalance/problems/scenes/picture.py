"""A picture of predictions: image, three targets, three predictions, a row a scene."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray
from torch import Tensor

from mtbalance.data.batch import Batch

COLUMNS = ("image", "class", "depth", "normal", "predicted class", "predicted depth", "predicted normal")
NOTHING = (0.0, 0.0, 0.0)
"""Colour of pixels without a target."""
Colours = NDArray[np.float64]


def draw(batch: Batch, outputs: Sequence[Tensor], classes: Sequence[str], heading: str, path: Path) -> None:
    """Write a PNG of the batch's images [B, 3, H, W], its targets, and a model's outputs for them.

    Depth is drawn on one scale a row, that of the target; pixels without a target are black in targets only.
    """
    scenes = len(batch.inputs[0])
    figure = Figure(figsize=(2.0 * len(COLUMNS), 0.9 + 1.45 * scenes), layout="constrained")
    figure.suptitle(heading, fontsize=11)
    panels = figure.subplots(scenes, len(COLUMNS), squeeze=False)
    for scene, row in enumerate(panels):
        pictures = _row([tensor[scene] for tensor in (*batch.inputs, *batch.targets, *outputs)], len(classes))
        for axes, picture, title in zip(row, pictures, COLUMNS, strict=True):
            axes.imshow(picture, interpolation="nearest")
            axes.set_axis_off()
            axes.set_title(title if scene == 0 else "", fontsize=9)
    entries = [Patch(color=colour, label=name) for name, colour in zip(classes, _palette(len(classes)), strict=True)]
    figure.legend(handles=entries, loc="outside lower center", ncols=len(classes), fontsize=8, frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    figure.savefig(partial, dpi=110, format="png", metadata={"Software": None})
    partial.replace(path)


def _row(tensors: Sequence[Tensor], classes: int) -> list[Colours]:
    """The seven pictures [H, W, 3] of one scene, in the order of :data:`COLUMNS`."""
    image, label, depth, normal, scores, guessed_depth, guessed_normal = (tensor.cpu().numpy() for tensor in tensors)
    valid = depth[0] > 0
    scale = depth[0][valid] if valid.any() else np.ones(1)
    low, high = scale.min(), max(scale.max(), scale.min() + 1e-6)
    return [
        image.transpose(1, 2, 0).clip(0, 1),
        _classes(label, classes),
        np.where(valid[..., None], _depth(depth[0], low, high), NOTHING),
        np.where(normal.any(axis=0)[..., None], _normal(normal), NOTHING),
        _classes(scores.argmax(axis=0), classes),
        _depth(guessed_depth[0], low, high),
        _normal(guessed_normal),
    ]


def _palette(classes: int) -> Colours:
    return colormaps["tab20"](np.arange(classes) / 20)[:, :3]


def _classes(labels: NDArray[np.int64], classes: int) -> Colours:
    return np.vstack([_palette(classes), NOTHING])[labels]  # -1, no label, is the last row


def _depth(depth: NDArray[np.float32], low: float, high: float) -> Colours:
    return colormaps["viridis_r"](((depth - low) / (high - low)).clip(0, 1))[..., :3]


def _normal(normal: NDArray[np.float32]) -> Colours:
    return ((normal.transpose(1, 2, 0) + 1) / 2).clip(0, 1)
