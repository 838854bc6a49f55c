"""What the workflow's rules are told: files, options and expressions, read off the parameters alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mtbalance import places, sources
from mtbalance.config.parameters import Parameters
from mtbalance.config.reading import parse
from mtbalance.workflow import Workflow, alternatives, toy_sources
from workflow_tree import TINY


@pytest.fixture
def parameters() -> Parameters:
    scenes = {
        "title": "It's scenes",
        "datasets": ["synthetic_rooms"],
        "grid": {"mtan": ["ls", "pub"]},
        "seeds": [7],
        "model": {"problem": "scenes", "width": 1},
        "training": {"epochs": 1},
    }
    return parse(
        TINY
        | {
            "presets": {"tiny": ["tiny", "scenes"]},
            "experiments": TINY["experiments"] | {"scenes": scenes},
            "backbones": TINY["backbones"] | {"mtan": {"kind": "mtan"}},
        }
    )


@pytest.fixture
def workflow(parameters: Parameters) -> Workflow:
    return Workflow(parameters)


@pytest.fixture(autouse=True)
def _in_the_project(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(Path(__file__).parents[1])


def test_alternatives_match_the_names_and_nothing_else():
    expression = re.compile(alternatives(["a.b", "c"]))
    assert [bool(expression.fullmatch(name)) for name in ("a.b", "c", "axb", "")] == [True, True, False, False]
    assert re.fullmatch(alternatives([]), "") is None


def test_every_run_has_a_record_in_its_place(workflow: Workflow):
    assert workflow.records("scenes") == [
        f"results/runs/scenes/synthetic_rooms/mtan/{balancer}/seed-7.json" for balancer in ("ls", "pub")
    ]
    assert workflow.timings("scenes") == ["results/speed/scenes/synthetic_rooms/mtan.json"]
    assert len(workflow.records("tiny")) == 8 and workflow.timings("tiny") == [
        "results/speed/tiny/synthetic_a/mmoe.json"
    ]


def test_experiments_that_measure_or_keep_more_have_more_files_and_a_rule_of_their_own():
    tiny = TINY["experiments"]["tiny"]
    more = {"other": {"measure": ["cosines"]}, "kept": {"keep": ["model"]}}
    more["both"] = {"measure": ["cosines"], "keep": ["valid_predictions", "model"]}
    workflow = Workflow(
        parse(TINY | {"experiments": {"tiny": tiny} | {name: tiny | own for name, own in more.items()}})
    )
    rules = {name: (rule.experiments, sorted(rule.files)) for name, rule in workflow.trainings().items()}
    assert rules == {
        "train": ("tiny", []),
        "train_measured": ("other", ["steps"]),
        "train_model": ("kept", ["model", "schema"]),
        "train_measured_model_valid_predictions": ("both", ["model", "schema", "steps", "valid_predictions"]),
    }
    pattern = "results/runs/{experiment}/{dataset}/{backbone}/{balancer}/seed-{seed}"
    assert workflow.trainings()["train_model"].options == [f"--model={pattern}.model.safetensors"]
    assert workflow.steps("tiny") == workflow.models("other") == workflow.valid_predictions("kept") == []
    stems = [path.removesuffix(".json") for path in workflow.records("other")]
    assert workflow.steps("other") == [f"{stem}.steps.parquet" for stem in stems]
    stems = [path.removesuffix(".json") for path in workflow.records("both")]
    assert workflow.valid_predictions("both") == [f"{stem}.valid.parquet" for stem in stems]
    assert workflow.models("both")[:2] == [f"{stems[0]}.model.safetensors", f"{stems[0]}.model.schema.json"]
    assert len(workflow.models("both")) == 2 * len(stems)


def test_a_kind_of_problem_decides_splits_pictures_tables(workflow: Workflow):
    files = [Path(path).name for path in workflow.prepared("synthetic_a")]
    assert files == ["train.parquet", "valid.parquet", "test.parquet", "schema.json"]
    assert [Path(path).name for path in workflow.prepared("nyuv2")] == ["train.parquet", "test.parquet", "schema.json"]
    assert workflow.pictures("tiny") == [] and workflow.pictured() == ["scenes"]
    folder = "results/figures/scenes/predictions"
    assert workflow.pictures("scenes") == [f"{folder}/synthetic_rooms-mtan-{name}-seed-7.png" for name in ("ls", "pub")]
    assert workflow.tables("scenes") == [
        f"results/tables/scenes/scenes.{ending}" for ending in ("csv", "md", "html", "tex")
    ]
    assert "results/figures/scenes/weights.pdf" in workflow.figures("scenes")


def test_a_preset_is_all_of_its_experiments_and_their_summary(workflow: Workflow):
    results = workflow.results()
    assert len(set(results)) == len(results)
    for file in (*workflow.records("tiny"), *workflow.pictures("scenes"), "results/metrics/tiny.json"):
        assert file in results
    assert workflow.data() == [*workflow.prepared("synthetic_a"), *workflow.prepared("synthetic_rooms")]
    assert workflow.metrics_of_preset("tiny") == [f"results/metrics/{name}.parquet" for name in ("tiny", "scenes")]


def test_there_is_a_rule_for_each_kind_of_data(workflow: Workflow):
    generators = workflow.generators()
    assert set(generators) == {"synthetic", "synthetic_scenes"}
    assert generators["synthetic"].files[0] == "data/raw/{dataset}/train.csv"
    assert generators["synthetic"].datasets == "synthetic_a|synthetic_b"
    preparations = workflow.preparations()
    assert set(preparations) == {"ranking", "scenes"} and preparations["scenes"].datasets == "synthetic_rooms|nyuv2"


def test_raw_files_are_those_that_can_be_had(workflow: Workflow):
    assert workflow.raw("synthetic_a") == [
        f"data/raw/synthetic_a/{file}" for file in workflow.dataset("synthetic_a").generated
    ]
    assert workflow.raw("nyuv2") == []  # nothing is placed: `prepare` says what to place
    assert list(workflow.raw_files()) == ["data/raw/nyuv2/nyuv2.zip"]
    assert workflow.addresses("data/raw/nyuv2/nyuv2.zip") == ["--dataset=nyuv2"]


def test_addresses_are_options_of_fetch_without_their_secrets():
    urls = ["https://me:SECRET@host/a?b=SECRET", "gdrive:1F0T/It's $HOME.csv"]
    file = {"path": "data/raw/t/t.csv", "urls": urls, "sha256": "ab" * 32, "bytes": 5}
    table = {
        "adapter": "table",
        "files": {"all": file},
        "categorical": ["c"],
        "tasks": {"t": {"column": "y", "positive": [1]}},
        "split": {"train": 0.6, "valid": 0.2, "test": 0.2},
    }
    workflow = Workflow(parse(TINY | {"datasets": TINY["datasets"] | {"mine": table}}))
    assert workflow.addresses(file["path"]) == [
        "--url=https://host/a?...",
        f"--url={urls[1]}",
        f"--sha256={'ab' * 32}",
        "--bytes=5",
        "--dataset=mine",
    ]
    assert workflow.dataset("mine").raw_files()[0].urls == urls and "SECRET" not in workflow.dataset_config("mine")


def test_tables_and_timings_have_options(workflow: Workflow):
    assert workflow.table_options("scenes") == ["--title=It's scenes", "--baseline=ls"]
    assert workflow.timing_options("tiny") == ["--blocks=2", "--steps=2"]


def test_the_generator_does_not_hear_of_the_split(workflow: Workflow):
    assert "split" in workflow.dataset_config("synthetic_a") and "split" not in workflow.generator_config("synthetic_a")


def test_each_job_has_its_own_sources(workflow: Workflow, parameters: Parameters):
    auc = workflow.table_sources("tiny", "auc")
    assert "src/mtbalance/reporting/tables/ranking/auc.py" in auc and not [file for file in auc if "ne.py" in file]
    assert "src/mtbalance/reporting/published/pub_table3.csv" in auc
    assert "src/mtbalance/reporting/figures/common/weights.py" in workflow.figure_sources("scenes", "weights")
    assert "src/mtbalance/reporting/pictures/scenes.py" in workflow.picture_sources("scenes")
    timed = workflow.timing_sources(parameters.timing_runs("tiny", "synthetic_a", "mmoe"))
    assert {f"src/mtbalance/balancing/rules/{rule}.py" for rule in ("equal", "nash")} <= set(timed)
    assert "src/mtbalance/studies/toy.py" in toy_sources("pub")


def test_places_have_the_wildcards_of_a_run(parameters: Parameters):
    run = parameters.runs("scenes")[1]
    assert places.RECORD.format(**run.wildcards) == "results/runs/scenes/synthetic_rooms/mtan/pub/seed-7.json"
    assert places.log("train", places.CELL).format(**run.wildcards).startswith("logs/train/scenes/")


def test_sources_are_looked_for_once_for_all_runs_of_a_method(
    workflow: Workflow, parameters: Parameters, monkeypatch: pytest.MonkeyPatch
):
    asked, closure = [], sources.closure
    monkeypatch.setattr(sources, "closure", lambda modules: asked.append(1) or closure(modules))
    runs = parameters.runs("tiny")
    found = [workflow.run_sources(run) for run in runs]
    assert len(asked) == len({sources.modules_of(run) for run in runs}) < len(runs)
    assert found == [sources.relative(sources.of_run(run)) for run in runs]
