"""Training batches from a prepared ranking data set: decoded once into tensors, shuffled by index."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor

from mtbalance.data import DataError
from mtbalance.data.batch import Batch
from mtbalance.data.files.verified import verified
from mtbalance.data.ranking.decode import Array, decode
from mtbalance.data.ranking.resident import ResidentRows, fits
from mtbalance.data.ranking.schema import SPLITS, RankingSchema
from mtbalance.faults import briefly

ROWS_IN_MEMORY = 4_000_000
ROWS_PER_BLOCK = 2_000_000


class RankingRows:
    """The rows of one split of a prepared data set.

    Up to 4 million rows are decoded once and kept (about 330 bytes a row for AliExpress). Larger splits are decoded
    again each epoch, in blocks of about 2 million rows; shuffling then takes row groups in random order and permutes
    the rows of each block. On a device with enough memory (:meth:`reside`) all rows are decoded once and stay there.
    The batches are the same everywhere.

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
            raise DataError(f"{self._path} cannot be read ({briefly(error)}); prepare the data set again") from error
        if metadata.num_rows != self.rows:
            raise DataError(f"{self._path} is not the file of its schema.json; prepare the data set again")
        self._group_rows = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
        self._decoded: list[Array] | None = None
        self._resident: ResidentRows | None = None

    def reside(self, device: torch.device) -> None:
        """Keep the rows on the device, and make batches there, if at most half of its free memory holds them."""
        for some in self._group_blocks(None):
            arrays = decode(self._path, some, self.schema)
            if self._resident is None:
                if not fits(arrays, self.rows, device):
                    return
                self._resident = ResidentRows(arrays, self.rows, device)
            self._resident.append(arrays)

    def batches(self, batch_size: int, generator: Generator | None) -> Iterator[Batch]:
        """All rows once, ``batch_size`` at a time; the last batch may be smaller.

        Without a generator they come in file order; else in an order drawn from it. So equal generators give equal
        batches, and one generator gives another order each time.
        """
        if self._resident is not None:
            yield from map(self._batch, self._resident.batches(self._order(generator), batch_size))
            return
        rest: list[Array] | None = None
        for block in self._blocks(generator):
            rows = len(block[0])
            order = None if generator is None else generator.permutation(rows)
            start = 0
            if rest is not None:  # fill up the batch that the block before left unfinished
                start = min(batch_size - len(rest[0]), rows)
                head = _take(block, order, 0, start)
                rest = [np.concatenate(pair) for pair in zip(rest, head, strict=True)]
                if len(rest[0]) < batch_size:
                    continue
                yield self._decoded_batch(rest)
            full = start + (rows - start) // batch_size * batch_size
            for first in range(start, full, batch_size):
                yield self._decoded_batch(_take(block, order, first, first + batch_size))
            rest = _take(block, order, full, rows) if full < rows else None
        if rest is not None:
            yield self._decoded_batch(rest)

    def _decoded_batch(self, arrays: Sequence[Array]) -> Batch:
        return self._batch([torch.from_numpy(array) for array in arrays])

    def _batch(self, tensors: Sequence[Tensor]) -> Batch:
        ids, numbers, *labels = tensors
        if self.schema.weight is not None:
            weights = labels.pop()
            labels = [torch.stack([label, weights], dim=1) for label in labels]
        return Batch((ids, numbers), tuple(labels))

    def _blocks(self, generator: Generator | None) -> Iterator[list[Array]]:
        for groups in self._group_blocks(generator):
            if self.rows > ROWS_IN_MEMORY:
                yield decode(self._path, groups, self.schema)
                continue
            if self._decoded is None:
                self._decoded = decode(self._path, groups, self.schema)
            yield self._decoded

    def _group_blocks(self, generator: Generator | None) -> list[NDArray[np.int64]]:
        """The row groups of each block."""
        groups = np.arange(len(self._group_rows))
        if self.rows <= ROWS_IN_MEMORY:
            return [groups]
        if generator is not None:
            generator.shuffle(groups)
        return np.array_split(groups, -(-self.rows // ROWS_PER_BLOCK))

    def _order(self, generator: Generator | None) -> NDArray[np.int64] | None:
        """The rows' places in the file, in the order in which blocks give them."""
        if generator is None:
            return None
        starts, found = np.cumsum([0, *self._group_rows]), []
        for groups in self._group_blocks(generator):
            places = np.concatenate([np.arange(0), *(np.arange(starts[group], starts[group + 1]) for group in groups)])
            found.append(places[generator.permutation(len(places))])
        return np.concatenate(found)


def _take(block: Sequence[Array], order: NDArray[np.int64] | None, first: int, last: int) -> list[Array]:
    if order is None:
        return [array[first:last] for array in block]
    # numpy's take and not torch's: one thread is enough, and does not wait for another when cores are busy
    return [np.take(array, order[first:last], axis=0) for array in block]
