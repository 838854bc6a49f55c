"""The time of everything that would run: runs, timings, reference models, and the short jobs after them."""

from collections import Counter
from pathlib import Path

import pytest

from mtbalance import places
from mtbalance.config.reading import parse, read_parameters
from mtbalance.planning import in_all as planned
from mtbalance.planning.due import Due
from mtbalance.planning.in_all import A_JOB, A_RUN, REFERENCE_SECONDS, SECONDS, in_all
from mtbalance.planning.timing import Timing
from mtbalance.records import write_record
from mtbalance.records.reference import ReferenceModel, ReferenceRecord
from mtbalance.studies.reference_rows import MOST_ROWS
from mtbalance.training import estimate
from mtbalance.training.estimate import RowSeconds

FILE = Path(__file__).parents[2] / "params.yaml"
RULE = Path(__file__).parents[2] / "workflow/rules"
STEP = 1e-3

CORES = "2 idle cores, less where runs stop early"


@pytest.fixture(autouse=True)
def two_cores(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(planned, "cores", lambda: 2)
    monkeypatch.setattr(estimate, "seconds_a_row", lambda *_: RowSeconds(STEP, 0.0, 64))


def said(jobs, preset="tuned", **datasets):
    """The line for a preset whose steps take a millisecond a row, and its one experiment."""
    found = read_parameters(FILE).model_dump(mode="json", exclude_unset=True) | {"preset": preset}
    for key, block in datasets.items():
        found["datasets"][key] = block
    parameters = parse(found)
    timing = Timing(parameters)
    times = timing.experiments()
    return in_all(parameters, {name: Due(of.total(), of=of) for name, of in jobs.items()}, timing, times), times[0]


def minutes(seconds):
    return planned.duration(seconds)


def test_runs_share_the_cores_timings_do_not_and_the_rest_is_counted():
    jobs = {"train": Counter(tuned=48), "time": Counter(tuned=1), "references": Counter(synthetic_nl=1)}
    line, time = said(jobs | {"table": Counter(tuned=30), "page": Counter(["page"])})
    runs = (time.total - time.timing + 48 * A_RUN) / 2
    rows = 40_000
    fits = (REFERENCE_SECONDS * rows * 2 + A_JOB) / 2
    short = (30 * (SECONDS["table"] + A_JOB) + SECONDS["page"] + A_JOB) / 2
    assert time.runs == 48 and time.timing > 100
    whole = planned.duration(runs + time.timing + A_JOB + fits + short)
    assert line == (
        f"In all: {whole} on {CORES}: runs {minutes(runs)}, timing of steps {minutes(time.timing + A_JOB)}, reference"
        f" models {minutes(fits)}, 31 short jobs (tables, figures and the like) {minutes(short)}."
    )


def test_what_is_up_to_date_does_not_count():
    line, time = said({"train": Counter(tuned=12)})
    runs = ((time.total - time.timing) / 4 + 12 * A_RUN) / 2
    assert line.startswith(f"In all: {planned.duration(runs)} on {CORES}: runs {minutes(runs)}.")
    line, _ = said({"table": Counter(tuned=1)})
    assert line == "In all: about 1 minute on 2 idle cores: 1 short job (tables, figures and the like) about 1 minute."


def test_a_single_run_is_not_shortened_by_a_second_core():
    line, time = said({"train": Counter(tuned=1)})
    assert f"runs {minutes(time.longest)}." in line


def test_jobs_of_unknown_length_are_named():
    line, _ = said({"download": Counter(), "prepare_ranking": Counter(synthetic_nl=1), "page": Counter(["page"])})
    assert line.endswith(" Not counted: download, prepare_ranking.")
    line, _ = said({"train_measured": Counter(tuned=1)})
    assert line.endswith(" Not counted: what train_measured measures of steps.")


def test_without_rows_nothing_is_said_but_how_to_know_them():
    line, _ = said({"train": Counter(census=18)}, preset="census")
    assert line == ("In all: unknown until the data are prepared: snakemake data --cores all --config preset=census")


def test_reference_models_take_what_their_record_says_or_go_by_rows_up_to_the_most():
    timing = Timing(parse(read_parameters(FILE).model_dump(mode="json", exclude_unset=True)))
    assert planned.references(timing, "synthetic_nl") == pytest.approx(REFERENCE_SECONDS * 40_000 * 2)
    assert planned.references(timing, "aliexpress_us") == pytest.approx(REFERENCE_SECONDS * MOST_ROWS * 2)
    assert planned.references(timing, "census_income") is None
    path = Path(places.REFERENCES.format(dataset="synthetic_nl"))
    path.parent.mkdir(parents=True)
    models = {name: ReferenceModel(test={}, chosen={}, seconds=seconds) for name, seconds in (("a", 3.0), ("b", 40.0))}
    record = ReferenceRecord(dataset="synthetic_nl", sha256={}, fitted_rows=1, scikit_learn="1", models=models)
    write_record(path, record)
    assert planned.references(timing, "synthetic_nl") == 43.0
    path.write_text("{}")
    assert planned.references(timing, "synthetic_nl") < 43.0


def test_every_rule_with_a_known_time_is_in_the_workflow():
    rules = "".join(path.read_text() for path in RULE.glob("*.smk"))
    for name in (*SECONDS, planned.TIMINGS, planned.REFERENCES):
        assert f"rule {name}:" in rules
