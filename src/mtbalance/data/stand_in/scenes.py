"""Stand-in scenes: rooms that are drawn, rendered and given gaps, in a zip of the pre-processed form."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.random import SeedSequence, default_rng
from numpy.typing import NDArray

from mtbalance.data.scenes.preprocessed import SIDES
from mtbalance.data.scenes.scene import Scene
from mtbalance.data.scenes.schema import SPLITS, SceneSplitName
from mtbalance.data.stand_in.gaps import with_gaps
from mtbalance.data.stand_in.rendering import render
from mtbalance.data.stand_in.rooms import draw_room

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The date of every member, the earliest that a zip can hold: the same scenes give the same bytes."""


def write_scenes(path: Path, counts: Mapping[SceneSplitName, int], height: int, width: int, seed: int) -> None:
    """Write a zip with the folders ``train`` and ``val``: so many scenes of each split, height x width pixels each."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for split in SPLITS:
            for index in range(counts[split]):
                _store(archive, SIDES[split], index, draw_scene(split, index, height, width, seed))


def draw_scene(split: SceneSplitName, index: int, height: int, width: int, seed: int) -> Scene:
    """One scene of height x width pixels. It depends on the seed and on its place in the set, on no other scene."""
    random = default_rng(SeedSequence(seed, spawn_key=(SPLITS.index(split), index)))
    scene, surfaces = render(draw_room(random), height, width, random)
    return with_gaps(scene, surfaces, random)


def _store(archive: zipfile.ZipFile, side: str, index: int, scene: Scene) -> None:
    arrays = scene._replace(label=scene.label.astype(np.float32), depth=scene.depth[..., None])
    for kind, values in arrays._asdict().items():
        member = zipfile.ZipInfo(f"{side}/{kind}/{index}.npy", EPOCH)
        archive.writestr(member, _npy(values), archive.compression, compresslevel=1)


def _npy(values: NDArray[np.float32]) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, values, allow_pickle=False)
    return stream.getvalue()
