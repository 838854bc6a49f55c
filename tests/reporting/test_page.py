"""The page of an experiment whose runs are only timed: it has no run records to read."""

import re
from pathlib import Path

import pandas as pd
import pytest

from mtbalance import places
from mtbalance.records import read_run, write_record
from mtbalance.reporting.collect import collect
from mtbalance.reporting.page import Page, write_page
from mtbalance.reporting.page.leaderboard import html, leaderboard
from mtbalance.reporting.page.plots import plots
from mtbalance.reporting.page.provenance import provenance
from mtbalance.reporting.tables import write_table


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project's folder with the documents that every page shows."""
    monkeypatch.chdir(tmp_path)
    for path in (Path(f"{places.CLAIMS}.md"), Path(places.AUDIT)):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("# A document of papers\n\nIts verdicts.\n")
    return tmp_path


def with_rows(record):
    """The record with a number of rows for each split."""
    data = record.data.model_copy(update={"rows": dict.fromkeys(record.data.sha256, 9)})
    return record.model_copy(update={"data": data})


def test_an_experiment_that_is_only_timed_has_a_page(project, write, timings):
    _, runs = write({("synthetic_nl", "mmoe", name): [(0.7, 0.8)] for name in ("ls", "mgda", "pub")})
    metrics = Path(places.METRICS.format(experiment="demo"))
    collect([], [], timings(runs), runs, metrics)
    write_table("cost", metrics, Path(places.TABLE.format(experiment="demo", table="cost")), title="Steps")
    shown = {"name": "demo", "title": "Steps", "tables": ["cost"]}
    write_page(Path(places.PAGE), Page(preset="cost", baseline="ls", experiments=[shown]))
    page = Path(places.PAGE).read_text()
    assert "Steps: 3 methods, 1 backbone, timed on synthetic_nl (synthetic data); nothing was trained." in page
    assert "A step of PUB takes 2.00 times LS&#39;s on MMOE." in page
    assert (
        re.findall(r'href=\\?"\.\./(results/[^"\\]+\.json)', page) == ["results/speed/demo/synthetic_nl/mmoe.json"] * 3
    )
    assert "step time / LS" in page
    assert "Its verdicts." in page and "are left out" not in page
    assert "<noscript>Without JavaScript" in page and "you should not see this" not in page


@pytest.mark.parametrize(("dataset", "shown"), [("aliexpress_nl", True), ("visits", False)])
def test_the_papers_claims_are_on_pages_with_their_data_alone(project, write, dataset, shown):
    paths, runs = write({(dataset, "mmoe", name): [(0.7, 0.8)] for name in ("ls", "pub")})
    collect(paths, runs, [], [], Path(places.METRICS.format(experiment="demo")))
    for path in paths:
        write_record(path, with_rows(read_run(path)))
    experiment = {"name": "demo", "title": "Visits", "tables": []}
    write_page(Path(places.PAGE), Page(preset="visits", baseline="ls", experiments=[experiment]))
    page = Path(places.PAGE).read_text()
    assert page.count("A document of papers") == (4 if shown else 0) and ("Its verdicts." in page) == shown
    said = 'they are in <a href="../results/claims.md">claims.md</a> and <a href="../results/audit.md">audit.md</a>.'
    assert (said in page) == (not shown)


def test_whiskers_are_whole_in_the_plot_of_costs(project, write, timings):
    scores = {"ls": [(0.7, 0.8), (0.72, 0.8)], "mgda": [(0.71, 0.8), (0.71, 0.8)], "pub": [(0.68, 0.8), (0.76, 0.8)]}
    paths, runs = write({("visits", "mmoe", name): own for name, own in scores.items()})
    metrics = Path(places.METRICS.format(experiment="demo"))
    collect(paths, runs, timings(runs), runs, metrics)
    trade_off = plots(pd.read_parquet(metrics), "ls")[0]
    low, high = trade_off.layout.yaxis.range
    ends = [
        value + sign * bar
        for t in trade_off.data
        for value, bar in zip(t.y, t.error_y.array, strict=True)
        for sign in (-1, 1)
    ]
    assert low < min(ends) and max(ends) < high


def test_the_plot_of_weights_says_that_it_shows_one_of_many_tasks(project, write):
    tasks = {f"t{number}": f"Task {number}" for number in range(10)}
    paths, runs = write({("visits", "mmoe", name): [(0.7,) * 10] for name in ("ls", "pub")}, tasks=tasks)
    collect(paths, runs, [], [], Path(places.METRICS.format(experiment="demo")))
    shown = [plot for plot in plots(pd.read_parquet(places.METRICS.format(experiment="demo")), "ls") if plot]
    (weights,) = [plot for plot in shown if "in the weights" in plot.layout.title.text]
    assert "share of Task 0 in the weights<br><sub>the first of 10 tasks" in weights.layout.title.text
    top = max(max(line.y) for line in weights.data)
    assert top < weights.layout.yaxis.range[1] < 1


def test_a_page_says_which_methods_used_which_code(write):
    paths, _ = write({("visits", "mmoe", name): [(0.7, 0.8), (0.7, 0.8)] for name in ("ls", "pub")})
    records = [with_rows(read_run(path)) for path in paths]
    records = [one.model_copy(update={"code": one.run.balancer * 8}) for one in records]
    facts = provenance(records).set_index("what")
    assert tuple(facts.loc["code of PUB on MMOE (SHA-256)"]) == ("pub" * 8, "2 of 4")
    assert tuple(facts.loc["code of LS on MMOE (SHA-256)"]) == ("ls" * 8, "2 of 4")


def test_the_leaderboard_shows_names_as_they_are_written(write):
    tasks = {"click": "buy > 0 & <b>|x", "conversion": "conversion"}
    paths, runs = write({("visits", "mmoe", name): [(0.7, 0.8)] for name in ("ls", "pub")}, tasks=tasks)
    metrics = Path(places.METRICS.format(experiment="demo"))
    collect(paths, runs, [], [], metrics)
    found = html(leaderboard(pd.read_parquet(metrics), "ls", ""), "demo")
    assert "AUC buy &gt; 0 &amp; &lt;b&gt;|x" in found and "<b>|x" not in found
    assert '<a href=\\"results/' in found or '<a href="results/' in found  # links to records stay links
