"""render: turns a room into a scene: the class, depth and normal of each pixel, and a photograph that shows them.

The photograph depends on all three. A class has its color and the spacing of its pattern; lamps from the left and the
right tint a surface by its normal; and a lamp at the camera dims with the distance.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from mtbalance.data.scenes.scene import Scene
from mtbalance.data.scenes.schema import CLASSES
from mtbalance.data.stand_in.geometry import Array, Hits, cast, pixel_rays
from mtbalance.data.stand_in.rooms import Room

COLORS = np.array(
    [
        (0.70, 0.55, 0.75),  # bed
        (0.65, 0.35, 0.25),  # books
        (0.92, 0.92, 0.90),  # ceiling
        (0.45, 0.60, 0.35),  # chair
        (0.62, 0.48, 0.34),  # floor
        (0.50, 0.36, 0.22),  # furniture
        (0.85, 0.65, 0.20),  # objects
        (0.45, 0.60, 0.75),  # picture
        (0.40, 0.42, 0.65),  # sofa
        (0.72, 0.58, 0.42),  # table
        (0.12, 0.12, 0.15),  # tv
        (0.80, 0.77, 0.68),  # wall
        (0.85, 0.95, 1.00),  # window
    ]
)
SPACING = np.array([0.25, 0.05, 1.2, 0.15, 0.5, 0.6, 0.12, 0.2, 0.3, 0.35, 5.0, 0.9, 0.45])
"""Meters between the stripes of each class's pattern."""
ROOM_FACES = ("wall", "wall", "floor", "ceiling", "wall", "wall")
LAMPS = np.array([(-0.7, -0.6, -0.4), (0.8, -0.3, -0.5)])
"""Directions toward the lamps, in the camera's axes: left above and right."""
LAMP_COLORS = np.array([(0.50, 0.38, 0.24), (0.18, 0.28, 0.42)])
GRAIN = 0.02
"""Standard deviation of the photograph's noise."""


def render(room: Room, height: int, width: int, random: Generator) -> tuple[Scene, NDArray[np.intp]]:
    """The scene without gaps, and the surface [H, W] of each pixel: a number for each face of each solid."""
    rays = pixel_rays(height, width)
    hits = cast(room.camera, rays, room.size, room.boxes, room.spheres)
    in_room = np.array([CLASSES.index(name) for name in ROOM_FACES])
    classes = np.where(hits.solid == 0, in_room[hits.face], np.array([-1, *room.classes])[hits.solid])
    normal = hits.normal @ room.camera.rotation
    image = _photograph(hits, classes, normal, rays, len(room.classes) + 1, random)
    scene = Scene(
        image.reshape(height, width, 3),
        classes.astype(np.int8).reshape(height, width),
        hits.depth.astype(np.float32).reshape(height, width),
        normal.astype(np.float32).reshape(height, width, 3),
    )
    return scene, (6 * hits.solid + hits.face).reshape(height, width)


def _photograph(
    hits: Hits, classes: NDArray[np.intp], normal: Array, rays: Array, solids: int, random: Generator
) -> NDArray[np.float32]:
    """Colors [P, 3] from 0 to 1, in steps of 1/255."""
    painted = random.normal(0, 0.06, (6 * solids, 3))  # no two solids alike, nor two walls
    own = COLORS[classes] + painted[6 * hits.solid + np.where(hits.solid, 0, hits.face)]
    stripes = np.cos(2 * np.pi * hits.point / SPACING[classes][:, None] + 0.7) > 0
    pattern = np.where(stripes.sum(axis=-1) % 2, 1.0, 0.85)  # a checkerboard in the solid's own axes
    lamps = LAMPS / np.linalg.norm(LAMPS, axis=1, keepdims=True)
    side_light = np.maximum(normal @ lamps.T, 0) @ LAMP_COLORS
    facing = -(normal * rays).sum(axis=-1) / np.linalg.norm(rays, axis=-1)
    flash = 0.5 * facing / (1 + (hits.depth / 3) ** 2)
    light = 0.3 + side_light + flash[:, None]
    colors = own * pattern[:, None] * light + random.normal(0, GRAIN, own.shape)
    photograph: NDArray[np.float32] = (np.round(colors.clip(0, 1) * 255) / 255).astype(np.float32)
    return photograph
