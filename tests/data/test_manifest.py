"""A damaged schema.json is refused, or says what it said."""

import random
import shutil

import pytest

from mtbalance.config.datasets import ADAPTERS, Dataset
from mtbalance.data import DataError
from mtbalance.data.manifest import refuse_damaged
from mtbalance.data.ranking.schema import RankingSchema
from mtbalance.places import SCHEMA
from mtbalance.registry import entry


@pytest.fixture(scope="module")
def schema(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    block = {"adapter": "synthetic", "train_rows": 500, "test_rows": 500, "click_rate": 0.3, "conversion_rate": 0.1}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        config = entry(ADAPTERS, "synthetic", Dataset).model_validate(block)
        config.generate(folder / "data/raw/synthetic_tiny")
        return config.prepare("synthetic_tiny", folder / "prepared")


def test_one_changed_byte_is_found_wherever_it_is(schema, tmp_path):
    content = schema.text().encode()
    draws = random.Random(0)
    for _ in range(200):
        changed = bytearray(content)
        changed[draws.randrange(len(content))] = draws.randrange(256)
        (tmp_path / SCHEMA).write_bytes(changed)
        try:
            assert RankingSchema.read(tmp_path) == schema
        except DataError as error:
            assert str(error).startswith(str(tmp_path / SCHEMA)) and len(str(error)) < 2000


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"null", b"\xff", b"{}", b"[" * 100_000, b'{"checksum": []}', b'{"rows": 1e999}', b"{" * 50 + b"}"],
)
def test_what_is_no_schema_is_refused_in_one_line(tmp_path, content):
    (tmp_path / SCHEMA).write_bytes(content)
    with pytest.raises(DataError, match=r"schema.json is not a schema of this version") as refused:
        RankingSchema.read(tmp_path)
    assert "\n" not in str(refused.value) and len(str(refused.value)) < 1000


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("std", -1.0),
        ("mean", float("nan")),
        ("vocabulary", [2, 1]),
        ("rows", -1),
        ("sha256", "x"),
        ("rates", {"click": 2}),
    ],
)
def test_values_out_of_range_are_refused_even_with_a_right_checksum(schema, tmp_path, field, value):
    """As a file of another version may have them."""
    splits = {name: part.model_copy(update={field: value}) for name, part in schema.splits.items()}
    columns = {
        kind: [column.model_copy(update={field: value}) for column in getattr(schema, kind)]
        for kind in ("categorical", "numerical")
    }
    changed = {"rows": {"splits": splits}, "sha256": {"splits": splits}, "rates": {"splits": splits}}
    changed |= {"vocabulary": {"categorical": columns["categorical"]}}
    schema.model_copy(update=changed.get(field, {"numerical": columns["numerical"]})).save(tmp_path)
    with pytest.raises(DataError, match=rf"schema.json is not a schema of this version: .*{field}"):
        RankingSchema.read(tmp_path)


def test_a_damaged_or_missing_file_of_a_prepared_data_set_is_refused(prepared, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(prepared, folder)
    refuse_damaged(folder)
    for name, message in (("valid.parquet", "valid.parquet"), (SCHEMA, "not as it was written|cannot be read")):
        content = (folder / name).read_bytes()
        middle = len(content) // 2
        (folder / name).write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
        with pytest.raises(DataError, match=message):
            refuse_damaged(folder)
        (folder / name).write_bytes(content)
    refuse_damaged(folder)
    (folder / SCHEMA).unlink()
    with pytest.raises(DataError, match="cannot be read"):
        refuse_damaged(folder)
