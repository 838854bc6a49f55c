"""The papers' data from their hosts, played on 127.0.0.1, to the tables, without a hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from drive_server import Drive
from hub_server import Hub
from processed_zips import write_zip
from shards import rooms, write_shards

from workflow_tree import Tree

REVISION = "b367b8b53c4dcefbcb4d9310b74976a63cc7f306"
FOLDER = "1F0TqvMJvv-2pIeOKUw9deEtUxyYqXK6Y"
TRAINING = {"epochs": 1, "optimizer": {"lr": 0.001}, "device": "cpu"}
EXPERIMENTS = {
    "rooms": {
        "title": "NYUv2",
        "datasets": ["nyuv2"],
        "grid": {"mtan": ["ls"]},
        "seeds": [0],
        "model": {"problem": "scenes", "width": 2},
        "training": TRAINING | {"batch_size": 2},
        "timing": {"blocks": 1, "steps": 1},
        "figures": [],
    },
    "nl": {
        "title": "AliExpress NL",
        "datasets": ["aliexpress_nl"],
        "grid": {"shared_bottom": ["ls"]},
        "seeds": [0],
        "model": {"embedding": 4, "expert": [8], "tower": [8]},
        "training": TRAINING | {"batch_size": 256},
        "timing": {"blocks": 1, "steps": 1},
        "figures": [],
    },
}


@pytest.mark.long
def test_data_come_from_their_hosts_and_a_cut_costs_nothing(tree: Tree, tmp_path: Path):
    write_shards(tmp_path / "hub", rooms(32, 32, 3), {"train": 5, "test": 3}, {"train": 2, "test": 1})
    shards = {f"data/{path.name}": path.stat().st_size for path in (tmp_path / "hub/data").iterdir()}
    write_zip(tmp_path / "drive/AliExpress_NL.zip", (3000, 2000), click_rate=0.3, conversion_rate=0.1)
    tree.set("backbones.mtan", {"kind": "mtan"})
    tree.set("datasets.nyuv2.shards", {"source": f"hf:tanganke/nyuv2@{REVISION}", "train": 2, "test": 1})
    tree.set("datasets.nyuv2.train_images", 5)
    tree.set("datasets.nyuv2.test_images", 3)
    nl = {"adapter": "aliexpress", "country": "NL", "processed": f"gdrive:{FOLDER}"}
    tree.set("datasets.aliexpress_nl", nl)
    for name, experiment in EXPERIMENTS.items():
        tree.set(f"experiments.{name}", experiment)
    tree.set("presets.papers", list(EXPERIMENTS))
    google = Drive(tmp_path / "drive", FOLDER, tmp_path)
    google.faults["AliExpress_NL.zip"] = "cut"
    with Hub(tmp_path / "hub", "tanganke/nyuv2", REVISION) as hub, google:
        command = ["snakemake", "--cores", "2", "--nocolor", "--config", "preset=papers"]
        tree.call(*command, **hub.environment | google.environment)
    assert not google.faults
    for experiment, dataset in (("rooms", "nyuv2"), ("nl", "aliexpress_nl")):
        assert json.loads(tree.read(f"data/processed/{dataset}/schema.json"))["synthetic"]
        assert list((tree.root / f"results/tables/{experiment}").glob("*.md"))
    locked = json.loads(tree.read("data/sources.lock.json"))
    assert {Path(path).name for path in locked} == {*(Path(path).name for path in shards), "AliExpress_NL.zip"}
    assert "Nothing to be done" in tree.snakemake("--config", "preset=papers")
    name = next(iter(shards))
    tree.set("datasets.nyuv2.shards.published", {name: {"bytes": shards[name]}})
    assert {job.split()[0] for job in tree.due("data", "--config", "preset=papers")} == {"download", "prepare_scenes"}
    tree.snakemake("data", "--config", "preset=papers")  # no host is there any more, and none is asked


def test_without_a_network_every_route_is_told(tree: Tree):
    tree.set("datasets.nyuv2.shards", {"source": f"hf:tanganke/nyuv2@{REVISION}", "train": 1, "test": 1})
    target = "data/processed/nyuv2/schema.json"
    said = tree.call("snakemake", "--cores", "2", "--nocolor", target, expect=1, HF_ENDPOINT="http://127.0.0.1:9")
    assert "train-00000-of-00001.parquet could not be fetched" in said
    for route in (
        "data/train-00000-of-00001.parquet: no connection",
        "or a zip of both as",
        "or place the official pieces",
    ):
        assert route in said
