"""One scene: an image and its three maps, in memory and as a row of a Parquet file."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

KINDS = ("image", "label", "depth", "normal")


class Scene(NamedTuple):
    """An image of height H and width W, with the class, depth and normal of each pixel."""

    image: NDArray[np.float32]
    """[H, W, 3] from 0 to 1."""
    label: NDArray[np.int8]
    """[H, W], a class from 0 to 12; -1: none."""
    depth: NDArray[np.float32]
    """[H, W] meters along the optical axis; 0: none."""
    normal: NDArray[np.float32]
    """[H, W, 3] unit vectors with the horizontal component first; the zero vector: none."""

    def to_table(self) -> pa.Table:
        """The scene as a row of fixed-shape tensors; values are stored exactly."""
        schema = arrow_schema(*self.label.shape)
        columns = []
        arrays: Iterable[NDArray[Any]] = self
        for values, field in zip(arrays, schema, strict=True):
            storage = pa.FixedSizeListArray.from_arrays(pa.array(values.reshape(-1)), values.size)
            columns.append(pa.ExtensionArray.from_storage(field.type, storage))
        return pa.Table.from_arrays(columns, schema=schema)

    @classmethod
    def from_table(cls, table: pa.Table) -> Scene:
        """The scene of a row. Its arrays are the table's memory and must not be written to."""
        return cls(*(table[kind].chunk(0).to_numpy_ndarray()[0] for kind in KINDS))


def arrow_schema(height: int, width: int) -> pa.Schema:
    """Columns of a scene file: the tensors of a :class:`Scene`."""
    types = {"image": pa.float32(), "label": pa.int8(), "depth": pa.float32(), "normal": pa.float32()}
    shapes = {"image": [height, width, 3], "normal": [height, width, 3]}
    return pa.schema(
        [
            pa.field(kind, pa.fixed_shape_tensor(types[kind], shapes.get(kind, [height, width])), nullable=False)
            for kind in KINDS
        ]
    )
