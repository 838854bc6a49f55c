"""Scenes from their raw files to Parquet, by the workflow's rules."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from workflow_tree import Tree

SCENES, REAL = (f"data/processed/{name}/schema.json" for name in ("synthetic_rooms", "nyuv2"))
PREPARED = ["schema.json", "test.parquet", "train.parquet"]


def comment(tree: Tree, path: str) -> None:
    tree.edit(path, lambda text: text + "# an edit\n")


def files(tree: Tree, name: str) -> list[str]:
    return sorted(path.name for path in (tree.root / f"data/processed/{name}").iterdir())


def test_scenes_are_generated_and_prepared_and_again_after_an_edit_of_their_files_only(tree: Tree):
    both = {"generate_synthetic_scenes synthetic_rooms", "prepare_scenes synthetic_rooms"}
    assert tree.due(SCENES) == both
    tree.snakemake(SCENES)
    assert files(tree, "synthetic_rooms") == PREPARED
    assert "synthetic_rooms test: 2 images of 32 x 32; valid pixels: segm" in tree.read(
        "logs/prepare/synthetic_rooms.log"
    )
    comment(tree, "src/mtbalance/data/scenes/augmentation.py")  # of the training
    comment(tree, "src/mtbalance/data/ranking/csv_blocks.py")  # of ranking data
    assert tree.due(SCENES) == set()
    comment(tree, "src/mtbalance/data/stand_in/rooms.py")
    assert tree.due(SCENES) == both
    tree.set("datasets.synthetic_rooms.seed", 1)
    assert tree.due(SCENES) == both


@pytest.mark.long
def test_placed_images_are_prepared_and_again_when_one_is_replaced(tree: Tree):
    assert tree.due(REAL) == {"prepare_scenes nyuv2"}  # which says what to place where
    assert "NYUv2 is not here" in tree.snakemake(REAL, expect=1)
    tree.snakemake(SCENES)
    folder = tree.root / "data/raw/nyuv2"
    with zipfile.ZipFile(tree.root / "data/raw/synthetic_rooms/scenes.zip") as archive:
        archive.extractall(folder)
    tree.snakemake(REAL)
    assert files(tree, "nyuv2") == PREPARED
    assert tree.due(REAL) == set()
    replace(folder / "val/depth/1.npy")
    assert tree.due(REAL) == {"prepare_scenes nyuv2"}
    (folder / "val/depth/1.npy").unlink()
    assert "val/depth/1.npy is missing" in tree.snakemake(REAL, expect=1)


def replace(path: Path) -> None:
    """Give a file other numbers, under another name first, as programs that copy files do."""
    np.save(path.with_suffix(".part.npy"), np.load(path) + 1)
    path.with_suffix(".part.npy").rename(path)
