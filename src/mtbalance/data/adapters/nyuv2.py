"""NYUv2 (Silberman et al. 2012): 13 classes, depth and surface normals of 795 training and 654 test images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from mtbalance import places
from mtbalance.blocks import Count, Positive, Side
from mtbalance.config.datasets import Dataset, RawFile
from mtbalance.data import DataError
from mtbalance.data.files.raw_files import checked_sha256
from mtbalance.data.scenes.schema import TASKS, SceneSchema, SceneSplitName

SIDES = ("train", "val")
KINDS = ("image", "label", "depth", "normal")


class NYUv2(Dataset):
    """NYUv2 with 13 classes, depth and surface normals (Silberman et al. 2012), 795 training and 654 test images.

    The raw data come pre-processed, as MTAN's authors give them (``folder`` with ``train`` and ``val``, else
    ``archive``), or in the official pieces (``folder`` with ``splits.mat`` and the images).
    """

    problem = "scenes"

    adapter: Literal["nyuv2"]
    folder: str = places.RAW.format(dataset="nyuv2")
    """The folder of the pre-processed set, or of the official pieces."""
    archive: RawFile | None = None
    """A zip of ``train`` and ``val``. Default: ``nyuv2.zip`` in the folder."""
    height: Side = 288
    """Height of the images in pixels. Official pieces are resized to it; pre-processed images must have it."""
    width: Side = 384
    """Width of the images in pixels, as the height."""
    train_images: Count = 795
    """Number of training images that make the set complete; another number is refused."""
    test_images: Count = 654
    """Number of test images that make the set complete."""
    depth_unit: Positive = 5000.0
    """Steps per meter in the depth images of the official pieces."""

    def task_names(self) -> Sequence[str]:
        """``segmentation``, ``depth`` and ``normal``."""
        return [task.name for task in TASKS]

    def packed(self) -> RawFile:
        """The zip of the pre-processed folders."""
        return self.archive or RawFile(path=f"{self.folder}/nyuv2.zip")

    def forms(self) -> list[list[RawFile]]:
        """The pre-processed folders, the zip of them, or the official pieces."""
        preprocessed = [RawFile(path=f"{self.folder}/{side}/{kind}") for side in SIDES for kind in KINDS]
        pieces = [RawFile(path=f"{self.folder}/{name}") for name in ("splits.mat", *KINDS)]
        return [preprocessed, [self.packed()], pieces]

    def raw_files(self) -> list[RawFile]:
        """The one raw file that can have an address: the zip."""
        return [self.packed()]

    def prepare(self, name: str, output: Path) -> SceneSchema:
        """Prepare the pre-processed folder, or its zip if there is none, or else the official pieces."""
        from mtbalance.data.scenes.preparing import prepare_archive, prepare_scenes
        from mtbalance.data.scenes.preprocessed import Preprocessed

        folder, archive = Path(self.folder), Path(self.packed().path)
        counts: dict[SceneSplitName, int] = {"train": self.train_images, "test": self.test_images}
        size = (self.height, self.width)
        if all((folder / side).is_dir() for side in SIDES):
            return prepare_scenes(name, Preprocessed(folder), size, counts, output)
        if archive.is_file():
            checked_sha256(self.packed())
            return prepare_archive(name, archive, size, counts, output)
        if (folder / "splits.mat").is_file():
            from mtbalance.data.scenes.official import Official  # needs scipy and pillow

            return prepare_scenes(name, Official(folder, self.depth_unit), size, counts, output)
        raise DataError(
            "NYUv2 is not here. Take the pre-processed set whose address is in the README of MTAN "
            f"(https://github.com/lorenmt/mtan, 9 GB) and place its folders as {folder}/train and {folder}/val, or a "
            f"zip of both as {archive}; or place the official pieces: {folder}/splits.mat, and images named by their "
            f"number in {folder}/image, label (13 classes), depth and normal; or give `archive` with path, urls and "
            f"sha256 under datasets.{name}"
        )
