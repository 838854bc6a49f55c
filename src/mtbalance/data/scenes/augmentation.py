"""Random views of a training scene, as MTAN's authors make them: a scale, a crop, a mirror image."""

from __future__ import annotations

from typing import NamedTuple

import torch
from numpy.random import Generator
from torch import Tensor
from torch.nn.functional import interpolate

SCALES = (1.0, 1.2, 1.5)
FLIP_PROBABILITY = 0.5


class Maps(NamedTuple):
    """A scene as tensors, channels first."""

    image: Tensor
    """[3, H, W]"""
    label: Tensor
    """[H, W] int8; -1: none."""
    depth: Tensor
    """[1, H, W] meters; 0: none."""
    normal: Tensor
    """[3, H, W], the horizontal component first; the zero vector: none."""


class View(NamedTuple):
    """A crop of a scene, and whether it is mirrored."""

    scale: float
    top: int
    left: int
    """First row and column of the crop, whose height and width are the scene's over ``scale``."""
    flip: bool


def draw_views(count: int, height: int, width: int, generator: Generator) -> list[View]:
    """``count`` random views: each scale, each place of the crop and each flip is as likely as another."""
    scales = [SCALES[choice] for choice in generator.integers(len(SCALES), size=count)]
    room = [(height - int(height / scale) + 1, width - int(width / scale) + 1) for scale in scales]
    places, flips = generator.integers(room), generator.random(count) < FLIP_PROBABILITY
    drawn = zip(scales, places.tolist(), flips.tolist(), strict=True)
    return [View(scale, top, left, flip) for scale, (top, left), flip in drawn]


def view(maps: Maps, view: View) -> Maps:
    """The scene in this view; its height and width stay the same."""
    seen = maps if view.scale == 1 else _enlarged(maps, view)
    return _flipped(seen) if view.flip else seen


def _enlarged(maps: Maps, view: View) -> Maps:
    """A crop, enlarged to full size.

    Image and normal are interpolated bilinearly between the corners' centers; normals are not made unit vectors again.
    Label and depth are the nearest pixel's. Depths are divided by the scale: what looks larger is nearer.
    """
    size = maps.label.shape
    rows, columns = (
        slice(first, first + int(full / view.scale)) for first, full in zip((view.top, view.left), size, strict=True)
    )
    image, label, depth, normal = (tensor[..., rows, columns] for tensor in maps)
    smooth = interpolate(torch.cat([image, normal])[None], size, mode="bilinear", align_corners=True)[0]
    # a depth in meters and a class, both exact in float32, are taken from the same pixel
    chosen = interpolate(torch.cat([label[None].float(), depth])[None], size, mode="nearest")[0]
    return Maps(smooth[:3], chosen[0].to(label.dtype), chosen[1:] / view.scale, smooth[3:])


def _flipped(maps: Maps) -> Maps:
    """The mirror image. Normals that pointed to the right point to the left."""
    image, label, depth, normal = (tensor.flip(-1) for tensor in maps)
    normal[0].neg_()  # flip has made a copy
    return Maps(image, label, depth, normal)
