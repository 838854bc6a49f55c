"""The documentation's results: a table is what its archived evidence gives, a quoted number is in a table."""

from __future__ import annotations

import hashlib
import json
import re
import sys
from pathlib import Path

import pytest

from documents import DOCS
from mtbalance.records import read_run
from mtbalance.reporting.collected import read_collected
from mtbalance.workflow import Workflow

sys.path.insert(0, str(DOCS))
import publish  # the documentation's own script

PUBLISHED = sorted(path.parent for path in publish.RESULTS.glob(f"*/{publish.EVIDENCE}"))
QUOTING = [DOCS / "benchmark.md"]
"""Pages that quote numbers of the published tables in their sentences."""


@pytest.fixture(scope="module", params=PUBLISHED, ids=lambda folder: folder.name)
def folder(request: pytest.FixtureRequest) -> Path:
    """The published results of a preset."""
    return request.param


@pytest.fixture(scope="module")
def evidence(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Workflow]:
    """Where its archive was unpacked, and the archived preset."""
    root = tmp_path_factory.mktemp("evidence")
    return root, publish.unpacked(folder, root)


def test_the_archive_has_what_it_says(evidence: tuple[Path, Workflow]):
    root, _ = evidence
    contents = json.loads((root / "contents.json").read_text())
    assert re.fullmatch(r"[0-9a-f]{40}", contents["commit"])
    files = contents["sha256"]
    assert {file: hashlib.sha256((root / file).read_bytes()).hexdigest() for file in files} == files


def test_collected_numbers_are_those_of_the_records(evidence: tuple[Path, Workflow]):
    root, workflow = evidence
    for experiment in workflow.parameters.active():
        records = {record.digest: record for record in (read_run(root / path) for path in workflow.records(experiment))}
        (metrics,) = workflow.metrics(experiment)
        frame = read_collected(root / metrics)
        ends = frame[frame["epoch"].isna() & (frame["split"] == "test")]
        scores = ends[ends["metric"].isin({name for record in records.values() for name in record.test or ()})]
        for row in scores.to_dict("records"):
            found = records[row["digest"]].test[row["metric"]]
            assert row["value"] == (found[row["task"]] if isinstance(found, dict) else found)
        shown = set(frame.loc[frame["metric"] == "best_epoch", "digest"])
        assert shown and set(scores["digest"]) == shown


def test_tables_are_what_the_evidence_gives(folder: Path, tmp_path: Path):
    publish.remake(folder, tmp_path)
    made = {path.relative_to(tmp_path): path.read_text() for path in tmp_path.rglob("*.md")}
    assert made
    for path, text in made.items():
        assert (folder / path).read_text() == text, f"{folder / path} is not up to date: python docs/publish.py"


@pytest.mark.parametrize("page", QUOTING, ids=lambda page: page.name)
def test_numbers_that_a_page_quotes_are_in_its_tables(page: Path):
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    tables = [table for folder in PUBLISHED for table in folder.rglob("*.md")]
    known = {float(number) for table in tables for number in re.findall(r"\d*\.\d+", table.read_text())}
    quoted = re.findall(r"(?<![\w.])\d*\.\d{3,}", text)
    assert tables and quoted
    assert [number for number in quoted if float(number) not in known] == []
