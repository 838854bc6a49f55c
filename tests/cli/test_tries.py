"""`mtbalance tries`: runs by hand beside the workflow's."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from mtbalance.cli import app
from mtbalance.config.by_name import record_of_try
from mtbalance.records import read_run, write_record
from mtbalance.reporting.tries import beside, changed
from sample_records import write_run
from tracked_runs import record_of, run_of


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")


def tried(every: int, gain: float, seed: int = 0, status: str = "finished") -> Path:
    """A try of PUB whose numbers are better by ``gain``; its record, where `mtbalance train` has it."""
    run = run_of(seed)
    options = run.balancer.options.model_copy(update={"every": every})
    run = run.model_copy(update={"balancer": run.balancer.model_copy(update={"options": options})})
    record, path = record_of(run, status), record_of_try(run, [f"balancer.every={every}"])
    if record.test:
        test = {**record.test, "mean_auc": record.test["mean_auc"] + gain}
        record = record.model_copy(update={"test": test})
    write_record(path, record)
    return path


def listed(*arguments: str) -> list[str]:
    result = CliRunner().invoke(app, ["tries", *arguments], catch_exceptions=False)
    assert result.exit_code == 0
    return result.output.splitlines()


def row(lines: list[str], run: str) -> list[str]:
    return next(line for line in lines if line.strip().startswith(run)).split()


def test_each_try_has_what_it_changed_and_its_difference_to_the_workflows_run(tmp_path: Path):
    write_run(tmp_path, run_of(0), record_of(run_of(0)))
    tried(5, 0.0123)
    tried(2, -0.02, seed=1)  # the workflow has no run of this seed
    lines = listed()
    assert row(lines, "mmoe/pub/0")[1:] == [
        *("every=5", "0.6200", "(0.0000)", "0.7200", "(0.0000)", "0.6823", "(+0.0123)")
    ]
    assert row(lines, "mmoe/pub/1")[1:] == ["balancer.every=2", "0.6300", "0.7300", "0.6600"]
    assert "pub@every=5" in " ".join(lines)


def test_what_changed_is_read_off_the_configurations_and_not_off_the_name(tmp_path: Path):
    before = run_of(0)
    training = before.training.model_copy(update={"batch_size": 64})
    write_run(tmp_path, before, record_of(before.model_copy(update={"training": training})))
    tried(5, 0.0)
    assert row(listed(), "mmoe/pub/0")[1:3] == ["every=5", f"batch_size={before.training.batch_size}"]


def test_the_end_of_a_try_says_how_it_did(tmp_path: Path):
    path = tried(5, 0.0123)
    assert beside(read_run(path), path) == ""
    workflow = write_run(tmp_path, run_of(0), record_of(run_of(0)))
    assert "mean_auc +0.0123" in beside(read_run(path), path)
    workflow.write_text(workflow.read_text()[:100])
    assert beside(read_run(path), path) == "", "what the workflow has of it may be broken"


def test_a_try_that_diverged_and_a_broken_record_do_not_hide_the_others():
    tried(5, 0.0)
    tried(2, 0.0, status="diverged")
    broken = tried(3, 0.0)
    broken.write_text(broken.read_text()[:100])
    result = CliRunner().invoke(app, ["tries"], catch_exceptions=False)
    said = " ".join(result.stderr.split())
    assert str(broken) in said.replace(" ", "") and said.endswith("; try it again, or delete the file")
    assert "run the workflow again" not in said, "the workflow makes no tries"
    lines = result.stdout.splitlines()
    assert {tuple(line.split()[1:3]) for line in lines if "every=" in line and "mmoe" in line} == {
        ("balancer.every=2", "diverged"),
        ("balancer.every=5", "0.6200"),
    }


def test_without_a_try_it_says_how_to_make_one():
    assert "--set balancer.every=5" in " ".join(listed())
    assert "results/tried/demo" in " ".join(listed("--experiment", "demo"))


def test_changes_are_the_values_that_the_other_lacks():
    one = {"training": {"optimizer": {"lr": 1.0}, "epochs": 2}, "balancer": {"name": "a", "options": {"rule": "x"}}}
    other = {"training": {"optimizer": {"lr": 2.0}, "epochs": 2}, "balancer": {"name": "a", "options": {}}, "seed": 0}
    assert changed(one, other) == {"optimizer.lr": 1.0, "rule": "x"}
