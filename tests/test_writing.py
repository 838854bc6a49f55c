"""Files are whole or as they were."""

from __future__ import annotations

import errno
import json
import subprocess
from pathlib import Path

import pytest

from mtbalance import cli
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


def test_a_full_disk_is_told_in_one_line_that_names_the_file(tmp_path: Path, monkeypatch, capsys):
    with pytest.raises(OSError, match="No space left") as caught, replacing(tmp_path / "file.txt"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert caught.value.filename == str(tmp_path / "file.txt") and not list(tmp_path.iterdir())

    def full() -> None:
        raise caught.value

    monkeypatch.setattr(cli, "app", full)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    said = "cannot be written: No space left on device; free disk space, then run this again"
    assert capsys.readouterr().err == f"mtbalance: {tmp_path / 'file.txt'} {said}\n"
