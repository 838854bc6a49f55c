"""Stand-in scenes: rendered rooms in the layout of the pre-processed NYUv2. Never NYUv2."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
from numpy.random import SeedSequence, default_rng
from numpy.typing import NDArray

from mtbalance.config import SyntheticScenesData
from mtbalance.data.generated import MARK, RAW, is_generated, mark_of, require_synthetic
from mtbalance.data.nyuv2 import write_archive
from mtbalance.data.scenes.gaps import with_gaps
from mtbalance.data.scenes.preprocessed import SIDES
from mtbalance.data.scenes.rendering import render
from mtbalance.data.scenes.rooms import draw_room
from mtbalance.data.scenes.scene import Scene
from mtbalance.data.scenes.schema import SPLITS, SceneSchema, SceneSplitName
from mtbalance.data.staging import Staging

ARCHIVE = "scenes.zip"
EPOCH = (1980, 1, 1, 0, 0, 0)
"""Every member's date, the earliest of a zip: the same scenes give the same bytes."""


def prepare(name: str, config: SyntheticScenesData, output: Path) -> SceneSchema:
    """Prepare ``data/raw/<name>``, which is generated first unless it is there for this configuration.

    Raises :class:`DataError` unless the name says ``synthetic``.
    """
    require_synthetic(name)
    folder = RAW / name
    if not is_generated(config, folder, [ARCHIVE]):
        generate(config, folder)
    counts: dict[SceneSplitName, int] = {"train": config.train_scenes, "test": config.test_scenes}
    return write_archive(name, folder / ARCHIVE, (config.height, config.width), counts, output, synthetic=True)


def generate(config: SyntheticScenesData, folder: Path) -> None:
    """Write ``scenes.zip`` with the folders ``train`` and ``val``; the same configuration gives the same scenes."""
    with Staging(folder) as staging, staging.writing():
        with zipfile.ZipFile(staging.folder / ARCHIVE, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for split, count in zip(SPLITS, (config.train_scenes, config.test_scenes), strict=True):
                for index in range(count):
                    scene = draw_scene(config, split, index)
                    _store(archive, SIDES[split], index, scene)
        (staging.folder / MARK).write_text(mark_of(config), encoding="utf-8")
        staging.move([ARCHIVE, MARK])


def draw_scene(config: SyntheticScenesData, split: SceneSplitName, index: int) -> Scene:
    """One scene, by the configuration's seed and its place in the set; no other scene matters."""
    random = default_rng(SeedSequence(config.seed, spawn_key=(SPLITS.index(split), index)))
    scene, surfaces = render(draw_room(random), config.height, config.width, random)
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
