"""Data that were prepared by hand: the workflow knows from what they were made."""

from __future__ import annotations

import shutil

import pytest

from workflow_tree import Tree

DATA = "data/processed/synthetic_a/schema.json"
BROKEN = """    if config:
        raise DataError("the file has no such column")
    found = dataset_from("""
"""The first line of the command that prepares, and before it an error of the workflow's own job."""


def test_an_edit_after_preparing_by_hand_is_noticed(tree: Tree):
    shutil.rmtree(tree.root / ".snakemake")
    shutil.rmtree(tree.root / "data/processed")
    said = tree.call("mtbalance", "prepare", "synthetic_a")
    assert said.startswith("synthetic_a train: ") and "Building DAG" not in said
    assert tree.due(DATA) == set()
    assert tree.call("mtbalance", "prepare", "synthetic_a") == said
    tree.set("datasets.synthetic_a.test_rows", 2100)
    assert any(job.startswith("prepare_ranking ") for job in tree.due(DATA))
    assert tree.call("mtbalance", "prepare", "synthetic_a") != said
    assert tree.due(DATA) == set()


def test_what_the_preparation_says_against_it_is_all_that_is_shown(tree: Tree):
    (tree.root / "data/raw/visits.csv").write_text("age,bought\n1,yes\n2,no\n")
    tasks = {"bought": {"column": "bought", "positive": ["yes"]}, "old": {"column": "agee", "above": 1}}
    block = {"adapter": "table", "files": {"all": {"path": "data/raw/visits.csv"}}, "numerical": ["age"]}
    tree.set("datasets.visits", block | {"tasks": tasks, "split": {"train": 0.6, "valid": 0.2, "test": 0.2}})
    said = tree.call("mtbalance", "prepare", "visits", expect=1)
    assert said.startswith("mtbalance: data/raw/visits.csv has no column 'agee'") and len(said.splitlines()) == 1, said


def test_the_old_answer_is_not_given_for_data_that_cannot_be_prepared(tree: Tree):
    """A failed preparation leaves no prepared data, and the records of the data before are still there."""
    tree.set("datasets.synthetic_a.train_rows", 3100)
    tree.edit("src/mtbalance/cli/data.py", lambda text: text.replace("    found = dataset_from(", BROKEN, 1))
    tree.snakemake(expect=1)
    assert not (tree.root / DATA).exists()
    said = tree.call("mtbalance", "snakemake", "--cores", "2", expect=1)
    assert "prepare_ranking failed" in said and "Best mean AUC" not in said


@pytest.mark.parametrize(
    "harm", ["damaged", *(pytest.param(harm, marks=pytest.mark.long) for harm in ("deleted", "schema"))]
)
def test_a_harmed_file_is_made_again_and_no_run_is(tree: Tree, harm: str):
    path = tree.root / (DATA if harm == "schema" else "data/processed/synthetic_a/valid.parquet")
    before = path.read_bytes()
    path.write_bytes(flipped(before))
    if harm == "deleted":
        path.unlink()
    assert "`mtbalance prepare synthetic_a` makes it again" in tree.call("mtbalance", "verify", expect=1)
    assert tree.call("mtbalance", "prepare", "synthetic_a").startswith("synthetic_a train: ")
    assert path.read_bytes() == before and tree.due() == set()


def test_a_damaged_file_costs_no_record(tree: Tree):
    records, path = tree.records(), tree.root / "data/processed/synthetic_a/valid.parquet"
    path.write_bytes(flipped(path.read_bytes()))
    said = tree.call("mtbalance", "snakemake", "--cores", "2", expect=1)
    assert tree.records() == records
    assert "valid.parquet has SHA-256" in said and "`mtbalance prepare synthetic_a` makes it again" in said
    assert len(said.splitlines()) == 1, said
    tree.call("mtbalance", "prepare", "synthetic_a")
    assert tree.due() == set()


def flipped(content: bytes) -> bytes:
    """The content with one bit of its middle changed."""
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
