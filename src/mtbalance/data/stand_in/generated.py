"""The folder of a stand-in data set: its name says ``synthetic``, and it holds the options that generated it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mtbalance import places
from mtbalance.config.datasets import Dataset
from mtbalance.data import DataError
from mtbalance.data.files.staging import Staging

FILES = ("train.csv", "test.csv", "truth.csv")
"""The files of stand-in rows: the last has the true probabilities of the test rows."""
MARK = "generated.json"
"""The options that generated the files of a folder; written last."""


def generated_folder(dataset: Dataset, name: str) -> Path:
    """The folder of the raw files of the data set ``name``; they are generated unless they are there already.

    Raises :class:`DataError` unless the name says ``synthetic``: nobody may take the data set for a real one.
    """
    if "synthetic" not in name:
        raise DataError(f"data set {name!r}: generated data need `synthetic` in their name; rename it in params.yaml")
    folder = Path(places.RAW.format(dataset=name))
    if not is_generated(dataset, folder):
        dataset.generate(folder)
    return folder


@contextmanager
def write_generated(dataset: Dataset, folder: Path) -> Iterator[Path]:
    """A temporary folder whose raw files of ``dataset`` move to ``folder``, with their mark, when the block ends.

    After an error ``folder`` is as it was.
    """
    with Staging(folder) as staging, staging.writing():
        yield staging.folder
        (staging.folder / MARK).write_text(mark_of(dataset), encoding="utf-8")
        staging.move(dataset.generated)


def is_generated(dataset: Dataset, folder: Path) -> bool:
    """True if ``folder`` holds the raw files of ``dataset``, generated with the same options."""
    complete = all((folder / file).is_file() for file in dataset.generated)
    return complete and (folder / MARK).read_text(encoding="utf-8") == mark_of(dataset)


def mark_of(dataset: Dataset) -> str:
    """The options that the raw files depend on, as JSON: all but the split of their rows."""
    return dataset.model_dump_json(exclude={"split"}, indent=1) + "\n"
