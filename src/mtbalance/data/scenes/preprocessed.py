"""The pre-processed NYUv2 of MTAN (Liu et al. 2019): ``train|val/{image,label,depth,normal}/N.npy``.

Channels come last; class -1, depth 0 and the zero normal mean: none. ``val`` is the official test set.
"""

from __future__ import annotations

import hashlib
import io
import tokenize
from collections.abc import Iterator
from importlib.resources.abc import Traversable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtbalance.data import DataError
from mtbalance.data.scenes.checks import to_scene
from mtbalance.data.scenes.scene import KINDS, Scene
from mtbalance.data.scenes.schema import SceneSplitName
from mtbalance.errors import DAMAGED
from mtbalance.faults import briefly

SIDES: dict[SceneSplitName, str] = {"train": "train", "test": "val"}


class Preprocessed:
    """The pre-processed set in a folder or in a zip (a ``zipfile.Path``), at the top or one folder down.

    Raises :class:`DataError` if the folders are absent or hold no images, and if an image lacks a map.
    """

    def __init__(self, root: Traversable) -> None:
        self._root = _root_of(root)
        self._names = {split: self._names_in(side) for split, side in SIDES.items()}
        self.checksums: dict[str, str] = {}
        """SHA-256 over the names and contents of each folder that has been read; the same for a zip of it."""

    def count(self, split: SceneSplitName) -> int:
        """Number of images."""
        return len(self._names[split])

    def scenes(self, split: SceneSplitName, height: int, width: int) -> Iterator[Scene]:
        """The scenes in the order of their numbers, one in memory at a time."""
        side, digests = SIDES[split], {kind: hashlib.sha256() for kind in KINDS}
        for name in self._names[split]:
            arrays, sources = {}, {}
            for kind in KINDS:
                file = self._root / side / kind / name
                content, sources[kind] = read_bytes(file), str(file)
                digests[kind].update(name.encode() + hashlib.sha256(content).digest())
                arrays[kind] = parse_npy(content, sources[kind])
            yield to_scene(arrays, sources, height, width)
        self.checksums |= {f"{side}/{kind}": digest.hexdigest() for kind, digest in digests.items()}

    def _names_in(self, side: str) -> list[str]:
        found = {kind: set(_npy_names(self._root / side / kind)) for kind in KINDS}
        union = set().union(*found.values())
        if not union:
            raise DataError(f"{self._root / side}: no .npy files in its folders {', '.join(KINDS)}")
        for kind in KINDS:
            if absent := sorted(union - found[kind], key=_number):
                other = next(kind for kind in KINDS if absent[0] in found[kind])
                raise DataError(
                    f"{self._root / side / kind / absent[0]} is missing ({len(absent)} in all), but {other} has it"
                )
        return sorted(union, key=_number)


def read_bytes(file: Traversable) -> bytes:
    """All bytes of a file. Raises :class:`DataError` for one that cannot be read, as in a damaged zip."""
    try:
        return file.read_bytes()
    except DAMAGED as error:
        raise DataError(f"{file}: cannot be read ({briefly(error)}); delete it and fetch it again") from error


def parse_npy(content: bytes, source: str) -> NDArray[Any]:
    """The array of a ``.npy`` file. A pickled one is refused and never unpickled."""
    try:
        return np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)
    except (*DAMAGED, SyntaxError, tokenize.TokenError) as error:
        raise DataError(
            f"{source}: not a whole .npy file of numbers ({briefly(error)}); fetch or make it again"
        ) from error


def _root_of(root: Traversable) -> Traversable:
    inner = [folder for folder in root.iterdir() if folder.is_dir()]
    for folder in [root, *sorted(inner, key=str)]:
        if all((folder / side).is_dir() for side in SIDES.values()):
            return folder
    raise DataError(f"{root}: no folders {' and '.join(SIDES.values())} in it")


def _npy_names(folder: Traversable) -> Iterator[str]:
    if not folder.is_dir():
        raise DataError(f"{folder} is missing; every split has the folders {', '.join(KINDS)}")
    for file in folder.iterdir():
        if file.name.endswith(".npy") and not file.name.startswith("."):
            if not file.name.removesuffix(".npy").isdecimal():
                raise DataError(f"{folder / file.name}: expected a number before .npy")
            yield file.name


def _number(name: str) -> int:
    return int(name.removesuffix(".npy"))
