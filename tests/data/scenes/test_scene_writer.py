import subprocess
import sys

import pyarrow.parquet as pq
import pytest
from scene_data import HEIGHT, SMALL, WIDTH, config

from mtbalance.data import prepare

DISK_FULL = """
import resource, sys
from pathlib import Path
from pydantic import TypeAdapter
from mtbalance.config import Dataset
from mtbalance.data import DataError, generate, prepare
make, config = {"prepare": prepare, "generate": generate}[sys.argv[1]], TypeAdapter(Dataset).validate_json(sys.argv[2])
output, room = Path(sys.argv[3]), int(sys.argv[4])
resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))  # Python ignores SIGXFSZ: writes fail as on a full disk
try:
    make("full", config, output)
except DataError as error:
    print(error)
"""


def said_on_a_full_disk(make: str, config, output, room: int) -> str:
    command = [sys.executable, "-c", DISK_FULL, make, config.model_dump_json(), str(output), str(room)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("room", [0, 1000, 100_000])
@pytest.mark.parametrize("finished", [True, False])
def test_a_full_disk_is_an_error_and_leaves_what_was_there(raw, tmp_path, room, finished):
    output = tmp_path / "new" / "out"
    if finished:
        prepare("full", config(raw), output)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    said = said_on_a_full_disk("prepare", config(raw), output, room)
    assert f"{output}: cannot write" in said and "make room" in said
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
