"""A full disk leaves nothing in part, is told in one line, and the command does its work when there is room."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from full_disks import PAGE, Place, filled, small_disk
from plain_host import PlainHost
from result_subjects import METRICS, MODEL, PARAMETERS, RAW, RECORD, ROWS, SCENES, training

from mtbalance.config.reading import parse
from mtbalance.config.run import canonical

TRAINING, SCENE = training("ranking", ROWS), training("scenes", SCENES)
SHOWN = json.dumps(
    {"preset": "tiny", "baseline": "ls", "experiments": [{"name": "ranking", "title": "Tiny", "tables": []}]}
)
TIMED = f"[{','.join(map(canonical, parse(PARAMETERS).all_timing_runs('ranking')))}]"
PLACES: dict[str, Place] = {
    "raw rows that are generated": Place(("generate", "synthetic_rows", "out"), ["out/*"]),
    "prepared rows, their schema": Place(("prepare", "synthetic_rows", "--output", "out"), ["out/*"]),
    "prepared scenes, their schema": Place(("prepare", "synthetic_scenes", "--output", "out"), ["out/*"]),
    "checkpoint": Place((*TRAINING, "--checkpoint", "new/run.pt"), ["out.json"], needs=False, alike=False),
    "run record": Place(TRAINING, ["out.json"], alike=False),
    "predictions": Place((*TRAINING, "--predictions", "out.parquet"), ["out.parquet"]),
    "numbers of steps": Place((*TRAINING, "--steps", "out.parquet"), ["out.parquet"]),
    "kept model, its schema": Place((*TRAINING, "--model", "out.safetensors"), ["out.s*"]),
    "kept sample": Place((*SCENE, "--sample", "out.npz"), ["out.npz"]),
    "timing record": Place(
        ("time", "out.json", "--config", TIMED, "--data", ROWS, "--blocks=1", "--steps=1"), ["out.json"], alike=False
    ),
    "collected metrics": Place(("collect", "ranking", "out.parquet"), ["out.parquet"]),
    "table": Place(("table", "auc", METRICS, "out"), ["out/*"]),
    "figure": Place(("figure", "auc", METRICS, "out"), ["out/*"], alike=False),
    "page": Place(("report", "out/report.html", "--config", SHOWN), ["out/*"], alike=False),
    "audit of printed tables": Place(("audit", "out.md"), ["out.md"]),
    "means": Place(("summarize", METRICS, "--means", "out1.json", "--output", "out2.json"), ["out?.json"]),
    "exported model": Place(("export", MODEL, "--output", "out"), ["out/*"], alike=False),
    "predictions for a table": Place(("predict", MODEL, f"{RAW}/test.csv", "--output", "out.csv"), ["out.csv"]),
    "archive": Place(("archive", "out.tar.xz"), ["out.tar.xz"], alike=False),
    "tracking database": Place(("track", RECORD), ["mlflow.db"], alike=False),
}
"""What is written, by its name in the table."""


def points(need: int) -> Sequence[int]:
    """Room for nothing, for a page, for half, and for nearly all."""
    return sorted({0, min(PAGE, max(need - 1, 0)), need // 2, max(need - PAGE, 0)})


@pytest.fixture
def disk(tmp_path: Path):
    try:
        with small_disk(tmp_path / "disk") as folder:
            yield folder
    except (FileNotFoundError, subprocess.CalledProcessError):
        pytest.skip("this process may not mount a disk of its own")


@pytest.mark.parametrize("name", ["run record"])
def test_a_few(name: str, project: Path, disk: Path):
    assert filled(PLACES[name], project, disk, lambda need: [0])


@pytest.mark.faults
@pytest.mark.parametrize("name", PLACES)
def test_every_place(name: str, project: Path, disk: Path, told: Callable[..., None]):
    told("filled", name=name, times=len(filled(PLACES[name], project, disk, points)))


@pytest.mark.faults
def test_a_download(tmp_path: Path, disk: Path, told: Callable[..., None]):
    (tmp_path / "empty").mkdir()
    content = bytes(range(256)) * 400
    with PlainHost(content) as host:
        place = Place(("fetch", "data/raw/file.bin", "--url", f"{host.address}/file.bin"), ["data/raw/file.bin"])
        said = filled(place, tmp_path / "empty", disk, points)
    told("filled", name="download", times=len(said))
