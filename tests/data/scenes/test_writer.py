import pyarrow.parquet as pq
import pytest
from full_disk import said_on_a_full_disk
from scene_data import HEIGHT, SMALL, WIDTH, config


@pytest.mark.parametrize("room", [0, 1000, 100_000])
@pytest.mark.parametrize("finished", [True, False])
def test_a_full_disk_is_an_error_and_leaves_what_was_there(raw, tmp_path, room, finished):
    output = tmp_path / "new" / "out"
    if finished:
        config(raw).prepare("full", output)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    said = said_on_a_full_disk("prepare", config(raw), output, room)
    assert f"{output}: cannot write" in said and "free disk space" in said
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    assert not list(output.parent.glob(".out*"))


@pytest.mark.parametrize("room", [0, 100_000])
def test_scenes_are_generated_whole_or_not_at_all(tmp_path, room):
    output = tmp_path / "raw" / "out"
    assert f"{output}: cannot write" in said_on_a_full_disk("generate", SMALL, output, room)
    assert not list(output.parent.iterdir())


def test_a_row_group_is_one_image_of_fixed_shape_tensors(prepared):
    file = pq.ParquetFile(prepared / "train.parquet")
    assert file.num_row_groups == file.metadata.num_rows == SMALL.train_scenes
    expected = {
        "image": ("float", [HEIGHT, WIDTH, 3]),
        "label": ("int8", [HEIGHT, WIDTH]),
        "depth": ("float", [HEIGHT, WIDTH]),
        "normal": ("float", [HEIGHT, WIDTH, 3]),
    }
    found = {field.name: (str(field.type.value_type), field.type.shape) for field in file.schema_arrow}
    assert found == expected
