"""`mtbalance status`: the state of each run as files and processes tell it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from mtbalance import places
from mtbalance.config.parameters import Parameters
from mtbalance.config.reading import parse
from mtbalance.planning.status import expected_end, lines, statuses
from mtbalance.records import read_run, write_record
from sample_records import run_record

ROOT = Path(__file__).parents[2]
TASKS = {"click": ("CTR", {"auc": 1})}


@pytest.fixture
def parameters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Parameters:
    monkeypatch.chdir(tmp_path)
    raw = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    raw["presets"]["demo"] = ["demo"]
    raw["experiments"]["demo"] |= {"grid": {"mmoe": ["ls", "pub", "mgda", "famo", "rlw"]}, "seeds": [0]}
    return parse(raw)


def wildcards(balancer: str) -> dict[str, str]:
    cell = {"experiment": "demo", "dataset": "synthetic_nl", "backbone": "mmoe", "seed": "0"}
    return cell | {"balancer": balancer}


def record(parameters: Parameters, balancer: str, epochs: int | None = None, **changed: object) -> None:
    run = parameters.run("demo", "synthetic_nl", "mmoe", balancer, 0)
    test = {"auc": {"click": 0.7}, "mean_auc": 0.7}
    training = run.training.model_copy(update={"epochs": epochs} if epochs else {})
    found = run_record(run.model_copy(update={"training": training}), TASKS, [], test)
    write_record(Path(places.RECORD.format(**run.wildcards)), found.model_copy(update=changed))
    benchmark = Path(places.benchmark("train", places.CELL).format(**run.wildcards))
    benchmark.parent.mkdir(parents=True, exist_ok=True)
    benchmark.write_text("s\th:m:s\n100.0\t0:01:40\n")


def log(balancer: str, text: str) -> None:
    path = Path(places.log("train", places.CELL).format(**wildcards(balancer)))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_each_run_is_counted_once_by_its_state(parameters: Parameters):
    record(parameters, "ls")
    record(parameters, "rlw", status="diverged", test=None)
    record(parameters, "pub", epochs=99)
    log("mgda", "epoch 1/10: mean_auc 0.6\nmtbalance: data/processed/synthetic_nl is missing\n")
    log("famo", "epoch 1/10: mean_auc 0.6\nepoch 2/10: mean_auc 0.7\n")
    (found,) = statuses(parameters)
    expected = {"done": 1, "diverged": 1, "other settings": 1, "failed": 1, "cut short": 1}
    assert found.counts == expected
    assert found.data_missing == ["synthetic_nl"]
    assert [line[0] for line in found.said] == ["failed", "cut short"]
    assert "is missing" in found.said[0][2] and found.said[1][2] == "epoch 2/10: mean_auc 0.7"


def test_a_record_is_read_once_until_it_changes(parameters: Parameters, monkeypatch: pytest.MonkeyPatch):
    asked: list[Path] = []
    monkeypatch.setattr("mtbalance.planning.status.read_run", lambda path: asked.append(path) or read_run(path))
    record(parameters, "ls")
    assert [statuses(parameters)[0].counts["done"] for _ in range(3)] == [1, 1, 1] and len(asked) == 1
    record(parameters, "ls", epochs=99)
    assert statuses(parameters)[0].counts["other settings"] == 1 and len(asked) == 2


def test_a_run_that_a_signal_ended_is_cut_short(parameters: Parameters):
    log("famo", "epoch 1/10: mean_auc 0.6\nended by a signal; the checkpoint has everything\n")
    (found,) = statuses(parameters)
    assert found.counts == {"cut short": 1, "left": 4}


@pytest.mark.parametrize("after", ["", "not logged to MLflow (database is locked); later: mtbalance track a.json\n"])
def test_a_run_that_ended_and_lost_its_record_is_left_and_did_not_fail(parameters: Parameters, after: str):
    log("famo", f"epoch 1/1: mean_auc 0.7\ndemo: synthetic_nl mmoe famo seed 0: test mean_auc 0.7\n{after}")
    (found,) = statuses(parameters)
    assert found.counts == {"left": 5} and not found.said


def test_a_live_process_is_a_running_run(parameters: Parameters):
    log("famo", "epoch 3/10: mean_auc 0.7\n")
    path = places.RECORD.format(**wildcards("famo"))
    with subprocess.Popen(
        [sys.executable, "-c", "input()", "train", "--output", path], stdin=subprocess.PIPE
    ) as process:
        (found,) = statuses(parameters)
        process.communicate(b"\n")
    assert found.counts == {"running": 1, "left": 4}
    assert found.said[0][2] == "epoch 3/10: mean_auc 0.7"


def test_seconds_that_a_full_disk_cut_off_are_not_known(parameters: Parameters):
    record(parameters, "ls")
    for written in ("", "s\th:m:s\nnan-"):
        Path(places.benchmark("train", places.CELL).format(**wildcards("ls"))).write_text(written)
        (found,) = statuses(parameters)
        assert (found.counts["done"], found.seconds) == (1, [])


def test_the_expected_end_is_at_the_pace_of_what_is_done(parameters: Parameters):
    (found,) = statuses(parameters)
    assert "not known yet" in expected_end([found])
    record(parameters, "ls")
    (found,) = statuses(parameters)
    assert expected_end([found]).startswith("4 runs are left: about 6.7 minutes on one core")
    for balancer in ("pub", "mgda", "famo"):
        record(parameters, balancer)
    assert expected_end(statuses(parameters)).startswith("1 run is left: ")
    record(parameters, "rlw")
    assert expected_end(statuses(parameters)).startswith("All runs are done with these settings. ")


def test_a_run_that_was_ended_before_it_said_anything_is_told_without_a_colon(parameters: Parameters):
    log("famo", "")
    assert f"cut short: {places.CELL.format(**wildcards('famo'))}" in list(lines(statuses(parameters)))
