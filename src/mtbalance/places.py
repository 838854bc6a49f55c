"""Every path of a project, relative to its folder, in one place.

A pattern has the workflow's wildcards in braces; ``RECORD.format(**run.wildcards)`` is one run's path.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

PARAMETERS = "params.yaml"
PARAMETERS_SCHEMA = "params.schema.json"
"""What an editor reads to complete and check ``params.yaml``; in git."""

# Data sets.
RAW_DATA = "data/raw"
RAW = f"{RAW_DATA}/{{dataset}}"
SOURCES_LOCK = "data/sources.lock.json"
"""Size, checksum, date and address of fetched files whose checksum ``params.yaml`` does not have; in git."""
PREPARED = "data/processed/{dataset}"
SCHEMA = "schema.json"
"""In the folder of a prepared data set, beside one Parquet file per split."""

# Runs.
CELL = "{experiment}/{dataset}/{backbone}/{balancer}/seed-{seed}"
"""One run's place in the grid."""
CELL_OF_SEEDS = "{experiment}/{dataset}/{backbone}/{balancer}"
"""A method's place, with all its seeds."""
RUNS = "results/runs/{experiment}"
RECORD = f"results/runs/{CELL}.json"
TRIED = "results/tried"
"""Records of runs by hand, which no table shows."""
SAMPLE = f"results/runs/{CELL}.npz"
"""Predictions of the run's model for the first test rows."""
PREDICTIONS = f"results/runs/{CELL}.predictions.parquet"
"""Predictions of the run's model for every test row."""
VALID_PREDICTIONS = f"results/runs/{CELL}.valid.parquet"
"""Those for every valid row, in an experiment that keeps them."""
MODEL = f"results/runs/{CELL}.model.safetensors"
"""Weights of the run's model, in an experiment that keeps them."""
MODEL_SCHEMA = f"results/runs/{CELL}.model.schema.json"
"""The schema that turns raw rows into the inputs of that model."""
SCHEMA_ENDING = ".schema.json"
EXPORTED = f"results/exported/{CELL}"
"""A folder with the exported model."""
STEPS = f"results/runs/{CELL}.steps.parquet"
"""Gradient and update of every training step, in an experiment that measures them."""
CHECKPOINT = f"results/checkpoints/{CELL}.pt"
KEEP_CHECKPOINTS = "MTBALANCE_KEEP_CHECKPOINTS"
"""The environment variable that has a run keep its checkpoint when it has ended."""
TIMING_CELL = "{experiment}/{dataset}/{backbone}"
TIMING = f"results/speed/{TIMING_CELL}.json"
REFERENCES = "results/metrics/references/{dataset}.json"
"""What a constant, logistic regression and gradient boosting reach on a ranking data set."""

REFERENCE_PREDICTIONS = "results/metrics/references/{dataset}.predictions.parquet"

# Results.
METRICS = "results/metrics/{experiment}.parquet"
TRIALS = "results/metrics/trials/{experiment}.parquet"
"""All trials of a tuned experiment."""
MARKET = "results/metrics/market/{experiment}.parquet"
"""The simulated A/B tests of an experiment."""
CALIBRATION = "results/metrics/calibration/{experiment}.parquet"
"""The calibration of an experiment's predictions."""
MEANS = "results/metrics/{preset}.json"
SUMMARY = "results/metrics/summary/{preset}.json"
TABLE_CELL = "{experiment}/{table}"
TABLES = "results/tables/{experiment}"
TABLE = f"results/tables/{TABLE_CELL}"
"""Without its ending: .csv, .md, .html or .tex."""
PICTURES = "results/figures/{experiment}/predictions"
FIGURE_CELL = "{experiment}/{figure}"
FIGURES = "results/figures/{experiment}"
FIGURE = f"results/figures/{FIGURE_CELL}"
"""Without its ending: .png, .pdf or .svg."""
PICTURE_CELL = "{experiment}/predictions/{dataset}-{backbone}-{balancer}-seed-{seed}"
PICTURE = f"results/figures/{PICTURE_CELL}.png"
PLOTS = "results/plots/{preset}"
"""The figures of a preset as PNG in one folder, which `dvc plots` shows."""

AUDIT = "results/audit.md"
CLAIMS = "results/claims"
"""What the papers claim, and what came out: without its ending, .md or .json."""
PAGE = "results/report.html"
"""Everything that the preset made, in one file."""

# The toy problem.
TOY_LANDSCAPE = "results/toy/landscape.parquet"
TOY_TRAJECTORIES = "results/toy/trajectories/{method}.parquet"
TOY_REPORT = "results/figures/toy"
"""Without its ending: .png, .pdf, .svg or .csv."""

BENCH = "results/bench"
"""Benchmarks of training steps, their figures and their page."""


def prepared(splits: Iterable[str]) -> list[str]:
    """Files of a prepared data set with these splits, as patterns with the wildcard ``dataset``."""
    return [f"{PREPARED}/{file}" for file in [*(f"{split}.parquet" for split in splits), SCHEMA]]


def is_raw(path: str) -> bool:
    """True if a path is that of a raw file: in ``data/raw``, with no way out of it, and no pattern of Snakemake's."""
    parts = Path(path).parts
    inside = parts[:2] == Path(RAW_DATA).parts and len(parts) > 2 and ".." not in parts
    return inside and path.isprintable() and not {*path} & {*"{}"}


def model_beside(record: Path) -> Path:
    """The weights that a run keeps beside its record."""
    return record.with_suffix(".model.safetensors")


def schema_beside(model: Path) -> Path:
    """The schema that a kept model has beside its weights."""
    return model.with_suffix(SCHEMA_ENDING)


def log(rule: str, cell: str) -> str:
    """The log of a job, with everything that it printed."""
    return f"logs/{rule}/{cell}.log"


def benchmark(rule: str, cell: str) -> str:
    """The time and memory that a job took, as Snakemake measures them."""
    return f"benchmarks/{rule}/{cell}.tsv"
