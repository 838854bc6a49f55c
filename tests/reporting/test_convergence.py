"""Convergence: runs that chose their last epoch are flagged in the record, in the cells, and counted in the caption."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from mtbalance.records import read_run, write_record
from mtbalance.reporting.answer import answer
from mtbalance.reporting.collect import collect
from mtbalance.reporting.tables import write_table

RESULTS = {("synthetic_nl", "mmoe", name): [(0.7, 0.8), (0.71, 0.8)] for name in ("ls", "pub")}


def flagged(paths: list[Path]) -> None:
    """Flag the first run of PUB."""
    path = next(path for path in paths if "/pub/" in str(path))
    write_record(path, read_run(path).model_copy(update={"unconverged": ["epoch 3 was chosen"]}))


def test_cells_of_flagged_runs_have_a_sign(write, tmp_path):
    paths, runs = write(RESULTS)
    flagged(paths)
    metrics = tmp_path / "demo.parquet"
    collect(paths, runs, [], [], metrics)
    write_table("auc", metrics, tmp_path / "auc", title="Title")
    text = (tmp_path / "auc.md").read_text()
    lines = {line.split("|")[1].strip(): line for line in text.splitlines() if line.startswith("| MMOE")}
    assert lines["MMOE+PUB"].count("°") == 3 and "°" not in lines["MMOE (LS)"]
    assert "°: 1 run of 4 chose the last epoch that they may have" in text
    assert "1 of 4 runs may not have converged." in answer(pd.read_parquet(metrics), "Title", "ls")[0]


def test_without_a_flagged_run_there_is_no_sign(write, tmp_path):
    paths, runs = write(RESULTS)
    metrics = tmp_path / "demo.parquet"
    collect(paths, runs, [], [], metrics)
    write_table("auc", metrics, tmp_path / "auc", title="Title")
    assert "°" not in (tmp_path / "auc.md").read_text()
    assert "converged" not in answer(pd.read_parquet(metrics), "Title", "ls")[0]
