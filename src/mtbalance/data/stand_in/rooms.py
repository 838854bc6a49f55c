"""Random rooms: their furniture, its classes, and the camera."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.random import Generator

from mtbalance.data.scenes.schema import CLASSES
from mtbalance.data.stand_in.geometry import Array, Boxes, Camera, Spheres, camera_at

WALLS = 4
CLEARANCE = 0.4
"""Meters around the camera that are kept free."""


class Room(NamedTuple):
    """A furnished room with a camera in it."""

    size: Array
    """[3] meters."""
    boxes: Boxes
    spheres: Spheres
    classes: list[int]
    """Class of each box, then of each sphere."""
    camera: Camera


class _Furnishing:
    """Boxes and spheres that are put into a room one by one."""

    def __init__(self, size: Array, camera: Camera, random: Generator) -> None:
        self.size, self._camera, self._random = size, camera, random
        self.boxes: list[tuple[str, Array, Array, float]] = []
        self.spheres: list[tuple[str, Array, float]] = []

    def box(self, name: str, center: Array, half: Array, yaw: float) -> None:
        """Add a box, unless the camera is in it or too near."""
        away = np.abs(self._camera.position - center)
        reach = half + CLEARANCE if yaw == 0 else np.full(3, half[[0, 2]].max() * 1.5 + CLEARANCE)
        if (away > reach).any():
            self.boxes.append((name, center, half, yaw))

    def at_wall(
        self, name: str, wall: int, along: float, length: float, thickness: float, bottom: float, top: float
    ) -> None:
        """Add a box with its back to a wall. ``along`` is its place there, from 0 to 1; other numbers are meters."""
        axis, far = divmod(wall, 2)
        axis *= 2  # x or z
        other = 2 - axis
        center, half = np.zeros(3), np.zeros(3)
        center[1], half[1] = (bottom + top) / 2, (top - bottom) / 2
        half[axis], half[other] = thickness / 2, length / 2
        center[axis] = self.size[axis] - thickness / 2 if far else thickness / 2
        center[other] = length / 2 + along * max(self.size[other] - length, 0)
        self.box(name, center, half, 0.0)

    def beside(self, name: str, place: Array, size: tuple[float, float, float], bottom: float, yaw: float) -> None:
        """Add a box over a place (x, z) of the floor; its size is in meters along x, y, z before it is turned."""
        center = np.array([place[0], bottom + size[1] / 2, place[1]])
        self.box(name, center, np.array(size) / 2, yaw)

    def ball(self, name: str, place: Array, radius: float, bottom: float) -> None:
        """Add a sphere over a place (x, z) of the floor, unless the camera is in it or too near."""
        center = np.array([place[0], bottom + radius, place[1]])
        if np.linalg.norm(center - self._camera.position) > radius + CLEARANCE:
            self.spheres.append((name, center, radius))


def draw_room(random: Generator) -> Room:
    """A room of 3 to 6 meters with a camera at eye height that looks across it."""
    size = random.uniform([3.2, 2.4, 3.2], [6.0, 3.0, 6.0])
    camera = _draw_camera(size, random)
    furnishing = _Furnishing(size, camera, random)
    for furnish in (_large, _dining, _on_walls, _small):
        furnish(furnishing, random)
    names = [name for name, *_ in (*furnishing.boxes, *furnishing.spheres)]
    _, centers, halves, yaws = zip(*furnishing.boxes, strict=True)
    boxes = Boxes(np.array(centers), np.array(halves), np.array(yaws))
    balls = furnishing.spheres
    spheres = Spheres(np.array([c for _, c, _ in balls]).reshape(-1, 3), np.array([r for _, _, r in balls]))
    return Room(size, boxes, spheres, [CLASSES.index(name) for name in names], camera)


def _draw_camera(size: Array, random: Generator) -> Camera:
    side = random.integers(WALLS)
    place = size * random.uniform(0.25, 0.75, 3)
    axis, far = divmod(int(side), 2)
    axis *= 2
    place[axis] = size[axis] - 0.5 if far else 0.5
    place[1] = random.uniform(1.2, 1.7)
    ahead = size / 2 - place
    yaw = np.arctan2(ahead[0], ahead[2]) + np.radians(random.uniform(-25, 25))
    pitch, roll = np.radians(random.uniform([-30, -4], [4, 4]))
    return camera_at(place, float(yaw), float(pitch), float(roll))


def _large(room: _Furnishing, random: Generator) -> None:
    """Beds, sofas and cupboards at the walls."""
    for wall in random.permutation(WALLS):
        along = random.random()
        kind = random.choice(["bed", "sofa", "furniture", "furniture"])
        if kind == "bed":
            room.at_wall("bed", wall, along, random.uniform(1.0, 1.8), 2.0, 0.0, random.uniform(0.4, 0.6))
            room.at_wall("bed", wall, along, random.uniform(1.0, 1.8), 0.1, 0.0, random.uniform(0.8, 1.1))
        elif kind == "sofa":
            length = random.uniform(1.5, 2.2)
            room.at_wall("sofa", wall, along, length, 0.85, 0.0, 0.42)
            room.at_wall("sofa", wall, along, length, 0.25, 0.0, 0.85)
        elif kind == "furniture":
            length, top = random.uniform(0.8, 2.2), random.uniform(0.7, 2.0)
            room.at_wall("furniture", wall, along, length, random.uniform(0.35, 0.6), 0.0, top)
            if top < 1.1:
                on_top = random.choice(["tv", "books", "objects"])
                room.at_wall(on_top, wall, along, 0.6 * length, 0.2, top, top + random.uniform(0.25, 0.6))


def _dining(room: _Furnishing, random: Generator) -> None:
    """A table with something on it, and chairs around it."""
    if random.random() < 0.25:
        return
    place = room.size[[0, 2]] * random.uniform(0.35, 0.65, 2)
    yaw = random.uniform(0, np.pi)
    length, depth, top = random.uniform([0.8, 0.6, 0.65], [1.6, 0.9, 0.8])
    room.beside("table", place, (length, 0.06, depth), top - 0.06, yaw)
    room.beside("table", place, (0.5 * length, top - 0.06, 0.15), 0.0, yaw)
    ahead, aside = np.array([np.cos(yaw), -np.sin(yaw)]), np.array([np.sin(yaw), np.cos(yaw)])
    room.beside("books", place + 0.25 * length * ahead, (0.3, random.uniform(0.06, 0.25), 0.22), top, yaw)
    room.ball("objects", place - 0.25 * length * ahead, random.uniform(0.07, 0.14), top)
    for side in random.permutation([-1, 1])[: random.integers(1, 3)]:
        seat = place + side * (depth / 2 + 0.25) * aside + random.uniform(-0.3, 0.3) * length * ahead
        room.beside("chair", seat, (0.45, 0.06, 0.45), 0.42, yaw)
        room.beside("chair", seat, (0.3, 0.42, 0.3), 0.0, yaw)
        room.beside("chair", seat + side * 0.22 * aside, (0.45, 0.5, 0.06), 0.45, yaw)


def _on_walls(room: _Furnishing, random: Generator) -> None:
    """A window, pictures and sometimes a television."""
    walls = random.permutation(WALLS)
    room.at_wall("window", walls[0], random.random(), random.uniform(0.8, 1.8), 0.04, 0.9, random.uniform(1.8, 2.2))
    for wall in walls[1 : 1 + random.integers(1, 4)]:
        bottom = random.uniform(1.0, 1.4)
        kind = random.choice(["picture", "picture", "tv"])
        room.at_wall(
            kind, wall, random.random(), random.uniform(0.6, 1.4), 0.05, bottom, bottom + random.uniform(0.5, 0.9)
        )


def _small(room: _Furnishing, random: Generator) -> None:
    """Things on the floor."""
    for _ in range(random.integers(2, 7)):
        place = room.size[[0, 2]] * random.uniform(0.1, 0.9, 2)
        if random.random() < 0.5:
            room.ball("objects", place, random.uniform(0.1, 0.3), 0.0)
        else:
            name = random.choice(["objects", "books"], p=[0.7, 0.3])
            edges = tuple(random.uniform(0.15, 0.5, 3))
            room.beside(name, place, edges, 0.0, random.uniform(0, np.pi))
