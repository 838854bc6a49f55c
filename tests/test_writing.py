"""Files are whole or as they were."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from mtbalance.writing import MACHINE, replacing, write_json, write_text


def test_a_file_is_replaced_when_it_is_complete(tmp_path: Path):
    path = tmp_path / "new/folder/file.txt"
    with replacing(path) as partial:
        partial.write_text("first")
        assert not path.exists() and partial.parent == path.parent
    write_text(path, "second\n")
    assert path.read_text() == "second\n"
    assert [file.name for file in path.parent.iterdir()] == ["file.txt"]


def test_after_an_error_the_file_is_as_it_was(tmp_path: Path):
    path = tmp_path / "file.json"
    write_json(path, {"a": 1})
    with pytest.raises(ValueError, match="JSON"):
        write_json(path, {"a": float("nan")})
    with pytest.raises(RuntimeError), replacing(path) as partial:
        partial.write_text("half")
        raise RuntimeError
    assert json.loads(path.read_text()) == {"a": 1}
    assert [file.name for file in tmp_path.iterdir()] == ["file.json"]


def test_what_a_killed_process_left_is_replaced(tmp_path: Path):
    dead = subprocess.Popen(["true"])
    dead.wait()
    (tmp_path / f".file.txt.{MACHINE}-{dead.pid}.partial").write_text("left")
    write_text(tmp_path / "file.txt", "whole")
    assert [file.name for file in tmp_path.iterdir()] == ["file.txt"]
