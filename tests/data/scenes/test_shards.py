"""NYUv2 in Parquet shards."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scene_data import HEIGHT, SMALL, WIDTH, config, place_real, rows, write_splits
from shards import FORMS, arrays_of, table, write_shards

from mtbalance.data import DataError
from mtbalance.data.adapters.nyuv2 import NYUv2
from mtbalance.data.files.checksums import sha256_of
from mtbalance.data.scenes.scene import Scene
from mtbalance.data.scenes.schema import SceneSchema
from mtbalance.data.scenes.shards import Sharded
from mtbalance.data.stand_in.scenes import draw_scene

SHARDS = {"source": "hf:somebody/rooms@main", "train": 2, "test": 1}
IMAGES, COUNTS = {"train": 6, "test": 4}, {"train": 2, "test": 1}


def room(split: str, number: int) -> Scene:
    return draw_scene(split, int(number), HEIGHT, WIDTH, SMALL.seed)


def with_shards(folder: Path, **changes: object) -> NYUv2:
    return config(folder, **({"train": 6, "test": 4, "shards": SHARDS} | changes))


@pytest.fixture
def rooms(tmp_path: Path) -> Path:
    """A folder with the shards of the small rendered rooms, to be spoiled."""
    write_shards(tmp_path / "raw", room, IMAGES, COUNTS)
    return tmp_path / "raw"


def assert_same_but_raw(shards: Path, npy: Path) -> None:
    for split in ("train", "test"):
        assert sha256_of(shards / f"{split}.parquet") == sha256_of(npy / f"{split}.parquet")
    found, expected = (
        SceneSchema.read(folder).model_dump(exclude={"raw", "dataset", "synthetic"}) for folder in (shards, npy)
    )
    assert found == expected


@pytest.mark.parametrize("form", FORMS)
def test_rooms_are_prepared_as_from_npy_files_and_stay_synthetic(prepared_scenes, tmp_path, form):
    write_shards(tmp_path / "raw", room, IMAGES, COUNTS, form=form)
    schema = with_shards(tmp_path / "raw").prepare("rooms", tmp_path / "out")
    assert_same_but_raw(tmp_path / "out", prepared_scenes)
    assert schema.synthetic
    files = sorted((tmp_path / "raw/data").iterdir())
    assert schema.raw == {path.name: sha256_of(path) for path in files}
    assert len(files) == 3 and pq.ParquetFile(files[0]).num_row_groups == 2


def test_real_images_are_prepared_as_from_npy_files(tmp_path):
    write_splits(tmp_path / "pieces", [433], [433, 464])
    for number in (433, 464):
        place_real(tmp_path / "pieces", number)
    size = {"height": 288, "width": 384, "train": 1, "test": 2}
    config(tmp_path / "pieces", **size).prepare("nyuv2", tmp_path / "official")
    scenes = {split: rows(tmp_path / "official", split) for split in ("train", "test")}
    images, shards = {"train": 1, "test": 2}, {"train": 1, "test": 1}
    write_shards(tmp_path / "raw", lambda split, number: scenes[split][number], images, shards, metadata={})
    for split, side in (("train", "train"), ("test", "val")):
        for number, scene in enumerate(scenes[split]):
            for kind, values in scene._asdict().items():
                (tmp_path / "npy" / side / kind).mkdir(parents=True, exist_ok=True)
                np.save(tmp_path / "npy" / side / kind / f"{number}.npy", values)
    config(tmp_path / "npy", **size).prepare("nyuv2", tmp_path / "from_npy")
    schema = with_shards(tmp_path / "raw", **size, shards=SHARDS | {"train": 1}).prepare("nyuv2", tmp_path / "out")
    assert_same_but_raw(tmp_path / "out", tmp_path / "from_npy")
    assert not schema.synthetic


def test_a_row_group_is_never_held_as_a_whole(tmp_path):
    random, scene = np.random.default_rng(0), draw_scene("train", 0, 160, 192, 0)
    images = random.random((48, *scene.image.shape), np.float32)  # no two alike: else dictionaries make them small

    def noisy(split: str, number: int) -> Scene:
        return scene._replace(image=images[number])

    write_shards(tmp_path, noisy, {"train": 48, "test": 1}, {"train": 1, "test": 1}, row_group=48)
    path = tmp_path / "data/train-00000-of-00001.parquet"
    assert pq.ParquetFile(path).num_row_groups == 1
    source = Sharded({"train": [path]}, sums=None)
    before = pa.total_allocated_bytes()
    held = [pa.total_allocated_bytes() - before for _ in source.scenes("train", 160, 192)]
    assert len(held) == 48 and max(held) < images.nbytes  # which is a third of the row group


def spoil(folder: Path, column: str, change) -> Path:
    """Rewrite the second training shard with a changed third row."""
    path = folder / "data/train-00001-of-00002.parquet"
    columns = [arrays_of(room("train", number)) for number in (3, 4, 5)]
    columns[2] = columns[2] | {column: change(columns[2][column].copy())}
    tables = [table([row]) for row in columns]
    with pq.ParquetWriter(path, tables[0].schema) as writer:
        for part in tables:
            writer.write_table(part.cast(tables[0].schema))
    return path


def at(index, value):
    def change(values: np.ndarray) -> np.ndarray:
        values[index] = value
        return values

    return change


BAD = {
    "NaN depth": ("depth", at((0, 5, 7), np.nan), r"nan at \(5, 7\) is not a depth"),
    "a class too high": ("segmentation", at((5, 7), 13), r"13 at \(5, 7\) is not a class"),
    "an image of bytes": ("image", at((1, 5, 7), 200), r"200.0 at \(5, 7, 1\) is not between 0 and 1"),
    "long normals": ("normal", at((slice(None), 5, 7), 2), r"3.46\d* at \(5, 7\) is not the length"),
    "channels last": ("normal", lambda v: np.moveaxis(v, 0, -1), r"the shape \(32, 64, 3\), not \(3, 32, 64\)"),
    "another size": ("depth", lambda v: v[:, 1:], r"the shape \(1, 31, 64\), not \(1, 32, 64\)"),
}


@pytest.mark.parametrize("fault", BAD)
def test_a_bad_value_is_named_with_its_shard_and_row(rooms, tmp_path, fault):
    column, change, says = BAD[fault]
    spoil(rooms, column, change)
    with pytest.raises(DataError, match=rf"train-00001-of-00002.parquet: row 2 \(from 0\), {column}.*{says}"):
        with_shards(rooms).prepare("rooms", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def replace_column(path: Path, column: str, values: pa.Array) -> None:
    content = pq.read_table(path)
    pq.write_table(content.set_column(content.schema.get_field_index(column), column, values), path)


@pytest.mark.parametrize(
    ("column", "row", "says"),
    [
        ("segmentation", [[1, 2], [3]], "row 0 .* lists of different lengths"),
        ("segmentation", [[1, 2], [3, None]], "row 0 .* 1 missing values"),
        ("depth", None, "row 0 .* 1 missing values"),
        ("image", [[["a"] * WIDTH] * HEIGHT] * 3, "row 0 .* holds object and no real numbers"),
    ],
)
def test_what_is_no_array_is_named(rooms, tmp_path, column, row, says):
    path = rooms / "data/val-00000-of-00001.parquet"
    replace_column(path, column, pa.array([row or None] * 4, pa.list_(pa.float32()) if row is None else None))
    with pytest.raises(DataError, match=rf"val-00000-of-00001.parquet: {says}"):
        with_shards(rooms).prepare("rooms", tmp_path / "out")


def test_a_shard_that_is_none_is_named_in_one_line(rooms, tmp_path):
    path = rooms / "data/train-00001-of-00002.parquet"
    content, whole = path.read_bytes(), pq.read_table(path)
    faults = {
        "not a whole Parquet file": [content[:-9], b"<html>please log in</html>", b"PAR1"],
        "is empty": [b""],
        "cannot be|not a whole": [content[:5000] + bytes(2000) + content[7000:]],
    }
    for says, contents in faults.items():
        for spoiled in contents:
            path.write_bytes(spoiled)
            with pytest.raises(DataError, match=rf"train-00001-of-00002.parquet.*({says})") as error:
                with_shards(rooms).prepare("rooms", tmp_path / "out")
            assert "\n" not in str(error.value)
    pq.write_table(whole.drop_columns("normal"), path)
    with pytest.raises(DataError, match=r"train-00001-of-00002.parquet: column normal is missing; it has image, segm"):
        with_shards(rooms).prepare("rooms", tmp_path / "out")
    path.unlink()
    with pytest.raises(DataError, match=r"train-00001-of-00002.parquet is missing; fetch it from hf:somebody/rooms@"):
        with_shards(rooms).prepare("rooms", tmp_path / "out")


def test_a_damaged_shard_is_called_that_even_where_a_row_shows_it_first(rooms, tmp_path):
    path = spoil(rooms, "depth", at((0, 5, 7), np.nan))
    known = {f"data/{path.name}": {"sha256": "0" * 64}}
    with pytest.raises(DataError, match=r"train-00001-of-00002.parquet has SHA-256 \w+, not 0000"):
        with_shards(rooms, shards=SHARDS | {"published": known}).prepare("rooms", tmp_path / "out")


def test_half_a_set_is_refused(rooms, tmp_path):
    with pytest.raises(DataError, match="train has 6 images, not 795: not the whole set"):
        with_shards(rooms, train=795).prepare("rooms", tmp_path / "out")
