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
