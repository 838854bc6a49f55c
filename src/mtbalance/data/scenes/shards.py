"""The pre-processed NYUv2 in Parquet shards, as the Hugging Face data set ``tanganke/nyuv2`` holds it.

A row is a scene: ``image`` [3, H, W], ``segmentation`` [H, W], ``depth`` [1, H, W] and ``normal`` [3, H, W]. The values
and their order are those of the ``.npy`` files that :mod:`mtbalance.data.scenes.preprocessed` reads, with channels
first. Each column holds nested lists, as the library ``datasets`` stores its arrays, or tensors of a fixed shape.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from mtbalance.data import DataError
from mtbalance.data.files.raw_files import RawChecksums
from mtbalance.data.scenes.checks import to_scene
from mtbalance.data.scenes.scene import KINDS, Scene
from mtbalance.data.scenes.schema import SceneSplitName

COLUMNS = {"image": "image", "label": "segmentation", "depth": "depth", "normal": "normal"}
"""The column of each kind. Other columns, such as ``noise``, are not read."""
CHANNELS = {"image": (3,), "label": (), "depth": (1,), "normal": (3,)}
READ_BYTES = 2**20
"""A row group can be a whole shard: its columns are read in pieces of this size, and decoded row by row."""


class Sharded:
    """The shards of each split, in order, and the checksums that are taken of them meanwhile.

    Raises :class:`DataError` if one is no Parquet file or lacks a column.
    """

    def __init__(self, files: Mapping[SceneSplitName, Sequence[Path]], sums: RawChecksums) -> None:
        self._files, self._sums = files, sums
        metadata = {split: [_metadata(path) for path in paths] for split, paths in files.items()}
        self._counts: dict[SceneSplitName, int] = {
            split: sum(shard.num_rows for shard in shards) for split, shards in metadata.items()
        }
        self.synthetic = any(_says_synthetic(shard) for shards in metadata.values() for shard in shards)
        """True if a shard's metadata have the key ``synthetic``: its scenes are rendered."""

    @property
    def checksums(self) -> dict[str, str]:
        """SHA-256 of the shards, by name."""
        return self._sums.manifest()

    def count(self, split: SceneSplitName) -> int:
        """Number of images."""
        return self._counts[split]

    def scenes(self, split: SceneSplitName, height: int, width: int) -> Iterator[Scene]:
        """The scenes in the order of the shards and their rows, one in memory at a time."""
        for path in self._files[split]:
            for number, row in enumerate(_rows(path)):
                sources = {kind: f"{path}: row {number} (from 0), {COLUMNS[kind]}" for kind in KINDS}
                arrays = {kind: _channels_last(row, kind, sources[kind], height, width) for kind in KINDS}
                yield to_scene(arrays, sources, height, width)


def nested_values(column: pa.Array, source: str) -> NDArray[Any]:
    """The values of lists of lists, or of tensors, as one array [rows, ...].

    Raises :class:`DataError` for a missing value, and for lists of different lengths at one depth.
    """
    shape = [len(column)]
    while not column.null_count:
        if isinstance(column, pa.FixedShapeTensorArray):
            tensors: NDArray[Any] = column.to_numpy_ndarray()
            return tensors
        if isinstance(column, pa.ExtensionArray):
            column = column.storage
        elif _is_list(column.type):
            lengths = pc.list_value_length(column).unique()
            if len(lengths) > 1:
                raise DataError(f"{source} has lists of different lengths; it must be a whole array")
            shape += lengths.to_pylist()
            column = column.flatten()
        else:
            values: NDArray[Any] = column.to_numpy(zero_copy_only=False)
            return values.reshape(shape)
    raise DataError(f"{source} has {column.null_count} missing values; every value is needed")


def _channels_last(row: pa.RecordBatch, kind: str, source: str, height: int, width: int) -> NDArray[Any]:
    values = nested_values(row[COLUMNS[kind]], source)[0]
    expected = (*CHANNELS[kind], height, width)
    if values.shape != expected:
        raise DataError(f"{source} has the shape {values.shape}, not {expected}; height and width are settings")
    return np.moveaxis(values, 0, -1) if CHANNELS[kind] else values


def _rows(path: Path) -> Iterator[pa.RecordBatch]:
    """The rows of a shard, one by one."""
    try:
        with pq.ParquetFile(path, pre_buffer=False, buffer_size=READ_BYTES) as file:
            yield from file.iter_batches(1, columns=list(COLUMNS.values()))
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(path, error) from error


def _metadata(path: Path) -> pq.FileMetaData:
    try:
        with pq.ParquetFile(path, pre_buffer=False) as file:
            names, metadata = file.schema_arrow.names, file.metadata
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(path, error) from error
    if absent := [name for name in COLUMNS.values() if name not in names]:
        raise DataError(f"{path}: column {absent[0]} is missing; it has {', '.join(names)}")
    return metadata


def _unreadable(path: Path, error: Exception) -> DataError:
    why = str(error).splitlines()[0]
    return DataError(f"{path}: not a whole Parquet file ({why}); delete it and fetch it again")


def _says_synthetic(metadata: pq.FileMetaData) -> bool:
    return b"synthetic" in (metadata.metadata or {})


def _is_list(kind: pa.DataType) -> bool:
    return isinstance(kind, pa.ListType | pa.LargeListType | pa.FixedSizeListType)
