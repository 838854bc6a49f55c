"""Scenes under the same workflow as ranking: from rendered rooms to the table, the figure and the pictures."""

from __future__ import annotations

import pytest

from workflow_tree import Tree

EXPERIMENT = {
    "title": "Tiny scenes on synthetic data",
    "datasets": ["synthetic_rooms"],
    "grid": {"segnet": ["ls"], "mtan": ["ls", "pub"]},
    "seeds": [0],
    "model": {"problem": "scenes", "width": 1},
    "training": {"epochs": 1, "batch_size": 2, "device": "cpu"},
    "timing": {"blocks": 1, "steps": 2},
    "figures": ["scenes"],
}


@pytest.mark.long
def test_scenes_run_beside_ranking_and_an_edit_re_runs_what_uses_it(tree: Tree):
    tree.set("experiments.scenes", EXPERIMENT)
    tree.set("backbones.segnet", {"kind": "segnet"})
    tree.set("backbones.mtan", {"kind": "mtan"})
    tree.set("presets.scenes", ["scenes"])
    tree.set("preset", "scenes")
    tree.snakemake()
    table = tree.read("results/tables/scenes/scenes.md")
    assert "SYNTHETIC stand-in data" in table and "MTAN+PUB" in table and "constant prediction" in table
    pictures = tree.root / "results/figures/scenes/predictions"
    names = [f"synthetic_rooms-{run}-seed-0.png" for run in ("mtan-ls", "mtan-pub", "segnet-ls")]
    assert sorted(path.name for path in pictures.iterdir()) == names
    assert tree.due() == set()

    (pictures / names[1]).unlink()
    assert tree.due() == {"picture scenes/synthetic_rooms/mtan/pub/0", "page "}
    tree.snakemake()
    tree.edit("src/mtbalance/reporting/pictures/scenes.py", lambda text: text + "# another color\n")
    runs = ("mtan/ls", "mtan/pub", "segnet/ls")
    assert tree.due() == {f"picture scenes/synthetic_rooms/{run}/0" for run in runs} | {"page "}
    tree.edit("src/mtbalance/tasks/depth.py", lambda text: text + "# an edit\n")
    trained = {job for job in tree.due() if job.startswith("train")}
    assert trained == {f"train scenes/synthetic_rooms/{run}/0" for run in runs}
    tree.set("preset", "tiny")
    assert tree.due() == {"claims ", "page "}  # ranking knows nothing of the edit; these two are of a whole preset
