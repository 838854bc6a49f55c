"""`mtbalance verify` names exactly what was damaged; `mtbalance archive` packs what tables are made of."""

import json
import tarfile

import pytest

from workflow_tree import Tree

RECORD = "results/runs/tiny/synthetic_a/mmoe/pub/seed-1.json"
PREDICTIONS = "results/runs/tiny/synthetic_a/mmoe/pub/seed-1.predictions.parquet"
DATA = "data/processed/synthetic_a/valid.parquet"
TABLE = "results/tables/tiny/auc.md"


def test_a_finished_project_is_as_it_should_be(tree: Tree):
    assert "records" in (said := tree.call("mtbalance", "verify")) and said.rstrip().endswith("all as they should be")


def test_every_damage_is_named_with_its_file(tree: Tree):
    def another_number(content: bytes) -> bytes:
        record = json.loads(content)
        del record["checksum"]
        record["test"]["auc"]["click"] = 0.5
        return json.dumps(record).encode()

    def flipped(content: bytes) -> bytes:
        return content[:-200] + bytes([content[-200] ^ 1]) + content[-199:]

    damages = {RECORD: another_number, DATA: flipped, TABLE: lambda content: content + b" "}
    for file, damage in damages.items():
        path = tree.root / file
        path.write_bytes(damage(path.read_bytes()))
    said = tree.call("mtbalance", "verify", expect=1)
    assert f"{DATA} has SHA-256" in said and f"{TABLE} is not what" in said
    assert f"{PREDICTIONS}: auc of click is" in said and "but 0.5 in the record" in said
    assert "results/metrics/tiny.parquet is not what the records give now" in said
    assert "differences in" in said.splitlines()[-1]


def test_an_archive_is_the_same_twice_and_tables_are_remade_from_it(tree: Tree, tmp_path):
    tree.call("mtbalance", "archive", "one.tar.xz")
    tree.call("mtbalance", "archive", "two.tar.xz")
    assert (tree.root / "one.tar.xz").read_bytes() == (tree.root / "two.tar.xz").read_bytes()
    with tarfile.open(tree.root / "one.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    assert RECORD in json.loads((tmp_path / "contents.json").read_text())["sha256"]
    assert not (tmp_path / PREDICTIONS).exists()
    title = tree.parameters().experiments["tiny"].title
    metrics = str(tmp_path / "results/metrics/tiny.parquet")
    tree.call("mtbalance", "table", "auc", metrics, str(tmp_path), "--title", title)
    assert (tmp_path / "auc.md").read_text() == tree.read(TABLE)


def test_without_a_record_there_is_nothing_to_pack(tmp_path, monkeypatch):
    from mtbalance.config.reading import read_parameters
    from mtbalance.errors import UserError
    from mtbalance.verification.archive import write_archive
    from workflow_tree import PROJECT

    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="has no record of the preset demo: run the workflow first"):
        write_archive(tmp_path / "x.tar.xz", read_parameters(PROJECT / "params.yaml"))
