"""Data sets: from raw files to Parquet, and from Parquet to training batches.

An adapter is a module here with the name that ``adapter:`` has in ``params.yaml`` and a function
``prepare(name, config, output) -> Manifest``; one of stand-in data has ``generate(config, folder)`` too. It is
imported only when its data are prepared: a training job needs :mod:`mtbalance.data.ranking.batches` alone, or
:mod:`mtbalance.data.scenes.batches`.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from mtbalance.errors import UserError

if TYPE_CHECKING:
    from mtbalance.config import Dataset
    from mtbalance.data.manifest import Manifest


class DataError(UserError):
    """Data that cannot be used as they are; the message names the file and says what to do."""


def adapter_for(config: Dataset) -> ModuleType:
    """The adapter module of a data set's configuration."""
    return importlib.import_module(f"mtbalance.data.{config.adapter}")


def prepare(name: str, config: Dataset, output: Path) -> Manifest:
    """Write ``train`` and ``test.parquet``, for ranking ``valid.parquet`` too, and ``schema.json`` of data set
    ``name`` into ``output``.

    Raw files are looked for relative to the working directory, which is the project's. Raises
    :class:`DataError` for raw data that are missing or broken; ``output`` is then as it was before.
    """
    return adapter_for(config).prepare(name, config, output)


def generate(name: str, config: Dataset, folder: Path) -> None:
    """Write the raw files of the stand-in data set ``name`` into ``folder``.

    Raises :class:`DataError` for a data set that is not generated.
    """
    adapter = adapter_for(config)
    if not hasattr(adapter, "generate"):
        raise DataError(f"data set {name!r} is real: it is fetched or placed by hand, not generated")
    adapter.generate(config, folder)
