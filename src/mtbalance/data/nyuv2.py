"""NYUv2 (Silberman et al. 2012): 13 classes, depth and surface normals of 795 training and 654 test images."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from mtbalance.config import NyuV2Data
from mtbalance.data import DataError
from mtbalance.data.raw_files import checked_sha256, open_zip
from mtbalance.data.scenes.preprocessed import SIDES, Preprocessed
from mtbalance.data.scenes.scene import Scene
from mtbalance.data.scenes.schema import SPLITS, SceneSchema, SceneSplitName
from mtbalance.data.scenes.writer import SceneWriter


class Source(Protocol):
    """Raw files of one form."""

    checksums: dict[str, str]
    """SHA-256 of what has been read, by name."""

    def count(self, split: SceneSplitName) -> int:
        """Number of images."""

    def scenes(self, split: SceneSplitName, height: int, width: int) -> Iterator[Scene]:
        """The scenes, one in memory at a time."""


def prepare(name: str, config: NyuV2Data, output: Path) -> SceneSchema:
    """Prepare the pre-processed folder, or the archive of it where there is none, or the official pieces."""
    folder, archive = Path(config.folder), Path(config.raw()["archive"].path)
    counts: dict[SceneSplitName, int] = {"train": config.train_images, "test": config.test_images}
    size = (config.height, config.width)
    if all((folder / side).is_dir() for side in SIDES.values()):
        return write(name, Preprocessed(folder), size, counts, output)
    if archive.is_file():
        checked_sha256(config.raw()["archive"])
        return write_archive(name, archive, size, counts, output)
    if (folder / "splits.mat").is_file():
        from mtbalance.data.scenes.official import Official  # the rarer form

        return write(name, Official(folder, config.depth_unit), size, counts, output)
    raise DataError(
        f"NYUv2 is not here. Take the pre-processed set whose address is in the README of MTAN "
        f"(https://github.com/lorenmt/mtan, 9 GB) and place its folders as {folder}/train and {folder}/val, or a zip "
        f"of both as {archive}; or place the official pieces: {folder}/splits.mat, and images named by their number "
        f"in {folder}/image, label (13 classes), depth and normal; or give `archive` with path, urls and sha256 under "
        f"datasets.{name}"
    )


def write_archive(
    name: str,
    archive: Path,
    size: tuple[int, int],
    counts: dict[SceneSplitName, int],
    output: Path,
    synthetic: bool = False,
) -> SceneSchema:
    """Write the scenes of a zip of the pre-processed folders."""
    with open_zip(archive, str(archive)) as opened:
        return write(name, Preprocessed(zipfile.Path(opened)), size, counts, output, synthetic)


def write(
    name: str,
    source: Source,
    size: tuple[int, int],
    counts: dict[SceneSplitName, int],
    output: Path,
    synthetic: bool = False,
) -> SceneSchema:
    """Write the scenes of a complete source, of the given height and width."""
    for split, expected in counts.items():
        if source.count(split) != expected:
            raise DataError(
                f"{split} has {source.count(split)} images, not {expected}: not the whole set; "
                f"datasets.{name} says how many there must be"
            )
    with SceneWriter(output, *size) as writer:
        for split in SPLITS:
            for scene in source.scenes(split, *size):
                writer.write(split, scene)
        return writer.finish(dataset=name, synthetic=synthetic, raw=source.checksums)
