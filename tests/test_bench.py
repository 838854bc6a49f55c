"""The benchmarks of training steps: every script runs, and its peers train a model of the same size."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

BENCH = Path(__file__).parents[1] / "bench"
SCRIPTS = ("steps", "rules", "tasks", "sizes", "together")


@pytest.mark.long
def test_the_scripts_measure_and_the_page_has_what_they_measured(tmp_path: Path):
    for name in SCRIPTS:
        said = [str(tmp_path / f"{name}.csv"), "--small", "--blocks", "1", "--steps", "1"]
        subprocess.run([sys.executable, str(BENCH / f"{name}.py"), *said], check=True)
        frame = pd.read_csv(tmp_path / f"{name}.csv")
        assert (frame["ratio"] > 0).all()
        assert name == "together" or (frame.loc[frame["step"] == "ls", "ratio"] == 1).all()
    subprocess.run([sys.executable, str(BENCH / "report.py"), str(tmp_path)], check=True)
    page = (tmp_path / "report.md").read_text()
    rules = pd.read_csv(tmp_path / "rules.csv").set_index("step")["ratio"]
    assert f"| MGDA, TorchJD autojac | {1000 * pd.read_csv(tmp_path / 'rules.csv')['seconds'][2]:.4g} |" in page
    assert f"{rules['mgda, TorchJD autojac']:.3f} [" in page
    assert all((tmp_path / f"{name}.png").stat().st_size > 10_000 for name in ("tasks", "sizes"))


@pytest.mark.long
@pytest.mark.parametrize(
    "command",
    [
        "batches --rows 20000 --batch 512 --epochs 2",
        "prepare --rows 100000 --repeats 1",
        "scenes --size small --blocks 1 --only steps",
    ],
)
def test_the_scripts_of_single_parts_run(command: str):
    name, *given = command.split()
    said = subprocess.run([sys.executable, str(BENCH / f"{name}.py"), *given], check=True, capture_output=True)
    assert said.stdout


@pytest.mark.long
def test_the_script_for_a_gpu_runs_where_there_is_none(tmp_path: Path):
    subprocess.run([sys.executable, str(BENCH / "gpu.py"), str(tmp_path / "gpu.csv"), "--small"], check=True)
    lines = pd.read_csv(tmp_path / "gpu.csv")
    assert {"agreement with the CPU", "epoch", "MTAN"} <= set(lines["part"])
    assert lines.loc[lines["part"] == "agreement with the CPU", "value"].max() < 1e-4
    assert (lines.loc[lines["part"] != "agreement with the CPU", "value"] > 0).all()


@pytest.mark.long
def test_peers_train_a_model_of_the_same_size_and_lower_the_same_losses(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(BENCH))
    import cases
    import peers

    setting = peers.Setting(cases.DEMO)
    assert sum(p.numel() for p in setting.model.parameters()) == cases.parameters_of(cases.DEMO)
    monkeypatch.setattr(peers, "Setting", lambda case: setting)
    before = sum(loss.item() for loss in setting.losses())
    for step in (peers.plain(cases.DEMO), peers.autojac(cases.DEMO, "mgda")):
        for _ in range(10):
            step()
        after = sum(loss.item() for loss in setting.losses())
        assert after < before
        before = after
