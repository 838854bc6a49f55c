"""What would run, and why, read from what Snakemake's dry run prints."""

from mtbalance.planning.due import due, read

PRINTED = """
Building DAG of jobs...
rule train:
    input: data/processed/a/train.parquet
    output: results/runs/a/0.json
    jobid: 3
    reason: Missing output files: a/0.json; Updated input files: a/valid.parquet
    wildcards: experiment=demo, dataset=synthetic_nl, backbone=mmoe
    threads: 2

rule train:
    output: results/runs/a/1.json
    jobid: 4
    reason: Params have changed: {"ignore":"late; out"}; Updated input files: src/a.py, src/b.py, src/c.py

localrule collect:
    output: results/metrics/a.parquet
    reason: Input files updated by another job: results/runs/a/0.json

localrule figure:
    output: results/figures/demo/auc.png
    reason: Forced execution; Updated input files: results/metrics/a.parquet

localrule all:
    input: results/report.html
    reason: Input files updated by another job: results/report.html
"""


def test_jobs_and_reasons_are_counted_by_rule():
    found = read(PRINTED)
    assert {rule: jobs.jobs for rule, jobs in found.items()} == {"train": 2, "collect": 1, "figure": 1}
    assert found["train"].reasons == {
        "not made yet": 1,
        "its settings changed": 1,
        "src/a.py, src/b.py and 1 more changed": 1,
    }
    assert found["train"].of == {"demo": 1}
    assert found["collect"].reasons == {"after the jobs before it": 1}
    assert found["figure"].reasons == {"cut short before": 1, "results/metrics/a.parquet changed": 1}


def test_nothing_is_asked_outside_of_a_project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert due("demo") is None
