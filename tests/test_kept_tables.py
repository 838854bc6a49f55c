"""The tables that runs keep, and collected numbers: what is damaged, and what is another run's, is refused."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from mtbalance.records import RecordError
from mtbalance.records.table import read_table, write_table
from mtbalance.reporting.collected import read_collected, write_collected

NUMBERS = np.random.default_rng(0).random(500)
TABLE = pa.table({"row": np.arange(500), "click": NUMBERS, "predicted_click": NUMBERS[::-1].copy()})


def found(path: Path, read: Callable[[], object], same: Callable[[object], bool]) -> int:
    """How many single changed bits, anywhere in a file, are refused; all others must change nothing."""
    content, draws, refused = path.read_bytes(), random.Random(0), 0
    for _ in range(200):
        changed = bytearray(content)
        changed[draws.randrange(len(content))] ^= 1 << draws.randrange(8)
        path.write_bytes(changed)
        try:
            assert same(read())
        except RecordError as error:
            refused += 1
            assert str(error).startswith(str(path)) and "\n" not in str(error)
    return refused


def test_a_changed_bit_of_a_kept_table_changes_no_number(tmp_path: Path):
    path = tmp_path / "kept.parquet"
    write_table(path, TABLE, "0123")
    assert read_table(path, "0123", ["click"]).equals(TABLE)
    assert found(path, lambda: read_table(path, "0123"), lambda table: table.equals(TABLE)) > 50


def test_a_changed_bit_of_collected_numbers_changes_no_number(tmp_path: Path):
    path, frame = tmp_path / "collected.parquet", TABLE.to_pandas().assign(method="pub")
    write_collected(path, frame)
    pd.testing.assert_frame_equal(read_collected(path), frame)
    assert found(path, lambda: read_collected(path), lambda read: read.equals(frame)) > 50


def test_the_table_of_another_run_is_refused_and_an_older_one_is_read(tmp_path: Path):
    write_table(tmp_path / "kept.parquet", TABLE, "0123")
    with pytest.raises(RecordError, match=r"kept\.parquet is of another run, with the digest 0123 in place of 4567"):
        read_table(tmp_path / "kept.parquet", "4567")
    with pytest.raises(RecordError, match=r"kept\.parquet has no column 'buy'"):
        read_table(tmp_path / "kept.parquet", "0123", ["click", "buy"])
    TABLE.to_pandas().to_parquet(tmp_path / "older.parquet")
    assert read_table(tmp_path / "older.parquet", "4567").num_rows == 500
    with pytest.raises(RecordError, match=r"none\.parquet is missing"):
        read_collected(tmp_path / "none.parquet")
