"""The additions of the how-to pages are complete, are found, and work."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from documents import HOW_TO, ROOT, Tried, files, settings
from mtbalance.balancing.checking import balancer_options

pytestmark = pytest.mark.slow
ONE_FILE = {
    "own_rule": ["src/mtbalance/balancing/rules/inverse_norm.py"],
    "own_optimizer": ["src/mtbalance/balancing/optimizers/adamax.py"],
    "own_backbone": ["src/mtbalance/models/ranking/wide_bottom.py"],
    "own_data_set": ["src/mtbalance/data/adapters/movielens.py"],
    "own_table": [],
    "own_table_or_figure": [
        "src/mtbalance/reporting/tables/ranking/effort.py",
        "src/mtbalance/reporting/figures/common/losses.py",
    ],
}


MEASUREMENTS = "src/mtbalance/data/adapters/measurements.py"


@pytest.mark.parametrize("page", HOW_TO, ids=lambda page: page.stem)
def test_an_addition_is_new_files_and_a_part_of_params_yaml(page: Path):
    added = [path for path in files(page) if path.startswith("src/")]
    assert not [path for path in added if (ROOT / path).exists()]
    assert settings(page)
    if page.stem in ONE_FILE:
        assert added == ONE_FILE[page.stem]
    else:
        folder = "src/mtbalance/problems/regression"
        assert {path for path in added if not path.startswith(f"{folder}/")} == {MEASUREMENTS}


def test_the_files_are_written_as_those_of_the_package(tried: Tried):
    shown = [path for page in HOW_TO for path in files(page)]
    for command in (["check"], ["format", "--check"]):
        tool = [Path(sys.executable).with_name("ruff"), *command, "--config", ROOT / "pyproject.toml"]
        done = subprocess.run([*tool, *shown], cwd=tried.root, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_rule_is_checked_by_its_declaration_holds_the_contract_and_passes_its_own_test(tried: Tried):
    assert tried.found["tests"] == 1 and tried.found["contract"] == 0
    known, options = tried.found["declared"]
    assert known and options["power"] == 1.0 and options["level"] == "gradient"
    assert "power" in tried.found["negative power"]
    assert "power" in tried.found["misspelled"]


def test_without_the_file_there_is_no_such_rule():
    with pytest.raises(ValueError, match="inverse_norm"):
        balancer_options({"level": "gradient", "rule": "inverse_norm"})


def test_rule_backbone_and_optimizer_train_together(tried: Tried):
    records = tried.found["trial"]
    assert set(records) == {"wide_bottom ls", "wide_bottom inverse_norm", "wide_bottom pub"}
    for record in records.values():
        assert record["status"] == "finished"
        assert record["config"]["training"]["optimizer"]["name"] == "adamax"
        assert record["config"]["backbone"]["options"]["wide"] == 16
        losses = [sum(epoch["train_loss"].values()) for epoch in record["epochs"]]
        assert losses[-1] < losses[0] < 2
    weights = records["wide_bottom inverse_norm"]["epochs"][0]["weights"]
    assert sum(weights.values()) == pytest.approx(2) and weights["click"] != pytest.approx(1, abs=1e-3)


def test_the_table_has_its_rows_and_numbers(tried: Tried):
    folder = tried.root / "results/tables/trial"
    numbers = pd.read_csv(folder / "effort.csv")
    assert set(numbers["metric"]) == {"seconds", "peak_memory_mb"} and len(numbers) == 6
    text = (folder / "effort.md").read_text()
    assert "peak memory MB" in text and "wide_bottom+inverse_norm" in text and "synthetic" in text
    assert (folder / "effort.tex").stat().st_size and (folder / "auc.md").stat().st_size


def test_the_figure_is_drawn(tried: Tried):
    assert (tried.root / "results/figures/trial/losses.png").read_bytes().startswith(b"\x89PNG")
    assert (tried.root / "results/figures/trial/losses.pdf").stat().st_size


def test_the_third_kind_of_problem_learns(tried: Tried):
    for record in tried.found["boilers"].values():
        assert record["config"]["model"]["problem"] == "regression"
        scores = [epoch["evaluation"]["mean_r2"] for epoch in record["epochs"]]
        assert record["status"] == "finished" and scores[-1] > scores[0]
        assert math.isclose(record["test"]["mean_r2"], record["test"]["r2"]["temperature"])
        assert record["test"]["r2"]["temperature"] > 0.5
    assert (tried.root / "results/figures/boilers/weights.png").exists()


def test_the_data_sets_are_prepared(tried: Tried):
    shop = json.loads((tried.root / "data/processed/shop_visits/schema.json").read_text())
    assert [task["name"] for task in shop["tasks"]] == ["bought", "sent_back"]
    assert sum(split["rows"] for split in shop["splits"].values()) == 300
    films = json.loads((tried.root / "data/processed/movielens_1m/schema.json").read_text())
    assert films["splits"]["train"]["positives"]["liked"] > films["splits"]["train"]["positives"]["loved"] > 0
    assert sum(split["rows"] for split in films["splits"].values()) == 30 * 14
    rows = pd.read_parquet(tried.root / "data/processed/movielens_1m/train.parquet")
    assert rows["hour"].between(0, 23).all() and rows["film"].isin(range(1, 41, 3)).all()
