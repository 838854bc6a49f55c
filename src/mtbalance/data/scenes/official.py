"""The official pieces of NYUv2: ``splits.mat``, and a folder of image files for images, labels, depths and normals.

A file's number, the digits at the end of its name, is its position in the labeled set, from 1, as in ``splits.mat``.
An image and its maps may have any size, the same for all four. :mod:`mtbalance.data.scenes.resize` brings them to the
size of the data set.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import scipy.io
from scipy.io.matlab import MatReadError

from mtbalance.data import DataError
from mtbalance.data.files.checksums import sha256_of
from mtbalance.data.scenes.checks import to_scene
from mtbalance.data.scenes.pictures import DECODERS, read_picture
from mtbalance.data.scenes.resize import resize
from mtbalance.data.scenes.scene import KINDS, Scene
from mtbalance.data.scenes.schema import SceneSplitName
from mtbalance.errors import DAMAGED
from mtbalance.faults import briefly

INDICES: dict[SceneSplitName, str] = {"train": "trainNdxs", "test": "testNdxs"}
FILE_NUMBER = re.compile(r"(\d+)$")


class Official:
    """The pieces in a folder. Raises :class:`DataError` if a file of an image of ``splits.mat`` is missing."""

    def __init__(self, folder: Path, depth_unit: float) -> None:
        self._folder, self._depth_unit = folder, depth_unit
        splits = folder / "splits.mat"
        self._numbers = read_splits(splits)
        self._files = {kind: numbered(folder / kind) for kind in KINDS}
        self.checksums = {splits.name: sha256_of(splits)}
        for numbers in self._numbers.values():
            for kind in KINDS:
                self._require(kind, numbers)

    def count(self, split: SceneSplitName) -> int:
        """Number of images."""
        return len(self._numbers[split])

    def scenes(self, split: SceneSplitName, height: int, width: int) -> Iterator[Scene]:
        """The resized scenes in the order of their numbers, one in memory at a time."""
        digests = {kind: hashlib.sha256() for kind in KINDS}
        for number in self._numbers[split]:
            files = {kind: self._files[kind][number] for kind in KINDS}
            for kind, file in files.items():
                digests[kind].update(file.name.encode() + bytes.fromhex(sha256_of(file)))
            yield self._scene(files, height, width)
        self.checksums |= {f"{split}/{kind}": digest.hexdigest() for kind, digest in digests.items()}

    def _scene(self, files: dict[str, Path], height: int, width: int) -> Scene:
        pictures = {kind: read_picture(file) for kind, file in files.items()}
        sizes = {picture.shape[:2] for picture in pictures.values()}
        if len(sizes) > 1:
            raise DataError(f"{files['image']}: its image and maps have different sizes: {sorted(sizes)}")
        sources = {kind: str(file) for kind, file in files.items()}
        maps = {kind: DECODERS[kind](pictures[kind], sources[kind]) for kind in KINDS}
        maps["depth"] = (maps["depth"] / self._depth_unit).astype(np.float32)
        return to_scene(resize(maps, height, width), sources, height, width)

    def _require(self, kind: str, numbers: list[int]) -> None:
        absent = [number for number in numbers if number not in self._files[kind]]
        if absent:
            raise DataError(
                f"{self._folder / kind}: no file with the number {absent[0]} at the end of its name, which is in "
                f"splits.mat ({len(absent)} such images)"
            )


def read_splits(path: Path) -> dict[SceneSplitName, list[int]]:
    """Numbers of the images of each split, in order. Raises :class:`DataError` for any other file."""
    try:
        content = scipy.io.loadmat(path)
        return {split: sorted(map(int, content[key].ravel())) for split, key in INDICES.items()}
    except (*DAMAGED, AttributeError, LookupError, MatReadError) as error:
        raise DataError(
            f"{path}: not NYUv2's splits.mat with {' and '.join(INDICES.values())} ({briefly(error)})"
        ) from error


def numbered(folder: Path) -> dict[int, Path]:
    """The image files of a folder by their numbers. Raises :class:`DataError` if two files have one number."""
    if not folder.is_dir():
        raise DataError(f"{folder} is missing; the official pieces are in the folders {', '.join(KINDS)}")
    files: dict[int, Path] = {}
    for path in sorted(folder.glob("[!.]*")):
        if found := FILE_NUMBER.search(path.stem):
            other = files.setdefault(int(found[1]), path)
            if other != path:
                raise DataError(f"{path} and {other} have the same number; leave one of them")
    return files
