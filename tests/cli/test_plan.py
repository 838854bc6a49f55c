"""The plan of a preset: what it downloads, the disk and the time that it takes, before anything starts."""

import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from mtbalance import reproduce
from mtbalance.cli import app
from mtbalance.config.datasets import ADAPTERS, Dataset
from mtbalance.config.kinds import kind
from mtbalance.config.reading import parse, read_parameters
from mtbalance.config.run import canonical
from mtbalance.errors import UserError
from mtbalance.planning.disk import data_plans, disks, refuse_full_disk, source
from mtbalance.planning.report import duration, size
from mtbalance.planning.timing import Timing
from mtbalance.registry import entry
from mtbalance.training import estimate
from mtbalance.training.estimate import RowSeconds, seconds_a_row

FILE = Path(__file__).parents[2] / "params.yaml"
MIRROR = "https://mirror.example"
CENSUS = {"all": {"path": "data/raw/census/rows.gz", "urls": [f"{MIRROR}/rows.gz"], "bytes": 3_000_000}}


def preset(name, **datasets):
    """The parameters with that preset, in which some data sets have other keys."""
    found = read_parameters(FILE).model_dump(mode="json", exclude_unset=True) | {"preset": name}
    for key, block in datasets.items():
        found["datasets"][key] |= block
    return parse(found)


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(FILE, "params.yaml")
    return tmp_path


@pytest.fixture
def free(monkeypatch):
    """Sets the bytes that are free on every disk."""

    def set_free(count):
        monkeypatch.setattr("mtbalance.planning.disk.shutil.disk_usage", lambda _: SimpleNamespace(free=count))

    return set_free


def planned(*options):
    return CliRunner().invoke(app, ["plan", "--no-time", *options])


def test_the_last_line_has_the_verdict_and_the_command_and_a_full_disk_has_status_1(free):
    free(100_000_000_000)
    done = planned("--preset", "paper_nl_first")
    last = done.output.splitlines()[-1]
    assert done.exit_code == 0 and "Tianchi's, of its data set 74690" in done.output
    assert ": enough disk. Start: snakemake --cores all --config preset=paper_nl_first" in last
    free(1_000_000_000)
    done = planned("--preset", "paper_nl_first")
    assert done.exit_code == 1
    assert "Not enough disk: the data need 11.9 GB, and 1.0 GB are free" in done.output
    assert ": not enough disk. Start:" in done.output.splitlines()[-1]


def test_an_unknown_preset_is_named():
    done = planned("--preset", "papre")
    assert isinstance(done.exception, UserError) and "did you mean paper?" in str(done.exception)


def test_a_download_counts_published_bytes_and_files_that_are_there_do_not_count(project):
    (plan,) = data_plans(preset("census", census_income={"files": CENSUS}))
    assert (plan.state, plan.sources, plan.download, plan.about) == ("download", ["mirror.example"], 3_000_000, False)
    assert plan.prepared is None
    (project / "data/raw/census").mkdir(parents=True)
    (project / "data/raw/census/rows.gz").write_bytes(b"x")
    (plan,) = data_plans(preset("census", census_income={"files": CENSUS}))
    assert (plan.state, plan.download, plan.raw) == ("raw files here", 0, 0)


def test_where_bytes_are_not_published_the_size_of_the_data_set_counts_less_what_is_there(project):
    files = {
        f"{side}_csv": {"path": f"data/raw/{side}.csv", "urls": [f"{MIRROR}/{side}"]} for side in ("train", "test")
    }
    parameters = preset("paper_nl_first", aliexpress_nl=files)
    (plan,) = data_plans(parameters)
    assert plan.download == parameters.datasets["aliexpress_nl"].size().raw == 1_490_000_000 and plan.about
    (project / "data/raw").mkdir(parents=True)
    (project / "data/raw/test.csv").write_bytes(bytes(1000))
    assert data_plans(parameters)[0].download == 1_490_000_000 - 1000


def test_a_prepared_data_set_needs_nothing(project):
    folder = project / "data/processed/nyuv2"
    folder.mkdir(parents=True)
    for name in ("schema.json", "train.parquet", "test.parquet"):
        assert data_plans(preset("nyuv2_first"))[0].state != "prepared"
        (folder / name).touch()
    (plan,) = data_plans(preset("nyuv2_first"))
    assert plan.state == "prepared" and [disk.needed for disk in disks([plan])] == [0]


def test_known_rows_are_those_of_the_issue_and_others_are_marked():
    sizes = {name: preset("paper").datasets[f"aliexpress_{name}"].size() for name in ("nl", "es", "fr", "us")}
    assert sizes["nl"].rows["train"] == 12_157_894 and sum(sizes["nl"].rows.values()) == 12_157_894 + 5_559_301
    assert sizes["es"].rows["train"] == 22_326_719 and all(found.about for found in sizes.values())
    assert 0.69 < sizes["fr"].rows["train"] / 27_000_000 < 0.71
    scenes = preset("nyuv2").datasets["nyuv2"].size()
    assert scenes.rows == {"train": 795, "test": 654} and round(scenes.prepared / (795 + 654) / 1e6, 1) == 1.6


def test_every_data_set_is_sized_by_split_and_timed_on_synthetic_data_of_its_kind():
    timed = []
    for name, dataset in read_parameters(FILE).datasets.items():
        rows, stand_in = dataset.size().rows, dataset.stand_in()
        assert rows is None or set(rows) == set(kind(dataset.problem).splits)
        if stand_in:
            adapter = entry(ADAPTERS, stand_in.block["adapter"], Dataset)
            assert adapter.generated and adapter.problem == dataset.problem and 0 < stand_in.share <= 1
            timed.append(name)
    assert {"aliexpress_us", "nyuv2", "synthetic_nl", "synthetic_scenes"} <= set(timed)


def test_reproduce_refuses_a_full_disk_before_anything_starts(free, monkeypatch):
    monkeypatch.setattr(reproduce, "watch", lambda *_: pytest.fail("something was started"))
    free(1000)
    with pytest.raises(UserError, match=r"Preset demo: the data need 0\.1 GB.*mtbalance plan --preset demo"):
        reproduce.reproduce(preset("demo"))
    free(10**12)
    refuse_full_disk(preset("demo"))


def test_the_disk_is_looked_at_without_torch():
    code = "import sys, mtbalance.reproduce, mtbalance.planning.disk; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr


def test_a_run_is_its_steps_and_evaluations_and_searches_weigh_by_their_period(monkeypatch):
    """nash at `gradient` searches at every tenth step and weighs losses in between; PUB takes K passes at every one."""
    seconds = {"loss": 1.0, "gradient": 2.0, "update": 3.0, "representation": 1.5}
    timed = []

    def measured(run, *_):
        timed.append(run.balancer.name)
        return RowSeconds(seconds[run.balancer.options.level], 0.5, 64)

    monkeypatch.setattr(estimate, "seconds_a_row", measured)
    parameters = preset("paper_nl_first")
    (found,) = Timing(parameters).experiments()
    rows = parameters.datasets["aliexpress_nl"].size().rows
    evaluations = 0.5 * (rows["valid"] + rows["test"])
    steps = {"ls": 1.0, "nashmtl": 1.1, "pub": 3.0, "multibalance": 1.5, "adatask": 3.0}
    training = sum(steps.values()) * (rows["train"] + 4 * 10 * 4096)  # and three blocks of ten steps, and one before
    assert found.shortest == pytest.approx(rows["train"] + evaluations)
    assert found.longest == pytest.approx(3 * rows["train"] + evaluations)
    assert found.total == pytest.approx(training + 5 * evaluations)
    assert timed == ["ls", "nashmtl", "pub", "multibalance"] and not found.at_most


def test_the_trials_of_every_method_count_and_its_first_one_is_timed(monkeypatch):
    monkeypatch.setattr(estimate, "seconds_a_row", lambda *_: RowSeconds(1.0, 0.0, 64))
    parameters = preset("tuned")
    (found,) = Timing(parameters).experiments()
    experiment, rows = parameters.experiments["tuned"], parameters.datasets["synthetic_nl"].size().rows["train"]
    methods = len(experiment.grid["mmoe"])
    assert (found.runs, found.trials) == (methods * 4 * 2, 4)
    timed = methods * (experiment.timing.blocks + 1) * experiment.timing.steps * experiment.training.batch_size
    assert found.total == pytest.approx(found.runs * experiment.training.epochs * rows + timed)


def test_images_are_timed_small_and_scaled(monkeypatch):
    monkeypatch.setattr(estimate, "seconds_a_row", lambda *_: RowSeconds(1.0, 0.0, 4))
    (found,) = Timing(preset("nyuv2_first")).experiments()
    assert found.shortest == found.longest == pytest.approx(2 * 795 * 9)


def test_rows_are_timed_in_batches_that_grow_while_the_budget_lasts(monkeypatch):
    parameters = preset("level_study", synthetic_nl={"train_rows": 600, "test_rows": 200})
    parameters.datasets["synthetic_nl"].prepare("synthetic_nl", Path("data"))
    run = parameters.run("level_study", "synthetic_nl", "mmoe", "nash_update", 0)
    assert seconds_a_row(run, Path("data"), budget=0.0).rows == 512 // 64
    found = seconds_a_row(run, Path("data"), budget=600.0)
    assert found.rows == 512 and 0 < found.evaluation < found.step < 0.1
    assert canonical(run) == canonical(parameters.run("level_study", "synthetic_nl", "mmoe", "nash_update", 0))


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("hf:owner/set@main/data/a.parquet", "Hugging Face owner/set"),
        ("gdrive:1F0T/AliExpress_NL.zip", "Google Drive"),
        ("https://archive.example.edu/a/b.gz", "archive.example.edu"),
    ],
)
def test_sources_are_said_in_a_word_or_two(address, said):
    assert source(address) == said


def test_amounts_are_readable():
    assert [size(count, True) for count in (None, 0, 2_810_000_000, 61_000_000)] == [
        *("unknown", "-", "about 2.8 GB", "about 61.0 MB")
    ]
    assert [duration(seconds) for seconds in (None, 1, 300, 6100, 40000, 864000)] == [
        *("unknown", "about 1 minute", "about 5 minutes", "about 1.7 hours", "about 11 hours", "about 10 days")
    ]
