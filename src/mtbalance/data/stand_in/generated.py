"""The folder of a stand-in data set: its name says ``synthetic``, and it holds the options that generated it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mtbalance import places
from mtbalance.config.datasets import Dataset
from mtbalance.data import DataError
from mtbalance.data.files.checksums import sha256_of
from mtbalance.data.files.staging import Staging
from mtbalance.writing import write_json

FILES = ("train.csv", "test.csv", "truth.csv")
"""The files of stand-in rows: the last has the true probabilities of the test rows."""
MARK = "generated.json"
"""The options that generated the files of a folder, and the checksums of these; written last."""


def generated_folder(dataset: Dataset, name: str) -> Path:
    """The folder of the raw files of the data set ``name``; they are generated unless they are there already.

    Raises :class:`DataError` unless the name says ``synthetic``: nobody may take the data set for a real one.
    """
    if "synthetic" not in name:
        raise DataError(f"data set {name!r}: generated data need `synthetic` in their name; rename it in params.yaml")
    folder = Path(places.RAW.format(dataset=name))
    if not is_generated(dataset, folder):
        dataset.generate(folder)
    for file, sha256 in _mark(folder)["sha256"].items():
        if sha256_of(folder / file) != sha256:
            raise DataError(
                f"{folder / file} has not the SHA-256 that {MARK} beside it says: it was changed or damaged since it "
                f"was generated; delete {folder} and run the workflow again"
            )
    return folder


@contextmanager
def write_generated(dataset: Dataset, folder: Path) -> Iterator[Path]:
    """A temporary folder whose raw files of ``dataset`` move to ``folder``, with their mark, when the block ends.

    After an error ``folder`` is as it was.
    """
    with Staging(folder) as staging, staging.writing():
        yield staging.folder
        checksums = {file: sha256_of(staging.folder / file) for file in _files(dataset)}
        write_json(staging.folder / MARK, {"options": _options(dataset), "sha256": checksums})
        staging.move(dataset.generated)


def is_generated(dataset: Dataset, folder: Path) -> bool:
    """True if ``folder`` holds the raw files of ``dataset``, generated with the same options."""
    complete = all((folder / file).is_file() for file in dataset.generated)
    mark = _mark(folder) if complete else {}
    checksums = mark.get("sha256")
    known = isinstance(checksums, dict) and checksums.keys() == set(_files(dataset))
    return known and mark.get("options") == _options(dataset)


def _files(dataset: Dataset) -> list[str]:
    return [file for file in dataset.generated if file != MARK]


def _options(dataset: Dataset) -> dict[str, Any]:
    """The options that the raw files depend on: all but the split of their rows."""
    return dataset.model_dump(mode="json", exclude={"split"})


def _mark(folder: Path) -> dict[str, Any]:
    """What the mark says; nothing if it is damaged."""
    try:
        found = json.loads((folder / MARK).read_bytes())
    except (OSError, RecursionError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
