"""Training batches from a prepared scene data set: images in random order, as they are or in random views."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import torch
from numpy.random import Generator

from mtbalance.data import DataError
from mtbalance.data.batch import Batch
from mtbalance.data.files.verified import remedy, verified
from mtbalance.data.scenes.augmentation import Maps, View, draw_views, view
from mtbalance.data.scenes.scene import Scene, arrow_schema
from mtbalance.data.scenes.schema import SPLITS, SceneSchema
from mtbalance.faults import briefly

BYTES_IN_MEMORY = 2**30
BYTES_A_PIXEL = 29
"""Seven numbers in float32, and a class."""


class SceneRows:
    """The scenes of one split of a prepared data set.

    Up to a gigabyte of scenes is decoded once and kept (350 images of 288 x 384). In larger splits every image is read
    when its turn comes. With ``augment``, shuffled images are seen in random views (:mod:`.augmentation`).

    Raises :class:`DataError` for a split that does not exist, and for a file that does not belong to its schema.
    """

    def __init__(self, folder: Path, split: str, augment: bool = False) -> None:
        if split not in SPLITS:
            raise DataError(f"no split {split!r}; there are {SPLITS}")
        self.name, self.augment = split, augment
        self.schema = SceneSchema.read(folder)
        self.rows = self.schema.splits[split].rows
        self._path = verified(folder / f"{split}.parquet", self.schema.splits[split].sha256)
        self._file = self._open()
        pixels = self.rows * self.schema.height * self.schema.width
        self._kept: dict[int, Maps] | None = {} if BYTES_A_PIXEL * pixels <= BYTES_IN_MEMORY else None

    def batches(self, batch_size: int, generator: Generator | None) -> Iterator[Batch]:
        """All images once, ``batch_size`` at a time; the last batch may be smaller.

        Without a generator they come in file order and as they are. Else their order and their views are drawn from it
        before the first batch. So equal generators give equal batches, and one generator gives others each time.
        """
        order, views = list(range(self.rows)), [View(1.0, 0, 0, False)] * self.rows
        if generator is not None:
            order = generator.permutation(self.rows).tolist()
            if self.augment:
                views = draw_views(self.rows, self.schema.height, self.schema.width, generator)
        for first in range(0, self.rows, batch_size):
            part = slice(first, first + batch_size)
            yield _batch([view(self._maps(row), seen) for row, seen in zip(order[part], views[part], strict=True)])

    def _open(self) -> pq.ParquetFile:
        try:
            file = pq.ParquetFile(self._path)
        except (OSError, ValueError) as error:
            raise DataError(f"{self._path} cannot be read ({briefly(error)}); {remedy(self._path)}") from error
        columns = arrow_schema(self.schema.height, self.schema.width)
        if file.num_row_groups != self.rows or file.metadata.num_rows != self.rows or file.schema_arrow != columns:
            raise DataError(f"{self._path} is not the file of its schema.json; {remedy(self._path)}")
        return file

    def _maps(self, row: int) -> Maps:
        if self._kept is None:
            return self._read(row)
        if row not in self._kept:
            self._kept[row] = self._read(row)
        return self._kept[row]

    def _read(self, row: int) -> Maps:
        scene = Scene.from_table(self._file.read_row_group(row, use_threads=False))
        channels_first = (
            scene.image.transpose(2, 0, 1),
            scene.label,
            scene.depth[None],
            scene.normal.transpose(2, 0, 1),
        )
        return Maps(*(torch.from_numpy(np.array(values, order="C")) for values in channels_first))


def _batch(scenes: list[Maps]) -> Batch:
    image, label, depth, normal = (torch.stack(tensors) for tensors in zip(*scenes, strict=True))
    return Batch((image,), (label.long(), depth, normal))
