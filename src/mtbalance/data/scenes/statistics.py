"""Counts over the scenes of a split, taken while it is written."""

from __future__ import annotations

import numpy as np

from mtbalance.data.scenes.scene import Scene
from mtbalance.data.scenes.schema import CLASSES, TASKS, SceneSplitFacts

UNIT_TOLERANCE = 0.01
"""Rounding to 8 bits makes unit vectors longer or shorter by up to 0.007."""


class SceneStatistics:
    """Counts and sums over the pixels of a split."""

    def __init__(self) -> None:
        self.rows = 0
        self._pixels = 0
        self._classes = np.zeros(len(CLASSES), np.int64)
        self._valid = np.zeros(len(TASKS), np.int64)
        self._not_unit = 0
        self._depth = 0.0
        self._normal = np.zeros(3)

    def add(self, scene: Scene) -> None:
        """Count a scene."""
        known = scene.label[scene.label >= 0]
        depth = scene.depth[scene.depth > 0]
        normal = scene.normal[scene.normal.any(axis=-1)].astype(np.float64)
        length = np.linalg.norm(normal, axis=-1)
        self.rows += 1
        self._pixels += scene.label.size
        self._classes += np.bincount(known, minlength=len(CLASSES))
        self._valid += known.size, depth.size, len(normal)
        self._not_unit += int((np.abs(length - 1) > UNIT_TOLERANCE).sum())
        self._depth += depth.sum(dtype=np.float64)
        self._normal += (normal / length[:, None]).sum(axis=0)

    def unknown(self) -> list[str]:
        """Tasks without a single valid pixel."""
        return [task.name for task, valid in zip(TASKS, self._valid, strict=True) if not valid]

    def facts(self, sha256: str) -> SceneSplitFacts:
        """The split's facts for the schema. Every task must have valid pixels."""
        return SceneSplitFacts(
            rows=self.rows,
            sha256=sha256,
            class_pixels=self._classes.tolist(),
            class_shares=(self._classes / self._valid[0]).tolist(),
            valid={task.name: int(valid) / self._pixels for task, valid in zip(TASKS, self._valid, strict=True)},
            not_unit=self._not_unit / int(self._valid[2]),
        )

    def mean_depth(self) -> float:
        """Mean of the valid depths in meters."""
        return float(self._depth / self._valid[1])

    def mean_normal(self) -> tuple[float, float, float]:
        """Unit vector along the sum of the valid normals' directions."""
        x, y, z = (self._normal / max(np.linalg.norm(self._normal), np.finfo(float).tiny)).tolist()
        return x, y, z
