"""Collecting: what the tidy table holds, and which records are refused."""

import json

import pandas as pd
import pytest

from mtbalance.records import RecordError, read_timing, write_record
from mtbalance.reporting.collect import collect
from mtbalance.reporting.summary import write_means, write_summary


def rewrite(path, change):
    record = json.loads(path.read_text())
    del record["checksum"]  # it was not damaged, but made of other data
    change(record)
    path.write_text(json.dumps(record))


def test_the_table_is_tidy_and_in_the_order_of_the_configurations(collected):
    frame = pd.read_parquet(collected())
    assert list(dict.fromkeys(frame["balancer"])) == ["ls", "mgda", "pub"]
    assert frame["synthetic"].all()
    key = ["dataset", "backbone", "balancer", "seed", "epoch", "split", "task", "metric"]
    assert not frame.duplicated(key).any()
    run = frame[(frame["backbone"] == "mmoe") & (frame["balancer"] == "pub") & (frame["seed"] == 1)]
    final = run[run["epoch"].isna()].set_index(["metric", "task"])["value"]
    assert final["auc", "conversion"] == 0.813
    assert final["mean_auc", "mean"] == pytest.approx((0.718 + 0.813) / 2)
    assert final["best_auc", "mean"] == pytest.approx(0.89)
    assert final["seconds", ""] == 9.0
    assert final["samples_per_second", ""] == pytest.approx(550)
    curve = run[(run["metric"] == "mean_auc") & run["epoch"].notna()]
    assert curve["epoch"].tolist() == [1, 2, 3] and set(curve["split"]) == {"valid"}
    assert run[(run["metric"] == "weight") & (run["task"] == "click")]["value"].tolist() == pytest.approx(
        [0.7, 0.8, 0.9]
    )


def test_single_task_comes_first_whatever_the_order_of_the_grid(collected, demo):
    frame = pd.read_parquet(collected(dict(reversed(demo.items()))))
    assert list(dict.fromkeys(frame["backbone"])) == ["single_task", "mmoe", "ple"]
    assert list(dict.fromkeys(frame["balancer"])) == ["ls", "pub", "mgda"]


def test_diverged_runs_stay_in_the_table(collected):
    frame = pd.read_parquet(collected())
    lost = frame[(frame["backbone"] == "ple") & (frame["balancer"] == "mgda") & frame["epoch"].isna()]
    assert set(lost["status"]) == {"diverged"}
    assert set(lost.loc[lost["metric"] == "auc", "seed"]) == {0, 1, 2}
    assert lost.loc[lost["metric"] == "auc", "value"].isna().all()


def test_a_stale_record_is_refused_with_its_file_and_what_changed(write, demo, tmp_path):
    paths, runs = write(demo)
    optimizer = runs[4].training.optimizer.model_copy(update={"lr": 0.01})
    runs[4] = runs[4].model_copy(update={"training": runs[4].training.model_copy(update={"optimizer": optimizer})})
    with pytest.raises(RecordError) as refused:
        collect(paths, runs, [], [], tmp_path / "out.parquet")
    message = str(refused.value)
    assert str(paths[4]) in message and "training.optimizer.lr" in message and "delete the file" in message
    assert not (tmp_path / "out.parquet").exists()


def test_a_copy_of_another_record_is_refused_with_both_files(write, demo, tmp_path):
    paths, runs = write(demo)
    paths[2].write_bytes(paths[4].read_bytes())
    with pytest.raises(RecordError, match="one is a copy") as refused:
        collect(paths, runs, [], [], tmp_path / "out.parquet")
    assert all(str(paths[place]) in str(refused.value) for place in (2, 4))


def test_a_stale_timing_is_refused(write, timings, demo, tmp_path):
    paths, runs = write(demo)
    path = next(path for path in timings(runs) if path.name == "mmoe.json")
    timing = read_timing(path)
    digests = timing.digests | {"pub": "0123456789ab"}
    write_record(path, timing.model_copy(update={"digests": digests}))
    with pytest.raises(RecordError, match=r"mmoe\.json is stale: it timed pub with other settings"):
        collect(paths, runs, [path], runs, tmp_path / "out.parquet")


def test_timings_are_collected_without_runs(write, timings, demo, tmp_path):
    _, runs = write(demo)
    timed = [run for run in runs if run.backbone.name == "mmoe" and run.seed == 0]
    paths = [path for path in timings(runs) if path.name == "mmoe.json"]
    collect([], [], paths, timed, tmp_path / "out.parquet")
    frame = pd.read_parquet(tmp_path / "out.parquet").set_index(["balancer", "metric"])
    assert list(dict.fromkeys(frame.index.get_level_values(0))) == ["ls", "mgda", "pub"]
    assert frame.loc[("pub", "relative_throughput"), "value"] == 0.5
    assert frame.loc[("pub", "seconds_a_search"), "value"] == 0.3
    assert pd.isna(frame.loc[("mgda", "seconds_a_search"), "value"])
    assert set(frame["status"]) == {"finished"} and frame["shares"].all() and frame["synthetic"].all()
    facts = frame.loc["ls"]["value"]
    assert tuple(facts[["batch_size", "train_rows", "shared_parameters"]]) == (4096, 81_920, 8)


def test_records_of_different_data_are_refused(write, demo, tmp_path):
    paths, runs = write(demo)
    rewrite(paths[5], lambda record: record["data"]["sha256"].update(test="other"))
    with pytest.raises(RecordError, match="different data under the name synthetic_nl"):
        collect(paths, runs, [], [], tmp_path / "out.parquet")


def test_missing_foreign_and_unknown_records_are_refused(write, demo, tmp_path):
    paths, runs = write(demo)
    with pytest.raises(RecordError, match="1 runs have no record"):
        collect(paths[1:], runs, [], [], tmp_path / "out.parquet")
    with pytest.raises(RecordError, match=r"no longer has"):
        collect(paths, runs[1:], [], [], tmp_path / "out.parquet")
    rewrite(paths[0], lambda record: record.update(format=1))
    with pytest.raises(RecordError, match="format 1"):
        collect(paths, runs, [], [], tmp_path / "out.parquet")
    assert not (tmp_path / "out.parquet").exists()


def test_the_kind_of_problem_and_what_is_shared_are_read_off_the_record(collected):
    frame = pd.read_parquet(collected())
    assert set(frame["problem"]) == {"ranking"}
    shares = frame.groupby("backbone")["shares"].agg(set)
    assert shares.to_dict() == {"single_task": {False}, "mmoe": {True}, "ple": {True}}


def test_summary_holds_means_over_finished_seeds(collected, tmp_path):
    write_means([collected()], tmp_path / "summary.json")
    tree = json.loads((tmp_path / "summary.json").read_text())["demo"]["synthetic_nl"]
    assert tree["mmoe"]["mgda"] == {
        "auc": {"click": 0.703, "conversion": 0.8135, "mean": 0.75825},
        "ne": {"click": 0.797, "conversion": 0.6865},
        "failed": 1,
        "runs": 3,
    }
    assert tree["ple"]["mgda"] == {"failed": 3, "runs": 3}


def test_the_few_numbers_of_the_summary_are_of_the_backbone_with_the_most_balancers(tmp_path):
    few = {"ls": {"auc": {"mean": 0.9}}}
    most = {name: {"auc": {"mean": value}} for name, value in (("ls", 0.7), ("pub", 0.72), ("cagrad", 0.75))}
    means = {
        "demo": {"a": {"ple": few, "mmoe": most | {"diverged": {"runs": 1, "failed": 1}}}},
        "scenes": {"rooms": {"mtan": {"ls": {"delta_m": {"mean": 1.0}}}}},
    }
    write_summary(means, tmp_path / "summary.json", "ls")
    expected = {"demo": {"best": "cagrad", "best_auc": 0.75, "ls": 0.7, "pub": 0.72}}
    assert json.loads((tmp_path / "summary.json").read_text()) == expected


def test_the_summary_leaves_out_other_averages_and_keeps_names(collected, tmp_path):
    frame = pd.read_parquet(collected())
    for name, other in {"ne": "mean_angle", "auc": "mean_angle_batch_mean", "best_auc": "constant_miou"}.items():
        frame.loc[frame["metric"] == name, "metric"] = other
    frame.to_parquet(tmp_path / "other.parquet")
    write_means([tmp_path / "other.parquet"], tmp_path / "summary.json")
    tree = json.loads((tmp_path / "summary.json").read_text())["demo"]["synthetic_nl"]
    assert set(tree["mmoe"]["mgda"]) == {"auc", "mean_angle", "failed", "runs"}
    assert set(tree["mmoe"]["mgda"]["auc"]) == {"mean"}


def test_collecting_and_summarizing_twice_gives_the_same_bytes(write, demo, tmp_path):
    paths, runs = write(demo)
    files = []
    for name, order in (("a", paths), ("b", paths[::-1])):
        collect(order, runs, [], [], tmp_path / f"{name}.parquet")
        write_means([tmp_path / f"{name}.parquet"], tmp_path / f"{name}.json")
        files.append([(tmp_path / f"{name}.{kind}").read_bytes() for kind in ("parquet", "json")])
    assert files[0] == files[1]
