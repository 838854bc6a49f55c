"""Parquet shards in the layout of the Hugging Face data set ``tanganke/nyuv2``.

The columns are nested lists, with the metadata that the library ``datasets`` gives its arrays. Shards of rendered
rooms, labeled synthetic, for a test or from the command line:

    python tests/data/scenes/shards.py FOLDER --images 795 654 --shards 8 6 --different 20
"""

import argparse
import json
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mtbalance.data.scenes.preprocessed import SIDES
from mtbalance.data.scenes.scene import Scene

SYNTHETIC = {"synthetic": "true"}
DTYPES = {"image": "float32", "segmentation": "int64", "depth": "float32", "normal": "float32", "noise": "float32"}
Form = Callable[[np.ndarray], pa.Array]


def nested(values: np.ndarray, kind: Callable = pa.ListArray) -> pa.Array:
    """An array [rows, ...] as lists of lists."""
    column = pa.array(values.reshape(-1))
    for size in values.shape[:0:-1]:
        column = kind.from_arrays(pa.array(range(0, len(column) + 1, size), kind_of_offsets(kind)), column)
    return column


def kind_of_offsets(kind: Callable) -> pa.DataType:
    return pa.int64() if kind is pa.LargeListArray else pa.int32()


def fixed_size(values: np.ndarray) -> pa.Array:
    """An array [rows, ...] as lists of lists whose length is in their type."""
    column = pa.array(values.reshape(-1))
    for size in values.shape[:0:-1]:
        column = pa.FixedSizeListArray.from_arrays(column, size)
    return column


FORMS: dict[str, Form] = {
    "nested": nested,
    "large": partial(nested, kind=pa.LargeListArray),
    "fixed": fixed_size,
    "tensors": pa.FixedShapeTensorArray.from_numpy_ndarray,
}


def arrays_of(scene: Scene) -> dict[str, np.ndarray]:
    """The columns of a scene, with channels first."""
    noise = np.zeros((1, *scene.label.shape))
    channels_first = [np.moveaxis(values, -1, 0) for values in (scene.image, scene.depth[..., None], scene.normal)]
    columns = dict(zip(DTYPES, (channels_first[0], scene.label, *channels_first[1:], noise), strict=True))
    return {name: np.ascontiguousarray(values, DTYPES[name]) for name, values in columns.items()}


def table(rows: list[dict[str, np.ndarray]], form: str = "nested", metadata: Mapping[str, str] = SYNTHETIC) -> pa.Table:
    """Rows of columns as a table, with the metadata that ``datasets`` writes."""
    columns, fields = [], []
    for name, dtype in DTYPES.items():
        stacked = np.stack([row[name] for row in rows])
        columns.append(FORMS[form](stacked))
        extension = {
            "ARROW:extension:name": f"datasets.features.features.Array{stacked.ndim - 1}DExtensionType",
            "ARROW:extension:metadata": json.dumps([stacked.shape[1:], dtype]),
        }
        fields.append(pa.field(name, columns[-1].type, metadata=extension if form == "nested" else None))
    return pa.Table.from_arrays(columns, schema=pa.schema(fields, metadata={"huggingface": "{}", **metadata}))


def write_shards(
    folder: Path,
    scene: Callable[[str, int], Scene],
    images: Mapping[str, int],
    shards: Mapping[str, int],
    row_group: int = 2,
    form: str = "nested",
    metadata: Mapping[str, str] = SYNTHETIC,
) -> None:
    """Write ``data/train-00000-of-00002.parquet`` and so on, with the scenes that a split and a number give."""
    (folder / "data").mkdir(parents=True, exist_ok=True)
    for split, side in SIDES.items():
        for index, numbers in enumerate(np.array_split(range(images[split]), shards[split])):
            path = folder / f"data/{side}-{index:05}-of-{shards[split]:05}.parquet"
            schema = table([arrays_of(scene(split, 0))], form, metadata).schema
            with pq.ParquetWriter(path, schema, compression="snappy") as writer:
                for start in range(0, len(numbers), row_group):
                    rows = [arrays_of(scene(split, number)) for number in numbers[start : start + row_group]]
                    writer.write_table(table(rows, form, metadata))


def rooms(height: int, width: int, different: int) -> Callable[[str, int], Scene]:
    """Rendered rooms, of which so many are different in each split."""
    from mtbalance.data.stand_in.scenes import draw_scene

    draw = cache(partial(draw_scene, height=height, width=width, seed=0))
    return lambda split, number: draw(split, int(number) % different)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--images", type=int, nargs=2, default=[795, 654], help="of train and of test")
    parser.add_argument("--shards", type=int, nargs=2, default=[8, 6])
    parser.add_argument("--size", type=int, nargs=2, default=[288, 384], help="height and width")
    parser.add_argument("--different", type=int, default=20, help="rooms that are rendered; the others repeat them")
    parser.add_argument("--row-group", type=int, default=100, help="rows; the real shards may have them all in one")
    given = parser.parse_args()
    images, shards = (dict(zip(SIDES, pair, strict=True)) for pair in (given.images, given.shards))
    write_shards(given.folder, rooms(*given.size, given.different), images, shards, given.row_group)


if __name__ == "__main__":
    main()
