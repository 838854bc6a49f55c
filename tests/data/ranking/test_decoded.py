"""Decoded rows in a file: made once, shared, made anew when they must be, and never in the way."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from sample_data import processed

from mtbalance.config.kinds import kind
from mtbalance.data.ranking import decoded, row_groups
from mtbalance.data.ranking.batches import RankingRows
from mtbalance.data.ranking.schema import RankingSchema


@pytest.fixture
def expected(prepared):
    """The shuffled rows, decoded into memory."""
    return rows_of(prepared)


@pytest.fixture
def folder(raw, expected, tmp_path, monkeypatch):
    """Prepared rows in row groups of 300, decoded into a file."""
    monkeypatch.setattr(row_groups, "ROW_GROUP", 300)
    monkeypatch.setattr(decoded, "ROWS_IN_MEMORY", 500)
    monkeypatch.setattr(decoded, "GROUPS_AT_ONCE", 3)
    processed(raw).prepare("small", tmp_path / "out")
    return tmp_path / "out"


@pytest.fixture
def decodings(monkeypatch):
    """The row groups that were decoded."""
    found, real = [], decoded.decode

    def counted(path, groups, schema):
        found.extend(groups.tolist())
        return real(path, groups, schema)

    monkeypatch.setattr(decoded, "decode", counted)
    return found


def rows_of(folder) -> list[torch.Tensor]:
    batches = list(RankingRows(folder, "train").batches(64, np.random.default_rng(1)))
    return [torch.cat(parts) for parts in zip(*[(*batch.inputs, *batch.targets) for batch in batches], strict=True)]


def alike(one, other) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_the_file_is_made_once_and_has_the_rows_of_memory(folder, expected, decodings):
    first, second = rows_of(folder), rows_of(folder)
    assert decodings == list(range(10)) and (folder / ".train.decoded").exists()
    assert alike(first, expected) and alike(second, expected)


def test_the_plan_counts_files_that_are_still_to_come(folder):
    to_come = kind("ranking").shared_bytes(folder)
    rows_of(folder)
    made = [path for path in folder.iterdir() if path.name.endswith(".decoded")]
    left = kind("ranking").shared_bytes(folder)
    assert [path.name for path in made] == [".train.decoded"]
    assert to_come - left == made[0].stat().st_size > 0


def test_runs_that_begin_together_wait_for_one_of_them(folder, decodings):
    with ThreadPoolExecutor(4) as pool:
        first, *others = pool.map(rows_of, [folder] * 4)
    assert decodings == list(range(10))
    assert all(alike(first, other) for other in others)


@pytest.mark.parametrize("fault", ["changed", "cut", "no mark", "broken mark", "other layout"])
def test_a_file_that_was_touched_is_made_anew(folder, decodings, monkeypatch, fault):
    before, file, mark = rows_of(folder), folder / ".train.decoded", folder / ".train.decoded.json"
    if fault == "changed":
        content = bytearray(file.read_bytes())
        content[1000] ^= 255
        file.write_bytes(content)
    elif fault == "cut":
        file.write_bytes(file.read_bytes()[:5000])
    elif fault == "no mark":
        mark.unlink()
    elif fault == "broken mark":
        mark.write_text("{")
    else:
        monkeypatch.setattr(decoded, "LAYOUT", 0)
    assert alike(before, rows_of(folder))
    assert decodings == [*range(10), *range(10)]


def test_another_schema_has_another_file(folder, decodings):
    before = rows_of(folder)
    schema = RankingSchema.read(folder)
    schema.model_copy(update={"normalize": "standard"}).save(folder)
    assert not alike(before, rows_of(folder))
    assert len(decodings) == 20


def test_without_room_rows_are_in_memory_and_that_is_said(folder, expected, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(decoded, "write_json", full)
    with pytest.warns(UserWarning, match=r"train.parquet's decoded rows cannot be written there .*No space left"):
        found = rows_of(folder)
    assert alike(found, expected)
