"""prepare_scenes and prepare_archive: prepare a data set from a source of scenes."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from mtbalance.data import DataError
from mtbalance.data.files.raw_files import open_zip
from mtbalance.data.scenes.preprocessed import Preprocessed
from mtbalance.data.scenes.scene import Scene
from mtbalance.data.scenes.schema import SPLITS, SceneSchema, SceneSplitName
from mtbalance.data.scenes.writer import SceneWriter


class Source(Protocol):
    """The raw files of a data set in one of their forms."""

    @property
    def checksums(self) -> dict[str, str]:
        """SHA-256 of the files that have been read, by name."""

    def count(self, split: SceneSplitName) -> int:
        """Number of images."""

    def scenes(self, split: SceneSplitName, height: int, width: int) -> Iterator[Scene]:
        """The scenes, one in memory at a time."""


def prepare_archive(
    name: str,
    archive: Path,
    size: tuple[int, int],
    counts: dict[SceneSplitName, int],
    output: Path,
    synthetic: bool = False,
) -> SceneSchema:
    """Prepare the scenes in a zip of the pre-processed folders (see :func:`prepare_scenes`)."""
    with open_zip(archive, str(archive)) as opened:
        return prepare_scenes(name, Preprocessed(zipfile.Path(opened)), size, counts, output, synthetic)


def prepare_scenes(
    name: str,
    source: Source,
    size: tuple[int, int],
    counts: dict[SceneSplitName, int],
    output: Path,
    synthetic: bool = False,
) -> SceneSchema:
    """Prepare the scenes of a source, whose ``size`` is to be height x width pixels.

    Raises :class:`DataError` unless the source has exactly ``counts`` scenes of each split.
    """
    for split, expected in counts.items():
        if source.count(split) != expected:
            raise DataError(
                f"{split} has {source.count(split)} images, not {expected}: not the whole set; "
                f"datasets.{name} says how many there must be (train_images, test_images)"
            )
    with SceneWriter(output, *size) as writer:
        for split in SPLITS:
            for scene in source.scenes(split, *size):
                writer.write(split, scene)
        return writer.finish(dataset=name, synthetic=synthetic, raw=source.checksums)
