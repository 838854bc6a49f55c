"""archive: one file with the evidence of a preset, fit for a paper's supplement; tables can be remade from it."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

from mtbalance import places
from mtbalance.config.parameters import Parameters
from mtbalance.data.files.checksums import sha256_of
from mtbalance.errors import UserError
from mtbalance.training.environment import commit
from mtbalance.workflow import Workflow
from mtbalance.writing import replacing

CONTENTS = "contents.json"
"""In the archive: the commit, the preset, and the SHA-256 of every file."""


def write_archive(output: Path, parameters: Parameters, predictions: bool = False) -> int:
    """Write records, timings, references, metrics, tables, claims and ``params.yaml`` of the chosen preset as .tar.xz.

    Files have their places in the project, so that unpacking it in a checkout of its commit gives back what tables are
    made of. The same files give the same bytes. With ``predictions`` those of all test rows are in it, too: without
    them, tests over rows are in the metrics alone. Returns the number of files.

    Raises :class:`UserError` if there is no record yet.
    """
    files = sorted({file for file in _files(parameters, predictions) if Path(file).is_file()})
    if not any(file.startswith("results/runs/") for file in files):
        raise UserError(f"results/runs has no record of the preset {parameters.preset}: run the workflow first")
    facts = {"commit": commit(), "preset": parameters.preset, "sha256": {file: sha256_of(Path(file)) for file in files}}
    with replacing(output) as partial, tarfile.open(partial, "w:xz", format=tarfile.PAX_FORMAT) as archive:
        _add(archive, CONTENTS, (json.dumps(facts, indent=1) + "\n").encode())
        for file in files:
            _add(archive, file, Path(file).read_bytes())
    return len(files)


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))


def _files(parameters: Parameters, predictions: bool) -> Iterator[str]:
    workflow = Workflow(parameters)
    yield from (places.PARAMETERS, places.AUDIT, f"{places.CLAIMS}.md", f"{places.CLAIMS}.json")
    yield from (of.format(preset=parameters.preset) for of in (places.MEANS, places.SUMMARY))
    runs = (workflow.records, workflow.timings, workflow.steps)
    made = (workflow.references, workflow.metrics, workflow.trials, workflow.calibration, workflow.market)
    kinds = (*runs, *made, workflow.tables)
    for experiment, block in parameters.active().items():
        yield from (file for of in kinds for file in of(experiment))
        yield from workflow.predictions(experiment) if predictions else ()
        yield from (f"{places.PREPARED.format(dataset=dataset)}/{places.SCHEMA}" for dataset in block.datasets)
