"""ResidentRows: a split's rows on a device, gathered there, so that no batch waits for a copy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mtbalance.data.ranking.decode import Array

SHARE = 0.5
"""The part of a device's free memory that rows may take; the rest is for the model and its activations."""


def fits(arrays: Sequence[Array], rows: int, device: torch.device) -> bool:
    """True if ``rows`` rows like those of the arrays have room on the device; always on the CPU."""
    if device.type != "cuda":
        return True
    free, _ = torch.cuda.mem_get_info(device)
    return sum(array.nbytes for array in arrays) / len(arrays[0]) * rows <= SHARE * free


class ResidentRows:
    """Columns [rows, ...] on a device. They are filled block by block, in file order."""

    def __init__(self, like: Sequence[Array], rows: int, device: torch.device) -> None:
        self.device, self.rows, self._filled = device, rows, 0
        self._columns = [
            torch.empty((rows, *array.shape[1:]), dtype=torch.from_numpy(array).dtype, device=device) for array in like
        ]

    def append(self, arrays: Sequence[Array]) -> None:
        """Add the rows of the next block."""
        end = self._filled + len(arrays[0])
        for column, array in zip(self._columns, arrays, strict=True):
            column[self._filled : end] = torch.from_numpy(array).to(self.device)
        self._filled = end

    def batches(self, order: NDArray[np.int64] | None, batch_size: int) -> Iterator[list[Tensor]]:
        """The columns' rows, ``batch_size`` at a time, in this order or that of the file."""
        places = None if order is None else torch.from_numpy(order).to(self.device)
        for first in range(0, self.rows, batch_size):
            part = slice(first, first + batch_size)
            if places is None:
                yield [column[part] for column in self._columns]
            else:
                yield [column.index_select(0, places[part]) for column in self._columns]
