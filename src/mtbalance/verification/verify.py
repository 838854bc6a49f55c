"""verify: checks data, records, predictions, collected metrics and tables against each other, each read anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from mtbalance import places
from mtbalance.config.parameters import Parameters
from mtbalance.config.run import RunConfig
from mtbalance.data.files.checksums import sha256_of
from mtbalance.data.files.verified import remedy
from mtbalance.data.manifest import Manifest
from mtbalance.errors import UserError
from mtbalance.problems import open_problem
from mtbalance.records import RunRecord, read_run
from mtbalance.reporting.tables import write_table
from mtbalance.verification import Verified
from mtbalance.verification.predictions import differences
from mtbalance.workflow import Workflow

AGAIN = "delete it and run the workflow again"
COMPARED = ("csv", "md")
"""The forms of a table that are compared: the others have the same numbers, beside a command or a commit."""
Collect = Callable[[str, Path], None]
"""Collects the records of an experiment into a file."""


def verify(parameters: Parameters, collect: Collect) -> Verified:
    """Check what the chosen preset has made, in the working directory. What is not there is not looked at.

    Prepared files are read whole and compared with their manifest; records with their checksums, the present settings
    and the present data; test metrics with those of the kept predictions; collected metrics with what ``collect`` makes
    of the records; tables with what is made of the metrics.
    """
    found = Verified()
    manifests: dict[str, Manifest] = {}
    for experiment in parameters.active():
        runs = parameters.runs(experiment)
        for run in (*runs, *parameters.all_timing_runs(experiment)):
            folder = Path(places.PREPARED.format(dataset=run.dataset))
            if run.dataset not in manifests and folder.is_dir():
                found.look("data set", _of_data(run, folder, manifests))
        for run in runs:
            _look_at_run(found, run, manifests.get(run.dataset))
        metrics = Path(places.METRICS.format(experiment=experiment))
        if metrics.exists():
            found.look("metrics file", _of_metrics(metrics, experiment, collect))
            for table in parameters.experiments[experiment].tables:
                found.look("table", _of_table(table, experiment, parameters))
    return found


def _of_data(run: RunConfig, folder: Path, manifests: dict[str, Manifest]) -> Iterator[str]:
    """Differences between a prepared data set and its manifest, which is kept."""
    try:
        manifest: Manifest = open_problem(run, folder).schema
    except UserError as error:
        yield str(error)
        return
    manifests[run.dataset] = manifest
    for split, stored in manifest.splits.items():
        path = folder / f"{split}.parquet"
        if not path.exists():
            yield f"{path} is missing; {remedy(path)}"
        elif (checksum := sha256_of(path)) != stored.sha256:
            yield f"{path} has SHA-256 {checksum}, but its schema.json says {stored.sha256}; {remedy(path)}"


def _look_at_run(found: Verified, run: RunConfig, manifest: Manifest | None) -> None:
    path, predictions = (Path(of.format(**run.wildcards)) for of in (places.RECORD, places.PREDICTIONS))
    if not path.exists():
        return
    try:
        record = read_run(path)
    except UserError as error:
        found.look("record", iter([str(error)]))
        return
    found.look("record", _of_record(path, record, run, manifest))
    if predictions.exists():
        found.look("predictions file", _of_predictions(record, predictions))


def _of_record(path: Path, record: RunRecord, run: RunConfig, manifest: Manifest | None) -> Iterator[str]:
    if record.digest != run.digest():
        yield f"{path} is of other settings than params.yaml has now; run the workflow again"
    if manifest and record.data.sha256 != {split: stored.sha256 for split, stored in manifest.splits.items()}:
        yield f"{path} was trained on other data than lie in the project; {AGAIN}"


def _of_predictions(record: RunRecord, path: Path) -> Iterator[str]:
    try:
        yield from (f"{path}: {difference}; {AGAIN}" for difference in differences(record, path))
    except (OSError, ValueError) as error:
        yield f"{path} cannot be read ({error}); {AGAIN}"


def _of_metrics(path: Path, experiment: str, collect: Collect) -> Iterator[str]:
    with TemporaryDirectory() as folder:
        again = Path(folder, path.name)
        try:
            collect(experiment, again)
            same = pd.read_parquet(path).equals(pd.read_parquet(again))
        except UserError as error:
            yield f"{path} cannot be made again: {error}"
        except (OSError, ValueError) as error:
            yield f"{path} cannot be read ({error}); {AGAIN}"
        else:
            if not same:
                yield f"{path} is not what the records give now; {AGAIN}"


def _of_table(name: str, experiment: str, parameters: Parameters) -> Iterator[str]:
    (shown,) = Workflow(parameters).shown(experiment, name)
    title, settings = parameters.experiments[experiment].title, parameters.tables.model_dump()
    stem = places.TABLE.format(experiment=experiment, table=name)
    with TemporaryDirectory() as folder:
        try:
            write_table(name, Path(shown), Path(folder, name), title=title, **settings)
        except (UserError, OSError, ValueError) as error:
            yield f"{stem} cannot be made again from {shown}: {error}"
            return
        for ending in COMPARED:
            path = Path(f"{stem}.{ending}")
            if not path.exists():
                yield f"{path} is missing; run the workflow again"
            elif path.read_bytes() != Path(folder, f"{name}.{ending}").read_bytes():
                yield f"{path} is not what {shown} gives; {AGAIN}"
