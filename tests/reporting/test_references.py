"""References in the tables: rows of models without balancing, from records with numbers chosen by hand."""

from __future__ import annotations

import json

import pytest

from mtbalance.records import RecordError, read_references, write_record
from mtbalance.records.reference import ReferenceModel, ReferenceRecord
from mtbalance.reporting.collect import collect
from mtbalance.reporting.references import MODELS
from mtbalance.reporting.tables import write_table


def reference_record(path, **changed):
    facts = {"dataset": "synthetic_nl", "sha256": {"train": "a", "test": "b"}, "fitted_rows": 9, "scikit_learn": "1"}
    values = {"auc": {"click": 0.75, "conversion": 0.85}, "ne": {"click": 0.9, "conversion": 0.8}}
    models = {name: ReferenceModel(test=values, chosen={}, seconds=1.0) for name in MODELS}
    write_record(path, ReferenceRecord(**facts | {"models": models} | changed))
    return path


def test_tables_end_with_the_references(write, tmp_path):
    paths, runs = write({("synthetic_nl", "mmoe", name): [(0.7, 0.8), (0.71, 0.8)] for name in ("ls", "pub")})
    metrics = tmp_path / "demo.parquet"
    collect(paths, runs, [], [], metrics, references=[reference_record(tmp_path / "reference.json")])
    for table, numbers in (("auc", "0.7500 | 0.8500 | 0.8000"), ("ne", "0.9000 | – | 0.8000 | – |")):
        write_table(table, metrics, tmp_path / table, title="Title")
        text = (tmp_path / f"{table}.md").read_text()
        assert "Last rows: logistic regression and gradient boosting (scikit-learn)" in text
        for title in MODELS.values():
            assert f"| {title} | {numbers}" in text


def test_references_of_other_data_are_refused(write, tmp_path):
    paths, runs = write({("synthetic_nl", "mmoe", "ls"): [(0.7, 0.8)]})
    other = reference_record(tmp_path / "reference.json", sha256={"train": "c", "test": "b"})
    with pytest.raises(RecordError, match=r"reference.json is of other data than the runs on synthetic_nl"):
        collect(paths, runs, [], [], tmp_path / "demo.parquet", references=[other])


def test_a_damaged_record_names_its_file(tmp_path):
    path = reference_record(tmp_path / "reference.json")
    content = json.loads(path.read_text())
    del content["models"]
    path.write_text(json.dumps(content))
    with pytest.raises(RecordError, match=r"reference.json is not a ReferenceRecord"):
        read_references(path)
