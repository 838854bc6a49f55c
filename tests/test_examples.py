"""The examples run as they stand, and what they print is true: losses fell, and tasks were weighed."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from documents import DOCS, ROOT
from mtbalance.balancing.checking import balancer_schema
from mtbalance.balancing.options import RULES
from mtbalance.registry import available

pytestmark = pytest.mark.slow
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
PAGE = (DOCS / "how-to/training_loop.md").read_text(encoding="utf-8")
LIBMTL = re.findall(r"^\| `(\w+)` \| `(\w+)` \| `(\w+)`(.*?) \|", PAGE, re.MULTILINE)[1:]
"""The rows of the page's table of LibMTL's weightings: name, level, rule, options."""
NEEDS = {"lightning_module": "lightning", "from_torchjd": "torchjd"}
PROCESSES = ("data_parallel", "recommender")
ONE_PROCESS = [file.stem for file in EXAMPLES if file.stem not in PROCESSES]
LINE = re.compile(r"^epoch (\d+): losses \[(.*)\], weights \[(.*)\]$", re.MULTILINE)


def epochs(printed: str) -> tuple[np.ndarray, np.ndarray]:
    """The losses and the weights [epochs, tasks] that an example prints."""
    lines = LINE.findall(printed)
    assert [int(number) for number, _, _ in lines] == list(range(1, 21))
    losses, weights = (np.array([line[column].split() for line in lines], dtype=float) for column in (1, 2))
    return losses, weights


def ran(name: str, capsys: pytest.CaptureFixture[str]) -> tuple[str, dict[str, Any]]:
    """What an example prints, and its names."""
    if name in NEEDS:
        pytest.importorskip(NEEDS[name], reason=f"the example is about {NEEDS[name]}, which is not installed")
    names = runpy.run_path(str(ROOT / f"examples/{name}.py"), run_name="__main__")
    return capsys.readouterr().out, names


def learned(printed: str) -> None:
    """Both losses fell, the mean of the last epochs against the first one; weights are neither ones nor constant."""
    losses, weights = epochs(printed)
    price, click = losses[-5:].mean(axis=0) / losses[0]
    assert price < 0.2 and click < 0.95
    assert (weights > 0).all() and (np.abs(weights - 1) > 0.01).any(axis=1).mean() > 0.5
    assert weights.std(axis=0).max() > 0.01


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_an_example_is_short_and_shown(file: Path):
    text = file.read_text()
    assert len(text.splitlines()) < 60
    assert f"{{literalinclude}} ../../examples/{file.name}\n" in PAGE


@pytest.mark.parametrize("name", ["plain_loop", "everyday_loop", *PROCESSES, "lightning_module"])
def test_every_line_of_the_balancer_has_a_number(name: str):
    """As the page says: the rest is a loop as it was."""
    lines = (ROOT / f"examples/{name}.py").read_text().splitlines()
    added = [line for line in lines if re.search(r"(?i)balancer", line) and "checkpoint" not in line]
    numbers = [int(found) for line in lines for found in re.findall(r"  # (\d)", line)]
    assert numbers == list(range(1, len(numbers) + 1)) and len(numbers) >= 3
    assert [line for line in added if not re.search(r"  # \d", line) and "self.saved" not in line] == []


@pytest.mark.parametrize("name", ONE_PROCESS)
def test_an_example_learns(name: str, capsys: pytest.CaptureFixture[str]):
    printed, _ = ran(name, capsys)
    learned(printed)


def test_the_everyday_loop_ends_its_schedule_and_keeps_its_groups(capsys: pytest.CaptureFixture[str]):
    _, names = ran("everyday_loop", capsys)
    decayed, biases = names["optimizer"].param_groups
    assert decayed["lr"] == biases["lr"] == pytest.approx(0, abs=1e-9)
    assert decayed["weight_decay"] and not biases["weight_decay"]
    assert names["balancer"].level.steps == 20 * 512 // 64  # one for two backward passes
    assert names["price"].dtype == torch.bfloat16


def torchrun(name: str, processes: int) -> str:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    done = subprocess.run([*command, ROOT / f"examples/{name}.py"], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.long
def test_two_processes_learn_what_one_does():
    two, one = torchrun("data_parallel", 2), torchrun("data_parallel", 1)
    learned(two)
    assert "2 replicas, equal: True" in two
    for mine, others in zip(epochs(two), epochs(one), strict=True):
        np.testing.assert_allclose(mine, others, atol=2e-3)


@pytest.mark.long
def test_a_recommender_learns_in_two_processes_as_in_one():
    """As nearly as bfloat16 sums gradients."""
    two, one = torchrun("recommender", 2), torchrun("recommender", 1)
    for printed in (two, one):
        learned(printed)
    (mine, _), (others, _) = epochs(two), epochs(one)
    np.testing.assert_allclose(mine[-5:].mean(axis=0), others[-5:].mean(axis=0), rtol=0.1)


def test_torchjd_ends_at_the_same_parameters(capsys: pytest.CaptureFixture[str]):
    printed, _ = ran("from_torchjd", capsys)
    (difference,) = re.findall(r"largest difference of a parameter: (\S+)", printed)
    assert float(difference) < 1e-4


def test_cagrad_weighs_no_task_less_than_its_share_of_the_mean(capsys: pytest.CaptureFixture[str]):
    printed, _ = ran("from_libmtl", capsys)
    _, weights = epochs(printed)
    assert weights.min() >= 0.8 and weights.max() > 2  # 1 / (1 + c^2), and more for the task that is worse off


@pytest.mark.parametrize(("weighting", "level", "rule", "options"), LIBMTL, ids=[row[0] for row in LIBMTL])
def test_what_a_weighting_becomes_is_there(weighting: str, level: str, rule: str, options: str):
    assert len(LIBMTL) == 22  # all that LibMTL has, but MoDo
    if rule not in available(RULES):
        pytest.skip(f"there is no rule {rule} yet")
    assert set(re.findall(r"`(\w+)=", options)) <= balancer_schema(level, rule).model_fields.keys()


def test_lightning_counts_the_steps_and_resumes(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Two epochs, and two more from a checkpoint, are four epochs."""
    printed, names = ran("lightning_module", capsys)
    assert "steps that Lightning counted: 160" in printed
    loader = torch.utils.data.DataLoader(names["loader"].dataset, batch_size=64)

    def fit(epochs: int, checkpoint: Path | None = None):
        torch.manual_seed(0)
        module = names["Model"]()
        trainer = names["lightning"].Trainer(accelerator="cpu", max_epochs=epochs, **names["quiet"])
        trainer.fit(module, loader, ckpt_path=checkpoint)
        return module, trainer

    fit(2)[1].save_checkpoint(tmp_path / "two.ckpt")
    resumed, straight = fit(4, tmp_path / "two.ckpt")[0], fit(4)[0]
    assert resumed.balancer.level.steps == straight.balancer.level.steps == 32
    for one, other in zip(resumed.parameters(), straight.parameters(), strict=True):
        assert torch.equal(one, other)
