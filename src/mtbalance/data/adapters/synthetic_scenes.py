"""Stand-in scenes: rendered rooms in the layout of the pre-processed NYUv2. Never NYUv2."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from mtbalance.blocks import Count, Seed, Side
from mtbalance.config.datasets import Dataset
from mtbalance.config.sizes import Size, StandIn
from mtbalance.data.scenes.schema import TASKS, SceneSchema, SceneSplitName
from mtbalance.data.stand_in.generated import MARK, generated_folder, write_generated

ARCHIVE = "scenes.zip"


class SyntheticScenes(Dataset):
    """Stand-in scenes, rendered rooms in the NYUv2 layout. Never NYUv2: always labeled synthetic."""

    problem = "scenes"
    generated = (ARCHIVE, MARK)
    terms = "none: made here"

    adapter: Literal["synthetic_scenes"]
    train_scenes: Count = 400
    """Number of training scenes."""
    test_scenes: Count = 100
    """Number of test scenes."""
    height: Side = 64
    """Height of the images in pixels."""
    width: Side = 96
    """Width of the images in pixels."""
    seed: Seed = 0
    """Seed of all random draws; another seed gives other scenes."""

    def task_names(self) -> Sequence[str]:
        """``segmentation``, ``depth`` and ``normal``."""
        return [task.name for task in TASKS]

    def counts(self) -> dict[SceneSplitName, int]:
        """Number of scenes of each split."""
        return {"train": self.train_scenes, "test": self.test_scenes}

    def prepare(self, name: str, output: Path) -> SceneSchema:
        """Prepare the scenes of ``data/raw/<name>``, which are generated first unless they are there.

        Raises :class:`DataError` unless the name says ``synthetic``.
        """
        from mtbalance.data.scenes.preparing import prepare_archive

        archive = generated_folder(self, name) / ARCHIVE
        return prepare_archive(name, archive, (self.height, self.width), self.counts(), output, synthetic=True)

    def generate(self, folder: Path) -> None:
        """Write ``scenes.zip`` with the folders ``train`` and ``val``; the same options give the same bytes."""
        from mtbalance.data.stand_in.scenes import write_scenes

        with write_generated(self, folder) as unfinished:
            write_scenes(unfinished / ARCHIVE, self.counts(), self.height, self.width, self.seed)

    def size(self) -> Size:
        """The scenes, and bytes by the pixel."""
        from mtbalance.data.scenes.sizes import ZIP_BYTES, size

        raw = int(ZIP_BYTES * (self.train_scenes + self.test_scenes) * self.height * self.width)
        return size(self.train_scenes, self.test_scenes, self.height, self.width, raw)

    def stand_in(self, whole: bool = False) -> StandIn:
        """A few rooms, a ninth of the size of NYUv2's images unless ``whole``."""
        from mtbalance.data.scenes.sizes import stand_in

        return stand_in(self.height, self.width, whole)
