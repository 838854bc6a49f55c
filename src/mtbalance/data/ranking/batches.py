"""Batches from a prepared ranking data set, whose rows are decoded once and shuffled by index."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor

from mtbalance.data import DataError
from mtbalance.data.batch import Batch
from mtbalance.data.files.verified import remedy, verified
from mtbalance.data.ranking.decoded import DecodedRows, open_decoded
from mtbalance.data.ranking.resident import ResidentRows, fits
from mtbalance.data.ranking.schema import SPLITS, RankingSchema
from mtbalance.faults import briefly

ROWS_TOGETHER = 4_000_000
ROWS_PER_BLOCK = 2_000_000


class RankingRows:
    """The rows of one split of a prepared data set.

    They are decoded once (:mod:`mtbalance.data.ranking.decoded`; about 330 bytes a row for AliExpress). Up to 4 million
    rows are shuffled together. Of more, row groups are taken in random order, in blocks of about 2 million rows, and
    the rows of each block are permuted, so that rows that are drawn soon lie near each other. On a device with enough
    memory (:meth:`reside`) all rows stay there. The batches are the same everywhere.

    Raises :class:`DataError` for a split that does not exist, and for a file that does not belong to its schema.
    """

    def __init__(self, folder: Path, split: str) -> None:
        if split not in SPLITS:
            raise DataError(f"no split {split!r}; there are {SPLITS}")
        self.name = split
        self.schema = RankingSchema.read(folder)
        self.rows = self.schema.splits[split].rows
        self._path = verified(folder / f"{split}.parquet", self.schema.splits[split].sha256)
        try:
            metadata = pq.read_metadata(self._path)
        except (OSError, ValueError) as error:
            raise DataError(f"{self._path} cannot be read ({briefly(error)}); {remedy(self._path)}") from error
        if metadata.num_rows != self.rows:
            raise DataError(f"{self._path} is not the file of its schema.json; {remedy(self._path)}")
        self._group_rows = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
        self._resident: ResidentRows | None = None

    @cached_property
    def _decoded(self) -> DecodedRows:
        return open_decoded(self._path, self.schema, self._group_rows)

    def reside(self, device: torch.device) -> None:
        """Keep the rows on the device, and make batches there, if at most half of its free memory holds them."""
        for first in range(0, self.rows, ROWS_PER_BLOCK):
            arrays = self._decoded.take(slice(first, first + ROWS_PER_BLOCK))
            if self._resident is None:
                if not fits(arrays, self.rows, device):
                    return
                self._resident = ResidentRows(arrays, self.rows, device)
            self._resident.append(arrays)
        self.__dict__.pop("_decoded", None)

    def batches(self, batch_size: int, generator: Generator | None) -> Iterator[Batch]:
        """All rows once, ``batch_size`` at a time; the last batch may be smaller.

        Without a generator they come in file order; else in an order drawn from it. So equal generators give equal
        batches, and one generator gives another order each time.
        """
        if self._resident is not None:
            order = None if generator is None else np.concatenate(list(self._orders(generator)))
            yield from map(self._batch, self._resident.batches(order, batch_size))
            return
        for places in self._places(batch_size, generator):
            yield self._batch([torch.from_numpy(array) for array in self._decoded.take(places)])

    def _batch(self, tensors: Sequence[Tensor]) -> Batch:
        ids, numbers, *labels = tensors
        if self.schema.weight is not None:
            weights = labels.pop()
            labels = [torch.stack([label, weights], dim=1) for label in labels]
        return Batch((ids, numbers), tuple(labels))

    def _places(self, batch_size: int, generator: Generator | None) -> Iterator[slice | NDArray[np.int64]]:
        """The places of each batch's rows in the file."""
        if generator is None:
            yield from (slice(first, first + batch_size) for first in range(0, self.rows, batch_size))
            return
        rest = np.arange(0)
        for order in self._orders(generator):
            places = np.concatenate([rest, order])  # a batch that a block leaves unfinished is filled up by the next
            full = len(places) // batch_size * batch_size
            yield from (places[first : first + batch_size] for first in range(0, full, batch_size))
            rest = places[full:]
        if len(rest):
            yield rest

    def _orders(self, generator: Generator) -> Iterator[NDArray[np.int64]]:
        """The places of each block's rows in the file, in an order drawn from the generator."""
        starts = np.cumsum([0, *self._group_rows])
        groups = np.arange(len(self._group_rows))
        blocks = [groups]
        if self.rows > ROWS_TOGETHER:
            generator.shuffle(groups)
            blocks = np.array_split(groups, -(-self.rows // ROWS_PER_BLOCK))
        for block in blocks:
            parts = [(int(starts[group]), int(starts[group + 1])) for group in block]
            if self._resident is None:
                for part in parts:
                    self._decoded.expect(*part)
            places = np.concatenate([np.arange(0), *(np.arange(*part) for part in parts)])
            yield places[generator.permutation(len(places))]
