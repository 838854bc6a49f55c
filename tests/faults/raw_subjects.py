"""Raw files of every form, each with the command that prepares it."""

from __future__ import annotations

import gzip
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import scene_data
from original_zips import original_files
from original_zips import pack as pack_original
from shards import rooms, write_shards
from subjects import Subject, checksums

from mtbalance.data.adapters.synthetic import Synthetic
from mtbalance.data.adapters.synthetic_scenes import SyntheticScenes
from mtbalance.data.files.checksums import sha256_of
from mtbalance.places import SOURCES_LOCK
from mtbalance.writing import write_json

ROWS: dict[str, Any] = {"train_rows": 500, "test_rows": 400, "click_rate": 0.3, "conversion_rate": 0.1}
ROOMS = {"train_scenes": 3, "test_scenes": 2, "height": 32, "width": 32}
TABLE: dict[str, Any] = {
    "adapter": "table",
    "categorical": ["color"],
    "numerical": ["size"],
    "missing": ["", "?"],
    "tasks": {"buy": {"column": "bought", "positive": ["yes"]}, "paid": {"column": "price", "kind": "regression"}},
    "split": {"train": 0.6, "valid": 0.2, "test": 0.2},
}
SCENES = {"adapter": "nyuv2", "folder": "raw", "height": 32, "width": 64, "train_images": 3, "test_images": 2}


def processed_csv(folder: Path) -> dict[str, Any]:
    Synthetic(adapter="synthetic", **ROWS).generate(folder / "raw")
    return _aliexpress(train_csv="raw/train.csv", test_csv="raw/test.csv")


def processed_zip(folder: Path) -> dict[str, Any]:
    processed_csv(folder)
    with zipfile.ZipFile(folder / "raw/AliExpress_NL.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for side in ("train", "test"):
            archive.write(folder / f"raw/{side}.csv", f"AliExpress_NL/{side}.csv")
    return _aliexpress(processed_zip="raw/AliExpress_NL.zip")


def original_zip(folder: Path) -> dict[str, Any]:
    processed_csv(folder)
    pack_original(folder / "raw/nl.zip", original_files(folder / "raw"))
    return _aliexpress(archive="raw/nl.zip")


def generated(folder: Path) -> dict[str, Any]:
    Synthetic(adapter="synthetic", **ROWS).generate(folder / "data/raw/synthetic_set")
    return {"adapter": "synthetic", **ROWS}


def table_csv(folder: Path) -> dict[str, Any]:
    _table(folder).write_csv(folder / "raw/table.csv")
    return TABLE | {"files": {"all": {"path": "raw/table.csv"}}}


def table_gz(folder: Path) -> dict[str, Any]:
    (folder / "raw/table.csv.gz").write_bytes(gzip.compress(_table(folder).write_csv().encode(), mtime=0))
    return TABLE | {"files": {"all": {"path": "raw/table.csv.gz"}}}


def table_zip(folder: Path) -> dict[str, Any]:
    with zipfile.ZipFile(folder / "raw/table.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("table.csv", _table(folder).write_csv())
    return TABLE | {"files": {"all": {"path": "raw/table.zip"}}}


def table_parquet(folder: Path) -> dict[str, Any]:
    _table(folder).write_parquet(folder / "raw/table.parquet")
    return TABLE | {"files": {"all": {"path": "raw/table.parquet"}}}


def numpy_files(folder: Path) -> dict[str, Any]:
    scene_data.write_sides(folder / "raw", train=3, val=2)
    return SCENES


def numpy_zip(folder: Path) -> dict[str, Any]:
    scene_data.write_sides(folder / "loose", train=3, val=2)
    with zipfile.ZipFile(folder / "raw/nyuv2.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted((folder / "loose").rglob("*.npy")):
            archive.write(path, path.relative_to(folder / "loose"))
            path.unlink()
    return SCENES


def pictures(folder: Path) -> dict[str, Any]:
    scene_data.write_pieces(folder / "raw")
    return SCENES | {"train_images": 2, "test_images": 1, "depth_unit": 1000.0}


def shards(folder: Path) -> dict[str, Any]:
    images = {"train": 3, "test": 2}
    write_shards(folder / "raw", rooms(32, 64, 3), images, {"train": 2, "test": 1})
    return SCENES | {"shards": {"source": "https://example.org/nyuv2", "train": 2, "test": 1}}


def generated_scenes(folder: Path) -> dict[str, Any]:
    SyntheticScenes(adapter="synthetic_scenes", **ROOMS).generate(folder / "data/raw/synthetic_set")
    return {"adapter": "synthetic_scenes", **ROOMS}


FORMS: dict[str, tuple[Callable[[Path], dict[str, Any]], bool]] = {
    "AliExpress, processed CSV": (processed_csv, True),
    "AliExpress, processed zip": (processed_zip, False),
    "AliExpress, original zip": (original_zip, False),
    "stand-in rows": (generated, True),
    "table, CSV": (table_csv, True),
    "table, gzip": (table_gz, False),
    "table, zip": (table_zip, False),
    "table, Parquet": (table_parquet, False),
    "NYUv2, npy files": (numpy_files, False),
    "NYUv2, zip": (numpy_zip, False),
    "NYUv2, PNG and mat": (pictures, False),
    "NYUv2, Parquet shards": (shards, False),
    "stand-in scenes": (generated_scenes, False),
}
"""What makes each form of raw files in a folder and says its block in params.yaml; and whether it is text."""


def raw_subject(name: str, folder: Path) -> Subject:
    """The form of that name in a folder, and how it is prepared."""
    make, text = FORMS[name]
    (folder / "raw").mkdir(parents=True)
    block = make(folder)
    said = json.dumps(block)
    dataset = "synthetic_set" if "synthetic" in block["adapter"] else "set"
    paths = (str(path.relative_to(folder)) for path in sorted(folder.rglob("*")) if path.is_file())
    files = [path for path in paths if path in said or "folder" in block or path.startswith("data/")]
    return Subject(
        folder,
        files,
        ("prepare", dataset, "--config", said, "--output", "out"),
        lambda project: checksums(project / "out"),
        ("out/schema.json",),
        text,
        placed=dataset == "set",
        known_by=None if make in (numpy_files, pictures) else _remember,
    )


def _remember(project: Path) -> None:
    """Write the raw files into the lock, as fetching does."""
    entries = {}
    for path in sorted(project.glob("raw/**/*")):
        if path.is_file():
            facts = {"bytes": path.stat().st_size, "sha256": sha256_of(path)}
            name = str(path.relative_to(project))
            entries[name] = {"address": "https://example.org/file", "date": "2026-11-29", **facts}
    write_json(project / SOURCES_LOCK, entries)


def _aliexpress(**files: str) -> dict[str, Any]:
    absent = dict.fromkeys(("train_csv", "test_csv", "archive", "processed_zip"), "raw/absent")
    return {"adapter": "aliexpress", "country": "NL"} | {key: {"path": path} for key, path in (absent | files).items()}


def _table(folder: Path) -> pl.DataFrame:
    (folder / "raw").mkdir(parents=True, exist_ok=True)
    colors = ["red", "green", "?", "", "deep blue"]
    rows = range(300)
    return pl.DataFrame(
        {
            "color": [colors[n % 5] for n in rows],
            "size": ["?" if n % 7 == 0 else f"{n / 8}" for n in rows],
            "bought": ["yes" if n % 3 else "no" for n in rows],
            "price": [f"{n % 11}.5" for n in rows],
        }
    )
