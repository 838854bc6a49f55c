"""`mtbalance train` and others find out first whether their results can be written."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mtbalance.cli import app
from mtbalance.config.run import canonical
from mtbalance.errors import UserError
from tiny_problems import configure


@pytest.mark.parametrize("place", ["file/record.json", "folder"])
@pytest.mark.parametrize(
    "command",
    [
        ["train", "--config", canonical(configure("ranking")), "--data", "nowhere", "--no-track", "--output"],
        ["train", "--config", canonical(configure("ranking")), "--output", "good.json", "--no-track", "--steps"],
        ["references", "synthetic_rows", "--data", "nowhere"],
        ["time", "--config", f"[{canonical(configure('ranking'))}]", "--data", "nowhere"],
    ],
    ids=["train", "steps", "references", "time"],
)
def test_a_place_that_cannot_be_written_is_refused_before_data_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str], place: str
):
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    Path("folder").mkdir()
    with pytest.raises(UserError, match=rf"^{re.escape(place)} cannot be written: ") as caught:
        CliRunner().invoke(app, [*command, place], catch_exceptions=False)
    assert "\n" not in str(caught.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


@pytest.mark.parametrize(
    "command",
    [["schema", "folder"], ["archive", "folder"], ["archive", "."], ["archive", "file/evidence.tar.xz"]],
    ids=" ".join,
)
def test_a_command_for_people_says_in_a_line_where_it_cannot_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
):
    params = str(Path(__file__).parents[2] / "params.yaml")
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    Path("folder").mkdir()
    options = ["--params", params] if command[0] == "archive" else []
    with pytest.raises(UserError, match=rf"^{re.escape(command[1])} cannot be written: ") as caught:
        CliRunner().invoke(app, [*command, *options], catch_exceptions=False)
    assert "\n" not in str(caught.value)


def test_nothing_is_not_verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    params = str(Path(__file__).parents[2] / "params.yaml")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="nothing is here of the preset demo: run the workflow first"):
        CliRunner().invoke(app, ["verify", "--params", params], catch_exceptions=False)


@pytest.mark.parametrize(("file", "advised"), [("notes.md", False), ("results/runs/demo/seed-0.json", True)])
def test_only_a_record_of_the_workflow_is_to_be_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, advised: bool
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    Path(file).parent.mkdir(parents=True, exist_ok=True)
    Path(file).write_text("# Notes\n")
    with pytest.raises(UserError, match=f"^{file} is not JSON") as caught:
        CliRunner().invoke(app, ["track", file], catch_exceptions=False)
    assert ("delete the file" in str(caught.value)) == advised
