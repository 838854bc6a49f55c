"""A copy of the project with everything that the how-to pages add."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from built_once import once, ready
from documents import HOW_TO, ROOT, Tried, files, merged, settings

TRIAL = yaml.safe_load("""
preset: trial
presets: {trial: [trial]}
experiments:
  trial:
    title: Trial
    datasets: [synthetic_trial]
    grid: {wide_bottom: [ls, inverse_norm, pub]}
    seeds: [0]
    model: {embedding: 4, expert: [8], tower: [8]}
    training: {epochs: 2, batch_size: 256, patience: 0, device: cpu, optimizer: {name: adamax, lr: 0.01}}
    tables: [auc, effort]
    figures: [losses]
datasets:
  synthetic_trial: {adapter: synthetic, train_rows: 3000, test_rows: 2000, click_rate: 0.3, conversion_rate: 0.1}
""")
"""One experiment that uses the pages' rule, backbone, optimizer, table and figure together."""


@pytest.fixture(scope="session")
def tried(tmp_path_factory: pytest.TempPathFactory) -> Tried:
    """The trial: ``trial.py`` in a process of its own."""
    with once(tmp_path_factory.getbasetemp(), "documentation") as folder:
        root = ready(folder, "project", _try)
    return Tried(root, json.loads((root / "found.json").read_text()))


def _try(root: Path) -> None:
    shutil.copytree(ROOT / "src", root / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    for page in HOW_TO:
        for path, text in files(page).items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text, encoding="utf-8")
    base = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    (root / "pages").mkdir()
    for page in HOW_TO:
        (root / "pages" / f"{page.stem}.yaml").write_text(yaml.safe_dump(merged(base, *settings(page))))
    shown = [one for page in HOW_TO for one in settings(page)]
    (root / "params.yaml").write_text(yaml.safe_dump(merged(base, *shown, TRIAL)))
    environment = os.environ | {"PYTHONPATH": str(root / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, str(Path(__file__).with_name("trial.py")), "found.json"]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
