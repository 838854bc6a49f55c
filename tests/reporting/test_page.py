"""The page of an experiment whose runs are only timed: it has no run records to read."""

import re
from pathlib import Path

import pytest

from mtbalance import places
from mtbalance.reporting.collect import collect
from mtbalance.reporting.page import Page, write_page
from mtbalance.reporting.tables import write_table


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project's folder with the documents that every page shows."""
    monkeypatch.chdir(tmp_path)
    for path in (Path(f"{places.CLAIMS}.md"), Path(places.AUDIT)):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("# A title\n\nText.\n")
    return tmp_path


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
