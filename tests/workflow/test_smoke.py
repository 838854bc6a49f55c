"""What a whole run of the workflow leaves behind, and what a single run's command does when it is called by hand."""

from __future__ import annotations

import json
import re
import signal

import pandas as pd
import pytest

from mtbalance import places
from mtbalance.config.run import RunConfig, canonical
from workflow_tree import Tree, numbers

COMMANDS = (
    "__init__",
    "_outputs",
    "arguments",
    "compare",
    "data",
    "evidence",
    "models",
    "new",
    "plan",
    "results",
    "runs",
    "status",
    "test",
    "toy",
)
CELL = "tiny/synthetic_a/mmoe/pub/seed-1"

DIES_AFTER_ITS_FIRST_EPOCH = """
import os, signal
from mtbalance.training.checkpoint import Checkpoint
save = Checkpoint.save
def save_and_die(*args):
    save(*args)
    os.kill(os.getpid(), signal.SIGKILL)
Checkpoint.save = save_and_die
from mtbalance.cli import main
main()
"""

TELLS_WHAT_IT_LOADED = """
import json, sys
from mtbalance import sources
from mtbalance.cli import app
from mtbalance import places
from mtbalance.config.run import RunConfig
app(standalone_mode=False)
files = {module.__file__ for name, module in sys.modules.items() if name.partition(".")[0] == "mtbalance"}
config = RunConfig.model_validate_json(sys.argv[sys.argv.index("--config") + 1])
named = set(map(str, sources.of_run(config)))
print(json.dumps(sources.relative(files - named)))
"""


def cell_of(run: RunConfig) -> str:
    return places.CELL.format(**run.wildcards)


def config_of(tree: Tree, cell: str = CELL) -> RunConfig:
    return next(run for run in tree.parameters().runs("tiny") if cell_of(run) == cell)


def training(config: RunConfig, output: str) -> list[str]:
    """Arguments of `mtbalance` for a run that is not logged."""
    data = f"data/processed/{config.dataset}"
    return ["train", "--config", canonical(config), "--data", data, "--output", output, "--no-track"]


def test_every_run_has_its_record_with_the_digest_of_its_parameters(finished: Tree):
    runs = {cell_of(run): run for run in finished.parameters().runs("tiny")}
    records = finished.records()
    assert records.keys() == runs.keys()
    for cell, record in records.items():
        assert record["digest"] == runs[cell].digest()
        assert RunConfig.model_validate(record["config"]).digest() == record["digest"]
        assert record["status"] == "finished"


@pytest.mark.parametrize("table", ["auc", "ne"])
def test_tables_have_a_row_for_each_method_and_say_synthetic(finished: Tree, table: str):
    printed = finished.read(f"results/tables/tiny/{table}.md")
    assert "SYNTHETIC" in printed
    for method in ("Shared bottom (LS)", "MMOE (LS)", "MMOE+NashMTL", "MMOE+PUB"):
        assert re.search(rf"^\| {re.escape(method)} \| .*\d", printed, re.MULTILINE), printed


def test_the_summary_is_the_mean_of_the_records(finished: Tree):
    summary = json.loads(finished.read("results/metrics/tiny.json"))["tiny"]["synthetic_a"]["mmoe"]["pub"]
    records = finished.records()
    values = [records[f"tiny/synthetic_a/mmoe/pub/seed-{seed}"]["test"]["auc"]["click"] for seed in (0, 1)]
    assert summary["auc"]["click"] == pytest.approx(sum(values) / 2, abs=1e-5)
    assert summary["runs"] == 2


def test_what_dvc_prints_is_short(finished: Tree):
    few = json.loads(finished.read("results/metrics/summary/tiny.json"))["tiny"]
    means = json.loads(finished.read("results/metrics/tiny.json"))["tiny"]["synthetic_a"]["mmoe"]
    scores = {name: found["auc"]["mean"] for name, found in means.items()}
    best = max(scores, key=scores.get)
    assert few == {"best": best, "best_auc": scores[best], "ls": scores["ls"], "pub": scores["pub"]}


def test_no_checkpoint_and_no_half_written_file_is_left(finished: Tree):
    left = [*finished.root.glob("results/**/*.partial"), *finished.root.glob("results/checkpoints/**/*.pt")]
    assert left == []


def test_a_report_is_built_without_network(tree: Tree):
    tree.snakemake("--report", "report.html")
    report = tree.read("report.html")
    assert "results/tables/tiny/auc.html" in report
    assert "results/figures/tiny/weights.png" in report


def test_the_printed_command_repeats_a_run_bit_for_bit_alone(tree: Tree):
    """It was made beside other runs, under Snakemake; here it is made alone, in a plain shell."""
    before = tree.records()[CELL]
    printed = tree.snakemake("--dry-run", "--printshellcmds", "--forcerun", "train")
    command = re.search(rf"mtbalance train .*{CELL}\.json .*", printed)[0]
    (tree.root / f"results/runs/{CELL}.json").unlink()
    tree.call("bash", "-c", command)
    after = tree.records()[CELL]
    assert numbers(after) == numbers(before)


@pytest.mark.long
def test_an_experiment_that_measures_has_the_same_records_and_cosines_beside_them(tree: Tree):
    before = tree.records()
    tree.set("experiments.tiny.measure", ["cosines"])
    tree.set("experiments.tiny.grid", {"mmoe": ["pub"]})
    tree.snakemake("results/metrics/tiny.parquet")
    for seed in (0, 1):
        cell = f"tiny/synthetic_a/mmoe/pub/seed-{seed}"
        assert numbers(tree.records()[cell]) == numbers(before[cell])
        assert (tree.root / f"results/runs/{cell}.steps.parquet").exists()
    frame = pd.read_parquet(tree.root / "results/metrics/tiny.parquet")
    assert {"cosine_shared", "cosine_other_half", "length_task_specific", "weight_spread"} <= set(frame["metric"])


@pytest.mark.long
def test_a_killed_run_goes_on_from_its_checkpoint_bit_for_bit(tree: Tree):
    tree.set("experiments.tiny.training.epochs", 3)
    config = config_of(tree)
    tree.call("mtbalance", *training(config, "whole.json"))

    interrupted = [*training(config, "killed.json"), "--checkpoint", "killed.pt"]
    tree.call("python", "-c", DIES_AFTER_ITS_FIRST_EPOCH, *interrupted, expect=-signal.SIGKILL)
    assert (tree.root / "killed.pt").exists()
    assert not (tree.root / "killed.json").exists()

    said = tree.call("mtbalance", *interrupted)
    assert re.findall(r"epoch (\d)/3:", said) == ["2", "3"]
    whole, killed = (json.loads(tree.read(f"{name}.json")) for name in ("whole", "killed"))
    assert len(whole["epochs"]) == 3
    assert numbers(killed) == numbers(whole)
    assert not (tree.root / "killed.pt").exists()


def test_a_run_loads_no_source_file_that_is_no_input_of_its_job(tree: Tree):
    """But those that pass values on, show progress and tell errors: no number comes from them."""
    said = tree.call("python", "-c", TELLS_WHAT_IT_LOADED, *training(config_of(tree), "record.json"))
    loaded = {path for path in json.loads(said.splitlines()[-1]) if not path.startswith("src/mtbalance/config/")}
    passing_on = {"blocks", "described", "faults", "places", "records/headline", "training/progress"}
    passing_on |= {f"cli/{name}" for name in COMMANDS}
    passing_on |= {f"balancing/{name}" for name in ("options", "checking", "contradictions")}
    assert loaded <= {f"src/mtbalance/{name}.py" for name in passing_on}


@pytest.mark.long
def test_jobs_that_wait_are_looked_at_when_one_ends_and_not_by_the_clock(tree: Tree):
    targets = [places.RECORD.format(**run.wildcards) for run in tree.parameters().runs("tiny")][:3]
    for target in targets:
        (tree.root / target).unlink()
    said = tree.snakemake("--cores", "1", "--verbose", *targets)
    assert said.count("Finished jobid") == len(targets)
    assert 0 < said.count("Ready jobs: ") <= 2 * len(targets)


def test_the_plan_says_what_would_run_and_why(tree: Tree):
    assert "Everything is up to date" in tree.call("mtbalance", "plan", "--no-time")
    tree.set("balancers.pub.every", 3)
    said = tree.call("mtbalance", "plan", "--no-time")
    assert re.search(r"^ *train +2 +its settings changed", said, re.MULTILINE)
    assert re.search(r"^ *table +\d+ +after the jobs before it", said, re.MULTILINE)


@pytest.mark.long
def test_an_unusable_mlflow_costs_no_run(tree: Tree):
    (tree.root / "file").write_text("no folder")
    command = [part for part in training(config_of(tree), "record.json") if part != "--no-track"]
    said = tree.call("mtbalance", *command, MLFLOW_TRACKING_URI="sqlite:///file/mlflow.db")
    assert json.loads(tree.read("record.json"))["status"] == "finished"
    assert "later: mtbalance track record.json" in said


def test_a_checkout_runs_its_own_source_wherever_the_package_is_installed_from(tree: Tree):
    tree.edit("src/mtbalance/places.py", lambda text: f"{text}\nraise SystemExit('this checkout')\n")
    assert "this checkout" in tree.call("snakemake", "--dry-run", "--cores", "1", expect=1, PYTHONPATH="")
