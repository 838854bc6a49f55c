import pyarrow.parquet as pq
import pytest
from full_disk import said_on_a_full_disk
from sample_data import SMALL, processed

from mtbalance.data import DataError
from mtbalance.data.ranking import row_groups
from mtbalance.data.ranking.schema import RankingSchema


@pytest.mark.parametrize("room", [0, 1000, 100_000])
@pytest.mark.parametrize("finished", [True, False])
def test_a_full_disk_is_an_error_and_leaves_what_was_there(raw, tmp_path, room, finished):
    output = tmp_path / "new" / "out"
    if finished:
        processed(raw).prepare("full", output)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    said = said_on_a_full_disk("prepare", processed(raw), output, room)
    assert f"{output}: cannot write" in said
    assert "free disk space" in said
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    assert not list(output.parent.glob(".out*"))


def test_what_a_killed_preparation_left_is_cleared_away(raw, tmp_path):
    left = tmp_path / ".out.partial"
    left.mkdir()
    (left / "train.parquet").write_text("half")
    processed(raw).prepare("again", tmp_path / "out")
    assert not left.exists()
    assert pq.read_metadata(tmp_path / "out" / "train.parquet").num_rows


def test_groups_are_counted_over_all_blocks(raw, tmp_path, monkeypatch):
    monkeypatch.setattr(row_groups, "ROW_GROUP", 700)
    processed(raw).prepare("groups", tmp_path / "out")
    for name, facts in RankingSchema.read(tmp_path / "out").splits.items():
        column = pq.read_table(tmp_path / "out" / f"{name}.parquet")["search_id"]
        assert facts.groups == len(set(column.to_pylist())) > 100


def test_row_groups_have_one_size_whatever_the_blocks(raw, tmp_path, monkeypatch):
    from mtbalance.data.ranking import csv_blocks

    monkeypatch.setattr(row_groups, "ROW_GROUP", 700)
    monkeypatch.setattr(csv_blocks, "BLOCK_BYTES", 100_000)
    processed(raw).prepare("groups", tmp_path / "out")
    metadata = pq.read_metadata(tmp_path / "out" / "train.parquet")
    sizes = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
    assert sizes == [700, 700, 700, 700, 200]


def test_numbers_and_all_else_are_encoded_as_measured_best(prepared):
    metadata = pq.read_metadata(prepared / "train.parquet")
    assert metadata.metadata is None or b"pandas" not in metadata.metadata
    for position in range(metadata.num_columns):
        column = metadata.row_group(0).column(position)
        number = column.path_in_schema.startswith("numerical")
        assert column.compression == ("UNCOMPRESSED" if number else "LZ4")
        assert "RLE_DICTIONARY" not in column.encodings
        assert metadata.schema.column(position).max_definition_level == 0  # no value is missing


def test_the_schema_is_read_back_as_written(raw, prepared, tmp_path):
    schema = processed(raw).prepare("again", tmp_path / "out")
    assert RankingSchema.read(tmp_path / "out") == schema
    assert schema.model_copy(update={"dataset": "small"}) == RankingSchema.read(prepared)
    assert schema.splits["train"].rows == SMALL.train_rows
    assert schema.table_sizes == [len(column.vocabulary) + 1 for column in schema.categorical]


def test_an_unprepared_folder_and_a_foreign_schema_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"schema.json is missing"):
        RankingSchema.read(tmp_path)
    (tmp_path / "schema.json").write_text('{"dataset": 1}')
    with pytest.raises(DataError, match=r"schema.json is not a schema"):
        RankingSchema.read(tmp_path)
