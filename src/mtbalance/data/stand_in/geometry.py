"""Ray casting in numpy: a pinhole camera in a box-shaped room with boxes and spheres in it.

World: x and z along the floor, y upwards, meters; the room is [0, size]. Camera: x to the right, y down, z ahead.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
FOCAL_LENGTH = 0.81
"""In image widths, as the Kinect of NYUv2 has it (519 of 640 pixels)."""


class Boxes(NamedTuple):
    """N boxes, turned about the vertical."""

    center: Array
    """[N, 3]"""
    half: Array
    """[N, 3], half of the edges."""
    yaw: Array
    """[N] radians."""


class Spheres(NamedTuple):
    """M spheres."""

    center: Array
    """[M, 3]"""
    radius: Array
    """[M]"""


class Camera(NamedTuple):
    """The position and the rotation of the camera."""

    position: Array
    """[3]"""
    rotation: Array
    """[3, 3]: its columns are the camera's axes in the world."""


class Hits(NamedTuple):
    """The first surface that the ray of each of P pixels meets."""

    depth: Array
    """[P] meters along the optical axis."""
    solid: NDArray[np.intp]
    """[P]: 0 the room, 1 to N the boxes, then the spheres."""
    face: NDArray[np.intp]
    """[P]: the face of a box or of the room, 0 to 5 (low x, high x, low y, ...); 0 for a sphere."""
    normal: Array
    """[P, 3] unit vectors in the world, toward the camera."""
    point: Array
    """[P, 3] in the frame of that solid: the world for the room, its own axes for a box."""


def camera_at(position: Array, yaw: float, pitch: float, roll: float) -> Camera:
    """A camera that looks along z at yaw 0; pitch upwards, roll clockwise; radians."""
    turn = _about_y(yaw)
    (cos_p, sin_p), (cos_r, sin_r) = ((np.cos(angle), np.sin(angle)) for angle in (pitch, roll))
    tilt = np.array([[1, 0, 0], [0, cos_p, sin_p], [0, -sin_p, cos_p]])
    lean = np.array([[cos_r, sin_r, 0], [-sin_r, cos_r, 0], [0, 0, 1]])
    return Camera(position, turn @ tilt @ lean @ np.diag([1.0, -1.0, 1.0]))


def pixel_rays(height: int, width: int) -> Array:
    """Direction [H * W, 3] of each pixel's ray in the camera, with z = 1: a point at depth d is d times it."""
    rows, columns = np.mgrid[0:height, 0:width].astype(float)
    focal = FOCAL_LENGTH * width
    x, y = (columns - (width - 1) / 2) / focal, (rows - (height - 1) / 2) / focal
    return np.stack([x, y, np.ones_like(x)], axis=-1).reshape(-1, 3)


def cast(camera: Camera, rays: Array, room: Array, boxes: Boxes, spheres: Spheres) -> Hits:
    """The first surface on each ray. The camera must be in the room and outside of all solids."""
    directions = camera.rotation @ rays.T  # [3, P]: operations run along the pixels
    directions = np.where(directions == 0, 1e-12, directions)
    start = camera.position[:, None]
    depth = _exit(start, directions, room)
    solid = np.zeros(depth.shape, np.intp)
    distances = [partial(_box_depth, *box) for box in zip(*boxes, strict=True)]
    distances += [partial(_sphere_depth, *sphere) for sphere in zip(*spheres, strict=True)]
    for number, distance_to in enumerate(distances, start=1):
        distance = distance_to(camera.position, directions)
        nearer = distance < depth
        depth[nearer], solid[nearer] = distance[nearer], number
    point = start + depth * directions
    face, normal = np.zeros_like(solid), np.empty_like(point)
    for number in np.unique(solid):
        here = solid == number
        if number == 0:
            face[here], normal[:, here] = _inner_face(point[:, here], room)
        elif number <= len(boxes.yaw):
            turn = _about_y(boxes.yaw[number - 1])
            point[:, here] = turn.T @ (point[:, here] - boxes.center[number - 1][:, None])
            face[here], outwards = _outer_face(point[:, here], boxes.half[number - 1])
            normal[:, here] = turn @ outwards
        else:
            point[:, here] -= spheres.center[number - 1 - len(boxes.yaw)][:, None]
            normal[:, here] = point[:, here] / np.linalg.norm(point[:, here], axis=0)
    return Hits(depth, solid, face, normal.T, point.T)


def _about_y(angle: float) -> Array:
    """Rotation about the vertical: from a box's axes to the world's."""
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]])


def _exit(start: Array, directions: Array, room: Array) -> Array:
    """Distance [P] to the room's surface from the inside."""
    ahead = np.where(directions > 0, room[:, None], 0)
    distance: Array = ((ahead - start) / directions).min(axis=0)
    return distance


def _box_depth(center: Array, half: Array, yaw: float, position: Array, directions: Array) -> Array:
    """Distance [P] to a box, infinite if the ray misses it.

    A box is where three slabs meet. A ray hits it if it enters the last of them before it leaves the first.
    """
    turn = _about_y(yaw).T
    inverse = 1 / (turn @ directions)
    middle = (turn @ (center - position))[:, None] * inverse
    reach = half[:, None] * np.abs(inverse)
    entry, leave = (middle - reach).max(axis=0), (middle + reach).min(axis=0)
    return np.where((entry < leave) & (entry > 0), entry, np.inf)


def _sphere_depth(center: Array, radius: float, position: Array, directions: Array) -> Array:
    """Distance [P] to a sphere, infinite if the ray misses it."""
    offset = position - center
    square = (directions**2).sum(axis=0)
    along = offset @ directions
    root = along**2 - square * (offset @ offset - radius**2)
    distance = (-along - np.sqrt(np.maximum(root, 0))) / square
    return np.where((root > 0) & (distance > 0), distance, np.inf)


def _inner_face(point: Array, room: Array) -> tuple[NDArray[np.intp], Array]:
    """The face of the room that points [3, P] are on, and its normal [3, P] inwards."""
    face, outwards = _outer_face(point - room[:, None] / 2, room / 2)
    return face, -outwards


def _outer_face(point: Array, half: Array) -> tuple[NDArray[np.intp], Array]:
    """The face of a box, in its own axes, that points [3, P] are on, and its normal [3, P] outwards."""
    axis = (np.abs(point) - half[:, None]).argmax(axis=0)
    high = np.take_along_axis(point, axis[None], axis=0)[0] > 0
    return 2 * axis + high, np.eye(3)[axis].T * np.where(high, 1, -1)
