"""NYUv2 (Silberman et al. 2012): 13 classes, depth and surface normals of 795 training and 654 test images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Self

from pydantic import model_validator

from mtbalance import places
from mtbalance.blocks import Block, Bytes, Count, Positive, Side, refuse
from mtbalance.config.datasets import Checksum, Dataset, Folder, RawFile
from mtbalance.config.sizes import Size, StandIn
from mtbalance.data import DataError
from mtbalance.data.files.raw_files import RawChecksums, checked_sha256
from mtbalance.data.scenes.schema import SPLITS, TASKS, SceneSchema, SceneSplitName

SIDES = ("train", "val")
KINDS = ("image", "label", "depth", "normal")


class PublishedFile(Block):
    """What is published about a file."""

    bytes: Bytes | None = None
    """Its size."""
    sha256: Checksum | None = None
    """Its checksum."""


class Shards(Block):
    """The Parquet shards of a data set at Hugging Face, ``data/train-00000-of-00008.parquet`` and so on."""

    source: Folder
    """Address of the data set at a revision, or of another folder with the same files."""
    train: Count
    """Number of training shards."""
    test: Count
    """Number of test shards, whose names begin with ``val``."""
    published: dict[str, PublishedFile] = {}
    """Sizes and checksums, by the names of the shards."""

    @model_validator(mode="after")
    def _published_are_shards(self) -> Self:
        names = [*self.names("train"), *self.names("test")]
        refuse(
            (f"published.{name}", f"no such shard; there are {names}") for name in self.published.keys() - set(names)
        )
        return self

    def names(self, split: SceneSplitName) -> list[str]:
        """Names of a split's shards, in order."""
        count = {"train": self.train, "test": self.test}[split]
        side = SIDES[SPLITS.index(split)]
        return [f"data/{side}-{index:05}-of-{count:05}.parquet" for index in range(count)]

    def files(self, split: SceneSplitName, folder: str) -> list[RawFile]:
        """A split's shards in ``folder``, in order."""
        return [self._file(name, folder) for name in self.names(split)]

    def _file(self, name: str, folder: str) -> RawFile:
        known = self.published.get(name, PublishedFile())
        return RawFile(path=f"{folder}/{name}", urls=[f"{self.source}/{name}"], bytes=known.bytes, sha256=known.sha256)


class NYUv2(Dataset):
    """NYUv2 with 13 classes, depth and surface normals (Silberman et al. 2012), 795 training and 654 test images.

    The raw data come pre-processed, as MTAN's authors give them (``folder`` with ``train`` and ``val``, else
    ``archive``); in the official pieces (``folder`` with ``splits.mat`` and the images); or pre-processed in Parquet
    ``shards``. The first form that is there is prepared.
    """

    problem = "scenes"

    adapter: Literal["nyuv2"]
    folder: str = places.RAW.format(dataset="nyuv2")
    """The folder of the pre-processed set, or of the official pieces."""
    archive: RawFile | None = None
    """A zip of ``train`` and ``val``. Default: ``nyuv2.zip`` in the folder."""
    shards: Shards | None = None
    """The shards, whose place is ``data`` in the folder."""
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

    def shard_files(self, *splits: SceneSplitName) -> list[RawFile]:
        """The shards of some splits, in order; none if they have no address."""
        return [file for split in splits if self.shards for file in self.shards.files(split, self.folder)]

    def forms(self) -> list[list[RawFile]]:
        """The pre-processed folders, the zip of them, the official pieces, or the shards."""
        preprocessed = [RawFile(path=f"{self.folder}/{side}/{kind}") for side in SIDES for kind in KINDS]
        pieces = [RawFile(path=f"{self.folder}/{name}") for name in ("splits.mat", *KINDS)]
        forms = [preprocessed, [self.packed()], pieces, self.shard_files(*SPLITS)]
        return [form for form in forms if form]

    def raw_files(self) -> list[RawFile]:
        """The raw files that can have an address: the zip and the shards."""
        return [self.packed(), *self.shard_files(*SPLITS)]

    def prepare(self, name: str, output: Path) -> SceneSchema:
        """Prepare the first form that is there: a folder, its zip, the official pieces, or the shards."""
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
        if self.shards and (folder / "data").is_dir():
            return self._prepare_shards(name, size, counts, output)
        raise DataError(self.routes(name))

    def _prepare_shards(
        self, name: str, size: tuple[int, int], counts: dict[SceneSplitName, int], output: Path
    ) -> SceneSchema:
        from mtbalance.data.scenes.preparing import prepare_scenes
        from mtbalance.data.scenes.shards import Sharded

        paths = {split: [Path(file.path) for file in self.shard_files(split)] for split in SPLITS}
        with RawChecksums(self.shard_files(*SPLITS)) as sums:
            source = Sharded(paths, sums)
            return prepare_scenes(name, source, size, counts, output, source.synthetic)

    def routes(self, name: str) -> str:
        """What to do on a machine that has no raw data and fetches none."""
        folder, shards = self.folder, self.shards
        fetched = f"fetch or copy {shards.source}/data as {folder}/data" if shards else "give `shards`"
        return (
            "NYUv2 is not here. Take the pre-processed set whose address is in the README of MTAN "
            f"(https://github.com/lorenmt/mtan, 9 GB) and place its folders as {folder}/train and {folder}/val, or a "
            f"zip of both as {self.packed().path}; or place the official pieces: {folder}/splits.mat, and images named "
            f"by their number in {folder}/image, label (13 classes), depth and normal; or {fetched}; "
            f"or give `archive` with path, urls and sha256 under datasets.{name}"
        )

    terms = "NYUv2's own; who offers the files declares no license"

    def size(self) -> Size:
        """The images, and bytes by the pixel. The Parquet shards take 2.8 GB in all, the npy files 9 GB."""
        from mtbalance.data.scenes.sizes import size

        raw = 9_000_000_000 if self.packed() in self.needed() else 2_800_000_000
        return size(self.train_images, self.test_images, self.height, self.width, raw)

    def stand_in(self, whole: bool = False) -> StandIn:
        """Synthetic rooms, a ninth of the full size unless ``whole``."""
        from mtbalance.data.scenes.sizes import stand_in

        return stand_in(self.height, self.width, whole)
